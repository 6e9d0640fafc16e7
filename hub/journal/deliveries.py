"""Deliveries and wakes: what came in and which keys wait because of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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


class Upsert:
    """INSERT … ON CONFLICT DO UPDATE, made once for each dialect; call it with the row's values.

    `keys` are the columns that identify a row. `more` gives, of the statement, what else is set than the values of
    the other columns; `kept` are columns that an existing row keeps.
    """

    def __init__(
        self,
        table: sa.Table,
        keys: Sequence[str],
        *,
        kept: Sequence[str] = (),
        more: Callable[[Any], Mapping[str, Any]] = lambda statement: {},
    ) -> None:
        self._table, self._keys, self._kept, self._more = table, list(keys), {*keys, *kept, "id"}, more
        self._made: dict[str, Any] = {}

    def __call__(self, connection: Connection, **values: Any) -> None:
        dialect = connection.dialect.name
        statement = self._made.get(dialect)
        if statement is None:
            statement = self._made[dialect] = self._make(dialect)
        connection.execute(statement, values)

    def _make(self, dialect: str) -> Any:
        statement = (postgresql_insert if dialect == "postgresql" else sqlite_insert)(self._table)
        changed = {c.name: statement.excluded[c.name] for c in self._table.c if c.name not in self._kept}
        return statement.on_conflict_do_update(index_elements=self._keys, set_={**changed, **self._more(statement)})


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
    known = connection.execute(_KNOWN_DELIVERY, {"tracker": tracker, "delivery_key": delivery_key}).scalar()
    if known is not None:
        connection.execute(deliveries.update().where(deliveries.c.id == known).values(repeats=deliveries.c.repeats + 1))
        return int(known), True
    stored = connection.execute(
        _STORE_DELIVERY,
        {
            "tracker": tracker,
            "delivery_key": delivery_key,
            "ticket_id": ticket_id,
            "received": received,
            "headers": dict(headers),
            "body": body,
            "hints": list(hints),
            "status": "waiting" if ignored is None else "ignored",
            "note": ignored or "",
            "repeats": 0,
        },
    )
    key = stored.inserted_primary_key
    assert key is not None
    return int(key[0]), False


def waiting_deliveries(connection: Connection, refs: Sequence[TicketRef]) -> list[Delivery]:
    """The deliveries about these tickets that no run has taken into account yet, oldest first."""
    found = [
        Delivery(r.id, ref, r.received, r.hints)
        for ref in refs
        for r in connection.execute(_WAITING_DELIVERIES, {"the_tracker": ref.tracker, "the_ticket": ref.id})
    ]
    return sorted(found, key=lambda d: d.id)


def settle_deliveries(connection: Connection, ids: Iterable[int], status: str, note: str = "") -> None:
    """Marks deliveries as taken into account."""
    listed = list(ids)
    if listed:
        connection.execute(_SETTLE_DELIVERIES, {"ids": listed, "new_status": status, "new_note": note})


def wake(connection: Connection, key: str, due: datetime, reason: str) -> None:
    """Makes a key wait until `due`. A key that waits already keeps its earlier time and is marked as woken again."""
    _WAKE(connection, key=key, due=due, seq=1, attempts=0, reason=reason)


def next_wakes(connection: Connection, limit: int) -> list[tuple[str, datetime]]:
    """The keys that are due, or will be, with their times; the first ones first."""
    return [(r.key, r.due) for r in connection.execute(_NEXT_WAKES, {"most": limit})]


def wakes_of(connection: Connection, keys: Sequence[str], now: datetime) -> list[Wake]:
    """The due wakes of these keys."""
    rows = connection.execute(_WAKES_OF, {"keys": list(keys), "now": now})
    return [Wake(r.key, r.due, r.seq, r.attempts, r.reason) for r in rows]


def settle_wakes(connection: Connection, taken: Sequence[Wake]) -> None:
    """Removes the wakes that a run has answered, unless they were woken again meanwhile."""
    if taken:
        connection.execute(_SETTLE_WAKES, [{"the_key": one.key, "the_seq": one.seq} for one in taken])


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


# Statements are built once: building one costs more than running it.
_KNOWN_DELIVERY = sa.select(deliveries.c.id).where(
    deliveries.c.tracker == sa.bindparam("tracker"), deliveries.c.delivery_key == sa.bindparam("delivery_key")
)
_STORE_DELIVERY = deliveries.insert()
# One ticket at a time: of a list of pairs SQLite makes a scan of the whole table.
_WAITING_DELIVERIES = sa.select(deliveries.c.id, deliveries.c.received, deliveries.c.hints).where(
    deliveries.c.tracker == sa.bindparam("the_tracker"),
    deliveries.c.ticket_id == sa.bindparam("the_ticket"),
    deliveries.c.status == "waiting",
)
_SETTLE_DELIVERIES = (
    deliveries.update()
    .where(deliveries.c.id.in_(sa.bindparam("ids", expanding=True)))
    .values(status=sa.bindparam("new_status"), note=sa.bindparam("new_note"))
)
_WAKE = Upsert(
    wakes,
    ["key"],
    kept=["attempts"],
    more=lambda statement: {
        "due": sa.case((wakes.c.due <= statement.excluded.due, wakes.c.due), else_=statement.excluded.due),
        "seq": wakes.c.seq + 1,
    },
)
_NEXT_WAKES = sa.select(wakes.c.key, wakes.c.due).order_by(wakes.c.due).limit(sa.bindparam("most"))
_WAKES_OF = sa.select(wakes).where(
    wakes.c.key.in_(sa.bindparam("keys", expanding=True)), wakes.c.due <= sa.bindparam("now")
)
_SETTLE_WAKES = wakes.delete().where(wakes.c.key == sa.bindparam("the_key"), wakes.c.seq == sa.bindparam("the_seq"))


def count_waiting(connection: Connection) -> int:
    """How many keys wait, whether due or not."""
    return connection.execute(sa.select(sa.func.count()).select_from(wakes)).scalar_one()


def find_wake(connection: Connection, key: str) -> Wake | None:
    """The wake of a key, due or not."""
    r = connection.execute(sa.select(wakes).where(wakes.c.key == key)).first()
    return None if r is None else Wake(r.key, r.due, r.seq, r.attempts, r.reason)
