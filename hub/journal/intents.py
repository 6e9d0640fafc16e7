"""Intents and receipts: what the hub was about to write, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.journal.schema import intents
from hub.journal.statements import Prepared
from hub.ticket import TicketRef

IntentEnd = Literal["done", "refused", "void"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """An intent whose outcome is not known. `operation` as `hub.sync.codec` writes it."""

    id: int
    link_id: int
    target: TicketRef
    kind: str
    marker: str
    operation: Mapping[str, Any]
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An intent to be stored."""

    target: TicketRef
    kind: str
    marker: str
    operation: Mapping[str, Any]


def store_intents(connection: Connection, link_id: int, plans: Sequence[Plan], now: datetime) -> list[int]:
    """Stores what a link is about to have done, and returns the intents' ids in the same order."""
    return [
        _STORE_INTENT.insert(
            connection,
            link_id=link_id,
            tracker=plan.target.tracker,
            ticket_id=plan.target.id,
            kind=plan.kind,
            marker=plan.marker,
            operation=dict(plan.operation),
            created=now,
            state="open",
        )
        for plan in plans
    ]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an intent. `refused` had no effect, `void` was looked up and had none."""

    intent_id: int
    end: IntentEnd
    data: Mapping[str, Any]
    at: datetime


def finish_intents(connection: Connection, receipts: Sequence[Receipt]) -> None:
    """Writes receipts."""
    for r in receipts:
        _FINISH_INTENT.run(connection, the_id=r.intent_id, end=r.end, data=dict(r.data), at=r.at)


def open_intents(connection: Connection, link_id: int) -> list[Intent]:
    """The intents of a link without a receipt: a crash or a lost answer stands between. Oldest first."""
    rows = _OPEN_INTENTS.rows(connection, the_link=link_id)
    return [
        Intent(
            id=r.id,
            link_id=r.link_id,
            target=TicketRef(r.tracker, r.ticket_id),
            kind=r.kind,
            marker=r.marker,
            operation=r.operation,
            created=r.created,
        )
        for r in rows
    ]


def links_with_open_intents(connection: Connection) -> list[int]:
    """Links that a crash may have left half-done."""
    return list(connection.execute(sa.select(intents.c.link_id).where(intents.c.state == "open").distinct()).scalars())


_STORE_INTENT = Prepared(intents.insert().returning(intents.c.id), unset=["receipt", "finished"])
_FINISH_INTENT = Prepared(
    intents.update()
    .where(intents.c.id == sa.bindparam("the_id"))
    .values(state=sa.bindparam("end"), receipt=sa.bindparam("data"), finished=sa.bindparam("at"))
)
_OPEN_INTENTS = Prepared(
    sa.select(intents)
    .where(intents.c.link_id == sa.bindparam("the_link"), intents.c.state == "open")
    .order_by(intents.c.id)
)
