"""The clocks that run for a case, and which of their warnings and breaches have passed. Pure.

It reads a case as it is; it must not know what rules make of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from hub.rules.book import RuleBook, Running
from hub.rules.case import Case
from hub.rules.clocks import Clock, clock_of
from hub.rules.conditions import Facts
from hub.settings.rules import Actions

MOST_AHEAD = timedelta(minutes=15)
"""How far a tracker's clock may be ahead of ours; what seems later has not happened yet."""


def clocks_of(book: RuleBook, case: Case, facts: Facts, now: datetime) -> dict[str, tuple[Running, Clock]]:
    """The clocks that run for a case, by `<agreement>.<measure>`.

    What a tracker whose clock is ahead stamps with a time to come has happened.
    """
    found = {}
    at = max(now, case.history.latest(now + MOST_AHEAD))
    for running in book.running(facts, now):
        clock = clock_of(running.target, case.history, running.promise.calendar, at)
        if clock is not None:
            found[running.name] = (running, clock)
    return found


def case_facts(case: Case) -> dict[str, object]:
    """What a case alone answers, without a look at the ticket: enough to choose its agreements."""
    seen = {name: value for name, value in case.seen.items() if name not in ("labels", "custom")}
    custom = {f"custom:{name}": value for name, value in case.seen.get("custom", {}).items()}
    labels = frozenset(case.seen.get("labels", ()))
    around = {
        "tracker": case.ref.tracker,
        "title": case.title,
        "created": case.history.created,
        "updated": case.touched,
        "line_since": case.line_since,
        "labels": labels,
    }
    return {**seen, **custom, **around}


def steps_of(running: Running, clock: Clock) -> Iterator[tuple[datetime, int, str, Running, Clock, Actions | None]]:
    """The warnings and the breach of a clock that have passed: when, at how many percent, and what is to be done."""
    agreement = running.promise.agreement
    for percent, at in clock.warnings:
        if percent in agreement.warnings:
            yield at, percent, running.name, running, clock, agreement.warnings[percent]
    if clock.breached_at is not None:
        yield clock.breached_at, 100, running.name, running, clock, agreement.on_breach


def step_name(name: str, clock: Clock, percent: int) -> str:
    """What a case remembers of a step that was acted on."""
    return f"{name} {clock.started.isoformat()} {percent}"


def shown(clock: Clock) -> dict[str, Any]:
    """A clock as it is kept for people: its state, and when it is due (ISO 8601, UTC)."""
    return {"state": str(clock.state), "due": clock.due.isoformat() if clock.due else None}
