"""Deliveries and wakes: what came in and which keys wait because of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection

from hub.journal.schema import deliveries, wakes
from hub.ticket import TicketRef


@dataclass(frozen=True, slots=True)
class Delivery:
    """A stored delivery that waits: `hints` as `hub.sync.codec` writes them."""

    id: int
    ref: TicketRef
    received: datetime
    hints: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Wake:
    """A key that waits. `seq` tells whether it was woken again meanwhile."""

    key: str
    due: datetime
    seq: int
    attempts: int
    reason: str


def upsert(connection: Connection, table: sa.Table) -> Any:
    """An INSERT … ON CONFLICT statement in the dialect of the connection."""
    make = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    return make(table)


def store_delivery(
    connection: Connection,
    *,
    tracker: str,
    delivery_key: str,
    ticket_id: str | None,
    received: datetime,
    headers: Mapping[str, str],
    body: bytes,
    hints: Sequence[Mapping[str, Any]],
    ignored: str | None,
) -> tuple[int, bool]:
    """Stores a delivery; (id, True) when one with this key is there already, which then only counts it."""
    known = connection.execute(
        sa.select(deliveries.c.id).where(deliveries.c.tracker == tracker, deliveries.c.delivery_key == delivery_key)
    ).scalar()
    if known is not None:
        connection.execute(deliveries.update().where(deliveries.c.id == known).values(repeats=deliveries.c.repeats + 1))
        return int(known), True
    stored = connection.execute(
        deliveries.insert().values(
            tracker=tracker,
            delivery_key=delivery_key,
            ticket_id=ticket_id,
            received=received,
            headers=dict(headers),
            body=body,
            hints=list(hints),
            status="waiting" if ignored is None else "ignored",
            note=ignored or "",
            repeats=0,
        )
    )
    key = stored.inserted_primary_key
    assert key is not None
    return int(key[0]), False


def waiting_deliveries(connection: Connection, refs: Sequence[TicketRef]) -> list[Delivery]:
    """The deliveries about these tickets that no run has taken into account yet, oldest first."""
    if not refs:
        return []
    rows = connection.execute(
        sa.select(
            deliveries.c.id,
            deliveries.c.tracker,
            deliveries.c.ticket_id,
            deliveries.c.received,
            deliveries.c.hints,
        )
        .where(
            sa.tuple_(deliveries.c.tracker, deliveries.c.ticket_id).in_([(r.tracker, r.id) for r in refs]),
            deliveries.c.status == "waiting",
        )
        .order_by(deliveries.c.id)
    )
    return [Delivery(r.id, TicketRef(r.tracker, r.ticket_id), r.received, r.hints) for r in rows]


def settle_deliveries(connection: Connection, ids: Iterable[int], status: str, note: str = "") -> None:
    """Marks deliveries as taken into account."""
    listed = list(ids)
    if listed:
        connection.execute(deliveries.update().where(deliveries.c.id.in_(listed)).values(status=status, note=note))


def wake(connection: Connection, key: str, due: datetime, reason: str) -> None:
    """Makes a key wait until `due`. A key that waits already keeps its earlier time and is marked as woken again."""
    statement = upsert(connection, wakes).values(key=key, due=due, seq=1, attempts=0, reason=reason)
    earlier = sa.case((wakes.c.due <= statement.excluded.due, wakes.c.due), else_=statement.excluded.due)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["key"], set_={"due": earlier, "seq": wakes.c.seq + 1, "reason": statement.excluded.reason}
        )
    )


def due_wakes(connection: Connection, now: datetime, limit: int) -> list[Wake]:
    """The wakes whose time has come, the longest waiting first."""
    rows = connection.execute(sa.select(wakes).where(wakes.c.due <= now).order_by(wakes.c.due).limit(limit))
    return [Wake(r.key, r.due, r.seq, r.attempts, r.reason) for r in rows]


def next_due(connection: Connection) -> datetime | None:
    """When the next wake is due, None when nothing waits."""
    return connection.execute(sa.select(wakes.c.due).order_by(wakes.c.due).limit(1)).scalar()


def wakes_of(connection: Connection, keys: Sequence[str], now: datetime) -> list[Wake]:
    """The due wakes of these keys."""
    rows = connection.execute(sa.select(wakes).where(wakes.c.key.in_(keys), wakes.c.due <= now))
    return [Wake(r.key, r.due, r.seq, r.attempts, r.reason) for r in rows]


def settle_wakes(connection: Connection, taken: Sequence[Wake]) -> None:
    """Removes the wakes that a run has answered, unless they were woken again meanwhile."""
    for one in taken:
        connection.execute(wakes.delete().where(wakes.c.key == one.key, wakes.c.seq == one.seq))


def postpone_wakes(connection: Connection, taken: Sequence[Wake], due: datetime, reason: str) -> None:
    """Puts the wakes of a run that failed off until `due` and counts the attempt.

    A wake that came in meanwhile is put off as well: it would meet the same trouble.
    """
    for one in taken:
        connection.execute(
            wakes.update()
            .where(wakes.c.key == one.key)
            .values(due=due, attempts=one.attempts + 1, reason=reason, seq=wakes.c.seq + 1)
        )


def count_waiting(connection: Connection) -> int:
    """How many keys wait, whether due or not."""
    return connection.execute(sa.select(sa.func.count()).select_from(wakes)).scalar_one()


def find_wake(connection: Connection, key: str) -> Wake | None:
    """The wake of a key, due or not."""
    r = connection.execute(sa.select(wakes).where(wakes.c.key == key)).first()
    return None if r is None else Wake(r.key, r.due, r.seq, r.attempts, r.reason)
