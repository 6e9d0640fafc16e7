"""The append-only record of decisions and their reasons, and the cursors of polling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.journal.schema import cursors, deliveries, events, intents, members
from hub.journal.statements import Prepared, upsert
from hub.ticket import TicketRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of the record. `data` is JSON; what it holds depends on `kind`."""

    at: datetime
    kind: str
    ref: TicketRef | None = None
    link_id: int | None = None
    delivery_id: int | None = None
    data: Mapping[str, Any]


def record(connection: Connection, entries: Sequence[Event]) -> None:
    """Appends entries."""
    for e in entries:
        _RECORD.run(
            connection,
            at=e.at,
            kind=e.kind,
            tracker=e.ref.tracker if e.ref else None,
            ticket_id=e.ref.id if e.ref else None,
            link_id=e.link_id,
            delivery_id=e.delivery_id,
            data=dict(e.data),
        )


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of a ticket's history: `what` is an event's kind, `delivery` or `intent`."""

    at: datetime
    order: int
    what: str
    ref: TicketRef | None
    data: Mapping[str, Any]


def timeline(connection: Connection, ref: TicketRef, link_ids: Sequence[int]) -> list[TimelineEntry]:
    """Everything that is on record about a ticket and the links it was in, oldest first."""
    found = _deliveries_across(connection, ref)
    for r in connection.execute(
        sa.select(events).where(
            sa.or_(
                sa.and_(events.c.tracker == ref.tracker, events.c.ticket_id == ref.id),
                events.c.link_id.in_(link_ids),
            )
        )
    ):
        about = TicketRef(r.tracker, r.ticket_id) if r.tracker else None
        data = dict(r.data) | ({"delivery": r.delivery_id} if r.delivery_id else {})
        found.append(TimelineEntry(r.at, 2, r.kind, about, data))
    for r in connection.execute(
        sa.select(deliveries).where(deliveries.c.tracker == ref.tracker, deliveries.c.ticket_id == ref.id)
    ):
        data = {"id": r.id, "status": r.status, "note": r.note, "repeats": r.repeats, "hints": r.hints}
        found.append(TimelineEntry(r.received, 1, "delivery", ref, data))
    alone = sa.and_(intents.c.link_id == 0, intents.c.tracker == ref.tracker, intents.c.ticket_id == ref.id)
    for r in connection.execute(sa.select(intents).where(sa.or_(alone, intents.c.link_id.in_(link_ids)))):
        data = {
            "id": r.id,
            "kind": r.kind,
            "state": r.state,
            "operation": r.operation,
            "receipt": r.receipt,
            "finished": r.finished.isoformat() if r.finished else None,
        }
        found.append(TimelineEntry(r.created, 3, "intent", TicketRef(r.tracker, r.ticket_id), data))
    return sorted(found, key=lambda e: (e.at, e.order))


def _deliveries_across(connection: Connection, ref: TicketRef) -> list[TimelineEntry]:
    """What came in on the other side of a ticket's link, where the texts that were written to it come from."""
    here, there = members.alias(), members.alias()
    rows = connection.execute(
        sa.select(deliveries)
        .join(there, sa.and_(there.c.tracker == deliveries.c.tracker, there.c.ticket_id == deliveries.c.ticket_id))
        .join(here, sa.and_(here.c.link_id == there.c.link_id, here.c.role != there.c.role))
        .where(here.c.tracker == ref.tracker, here.c.ticket_id == ref.id)
    )
    return [
        TimelineEntry(
            r.received,
            1,
            "delivery",
            TicketRef(r.tracker, r.ticket_id),
            {"id": r.id, "status": r.status, "note": r.note, "repeats": r.repeats, "hints": r.hints},
        )
        for r in rows
    ]


def links_on_record(connection: Connection, ref: TicketRef) -> list[int]:
    """Every link that the record names for a ticket, also those it has left."""
    rows = connection.execute(
        sa.select(events.c.link_id)
        .where(events.c.tracker == ref.tracker, events.c.ticket_id == ref.id, events.c.link_id.is_not(None))
        .distinct()
    ).scalars()
    return [int(r) for r in rows if r is not None]


def load_cursor(connection: Connection, tracker: str) -> tuple[str, datetime] | None:
    """Up to where and when a tracker was polled, None before the first time."""
    row = connection.execute(sa.select(cursors).where(cursors.c.tracker == tracker)).first()
    return None if row is None else (row.cursor, row.polled)


def save_cursor(connection: Connection, tracker: str, cursor: str, now: datetime) -> None:
    _SAVE_CURSOR.run(connection, tracker=tracker, cursor=cursor, polled=now)


def was_unlinked(connection: Connection, ref: TicketRef) -> bool:
    """Whether the last thing that happened to a ticket's membership was that somebody took it out of its link."""
    last = _LAST_MEMBERSHIP.scalar(connection, the_tracker=ref.tracker, the_ticket=ref.id)
    return bool(last == "unlinked")


_RECORD = Prepared(events.insert())
_SAVE_CURSOR = upsert(cursors, ["tracker"])
_LAST_MEMBERSHIP = Prepared(
    sa.select(events.c.kind)
    .where(
        events.c.tracker == sa.bindparam("the_tracker"),
        events.c.ticket_id == sa.bindparam("the_ticket"),
        sa.or_(*(events.c.kind == kind for kind in ("escalated", "linked", "unlinked"))),
    )
    .order_by(events.c.id.desc())
    .limit(1)
)
