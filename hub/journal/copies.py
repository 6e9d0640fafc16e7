"""Copies: which comment or file is the copy of which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.journal.schema import copies
from hub.journal.statements import Prepared, upsert
from hub.ticket import TicketRef, Visibility

CopyKind = Literal["comment", "note", "attachment"]
CopyState = Literal["copied", "left", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """`origin_id` in `origin` stands as `target_id` in `target`.

    A `note` is the hub's own; its origin is what it speaks of. `digest` is the origin's text fingerprint (or the
    file's SHA-256) when it was copied. `state` `left` is one that did not travel (too large, or history that was
    left out), `gone` one whose origin was deleted.
    """

    kind: CopyKind
    origin: TicketRef
    origin_id: str
    target: TicketRef
    target_id: str
    visibility: Visibility
    digest: str
    state: CopyState = "copied"


def copies_of(connection: Connection, refs: Sequence[TicketRef]) -> list[Copy]:
    """All copies whose origin or target is one of these tickets."""
    rows = {r.id: r for ref in refs for r in _COPIES_OF.rows(connection, the_tracker=ref.tracker, the_ticket=ref.id)}
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
        for _, r in sorted(rows.items())
    ]


def save_copy(connection: Connection, copy: Copy) -> None:
    """Stores a copy, or replaces what was known of it."""
    _SAVE_COPY.run(
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


# One ticket at a time: of a list of pairs SQLite makes a scan of the whole table. The kinds are named because the index
# of origins begins with them.
_TRACKER: sa.BindParameter[str] = sa.bindparam("the_tracker")
_TICKET: sa.BindParameter[str] = sa.bindparam("the_ticket")
_COPIES_OF = Prepared(
    sa.select(copies).where(
        sa.or_(
            sa.and_(
                sa.or_(*(copies.c.kind == kind for kind in get_args(CopyKind))),
                copies.c.origin_tracker == _TRACKER,
                copies.c.origin_ticket == _TICKET,
            ),
            sa.and_(copies.c.target_tracker == _TRACKER, copies.c.target_ticket == _TICKET),
        )
    )
)
_SAVE_COPY = upsert(copies, ["kind", "origin_tracker", "origin_ticket", "origin_id", "target_tracker", "target_ticket"])
