"""Intents and receipts: what the hub was about to write, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.journal.schema import intents
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


def store_intent(
    connection: Connection,
    *,
    link_id: int,
    target: TicketRef,
    kind: str,
    marker: str,
    operation: Mapping[str, Any],
    now: datetime,
) -> int:
    stored = connection.execute(
        intents.insert().values(
            link_id=link_id,
            tracker=target.tracker,
            ticket_id=target.id,
            kind=kind,
            marker=marker,
            operation=dict(operation),
            created=now,
            state="open",
        )
    )
    key = stored.inserted_primary_key
    assert key is not None
    return int(key[0])


def finish_intent(
    connection: Connection, intent_id: int, end: IntentEnd, receipt: Mapping[str, Any], now: datetime
) -> None:
    """Writes the receipt. `refused` had no effect, `void` was looked up and had none."""
    connection.execute(
        intents.update().where(intents.c.id == intent_id).values(state=end, receipt=dict(receipt), finished=now)
    )


def open_intents(connection: Connection, link_id: int) -> list[Intent]:
    """The intents of a link without a receipt: a crash or a lost answer stands between. Oldest first."""
    rows = connection.execute(
        sa.select(intents).where(intents.c.link_id == link_id, intents.c.state == "open").order_by(intents.c.id)
    )
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
