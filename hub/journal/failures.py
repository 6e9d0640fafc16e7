"""The failures list: what could not be done, why, and how often it was tried."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.journal.schema import failures
from hub.journal.statements import Prepared, any_key, upsert
from hub.ticket import TicketRef

FailureState = Literal["open", "retry", "resolved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Something that waits for a person or for better times.

    `key` is the link or ticket, `what` names the piece (`run`, `field:priority`, `comment:support:7:99`), `digest`
    what was tried, so that the same attempt is not made again until somebody asks for it.
    """

    id: int
    key: str
    tracker: str
    ticket_id: str
    what: str
    digest: str
    why: str
    remedy: str
    first_seen: datetime
    last_seen: datetime
    attempts: int
    state: FailureState


def record_failure(
    connection: Connection,
    *,
    key: str,
    tracker: str,
    ticket_id: str,
    what: str,
    digest: str,
    why: str,
    remedy: str,
    now: datetime,
) -> bool:
    """Opens a failure or counts another attempt; True when it was not open before."""
    was_open = (
        connection.execute(sa.select(failures.c.state).where(failures.c.key == key, failures.c.what == what)).scalar()
        == "open"
    )
    _RECORD_FAILURE.run(
        connection,
        key=key,
        tracker=tracker,
        ticket_id=ticket_id,
        what=what,
        digest=digest,
        why=why,
        remedy=remedy,
        first_seen=now,
        last_seen=now,
        attempts=1,
        state="open",
        told=None,
    )
    return not was_open


def untold_failures(connection: Connection, except_key: str) -> list[Failure]:
    """The open failures that nobody was told of yet, less those of one key; the oldest first."""
    query = _UNRESOLVED.where(failures.c.told.is_(None), failures.c.state == "open", failures.c.key != except_key)
    return _failures(connection.execute(query))


def mark_told(connection: Connection, told: Iterable[Failure], now: datetime) -> None:
    """People were told of these; a failure that is resolved and comes back is to be told again."""
    for failure in told:
        connection.execute(failures.update().where(failures.c.id == failure.id).values(told=now))


def resolve_failure(connection: Connection, key: str, what: str) -> None:
    """What failed has worked, or is not wanted any more."""
    connection.execute(
        failures.update()
        .where(failures.c.key == key, failures.c.what == what, failures.c.state != "resolved")
        .values(state="resolved")
    )


def move_failures(connection: Connection, key: str, ref: TicketRef) -> None:
    """Brings the failures of a ticket from the link with this key, which it leaves, under its own key."""
    own = sa.and_(failures.c.tracker == ref.tracker, failures.c.ticket_id == ref.id)
    moving = sa.and_(own, failures.c.key == key, failures.c.state != "resolved")
    names = connection.execute(sa.select(failures.c.what).where(moving)).scalars().all()
    connection.execute(failures.delete().where(failures.c.key == str(ref), failures.c.what.in_(names)))
    connection.execute(failures.update().where(moving).values(key=str(ref)))


def failures_of(connection: Connection, *keys: str) -> list[Failure]:
    """The failures of these keys that are not resolved."""
    return _failures(_FAILURES_OF.rows_of(connection, keys))


def unresolved_failures(connection: Connection) -> list[Failure]:
    """All failures that are not resolved, the oldest first."""
    return _failures(connection.execute(_UNRESOLVED))


def ask_for_retry(connection: Connection, failure_id: int) -> None:
    """Lets the next run try again what failed."""
    connection.execute(failures.update().where(failures.c.id == failure_id).values(state="retry"))


def count_open(connection: Connection) -> int:
    return connection.execute(
        sa.select(sa.func.count()).select_from(failures).where(failures.c.state != "resolved")
    ).scalar_one()


_UNRESOLVED = sa.select(failures).where(failures.c.state != "resolved").order_by(failures.c.id)
_FAILURES_OF = Prepared(_UNRESOLVED.where(any_key(failures.c.key)))
_RECORD_FAILURE = upsert(
    failures,
    ["key", "what"],
    kept=["first_seen"],
    more=lambda statement: {
        "attempts": failures.c.attempts + 1,
        "told": sa.case((failures.c.state == "resolved", sa.null()), else_=failures.c.told),
    },
)


def _failures(rows: Iterable[Any]) -> list[Failure]:
    return [
        Failure(
            id=r.id,
            key=r.key,
            tracker=r.tracker,
            ticket_id=r.ticket_id,
            what=r.what,
            digest=r.digest,
            why=r.why,
            remedy=r.remedy,
            first_seen=r.first_seen,
            last_seen=r.last_seen,
            attempts=r.attempts,
            state=r.state,
        )
        for r in rows
    ]
