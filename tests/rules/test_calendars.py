"""Business time against an oracle that goes minute by minute and shares nothing with the code; and laws."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.rules.calendars import ALWAYS, Calendar, CalendarError, Interval, Span, merge

MINUTE = timedelta(minutes=1)
WEEKDAYS = range(5)
ZONES = [
    "Europe/Warsaw",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour of daylight saving
    "Asia/Kathmandu",  # 5:45 from UTC
    "UTC",
    "America/St_Johns",  # until 2011 the clocks changed at 00:01, over midnight
    "Africa/Cairo",  # the clocks go forward at midnight
    "Pacific/Apia",  # has no 30 December 2011
]
CHANGES = [
    datetime(2024, 3, 31, tzinfo=UTC),  # Warsaw forward
    datetime(2024, 10, 27, tzinfo=UTC),  # Warsaw back
    datetime(2024, 3, 10, tzinfo=UTC),  # New York forward
    datetime(2024, 11, 3, tzinfo=UTC),  # New York back
    datetime(2024, 4, 6, tzinfo=UTC),  # Lord Howe back
    datetime(2024, 10, 5, tzinfo=UTC),  # Lord Howe forward
    datetime(2010, 11, 7, tzinfo=UTC),  # St. John's back, over midnight
    datetime(2010, 3, 14, tzinfo=UTC),  # St. John's forward
    datetime(2024, 4, 26, tzinfo=UTC),  # Cairo forward
    datetime(2011, 12, 30, tzinfo=UTC),  # Apia loses a day
    datetime(2024, 2, 29, tzinfo=UTC),
    datetime(2023, 12, 31, tzinfo=UTC),
]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at(text: str, zone: str = "Europe/Warsaw") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def office(zone: str = "Europe/Warsaw", spans: tuple[Span, ...] = ((480, 960),), **more: object) -> Calendar:
    """Monday to Friday, 08:00 to 16:00."""
    return Calendar("office", ZoneInfo(zone), dict.fromkeys(WEEKDAYS, spans), **more)  # type: ignore[arg-type]


def open_minutes(calendar: Calendar, start: datetime, end: datetime, step: timedelta = MINUTE) -> Iterator[datetime]:
    """Which moments, `step` apart from `start`, are open: asked of each moment alone, by the wall clock.

    The latest time that the wall clock has shown so far decides: where the clock goes back it has been shown already.
    """
    latest = datetime.min  # noqa: DTZ901 - compared with wall clocks
    moment = start - timedelta(days=2)
    while moment < end:
        latest = max(latest, moment.astimezone(calendar.zone).replace(tzinfo=None))
        if moment >= start and any(
            timedelta(minutes=opening)
            <= latest - datetime.combine(day, datetime.min.time())
            < timedelta(minutes=closing)
            for day in (latest.date() - timedelta(days=back) for back in range(3))
            for opening, closing in spans_of(calendar, day)
        ):
            yield moment
        moment += step if moment >= start else MINUTE


def spans_of(calendar: Calendar, day: date) -> tuple[Span, ...]:
    if day in calendar.special:
        return calendar.special[day]
    if day in calendar.holidays:
        return ()
    return calendar.hours.get(day.weekday(), ())


spans = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).map(lambda s: (s[0], s[0] + s[1]))
some_spans = st.lists(spans, max_size=3).map(tuple)


@st.composite
def calendars(draw: st.DrawFn, around: datetime) -> Calendar:
    days = st.integers(-3, 4).map(lambda n: around.date() + timedelta(days=n))
    return Calendar(
        "drawn",
        ZoneInfo(draw(st.sampled_from(ZONES))),
        draw(st.dictionaries(st.integers(0, 6), some_spans, min_size=1)),
        draw(st.frozensets(days, max_size=2)),
        draw(st.dictionaries(days, some_spans, max_size=2)),
    )


@st.composite
def cases(draw: st.DrawFn, days: int = 3) -> tuple[Calendar, datetime, datetime]:
    around = draw(st.sampled_from(CHANGES))
    minutes = st.integers(0, days * 24 * 60)
    start = around - timedelta(days=1) + MINUTE * draw(minutes)
    return draw(calendars(around)), start, start + MINUTE * draw(minutes)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_business_minutes_are_those_an_oracle_counts_minute_by_minute(
    case: tuple[Calendar, datetime, datetime],
) -> None:
    calendar, start, end = case
    counted = list(open_minutes(calendar, start, end))
    assert calendar.minutes_between(start, end) == len(counted)
    assert [moment for moment in counted if not calendar.is_open(moment)] == []
    pieces = list(calendar.open_intervals(start, end))
    assert pieces == merge([Interval(moment, moment + MINUTE) for moment in counted])


@settings(max_examples=60, deadline=None)
@given(cases(), st.integers(1, 2000))
def test_the_end_of_an_amount_is_where_an_oracle_has_counted_it(
    case: tuple[Calendar, datetime, datetime], amount: int
) -> None:
    calendar, start, _ = case
    horizon = start + timedelta(days=6)
    counted = list(open_minutes(calendar, start, horizon))
    if amount <= len(counted):
        assert calendar.add_minutes(start, amount) == counted[amount - 1] + MINUTE
    elif not any(calendar.hours.values()):
        with pytest.raises(CalendarError, match="no business time"):
            calendar.add_minutes(start, amount)
    else:
        assert calendar.add_minutes(start, amount) > horizon


@pytest.mark.parametrize("zone", ["Europe/Warsaw", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_spans_of_years_are_those_of_an_oracle_that_looks_every_quarter_of_an_hour(zone: str) -> None:
    """Everything in this calendar begins and ends on a quarter of an hour of UTC, so looking that often is exact."""
    quarter = timedelta(minutes=15)
    calendar = Calendar(
        "years",
        ZoneInfo(zone),
        {**dict.fromkeys(WEEKDAYS, ((480, 720), (750, 990))), 5: ((1320, 1800),)},
        frozenset({date(2024, 12, 25), date(2025, 1, 1)}),
        {date(2024, 12, 24): ((480, 720),), date(2024, 2, 29): ()},
    )
    start, end = utc("2023-11-17T03:30"), utc("2025-03-30T22:15")
    counted = list(open_minutes(calendar, start, end, step=quarter))
    assert calendar.minutes_between(start, end) == len(counted) * 15
    for amount in (1, 100, 5000, len(counted)):
        assert calendar.add_minutes(start, amount * 15) == counted[amount - 1] + quarter


amounts = st.integers(0, 400 * 24 * 60 * 60).map(lambda seconds: timedelta(seconds=seconds))
moments = st.datetimes(datetime(2009, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def any_calendars(draw: st.DrawFn) -> Calendar:
    calendar = draw(calendars(draw(st.sampled_from(CHANGES))))
    hours = {**calendar.hours, draw(st.integers(0, 6)): (draw(spans),)}
    return Calendar(calendar.name, calendar.zone, hours, calendar.holidays, calendar.special)


@settings(max_examples=80, deadline=None)
@given(any_calendars(), moments, amounts, amounts)
def test_time_adds_up(calendar: Calendar, start: datetime, first: timedelta, second: timedelta) -> None:
    middle, end = start + first, start + first + second
    assert calendar.time_between(start, middle) + calendar.time_between(middle, end) == calendar.time_between(
        start, end
    )


@settings(max_examples=80, deadline=None)
@given(any_calendars(), moments, amounts)
def test_time_between_is_the_length_of_the_open_intervals(
    calendar: Calendar, start: datetime, length: timedelta
) -> None:
    pieces = list(calendar.open_intervals(start, start + length))
    assert sum((piece.length for piece in pieces), timedelta(0)) == calendar.time_between(start, start + length)
    assert all(start <= piece.start < piece.end <= start + length for piece in pieces)
    assert all(left.end < right.start for left, right in pairwise(pieces))


@settings(max_examples=80, deadline=None)
@given(any_calendars(), moments, st.integers(0, 60 * 24 * 60 * 60).map(lambda s: timedelta(seconds=s)))
def test_the_end_of_an_amount_is_the_earliest_moment_at_which_it_has_passed(
    calendar: Calendar, start: datetime, amount: timedelta
) -> None:
    end = calendar.add_time(start, amount)
    assert calendar.time_between(start, end) == amount
    if amount:
        assert calendar.time_between(start, end - timedelta(microseconds=1)) < amount
    else:
        assert end == start


@settings(max_examples=80, deadline=None)
@given(any_calendars(), moments, amounts, st.integers(0, 10**6), st.integers(0, 10**6))
def test_later_is_never_less(calendar: Calendar, start: datetime, later: timedelta, amount: int, more: int) -> None:
    assert calendar.time_between(start, start + later) <= later
    end = calendar.add_minutes(start, amount / 100)
    assert end <= calendar.add_minutes(start, (amount + more) / 100)
    assert end <= calendar.add_minutes(start + later, amount / 100)


@settings(max_examples=30, deadline=None)
@given(moments, amounts)
def test_the_calendar_that_never_closes_counts_every_second(start: datetime, length: timedelta) -> None:
    assert ALWAYS.time_between(start, start + length) == length
    assert ALWAYS.add_time(start, length) == start + length


def test_the_night_on_which_clocks_go_forward_is_an_hour_shorter() -> None:
    night = Calendar("night", ZoneInfo("Europe/Warsaw"), {5: ((1320, 1800),)})  # Saturday 22:00 to Sunday 06:00
    assert night.minutes_between(utc("2024-03-30T00:00"), utc("2024-04-01T00:00")) == 7 * 60
    assert night.minutes_between(utc("2024-10-26T00:00"), utc("2024-10-28T00:00")) == 9 * 60
    assert night.minutes_between(utc("2024-06-01T00:00"), utc("2024-06-03T00:00")) == 8 * 60


def test_a_time_that_the_clock_skips_is_the_end_of_the_skip() -> None:
    early = Calendar("early", ZoneInfo("Europe/Warsaw"), {6: ((150, 240),)})  # Sunday 02:30 to 04:00
    assert list(early.open_intervals(utc("2024-03-31T00:00"), utc("2024-04-01T00:00"))) == [
        Interval(at("2024-03-31T03:00").astimezone(UTC), at("2024-03-31T04:00").astimezone(UTC))
    ]


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    """02:00 to 02:30, and then 02:30 to 04:00 has the hour that comes again."""
    before = Calendar("before", ZoneInfo("Europe/Warsaw"), {6: ((120, 150),)})
    after = Calendar("after", ZoneInfo("Europe/Warsaw"), {6: ((150, 240),)})
    day = utc("2024-10-27T00:00"), utc("2024-10-28T00:00")
    assert before.minutes_between(*day) == 30
    assert after.minutes_between(*day) == 150


def test_a_day_that_has_begun_does_not_end_when_the_clock_goes_back_over_midnight() -> None:
    """St. John's, 7 November 2010: at 00:01, which is 02:31 UTC, the clock went back to 23:01 of Saturday."""
    sunday = Calendar("sunday", ZoneInfo("America/St_Johns"), {6: ((0, 480),)})
    assert not sunday.is_open(utc("2010-11-07T02:29"))
    assert sunday.is_open(utc("2010-11-07T02:45"))
    assert sunday.minutes_between(utc("2010-11-06T12:00"), utc("2010-11-08T00:00")) == 9 * 60


def test_an_amount_that_begins_in_the_middle_of_the_first_of_a_month_has_the_rest_of_that_day_only() -> None:
    start = at("2024-07-01T12:00")  # July has 23 working days
    assert office().add_minutes(start, 22 * 480 + 240) == at("2024-07-31T16:00")
    assert office().add_minutes(start, 23 * 480) == at("2024-08-01T12:00")


def test_a_shift_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    friday, saturday = date(2024, 6, 7), date(2024, 6, 8)
    shift = {4: ((1320, 1800),)}
    zone = ZoneInfo("Europe/Warsaw")
    week = utc("2024-06-03T00:00"), utc("2024-06-10T00:00")
    assert Calendar("n", zone, shift, frozenset({saturday})).minutes_between(*week) == 480
    assert Calendar("n", zone, shift, frozenset({friday})).minutes_between(*week) == 0


def test_hours_of_a_single_day_win_over_a_holiday_and_none_close_it() -> None:
    day = date(2024, 6, 5)
    start, end = at("2024-06-05T00:00"), at("2024-06-06T00:00")
    assert office(holidays=frozenset({day})).minutes_between(start, end) == 0
    assert office(holidays=frozenset({day}), special={day: ((600, 720),)}).minutes_between(start, end) == 120
    assert office(special={day: ()}).minutes_between(start, end) == 0


def test_an_amount_that_ends_with_the_day_ends_at_the_closing() -> None:
    assert office().add_minutes(at("2024-06-07T08:00"), 480) == at("2024-06-07T16:00")
    assert office().add_minutes(at("2024-06-07T08:00"), 481) == at("2024-06-10T08:01")
    assert office().add_minutes(at("2024-06-08T12:00"), 0) == at("2024-06-08T12:00")


def test_an_end_before_the_start_has_no_time() -> None:
    start, end = at("2024-06-07T12:00"), at("2024-06-06T08:00")
    assert office().minutes_between(start, end) == 0
    assert list(office().open_intervals(start, end)) == []


def test_results_are_utc_whatever_zone_is_asked_in() -> None:
    end = office().add_minutes(at("2024-06-07T08:00", "Asia/Kathmandu"), 1)
    assert end == utc("2024-06-07T06:01")
    assert end.tzinfo is UTC


def test_a_calendar_without_business_time_says_so_by_name() -> None:
    with pytest.raises(CalendarError, match="calendar closed has no business time"):
        Calendar("closed", ZoneInfo("UTC"), {}).add_minutes(utc("2024-01-01T00:00"), 1)


def test_one_open_day_in_nine_years_is_found() -> None:
    calendar = Calendar("rare", ZoneInfo("UTC"), {}, special={date(2033, 1, 3): ((480, 540),)})
    assert calendar.add_minutes(utc("2024-01-01T00:00"), 60) == utc("2033-01-03T09:00")


@pytest.mark.parametrize("span", [(-1, 60), (1440, 1500), (600, 600), (700, 600), (0, 2881)])
def test_a_span_that_cannot_be_is_refused_in_words(span: Span) -> None:
    with pytest.raises(CalendarError, match=r"calendar office: (.*) cannot be"):
        office(spans=(span,))


def test_an_eighth_day_of_the_week_is_refused() -> None:
    with pytest.raises(CalendarError, match="7 is no weekday"):
        Calendar("week", ZoneInfo("UTC"), {7: ((0, 60),)})


def test_moments_without_a_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        office().is_open(datetime(2024, 1, 1))  # noqa: DTZ001


def test_calendars_that_say_the_same_are_the_same() -> None:
    assert office() == office()
    assert len({office(), office(), office(zone="UTC")}) == 2
    assert office() != office(special={date(2024, 6, 5): ()})
