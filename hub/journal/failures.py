"""The failures list: what could not be done, why, and how often it was tried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.journal.deliveries import upsert
from hub.journal.schema import failures

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
    values = {
        "tracker": tracker,
        "ticket_id": ticket_id,
        "digest": digest,
        "why": why,
        "remedy": remedy,
        "last_seen": now,
        "state": "open",
    }
    connection.execute(
        upsert(connection, failures)
        .values(key=key, what=what, first_seen=now, attempts=1, **values)
        .on_conflict_do_update(index_elements=["key", "what"], set_=values | {"attempts": failures.c.attempts + 1})
    )
    return not was_open


def resolve_failure(connection: Connection, key: str, what: str) -> None:
    """What failed has worked, or is not wanted any more."""
    connection.execute(
        failures.update()
        .where(failures.c.key == key, failures.c.what == what, failures.c.state != "resolved")
        .values(state="resolved")
    )


def failures_of(connection: Connection, key: str) -> list[Failure]:
    """The failures of one key that are not resolved."""
    return _failures(connection, failures.c.key == key)


def unresolved_failures(connection: Connection) -> list[Failure]:
    """All failures that are not resolved, the oldest first."""
    return _failures(connection, sa.true())


def find_failure(connection: Connection, failure_id: int) -> Failure | None:
    """The unresolved failure with this id."""
    found = _failures(connection, failures.c.id == failure_id)
    return found[0] if found else None


def ask_for_retry(connection: Connection, failure_id: int) -> None:
    """Lets the next run try again what failed."""
    connection.execute(failures.update().where(failures.c.id == failure_id).values(state="retry"))


def count_open(connection: Connection) -> int:
    return connection.execute(
        sa.select(sa.func.count()).select_from(failures).where(failures.c.state != "resolved")
    ).scalar_one()


def _failures(connection: Connection, condition: sa.ColumnElement[bool]) -> list[Failure]:
    rows = connection.execute(
        sa.select(failures).where(condition, failures.c.state != "resolved").order_by(failures.c.id)
    )
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
