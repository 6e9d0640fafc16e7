"""Business time: when somebody is at work, how much of it lies between two moments, and when an amount of it is over.

Pure: no input, no output, no clock. Moments are timezone-aware (anything else is a ValueError) and come back in UTC.
Amounts are minutes of real, elapsed time: the night on which the clocks go back has an hour more, and it counts.

**Daylight saving.** Hours are written on the wall clock of the calendar's zone. A time of day means *the first moment
at which the wall clock shows it or a later time*. So an opening at 02:30 on the night when the clock jumps from 02:00
to 03:00 opens at 03:00, and where 02:30 happens twice the first one is meant, for openings and for closings. With
this rule a span never ends before it begins, and 08:00-12:00 with 12:00-16:00 is 08:00-16:00 on every day of the year.

**Days.** A shift over midnight belongs to the day on which it begins: Friday 22:00-30:00 ends on Saturday at 06:00 also
when Saturday is a holiday, and does not happen at all when Friday is one. Hours of a single day (`special`) win over
holidays, and no hours at all close the day. Spans that overlap count once.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from zoneinfo import ZoneInfo

from hub.rules.holidays import CalendarError, Holidays, holiday_dates

__all__ = [
    "ALWAYS",
    "Calendar",
    "CalendarError",
    "Holidays",
    "Interval",
    "Span",
    "clock_face",
    "holiday_dates",
    "merge",
]

Span = tuple[int, int]
"""Opening and closing in minutes of wall-clock time since the day's midnight: 0 <= opening < 1440, opening < closing <=
2880. A closing past 1440 is on the next day: (1320, 1800) is 22:00 to 06:00."""

MINUTE = timedelta(minutes=1)
NOTHING = timedelta(0)
LATEST_CLOSING = 2 * 24 * 60
YEARS_OF_SEARCH = 10
DAYS_KEPT = 4096
"""How many days and months one calendar remembers before it begins anew: about eleven years of days."""


@dataclass(frozen=True, slots=True)
class Interval:
    """From `start` up to and without `end`. Aware; UTC wherever this package makes one."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True)
class Calendar:
    """The opening hours of somebody, in the zone where they live. Equal when all that is written in it is equal.

    `hours` by weekday, 0 for Monday to 6 for Sunday; a weekday that is not named is closed. `holidays` are closed days:
    a set of dates, or `Holidays`, which knows every year. `special` are the hours of single days.
    Raises CalendarError for a weekday or a span that cannot be.
    """

    name: str
    zone: ZoneInfo
    hours: Mapping[int, tuple[Span, ...]]
    holidays: Container[date] = frozenset()
    special: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for weekday in self.hours:
            if weekday not in range(7):
                raise CalendarError(f"calendar {self.name}: {weekday} is no weekday, write 0 (Monday) to 6 (Sunday)")
        for spans in (*self.hours.values(), *self.special.values()):
            for opening, closing in spans:
                if not (0 <= opening < 1440 and opening < closing <= LATEST_CLOSING):
                    raise CalendarError(
                        f"calendar {self.name}: {clock_face(opening)}-{clock_face(closing)} cannot be: hours open"
                        " before 24:00, close after they open, and end by 48:00, which is the end of the next day"
                    )
        object.__setattr__(self, "hours", MappingProxyType({day: tuple(s) for day, s in self.hours.items()}))
        object.__setattr__(self, "special", MappingProxyType({day: tuple(s) for day, s in self.special.items()}))

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.name, self.zone, frozenset(self.hours.items()), frozenset(self.special.items())))

    def open_intervals(self, start: datetime, end: datetime) -> Iterator[Interval]:
        """The open time from `start` up to `end`, in order, each as long as it can be. Nothing where end <= start."""
        start, end = _utc(start), _utc(end)
        pending: Interval | None = None
        day = self._local_day(start)
        while self._midnight(day) < end:
            for opened in self._day(day):
                piece = Interval(max(opened.start, start), min(opened.end, end))
                if piece.start >= piece.end:
                    continue
                if pending is not None and pending.end == piece.start:
                    pending = Interval(pending.start, piece.end)
                    continue
                if pending is not None:
                    yield pending
                pending = piece
            day += timedelta(days=1)
        if pending is not None:
            yield pending

    def time_between(self, start: datetime, end: datetime) -> timedelta:
        """The business time from `start` up to `end`; nothing where end <= start. Exact to the microsecond."""
        start, end = _utc(start), _utc(end)
        if end <= start:
            return NOTHING
        total = NOTHING
        day, last = self._local_day(start), self._local_day(end)
        while day <= last:
            following = _next_month(day)
            if day.day == 1 and start <= self._midnight(day) and following <= last:
                total += self._month(day)
                day = following
                continue
            for opened in self._day(day):
                total += max(min(opened.end, end) - max(opened.start, start), NOTHING)
            day += timedelta(days=1)
        return total

    def minutes_between(self, start: datetime, end: datetime) -> float:
        """`time_between` in minutes."""
        return self.time_between(start, end) / MINUTE

    def add_time(self, start: datetime, amount: timedelta) -> datetime:
        """The earliest moment, not before `start`, at which `amount` of business time has passed since `start`.

        No amount gives `start`; an amount that ends with the working day gives the closing, not the next opening.
        Raises ValueError for a negative amount, CalendarError when no business time is found for ten years.
        """
        start = _utc(start)
        if amount < NOTHING:
            raise ValueError("business time is counted forward only: the amount is negative")
        if amount == NOTHING:
            return start
        left = amount
        day = self._local_day(start)
        found = day
        while True:
            if day.year - found.year > YEARS_OF_SEARCH or day.year >= date.max.year - 1:
                raise CalendarError(
                    f"calendar {self.name} has no business time from {found} on for {YEARS_OF_SEARCH} years: give it"
                    " opening hours"
                )
            if day.day == 1 and start <= self._midnight(day):
                month = self._month(day)
                if month < left:
                    found = day if month else found
                    left -= month
                    day = _next_month(day)
                    continue
            for opened in self._day(day):
                begin = max(opened.start, start)
                length = opened.end - begin
                if length <= NOTHING:
                    continue
                if left <= length:
                    return begin + left
                left -= length
                found = day
            day += timedelta(days=1)

    def add_minutes(self, start: datetime, minutes: float) -> datetime:
        """`add_time` with the amount in minutes."""
        return self.add_time(start, timedelta(minutes=minutes))

    def is_open(self, at: datetime) -> bool:
        at = _utc(at)
        return any(opened.start <= at < opened.end for opened in self._day(self._local_day(at)))

    # What follows is remembered per calendar. That changes nothing but the cost.

    @cached_property
    def _days(self) -> dict[date, tuple[Interval, ...]]:
        return {}

    @cached_property
    def _months(self) -> dict[date, timedelta]:
        return {}

    def _day(self, day: date) -> tuple[Interval, ...]:
        """The open time between the midnights of a local day: its own shifts and what the evening before left over."""
        known = self._days.get(day)
        if known is not None:
            return known
        start, end = self._midnight(day), self._midnight(day + timedelta(days=1))
        shifts = (*self._shifts(day - timedelta(days=1)), *self._shifts(day))
        merged = merge([Interval(max(shift.start, start), min(shift.end, end)) for shift in shifts])
        if len(self._days) >= DAYS_KEPT:
            self._days.clear()
        self._days[day] = tuple(merged)
        return self._days[day]

    def _month(self, first: date) -> timedelta:
        """The business time of the month that begins with `first`."""
        known = self._months.get(first)
        if known is not None:
            return known
        total, day, following = NOTHING, first, _next_month(first)
        while day < following:
            total += sum((opened.length for opened in self._day(day)), NOTHING)
            day += timedelta(days=1)
        if len(self._months) >= DAYS_KEPT:
            self._months.clear()
        self._months[first] = total
        return total

    def _shifts(self, day: date) -> list[Interval]:
        """What begins on `day`; may reach into the next one and may overlap."""
        if day in self.special:
            spans = self.special[day]
        elif day in self.holidays:
            spans = ()
        else:
            spans = self.hours.get(day.weekday(), ())
        return [Interval(self._moment(day, opening), self._moment(day, closing)) for opening, closing in spans]

    def _midnight(self, day: date) -> datetime:
        return self._moment(day, 0)

    def _moment(self, day: date, minutes: int) -> datetime:
        """The first moment at which the wall clock shows `minutes` after the midnight of `day`, or later."""
        wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001 - a wall clock's
        moment = wall.replace(tzinfo=self.zone).astimezone(UTC)
        if moment.astimezone(self.zone).replace(tzinfo=None) == wall:
            return moment  # with fold=0, which is the first of two
        return self._end_of_gap(wall)

    def _end_of_gap(self, wall: datetime) -> datetime:
        """When the clock jumped over `wall`. Found by halving: Python tells offsets, not the moments they change."""
        earliest = wall.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        latest = wall.replace(tzinfo=self.zone, fold=0).astimezone(UTC)
        second = timedelta(seconds=1)
        while latest - earliest > second:
            middle = earliest + (latest - earliest) // 2 // second * second
            if middle.astimezone(self.zone).replace(tzinfo=None) >= wall:
                latest = middle
            else:
                earliest = middle
        return latest

    def _local_day(self, at: datetime) -> date:
        """The local day between whose midnights `at` lies.

        Not always the date that the wall clock shows: in St John's, until 2011, the clock went back at 00:01, so that
        it showed the old date for another hour after the first midnight.
        """
        day = at.astimezone(self.zone).date()
        if at >= self._midnight(day + timedelta(days=1)):
            return day + timedelta(days=1)
        return day


def clock_face(minutes: int) -> str:
    """Minutes since midnight as people write them: 1800 is 30:00."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def merge(intervals: list[Interval]) -> list[Interval]:
    """The same time in order, with pieces that touch or overlap made one."""
    merged: list[Interval] = []
    for piece in sorted(intervals, key=lambda interval: interval.start):
        if piece.start >= piece.end:
            continue
        if merged and piece.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, piece.end))
        else:
            merged.append(piece)
    return merged


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone: business time needs aware moments")
    return at.astimezone(UTC)


ALWAYS = Calendar("24x7", ZoneInfo("UTC"), dict.fromkeys(range(7), ((0, 1440),)))
"""Every minute counts."""
