"""Where the webhook server puts deliveries: durable in the store, with the wakes that they cause."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
import structlog

from hub.connector import Hint
from hub.journal import Journal, JournalError, deliveries, events, incidents
from hub.rules.alerts import Signal, dump_signal
from hub.sync.codec import dump_hint
from hub.sync.keys import alert_key
from hub.ticket import TicketRef

log = structlog.get_logger("hub.receive")


CONTENT_KEY = "sha256:"
"""How the keys of deliveries begin that are told apart by their content only."""
ALERTS = "alert:"
"""How the trackers of deliveries begin that are no trackers but monitoring."""


class InboxUnavailableError(Exception):
    """Nothing can be stored now: the sender should send again."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a delivery."""

    delivery_id: int
    is_duplicate: bool


class JournalInbox:
    """Stores deliveries and wakes their tickets in one transaction, then tells the engine."""

    def __init__(self, journal: Journal, notify: Callable[[], None]) -> None:
        self._journal, self._notify = journal, notify

    def store(
        self,
        *,
        tracker: str,
        delivery_key: str,
        received: datetime,
        headers: Mapping[str, str],
        body: bytes,
        hints: Sequence[Hint],
        ignored: str | None,
    ) -> Stored:
        """Keeps a verified delivery; durable when it returns. Raises InboxUnavailableError."""
        refs = list(dict.fromkeys(TicketRef(tracker, hint.ticket_id) for hint in hints))
        try:
            with self._journal.write() as connection:
                delivery_id, is_duplicate = deliveries.store_delivery(
                    connection,
                    tracker=tracker,
                    delivery_key=delivery_key,
                    ticket_id=refs[0].id if refs else None,
                    received=received,
                    headers=headers,
                    body=body,
                    hints=[dump_hint(hint) for hint in hints],
                    ignored=ignored,
                )
                # A tracker that gives no id may say the same thing of two changes: then the content tells nothing.
                is_told_again = is_duplicate and delivery_key.startswith(CONTENT_KEY)
                if (not is_duplicate or is_told_again) and ignored is None:
                    for index, ref in enumerate(refs):
                        reason = "webhook" if index == 0 and not is_duplicate else "mentioned"
                        # A delivery is filed under its first ticket; the others are read without it.
                        deliveries.wake(connection, str(ref), received, reason)
        except (sa.exc.SQLAlchemyError, JournalError) as error:
            log.error("a delivery could not be stored", tracker=tracker, cause=type(error).__name__)
            raise InboxUnavailableError(str(type(error).__name__)) from error
        if (not is_duplicate or is_told_again) and ignored is None:
            self._notify()
        return Stored(delivery_id, is_duplicate)

    def store_signals(
        self,
        *,
        source: str,
        delivery_key: str,
        received: datetime,
        headers: Mapping[str, str],
        body: bytes,
        signals: Sequence[Signal],
    ) -> Stored:
        """Keeps what a monitoring sent, and wakes the groups it speaks of. Raises InboxUnavailableError.

        A delivery without an id that says the same as the last one of each of its groups is a duplicate; when anything
        else was said of one of them meanwhile, it is told again.
        """
        try:
            with self._journal.write() as connection:
                delivery_id, is_duplicate = deliveries.store_delivery(
                    connection,
                    tracker=f"{ALERTS}{source}",
                    delivery_key=delivery_key,
                    ticket_id=None,
                    received=received,
                    headers=headers,
                    body=body,
                    hints=[],
                    ignored=None if signals else "it speaks of no alert",
                )
                if is_duplicate and delivery_key.startswith(CONTENT_KEY):
                    said_last = {incidents.last_delivery(connection, source, signal.group) for signal in signals}
                    is_duplicate = said_last <= {delivery_id}
                for signal in () if is_duplicate else signals:
                    incidents.store_signal(
                        connection,
                        source=source,
                        group=signal.group,
                        delivery_id=delivery_id,
                        received=received,
                        data=dump_signal(signal),
                    )
                    deliveries.wake(connection, alert_key(source, signal.group), received, "alerts")
        except (sa.exc.SQLAlchemyError, JournalError) as error:
            log.error("alerts could not be stored", source=source, cause=type(error).__name__)
            raise InboxUnavailableError(str(type(error).__name__)) from error
        if not is_duplicate and signals:
            self._notify()
        return Stored(delivery_id, is_duplicate)

    def refused(self, *, tracker: str, received: datetime, reason: str, status: int) -> None:
        """Notes a request that was turned away. Nothing of its content is kept."""
        log.warning("refused", tracker=tracker, reason=reason, status=status)
        try:
            with self._journal.write() as connection:
                events.record(
                    connection,
                    [
                        events.Event(
                            at=received, kind="refused", data={"tracker": tracker, "reason": reason, "status": status}
                        )
                    ],
                )
        except (sa.exc.SQLAlchemyError, JournalError) as error:
            log.error("a refusal could not be noted", tracker=tracker, cause=type(error).__name__)
