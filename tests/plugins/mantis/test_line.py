"""The straight line of helpdesks with MantisBT, with real processes and sockets: by webhooks, and by polling alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from hub.demo.stage import Stage, open_stage
from hub.sandbox.cast import File
from hub.ticket import Comment, Priority, Snapshot, Status
from plugins.mantis.sandbox import MantisSandbox
from plugins.mantis.sandbox.state import Issue
from plugins.zendesk.sandbox import ZendeskSandbox
from tests.e2e.conftest import Play, eventually

HELPDESKS = ("zendesk", "freshdesk")
OFTEN = {"poll": {"every": 0.5}}
RARELY = {"poll": {"every": 3600}}
CONTENT = bytes(range(256)) * 64


class Line:
    """A stage with a helpdesk and the sandbox of MantisBT."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.support = stage, stage.sandboxes["support"]
        dev = stage.sandboxes["dev"]
        assert isinstance(dev, MantisSandbox)
        self.dev = dev
        self.customer, self.agent = stage.actor("support", "customer"), stage.actor("support", "agent")
        self.engineer = stage.actor("dev", "engineer")

    def issue_of(self, ticket_id: str) -> Issue | None:
        with self.dev.lock:
            issues = list(self.dev.store.issues.values())
        return next((i for i in issues if f"support-{ticket_id}-" in i.texts.get("additional_information", "")), None)

    def escalated(self, title: str, text: str = "Nothing works.") -> tuple[str, Issue]:
        """A ticket with its issue, linked both ways."""
        ticket_id = self.customer.open_ticket(title, text)
        self.agent.start(ticket_id)
        self.agent.escalate(ticket_id)
        issue = eventually(lambda: self.issue_of(ticket_id), "an issue")
        assert issue is not None
        eventually(lambda: any(not c.visibility.is_public for c in self.comments(ticket_id)), "the note that names it")
        eventually(lambda: any(self.support.url in note for note in self.notes(issue, public=False)), "the link")
        return ticket_id, issue

    def ticket(self, ticket_id: str) -> Snapshot:
        return self.stage.snapshot("support", ticket_id)

    def comments(self, ticket_id: str) -> tuple[Comment, ...]:
        return self.ticket(ticket_id).comments or ()

    def replied(self, ticket_id: str, words: str) -> int:
        """How many public comments of the ticket hold these words."""
        return sum(words in c.text for c in self.comments(ticket_id) if c.visibility.is_public)

    def notes(self, issue: Issue, *, public: bool) -> list[str]:
        with self.dev.lock:
            return [note.text for note in issue.notes if (note.view_state == 10) is public]

    def quiet(self) -> None:
        Play.quiet(self)  # type: ignore[arg-type]  # it needs the stage only

    def reads(self) -> int:
        return self.dev.requests.count("GET", r"/issues/\d+$")

    def looks(self) -> int:
        return self.dev.requests.count("GET", r"/issues$")


@contextmanager
def a_line(helpdesk: str, *, webhooks: bool, often: bool) -> Iterator[Line]:
    polls = OFTEN if often else RARELY
    settings = {"support": polls, "dev": polls}
    with open_stage({"support": helpdesk, "dev": "mantis"}, with_webhooks=webhooks, tracker_settings=settings) as stage:
        support = stage.sandboxes["support"]
        if isinstance(support, ZendeskSandbox):
            # It keeps the newest minute back from polls; a test need not wait for it.
            support.change_settings(withhold_seconds=0)
        yield Line(stage)


@pytest.fixture(scope="module", params=HELPDESKS)
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    """By webhooks alone; each test uses tickets of its own."""
    with a_line(request.param, webhooks=True, often=False) as made:
        yield made


@pytest.fixture(scope="module", params=HELPDESKS)
def polled(request: pytest.FixtureRequest) -> Iterator[Line]:
    """By polling alone."""
    with a_line(request.param, webhooks=False, often=True) as made:
        yield made


@pytest.fixture(scope="module", params=HELPDESKS)
def both(request: pytest.FixtureRequest) -> Iterator[Line]:
    """By webhooks, with polling for what they lose."""
    with a_line(request.param, webhooks=True, often=True) as made:
        yield made


def test_an_escalated_ticket_gets_one_issue_that_calls_nobody_and_is_linked_by_a_private_note(line: Line) -> None:
    ticket_id, issue = line.escalated("The sum is wrong @dev", "Since yesterday, see #1 and `@dev`.")
    assert "The sum is wrong" in issue.texts["summary"]
    assert "Since yesterday" in issue.texts["description"]
    line.quiet()
    (link,) = line.notes(issue, public=False)
    assert line.support.url in link
    assert sum(f"#{issue.id}" in c.text for c in line.comments(ticket_id) if not c.visibility.is_public) == 1
    assert line.dev.store.notified == []
    assert line.issue_of(ticket_id) is issue


def test_words_cross_publicly_both_ways_once_and_private_notes_stay_home(line: Line) -> None:
    ticket_id, issue = line.escalated("It crashes")
    line.agent.say(ticket_id, "secret of the agents", public=False)
    line.engineer.say(str(issue.id), "secret of the engineers", public=False)
    line.engineer.say(str(issue.id), "Reproduced, zażółć.", public=True)
    eventually(lambda: line.replied(ticket_id, "zażółć"))
    line.customer.say(ticket_id, "Thank you & <b>good luck</b> @dev", public=True)
    eventually(lambda: any("good luck" in note for note in line.notes(issue, public=True)))
    line.quiet()
    assert line.replied(ticket_id, "zażółć") == 1
    assert sum("good luck" in note for note in line.notes(issue, public=True)) == 1
    assert not any("secret of the agents" in note.text for note in issue.notes)
    assert not any("secret of the engineers" in c.text for c in line.comments(ticket_id))
    assert not any("[ref" in c.text for c in line.comments(ticket_id))
    assert line.dev.store.notified == []


def test_title_priority_and_labels_travel_both_ways_and_come_to_rest(line: Line) -> None:
    ticket_id, issue = line.escalated("It is slow")
    line.agent.rename(ticket_id, 'A "better" title')
    eventually(lambda: issue.texts["summary"] == 'A "better" title')
    line.agent.prioritise(ticket_id, "urgent")
    eventually(lambda: issue.numbers["priority"] == 50)
    line.engineer.prioritise(str(issue.id), "low")
    eventually(lambda: line.ticket(ticket_id).ticket.priority is Priority.LOW)
    line.dev.changes.add_tags(line.dev.store.user("dev"), issue, [{"name": "needs docs"}])
    eventually(lambda: any("needs" in label for label in line.ticket(ticket_id).ticket.labels))
    line.quiet()
    writes = line.dev.requests.count("PATCH")
    assert line.stage.run_command("sync", "--all").returncode == 0
    line.quiet()
    assert line.dev.requests.count("PATCH") == writes
    assert "escalate" in line.ticket(ticket_id).ticket.labels


def test_a_resolved_issue_solves_the_ticket_and_a_reopened_ticket_opens_the_issue_again(line: Line) -> None:
    ticket_id, issue = line.escalated("Fix it")
    line.engineer.say(str(issue.id), "Fixed.", public=True)
    line.engineer.resolve(str(issue.id))
    eventually(lambda: line.ticket(ticket_id).ticket.status is Status.SOLVED)
    assert line.replied(ticket_id, "Fixed.") == 1
    line.agent.reopen(ticket_id)
    eventually(lambda: issue.numbers["status"] < 80)
    assert issue.numbers["resolution"] == 30


def test_a_file_crosses_whole_in_both_directions(line: Line) -> None:
    ticket_id, issue = line.escalated("With a picture")
    line.customer.say(ticket_id, "see", public=True, files=[File("zrzut ąę (1).png", CONTENT, "image/png")])

    def files() -> list[bytes]:
        with line.dev.lock:
            return [f.content for f in (*issue.files, *(f for note in issue.notes for f in note.files))]

    eventually(lambda: CONTENT in files())
    line.engineer.say(str(issue.id), "this patch", public=True, files=[File("fix.patch", b"diff", "text/plain")])
    arrived = eventually(
        lambda: [f for c in line.comments(ticket_id) for f in c.attachments if f.name == "fix.patch"], "the patch"
    )
    with line.stage.connectors["support"].download(arrived[0]) as chunks:
        assert b"".join(chunks) == b"diff"
    line.quiet()
    assert files().count(CONTENT) == 1


def test_a_deleted_issue_is_told_in_the_ticket_and_deletes_nothing(line: Line) -> None:
    ticket_id, issue = line.escalated("To be deleted")
    line.dev.changes.delete(line.dev.store.user("mgr"), issue)
    eventually(lambda: any("deleted" in c.text for c in line.comments(ticket_id) if not c.visibility.is_public))
    assert not line.ticket(ticket_id).is_deleted


def test_without_any_webhook_polling_keeps_both_sides_in_step(polled: Line) -> None:
    ticket_id, issue = polled.escalated("Polled only")
    polled.engineer.say(str(issue.id), "Seen by polling.", public=True)
    eventually(lambda: polled.replied(ticket_id, "Seen by polling"))
    polled.customer.say(ticket_id, "So is this.", public=True)
    eventually(lambda: any("So is this" in note for note in polled.notes(issue, public=True)))
    polled.engineer.prioritise(str(issue.id), "high")
    eventually(lambda: polled.ticket(ticket_id).ticket.priority is Priority.HIGH)
    polled.engineer.resolve(str(issue.id))
    eventually(lambda: polled.ticket(ticket_id).ticket.status.is_done)
    assert polled.replied(ticket_id, "Seen by polling") == 1
    assert sum("So is this" in note for note in polled.notes(issue, public=True)) == 1


def test_issues_that_are_in_no_link_are_polled_and_never_read(polled: Line) -> None:
    made = [polled.engineer.open_ticket(f"Nobody's {number}", "It is only an issue.") for number in range(5)]
    looks = polled.looks()
    eventually(lambda: polled.looks() >= looks + 3)
    assert polled.dev.requests.count("GET", rf"/issues/({'|'.join(made)})$") == 0


def test_a_webhook_that_was_lost_is_found_by_polling(both: Line) -> None:
    ticket_id, issue = both.escalated("Lost on the way")
    assert both.dev.webhooks.wait_idle()
    both.dev.webhooks.drop_next(5)
    both.engineer.say(str(issue.id), "Nobody told the hub.", public=True)
    eventually(lambda: both.replied(ticket_id, "Nobody told the hub"))


def test_what_no_webhook_tells_of_is_found_by_polling(both: Line) -> None:
    """MantisBT's API signals no change of a field, so that another program's change tells nobody."""
    ticket_id, issue = both.escalated("Changed by a program")
    headers = {"Authorization": both.dev.people()["mgr"]["api_token"]}
    told = len(both.dev.webhooks.sent)
    body = {"summary": "Changed over the API"}
    assert httpx.patch(f"{both.dev.url}/api/rest/issues/{issue.id}", headers=headers, json=body).status_code == 200
    eventually(lambda: both.ticket(ticket_id).ticket.title == "Changed over the API")
    assert len(both.dev.webhooks.sent) == told


def test_while_nothing_happens_polling_makes_one_call_a_look_and_reads_no_issue(both: Line) -> None:
    ticket_id, _ = both.escalated("Nothing happens")
    both.stage.run_command("sync", f"support:{ticket_id}")
    # A change of the last seconds is looked at once more.
    settled = both.looks() + 5
    eventually(lambda: both.looks() > settled)
    reads, looks, calls = both.reads(), both.looks(), len(both.dev.requests)
    eventually(lambda: both.looks() >= looks + 3)
    assert both.reads() == reads
    assert len(both.dev.requests) - calls <= both.looks() - looks + 1
