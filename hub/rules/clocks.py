"""Clocks of agreements: how much of a target is used up, when it is due, whether it was met.

Pure. A clock is computed from the ticket's whole history with the target and the calendar that apply *now*. So a
changed priority, agreement or calendar counts from the beginning, not from the moment of the change: a ticket that
becomes urgent after three hours has used three hours of the urgent target, and may have breached it in the past.

What the measures mean. Where tools differ, Zendesk's documented behaviour is the default and `Target.again` has the
others; the pages are named at the cases in `tests/rules/test_documented_clocks.py`.

- `first_response` runs from the creation to the first public reply of staff; no note and no customer's reply stops it.
- `next_response` runs from a customer's oldest unanswered reply, once staff have replied at all, to the next of staff.
- `update` runs from each public reply of staff to the next one.
- `ownership` runs while nobody is assigned. For a line's target somebody must be assigned since the line got the
  ticket: who owned it in another line does not own it here.
- `resolution` runs from the creation until the ticket is solved or closed.

Time in a status of `paused_in` does not count, nor does time while the ticket is done. A ticket that is done before a
measure reached its goal *stops* the clock: neither met nor, unless it was late already, missed.

A target may be bound to lines (an OLA: the time while the second line has it) or to statuses (an underpinning contract:
the time while it is on hold at a supplier). It then begins when the ticket comes there, and a resolution is met when
the ticket is handed on or done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import cast

from hub.rules.calendars import MINUTE, NOTHING, Calendar, Interval
from hub.rules.cycles import Again, Cycle, Measure, Scope, cycles_of, last_cycle_of
from hub.rules.history import History
from hub.ticket import Status

__all__ = [
    "Again",
    "Clock",
    "ClockState",
    "Measure",
    "Target",
    "Waiting",
    "clock_cycles",
    "clock_of",
    "time_by_line",
    "time_waiting",
    "usual_pauses",
]


class ClockState(StrEnum):
    RUNNING = "running"
    """Counting, and in time. Also outside opening hours, when nothing is added."""
    PAUSED = "paused"
    """Waiting in a status that does not count, or elsewhere. It may have been late before: see `breached_at`."""
    BREACHED = "breached"
    """Counting, and late."""
    MET = "met"
    """The goal was reached in time; exactly when due is in time."""
    MISSED = "missed"
    """The goal was reached late, or the clock was stopped after it was late."""
    STOPPED = "stopped"
    """The ticket was done, or left for good, before the goal was reached and before it was due."""

    @property
    def is_open(self) -> bool:
        return self in (ClockState.RUNNING, ClockState.PAUSED, ClockState.BREACHED)


@dataclass(frozen=True, slots=True)
class Target:
    """What was agreed: `measure` within `minutes` of business time (0 or more; 0 is due at once).

    `warn_at` are percentages of the target, 1 to 999; beyond 100 they warn again after the breach. `paused_in` are
    statuses whose time does not count; done ones never do. `lines` and `statuses` bind the target to the time that the
    ticket spends there, None for all of its life. `again` says what happens when that time comes again, None for what
    is usual: a target of the whole life continues, a bound one begins anew. Raises ValueError where that cannot be.
    """

    measure: Measure
    minutes: float
    warn_at: tuple[int, ...] = ()
    paused_in: frozenset[Status] = frozenset()
    lines: frozenset[int] | None = None
    statuses: frozenset[Status] | None = None
    again: Again | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.minutes <= MOST_MINUTES:
            raise ValueError(f"a target of {self.minutes:g} minutes cannot be: write 0 to {MOST_MINUTES}")
        if wrong := [percent for percent in self.warn_at if not 1 <= percent <= 999]:
            raise ValueError(f"a warning at {wrong[0]} percent cannot be: write 1 to 999")
        if self.lines is not None and not self.lines:
            raise ValueError("a target for no line at all never starts: name lines, or leave them out")
        if self.statuses is not None:
            if done := sorted(status for status in self.statuses if status.is_done):
                raise ValueError(f"a clock cannot run in the status {done[0]}: a done ticket stops every clock")
            if self.statuses <= self.paused_in:
                raise ValueError("the clock is paused in every status in which it would run")
        object.__setattr__(self, "warn_at", tuple(sorted(set(self.warn_at))))

    @property
    def scope(self) -> Scope:
        is_bound = self.lines is not None or self.statuses is not None
        again = self.again or (Again.ANEW if is_bound else Again.CONTINUES)
        return Scope(self.measure, self.lines, self.statuses, self.paused_in, again)

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=self.minutes)


MOST_MINUTES = 10 * 366 * 24 * 60
"""Ten years: no agreement is longer."""


@dataclass(frozen=True, slots=True)
class Clock:
    """One run of a target on one ticket, as it stands at the moment it was computed for. Times are UTC.

    `cycle` counts the runs of this target on this ticket from 1. `started` tells a run apart for good: a reply that
    becomes known late may move the numbers of the cycles after it.
    `due` is when it runs out if nothing changes, or ran out; None while paused in time. Of an ended clock it is when it
    would have run out. `left_minutes` is negative after the breach; both count business time.
    `warnings` are those passed, as (percent, when). `next_at` is the next warning or the breach if nothing changes;
    None when there is none, and while paused.
    """

    measure: Measure
    state: ClockState
    cycle: int
    started: datetime
    due: datetime | None
    spent_minutes: float
    left_minutes: float
    ended: datetime | None
    breached_at: datetime | None
    warnings: tuple[tuple[int, datetime], ...]
    next_at: datetime | None


def clock_of(target: Target, history: History, calendar: Calendar, now: datetime) -> Clock | None:
    """The latest run of `target` as of `now`; what happened later is not seen. None when it never started.

    Raises CalendarError when the calendar has no time in which it could ever run out.
    """
    last = last_cycle_of(target.scope, history, now)
    return None if last is None else _clock(target, *last, calendar, now)


def clock_cycles(target: Target, history: History, calendar: Calendar, now: datetime) -> list[Clock]:
    """Every run of `target` as of `now`, oldest first; the last is what `clock_of` tells."""
    cycles = cycles_of(target.scope, history, now)
    return [_clock(target, number, cycle, calendar, now) for number, cycle in enumerate(cycles, start=1)]


class Waiting(StrEnum):
    """Whose turn it is."""

    US = "us"
    CUSTOMER = "customer"
    """The status is pending."""
    SUPPLIER = "supplier"
    """The status is on hold: a supplier, or another team."""


_WHOSE_TURN = {Status.PENDING: Waiting.CUSTOMER, Status.ON_HOLD: Waiting.SUPPLIER}


def time_by_line(history: History, calendar: Calendar, until: datetime) -> dict[int | None, float]:
    """Minutes of business time the ticket spent with each line, from its creation up to `until`, while it was not done.

    None stands for the time in which no line had it or none was known. Lines that never had it are not in it.
    """
    spent: dict[int | None, float] = {}
    for interval, _, line in _open_stretches(history, until):
        spent[line] = spent.get(line, 0.0) + calendar.minutes_between(interval.start, interval.end)
    return spent


def time_waiting(history: History, calendar: Calendar, until: datetime) -> dict[Waiting, float]:
    """Minutes of business time spent waiting for each, from the creation up to `until`, while it was not done."""
    spent = dict.fromkeys(Waiting, 0.0)
    for interval, status, _ in _open_stretches(history, until):
        whose = Waiting.US if status is None else _WHOSE_TURN.get(status, Waiting.US)
        spent[whose] += calendar.minutes_between(interval.start, interval.end)
    return spent


def _open_stretches(history: History, until: datetime) -> Iterator[tuple[Interval, Status | None, int | None]]:
    """The time in which the ticket was not done, cut where its status or its line changes."""
    for interval, status in history.segments("status", until):
        if isinstance(status, Status) and status.is_done:
            continue
        for held, line in history.segments("line", interval.end):
            if held.end > interval.start:
                yield (
                    Interval(max(held.start, interval.start), held.end),
                    cast("Status | None", status),
                    cast("int | None", line),
                )


def usual_pauses(measure: Measure) -> frozenset[Status]:
    """The statuses in which this measure is usually paused: a resolution while waiting for the customer, else none.

    Source: Zendesk's requester wait time counts new, open and on hold, and pauses in pending; its reply times and its
    periodic update do not pause ("Ticket metric event types reference", "Troubleshooting common SLA issues").
    """
    return frozenset({Status.PENDING}) if measure is Measure.RESOLUTION else frozenset()


def _clock(target: Target, number: int, cycle: Cycle, calendar: Calendar, now: datetime) -> Clock:
    thresholds = [target.length, *(target.length * percent / 100 for percent in target.warn_at)]
    spent, reached = _walk(cycle.counted, thresholds, calendar)
    # What a goal that is reached at this very moment forestalls; an open clock is late when no time is left.
    reached = [at if at is not None and (cycle.ended is None or at < cycle.ended) else None for at in reached]
    breached_at = reached[0]
    warnings = tuple((percent, at) for percent, at in zip(target.warn_at, reached[1:], strict=True) if at is not None)
    state = _state(cycle, breached_at)
    due = breached_at
    if due is None and state is not ClockState.PAUSED:
        due = calendar.add_time(cycle.ended or now, max(target.length - spent, NOTHING))
    next_at = None
    if state in (ClockState.RUNNING, ClockState.BREACHED):
        ahead = [threshold - spent for threshold, at in zip(thresholds, reached, strict=True) if at is None]
        next_at = calendar.add_time(now, min(ahead)) if ahead else None
    return Clock(
        measure=target.measure,
        state=state,
        cycle=number,
        started=cycle.started,
        due=due,
        spent_minutes=spent / MINUTE,
        left_minutes=(target.length - spent) / MINUTE,
        ended=cycle.ended,
        breached_at=breached_at,
        warnings=warnings,
        next_at=next_at,
    )


def _state(cycle: Cycle, breached_at: datetime | None) -> ClockState:
    if cycle.ended is not None:
        if breached_at is not None:
            return ClockState.MISSED
        return ClockState.MET if cycle.is_reached else ClockState.STOPPED
    if not cycle.is_counting:
        return ClockState.PAUSED
    return ClockState.RUNNING if breached_at is None else ClockState.BREACHED


def _walk(
    counted: Sequence[Interval], thresholds: Sequence[timedelta], calendar: Calendar
) -> tuple[timedelta, list[datetime | None]]:
    """The business time in `counted`, and when each threshold of it was reached."""
    spent = NOTHING
    reached: list[datetime | None] = [None] * len(thresholds)
    for interval in counted:
        here = calendar.time_between(interval.start, interval.end)
        for index, threshold in enumerate(thresholds):
            if reached[index] is None and threshold <= spent + here:
                reached[index] = calendar.add_time(interval.start, threshold - spent)
        spent += here
    return spent, reached
