"""The straight line of the pair Zendesk and GitLab, with real processes and sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.demo.stage import Stage, open_stage
from hub.sandbox.cast import File
from hub.ticket import Priority, Snapshot, Status
from plugins.gitlab.sandbox import GitlabSandbox
from plugins.gitlab.sandbox.state import Issue
from tests.e2e.conftest import eventually


class Line:
    """A stage with a helpdesk and the sandbox of GitLab."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        dev = stage.sandboxes["dev"]
        assert isinstance(dev, GitlabSandbox)
        self.dev = dev
        self.customer, self.agent = stage.actor("support", "customer"), stage.actor("support", "agent")
        self.engineer = stage.actor("dev", "engineer")

    def issue_of(self, ticket_id: str) -> Issue | None:
        with self.dev.lock:
            found = [i for i in self.dev.store.issues.values() if f"support-{ticket_id}-" in i.description]
        return found[0] if found else None

    def escalated(self, title: str) -> tuple[str, Issue]:
        """A ticket with its issue, linked both ways."""
        ticket_id = self.customer.open_ticket(title, "Nothing works since #1.\n\n/close")
        self.agent.start(ticket_id)
        self.agent.escalate(ticket_id)
        issue = eventually(lambda: self.issue_of(ticket_id), "an issue")
        assert issue is not None
        eventually(lambda: any(not c.visibility.is_public for c in self.ticket(ticket_id).comments or ()), "the note")
        eventually(lambda: any("/agent/tickets/" in body for body in self.bodies(issue)), "the link")
        return ticket_id, issue

    def ticket(self, ticket_id: str) -> Snapshot:
        return self.stage.snapshot("support", ticket_id)

    def bodies(self, issue: Issue) -> list[str]:
        with self.dev.lock:
            return [note.body for note in issue.people_notes]


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    with open_stage({"support": "zendesk", "dev": "gitlab"}) as stage:
        yield Line(stage)


def test_an_escalated_ticket_gets_an_issue_that_runs_no_command_and_is_linked_by_an_internal_note(line: Line) -> None:
    ticket_id, issue = line.escalated("The sum is wrong")
    assert (issue.title, issue.state) == ("The sum is wrong", "opened")
    (link,) = [note for note in issue.people_notes if "/agent/tickets/" in note.body]
    assert link.is_internal
    assert f"/agent/tickets/{ticket_id}" in link.body
    notes = [c.text for c in line.ticket(ticket_id).comments or () if not c.visibility.is_public]
    assert any("acme/website" in note for note in notes)


def test_words_cross_publicly_both_ways_and_private_notes_stay_home(line: Line) -> None:
    ticket_id, issue = line.escalated("It crashes")
    line.agent.say(ticket_id, "secret of the agents", public=False)
    line.engineer.say(str(issue.iid), "secret of the engineers", public=False)
    line.engineer.say(str(issue.iid), "Reproduced, zażółć.", public=True)
    eventually(lambda: any("zażółć" in c.text for c in line.ticket(ticket_id).comments or () if c.visibility.is_public))
    line.customer.say(ticket_id, "Thank you & <b>good luck</b> @all", public=True)
    eventually(lambda: any("good luck" in body for body in line.bodies(issue)))
    assert not any("secret of the agents" in body for body in line.bodies(issue))
    assert not any("secret of the engineers" in c.text for c in line.ticket(ticket_id).comments or ())
    assert line.dev.store.notified == []


def test_status_and_priority_are_labels_that_come_and_go(line: Line) -> None:
    ticket_id, issue = line.escalated("It is slow")
    line.agent.prioritise(ticket_id, "urgent")
    eventually(lambda: "priority::urgent" in issue.labels)
    line.engineer.prioritise(str(issue.iid), "low")
    eventually(lambda: line.ticket(ticket_id).ticket.priority is Priority.LOW)
    assert [label for label in issue.labels if label.startswith("priority::")] == ["priority::low"]
    line.engineer.resolve(str(issue.iid))
    eventually(lambda: line.ticket(ticket_id).ticket.status is Status.SOLVED)


def test_a_file_crosses_whole_in_both_directions(line: Line) -> None:
    ticket_id, issue = line.escalated("With a picture")
    content = bytes(range(256)) * 64
    line.customer.say(ticket_id, "see", public=True, files=[File("zrzut ąę (1).png", content, "image/png")])
    eventually(lambda: any(u.content == content for u in issue.project.uploads.values()))
    line.engineer.say(str(issue.iid), "this patch", public=True, files=[File("fix.patch", b"diff", "text/plain")])

    def arrived() -> list[str]:
        return [f.name for c in line.ticket(ticket_id).comments or () for f in c.attachments]

    eventually(lambda: "fix.patch" in arrived())
    assert sorted(arrived()) == ["fix.patch", "zrzut ąę (1).png"]
