"""Rules in real processes on one store: what several hubs and commands do at once is done once and can be explained."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from hub.demo.stage import open_stage
from tests.e2e.conftest import Play, eventually

RULES: dict[str, Any] = {
    "lines": {1: {"name": "First", "label": "line_1"}, 2: {"name": "Experts", "label": "line_2"}},
    "rules": [
        {
            "name": "outage",
            "when": {"title": "*outage*"},
            "then": {"set": {"priority": "urgent"}, "note": "Call them.", "line": 2, "reason": "an outage"},
        },
        {"name": "calm", "when": {"title": "*calm*", "label": "never"}, "then": {"note": "Nothing."}},
    ],
    "agreements": {
        "at once": {
            "kind": "SLA",
            "when": {"title": "*gold*"},
            "targets": {"resolution": "0m"},
            "on_breach": {"note": "Late."},
        },
        "slow": {"kind": "OLA", "targets": {"resolution": "100h"}},
    },
}


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    with open_stage({"support": "zendesk", "dev": "jira"}) as stage:
        stage.stop_hub()
        path = stage.folder / "hub.yaml"
        settings = yaml.safe_load(path.read_text())
        path.write_text(yaml.safe_dump({**settings, **RULES}))
        stage.start_hub(int(stage.hub_url.rpartition(":")[2]))
        yield Play(stage)


@pytest.fixture
def without_hub(play: Play) -> Iterator[None]:
    play.stage.stop_hub()
    yield
    play.stage.start_hub(int(play.stage.hub_url.rpartition(":")[2]))


def command(play: Play, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "hub", "--config", str(play.stage.folder), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **play.stage.environment, "COLUMNS": "200"},
    )


def test_a_second_hub_on_the_same_store_is_refused(play: Play) -> None:
    done = play.stage.run_command("serve", "--port", "0")
    assert done.returncode != 0
    assert "serves" in done.stderr
    assert "already" in done.stderr


def test_a_command_hands_a_ticket_with_a_running_clock_to_the_serving_hub(play: Play) -> None:
    ticket_id = play.customer.open_ticket("Slow", "It is slow.")
    done = play.stage.run_command("sync", f"support:{ticket_id}", "--timeout", "20")
    assert (done.returncode, "1 of 1 in step" in done.stdout) == (0, True), done.stdout + done.stderr
    told = play.stage.run_command("explain", f"support:{ticket_id}").stdout
    assert "clock slow.resolution: running" in told


def test_commands_beside_the_serving_hub_double_nothing(play: Play) -> None:
    ticket_id = play.customer.open_ticket("An outage", "All is down.")
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: play.stage.run_command("sync", f"support:{ticket_id}"), range(3)))
    assert [one.returncode for one in done] == [0, 0, 0], [one.stderr for one in done]
    eventually(lambda: len(play.notes(ticket_id)) > 1)
    play.quiet()
    assert sorted(play.notes(ticket_id)) == ["Call them.", "Handed to line 2 (Experts): an outage"]


@pytest.mark.usefixtures("without_hub")
def test_commands_at_once_without_a_serving_hub_double_nothing(play: Play) -> None:
    ticket_id = play.customer.open_ticket("A golden outage", "All is down.")
    racing = [command(play, "sync", f"support:{ticket_id}") for _ in range(3)]
    said = [process.communicate(timeout=60)[0] for process in racing]
    assert [process.returncode for process in racing] == [0, 0, 0], said
    assert sorted(play.notes(ticket_id)) == ["Call them.", "Handed to line 2 (Experts): an outage", "Late."]


def test_every_decision_about_a_ticket_in_no_link_can_be_asked_for(play: Play) -> None:
    ticket_id = play.customer.open_ticket("calm outage", "All is down.")
    key = f"support:{ticket_id}"
    eventually(lambda: "Call them." in play.notes(ticket_id))
    play.quiet()
    told = play.stage.run_command("explain", key).stdout
    assert f"rule outage fired on {key}: its title fits *outage*" in told
    assert "rule calm does not hold: it does not carry the label never" in told
    planned = play.stage.run_command("plan", key).stdout
    assert "is in no link" in planned
    assert f"rules would do nothing about {key}" in planned
    tried = play.stage.run_command("rules", "test", key).stdout
    assert "nothing would be done" in tried


def test_the_past_is_judged_by_what_was_then(play: Play) -> None:
    ticket_id = play.customer.open_ticket("Another calm outage", "All is down.")
    key = f"support:{ticket_id}"
    eventually(lambda: "Call them." in play.notes(ticket_id))
    play.quiet()
    before = datetime.now(UTC)
    done = play.stage.run_command("rules", "test", key, "--at", before.isoformat())
    assert done.returncode == 0, done.stderr
    assert "outage" in done.stdout
    assert "the labels are not known" in done.stdout
    assert "Of that time nothing is known of: labels" in done.stdout
    early = play.stage.run_command("rules", "test", key, "--at", (before - timedelta(days=9)).isoformat())
    assert early.returncode != 0
    assert "it was opened at" in early.stderr
    ahead = play.stage.run_command("rules", "test", key, "--at", (before + timedelta(days=9)).isoformat())
    assert "slow.resolution" in ahead.stdout
    assert "breached" in ahead.stdout


def test_what_would_be_done_about_a_new_ticket_is_shown_without_doing_it(play: Play) -> None:
    play.stage.stop_hub()
    try:
        ticket_id = play.customer.open_ticket("A planned outage", "Not yet.")
        planned = play.stage.run_command("plan", f"support:{ticket_id}").stdout
        assert "Call them." in planned
        assert play.notes(ticket_id) == []
    finally:
        play.stage.start_hub(int(play.stage.hub_url.rpartition(":")[2]))


def test_everything_means_open_tickets_in_no_link_too(play: Play) -> None:
    ticket_id = play.customer.open_ticket("Plain", "A question.")
    eventually(lambda: "slow.resolution" in play.stage.run_command("explain", f"support:{ticket_id}").stdout)
    done = play.stage.run_command("sync", "--all")
    assert done.returncode == 0, done.stderr
    number, _, rest = done.stdout.partition(" of ")
    assert int(number) >= 1
    assert rest.startswith(number)
