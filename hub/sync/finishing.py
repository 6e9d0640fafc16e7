"""How a run ends: what it did is recorded in one transaction, what it could not do is put off with its cause.

Whoever must act is told by the failures list, at once or when it stays so. It must not know what a run was about, and
asks no tracker.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog
from sqlalchemy.engine import Connection

from hub.connector import AuthError, ConnectorError, RateLimitedError
from hub.journal import deliveries, events, links
from hub.journal.deliveries import Wake
from hub.sync.advance import advance
from hub.sync.care import restore_looks
from hub.sync.codec import dump_shadow
from hub.sync.context import Context
from hub.sync.failing import note_failure
from hub.sync.loading import Loaded
from hub.sync.progress import Progress, backoff
from hub.ticket import TicketRef

log = structlog.get_logger("hub.sync")

ALARM_AFTER = 3
"""Attempts after which a link that cannot be worked on stands in the failures list."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended. `due` is when it wants to run again, None when nothing is left of it.

    With a `due` and not `postponed` everything is done but what a notifier, an action or another key is to do.
    """

    outcome: Literal["idle", "written", "postponed"]
    due: datetime | None = None
    why: str = ""


def finish(loaded: Loaded, echoes: Collection[int], result: Result) -> Result:
    """Records what a run did and how it ended. `echoes` are ids of deliveries that showed only the hub's own writes."""
    progress = loaded.progress
    if progress.unsent and result.outcome != "postponed":
        # Everything else is done, and stays done; only what could not go out is tried again.
        result = _unsent(loaded)
    refs = [m.ref for m in progress.state.tickets]
    with progress.transaction() as connection:
        progress.flush_all_into(connection)
        for member in progress.state.members if progress.state.id else ():
            shadow = dump_shadow(advance(progress.state, member, progress.held_back, progress.is_complete))
            if (shadow, member.key) != loaded.shadows.get(member.ref):
                links.save_shadow(connection, member.ref, shadow, key=member.key, url=member.url)
        if progress.state.turns != loaded.row.turns:
            links.save_turns(connection, progress.state.id, progress.state.turns)
        deliveries.settle_deliveries(connection, echoes, "echo", "the hub's own write")
        if result.due is not None:
            taken = loaded.taken or [Wake(progress.key, result.due, 0, 0, result.why)]
            if not loaded.taken:
                deliveries.wake(connection, progress.key, result.due, result.why)
            again = deliveries.postpone_wakes if result.outcome == "postponed" else deliveries.retry_wakes
            again(connection, taken, result.due, result.why)
        if result.outcome == "postponed":
            restore_looks(connection, progress.context, refs, only_after=progress.context.now())
        else:
            rest = [d.id for d in loaded.waiting if d.id not in set(echoes)]
            deliveries.settle_deliveries(connection, rest, "done")
            if result.due is None:
                deliveries.settle_wakes(connection, loaded.taken)
            restore_looks(connection, progress.context, refs)
            for ref, wait in progress.look_again.items():
                deliveries.wake(connection, str(ref), progress.context.now() + wait, "there is more to decide")
            for ref in sorted(progress.unfinished, key=str):
                deliveries.wake(connection, str(ref), progress.context.now(), "orders are left")
            # An escalation is woken under its link's key inside the run itself.
            progress.settle_failures(connection)
    return result


def finish_failed(loaded: Loaded, echoes: Collection[int], error: ConnectorError) -> Result:
    """Records what a run did all the same, and puts the rest off until the tracker may answer again."""
    progress = loaded.progress
    attempts = max((w.attempts for w in loaded.taken), default=0)
    result = Result("postponed", _due(progress.context, error, attempts, progress.retry_after), str(error))
    _alarm(progress, error, attempts)
    return finish(loaded, echoes, result)


def postpone(context: Context, key: str, taken: Sequence[Wake], error: ConnectorError, ref: TicketRef) -> Result:
    """Puts off wakes of which nothing was done yet; `ref` is the ticket that the record shows."""
    attempts = max((w.attempts for w in taken), default=0)
    due = _due(context, error, attempts)
    now = context.now()
    with context.journal.write() as connection:
        deliveries.postpone_wakes(connection, taken, due, str(error))
        events.record(
            connection,
            [
                events.Event(
                    at=now,
                    kind="postponed",
                    ref=ref,
                    data={"where": error.tracker, "doing": error.doing, "why": error.why},
                )
            ],
        )
        if not error.is_temporary or attempts + 1 >= ALARM_AFTER:
            _open_failure(connection, context, key, ref, error, now)
    log.warning("postponed", ticket=str(ref), tracker=error.tracker, why=error.why)
    return Result("postponed", due, str(error))


def _unsent(loaded: Loaded) -> Result:
    progress = loaded.progress
    error = next(iter(progress.unsent.values()))
    attempts = max((w.attempts for w in loaded.taken), default=0)
    if attempts + 1 >= ALARM_AFTER:
        progress.record_unsent()
    return Result("written" if progress.writes else "idle", _due(progress.context, error, attempts), str(error))


def _alarm(progress: Progress, error: ConnectorError, attempts: int) -> None:
    is_urgent = not error.is_temporary or isinstance(error, AuthError)
    if is_urgent or attempts + 1 >= ALARM_AFTER:
        ref = next((m.ref for m in progress.state.members if m.ref.tracker == error.tracker), None)
        now, key = progress.context.now(), progress.key
        target = ref or TicketRef(error.tracker, "")
        context = progress.context
        progress.later(lambda connection: _open_failure(connection, context, key, target, error, now))


def _open_failure(
    connection: Connection, context: Context, key: str, ref: TicketRef, error: ConnectorError, now: datetime
) -> None:
    note_failure(
        connection,
        context,
        key=key,
        ref=ref,
        what="run",
        digest="",
        why=f"{error.doing}: {error.why}",
        remedy=error.remedy or "It is tried again by itself.",
        now=now,
    )


def _due(context: Context, error: ConnectorError, attempts: int, retry_after: float | None = None) -> datetime:
    settings = context.settings.engine
    wait = backoff(attempts, settings.retry_first, settings.retry_most)
    if isinstance(error, RateLimitedError):
        retry_after = max(retry_after or 0.0, error.retry_after)
    if retry_after is not None:
        wait = max(timedelta(seconds=retry_after), timedelta(seconds=0.1))
    elif not error.is_temporary:
        wait = max(wait, timedelta(seconds=settings.retry_most))
    return context.now() + wait
