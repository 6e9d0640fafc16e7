"""Worlds with a rule book, and what can be asked of them; for tests."""

from __future__ import annotations

from typing import Any

from hub.journal import cases, events, failures
from hub.journal.cases import CaseRow, Order
from hub.journal.failures import Failure
from hub.testing.world import World
from hub.ticket import TicketRef, Visibility

LINES = {
    1: {"name": "First"},
    2: {"name": "Experts", "takes": {"label": "vip"}},
    3: {"name": "Engineers", "issues": "support-dev"},
}
SLA: dict[str, Any] = {
    "agreements": {
        "gold": {
            "kind": "SLA",
            "targets": {"resolution": {"urgent": "2h", "any": "4h"}},
            "warnings": {50: {"note": "Half of the time is used up."}},
            "on_breach": {"raise_priority": 1, "notify": [{"to": "oncall", "text": "{{ ticket.key }} is late"}]},
        }
    },
    "notifiers": {"oncall": {"url": "json://nowhere"}},
}


def a_world(**rules: Any) -> World:
    return World(rules={"lines": LINES, **rules})


def texts(world: World, ticket_id: str, visibility: Visibility | None = None, tracker: str = "support") -> list[str]:
    comments = world.trackers[tracker].tickets[ticket_id].comments
    return [c.text for c in comments if visibility in (None, c.visibility)]


def fired(world: World, ticket_id: str, tracker: str = "support") -> list[str]:
    with world.journal.read() as connection:
        timeline = events.timeline(connection, TicketRef(tracker, ticket_id), [])
    return [entry.data["rule"] for entry in timeline if entry.what == "rule"]


def orders_of(world: World, ticket_id: str, tracker: str = "support") -> list[tuple[Order, str, str]]:
    with world.journal.read() as connection:
        return cases.orders_of(connection, TicketRef(tracker, ticket_id))


def case_of(world: World, ticket_id: str, tracker: str = "support") -> CaseRow:
    with world.journal.read() as connection:
        found = cases.case_of(connection, TicketRef(tracker, ticket_id))
    assert found is not None
    return found


def waiting_failures(world: World) -> list[Failure]:
    with world.journal.read() as connection:
        return failures.unresolved_failures(connection)
