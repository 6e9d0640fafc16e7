"""Figures equal to a recomputation that shares nothing with them, and to a month worked by hand."""

from __future__ import annotations

import statistics
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.report import CaseRecord, ClockRecord, Figure, Period, figures_of
from hub.rules.calendars import ALWAYS, Calendar
from hub.rules.clocks import Measure, Target, clock_cycles
from hub.rules.history import Change, History, Reply, starting
from hub.ticket import Category, Channel, Status
from tests.rules.stories import OFFICE, WARSAW, story, when

START = when("Mon 06:00")
PERIOD = Period(START + timedelta(minutes=40), START + timedelta(minutes=200), WARSAW)
SHIFTS = Calendar("shifts", WARSAW, dict.fromkeys(range(7), ((370, 400), (420, 600))))
TARGETS = [
    ("gold", Target(Measure.FIRST_RESPONSE, 20)),
    ("lines", Target(Measure.RESOLUTION, 30, lines=frozenset({2}))),
]
DONE = (Status.SOLVED, Status.CLOSED)


def minute(number: int) -> datetime:
    return START + timedelta(minutes=number)


def record(history: History, number: int = 1, calendar: Calendar = ALWAYS, **more: Any) -> CaseRecord:
    clocks = tuple(
        ClockRecord(agreement, clock)
        for agreement, target in TARGETS
        for clock in clock_cycles(target, history, calendar, PERIOD.until)
    )
    return CaseRecord(
        tracker="support", ticket_id=str(number), history=history, calendar=calendar, clocks=clocks, **more
    )


@st.composite
def records(draw: st.DrawFn) -> CaseRecord:
    created = draw(st.integers(0, 150))
    moments = st.integers(created + 1, 250)
    history = starting(minute(created), status=draw(st.sampled_from([Status.NEW, Status.SOLVED])), line=1)
    for at in draw(st.lists(moments, max_size=8, unique=True)):
        what = draw(st.sampled_from(["status", "line", "staff", "customer"]))
        if what == "status":
            history = history.with_change(minute(at), "status", draw(st.sampled_from(list(Status))))
        elif what == "line":
            history = history.with_change(minute(at), "line", draw(st.sampled_from([1, 2, 3, None])))
        else:
            history = history.with_reply(minute(at), "staff" if what == "staff" else "customer")
    return record(
        history,
        calendar=draw(st.sampled_from([ALWAYS, SHIFTS])),
        category=draw(st.sampled_from(list(Category))),
        channel=draw(st.sampled_from(list(Channel))),
        rating=draw(st.sampled_from([None, "good", "bad"])),
        organisation=draw(st.sampled_from(["acme", None])),
    )


class Recomputed:
    """Every figure once more, by living through the minutes of each ticket."""

    def __init__(self, records: list[CaseRecord]) -> None:
        self.first: list[float] = []
        self.resolved: list[float] = []
        self.spent: dict[str, int] = defaultdict(int)
        self.waiting: dict[str, int] = defaultdict(int)
        self.ages: list[float] = []
        self.open_with: dict[str, int] = defaultdict(int)
        self.created = self.escalated = self.solved = self.again = 0
        self.ratings: dict[str, int] = defaultdict(int)
        self.ended_solved = 0
        for one in records:
            self.live(one)

    def live(self, one: CaseRecord) -> None:
        history, opened, is_done, was_done = one.history, 0, False, False
        answered, solved_at, solved_here, again = False, None, False, False
        highest_rise, last_line, line = False, None, None
        status: Status | None = None
        at = history.created
        if at >= PERIOD.until:
            return
        in_period = PERIOD.since <= at
        self.created += in_period
        while at < PERIOD.until:
            in_period = PERIOD.since <= at
            for change in history.changes:
                if change.at == at and change.field == "status":
                    assert isinstance(change.value, Status)
                    status = change.value
                if change.at == at and change.field == "line":
                    line = change.value
                    if isinstance(line, int):
                        highest_rise = highest_rise or (last_line is not None and line > last_line)
                        last_line = line
            is_done = status in DONE
            if is_done and not was_done:
                solved_at = (opened, in_period)
                solved_here = solved_here or in_period
            elif was_done and not is_done:
                again = again or solved_here
            if Reply(at, "staff") in history.replies and not answered:
                answered = True
                if in_period:
                    self.first.append(opened)
            counts = one.calendar.is_open(at)
            if not is_done and in_period and counts:
                self.spent[str(line).lower()] += 1
                whom = {Status.PENDING: "customer", Status.ON_HOLD: "supplier"}.get(status or Status.NEW, "us")
                self.waiting[whom] += 1
            opened += counts
            was_done = is_done
            at += timedelta(minutes=1)
        if PERIOD.since <= history.created:
            self.escalated += highest_rise
        self.solved += solved_here
        self.again += again
        if not is_done:
            self.ages.append((PERIOD.until - history.created).total_seconds() / 86400)
            self.open_with[str(line).lower()] += 1
        elif solved_at is not None and solved_at[1]:
            self.resolved.append(solved_at[0])
            self.ended_solved += 1
            if one.rating:
                self.ratings[one.rating] += 1


def value(figures: list[Figure], table: str, name: str, unit: str, **by: str) -> float | None:
    found = [f.value for f in figures if (f.table, f.name, f.unit, dict(f.by)) == (table, name, unit, by)]
    assert len(found) <= 1
    return found[0] if found else None


def times(values: list[float]) -> tuple[float, float | None, float | None, float | None]:
    if not values:
        return 0, None, None, None
    p90 = values[0] if len(values) == 1 else statistics.quantiles(values, n=10, method="inclusive")[8]
    return len(values), statistics.median(values), p90, statistics.fmean(values)


def told_times(figures: list[Figure], table: str, unit: str) -> tuple[float | None, ...]:
    return tuple(
        value(figures, table, name, "tickets" if name == "tickets" else unit)
        for name in ("tickets", "median", "p90", "mean")
    )


def close(told: tuple[float | None, ...], expected: tuple[float | None, ...]) -> bool:
    return all(
        (a is None and b is None) or (a is not None and b is not None and a == pytest.approx(b))
        for a, b in zip(told, expected, strict=True)
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(records(), max_size=6))
def test_every_figure_equals_an_independent_recomputation(given_records: list[CaseRecord]) -> None:
    figures = figures_of(given_records, PERIOD)
    own = Recomputed(given_records)
    assert close(told_times(figures, "first response", "minutes"), times(own.first))
    assert close(told_times(figures, "resolution", "minutes"), times(own.resolved))
    assert close(told_times(figures, "backlog", "days"), times(own.ages))
    for whom in ("us", "customer", "supplier"):
        by_whom = {"waiting for": whom}
        assert value(figures, "time spent", "waiting for", "minutes", **by_whom) == own.waiting[whom]
    told = {dict(f.by)["line"]: f.value for f in figures if f.name == "with the line"}
    assert {line: spent for line, spent in told.items() if spent} == {
        line: spent for line, spent in own.spent.items() if spent
    }
    assert {dict(f.by)["line"]: f.value for f in figures if (f.table, f.name) == ("backlog", "open")} == own.open_with
    assert value(figures, "escalation", "escalated", "tickets") == own.escalated
    assert value(figures, "escalation", "all", "tickets") == own.created
    assert value(figures, "re-opening", "opened again", "tickets") == own.again
    assert value(figures, "re-opening", "all", "tickets") == own.solved
    assert {dict(f.by)["rating"]: f.value for f in figures if (f.name, f.unit) == ("rated", "tickets")} == own.ratings
    if own.ended_solved:
        answered = sum(own.ratings.values()) / own.ended_solved
        assert value(figures, "ratings", "answered", "share") == pytest.approx(answered)
    created = [f for f in figures if f.table == "tickets"]
    for kind in ("category", "channel"):
        assert sum(f.value or 0 for f in created if kind in dict(f.by)) == own.created


@settings(max_examples=60, deadline=None)
@given(st.lists(records(), max_size=6))
def test_breaches_are_those_of_the_clocks_by_agreement_and_the_line_that_had_the_ticket(
    given_records: list[CaseRecord],
) -> None:
    figures = figures_of(given_records, PERIOD)
    late: dict[tuple[str, str], int] = defaultdict(int)
    for one in given_records:
        for run in one.clocks:
            for at in [minute(number) for number in range(40, 200)]:
                if run.clock.breached_at == at:
                    late[run.agreement, str(one.history.line_at(at)).lower()] += 1
    told = {
        (dict(f.by)["agreement"], dict(f.by)["line"]): f.value
        for f in figures
        if (f.table, f.name, f.unit) == ("breaches", "late", "runs") and f.value
    }
    assert told == late


def a_week() -> list[CaseRecord]:
    """Three tickets by hand; the office is open from 09:00 to 17:00."""
    return [
        CaseRecord(
            tracker="support",
            ticket_id="1",
            organisation="acme",
            category=Category.INCIDENT,
            channel=Channel.EMAIL,
            history=story("Mon 09:00", "Mon 10:00 staff", "Mon 12:00 line 2", "Tue 11:00 solved", line=1),
            calendar=OFFICE,
            rating="good",
        ),
        CaseRecord(
            tracker="support",
            ticket_id="2",
            category=Category.INCIDENT,
            channel=Channel.PHONE,
            history=story(
                "Tue 16:00", "Wed 10:00 staff", "Wed 10:00 solved", "Wed 12:00 open", "Wed 15:00 solved", line=1
            ),
            calendar=OFFICE,
        ),
        CaseRecord(
            tracker="other",
            ticket_id="9",
            category=Category.SERVICE_REQUEST,
            channel=Channel.PHONE,
            history=story("Thu 09:00", "Thu 10:00 pending", line=1),
            calendar=OFFICE,
        ),
    ]


WEEK = Period(when("Mon 00:00"), when("Fri 09:00"), WARSAW)


def test_a_week_worked_by_hand() -> None:
    figures = figures_of(a_week(), WEEK)
    assert close(told_times(figures, "first response", "minutes"), (2, 90, 114, 90))  # 60 and 120
    assert close(told_times(figures, "resolution", "minutes"), (2, 510, 582, 510))  # 600 and 420
    assert value(figures, "escalation", "escalated", "share") == pytest.approx(1 / 3)
    assert value(figures, "re-opening", "opened again", "share") == 0.5
    assert value(figures, "backlog", "oldest", "days") == 1
    assert value(figures, "backlog", "open", "tickets", line="1") == 1
    assert value(figures, "ratings", "answered", "share") == 0.5
    assert value(figures, "tickets", "created", "tickets", month="2024-06", category="incident") == 2
    assert value(figures, "tickets", "created", "tickets", month="2024-06", channel="phone") == 2
    assert value(figures, "time spent", "with the line", "minutes", line="2") == 300 + 120
    assert value(figures, "time spent", "with the line", "minutes", line="1") == 180 + 120 + 180 + 480
    by_customer = {"waiting for": "customer"}
    assert value(figures, "time spent", "waiting for", "minutes", **by_customer) == 420


def test_a_report_can_be_of_one_tracker_line_or_organisation() -> None:
    def created(**chosen: object) -> float | None:
        return value(figures_of(a_week(), WEEK, **chosen), "escalation", "all", "tickets")  # type: ignore[arg-type]

    assert created() == 3
    assert created(tracker="other") == 1
    assert created(organisation="acme") == 1
    assert created(line=2) == 1
    assert created(line=1) == 3


def test_a_line_fits_only_when_it_had_the_ticket_in_the_period() -> None:
    tuesday = Period(when("Tue 00:00"), when("Wed 00:00"), WARSAW)
    assert [f.value for f in figures_of(a_week()[:1], tuesday, line=1) if f.table == "time spent"] == [0, 0, 0]
    figures = figures_of(a_week()[:1], tuesday, line=2)
    assert value(figures, "time spent", "with the line", "minutes", line="2") == 120


def test_a_month_is_that_of_the_reports_zone() -> None:
    late = CaseRecord(
        tracker="t", ticket_id="1", history=History(datetime(2024, 5, 31, 22, 30, tzinfo=ZoneInfo("UTC")))
    )
    span = datetime(2024, 5, 1, tzinfo=ZoneInfo("UTC")), datetime(2024, 7, 1, tzinfo=ZoneInfo("UTC"))
    in_warsaw = figures_of([late], Period(*span, WARSAW))
    in_utc = figures_of([late], Period(*span, ZoneInfo("UTC")))
    assert value(in_warsaw, "tickets", "created", "tickets", month="2024-06", category="unknown") == 1
    assert value(in_utc, "tickets", "created", "tickets", month="2024-05", category="unknown") == 1


def test_without_tickets_there_is_nothing_to_tell_and_no_error() -> None:
    figures = figures_of([], WEEK)
    assert told_times(figures, "first response", "minutes") == (0, None, None, None)
    assert value(figures, "escalation", "escalated", "share") is None


def test_what_happens_at_the_very_end_is_of_the_next_period() -> None:
    history = story("Mon 09:00", "Mon 10:00 solved")
    one = CaseRecord(tracker="t", ticket_id="1", history=history)
    until_ten = figures_of([one], Period(when("Mon 08:00"), when("Mon 10:00"), WARSAW))
    from_ten = figures_of([one], Period(when("Mon 10:00"), when("Mon 11:00"), WARSAW))
    assert told_times(until_ten, "backlog", "days")[0] == 1
    assert told_times(until_ten, "resolution", "minutes")[0] == 0
    assert told_times(from_ten, "backlog", "days")[0] == 0
    assert told_times(from_ten, "resolution", "minutes")[0] == 1


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends after it begins"):
        Period(when("Tue 00:00"), when("Mon 00:00"), WARSAW)


def test_a_change_of_the_line_to_a_lower_one_is_no_escalation() -> None:
    one = CaseRecord(tracker="t", ticket_id="1", history=story("Mon 09:00", "Mon 10:00 line 1", line=2))
    two = CaseRecord(
        tracker="t",
        ticket_id="2",
        history=History(when("Mon 09:00"), (Change(when("Mon 10:00"), "line", 3),)),
    )
    assert value(figures_of([one, two], WEEK), "escalation", "escalated", "tickets") == 0
