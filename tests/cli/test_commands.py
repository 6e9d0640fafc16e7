"""The commands as people type them, and what they say when something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def hub(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hub", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "200", **environment},
    )


def test_help_names_every_command(tmp_path: Path) -> None:
    shown = hub("--help", folder=tmp_path).stdout
    for command in (
        "announce",
        "escalate",
        "macro",
        "check",
        "demo",
        "explain",
        "failures",
        "init",
        "link",
        "links",
        "plan",
        "sandbox",
        "serve",
        "sync",
    ):
        assert f"\n  {command} " in shown


def test_without_settings_it_says_where_they_are_missing_and_how_to_begin(tmp_path: Path) -> None:
    done = hub("links", folder=tmp_path)
    assert done.returncode == 2
    assert "hub.yaml" in done.stderr
    assert "hub init" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_starter_is_written_once_and_says_what_is_missing(tmp_path: Path) -> None:
    assert hub("init", ".", folder=tmp_path).returncode == 0
    again = hub("init", ".", folder=tmp_path)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    checked = hub("check", "--offline", folder=tmp_path)
    assert checked.returncode == 2
    assert "JIRA_API_TOKEN" in checked.stderr


def test_a_filled_in_starter_is_valid(tmp_path: Path) -> None:
    hub("init", ".", folder=tmp_path)
    names = ("ZENDESK_CLIENT_SECRET", "ZENDESK_WEBHOOK_SECRET", "JIRA_API_TOKEN", "JIRA_WEBHOOK_SECRET")
    done = hub("check", "--offline", folder=tmp_path, **dict.fromkeys(names, "some-secret"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "valid" in done.stdout
    listed = hub("failures", folder=tmp_path, **dict.fromkeys(names, "some-secret"))
    assert (listed.returncode, listed.stdout) == (0, "Nothing has failed.\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sync",), "say which"),
        (("failures", "retry"), "say which"),
        (("sandbox", "nosuch"), "there is no sandbox"),
        (("init", "--example", "nosuch"), "zendesk-jira"),
    ],
)
def test_wrong_usage_is_told_in_words(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done = hub(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
