"""Several helpdesks on one issue, and a bug tracker with a bug tracker: real processes over real sockets."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from hub.demo.stage import Stage, open_stage
from hub.sandbox.cast import File
from hub.ticket import Priority, Snapshot
from tests.e2e.conftest import PATIENCE, eventually

QUIET_FOR = 0.5


class Group:
    """Trackers with a hub between them; `tickets` by tracker name are kept in step with `issue_id` in `dev`."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.tickets: dict[str, str] = {}
        self.issue_id = ""

    def open(self, *names: str, title: str = "The sum is wrong") -> Group:
        """A customer of each tracker has the problem; the first one's ticket is escalated, the others are linked."""
        self.tickets, first = {}, names[0]
        for name in names:
            ticket_id = self.stage.actor(name, "customer").open_ticket(title, f"Seen at {name}.")
            self.stage.actor(name, "agent").start(ticket_id)
            self.tickets[name] = ticket_id
        self.stage.actor(first, "expert").escalate(self.tickets[first])
        self.issue_id = eventually(self._issue, "an issue")
        for name in names[1:]:
            self.command("link", f"{name}:{self.tickets[name]}", f"dev:{self.issue_id}")
        self.quiet()
        return self

    def see(self, name: str) -> Snapshot:
        return self.stage.snapshot(name, self.issue_id if name == "dev" else self.tickets[name])

    def said(self, name: str, words: str) -> int:
        return sum(words in comment.text for comment in self.see(name).comments or ())

    def files(self, name: str) -> list[str]:
        snapshot = self.see(name)
        found = [*snapshot.attachments, *(a for c in snapshot.comments or () for a in c.attachments)]
        # Some trackers show a file both with the ticket and with the comment that names it.
        return list({a.id: a.name for a in found}.values())

    def command(self, *arguments: str) -> str:
        done = self.stage.run_command(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def quiet(self) -> None:
        """Until every webhook is delivered and nobody calls any more."""
        pause, deadline = threading.Event(), time.monotonic() + 2 * PATIENCE
        while time.monotonic() < deadline:
            before = [len(s.requests) for s in self.stage.sandboxes.values()]
            pause.wait(QUIET_FOR)
            is_idle = all(s.webhooks.idle() for s in self.stage.sandboxes.values())
            if is_idle and before == [len(s.requests) for s in self.stage.sandboxes.values()]:
                return
        raise AssertionError("the hub does not come to rest")

    def _issue(self) -> str:
        """The id of the issue that the hub made for the first ticket, as its record tells it."""
        name, ticket_id = next(iter(self.tickets.items()))
        explained = self.stage.run_command("explain", f"{name}:{ticket_id}", "--json").stdout
        for entry in map(json.loads, explained.splitlines()):
            if entry["what"] == "intent" and entry["data"]["kind"] == "CreateTicket":
                return str((entry["data"]["receipt"] or {}).get("id", ""))
        return ""


def each(names: list[str], look: Callable[[str], object]) -> Callable[[], bool]:
    return lambda: all(look(name) for name in names)


@pytest.fixture(scope="module")
def many() -> Iterator[Group]:
    """Three helpdesks of different kinds on one bug tracker."""
    with open_stage({"support": "freshdesk", "partner": "zendesk", "partner2": "otrs", "dev": "jira"}) as stage:
        yield Group(stage)


@pytest.fixture(scope="module")
def trackers() -> Iterator[Group]:
    """GitLab's issues are the tickets of Jira's."""
    with open_stage({"support": "gitlab", "dev": "jira"}) as stage:
        yield Group(stage)


HELPDESKS = ["support", "partner", "partner2"]

# -- several helpdesks on one issue -------------------------------------------------------------------------------


def test_an_engineers_answer_reaches_every_customer_once_and_no_customer_reads_another(many: Group) -> None:
    many.open(*HELPDESKS)
    many.stage.actor("dev", "engineer").say(many.issue_id, "It is the rounding.", public=True)
    for name in HELPDESKS:
        many.stage.actor(name, "customer").say(many.tickets[name], f"A secret of {name}.", public=True)
    eventually(each(HELPDESKS, lambda name: many.said(name, "the rounding") == 1))
    eventually(each(HELPDESKS, lambda name: many.said("dev", f"secret of {name}.") == 1))
    many.quiet()
    for name in HELPDESKS:
        assert many.said(name, "the rounding") == 1
        assert [other for other in HELPDESKS if many.said(other, f"secret of {name}.")] == [name]


def test_private_notes_of_each_helpdesk_stay_there(many: Group) -> None:
    many.open(*HELPDESKS)
    for name in HELPDESKS:
        many.stage.actor(name, "agent").say(many.tickets[name], f"note of {name}.", public=False)
    many.stage.actor("partner2", "agent").say(many.tickets["partner2"], "a public word", public=True)
    eventually(lambda: many.said("dev", "a public word") == 1)
    many.quiet()
    for name in HELPDESKS:
        assert [place for place in [*HELPDESKS, "dev"] if many.said(place, f"note of {name}.")] == [name]


def test_a_file_of_one_customer_reaches_the_issue_and_no_other_customer(many: Group) -> None:
    many.open(*HELPDESKS)
    log = File("log.txt", b"line 1\n", "text/plain")
    many.stage.actor("partner", "customer").say(many.tickets["partner"], "my log", public=True, files=[log])
    eventually(lambda: many.files("dev") == ["log.txt"])
    many.stage.actor("dev", "engineer").say(many.issue_id, "a patch", public=True, files=[File("fix.patch", b"+")])
    eventually(each(HELPDESKS, lambda name: many.said(name, "a patch") == 1))
    many.quiet()
    assert "log.txt" not in [*many.files("support"), *many.files("partner2")]


def test_the_highest_priority_of_all_tickets_counts(many: Group) -> None:
    many.open(*HELPDESKS)
    many.stage.actor("partner", "agent").prioritise(many.tickets["partner"], "high")
    eventually(lambda: many.see("dev").ticket.priority is Priority.HIGH)
    many.stage.actor("partner2", "agent").prioritise(many.tickets["partner2"], "urgent")
    eventually(lambda: many.see("dev").ticket.priority is Priority.URGENT)
    many.quiet()
    shown = {name: many.see(name).ticket.priority for name in HELPDESKS}
    many.command("sync", "--all")
    many.quiet()
    assert {name: many.see(name).ticket.priority for name in HELPDESKS} == shown
    assert many.see("dev").ticket.priority is Priority.URGENT


def test_a_solved_issue_solves_every_ticket_and_the_hub_then_rests(many: Group) -> None:
    many.open(*HELPDESKS)
    engineer = many.stage.actor("dev", "engineer")
    engineer.start(many.issue_id)
    engineer.resolve(many.issue_id)
    eventually(each(HELPDESKS, lambda name: many.see(name).ticket.status.is_done))
    many.quiet()
    shown = {name: many.see(name).ticket.native["status"] for name in [*HELPDESKS, "dev"]}
    many.command("sync", "--all")
    many.quiet()
    assert {name: many.see(name).ticket.native["status"] for name in [*HELPDESKS, "dev"]} == shown
    assert many.stage.run_command("failures").returncode == 0


def test_one_solved_ticket_does_not_solve_the_issue_of_the_others(many: Group) -> None:
    many.open(*HELPDESKS)
    many.stage.actor("support", "agent").resolve(many.tickets["support"])
    many.quiet()
    assert not many.see("dev").ticket.status.is_done
    assert not many.see("partner").ticket.status.is_done
    assert many.see("support").ticket.status.is_done


def test_a_ticket_that_leaves_hears_no_more_and_the_others_go_on(many: Group) -> None:
    many.open(*HELPDESKS)
    many.command("unlink", f"partner:{many.tickets['partner']}")
    many.quiet()
    many.stage.actor("dev", "engineer").say(many.issue_id, "Only for those who stayed.", public=True)
    stayed = ["support", "partner2"]
    eventually(each(stayed, lambda name: many.said(name, "those who stayed") == 1))
    many.stage.actor("partner", "customer").say(many.tickets["partner"], "Am I still there?", public=True)
    many.quiet()
    assert many.said("partner", "those who stayed") == 0
    assert many.said("dev", "Am I still there") == 0


def test_a_helpdesk_that_is_down_holds_up_nobody_else_and_catches_up(many: Group) -> None:
    many.open(*HELPDESKS)
    port = int(many.stage.sandboxes["partner"].url.rpartition(":")[2])
    many.stage.sandboxes["partner"].stop()
    many.stage.actor("dev", "engineer").say(many.issue_id, "Said while one was down.", public=True)
    up = ["support", "partner2"]
    eventually(each(up, lambda name: many.said(name, "one was down") == 1))
    many.stage.sandboxes["partner"].start(port)
    eventually(lambda: many.said("partner", "one was down") == 1)
    many.quiet()
    assert all(many.said(name, "one was down") == 1 for name in HELPDESKS)


def test_a_hub_that_is_killed_between_helpdesks_doubles_nothing(many: Group) -> None:
    many.open(*HELPDESKS)
    gate = many.stage.sandboxes["partner"].faults.gate("PUT", f"/tickets/{many.tickets['partner']}", "after")
    many.stage.actor("dev", "engineer").say(many.issue_id, "Said before the crash.", public=True)
    assert gate.wait_reached(PATIENCE)
    many.stage.kill_hub()
    gate.release()
    port = int(many.stage.hub_url.rpartition(":")[2])
    many.stage.start_hub(port)
    eventually(each(HELPDESKS, lambda name: many.said(name, "before the crash") == 1))
    many.quiet()
    assert [many.said(name, "before the crash") for name in HELPDESKS] == [1, 1, 1]


# -- a bug tracker with a bug tracker -----------------------------------------------------------------------------


def test_an_issue_of_one_tracker_gets_one_in_the_other(trackers: Group) -> None:
    trackers.open("support", title="Crash on start")
    assert trackers.see("dev").ticket.title == "Crash on start"
    assert "Seen at support" in (trackers.see("dev").ticket.description or "")


def test_comments_cross_both_ways_once(trackers: Group) -> None:
    trackers.open("support")
    trackers.stage.actor("support", "agent").say(trackers.tickets["support"], "Seen on Linux.", public=True)
    eventually(lambda: trackers.said("dev", "Seen on Linux") == 1)
    trackers.stage.actor("dev", "engineer").say(trackers.issue_id, "Seen on *BSD* too.", public=True)
    eventually(lambda: trackers.said("support", "BSD") == 1)
    trackers.quiet()
    assert (trackers.said("dev", "Seen on"), trackers.said("support", "Seen on")) == (2, 2)


def test_private_comments_stay_on_both_sides(trackers: Group) -> None:
    trackers.open("support")
    trackers.stage.actor("support", "agent").say(trackers.tickets["support"], "secret here", public=False)
    trackers.stage.actor("dev", "engineer").say(trackers.issue_id, "secret there", public=False)
    trackers.stage.actor("dev", "engineer").say(trackers.issue_id, "for all", public=True)
    eventually(lambda: trackers.said("support", "for all") == 1)
    trackers.quiet()
    assert (trackers.said("dev", "secret here"), trackers.said("support", "secret there")) == (0, 0)


def test_status_priority_title_and_files_follow_in_both_directions(trackers: Group) -> None:
    trackers.open("support")
    here, there = trackers.stage.actor("support", "agent"), trackers.stage.actor("dev", "engineer")
    here.rename(trackers.tickets["support"], "Crash on every start")
    eventually(lambda: trackers.see("dev").ticket.title == "Crash on every start")
    there.prioritise(trackers.issue_id, "urgent")
    eventually(lambda: trackers.see("support").ticket.priority is Priority.URGENT)
    here.say(trackers.tickets["support"], "the dump", public=True, files=[File("core.bin", bytes(range(256)))])
    eventually(lambda: trackers.files("dev") == ["core.bin"])
    there.start(trackers.issue_id)
    there.resolve(trackers.issue_id)
    eventually(lambda: trackers.see("support").ticket.status.is_done)
    here.reopen(trackers.tickets["support"])
    eventually(lambda: not trackers.see("dev").ticket.status.is_done)
    trackers.quiet()
    assert not trackers.see("support").ticket.status.is_done
    assert trackers.stage.run_command("failures").returncode == 0
