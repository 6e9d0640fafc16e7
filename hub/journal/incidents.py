"""Signals and incidents: what monitoring said, what came of it, and which ticket stands for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.journal.deliveries import settle_deliveries
from hub.journal.schema import incidents, signals
from hub.journal.statements import Prepared
from hub.ticket import TicketRef

IncidentState = Literal["own", "joined", "left"]
"""`own` is an incident of its own; `joined` sends its alerts to the common incident of a storm; `left` is over, because
another one took its place."""
MOST_SIGNALS = 1000
"""Signals that are taken at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRow:
    """A stored incident; `data` as `hub.rules.alerts` writes it. `ref` is None until there is a ticket."""

    id: int
    source: str
    group: str
    state: IncidentState
    ref: TicketRef | None
    begun: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SignalRow:
    """A signal that waits; `data` as `hub.rules.alerts` writes it."""

    id: int
    delivery_id: int
    data: Mapping[str, Any]


def store_signal(
    connection: Connection, *, source: str, group: str, delivery_id: int, received: datetime, data: Mapping[str, Any]
) -> None:
    _STORE_SIGNAL.run(
        connection,
        source=source,
        group_key=group,
        delivery_id=delivery_id,
        received=received,
        data=dict(data),
        state="waiting",
    )


def last_delivery(connection: Connection, source: str, group: str) -> int | None:
    """The delivery that said something of this group last."""
    found = _LAST_DELIVERY.scalar(connection, the_source=source, the_group=group)
    return None if found is None else int(found)


def waiting_signals(connection: Connection, source: str, group: str) -> list[SignalRow]:
    """What was said of this group and not taken into account yet, oldest first; at most MOST_SIGNALS."""
    rows = _WAITING.rows(connection, the_source=source, the_group=group, most=MOST_SIGNALS)
    return [SignalRow(r.id, r.delivery_id, r.data) for r in rows]


def has_waiting_signals(connection: Connection, source: str, group: str) -> bool:
    return bool(_WAITING.rows(connection, the_source=source, the_group=group, most=1))


def settle_signals(connection: Connection, taken: Sequence[SignalRow]) -> None:
    """Marks signals, and the deliveries that brought them, as taken into account."""
    for one in taken:
        _SETTLE_SIGNAL.run(connection, the_id=one.id)
    settle_deliveries(connection, sorted({one.delivery_id for one in taken}), "done")


def pass_signals(connection: Connection, source: str, group: str, to: str) -> None:
    """Gives what waits for a group to another group of the same source."""
    _PASS_SIGNALS.run(connection, the_source=source, the_group=group, to_group=to)


def present_incident(connection: Connection, source: str, group: str) -> IncidentRow | None:
    """The incident of a group that was begun last."""
    row = _PRESENT.first(connection, the_source=source, the_group=group)
    return None if row is None else _incident(row)


def incident_of(connection: Connection, ref: TicketRef) -> IncidentRow | None:
    """The incident that a ticket stands for."""
    row = connection.execute(
        sa.select(incidents).where(incidents.c.tracker == ref.tracker, incidents.c.ticket_id == ref.id)
    ).first()
    return None if row is None else _incident(row)


def begin_incident(
    connection: Connection, *, source: str, group: str, state: IncidentState, data: Mapping[str, Any], now: datetime
) -> IncidentRow:
    new_id = _BEGIN.insert(
        connection, source=source, group_key=group, state=state, tracker="", ticket_id="", begun=now, data=dict(data)
    )
    return IncidentRow(id=new_id, source=source, group=group, state=state, ref=None, begun=now, data=data)


def save_incident(connection: Connection, row: IncidentRow) -> None:
    _SAVE.run(
        connection,
        the_id=row.id,
        new_state=row.state,
        new_tracker=row.ref.tracker if row.ref else "",
        new_ticket=row.ref.id if row.ref else "",
        new_data=dict(row.data),
    )


def count_begun(connection: Connection, source: str, since: datetime) -> int:
    """How many incidents of their own a source has begun since then."""
    return int(_COUNT_BEGUN.scalar(connection, the_source=source, since=since))


_STORE_SIGNAL = Prepared(signals.insert())
_LAST_DELIVERY = Prepared(
    sa.select(signals.c.delivery_id)
    .where(signals.c.source == sa.bindparam("the_source"), signals.c.group_key == sa.bindparam("the_group"))
    .order_by(signals.c.id.desc())
    .limit(1)
)
_WAITING = Prepared(
    sa.select(signals.c.id, signals.c.delivery_id, signals.c.data)
    .where(
        signals.c.source == sa.bindparam("the_source"),
        signals.c.group_key == sa.bindparam("the_group"),
        signals.c.state == "waiting",
    )
    .order_by(signals.c.id)
    .limit(sa.bindparam("most"))
)
_SETTLE_SIGNAL = Prepared(signals.update().where(signals.c.id == sa.bindparam("the_id")).values(state="done"))
_PASS_SIGNALS = Prepared(
    signals.update()
    .where(
        signals.c.source == sa.bindparam("the_source"),
        signals.c.group_key == sa.bindparam("the_group"),
        signals.c.state == "waiting",
    )
    .values(group_key=sa.bindparam("to_group"))
)
_PRESENT = Prepared(
    sa.select(incidents)
    .where(incidents.c.source == sa.bindparam("the_source"), incidents.c.group_key == sa.bindparam("the_group"))
    .order_by(incidents.c.id.desc())
    .limit(1)
)
_BEGIN = Prepared(incidents.insert().returning(incidents.c.id))
_SAVE = Prepared(
    incidents.update()
    .where(incidents.c.id == sa.bindparam("the_id"))
    .values(
        state=sa.bindparam("new_state"),
        tracker=sa.bindparam("new_tracker"),
        ticket_id=sa.bindparam("new_ticket"),
        data=sa.bindparam("new_data"),
    )
)
_COUNT_BEGUN = Prepared(
    sa.select(sa.func.count())
    .select_from(incidents)
    .where(
        incidents.c.source == sa.bindparam("the_source"),
        incidents.c.begun >= sa.bindparam("since"),
        incidents.c.state == "own",
    )
)


def _incident(row: Any) -> IncidentRow:
    return IncidentRow(
        id=row.id,
        source=row.source,
        group=row.group_key,
        state=row.state,
        ref=TicketRef(row.tracker, row.ticket_id) if row.ticket_id else None,
        begun=row.begun,
        data=row.data,
    )
