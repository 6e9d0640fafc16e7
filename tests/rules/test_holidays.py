"""Public holidays of countries in any year, and a company's own days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from hub.rules.calendars import Calendar, CalendarError, Holidays, holiday_dates

POLISH_2025 = {
    date(2025, month, day)
    for month, day in [
        (1, 1), (1, 6), (4, 20), (4, 21), (5, 1), (5, 3), (6, 8), (6, 19), (8, 15), (11, 1), (11, 11),
        (12, 24), (12, 25), (12, 26),
    ]
}  # fmt: skip
"""The Act of 18 January 1951 on days free from work; 24 December since 2025 (Journal of Laws 2024, item 1965)."""


def test_polish_holidays_are_those_of_the_act() -> None:
    assert holiday_dates("PL", None, [2025]) == POLISH_2025
    assert date(2024, 12, 24) not in holiday_dates("PL", None, [2023, 2024, 2025])


def test_a_part_of_a_country_has_its_own() -> None:
    epiphany = date(2025, 1, 6)
    assert epiphany in holiday_dates("DE", "BY", [2025])
    assert epiphany not in holiday_dates("DE", None, [2025])


def test_holidays_are_known_in_years_that_nobody_named() -> None:
    holidays = Holidays(countries=(("PL", None),))
    assert date(1999, 5, 1) in holidays
    assert date(2051, 11, 11) in holidays
    assert date(2051, 11, 12) not in holidays


def test_own_days_are_closed_and_days_that_are_worked_are_not() -> None:
    holidays = Holidays((("PL", None),), closed=frozenset({date(2025, 5, 2)}), worked=frozenset({date(2025, 5, 1)}))
    assert date(2025, 5, 2) in holidays
    assert date(2025, 5, 1) not in holidays
    assert date(2025, 5, 3) in holidays


def test_a_day_is_closed_when_any_of_the_countries_is() -> None:
    both = Holidays((("PL", None), ("US", None)))
    assert date(2025, 7, 4) in both
    assert date(2025, 11, 11) in both


def test_a_calendar_closes_on_holidays_and_stays_hashable() -> None:
    hours = dict.fromkeys(range(5), ((480, 960),))
    calendar = Calendar("pl", ZoneInfo("Europe/Warsaw"), hours, Holidays((("PL", None),)))
    assert calendar.minutes_between(datetime(2025, 4, 30, tzinfo=UTC), datetime(2025, 5, 3, tzinfo=UTC)) == 2 * 480
    assert hash(calendar) == hash(Calendar("pl", ZoneInfo("Europe/Warsaw"), hours, Holidays((("PL", None),))))


@pytest.mark.parametrize(
    ("country", "part", "says"), [("XX", None, "country 'XX'"), ("DE", "ZZ", "'ZZ' in DE: its known parts are BB, BE")]
)
def test_an_unknown_place_is_refused_with_what_can_be_written(country: str, part: str | None, says: str) -> None:
    with pytest.raises(CalendarError, match=says):
        Holidays(((country, part),))
    with pytest.raises(CalendarError, match=says):
        holiday_dates(country, part, [2025])
