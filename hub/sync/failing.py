"""Failures are put on the list, and who wants to be told of new ones is told soon."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from hub.journal import deliveries, failures
from hub.sync.context import Context
from hub.ticket import TicketRef

ALARM = TicketRef("hub", "failures")
"""Stands where a ticket stands, for messages about failures; its key is what they are sent under."""
GATHER = timedelta(seconds=30)
"""How long after the first failure others are waited for, which often come from the same cause."""


def note_failure(
    connection: Connection,
    context: Context,
    *,
    key: str,
    ref: TicketRef,
    what: str,
    digest: str,
    why: str,
    remedy: str,
    now: datetime,
) -> None:
    """Opens a failure or counts another attempt. `what` names the piece, see `hub.journal.failures.Failure`."""
    is_new = failures.record_failure(
        connection,
        key=key,
        tracker=ref.tracker,
        ticket_id=ref.id,
        what=f"{ref} {what}",
        digest=digest,
        why=why,
        remedy=remedy,
        now=now,
    )
    if is_new and context.settings.failures.notify and key != str(ALARM):
        deliveries.wake(connection, str(ALARM), now + GATHER, "something failed")
