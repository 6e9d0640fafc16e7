"""`hub connector verify` as an admin runs it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from plugins.zendesk.sandbox import ZendeskSandbox, hub_settings
from tests.cli.test_commands import hub

SECRET = "KIT_SECRET"


@pytest.fixture
def account() -> Iterator[ZendeskSandbox]:
    with ZendeskSandbox() as sandbox:
        yield sandbox


def verify(folder: Path, account: ZendeskSandbox, *arguments: str, token: str = "") -> subprocess.CompletedProcess[str]:
    entry = hub_settings(account)
    good = entry["credentials"]["api_token"]
    entry["credentials"]["api_token"] = entry["webhook"]["secret"] = f"${{{SECRET}}}"
    (folder / "hub.yaml").write_text(yaml.safe_dump({"trackers": {"support": entry}}))
    return hub("connector", "verify", *arguments, folder=folder, **{SECRET: token or good})


def test_a_good_tracker_passes_and_the_scratch_tickets_are_closed(tmp_path: Path, account: ZendeskSandbox) -> None:
    done = verify(tmp_path, account, "support", "--only", "created", "--only", "marker", "--json")
    assert done.returncode == 0, done.stderr
    outcomes = {c["name"]: c["outcome"] for c in json.loads(done.stdout)["checks"]}
    assert outcomes["what is created is read back"] == "passed"
    with account.lock:
        tickets = list(account.store.tickets.values())
    assert tickets
    assert all("can be deleted" in t.values["subject"] for t in tickets)
    assert {t.values["status"] for t in tickets} == {"closed"}


def test_a_failure_names_its_reason_and_the_exit_code_says_so(tmp_path: Path, account: ZendeskSandbox) -> None:
    done = verify(tmp_path, account, "support", "--only", "who it is", token="wrong-token-value")
    assert done.returncode == 1
    assert "failed" in done.stdout
    assert "401" in done.stdout
    assert "wrong-token-value" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["suport"], "there is no tracker 'suport'; there are support"),
        (["support", "--queue", "Junk"], "no setting queue"),
        (["support", "--set", "timeout"], "NAME=VALUE"),
        (["support", "--set", "timeout=soon"], "timeout"),
        (["support", "--only", "nonsense"], "no check is called like nonsense"),
    ],
)
def test_wrong_words_are_named(tmp_path: Path, account: ZendeskSandbox, arguments: list[str], words: str) -> None:
    done = verify(tmp_path, account, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
