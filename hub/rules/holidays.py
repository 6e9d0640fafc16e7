"""Public holidays of countries, and a company's own closed days. Pure: the days are computed, nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache


class CalendarError(ValueError):
    """The calendar cannot be, or it has no business time where some is needed."""


@dataclass(frozen=True, slots=True)
class Holidays:
    """Closed days in every year: those of the countries and one's own, less the days on which one works all the same.

    `countries` are pairs of ISO 3166 codes, (country, subdivision or None): ("PL", None), ("DE", "BY"). With several a
    day is closed when it is a holiday in any of them. Raises CalendarError for a country or subdivision that the
    package `holidays` does not know.
    """

    countries: tuple[tuple[str, str | None], ...] = ()
    closed: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        for country, subdivision in self.countries:
            check_country(country, subdivision)

    def __contains__(self, day: object) -> bool:
        if not isinstance(day, date) or day in self.worked:
            return False
        return day in self.closed or any(day in _of_year(*country, day.year) for country in self.countries)


def holiday_dates(country: str, subdivision: str | None, years: Iterable[int]) -> frozenset[date]:
    """The public holidays of a country or of a part of it, with the days off that stand in for those on a weekend.

    A year before the country's first known one has none. Raises CalendarError for an unknown country or subdivision.
    """
    return frozenset().union(*(_of_year(country, subdivision, year) for year in years))


def check_country(country: str, subdivision: str | None) -> None:
    """Raises CalendarError, with what can be written instead, when the package knows no such country or part."""
    known = _supported()
    if country not in known:
        raise CalendarError(f"no holidays are known for the country {country!r}: write an ISO 3166 code, e.g. PL or DE")
    if subdivision is not None and subdivision not in known[country]:
        parts = ", ".join(known[country]) or "none"
        raise CalendarError(f"no holidays are known for {subdivision!r} in {country}: its known parts are {parts}")


@lru_cache(maxsize=1)
def _supported() -> dict[str, list[str]]:
    from holidays import list_supported_countries  # takes 50 ms to import: only where countries are named

    return {country: list(parts) for country, parts in list_supported_countries(include_aliases=True).items()}


@lru_cache(maxsize=1024)
def _of_year(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    check_country(country, subdivision)
    from holidays import country_holidays

    return frozenset(country_holidays(country, subdiv=subdivision, years=year))
