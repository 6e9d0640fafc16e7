"""The hub is killed at every outside call of a create and of a comment, and started again: one issue, one comment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import pytest

from hub.demo.stage import open_stage
from hub.sandbox.cast import File
from tests.e2e.conftest import PATIENCE, Play, eventually


@dataclass(frozen=True)
class Call:
    """One outside call of the hub's, and the moment in it: before or after its effect."""

    tracker: str
    method: str
    path: str
    when: Literal["before", "after"]

    def __str__(self) -> str:
        return f"{self.when} {self.method} {self.path} of {self.tracker}"


CREATE = [
    Call(tracker, method, path, when)
    for tracker, method, path in (
        ("support", "GET", r"^/api/v2/tickets/\d+$"),
        ("support", "GET", r"/comments$"),
        ("dev", "POST", r"/issue$"),
        ("dev", "POST", r"/remotelink$"),
        ("support", "PUT", r"^/api/v2/tickets/\d+$"),
    )
    for when in ("before", "after")
]
TO_JIRA = [
    Call(tracker, method, path, when)
    for tracker, method, path in (
        ("support", "GET", r"/comments$"),
        ("dev", "POST", r"/attachments$"),
        ("dev", "POST", r"/comment$"),
    )
    for when in ("before", "after")
]
TO_ZENDESK = [
    Call(tracker, method, path, when)
    for tracker, method, path in (("dev", "GET", r"/issue/\d+$"), ("support", "PUT", r"^/api/v2/tickets/\d+$"))
    for when in ("before", "after")
]


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    with open_stage({"support": "zendesk", "dev": "jira"}) as stage:
        yield Play(stage)


def kill_at(play: Play, call: Call, act: Callable[[], None]) -> None:
    """`kill -9` when the hub stands in this call, to which `act` leads; then it starts again at the same address."""
    sandbox = play.stage.sandboxes[call.tracker]
    gate = sandbox.faults.gate(call.method, call.path, call.when)
    act()
    assert gate.wait_reached(PATIENCE), f"the hub never came to: {call}"
    play.stage.kill_hub()
    sandbox.faults.clear()
    play.stage.start_hub(int(play.stage.hub_url.rpartition(":")[2]))


@pytest.mark.parametrize("call", CREATE, ids=str)
def test_a_hub_killed_while_it_creates_makes_exactly_one_issue(play: Play, call: Call) -> None:
    ticket_id = play.customer.open_ticket(f"Killed {call}", "Nothing works.")
    play.agent.start(ticket_id)
    play.quiet()
    kill_at(play, call, lambda: play.agent.escalate(ticket_id))
    issue = eventually(lambda: play.issue_of(ticket_id), "the issue")
    eventually(lambda: sum(issue.key in n for n in play.notes(ticket_id)) == 1, "the note")
    play.quiet()
    marked = [i for i in play.issues() if any(x.startswith(f"support-{ticket_id}-") for x in i.fields["labels"])]
    assert len(marked) == 1
    assert len(issue.links) == 1
    assert sum(issue.key in note for note in play.notes(ticket_id)) == 1
    assert play.stage.run_command("failures").returncode == 0


@pytest.mark.parametrize("call", TO_JIRA, ids=str)
def test_a_hub_killed_while_it_comments_in_jira_writes_exactly_one_comment(play: Play, call: Call) -> None:
    ticket_id, issue = play.escalated(f"Killed {call}")
    play.quiet()
    file = File("trace.log", b"a trace")
    kill_at(play, call, lambda: play.agent.say(ticket_id, "only once", public=True, files=[file]))
    eventually(lambda: any("only once" in body for body in play.bodies(issue)), "the comment")
    play.quiet()
    assert sum("only once" in body for body in play.bodies(issue)) == 1


@pytest.mark.parametrize("call", TO_ZENDESK, ids=str)
def test_a_hub_killed_while_it_comments_in_zendesk_writes_exactly_one_comment(play: Play, call: Call) -> None:
    ticket_id, issue = play.escalated(f"Killed {call}")
    play.quiet()
    kill_at(play, call, lambda: play.engineer.say(issue.id, "just once", public=True))
    eventually(lambda: any("just once" in reply for reply in play.replies(ticket_id)), "the comment")
    play.quiet()
    assert sum("just once" in reply for reply in play.replies(ticket_id)) == 1


def test_a_restart_with_undelivered_work_loses_nothing(play: Play) -> None:
    ticket_id, issue = play.escalated("Restarted")
    play.quiet()
    gate = play.support.faults.gate("GET", rf"^/api/v2/tickets/{ticket_id}$")
    for number in range(5):
        play.agent.say(ticket_id, f"word number {number} of five", public=True)
    assert gate.wait_reached(PATIENCE)
    play.support.webhooks.wait_idle(PATIENCE)
    play.stage.kill_hub()
    play.support.faults.clear()
    play.stage.start_hub(int(play.stage.hub_url.rpartition(":")[2]))
    eventually(lambda: len(play.bodies(issue)) == 5)
    assert [f"word number {n} of five" in body for n, body in enumerate(play.bodies(issue))] == [True] * 5


def test_an_orderly_stop_finishes_what_runs(play: Play) -> None:
    ticket_id, issue = play.escalated("Stopped")
    play.quiet()
    gate = play.dev.faults.gate("POST", r"/comment$", "before")
    play.agent.say(ticket_id, "written while the hub stops", public=True)
    assert gate.wait_reached(PATIENCE)
    stopping = threading.Thread(target=play.stage.stop_hub)
    stopping.start()
    gate.release()
    stopping.join(timeout=PATIENCE)
    assert sum("while the hub stops" in body for body in play.bodies(issue)) == 1
    play.stage.start_hub(int(play.stage.hub_url.rpartition(":")[2]))
    play.quiet()
    assert sum("while the hub stops" in body for body in play.bodies(issue)) == 1
