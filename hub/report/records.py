"""What a report is computed from, and what it consists of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from hub.rules.calendars import ALWAYS, Calendar
from hub.rules.clocks import Clock
from hub.rules.history import History
from hub.ticket import Category, Channel


@dataclass(frozen=True, slots=True)
class ClockRecord:
    """One run of a clock: `agreement` is the settings' name for it. All runs of a ticket count, not only the last."""

    agreement: str
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecord:
    """All that a report needs of one ticket.

    `calendar` is the one by which its times are told, usually that of its agreement. `clocks` are computed for the end
    of the period (`hub.rules.clocks.clock_cycles`). `gone` is since when the ticket has not been found in its tracker:
    the history ends then as closed, which is no solution. `rating` is the customer's word in the tracker's neutral
    form, None where there is none.
    """

    tracker: str
    ticket_id: str
    organisation: str | None = None
    category: Category = Category.UNKNOWN
    channel: Channel = Channel.UNKNOWN
    history: History
    calendar: Calendar = ALWAYS
    clocks: tuple[ClockRecord, ...] = ()
    rating: str | None = None
    gone: datetime | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` up to and without `until`, both aware; months are those of `zone`."""

    since: datetime
    until: datetime
    zone: tzinfo

    def __post_init__(self) -> None:
        if self.since.tzinfo is None or self.until.tzinfo is None:
            raise ValueError("a period needs moments with a time zone")
        if self.since >= self.until:
            raise ValueError("a period ends after it begins")

    def holds(self, at: datetime | None) -> bool:
        return at is not None and self.since <= at < self.until

    def month(self, at: datetime) -> str:
        """`2024-06`."""
        return f"{at.astimezone(self.zone):%Y-%m}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a report.

    `table` and `name` say what it is, `unit` is `minutes` (of business time), `days` (of elapsed time), `tickets`,
    `runs` or `share` (0 to 1). `by` is what it is told for, as (kind, value) pairs: (("agreement", "gold"), ("line",
    "2")). `value` is None where there is nothing to tell it from.
    """

    table: str
    name: str
    unit: str
    value: float | None
    by: tuple[tuple[str, str], ...] = ()


def chosen(
    records: Iterable[CaseRecord],
    period: Period,
    *,
    tracker: str | None = None,
    line: int | None = None,
    organisation: str | None = None,
) -> list[CaseRecord]:
    """The records that were there before the period's end and fit.

    A ticket fits a line that had it at any time in the period.
    """
    return [
        record
        for record in records
        if record.history.created < period.until
        and (tracker is None or record.tracker == tracker)
        and (organisation is None or record.organisation == organisation)
        and (line is None or _was_with(record.history, line, period))
    ]


def _was_with(history: History, line: int, period: Period) -> bool:
    return any(
        value == line and interval.end > period.since for interval, value in history.segments("line", period.until)
    )
