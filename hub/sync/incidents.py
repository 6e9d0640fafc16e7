"""Alerts become incidents: what was said of a group is folded, its ticket opened, and what it is to be told ordered.

What was said is taken into account in one transaction, the ticket is created with an intent before and a receipt
after, and what it is told afterwards is ordered like what a rule wants. So whatever dies when, there is one ticket, and
everything is told once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.engine import Connection

from hub.connector import (
    Capability,
    Changes,
    Connector,
    Created,
    Draft,
    Known,
    NotFoundError,
    NotOfferedError,
    PermanentError,
    Unwritable,
)
from hub.journal import cases, deliveries, events, incidents, intents
from hub.journal.incidents import IncidentRow
from hub.journal.intents import Intent, Plan, Receipt
from hub.rules.alert_texts import description_of, title_of
from hub.rules.alerts import (
    STORM,
    STORM_NAME,
    STORM_WINDOW,
    Decision,
    Incident,
    Signal,
    decide,
    dump_incident,
    fold,
    load_incident,
    load_signal,
    opened,
    priority_of,
)
from hub.settings.alerts import AlertSource
from hub.sync.codec import dump_changes, dump_value
from hub.sync.context import Context
from hub.sync.creating import create_without_refused
from hub.sync.keys import AlertGroup, alert_key
from hub.sync.marks import incident_mark
from hub.sync.recover import believe_only_late
from hub.sync.shorten import shortened
from hub.text import from_plain
from hub.ticket import Category, Person, Status, TicketRef, Value, Visibility

log = structlog.get_logger("hub.alerts")

NO_LINK = 0
"""The id under which the intents of tickets in no link are kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How far an incident was brought. `look_at` is when there is more to tell (UTC), None for nothing."""

    has_written: bool
    look_at: datetime | None
    why: str


def keep_incident(context: Context, group: AlertGroup) -> Kept:
    """Takes into account what was said of a group of alerts, and brings its incident up to it.

    Raises ConnectorError, or `hub.sync.recover.TooEarlyError`, with everything so far on record.
    """
    source = context.settings.alerts.get(group.source)
    if source is None or source.tracker not in context.connectors:
        return _give_up(context, group)
    row, why = _take_in(context, group, source)
    if row is None:
        return Kept(False, None, why)
    incident = load_incident(row.data)
    is_done = False
    if row.ref is not None and incident.has_news:
        standing = _status(context, row.ref)
        if standing is None or standing is Status.CLOSED:
            row = _begin_again(context, row, incident)
            incident = load_incident(row.data)
        else:
            is_done = standing.is_done
    if row.ref is None:
        return _open(context, row, incident, source)
    return _tell(context, row, decide(incident, source, context.now(), is_done=is_done), source)


# -- taking in ----------------------------------------------------------------------------------------------------


def _give_up(context: Context, group: AlertGroup) -> Kept:
    with context.journal.write() as connection:
        while waiting := incidents.waiting_signals(connection, *group):
            incidents.settle_signals(connection, waiting)
    return Kept(False, None, f"the settings have no alerts from {group.source!r} any more")


def _take_in(context: Context, group: AlertGroup, source: AlertSource) -> tuple[IncidentRow | None, str]:
    """The present incident of the group with all that was said of it; None, and why, where there is none."""
    while True:
        with context.journal.write() as connection:
            now = context.now()
            waiting = incidents.waiting_signals(connection, *group)
            row = _present(connection, group, source, now)
            if not waiting:
                return row, "nothing is going on"
            signals = [load_signal(one.data) for one in waiting]
            if row is None and any(alert.is_firing for signal in signals for alert in signal.alerts):
                row = _begin(connection, group, signals[-1], source, now)
            if row is not None and row.state == "joined":
                incidents.pass_signals(connection, *group, to=STORM)
                deliveries.wake(connection, alert_key(group.source, STORM), now, "a storm of alerts")
                return None, "too much at once: it joined the common incident"
            if row is not None:
                folded = fold(load_incident(row.data), signals, merges=group.group == STORM)
                row = replace(row, data=dump_incident(folded))
                incidents.save_incident(connection, row)
            incidents.settle_signals(connection, waiting)


def _present(connection: Connection, group: AlertGroup, source: AlertSource, now: datetime) -> IncidentRow | None:
    """The incident that what is said of the group now belongs to, None where a new one would begin."""
    row = incidents.present_incident(connection, *group)
    if row is None or row.state == "left":
        return None
    if row.state == "joined":
        storm = AlertGroup(group.source, STORM)
        is_on = (
            incidents.has_waiting_signals(connection, *storm) or _present(connection, storm, source, now) is not None
        )
        return row if is_on else None
    incident = load_incident(row.data)
    if incident.is_firing or incident.state == "open":
        return row
    if incident.state == "new":
        # It had ended before there was a ticket; one may be on its way all the same.
        return row
    assert incident.ended is not None
    return row if now < incident.ended + timedelta(minutes=source.quiet_for) else None


def _begin(
    connection: Connection, group: AlertGroup, signal: Signal, source: AlertSource, now: datetime
) -> IncidentRow:
    is_storm = group.group == STORM
    incident = Incident(name=STORM_NAME if is_storm else signal.name)
    is_too_much = not is_storm and (
        incidents.count_begun(connection, group.source, now - STORM_WINDOW) >= source.storm_after
    )
    state: incidents.IncidentState = "joined" if is_too_much else "own"
    return incidents.begin_incident(
        connection, source=group.source, group=group.group, state=state, data=dump_incident(incident), now=now
    )


# -- the ticket ---------------------------------------------------------------------------------------------------


def _status(context: Context, ref: TicketRef) -> Status | None:
    """Where a ticket stands, None for one that is gone. Raises ConnectorError."""
    try:
        snapshot = context.connectors[ref.tracker].read(ref.id, Known(must_read_comments=False, comment_count=0))
    except NotFoundError:
        return None
    return None if snapshot.is_deleted else snapshot.ticket.status


def _begin_again(context: Context, row: IncidentRow, incident: Incident) -> IncidentRow:
    """Another incident, with a ticket of its own, in place of one whose ticket is gone or closed for good."""
    fresh = Incident(
        name=incident.name, url=incident.url, firing=incident.firing, beyond=incident.beyond, details=incident.details
    )
    with context.journal.write() as connection:
        incidents.save_incident(connection, replace(row, state="left"))
        return incidents.begin_incident(
            connection, source=row.source, group=row.group, state="own", data=dump_incident(fresh), now=context.now()
        )


def _open(context: Context, row: IncidentRow, incident: Incident, source: AlertSource) -> Kept:
    connector = context.connectors[source.tracker]
    mark = incident_mark(row.source, context.journal.install_id, row.id)
    with context.journal.read() as connection:
        begun = [one for one in intents.open_intents(connection, NO_LINK) if one.marker == mark]
    for intent in begun:
        found = connector.find_ticket(mark)
        if found is None:
            believe_only_late(intent, connector.search_lag, context.now())
            _receipt(context, intent.id, "void", {"why": "nothing with its mark was found"})
        else:
            return _opened(context, row, incident, source, found, intent)
    if not incident.is_firing:
        why = "the alerts had ended before a ticket was opened"
        with context.journal.write() as connection:
            incidents.save_incident(connection, replace(row, state="left"))
            data = {"source": row.source, "name": incident.name, "why": why}
            events.record(connection, [events.Event(at=context.now(), kind="incident", data=data)])
        return Kept(False, None, why)
    if Capability.CREATE not in connector.capabilities:
        raise NotOfferedError(connector.name, Capability.CREATE)
    draft = _draft(context, connector, row, incident, source, mark)
    intent = _intend(context, row, incident, draft, connector)
    try:
        created, _ = create_without_refused(connector, draft)
    except PermanentError as error:
        _receipt(context, intent.id, "refused", {"why": error.why})
        raise
    return _opened(context, row, incident, source, created, intent)


def _draft(
    context: Context, connector: Connector, row: IncidentRow, incident: Incident, source: AlertSource, mark: str
) -> Draft:
    now = context.now()
    wanted: dict[str, Value] = {"priority": priority_of(incident, source)}
    if source.category:
        wanted["category"] = Category(source.category)
    if source.assignee:
        wanted["assignee"] = context.people().account(source.tracker, source.assignee)
    return Draft(
        marker=mark,
        title=title_of(incident, row.source, source, now),
        description=shortened(description_of(incident, row.source, source, now)),
        values=dict(_held(connector, wanted)),
        labels=frozenset(connector.hold_label(label) for label in source.labels),
        requester=Person(email=source.requester) if source.requester else None,
        visibility=Visibility(source.visibility),
    )


def _held(connector: Connector, wanted: dict[str, Value]) -> Iterable[tuple[str, Value]]:
    """The values in the tracker's own form, less those that it has none for."""
    for name, value in wanted.items():
        try:
            yield name, connector.hold(name, value)
        except Unwritable as error:
            log.info("a value of an incident has no form", tracker=connector.name, field=name, why=str(error))


def _intend(context: Context, row: IncidentRow, incident: Incident, draft: Draft, connector: Connector) -> Intent:
    plan = Plan(
        target=TicketRef(connector.name, ""),
        kind="CreateTicket",
        marker=draft.marker,
        operation={
            "told": sorted(incident.firing),
            "name": "create",
            "does": f"create a ticket in {connector.name}: {draft.title}",
            "because": f"alerts of {row.source}",
            "marker": draft.marker,
            "held": {name: dump_value(value) for name, value in draft.values.items()},
            "labels": sorted(draft.labels),
        },
    )
    now = context.now()
    with context.journal.write() as connection:
        intent_id = intents.store_intents(connection, NO_LINK, [plan], now)[0]
    return Intent(
        id=intent_id, link_id=NO_LINK, target=plan.target, kind=plan.kind, marker=plan.marker,
        operation=plan.operation, created=now,
    )  # fmt: skip


def _receipt(context: Context, intent_id: int, end: intents.IntentEnd, data: dict[str, Any]) -> None:
    with context.journal.write() as connection:
        intents.finish_intents(connection, [Receipt(intent_id, end, data, context.now())])


def _opened(
    context: Context, row: IncidentRow, incident: Incident, source: AlertSource, created: Created, intent: Intent
) -> Kept:
    """The ticket is there, made now or before a crash; what it does not say yet is told like any other update."""
    now, ref = context.now(), TicketRef(source.tracker, created.id)
    incident = opened(incident, source, now, told=frozenset(intent.operation["told"]))
    row = replace(row, ref=ref, data=dump_incident(incident))
    with context.journal.write() as connection:
        receipt = {"id": created.id, "key": created.key, "url": created.url, "refused": dict(created.refused)}
        intents.finish_intents(connection, [Receipt(intent.id, "done", receipt, now)])
        incidents.save_incident(connection, row)
        data = {"source": row.source, "name": incident.name, "alerts": incident.count, "opened": created.key}
        events.record(connection, [events.Event(at=now, kind="incident", ref=ref, data=data)])
    context.count_write(source.tracker, "CreateTicket")
    log.info("incident opened", source=row.source, ticket=str(ref), alerts=incident.count)
    return _tell(context, row, decide(incident, source, now, is_done=False), source)


# -- what it is told ----------------------------------------------------------------------------------------------


def _tell(context: Context, row: IncidentRow, decision: Decision, source: AlertSource) -> Kept:
    """Orders what was decided; the ticket's own key does it, so that nothing else writes to it meanwhile."""
    if not decision.is_write:
        return Kept(False, decision.look_at, decision.because or "nothing new")
    assert row.ref is not None
    now, ref, prefix = context.now(), row.ref, f"alert {row.id} "
    data = {"source": row.source, "name": decision.incident.name, "why": decision.because}
    with context.journal.write() as connection:
        orders = [*_text_order(decision, ref, prefix, source), *_change_order(connection, decision, ref, prefix)]
        cases.place_orders(connection, orders, now)
        incidents.save_incident(connection, replace(row, data=dump_incident(decision.incident)))
        events.record(connection, [events.Event(at=now, kind="incident", ref=ref, data=data)])
        deliveries.wake(connection, str(ref), now, "alerts")
    return Kept(True, decision.look_at, decision.because)


def _text_order(decision: Decision, ref: TicketRef, prefix: str, source: AlertSource) -> list[cases.Order]:
    if not decision.text:
        return []
    text = {"text": from_plain(decision.text), "visibility": source.visibility}
    mark = f"{prefix}text {decision.incident.writes}"
    return [cases.Order(ref=ref, mark=mark, kind="text", data=text, because=decision.because)]


def _change_order(connection: Connection, decision: Decision, ref: TicketRef, prefix: str) -> list[cases.Order]:
    """The change, together with an earlier one that was not made yet: solved and open at once would be a lottery."""
    values: dict[str, Value] = {}
    if decision.priority is not None:
        values["priority"] = decision.priority
    if decision.status is not None:
        values["status"] = Status(decision.status)
    if not values:
        return []
    wanted = dump_changes(Changes(values=values))
    for earlier in cases.open_orders(connection, [ref]):
        if earlier.kind == "change" and earlier.mark.startswith(prefix):
            wanted = {**wanted, "values": {**earlier.data["values"], **wanted["values"]}}
            cases.finish_order(connection, earlier.id, "dropped", "a later change took its place")
    mark = f"{prefix}change {decision.incident.writes}"
    return [cases.Order(ref=ref, mark=mark, kind="change", data=wanted, because=decision.because)]
