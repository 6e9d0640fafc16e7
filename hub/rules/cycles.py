"""When a target runs on a ticket: the runs, their goals, and the stretches of time that count. Wall time, no calendar.

`hub.rules.clocks` says what the measures mean; this module finds their beginnings and ends in a history.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import zip_longest
from typing import cast

from hub.rules.calendars import Interval
from hub.rules.history import FieldValue, History
from hub.ticket import Status


class Measure(StrEnum):
    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    OWNERSHIP = "ownership"
    RESOLUTION = "resolution"
    UPDATE = "update"


class Again(StrEnum):
    """What a target does when a done ticket is opened again, or comes back to the lines and statuses it is bound to."""

    CONTINUES = "continues"
    """It goes on where it was, without the time between."""
    ANEW = "anew"
    """A new cycle begins at nothing."""
    NEVER = "never"
    """The first time was final."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of a target that does not need a calendar. The names are those of `hub.rules.clocks.Target`."""

    measure: Measure
    lines: frozenset[int] | None
    statuses: frozenset[Status] | None
    paused_in: frozenset[Status]
    again: Again

    @property
    def is_bound(self) -> bool:
        """To some part of the ticket's life."""
        return self.lines is not None or self.statuses is not None

    def concerns(self, status: Status | None, line: int | None) -> bool:
        """Whether the target is about a ticket that stands so. An unknown status is one in which work goes on."""
        if status is not None and status.is_done:
            return False
        if self.statuses is not None and status not in self.statuses:
            return False
        return self.lines is None or line in self.lines


@dataclass(frozen=True, slots=True)
class Cycle:
    """One run. `ended` is None while it is open; `is_reached` tells an end by the goal from one without.

    `counted` are the stretches that count so far, in order. `is_counting` is whether time counts at the end of what is
    known; false for an ended one.
    """

    started: datetime
    ended: datetime | None
    is_reached: bool
    counted: tuple[Interval, ...]
    is_counting: bool


@dataclass(frozen=True, slots=True)
class _Span:
    """From `start` on; `end` is None while it lasts."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class _Run:
    """A cycle before its counting: `goal` is when it was reached, `stopped` when it ended without."""

    started: datetime
    goal: datetime | None = None
    stopped: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Stint:
    """The time in which a target runs as one: one span, or, where it continues, all of them.

    `end` is when it was over; None while it lasts and while the ticket is away but the target waits for it. Replies and
    assignments are of this stint up to `until`, None for without end: an answer may come after the ticket was solved.
    `arrived` is since when the ticket has been with the target's lines, as the stint begins.
    """

    spans: tuple[_Span, ...]
    end: datetime | None
    until: datetime | None
    is_from_creation: bool
    arrived: datetime

    @property
    def start(self) -> datetime:
        return self.spans[0].start

    def takes(self, at: datetime) -> bool:
        """Whether what happened at `at` is of this stint.

        An agent who replies and hands on, or replies and solves, does both at one moment: the reply is of the stint
        that ends then, not of the one that begins.
        """
        return (at > self.start or (self.is_from_creation and at == self.start)) and not self.is_past(at)

    def is_past(self, at: datetime) -> bool:
        return self.until is not None and at > self.until


def cycles_of(scope: Scope, history: History, now: datetime) -> list[Cycle]:
    """The runs of a target in the history up to `now`, that moment included, in order."""
    history = history.until(now)
    return [_cycle(scope, history, stint, run, now) for stint, run in _runs(scope, history, now)]


def last_cycle_of(scope: Scope, history: History, now: datetime) -> tuple[int, Cycle] | None:
    """The latest run and its number, from 1; None where there is none. The others are found and not counted out."""
    history = history.until(now)
    runs = _runs(scope, history, now)
    return (len(runs), _cycle(scope, history, *runs[-1], now)) if runs else None


def _runs(scope: Scope, history: History, now: datetime) -> list[tuple[_Stint, _Run]]:
    if now < history.created:
        return []
    return [(stint, run) for stint in _stints(scope, history) for run in _RUNS[scope.measure](history, stint)]


def _spans(scope: Scope, history: History) -> list[_Span]:
    """The spans of time in which the target concerns the ticket.

    That of its whole life begins at the creation, also for a ticket that is entered as done: it was done at once.
    """
    moments: dict[datetime, dict[str, FieldValue]] = {history.created: {}}
    for change in history.changes:
        if change.field in ("status", "line"):
            moments.setdefault(change.at, {})[change.field] = change.value
    spans: list[_Span] = []
    values: dict[str, FieldValue] = {"status": None, "line": None}
    since = None if scope.is_bound else history.created
    for at, changed in moments.items():
        values |= changed
        concerned = scope.concerns(cast("Status | None", values["status"]), cast("int | None", values["line"]))
        if concerned and since is None:
            since = at
        elif not concerned and since is not None:
            spans.append(_Span(since, at))
            since = None
    if since is not None:
        spans.append(_Span(since, None))
    return spans


def _stints(scope: Scope, history: History) -> list[_Stint]:
    spans = _spans(scope, history)
    if not spans:
        return []

    def stint(spans: tuple[_Span, ...], end: datetime | None, until: datetime | None) -> _Stint:
        start = spans[0].start
        arrived = history.created if scope.lines is None else _with_lines_since(scope.lines, history, start)
        return _Stint(spans, end, until, start == history.created, arrived)

    if scope.again is Again.CONTINUES:
        return [stint(tuple(spans), _done_since(history) if spans[-1].end else None, None)]
    followed = [*(span.start for span in spans[1:]), None]
    stints = [
        stint((span,), span.end, span.end if scope.is_bound else following)
        for span, following in zip(spans, followed, strict=True)
    ]
    return stints[:1] if scope.again is Again.NEVER else stints


def _done_since(history: History) -> datetime | None:
    """Since when the ticket has been done; None when it is not."""
    since: datetime | None = None
    for change in history.of("status"):
        is_done = isinstance(change.value, Status) and change.value.is_done
        since = (since or change.at) if is_done else None
    return since


def _with_lines_since(lines: frozenset[int], history: History, at: datetime) -> datetime:
    """Since when the ticket has been with `lines`, without leaving them, as of `at`."""
    since = history.created
    inside = False
    for change in history.of("line"):
        if change.at > at:
            break
        is_inside = change.value in lines
        if is_inside and not inside:
            since = change.at
        inside = is_inside
    return since


def _resolution(_history: History, stint: _Stint) -> list[_Run]:
    return [_Run(stint.start, goal=stint.end)]


def _first_response(history: History, stint: _Stint) -> list[_Run]:
    goal = next((reply.at for reply in history.replies if reply.by == "staff" and stint.takes(reply.at)), None)
    return [_Run(stint.start, goal, stint.end)]


def _next_response(history: History, stint: _Stint) -> list[_Run]:
    runs: list[_Run] = []
    waiting: datetime | None = None
    is_answered = False
    for reply in history.replies:
        if stint.is_past(reply.at):
            break
        if reply.by == "staff":
            if waiting is not None and stint.takes(reply.at):
                runs.append(_Run(waiting, goal=reply.at))
            waiting, is_answered = None, True
        elif is_answered:
            settled = None if waiting is None else _done_between(history, waiting, reply.at)
            if settled is not None and waiting is not None:
                # The ticket was done without an answer, and the customer writes again: nobody waits for the old one.
                runs.append(_Run(waiting, stopped=settled))
                waiting = None
            if waiting is None:
                waiting = max(reply.at, stint.start)
    if waiting is not None:
        runs.append(_Run(waiting, stopped=stint.end))
    return runs


def _done_between(history: History, start: datetime, end: datetime) -> datetime | None:
    """When the ticket became done between two moments; None when it did not."""
    done = (change.at for change in history.of("status") if isinstance(change.value, Status) and change.value.is_done)
    return next((at for at in done if start < at <= end), None)


def _update(history: History, stint: _Stint) -> list[_Run]:
    staff = [reply.at for reply in history.replies if reply.by == "staff"]
    starts = [at for at in staff if stint.takes(at)]
    if any(at < stint.start or (at == stint.start and not stint.is_from_creation) for at in staff):
        starts.insert(0, stint.start)
    return [_Run(start, goal=end, stopped=stint.end) for start, end in zip_longest(starts, starts[1:])]


def _ownership(history: History, stint: _Stint) -> list[_Run]:
    runs: list[_Run] = []
    owner_since = _owner_since(history, stint)
    waiting = stint.start if owner_since is None else None
    if owner_since == stint.start:
        runs.append(_Run(stint.start, goal=stint.start))
    for change in history.of("assignee"):
        if change.at <= stint.start:
            continue
        if stint.is_past(change.at):
            break
        if change.value is not None and waiting is not None:
            runs.append(_Run(waiting, goal=change.at))
            waiting = None
        elif change.value is None and waiting is None:
            waiting = change.at
    if waiting is not None:
        runs.append(_Run(waiting, stopped=stint.end))
    return runs


def _owner_since(history: History, stint: _Stint) -> datetime | None:
    """Since when the ticket has had an owner who counts, as the stint begins; None when it has none."""
    since: datetime | None = None
    for change in history.of("assignee"):
        if change.at > stint.start:
            break
        since = change.at if change.value is not None else None
    return since if since is not None and since >= stint.arrived else None


_RUNS = {
    Measure.FIRST_RESPONSE: _first_response,
    Measure.NEXT_RESPONSE: _next_response,
    Measure.OWNERSHIP: _ownership,
    Measure.RESOLUTION: _resolution,
    Measure.UPDATE: _update,
}


def _cycle(scope: Scope, history: History, stint: _Stint, run: _Run, now: datetime) -> Cycle:
    ended = run.stopped if run.goal is None else run.goal
    if ended is not None:
        ended = max(ended, run.started)  # a customer may write, and staff reply, while the ticket is done
    end = now if ended is None else ended
    counted: list[Interval] = []
    for span in stint.spans:
        start, stop = max(span.start, run.started), min(span.end or end, end)
        counted += _not_paused(scope, history, start, stop)
    return Cycle(
        started=run.started,
        ended=ended,
        is_reached=run.goal is not None,
        counted=tuple(counted),
        is_counting=ended is None and stint.spans[-1].end is None and history.status_at(now) not in scope.paused_in,
    )


def _not_paused(scope: Scope, history: History, start: datetime, end: datetime) -> Iterator[Interval]:
    """The stretches from `start` up to `end` in which the status is not one of the pausing ones."""
    if start > end:
        return
    since: datetime | None = start if history.status_at(start) not in scope.paused_in else None
    for change in history.of("status"):
        if not start < change.at < end:
            continue
        pauses = change.value in scope.paused_in
        if pauses and since is not None:
            yield Interval(since, change.at)
            since = None
        elif not pauses and since is None:
            since = change.at
    if since is not None:
        yield Interval(since, end)
