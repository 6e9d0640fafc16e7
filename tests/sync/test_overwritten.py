"""A person's change that the hub wrote over, because it was made between the hub's reading and its writing."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest

from hub.connector import Hint, Known, TemporaryError
from hub.engine.inbox import JournalInbox
from hub.journal import events
from hub.testing.model import HUB_ACCOUNT
from hub.testing.world import World
from hub.ticket import Priority, Snapshot, Status, TicketRef, Value
from tests.rules.worlds import LINES
from tests.sync.test_pains import linked, open_failures

NUMBERS = itertools.count(1)


class Race:
    """A hub that writes "high" over an engineer's "low", in a tracker without an optimistic lock."""

    def __init__(self, conflict: str = "newest", **policy: Any) -> None:
        self.world = World(policy={"fields": {"priority": {"direction": "both", "conflict": conflict, **policy}}})
        self.ticket_id, self.issue_id = linked(self.world, priority="normal")
        self.changed_at: list[datetime] = []

    def run(self) -> None:
        """The agent's change travels, and meets the engineer's on its way; nothing tells the hub yet."""
        self.meet()
        assert self.priorities() == ("high", "high")

    def meet(self) -> None:
        self.world.connectors["dev"].before_call = self._act
        self.world.support.edit(self.ticket_id, priority="high")
        self.world.deliver_all()
        self.world.run_due()

    def _act(self, call: str) -> None:
        if call == "update" and not self.changed_at:
            self.world.dev.edit(self.issue_id, priority="low")
            self.changed_at.append(self.world.dev.tickets[self.issue_id].updated)
            # Its webhook is late.
            self.world.pending.remove(f"dev:{self.issue_id}")

    def tell(
        self,
        before: Value = Priority.NORMAL,
        after: Value = Priority.LOW,
        *,
        at: datetime | None = None,
        field: str = "priority",
        actor: str = "engineer",
    ) -> None:
        """The late webhook."""
        hint = Hint(
            ticket_id=self.issue_id, event="updated", at=at or self.changed_at[0], actor_id=actor,
            changed={field: (before, after)},
        )  # fmt: skip
        JournalInbox(self.world.journal, lambda: None).store(
            tracker="dev", delivery_key=f"late-{next(NUMBERS)}", received=self.world.clock(), headers={}, body=b"",
            hints=[hint], ignored=None,
        )  # fmt: skip
        self.world.run_due()

    def tell_all(self, *changes: tuple[datetime, Value, Value]) -> None:
        """One late webhook that tells several changes."""
        hints = [
            Hint(ticket_id=self.issue_id, event="updated", at=at, actor_id="engineer",
                 changed={"priority": (before, after)})
            for at, before, after in changes
        ]  # fmt: skip
        JournalInbox(self.world.journal, lambda: None).store(
            tracker="dev", delivery_key=f"late-{next(NUMBERS)}", received=self.world.clock(), headers={}, body=b"",
            hints=hints, ignored=None,
        )  # fmt: skip
        self.world.run_due()
        self.world.settle()

    def priorities(self) -> tuple[object, object]:
        world = self.world
        return world.support.tickets[self.ticket_id].priority, world.dev.tickets[self.issue_id].priority

    def told(self, kind: str) -> list[Any]:
        with self.world.journal.read() as connection:
            entries = events.timeline(connection, TicketRef("dev", self.issue_id), [1])
        return [entry.data for entry in entries if entry.what == kind]


@pytest.mark.parametrize(
    ("conflict", "left"), [("newest", ("low", "low")), ("issue", ("low", "low")), ("tickets", ("high", "high"))]
)
def test_what_the_hub_wrote_over_counts_by_the_policy_and_stands_in_the_record(
    conflict: str, left: tuple[str, str]
) -> None:
    race = Race(conflict)
    race.run()
    race.tell()
    race.world.settle()
    assert race.priorities() == left
    (entry,) = race.told("overwritten")
    assert (entry["field"], entry["lost"], entry["wrote"], entry["by"]) == ("priority", "low", "high", "engineer")
    assert [(c["kept"], c["lost"]) for c in race.told("conflict")] == ([("high", "low")] if left[0] == "high" else [])
    writes = race.world.writes()
    race.world.wake(f"dev:{race.issue_id}")
    race.world.settle()
    assert race.world.writes() == writes


def test_a_webhook_that_comes_twice_puts_back_once() -> None:
    race = Race()
    race.run()
    race.tell()
    race.world.support.edit(race.ticket_id, priority="urgent")
    race.world.settle()
    race.tell()
    race.world.settle()
    assert race.priorities() == ("urgent", "urgent")
    assert len(race.told("overwritten")) == 1


def test_of_several_changes_the_last_is_put_back() -> None:
    race = Race()
    race.run()
    race.tell(Priority.LOW, Priority.URGENT, at=race.changed_at[0] + timedelta(seconds=1))
    assert race.priorities() == ("high", "high")
    at = race.changed_at[0]
    race.tell_all((at + timedelta(seconds=1), Priority.LOW, Priority.URGENT), (at, Priority.NORMAL, Priority.LOW))
    assert race.priorities() == ("urgent", "urgent")


def test_a_later_change_of_a_person_counts_more_than_one_that_was_written_over() -> None:
    race = Race()
    race.run()
    race.world.dev.edit(race.issue_id, priority="urgent")
    race.tell()
    race.world.settle()
    assert race.priorities() == ("urgent", "urgent")


@pytest.mark.parametrize(("conflict", "left"), [("newest", ("low", "low")), ("tickets", ("high", "high"))])
def test_a_tracker_whose_answer_says_what_was_replaced_needs_no_webhook(conflict: str, left: tuple[str, str]) -> None:
    race = Race(conflict)
    race.world.connectors["dev"].tells_replaced = True
    race.meet()
    assert race.priorities() == left
    assert len(race.told("overwritten")) == 1
    race.world.settle()
    assert race.priorities() == left
    assert len(race.told("overwritten")) == 1


def test_without_a_webhook_a_poll_finds_it_in_the_history_and_looks_for_it_once() -> None:
    race = Race()
    dev = race.world.connectors["dev"]
    dev.tells_history = True
    race.world.poll_all()
    race.run()
    race.world.pending.clear()
    asked: list[bool] = []
    read = dev.read

    def watched(ticket_id: str, known: Known) -> Snapshot:
        asked.append(known.history_since is not None)
        return read(ticket_id, known)

    dev.read = watched  # type: ignore[method-assign]  # looked at on its way
    race.world.poll_all()
    race.world.settle()
    assert race.priorities() == ("low", "low")
    assert len(race.told("overwritten")) == 1
    for _ in range(3):
        race.world.dev.touch(race.issue_id, "person")
        race.world.poll_all()
        race.world.run_due()
    assert asked[-2:] == [False, False]


@pytest.mark.parametrize(
    ("before", "after", "seconds", "actor"),
    [
        (Priority.URGENT, Priority.LOW, 0, "engineer"),
        (Priority.NORMAL, Priority.HIGH, 0, "engineer"),
        (Priority.NORMAL, Priority.LOW, -60, "engineer"),
        (Priority.NORMAL, Priority.LOW, 600, "engineer"),
        (Priority.NORMAL, Priority.LOW, 0, HUB_ACCOUNT),
    ],
    ids=["began elsewhere", "led to the same", "was over before the reading", "came after the writing", "its own"],
)
def test_what_was_not_written_over_changes_nothing(before: Priority, after: Priority, seconds: int, actor: str) -> None:
    race = Race()
    race.run()
    race.tell(before, after, at=race.changed_at[0] + timedelta(seconds=seconds), actor=actor)
    race.world.settle()
    assert race.priorities() == ("high", "high")
    assert race.told("overwritten") == []


def test_one_side_that_only_receives_gets_nothing_put_back_and_the_record_says_what_was_lost() -> None:
    race = Race(direction="to_issue")
    race.run()
    race.tell()
    race.world.settle()
    assert race.priorities() == ("high", "high")
    assert len(race.told("overwritten")) == 1


@pytest.mark.parametrize("tracker", ["support", "dev"])
def test_what_is_to_be_put_back_waits_for_a_tracker_that_is_down(tracker: str) -> None:
    race = Race()
    race.run()
    left = [2]

    def fail(call: str) -> None:
        if call == "update" and left[0]:
            left[0] -= 1
            raise TemporaryError(tracker, call, "no answer in time")

    race.world.connectors[tracker].before_call = fail
    race.tell()
    race.world.settle()
    assert race.priorities() == ("low", "low")
    assert left == [0]
    assert open_failures(race.world) == []


def test_a_status_behind_transitions_is_put_back_as_well() -> None:
    world = World(policy={"fields": {"status": {"direction": "both", "conflict": "newest"}}})
    ticket_id, issue_id = linked(world)
    acted: list[datetime] = []

    def act(call: str) -> None:
        if call == "transition" and not acted:
            world.dev.edit(issue_id, status="hold")
            acted.append(world.dev.tickets[issue_id].updated)

    before = world.connectors["dev"].read(issue_id, Known()).ticket.status
    world.connectors["dev"].before_call = act
    world.support.edit(ticket_id, status="solved")
    world.deliver_all()
    world.run_due()
    hint = Hint(
        ticket_id=issue_id, event="updated", at=acted[0], actor_id="e", changed={"status": (before, Status.ON_HOLD)}
    )
    JournalInbox(world.journal, lambda: None).store(
        tracker="dev", delivery_key="late", received=world.clock(), headers={}, body=b"", hints=[hint], ignored=None
    )
    world.settle()
    assert world.dev.tickets[issue_id].status == "hold"
    assert world.support.tickets[ticket_id].status == "hold"


@pytest.mark.parametrize(
    "steps",
    [
        [(Priority.NORMAL, Priority.NORMAL)],
        [(Priority.NORMAL, Priority.UNKNOWN)],
        [(Priority.NORMAL, Priority.LOW), (Priority.LOW, Priority.NORMAL)],
        [(Priority.HIGH, Priority.NORMAL), (Priority.NORMAL, Priority.LOW), (Priority.LOW, Priority.HIGH)],
    ],
    ids=[
        "another word of the same meaning",
        "a word without a meaning",
        "there and back",
        "after the writing, and back",
    ],
)
def test_steps_that_lead_nowhere_lose_nothing(steps: list[tuple[Priority, Priority]]) -> None:
    race = Race()
    race.run()
    race.tell_all(*((race.changed_at[0] + timedelta(seconds=0.1 * n), *step) for n, step in enumerate(steps)))
    assert race.priorities() == ("high", "high")
    assert race.told("overwritten") == []


def test_a_newer_word_that_has_no_meaning_is_not_written_over() -> None:
    race = Race()
    race.run()
    race.world.dev.edit(race.issue_id, priority="Blocker")
    race.world.deliver_all()
    race.world.run_due()
    race.tell()
    race.world.settle()
    assert race.world.dev.tickets[race.issue_id].priority == "Blocker"


def test_what_a_webhook_tells_of_another_ticket_is_not_this_ones() -> None:
    race = Race()
    race.run()
    hints = [
        Hint(ticket_id=race.issue_id, event="updated", at=race.changed_at[0], actor_id="engineer"),
        Hint(
            ticket_id="999",
            event="updated",
            at=race.changed_at[0],
            actor_id="engineer",
            changed={"priority": (Priority.NORMAL, Priority.LOW)},
        ),
    ]
    JournalInbox(race.world.journal, lambda: None).store(
        tracker="dev", delivery_key="two", received=race.world.clock(), headers={}, body=b"", hints=hints, ignored=None
    )
    race.world.settle()
    assert race.priorities() == ("high", "high")


@pytest.mark.parametrize("tells_replaced", [False, True])
def test_what_the_hub_wrote_before_in_the_same_run_is_nobody_elses(tells_replaced: bool) -> None:
    """A rule answers the agent's change; the issue is written twice within one run."""
    rule = {
        "name": "up",
        "when": {"priority": "high", "label": "vip"},
        "then": {"set": {"priority": "urgent"}, "remove_labels": ["vip"]},
    }
    policy = {"fields": {"priority": {"direction": "both", "conflict": "newest"}}}
    world = World(policy=policy, rules={"lines": LINES, "rules": [rule]})
    world.connectors["dev"].tells_replaced = tells_replaced
    ticket_id, issue_id = linked(world, priority="normal")
    world.support.edit(ticket_id, priority="high", labels=frozenset({"escalate", "vip"}))
    world.settle()
    assert (world.support.tickets[ticket_id].priority, world.dev.tickets[issue_id].priority) == ("urgent", "urgent")
    with world.journal.read() as connection:
        kinds = {entry.what for entry in events.timeline(connection, TicketRef("dev", issue_id), [1])}
    assert not kinds & {"overwritten", "conflict"}
