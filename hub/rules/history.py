"""What happened to a ticket, as far as agreements care: its values over time and who replied when.

A history is a value: adding to it makes another one. It may be added to in any order, since deliveries are reordered
and polls are late. Moments are timezone-aware and kept in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args

from hub.rules.calendars import Interval
from hub.ticket import Category, Priority, Status

Field = Literal["status", "priority", "category", "line", "assignee", "organisation"]
FieldValue = Status | Priority | Category | int | str | None
"""Of the type that the field has in `hub.ticket`: a Status, a Priority, a Category, a line's number, or the key of a
person or an organisation. None is a value too: nobody, no line, or not known."""
By = Literal["customer", "staff"]

FIELDS: tuple[Field, ...] = get_args(Field)
_BY = get_args(By)


@dataclass(frozen=True, slots=True)
class Change:
    """From `at` on, `field` has `value`. The values at creation are changes too, at the moment of creation."""

    at: datetime
    field: Field
    value: FieldValue


@dataclass(frozen=True, slots=True)
class Reply:
    """A comment that the customer can read. The text a ticket is opened with is none, and private notes are none."""

    at: datetime
    by: By


@dataclass(frozen=True, slots=True)
class History:
    """A ticket's changes and replies, in order of time.

    Whatever order they are given in: what comes before `created` (clocks differ) counts as at that moment, of two
    values of one field at one moment the one given last holds, and a value equal to the one before it is no change.
    """

    created: datetime
    changes: tuple[Change, ...] = ()
    replies: tuple[Reply, ...] = ()

    def __post_init__(self) -> None:
        created = _utc(self.created)
        object.__setattr__(self, "created", created)
        object.__setattr__(self, "changes", _in_order(self.changes, created))
        replies = {Reply(max(_utc(reply.at), created), reply.by) for reply in self.replies}
        object.__setattr__(self, "replies", tuple(sorted(replies, key=lambda reply: (reply.at, reply.by))))

    def with_change(self, at: datetime, field: Field, value: FieldValue) -> History:
        return replace(self, changes=(*self.changes, Change(at, field, value)))

    def with_reply(self, at: datetime, by: By) -> History:
        return replace(self, replies=(*self.replies, Reply(at, by)))

    def until(self, at: datetime) -> History:
        """The history as it was known at `at`, that moment included."""
        at = _utc(at)
        last = [change.at for change in self.changes[-1:]] + [reply.at for reply in self.replies[-1:]]
        if all(moment <= at for moment in last):
            return self
        return replace(
            self,
            changes=tuple(change for change in self.changes if change.at <= at),
            replies=tuple(reply for reply in self.replies if reply.at <= at),
        )

    def latest(self, until: datetime) -> datetime:
        """The latest moment of anything in it that is not after `until`."""
        until = _utc(until)
        moments = [*(change.at for change in self.changes), *(reply.at for reply in self.replies)]
        return max((at for at in moments if at <= until), default=self.created)

    def of(self, field: Field) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.field == field)

    def value_at(self, field: Field, at: datetime) -> FieldValue:
        """The value of `field` at `at`; None where no value was known yet."""
        at = _utc(at)
        value: FieldValue = None
        for change in self.changes:
            if change.at > at:
                break
            if change.field == field:
                value = change.value
        return value

    def status_at(self, at: datetime) -> Status | None:
        return cast("Status | None", self.value_at("status", at))

    def line_at(self, at: datetime) -> int | None:
        return cast("int | None", self.value_at("line", at))

    def segments(self, field: Field, until: datetime) -> list[tuple[Interval, FieldValue]]:
        """The values of `field` from the creation up to `until`, without gaps; values held for no time are left out."""
        until = _utc(until)
        found: list[tuple[Interval, FieldValue]] = []
        since, value = self.created, cast("FieldValue", None)
        for change in self.of(field):
            if change.at >= until:
                break
            if since < change.at:
                found.append((Interval(since, change.at), value))
            since, value = change.at, change.value
        if since < until:
            found.append((Interval(since, until), value))
        return found

    def times_entered(self, field: Field, values: Collection[FieldValue]) -> tuple[datetime, ...]:
        """When `field` came to have one of `values` after having had another. The value at creation is not entered."""
        entered: list[datetime] = []
        inside = True
        for change in self.of(field):
            if change.value in values and not inside and change.at > self.created:
                entered.append(change.at)
            inside = change.value in values
        return tuple(entered)

    def dump(self) -> dict[str, Any]:
        """As plain JSON values; `load` makes the same history of them."""
        return {
            "created": self.created.isoformat(),
            "changes": [[change.at.isoformat(), change.field, change.value] for change in self.changes],
            "replies": [[reply.at.isoformat(), reply.by] for reply in self.replies],
        }

    @classmethod
    def load(cls, dumped: Mapping[str, Any]) -> History:
        """Raises ValueError that says what is wrong when `dumped` is not what `dump` makes."""
        try:
            return cls(
                created=datetime.fromisoformat(dumped["created"]),
                changes=tuple(_load_change(*change) for change in dumped["changes"]),
                replies=tuple(_load_reply(*reply) for reply in dumped["replies"]),
            )
        except (KeyError, TypeError) as wrong:
            raise ValueError(f"this is no dumped history: {wrong!r}") from wrong


def starting(
    created: datetime,
    *,
    status: Status = Status.NEW,
    priority: Priority = Priority.UNKNOWN,
    category: Category = Category.UNKNOWN,
    line: int | None = None,
    assignee: str | None = None,
    organisation: str | None = None,
) -> History:
    """The history of a ticket that was just created with these values."""
    values: Iterable[tuple[Field, FieldValue]] = (
        ("status", status),
        ("priority", priority),
        ("category", category),
        ("line", line),
        ("assignee", assignee),
        ("organisation", organisation),
    )
    return History(created, tuple(Change(created, field, value) for field, value in values if value is not None))


def _in_order(changes: Iterable[Change], created: datetime) -> tuple[Change, ...]:
    last_given = {(max(_utc(change.at), created), change.field): change.value for change in changes}
    kept: list[Change] = []
    values: dict[Field, FieldValue] = {}
    for (at, field), value in sorted(last_given.items(), key=lambda item: (item[0][0], FIELDS.index(item[0][1]))):
        if values.get(field) != value:
            kept.append(Change(at, field, value))
            values[field] = value
    return tuple(kept)


def _load_change(at: str, field: str, value: object) -> Change:
    if field not in FIELDS:
        raise ValueError(f"{field!r} is no field of a history: it is one of {', '.join(FIELDS)}")
    if value is None:
        return Change(datetime.fromisoformat(at), field, None)
    return Change(datetime.fromisoformat(at), field, _LOADERS[field](value))


def _load_reply(at: str, by: str) -> Reply:
    if by not in _BY:
        raise ValueError(f"a reply is by the customer or by staff, not by {by!r}")
    return Reply(datetime.fromisoformat(at), cast("By", by))


def _load_line(value: object) -> int:
    if not isinstance(value, int):
        raise ValueError(f"a line is a number, not {value!r}")
    return value


_LOADERS: Mapping[Field, Callable[[Any], FieldValue]] = {
    "status": Status,
    "priority": Priority,
    "category": Category,
    "line": _load_line,
    "assignee": str,
    "organisation": str,
}


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone: a history needs aware moments")
    return at.astimezone(UTC)
