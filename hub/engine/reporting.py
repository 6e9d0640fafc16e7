"""What actions of plugins led to is told in the tickets: found periodically, ordered once, written like all else."""

from __future__ import annotations

import structlog

from hub.connector import Capability, ConnectorError
from hub.engine.embedded import Periodic
from hub.journal import cases, deliveries, events
from hub.journal.cases import Order
from hub.sync.context import Context

log = structlog.get_logger("hub.reports")


def report_periodics(context: Context) -> list[Periodic]:
    """One periodic look for each connector whose actions are told of later."""
    return [
        Periodic(f"reports {name}", connector.base_settings.poll.every, lambda name=name: _quietly(context, name))  # type: ignore[misc]
        for name, connector in context.connectors.items()
        if Capability.ACTION_REPORTS in connector.capabilities and connector.base_settings.poll.every
    ]


def collect_reports(context: Context, name: str) -> int:
    """Looks once, orders what is new and wakes its tickets; returns how many. Raises ConnectorError."""
    with context.journal.read() as connection:
        known = events.load_cursor(connection, name)
    found = context.connectors[name].reports(known[0] if known else None, context.now())
    now = context.now()
    new = 0
    with context.journal.write() as connection:
        for report in found.reports:
            if not context.looks_after(report.ref.tracker):
                continue
            data = {"text": report.text.text, "visibility": report.text.visibility.value}
            order = Order(
                ref=report.ref, mark=f"{name} {report.mark}", kind="text", data=data, because=f"{name} reports it"
            )
            if cases.place_orders(connection, [order], now):
                deliveries.wake(connection, str(report.ref), now, "report")
                new += 1
        # With the orders, so that a crash neither loses them nor asks for them again.
        events.save_cursor(connection, name, found.cursor, now)
    return new


def _quietly(context: Context, name: str) -> None:
    try:
        new = collect_reports(context, name)
    except ConnectorError as error:
        log.warning("reports could not be had", tracker=name, doing=error.doing, why=error.why)
    else:
        if new:
            log.info("reports found", tracker=name, new=new)
