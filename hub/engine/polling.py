"""Polling: finds what no webhook told of. It only wakes keys; what follows is the same straight line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog

from hub.connector import Capability, ConnectorError, Hint
from hub.engine.embedded import Periodic
from hub.journal import cases, deliveries, events, links
from hub.journal.cases import CaseRow
from hub.rules.conditions import evaluate
from hub.sync.codec import load_shadow
from hub.sync.context import Context
from hub.ticket import TicketRef

log = structlog.get_logger("hub.poll")

MAX_PAGES = 1000
"""Pages of one look; a tracker that always has more is left for the next time."""


def periodics(context: Context) -> list[Periodic]:
    """One periodic poll for each tracker that can be polled and is used by a link, or looked after by rules."""
    used = {name for link in context.settings.links for name in (*link.tickets, link.issues)}
    used |= {name for name in context.connectors if context.looks_after(name)}
    return [
        Periodic(name, connector.base_settings.poll.every, lambda name=name: _poll_quietly(context, name))  # type: ignore[misc]
        for name, connector in context.connectors.items()
        if name in used and Capability.POLLING in connector.capabilities and connector.base_settings.poll.every
    ]


def poll(context: Context, tracker: str) -> int:
    """Looks once for changes and wakes their keys; returns how many. Raises ConnectorError."""
    connector = context.connectors[tracker]
    with context.journal.read() as connection:
        known = events.load_cursor(connection, tracker)
    cursor = known[0] if known else None
    woken = 0
    for _ in range(MAX_PAGES):
        page = connector.poll(cursor, context.now())
        cursor = page.cursor
        woken += _wake(context, tracker, page.hints, cursor)
        if not page.has_more:
            break
    return woken


def _wake(context: Context, tracker: str, hints: Sequence[Hint], cursor: str) -> int:
    now = context.now()
    woken = 0
    with context.journal.write() as connection:
        for hint in hints:
            ref = TicketRef(tracker, hint.ticket_id)
            link_id = links.link_of(connection, ref)
            if link_id is None and context.looks_after(tracker):
                case = cases.case_of(connection, ref)
                if case is not None and not hint.is_deleted and hint.at is not None and hint.at == _seen_at(case):
                    continue
            elif link_id is None:
                if not _may_be_escalated(context, hint, tracker):
                    continue
            else:
                shadow = links.shadow_of(connection, ref)
                if not hint.is_deleted and shadow and load_shadow(shadow).updated == hint.at is not None:
                    continue
            deliveries.wake(connection, str(ref), now, deliveries.POLLED_AS_DELETED if hint.is_deleted else "poll")
            woken += 1
        # With the wakes, so that a crash neither loses them nor polls them again.
        events.save_cursor(connection, tracker, cursor, now)
    return woken


def _seen_at(case: CaseRow) -> datetime | None:
    """When the ticket was last changed, as the rules have seen it; None while another change may share that time."""
    told = case.data.get("updated")
    return datetime.fromisoformat(told) if told and "gone" not in case.data else None


def _may_be_escalated(context: Context, hint: Hint, tracker: str) -> bool:
    for policy in context.settings.links:
        if tracker in policy.tickets and policy.when is not None:
            facts = {name: value for name, value in hint.values.items() if value is not None}
            if evaluate(policy.when, facts).holds is not False:
                return True
    return False


def _poll_quietly(context: Context, tracker: str) -> None:
    try:
        woken = poll(context, tracker)
    except ConnectorError as error:
        log.warning("poll failed", tracker=tracker, doing=error.doing, why=error.why)
    else:
        if woken:
            log.info("polled", tracker=tracker, woken=woken)
