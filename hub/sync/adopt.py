"""A rule book that is new to open tickets: clocks are computed from their histories, and looks are set by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog
from sqlalchemy.engine import Connection

from hub.journal import cases, deliveries
from hub.journal.cases import CaseRow
from hub.rules.case import load_case
from hub.rules.case_clocks import shown
from hub.rules.revise import Revision, revise
from hub.sync.context import Context
from hub.ticket import TicketRef

log = structlog.get_logger("hub.rules")

ADOPTED_AT_ONCE = 500
"""Cases that one transaction computes anew."""


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A clock that the present rule book sees otherwise than the one before; None where there is no such clock."""

    ref: TicketRef
    clock: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def clock_changes(context: Context) -> list[ClockChange]:
    """What the present rule book would change in the clocks of open tickets. Reads the store only."""
    found = []
    with context.journal.read() as connection:
        for row in cases.walk_cases(connection, only_open=True):
            before = row.data["clocks"]
            after = {name: shown(clock) for name, clock in _revised(context, row).clocks.items()}
            found += [
                ClockChange(row.ref, name, before.get(name), after.get(name))
                for name in sorted({*before, *after})
                if before.get(name) != after.get(name)
            ]
    return found


def adopt_book(context: Context) -> int:
    """Computes the clocks of open tickets anew from their histories when the rule book is another; returns how many.

    The next looks are set by the new deadlines; no tracker is asked.
    """
    book = context.book
    if book is None:
        return 0
    with context.journal.read() as connection:
        if cases.load_digest(connection) == book.digest:
            return 0
    last, done = 0, 0
    while True:
        # A batch a transaction: others want to write meanwhile. One that is done twice comes out the same.
        with context.journal.write() as connection:
            last, rows = cases.next_open_cases(connection, last, ADOPTED_AT_ONCE)
            for row in rows:
                _adopt(connection, context, row)
            done += len(rows)
            if len(rows) < ADOPTED_AT_ONCE:
                cases.save_digest(connection, book.digest)
                break
    log.info("the rule book is another one: clocks were computed anew", tickets=done)
    return done


def _adopt(connection: Connection, context: Context, row: CaseRow) -> None:
    revision, now = _revised(context, row), context.now()
    looks = [at for at in (revision.next_at, row.next_at) if at is not None]
    next_at = min(looks, default=None)
    # Of a ticket that is looked at right away the look itself tells what moved.
    is_due = next_at is not None and next_at <= now
    clocks = row.data["clocks"] if is_due else {name: shown(clock) for name, clock in revision.clocks.items()}
    cases.save_case(connection, replace(row, next_at=next_at, data={**row.data, "clocks": clocks}))
    if next_at is not None:
        deliveries.wake(connection, str(row.ref), next_at, deliveries.CLOCK)


def _revised(context: Context, row: CaseRow) -> Revision:
    assert context.book is not None
    return revise(context.book, load_case(row.ref, row.key, row.url, row.data), context.now())
