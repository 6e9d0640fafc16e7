"""Threads that race for one ticket: what rules want is done once, and a ticket goes to one person."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.engine import EmbeddedEngine
from hub.sync.context import utc_now
from hub.testing.world import World
from tests.rules.worlds import fired, texts

RULES = {
    "lines": {1: {"name": "First", "people": ["ada", "bob", "cyd"], "assign": True}},
    "people": {"ada": {"support": "10"}, "bob": {"support": "11"}, "cyd": {"support": "12"}},
    "rules": [{"name": "outage", "when": {"title": "*outage*"}, "then": {"note": "Call them."}}],
    "agreements": {"slow": {"kind": "SLA", "targets": {"resolution": "0m"}, "on_breach": {"note": "Late."}}},
}
PATIENCE = 20.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(rules=RULES, journal_url=f"sqlite:///{tmp_path}/hub.sqlite3")
    made.context.now = utc_now
    # The first look sets since when there are rules; tickets of the model are opened by its own clock.
    made.context.rules_since()
    made.clock.time = utc_now() + timedelta(seconds=1)
    made.support.on_change = lambda ticket_id, actor: None
    yield made
    made.journal.close()


def test_many_wakes_of_one_ticket_from_many_threads_do_everything_once(world: World) -> None:
    ticket_id = world.support.open_ticket(title="An outage")
    key = f"support:{ticket_id}"
    world.support.tickets[ticket_id].created = utc_now()
    assigned: list[object] = []
    update = world.connectors["support"].update

    def noting(ticket: str, changes: object, basis: object) -> object:
        assigned.extend(v for n, v in changes.values.items() if n == "assignee")  # type: ignore[attr-defined]
        return update(ticket, changes, basis)  # type: ignore[arg-type]

    world.connectors["support"].update = noting  # type: ignore[assignment,method-assign]
    engine = EmbeddedEngine(world.context)
    engine.start()

    def wake() -> None:
        for _ in range(10):
            engine.wake(key, utc_now(), "asked for")

    racing = [threading.Thread(target=wake) for _ in range(4)]
    for thread in racing:
        thread.start()
    for thread in racing:
        thread.join()
    assert engine.wait_idle(PATIENCE)
    engine.stop(PATIENCE)
    assert sorted(texts(world, ticket_id)) == ["Call them.", "Late."]
    assert sorted(fired(world, ticket_id)) == ["clock slow.resolution 100 %", "outage"]
    assert len(assigned) == 1


def test_many_tickets_at_once_each_go_to_one_person(world: World) -> None:
    ids = [world.support.open_ticket(title=f"An outage {number}") for number in range(12)]
    engine = EmbeddedEngine(world.context)
    for ticket_id in ids:
        engine.wake(f"support:{ticket_id}", utc_now(), "asked for")
    engine.start()
    assert engine.wait_idle(PATIENCE)
    engine.stop(PATIENCE)
    assert {a.id for t in ids if (a := world.support.tickets[t].assignee)} <= {"10", "11", "12"}
    assert all(world.support.tickets[ticket_id].assignee for ticket_id in ids)
    assert all(texts(world, ticket_id).count("Call them.") == 1 for ticket_id in ids)
