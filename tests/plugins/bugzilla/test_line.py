"""The straight line of the pair Freshdesk and Bugzilla, with real processes and sockets.

Upstream sends no webhooks, so polling alone keeps the pair in step; at Mozilla webhooks do, and polling finds what
they lost.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.demo.stage import Stage, open_stage
from hub.sandbox.cast import File
from hub.ticket import Priority, Snapshot, Status
from plugins.bugzilla.sandbox import BugzillaSandbox
from plugins.bugzilla.sandbox.state import Bug
from tests.e2e.conftest import eventually


class Line:
    """A stage with a helpdesk and a Bugzilla."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        dev = stage.sandboxes["dev"]
        assert isinstance(dev, BugzillaSandbox)
        self.dev = dev
        self.customer, self.agent = stage.actor("support", "customer"), stage.actor("support", "agent")
        self.engineer = stage.actor("dev", "engineer")

    def bug_of(self, ticket_id: str) -> Bug | None:
        with self.dev.lock:
            marks = {alias: bug for bug in self.dev.store.bugs.values() for alias in bug.alias}
        return next((bug for alias, bug in marks.items() if alias.startswith(f"support-{ticket_id}-")), None)

    def escalated(self, title: str = "The sum is wrong") -> tuple[str, Bug]:
        """A ticket with its bug, linked both ways."""
        ticket_id = self.customer.open_ticket(title, "Since yesterday.")
        self.agent.start(ticket_id)
        self.agent.escalate(ticket_id)
        bug = eventually(lambda: self.bug_of(ticket_id), "a bug")
        assert bug is not None
        eventually(lambda: any("show_bug.cgi" in text for text in self.notes(ticket_id)), "the note about the bug")
        eventually(lambda: bug.see_also or bug.values["url"], "the link in the bug")
        return ticket_id, bug

    def ticket(self, ticket_id: str) -> Snapshot:
        return self.stage.snapshot("support", ticket_id)

    def notes(self, ticket_id: str) -> list[str]:
        return [str(c.text) for c in self.ticket(ticket_id).comments or () if not c.visibility.is_public]

    def replies(self, ticket_id: str) -> list[str]:
        return [str(c.text) for c in self.ticket(ticket_id).comments or () if c.visibility.is_public]

    def texts(self, bug: Bug) -> list[str]:
        with self.dev.lock:
            return [comment.text for comment in bug.comments]


@pytest.fixture(scope="module", params=["5.2", "5.3", "bmo"])
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    with open_stage({"support": "freshdesk", "dev": "bugzilla"}, flavour=request.param) as stage:
        yield Line(stage)


def test_an_escalated_ticket_gets_one_bug_and_each_names_the_other(line: Line) -> None:
    ticket_id, bug = line.escalated()
    assert (bug.values["summary"], bug.comments[0].text) == ("The sum is wrong", "Since yesterday.")
    shown = bug.see_also if line.dev.flavour == "bmo" else [bug.values["url"]]
    assert [url.partition("://")[2].partition("/")[2] for url in shown] == [f"a/tickets/{ticket_id}"]
    assert len(bug.comments) == 1


def test_answers_and_files_cross_both_ways_once(line: Line) -> None:
    ticket_id, bug = line.escalated()
    line.engineer.say(str(bug.id), "Which sum is shown?", public=True)
    eventually(lambda: any("Which sum" in text for text in line.replies(ticket_id)), "the question")
    line.customer.say(ticket_id, "It shows 13.", public=True, files=[File("log ąę.txt", b"13", "text/plain")])
    eventually(lambda: any("It shows 13" in text for text in line.texts(bug)), "the answer")
    line.engineer.say(str(bug.id), "A patch.", public=True, files=[File("fix.patch", b"--- a\n", "text/plain")])
    eventually(lambda: any("A patch" in text for text in line.replies(ticket_id)), "the patch")
    eventually(lambda: [f.name for f in bug.files] == ["log ąę.txt", "fix.patch"], "both files")
    assert sum("Which sum" in text for text in line.texts(bug)) == 1
    assert sum("It shows 13" in text for text in line.texts(bug)) == 1
    assert not any("[ref:" in text for text in line.replies(ticket_id))


def test_what_is_private_stays_on_its_side(line: Line) -> None:
    ticket_id, bug = line.escalated()
    line.agent.say(ticket_id, "secret of the agents", public=False)
    line.engineer.say(str(bug.id), "secret of the engineers", public=False)
    line.engineer.say(str(bug.id), "a public word", public=True)
    eventually(lambda: any("a public word" in text for text in line.replies(ticket_id)), "the public word")
    assert not any("secret of the agents" in text for text in line.texts(bug))
    assert not any("secret of the engineers" in text for text in (*line.replies(ticket_id), *line.notes(ticket_id)))


def test_fields_and_statuses_travel_both_ways(line: Line) -> None:
    ticket_id, bug = line.escalated()
    line.agent.rename(ticket_id, "The sum is 13")
    eventually(lambda: bug.values["summary"] == "The sum is 13", "the new title")
    line.engineer.prioritise(str(bug.id), "low")
    eventually(lambda: line.ticket(ticket_id).ticket.priority is Priority.LOW, "the priority")
    line.engineer.start(str(bug.id))
    line.engineer.resolve(str(bug.id))
    eventually(lambda: line.ticket(ticket_id).ticket.status is Status.SOLVED, "the solution")
    line.agent.reopen(ticket_id)
    eventually(lambda: line.dev.store.is_open(bug.values["status"]), "the bug open again")
    assert bug.values["resolution"] == ""


def test_a_lost_webhook_is_found_by_polling() -> None:
    settings = {"dev": {"poll": {"every": 2}}}
    with open_stage(
        {"support": "freshdesk", "dev": "bugzilla"}, flavour="bmo", tracker_settings=settings
    ) as stage:  # fmt: skip
        line = Line(stage)
        ticket_id, bug = line.escalated()
        line.dev.webhooks.drop_next(1)
        line.engineer.say(str(bug.id), "Nobody was told of this.", public=True)
        eventually(lambda: any("Nobody was told" in text for text in line.replies(ticket_id)), "the lost word")
        assert sum("Nobody was told" in text for text in line.replies(ticket_id)) == 1


def test_polling_alone_keeps_the_pair_in_step_at_mozilla_too() -> None:
    with open_stage({"support": "freshdesk", "dev": "bugzilla"}, flavour="bmo", with_webhooks=False) as stage:
        line = Line(stage)
        ticket_id, bug = line.escalated()
        line.engineer.say(str(bug.id), "Which sum?", public=True)
        eventually(lambda: any("Which sum" in text for text in line.replies(ticket_id)), "the question")
        line.engineer.resolve(str(bug.id))
        eventually(lambda: line.ticket(ticket_id).ticket.status is Status.SOLVED, "the solution")


def test_a_webhook_about_the_hubs_own_write_causes_no_call(line: Line) -> None:
    if line.dev.flavour != "bmo":
        assert line.dev.webhooks.sent == ()
        return
    ticket_id, bug = line.escalated()
    line.agent.rename(ticket_id, "Told by nobody else")
    eventually(lambda: bug.values["summary"] == "Told by nobody else", "the new title")
    assert line.dev.webhooks.wait_idle(10)
    reads = sum(r.path == f"/rest/bug/{bug.id}" and r.method == "GET" for r in line.dev.requests.all())
    line.agent.rename(ticket_id, "And once more")
    eventually(lambda: bug.values["summary"] == "And once more", "the newer title")
    assert line.dev.webhooks.wait_idle(10)
    after = sum(r.path == f"/rest/bug/{bug.id}" and r.method == "GET" for r in line.dev.requests.all())
    assert after - reads <= 1
