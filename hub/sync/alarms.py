"""Tells people once of what is new on the failures list: ordered, sent and receipted like messages of rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from hub.connector import ConnectorError
from hub.journal import cases, failures, intents
from hub.journal.cases import Order
from hub.journal.failures import Failure
from hub.journal.intents import IntentEnd, Plan, Receipt
from hub.sync.context import Context
from hub.sync.failing import ALARM

NO_LINK = 0
SHOWN = 10
"""Failures that a message names; of further ones only the number is told."""


def tell_failures(context: Context) -> datetime | None:
    """Tells of new failures, as often as the settings allow; returns when to look again (UTC).

    Raises ConnectorError for the first notifier that could not be told, after all others were.
    """
    _settle_unknown(context)
    look_at = _order(context)
    with context.journal.read() as connection:
        orders = cases.open_orders(connection, [ALARM])
    trouble: ConnectorError | None = None
    for order in orders:
        try:
            _send(context, order)
        except ConnectorError as error:
            trouble = trouble or error
    if trouble is not None:
        raise trouble
    return look_at


def _settle_unknown(context: Context) -> None:
    """Nobody can tell whether a message went out when the hub died; the list has it, and it is not sent twice."""
    with context.journal.write() as connection:
        for intent in intents.open_intents(connection, NO_LINK):
            if intent.target == ALARM:
                _finish(connection, context, intent.id, "void", "the hub was ended while it was being sent")
                cases.finish_order(connection, intent.operation["orders"][0], "done", "it may not have gone out")


def _order(context: Context) -> datetime | None:
    settings, now = context.settings.failures, context.now()
    with context.journal.write() as connection:
        new = failures.untold_failures(connection, str(ALARM))
        if not new or not settings.notify:
            return None
        last = cases.last_ordered(connection, ALARM)
        if last is not None and now < last + timedelta(minutes=settings.every):
            return last + timedelta(minutes=settings.every)
        text = _text(new)
        orders = [
            Order(ref=ALARM, mark=f"{now.isoformat()} {to}", kind="notice", data={"to": to, "text": text},
                  because="something new failed")
            for to in settings.notify
        ]  # fmt: skip
        cases.place_orders(connection, orders, now)
        failures.mark_told(connection, new, now)
    return None


def _text(new: Sequence[Failure]) -> str:
    lines = [f"{failure.what}: {failure.why}" for failure in new[:SHOWN]]
    rest = [f"and {len(new) - SHOWN} more"] if len(new) > SHOWN else []
    return "\n".join([f"{len(new)} new on the failures list:", *lines, *rest, "See: hub failures"])


def _send(context: Context, order: Order) -> None:
    to = order.data["to"]
    operation = {"name": f"order:{order.mark}", "does": f"tell {to} of failures", "because": order.because}
    plan = Plan(target=ALARM, kind="Notify", marker=order.mark, operation={**operation, "orders": [order.id]})
    with context.journal.write() as connection:
        (intent_id,) = intents.store_intents(connection, NO_LINK, [plan], context.now())
    try:
        context.outlets.notify(to, order.data["text"], title="ticket hub: failures")
    except ConnectorError as error:
        with context.journal.write() as connection:
            _finish(connection, context, intent_id, "refused", error.why)
        raise
    with context.journal.write() as connection:
        _finish(connection, context, intent_id, "done", "")
        cases.finish_order(connection, order.id, "done")


def _finish(connection: Connection, context: Context, intent_id: int, end: IntentEnd, why: str) -> None:
    intents.finish_intents(connection, [Receipt(intent_id, end, {"why": why} if why else {}, context.now())])
