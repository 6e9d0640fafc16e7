"""One run of one key: by what the key stands for, it goes to the one who works on that.

A ticket in no link runs under its own key (`support:35436`), a link under its own (`link:7`). The caller sees to it
that a key runs in one place at a time. It must not know what is read, planned or written.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hub.connector import ConnectorError
from hub.journal import cases, deliveries, failures, intents, links
from hub.sync.adopt import adopt_book
from hub.sync.alarms import tell_failures
from hub.sync.alone import run_alone
from hub.sync.context import Context
from hub.sync.failing import ALARM, note_failure
from hub.sync.finishing import Result, postpone
from hub.sync.fulfil import has_orders
from hub.sync.incidents import keep_incident
from hub.sync.keys import AlertGroup, alerts_of, link_key, ticket_of
from hub.sync.linked import run_linked
from hub.sync.loading import Loaded, load_linked
from hub.sync.progress import backoff
from hub.sync.recover import TooEarlyError
from hub.ticket import TicketRef


def run_key(context: Context, key: str) -> Result:
    """Runs a key to its end, whatever happens: what cannot be done now is put off, with its cause on record."""
    alerts, ref = alerts_of(key), ticket_of(key)
    if alerts is not None:
        return _run_alerts(context, key, alerts)
    if ref == ALARM:
        return _run_alarm(context, key)
    if ref is None:
        return _run_link(context, int(key.removeprefix("link:")))
    return run_alone(context, ref)


def wake_unfinished(context: Context) -> None:
    """Wakes what an earlier process left in the middle of a write, whether or not anything else is known.

    A rule book that is another than the last time is taken up first.
    """
    adopt_book(context)
    with context.journal.write() as connection:
        unfinished = [link_key(link_id) for link_id in intents.links_with_open_intents(connection) if link_id]
        unfinished += [str(ref) for ref in cases.tickets_with_open_orders(connection)]
        for key in unfinished:
            deliveries.wake(connection, key, context.now(), "unfinished work")


def run_broke_off(context: Context, key: str) -> None:
    """Puts off what a run left behind that ended by a mistake of the hub, and says so in the failures list."""
    now = context.now()
    why = "the hub made a mistake while it worked on this; the log has the details"
    with context.journal.write() as connection:
        ref = ticket_of(key)
        if alerts_of(key) is not None:
            keys, ref = [key], TicketRef("hub", key)
        elif ref is None:
            found = links.load_link(connection, int(key.removeprefix("link:")))
            members = found[1] if found else []
            keys = [key, *(str(m.ref) for m in members)]
            ref = members[0].ref if members else TicketRef("hub", key)
        else:
            keys = [key]
        taken = deliveries.wakes_of(connection, keys, now)
        attempts = max((w.attempts for w in taken), default=0)
        due = now + backoff(attempts, context.settings.engine.retry_first, context.settings.engine.retry_most)
        deliveries.postpone_wakes(connection, taken, due, why)
        note_failure(
            connection,
            context,
            key=key,
            ref=ref,
            what="run",
            digest="",
            why=why,
            remedy="It is tried again by itself. Report it with the log's lines about this key.",
            now=now,
        )


def _run_alerts(context: Context, key: str, group: AlertGroup) -> Result:
    def work() -> tuple[Result, datetime | None]:
        kept = keep_incident(context, group)
        # What was ordered waits for the ticket's own key: it is due now.
        due = context.now() if kept.has_written else None
        return Result("written" if kept.has_written else "idle", due, kept.why), kept.look_at

    return _run_own(context, key, work)


def _run_alarm(context: Context, key: str) -> Result:
    return _run_own(context, key, lambda: (Result("idle", why="new failures were told"), tell_failures(context)))


def _run_own(context: Context, key: str, work: Callable[[], tuple[Result, datetime | None]]) -> Result:
    """Work that belongs to no ticket: done, or put off and put on the list. It says when it wants to be done again."""
    with context.journal.read() as connection:
        taken = deliveries.wakes_of(connection, [key], context.now())
    try:
        result, look_at = work()
    except TooEarlyError as error:
        with context.journal.write() as connection:
            deliveries.postpone_wakes(connection, taken, error.until, str(error))
        return Result("postponed", error.until, str(error))
    except ConnectorError as error:
        return postpone(context, key, taken, error, TicketRef(error.tracker, ""))
    with context.journal.write() as connection:
        deliveries.settle_wakes(connection, taken)
        if look_at is not None:
            deliveries.wake(connection, key, look_at, "more to tell")
        for failure in failures.failures_of(connection, key):
            failures.resolve_failure(connection, key, failure.what)
    return result


def _run_link(context: Context, link_id: int) -> Result:
    loaded = load_linked(context, link_id)
    if loaded is None or not loaded.progress.state.members:
        return _forget(context, loaded)
    return run_linked(loaded, {})


def _forget(context: Context, loaded: Loaded | None) -> Result:
    """A link without members, or whose settings or trackers are not configured any more: nothing is kept in step.

    Its tickets are still looked after by the rules, and what is ordered for them is done.
    """
    if loaded is None:
        return Result("idle", why="there is no such link")
    why = f"the settings have no link {loaded.row.policy!r} with these trackers any more"
    known = [ref for ref in loaded.shadows if ref.tracker in context.connectors]
    cared = [ref for ref in known if context.looks_after(ref.tracker) or has_orders(context, ref)]
    keys = {str(ref) for ref in cared}
    with context.journal.write() as connection:
        deliveries.settle_wakes(connection, [w for w in loaded.taken if w.key not in keys])
        deliveries.settle_deliveries(connection, [d.id for d in loaded.waiting if str(d.ref) not in keys], "done", why)
    results = [run_alone(context, ref, is_linked=True) for ref in cared]
    return next((result for result in results if result.outcome != "idle"), Result("idle", why=why))
