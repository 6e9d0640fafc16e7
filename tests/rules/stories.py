"""Tickets' histories told shortly, for tests: one line an event, in the local time of a day in one week.

story("Mon 09:00", "Mon 10:00 pending", "Tue 08:00 customer", "Tue 09:00 staff", "Tue 09:00 solved", "Wed 10:00 line 2")
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hub.rules.calendars import Calendar
from hub.rules.history import History, starting
from hub.ticket import Priority, Status

WARSAW = ZoneInfo("Europe/Warsaw")
MONDAY = date(2024, 6, 3)
"""A week without holidays and without a change of the clocks; the one after it is like it."""
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Mon2", "Tue2", "Wed2"]

OFFICE = Calendar("office", WARSAW, dict.fromkeys(range(5), ((9 * 60, 17 * 60),)))
"""Monday to Friday, 09:00 to 17:00."""


def when(text: str) -> datetime:
    """`Tue 14:30` -> that moment in UTC."""
    day, clock = text.split()
    moment = datetime.combine(MONDAY + timedelta(days=DAYS.index(day)), datetime.min.time(), WARSAW)
    hours, minutes = clock.split(":")
    return moment.replace(hour=int(hours), minute=int(minutes)).astimezone(UTC)


def story(
    created: str,
    *events: str,
    status: Status = Status.OPEN,
    priority: Priority = Priority.NORMAL,
    line: int | None = None,
    assignee: str | None = None,
) -> History:
    """A ticket created then. An event is `<day> <time>` and `customer` or `staff` (a public reply), a status, a
    priority, `line <number>`, `owner <name>` or `nobody` (the assignee)."""
    history = starting(when(created), status=status, priority=priority, line=line, assignee=assignee)
    for event in events:
        day, clock, what, *rest = event.split()
        at = when(f"{day} {clock}")
        if what == "customer":
            history = history.with_reply(at, "customer")
        elif what == "staff":
            history = history.with_reply(at, "staff")
        elif what == "line":
            history = history.with_change(at, "line", int(rest[0]))
        elif what in ("owner", "nobody"):
            history = history.with_change(at, "assignee", rest[0] if rest else None)
        elif what in set(Priority):
            history = history.with_change(at, "priority", Priority(what))
        else:
            history = history.with_change(at, "status", Status(what))
    return history
