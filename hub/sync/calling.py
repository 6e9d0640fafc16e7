"""Doing operations that leave the trackers: messages of notifiers, and actions.

It must not know what a notifier or an action does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from hub.connector import ActionRequest, TemporaryError
from hub.journal import cases
from hub.sync.operations import CallAction, Notify
from hub.sync.progress import Progress


class OutletError(Exception):
    """A notifier or an action cannot do its part now; the ticket's tracker has nothing to do with it."""

    def __init__(self, cause: TemporaryError) -> None:
        self.cause = cause
        super().__init__(str(cause))


def let_out(progress: Progress, operation: Notify | CallAction) -> dict[str, Any]:
    """Sends a message or calls an action; what comes back is the receipt."""
    if isinstance(operation, CallAction):
        return _call(progress, operation)
    progress.context.outlets.notify(operation.notifier, operation.text)
    return {"notifier": operation.notifier}


def _call(progress: Progress, operation: CallAction) -> dict[str, Any]:
    """The action says what is to be told; that is ordered, and written like every other text."""
    member = progress.state.member(operation.target)
    assert member.snapshot is not None
    request = ActionRequest(
        ref=operation.target, ticket=member.snapshot.ticket, arguments=operation.arguments, mark=operation.mark
    )
    said = progress.context.outlets.call(operation.action, request)
    orders = [
        cases.Order(
            ref=operation.target,
            mark=f"{operation.mark} says {index}",
            kind="text",
            data={"text": text.text, "visibility": text.visibility.value},
            because=f"{operation.action}: {operation.because}",
        )
        for index, text in enumerate(said.texts)
    ]
    now = progress.context.now()
    progress.later(lambda connection: _place(connection, orders, now))
    return {"action": operation.action, "said": len(orders), **said.receipt}


def _place(connection: Connection, orders: Sequence[cases.Order], now: datetime) -> None:
    cases.place_orders(connection, orders, now)
