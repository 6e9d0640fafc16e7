"""A report over a month that a hub lived through, equal to what the trackers themselves know of it.

Nothing here uses the hub's histories, calendars or figures: the lives of the tickets are noted at the tracker as they
happen, and opening hours are counted out of plain dates. The month has a change of the clocks in it.
"""

from __future__ import annotations

import random
import statistics
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import click
import pytest

from hub.cli.report import _period
from hub.report import Figure, Period, figures_of
from hub.report.reading import records
from hub.testing.world import World
from hub.ticket import Person

WARSAW = ZoneInfo("Europe/Warsaw")
BEGIN, END = datetime(2024, 2, 20, tzinfo=UTC), datetime(2024, 4, 4, tzinfo=UTC)
AGENT = Person("a", "Agent", is_staff=True)
CUSTOMER = Person("c", "Customer", "customer@example.com", is_staff=False)
RULES = {
    "lines": {1: {"name": "First"}, 2: {"name": "Experts"}},
    "calendars": {"office": {"zone": "Europe/Warsaw", "hours": {"mon-fri": "09:00-17:00", "sun": "22:00-06:00"}}},
    "agreements": {"gold": {"kind": "SLA", "calendar": "office", "targets": {"first_response": "4h"}}},
    "rules": [{"name": "hard", "when": {"label": "hard"}, "then": {"line": 2, "note": "To the experts."}}],
}
CLOSE = 1.0
"""Minutes: the hub writes a second or two after it decides."""


@dataclass
class Life:
    """What the tracker saw of a ticket: its states with their times, and who replied when."""

    opened: datetime
    states: list[tuple[datetime, str, int | None]] = field(default_factory=list)
    replies: list[tuple[datetime, bool]] = field(default_factory=list)
    gone: datetime | None = None

    def state(self, at: datetime) -> tuple[str, int | None]:
        return [state[1:] for state in self.states if state[0] < at][-1]

    def is_open(self, at: datetime) -> bool:
        return self.opened < at and self.state(at)[0] != "solved" and (self.gone is None or self.gone >= at)


def a_lived_month(seed: int) -> tuple[World, dict[str, Life]]:
    dice = random.Random(seed)
    world = World(rules=RULES)
    world.clock.time = BEGIN
    world.context.rules_since()
    lives: dict[str, Life] = {}
    woken: list[str] = []

    def note(ticket_id: str, actor: str) -> None:
        ticket = world.support.tickets[ticket_id]
        life = lives.setdefault(ticket_id, Life(ticket.created))
        life.states.append((ticket.updated, ticket.status, ticket.line))
        life.replies = [(c.created, c.author == AGENT) for c in ticket.comments if c.visibility.is_public]
        woken.append(f"support:{ticket_id}")

    world.support.on_change = note
    while world.clock.time < END:
        world.pass_until(world.clock.time + timedelta(minutes=dice.randint(1, 240)))
        alive = [t.id for t in world.support.tickets.values() if not t.is_deleted]
        deed = dice.choice(["open", "reply", "reply", "answer", "status", "status", "hard", "easy", "delete"])
        if deed == "open" or not alive:
            world.support.open_ticket(title="A ticket", requester=CUSTOMER)
        else:
            one = dice.choice(alive)
            if deed in ("reply", "answer"):
                world.support.say(one, "word", author=AGENT if deed == "answer" else CUSTOMER)
            elif deed == "status":
                world.support.edit(one, status=dice.choice(["open", "pending", "hold", "solved", "solved"]))
            elif deed == "delete":
                if dice.random() < 0.3:
                    lives[one].gone = world.clock.time
                    world.support.tickets[one].is_deleted = True
                    woken.append(f"support:{one}")
            else:
                world.support.edit(one, labels=frozenset({"hard"} if deed == "hard" else ()))
        for _ in range(3):
            while woken:
                for _ in range(dice.randint(1, 2)):
                    world.wake(woken[0])
                woken.pop(0)
            world.run_due()
    return world, lives


def business_minutes(start: datetime, end: datetime) -> float:
    """Opening hours by plain dates, added up second by second where the clocks change."""
    total = timedelta()
    day = start.astimezone(WARSAW).date() - timedelta(days=1)
    while day <= end.astimezone(WARSAW).date():
        for hours in opening(day):
            total += max(min(end, hours[1]) - max(start, hours[0]), timedelta())
        day += timedelta(days=1)
    return total / timedelta(minutes=1)


def opening(day: date) -> list[tuple[datetime, datetime]]:
    def at(which: date, hour: int) -> datetime:
        return datetime(which.year, which.month, which.day, hour, tzinfo=WARSAW).astimezone(UTC)

    if day.weekday() < 5:
        return [(at(day, 9), at(day, 17))]
    return [(at(day, 22), at(day + timedelta(days=1), 6))] if day.weekday() == 6 else []


def told(figures: list[Figure], table: str, name: str, unit: str, **by: str) -> float | None:
    found = [f.value for f in figures if (f.table, f.name, f.unit, dict(f.by)) == (table, name, unit, by)]
    return found[0] if found else None


def spent(life: Life, period: Period) -> list[tuple[datetime, datetime, str, int | None]]:
    """The stretches of a ticket's life within the period."""
    ends = [*(state[0] for state in life.states[1:]), END + timedelta(days=99)]
    found = []
    for (since, status, line), until in zip(life.states, ends, strict=True):
        last = min(until, period.until, life.gone or period.until)
        if max(since, period.since) < last:
            found.append((max(since, period.since), last, status, line))
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_a_months_report_equals_what_the_tracker_knows_of_it(seed: int) -> None:
    world, lives = a_lived_month(seed)
    period = _period("2024-03", None, None, "Europe/Warsaw")
    assert period.until - period.since == timedelta(days=31, hours=-1)
    assert world.context.book is not None
    with world.journal.read() as connection:
        figures = figures_of(records(connection, world.context.book, period.until), period)
    lives = {key: life for key, life in lives.items() if life.opened < period.until}

    waits = []
    for life in lives.values():
        answers = [at for at, is_staff in life.replies if is_staff]
        if answers and period.since <= answers[0] < period.until:
            waits.append(business_minutes(life.opened, answers[0]))
    assert told(figures, "first response", "tickets", "tickets") == len(waits)
    assert told(figures, "first response", "mean", "minutes") == pytest.approx(statistics.fmean(waits), abs=CLOSE)
    assert told(figures, "first response", "median", "minutes") == pytest.approx(statistics.median(waits), abs=CLOSE)

    solved = []
    for life in lives.values():
        is_solved = life.state(period.until)[0] == "solved"
        if is_solved:
            at = last_solution(life, period.until)
            if period.since <= at < period.until:
                solved.append(business_minutes(life.opened, at))
    assert told(figures, "resolution", "tickets", "tickets") == len(solved)
    assert told(figures, "resolution", "mean", "minutes") == pytest.approx(statistics.fmean(solved), abs=CLOSE)

    backlog = Counter(str(life.state(period.until)[1]) for life in lives.values() if life.is_open(period.until))
    for line in ("1", "2"):
        assert (told(figures, "backlog", "open", "tickets", line=line) or 0) == backlog[line]
    ages = [(period.until - life.opened) / timedelta(days=1) for life in lives.values() if life.is_open(period.until)]
    assert told(figures, "backlog", "oldest", "days") == pytest.approx(max(ages), abs=0.01)

    by_line: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    whose = {"pending": "customer", "hold": "supplier"}
    for life in lives.values():
        for since, until, status, line_number in spent(life, period):
            if status != "solved":
                by_line[str(line_number)] += business_minutes(since, until)  # type: ignore[assignment]
                waiting[whose.get(status, "us")] += business_minutes(since, until)  # type: ignore[assignment]
    for line in ("1", "2"):
        found = told(figures, "time spent", "with the line", "minutes", line=line)
        assert found == pytest.approx(by_line[line], abs=CLOSE * len(lives))
    for name in ("us", "customer", "supplier"):
        found = told(figures, "time spent", "waiting for", "minutes", **{"waiting for": name})
        assert found == pytest.approx(waiting[name], abs=CLOSE * len(lives))

    created = [life for life in lives.values() if period.since <= life.opened]
    rose = [life for life in created if has_risen(life, period.until)]
    assert told(figures, "escalation", "all", "tickets") == len(created)
    assert told(figures, "escalation", "escalated", "tickets") == len(rose)
    by = {"month": "2024-03", "category": "unknown"}
    assert told(figures, "tickets", "created", "tickets", **by) == len(created)

    late = 0
    runs = 0
    for life in lives.values():
        end, is_answered = first_answer_or_end(life)
        due = used_up(life, min(end, period.until), 240)
        if due is not None:
            late += period.since <= due < period.until
            runs += period.since <= due < period.until
        else:
            runs += is_answered and period.since <= end < period.until
    lines = ({"agreement": "gold", "measure": "first_response", "line": line} for line in ("1", "2"))
    found_late = [
        (told(figures, "breaches", "late", "runs", **of), told(figures, "breaches", "all", "runs", **of))
        for of in lines
    ]
    assert sum(one or 0 for one, _ in found_late) == late
    assert sum(one or 0 for _, one in found_late) == runs


def has_risen(life: Life, until: datetime) -> bool:
    lines = [line for at, _, line in life.states if at < until and line is not None]
    return any(after > before for before, after in pairwise(lines))


def last_solution(life: Life, until: datetime) -> datetime:
    found = life.opened
    before = ""
    for at, status, _ in life.states:
        if at < until and status == "solved" and before != "solved":
            found = at
        before = status
    return found


def first_answer_or_end(life: Life) -> tuple[datetime, bool]:
    """When the wait for a first answer was over, and whether by an answer."""
    far = END + timedelta(days=99)
    answer = next((at for at, is_staff in life.replies if is_staff), far)
    return (answer, True) if answer < (life.gone or far) else (life.gone or far, False)


def used_up(life: Life, end: datetime, minutes: float) -> datetime | None:
    """When so much time was used up before `end`; while a ticket is solved its clock stands still."""
    used = 0.0
    ends = [*(state[0] for state in life.states[1:]), END + timedelta(days=99)]
    for (since, status, _), until in zip(life.states, ends, strict=True):
        last = min(until, end)
        if status == "solved" or since >= last:
            continue
        here = business_minutes(since, last)
        if used + here >= minutes:
            at = since
            while used + business_minutes(since, at) < minutes:
                at += timedelta(seconds=15)
            return at if at < end else None
        used += here
    return None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("0000-01", None, None, "UTC"), "is no month"),
        (("9999-12", None, None, "UTC"), "beyond the years"),
        (("0001-01", None, None, "Europe/Warsaw"), "beyond the years"),
        ((None, "2024-05-02", "2024-05-01", "UTC"), "before"),
        ((None, "2024-05-02", None, "UTC"), "together"),
        (("2024-05", None, None, "Europe/Nowhere"), "no time zone"),
    ],
)
def test_a_period_that_cannot_be_is_told_in_words(arguments: tuple[str | None, ...], words: str) -> None:
    month, since, until, zone = arguments
    with pytest.raises(click.UsageError, match=words):
        _period(month, since, until, str(zone))


def test_a_day_on_which_the_clocks_change_has_twenty_three_or_twenty_five_hours() -> None:
    spring = _period(None, "2024-03-31", "2024-03-31", "Europe/Warsaw")
    autumn = _period(None, "2024-10-27", "2024-10-27", "Europe/Warsaw")
    assert (spring.until - spring.since, autumn.until - autumn.since) == (timedelta(hours=23), timedelta(hours=25))
