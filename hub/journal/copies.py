"""Copies: which comment or file is the copy of which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.journal.deliveries import Upsert
from hub.journal.schema import copies
from hub.ticket import TicketRef, Visibility

CopyState = Literal["copied", "left", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """`origin_id` in `origin` stands as `target_id` in `target`.

    A `note` is the hub's own; its origin is what it speaks of. `digest` is the origin's text fingerprint (or the
    file's SHA-256) when it was copied. `state` `left` is one that did not travel (too large, or history that was
    left out), `gone` one whose origin was deleted.
    """

    kind: Literal["comment", "note", "attachment"]
    origin: TicketRef
    origin_id: str
    target: TicketRef
    target_id: str
    visibility: Visibility
    digest: str
    state: CopyState = "copied"


def copies_of(connection: Connection, refs: Sequence[TicketRef]) -> list[Copy]:
    """All copies whose origin or target is one of these tickets."""
    pairs = [(r.tracker, r.id) for r in refs]
    rows = connection.execute(_COPIES_OF, {"pairs": pairs})
    return [
        Copy(
            kind=r.kind,
            origin=TicketRef(r.origin_tracker, r.origin_ticket),
            origin_id=r.origin_id,
            target=TicketRef(r.target_tracker, r.target_ticket),
            target_id=r.target_id,
            visibility=Visibility(r.visibility),
            digest=r.digest,
            state=r.state,
        )
        for r in rows
    ]


def save_copy(connection: Connection, copy: Copy) -> None:
    """Stores a copy, or replaces what was known of it."""
    _SAVE_COPY(
        connection,
        kind=copy.kind,
        origin_tracker=copy.origin.tracker,
        origin_ticket=copy.origin.id,
        origin_id=copy.origin_id,
        target_tracker=copy.target.tracker,
        target_ticket=copy.target.id,
        target_id=copy.target_id,
        visibility=copy.visibility.value,
        digest=copy.digest,
        state=copy.state,
    )


# Statements are built once: building one costs more than running it.
_PAIRS: sa.BindParameter[Any] = sa.bindparam("pairs", expanding=True)
_COPIES_OF = (
    sa.select(copies)
    .where(
        sa.or_(
            sa.tuple_(copies.c.origin_tracker, copies.c.origin_ticket).in_(_PAIRS),
            sa.tuple_(copies.c.target_tracker, copies.c.target_ticket).in_(_PAIRS),
        )
    )
    .order_by(copies.c.id)
)
_SAVE_COPY = Upsert(copies, ["kind", "origin_tracker", "origin_ticket", "origin_id", "target_tracker", "target_ticket"])
