"""The straight line of the pair Agiloft and GitLab, with real processes and sockets, both ways."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hub.connector import Known
from hub.demo.stage import Stage, open_stage
from hub.sandbox.cast import File
from hub.ticket import Priority, Snapshot, Status
from plugins.agiloft.sandbox import AgiloftSandbox
from tests.e2e.conftest import eventually

QUIET_FOR = 0.6


class Line:
    """A helpdesk and a bug tracker, a ticket of the one and its issue in the other."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.support = stage.sandboxes["support"]
        assert isinstance(self.support, AgiloftSandbox)
        self.customer, self.agent = stage.actor("support", "customer"), stage.actor("support", "agent")
        self.engineer = stage.actor("dev", "engineer")
        self.ticket_id = self.issue_id = ""

    def escalate(self, title: str = "It is broken", text: str = "Nothing works.") -> None:
        self.ticket_id = self.customer.open_ticket(title, text)
        self.agent.start(self.ticket_id)
        self.agent.escalate(self.ticket_id)
        self.issue_id = eventually(self._issue, "an issue")
        eventually(lambda: self.said("support", "GitLab") or self.notes(), "the note that names the issue")

    def ticket(self) -> Snapshot:
        return self.stage.snapshot("support", self.ticket_id)

    def issue(self) -> Snapshot:
        return self.stage.snapshot("dev", self.issue_id)

    def said(self, tracker: str, words: str) -> int:
        snapshot = self.ticket() if tracker == "support" else self.issue()
        return sum(words in comment.text for comment in snapshot.comments or ())

    def notes(self) -> list[str]:
        return [c.text for c in self.ticket().comments or () if not c.visibility.is_public]

    def quiet(self) -> None:
        """Until every webhook is delivered and the hub has stopped calling."""
        pause = threading.Event()

        def is_quiet() -> bool:
            before = [len(s.requests) for s in self.stage.sandboxes.values()]
            pause.wait(QUIET_FOR)
            idle = all(s.webhooks.idle() for s in self.stage.sandboxes.values())
            return idle and before == [len(s.requests) for s in self.stage.sandboxes.values()]

        eventually(is_quiet, "the hub at rest")

    def looks_without_reads(self, looks: int) -> bool:
        """Whether polling goes on, and finds nothing that it had not told before."""
        self.support.requests.clear()
        eventually(lambda: self.support.requests.count("POST", "/case/search") >= looks, "polls")
        return self.support.requests.count("GET", "/case/") == 0

    def _issue(self) -> str:
        link = self.ticket().ticket.links
        number = link[0].url.rstrip("/").rpartition("/")[2] if link else ""
        return number if number.isdigit() else ""


@contextmanager
def a_line(**more: Any) -> Iterator[Line]:
    with open_stage({"support": "agiloft", "dev": "gitlab"}, flavour="", **more) as stage:
        yield Line(stage)


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    with a_line() as made:
        yield made


def test_an_escalated_ticket_gets_one_issue_which_its_column_and_one_note_name(line: Line) -> None:
    line.escalate("The sum is wrong", "Since yesterday,\nevery time.")
    assert line.issue().ticket.title == "The sum is wrong"
    assert "every time" in (line.issue().ticket.description or "")
    line.quiet()
    assert len(line.notes()) == 1


def test_answers_cross_both_ways_once(line: Line) -> None:
    line.escalate()
    line.engineer.say(line.issue_id, "Reproduced: zażółć.", public=True)
    eventually(lambda: line.said("support", "zażółć"))
    line.customer.say(line.ticket_id, "Thank you & <b>good luck</b>", public=True)
    eventually(lambda: line.said("dev", "good luck"))
    line.quiet()
    assert (line.said("support", "zażółć"), line.said("dev", "good luck")) == (1, 1)


def test_private_notes_stay_on_their_side(line: Line) -> None:
    line.escalate()
    line.agent.say(line.ticket_id, "secret of the agents", public=False)
    line.engineer.say(line.issue_id, "secret of the engineers", public=False)
    line.agent.say(line.ticket_id, "a public word", public=True)
    eventually(lambda: line.said("dev", "a public word"))
    line.quiet()
    assert not line.said("dev", "secret of the agents")
    assert not line.said("support", "secret of the engineers")


def test_status_priority_and_title_follow(line: Line) -> None:
    line.escalate()
    line.agent.rename(line.ticket_id, "Renamed in the helpdesk")
    eventually(lambda: line.issue().ticket.title == "Renamed in the helpdesk")
    line.engineer.prioritise(line.issue_id, "urgent")
    eventually(lambda: line.ticket().ticket.priority is Priority.URGENT)
    line.engineer.resolve(line.issue_id)
    eventually(lambda: line.ticket().ticket.status.is_done)
    line.agent.reopen(line.ticket_id)
    eventually(lambda: line.issue().ticket.status is not Status.CLOSED and not line.issue().ticket.status.is_done)


def test_files_cross_both_ways_whole(line: Line) -> None:
    line.escalate()
    content = bytes(range(256)) * 2048
    line.customer.say(line.ticket_id, "my log", public=True, files=[File("raport ąę (1).bin", content)])
    eventually(lambda: any(c.attachments for c in line.issue().comments or ()) or line.issue().attachments)
    line.engineer.say(line.issue_id, "a patch", public=True, files=[File("fix.patch", b"--- a\n+++ b\n")])

    def arrived() -> bytes:
        connector = line.stage.connectors["support"]
        comments = connector.read(line.ticket_id, Known()).comments or ()
        for file in (file for comment in comments for file in comment.attachments):
            if file.name == "fix.patch":
                with connector.download(file) as chunks:
                    return b"".join(chunks)
        return b""

    assert eventually(arrived) == b"--- a\n+++ b\n"


def test_a_ticket_that_somebody_edits_gets_the_change_when_they_are_done(line: Line) -> None:
    line.escalate()
    kb = line.support.kb  # type: ignore[attr-defined]  # the Agiloft sandbox's own state
    table = kb.tables["case"]
    with line.support.lock:
        kb.lock(table, table.records[int(line.ticket_id)], "agent1", 0.05)
    line.engineer.rename(line.issue_id, "Renamed meanwhile")
    eventually(lambda: line.ticket().ticket.title == "Renamed meanwhile")
    assert line.stage.run_command("failures").returncode == 0


def test_polling_alone_keeps_both_in_step() -> None:
    with a_line(with_webhooks=False) as line:
        line.escalate()
        line.customer.say(line.ticket_id, "Only polled.", public=True)
        eventually(lambda: line.said("dev", "Only polled"))
        line.engineer.say(line.issue_id, "Answered.", public=True)
        line.engineer.resolve(line.issue_id)
        eventually(lambda: line.said("support", "Answered"))
        eventually(lambda: line.ticket().ticket.status.is_done)


def test_beside_webhooks_polling_costs_two_calls_a_look_and_finds_a_lost_one() -> None:
    with a_line(tracker_settings={"support": {"poll": {"every": 1}}}) as line:
        line.escalate()
        line.support.webhooks.drop_next(5)
        line.customer.say(line.ticket_id, "Lost on the way.", public=True)
        eventually(lambda: line.said("dev", "Lost on the way"))
        eventually(lambda: line.looks_without_reads(3), "polls that read nothing again")
