"""Worlds with a rule book, and what can be asked of them; for tests."""

from __future__ import annotations

import itertools
from typing import Any

from hub.connector import Hint
from hub.engine.inbox import JournalInbox
from hub.journal import cases, events, failures
from hub.journal.cases import CaseRow, Order
from hub.journal.failures import Failure
from hub.testing.model import HUB_ACCOUNT, ModelTracker
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


class Webhooks:
    """Full webhooks as a good tracker sends them: who did it, and every value as it is then."""

    def __init__(self, world: World, name: str = "support") -> None:
        self._world, self._name = world, name
        self._tracker: ModelTracker = world.trackers[name]
        self._comments: dict[str, int] = {}
        self._numbers = itertools.count(1)
        self.waiting: list[Hint] = []
        self._tracker.on_change = self._note

    def _note(self, ticket_id: str, actor: str) -> None:
        ticket = self._tracker.tickets[ticket_id]
        before, now = self._comments.get(ticket_id, 0), len(ticket.comments)
        self._comments[ticket_id] = now
        connector = self._world.connectors[self._name]
        values: dict[str, Any] = {
            "title": ticket.title,
            "status": connector.statuses.to_neutral(ticket.status),
            "priority": connector.priorities.to_neutral(ticket.priority),
            "labels": ticket.labels,
        }
        self.waiting.append(
            Hint(
                ticket_id=ticket_id, event="changed", at=ticket.updated, values=values, is_partial=False,
                actor_id=HUB_ACCOUNT if actor == HUB_ACCOUNT else "person", touches_comments=now != before,
                comment_id=ticket.comments[-1].id if now > before else None,
            )
        )  # fmt: skip

    def deliver(self) -> None:
        """Everything that waits comes in, each thing by itself, and is worked on."""
        while self.waiting:
            self.store(self.waiting.pop(0))
            self._world.run_due()

    def store(self, hint: Hint) -> None:
        """One delivery comes in."""
        JournalInbox(self._world.journal, lambda: None).store(
            tracker=self._name, delivery_key=f"{self._name}-{next(self._numbers)}", received=self._world.clock(),
            headers={}, body=b"", hints=[hint], ignored=None,
        )  # fmt: skip
