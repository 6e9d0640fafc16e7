"""The figures of a period. Pure; each function names what it counts and which tickets it counts.

A figure is of the tickets to which its event happened in the period: first responses that were given, tickets that were
solved, clocks that were late in it. The backlog is of the period's end. Times are business minutes by each ticket's
calendar, from the creation, with all waiting in them: what was waited for is a table of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from hub.report.records import CaseRecord, Figure, Period, chosen
from hub.rules.clocks import ClockState, Waiting, time_by_line, time_waiting
from hub.rules.history import Field, FieldValue, History
from hub.ticket import Status

DONE = frozenset(status for status in Status if status.is_done)
OPEN = frozenset(Status) - DONE
DAY = timedelta(days=1)
NO_LINE = "none"
"""What `by` says where no line had the ticket."""


def figures_of(
    records: Iterable[CaseRecord],
    period: Period,
    *,
    tracker: str | None = None,
    line: int | None = None,
    organisation: str | None = None,
) -> list[Figure]:
    """All figures of the tickets that fit, table by table, in an order that is always the same."""
    fitting = chosen(records, period, tracker=tracker, line=line, organisation=organisation)
    tables: Sequence[Callable[[Sequence[CaseRecord], Period], Iterator[Figure]]] = (
        first_responses,
        resolutions,
        breaches,
        time_spent,
        tickets,
        escalations,
        reopenings,
        backlog,
        ratings,
    )
    return [figure for table in tables for figure in table(fitting, period)]


def first_responses(records: Sequence[CaseRecord], period: Period) -> Iterator[Figure]:
    """Of tickets that were first answered in the period: minutes from the creation to that answer."""
    waits = [
        record.calendar.minutes_between(record.history.created, answered)
        for record in records
        if (answered := first_response_at(record.history)) is not None and period.holds(answered)
    ]
    return _times("first response", waits, "minutes")


def resolutions(records: Sequence[CaseRecord], period: Period) -> Iterator[Figure]:
    """Of tickets that were solved in the period and still are at its end: minutes from the creation to the solution.

    Zendesk's full resolution time: of a ticket that was opened again, the last solution counts.
    """
    waits = [
        record.calendar.minutes_between(record.history.created, solved)
        for record in records
        if (solved := _solved(record, period)) is not None and period.holds(solved)
    ]
    return _times("resolution", waits, "minutes")


def breaches(records: Sequence[CaseRecord], period: Period) -> Iterator[Figure]:
    """Clocks by agreement, measure, and the line that had the ticket when it was late or the run ended.

    `runs` were late or ended in the period, stopped ones left out: they say nothing. `share` is of those late.
    """
    late: Counter[tuple[str, str, str]] = Counter()
    runs: Counter[tuple[str, str, str]] = Counter()
    for record in records:
        for run in record.clocks:
            clock = run.clock
            at = clock.breached_at or (clock.ended if clock.state is ClockState.MET else None)
            if at is None or not period.holds(at):
                continue
            group = (run.agreement, clock.measure.value, _line(record.history.line_at(at)))
            runs[group] += 1
            late[group] += clock.breached_at is not None
    for group in sorted(runs):
        by = tuple(zip(("agreement", "measure", "line"), group, strict=True))
        yield Figure("breaches", "late", "runs", late[group], by)
        yield Figure("breaches", "all", "runs", runs[group], by)
        yield Figure("breaches", "late", "share", late[group] / runs[group], by)


def time_spent(records: Sequence[CaseRecord], period: Period) -> Iterator[Figure]:
    """Where the time of open tickets went within the period: minutes with each line, and waiting for whom."""
    by_line: dict[str, float] = {}
    waiting: dict[str, float] = {}
    for record in records:
        history, calendar = record.history, record.calendar
        for at, sign in ((period.until, 1), (period.since, -1)):
            for line, minutes in time_by_line(history, calendar, at).items():
                by_line[_line(line)] = by_line.get(_line(line), 0.0) + sign * minutes
            for whom, minutes in time_waiting(history, calendar, at).items():
                waiting[whom] = waiting.get(whom, 0.0) + sign * minutes
    for line_name in sorted(by_line):
        yield Figure("time spent", "with the line", "minutes", by_line[line_name], (("line", line_name),))
    for whom in Waiting:
        yield Figure("time spent", "waiting for", "minutes", waiting.get(whom, 0.0), (("waiting for", whom.value),))


def tickets(records: Sequence[CaseRecord], period: Period) -> Iterator[Figure]:
    """Tickets created in each month of the period, by category and by channel."""
    by_category: Counter[tuple[str, str]] = Counter()
    by_channel: Counter[tuple[str, str]] = Counter()
    for record in records:
        if period.holds(record.history.created):
            month = period.month(record.history.created)
            by_category[month, record.category.value] += 1
            by_channel[month, record.channel.value] += 1
    for (month, category), count in sorted(by_category.items()):
        yield Figure("tickets", "created", "tickets", count, (("month", month), ("category", category)))
    for (month, channel), count in sorted(by_channel.items()):
        yield Figure("tickets", "created", "tickets", count, (("month", month), ("channel", channel)))


def escalations(records: Sequence[CaseRecord], period: Period) -> Iterator[Figure]:
    """Of tickets created in the period: how many were handed to a higher line by its end."""
    created = [record for record in records if period.holds(record.history.created)]
    escalated = [record for record in created if _rose(record.history, period.until)]
    return _rate("escalation", "escalated", len(escalated), len(created))


def reopenings(records: Sequence[CaseRecord], period: Period) -> Iterator[Figure]:
    """Of tickets solved in the period: how many were opened again after that, by its end."""
    solved, again = 0, 0
    for record in records:
        history = record.history.until(period.until)
        first = next((at for at in _solutions(history) if period.holds(at) and at != record.gone), None)
        if first is None:
            continue
        solved += 1
        again += any(first < at < period.until for at in history.times_entered("status", OPEN))
    return _rate("re-opening", "opened again", again, solved)


def backlog(records: Sequence[CaseRecord], period: Period) -> Iterator[Figure]:
    """Tickets that are open at the end of the period: how many, by line, and for how many days they have been there."""
    by_line: Counter[str] = Counter()
    ages: list[float] = []
    for record in records:
        if _is_open(record.history, period.until):
            line = _last(record.history, "line", period.until)
            by_line[_line(line if isinstance(line, int) else None)] += 1
            ages.append((period.until - record.history.created) / DAY)
    for line_name, count in sorted(by_line.items()):
        yield Figure("backlog", "open", "tickets", count, (("line", line_name),))
    yield from _times("backlog", ages, "days")
    yield Figure("backlog", "oldest", "days", max(ages, default=None))


def ratings(records: Sequence[CaseRecord], period: Period) -> Iterator[Figure]:
    """Ratings of the tickets that were solved in the period."""
    solved = [record for record in records if period.holds(_solved(record, period))]
    counts = Counter(record.rating for record in solved if record.rating is not None)
    for rating, count in sorted(counts.items()):
        by = (("rating", rating),)
        yield Figure("ratings", "rated", "tickets", count, by)
        yield Figure("ratings", "rated", "share", count / counts.total(), by)
    yield Figure("ratings", "answered", "share", counts.total() / len(solved) if solved else None)


def first_response_at(history: History) -> datetime | None:
    """When staff replied for the first time."""
    return next((reply.at for reply in history.replies if reply.by == "staff"), None)


def solved_at(history: History, until: datetime) -> datetime | None:
    """When the ticket was solved for the last time before `until`; None when it is open then."""
    if _is_open(history, until):
        return None
    solutions = [at for at in _solutions(history) if at < until]
    return solutions[-1] if solutions else None


def _solved(record: CaseRecord, period: Period) -> datetime | None:
    """When a ticket was solved as of the period's end; one that was deleted was not."""
    solved = solved_at(record.history, period.until)
    return None if solved == record.gone else solved


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value below which `share` (0 to 1) of the values lie, between neighbours in proportion; None without any."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _is_open(history: History, until: datetime) -> bool:
    return _last(history, "status", until) not in DONE


def _last(history: History, field: Field, until: datetime) -> FieldValue:
    """The value just before `until`, which is not of the period any more."""
    return next((change.value for change in reversed(history.of(field)) if change.at < until), None)


def _solutions(history: History) -> list[datetime]:
    """When the ticket became done; that it was entered as done is one, too."""
    at_once = [history.created] if history.status_at(history.created) in DONE else []
    return [*at_once, *history.times_entered("status", DONE)]


def _rose(history: History, until: datetime) -> bool:
    lines = [value for _, value in history.segments("line", until) if isinstance(value, int)]
    return any(later > earlier for earlier, later in pairwise(lines))


def _line(line: int | None) -> str:
    return NO_LINE if line is None else str(line)


def _times(table: str, values: Sequence[float], unit: str) -> Iterator[Figure]:
    yield Figure(table, "tickets", "tickets", len(values))
    yield Figure(table, "median", unit, percentile(values, 0.5))
    yield Figure(table, "p90", unit, percentile(values, 0.9))
    yield Figure(table, "mean", unit, sum(values) / len(values) if values else None)


def _rate(table: str, name: str, count: int, of: int) -> Iterator[Figure]:
    yield Figure(table, name, "tickets", count)
    yield Figure(table, "all", "tickets", of)
    yield Figure(table, name, "share", count / of if of else None)
