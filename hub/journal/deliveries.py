"""Deliveries and wakes: what came in and which keys wait because of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.journal.schema import deliveries, members, wakes
from hub.journal.statements import Prepared, any_key, insert_into, upsert
from hub.ticket import TicketRef

POLLED_AS_DELETED = "poll: deleted"
"""The reason of a wake when a poll says that the ticket is gone. It says so once: no later reason takes its place."""


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
    stored = _STORE_DELIVERY.insert_new(
        connection,
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
    if stored is not None:
        return stored, False
    known = _KNOWN_DELIVERY.scalar(connection, tracker=tracker, delivery_key=delivery_key)
    connection.execute(deliveries.update().where(deliveries.c.id == known).values(repeats=deliveries.c.repeats + 1))
    return int(known), True


def waiting_of_ticket(connection: Connection, ref: TicketRef) -> list[Delivery]:
    """The deliveries about a ticket that no run has taken into account yet, oldest first."""
    found = _WAITING_OF_TICKET.rows(connection, the_tracker=ref.tracker, the_ticket=ref.id)
    return [Delivery(r.id, ref, r.received, r.hints) for r in found]


def waiting_of_link(connection: Connection, link_id: int) -> list[Delivery]:
    """The deliveries about the members of a link that no run has taken into account yet, oldest first."""
    return [
        Delivery(r.id, TicketRef(r.tracker, r.ticket_id), r.received, r.hints)
        for r in _WAITING_OF_LINK.rows(connection, the_link=link_id)
    ]


def settle_deliveries(connection: Connection, ids: Iterable[int], status: str, note: str = "") -> None:
    """Marks deliveries as taken into account."""
    for delivery_id in ids:
        _SETTLE_DELIVERY.run(connection, the_id=delivery_id, new_status=status, new_note=note)


WEBHOOK = "webhook"
"""The reason of a wake that says no more than the delivery that came with it."""
CLOCK = "clock"
"""The reason of a timed wake: nothing happened, but something will fall due."""


def wake(connection: Connection, key: str, due: datetime, reason: str) -> None:
    """Makes a key wait until `due`. A key that waits already keeps its earlier time and is marked as woken again.

    Its reason is the one that says more: a delivery and a deadline never hide that a poll or a person wants a look.
    """
    _WAKE.run(connection, key=key, due=due, seq=1, attempts=0, reason=reason)


def next_wakes(connection: Connection, limit: int) -> list[tuple[str, datetime]]:
    """The keys that are due, or will be, with their times; the first ones first."""
    return [(r.key, r.due) for r in _NEXT_WAKES.rows(connection, most=limit)]


def wakes_of(connection: Connection, keys: Sequence[str], now: datetime) -> list[Wake]:
    """The due wakes of these keys, in their order."""
    found = {
        r.key: Wake(r.key, r.due, r.seq, r.attempts, r.reason) for r in _DUE_WAKES.rows_of(connection, keys, now=now)
    }
    return [found[key] for key in keys if key in found]


def settle_wakes(connection: Connection, taken: Sequence[Wake]) -> None:
    """Removes the wakes that a run has answered, unless they were woken again meanwhile."""
    for one in taken:
        _SETTLE_WAKE.run(connection, the_key=one.key, the_seq=one.seq)


def postpone_wakes(connection: Connection, taken: Sequence[Wake], due: datetime, reason: str) -> None:
    """Puts the wakes of a run that failed off until `due` and counts the attempt.

    A wake that came in meanwhile is put off as well: it would meet the same trouble.
    """
    for one in taken:
        connection.execute(
            wakes.update()
            .where(wakes.c.key == one.key)
            .values(
                due=due,
                attempts=one.attempts + 1,
                reason=one.reason if one.reason == POLLED_AS_DELETED else reason,
                seq=wakes.c.seq + 1,
            )
        )


def retry_wakes(connection: Connection, taken: Sequence[Wake], due: datetime, reason: str) -> None:
    """Wakes again at `due` what a run has answered but for a part, and counts the attempt.

    Unlike `postpone_wakes` this holds up no wake that came in meanwhile: it has nothing to do with that part.
    """
    for one in taken:
        is_same = wakes.c.seq == one.seq
        connection.execute(
            wakes.update()
            .where(wakes.c.key == one.key)
            .values(
                due=sa.case((is_same, sa.bindparam("due", due, wakes.c.due.type)), else_=wakes.c.due),
                reason=sa.case((is_same, reason), else_=wakes.c.reason),
                attempts=one.attempts + 1,
            )
        )


_KNOWN_DELIVERY = Prepared(
    sa.select(deliveries.c.id).where(
        deliveries.c.tracker == sa.bindparam("tracker"), deliveries.c.delivery_key == sa.bindparam("delivery_key")
    )
)
_STORE_DELIVERY = Prepared(
    lambda dialect_name: (
        insert_into(deliveries, dialect_name)
        .on_conflict_do_nothing(index_elements=["tracker", "delivery_key"])
        .returning(deliveries.c.id)
    )
)
_WAITING_OF_TICKET = Prepared(
    sa.select(deliveries.c.id, deliveries.c.received, deliveries.c.hints)
    .where(
        deliveries.c.tracker == sa.bindparam("the_tracker"),
        deliveries.c.ticket_id == sa.bindparam("the_ticket"),
        deliveries.c.status == "waiting",
    )
    .order_by(deliveries.c.id)
)
_WAITING_OF_LINK = Prepared(
    sa.select(deliveries.c.id, deliveries.c.tracker, deliveries.c.ticket_id, deliveries.c.received, deliveries.c.hints)
    .join(members, sa.and_(members.c.tracker == deliveries.c.tracker, members.c.ticket_id == deliveries.c.ticket_id))
    .where(members.c.link_id == sa.bindparam("the_link"), deliveries.c.status == "waiting")
    .order_by(deliveries.c.id)
)
_SETTLE_DELIVERY = Prepared(
    deliveries.update()
    .where(deliveries.c.id == sa.bindparam("the_id"))
    .values(status=sa.bindparam("new_status"), note=sa.bindparam("new_note"))
)
_WAKE = upsert(
    wakes,
    ["key"],
    kept=["attempts"],
    more=lambda statement: {
        "reason": sa.case(
            (wakes.c.reason == POLLED_AS_DELETED, wakes.c.reason),
            (statement.excluded.reason == CLOCK, wakes.c.reason),
            (sa.and_(statement.excluded.reason == WEBHOOK, wakes.c.reason != CLOCK), wakes.c.reason),
            else_=statement.excluded.reason,
        ),
        "due": sa.case((wakes.c.due <= statement.excluded.due, wakes.c.due), else_=statement.excluded.due),
        "seq": wakes.c.seq + 1,
    },
)
_NEXT_WAKES = Prepared(sa.select(wakes.c.key, wakes.c.due).order_by(wakes.c.due).limit(sa.bindparam("most")))
_DUE_WAKES = Prepared(sa.select(wakes).where(any_key(wakes.c.key), wakes.c.due <= sa.bindparam("now")))
_SETTLE_WAKE = Prepared(
    wakes.delete().where(wakes.c.key == sa.bindparam("the_key"), wakes.c.seq == sa.bindparam("the_seq"))
)


def count_waiting(connection: Connection, now: datetime) -> int:
    """How many keys wait for work to be done: those that are due, and those that were put off. Deadlines ahead are
    none of them."""
    is_work = sa.or_(wakes.c.reason != CLOCK, wakes.c.due <= now)
    return connection.execute(sa.select(sa.func.count()).select_from(wakes).where(is_work)).scalar_one()


def find_wake(connection: Connection, key: str) -> Wake | None:
    """The wake of a key, due or not."""
    r = connection.execute(sa.select(wakes).where(wakes.c.key == key)).first()
    return None if r is None else Wake(r.key, r.due, r.seq, r.attempts, r.reason)
