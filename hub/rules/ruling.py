"""What a ruling is about and what it says: the situation of a ticket, and what the rules want of it. Values only.

They must not know how a ruling comes about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from hub.rules.case import Case, News
from hub.rules.clocks import Clock
from hub.rules.values import Neighbour
from hub.ticket import Status, Value

CLOCK = "clock "
"""How explanations of clocks begin, to tell them from rules."""


class Form(Protocol):
    """In which form a tracker holds what is set. Raises `hub.connector.Unwritable`."""

    def hold(self, field_name: str, value: Value) -> Value: ...
    def hold_label(self, label: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A line that a person asked for from outside: its number, `next` or `previous`. `mark` is that of the order."""

    line: int | str
    reason: str
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is around a ticket: its issue, the other tickets of the link, who has how much to do.

    `loads` are open cases by assignee key. `asked` are macros that a person asked for from outside, with the mark of
    their order; `moves` lines. `leaving` are labels that are to be taken off already, as soon as the tracker lets the
    hub. Deadlines before `since` are not acted on: the hub had no rules then.
    """

    tracker: str
    issue: Neighbour | None = None
    issue_status: Status | None = None
    issue_resolution: str | None = None
    tickets: Sequence[Neighbour] = ()
    loads: Mapping[str, int] = field(default_factory=dict)
    asked: Sequence[tuple[str, str]] = ()
    moves: Sequence[Move] = ()
    leaving: frozenset[str] = frozenset()
    since: datetime | None = None
    form: Form | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One order of a pass; `kind` and `data` as `hub.journal.cases` stores them."""

    mark: str
    kind: Any
    data: Mapping[str, Any]
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What became of a rule in this pass."""

    rule: str
    fired: bool
    holds: bool | None
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The outcome of a pass. `next_at` is when something may change by itself, None when nothing will."""

    case: Case
    news: News
    wanted: tuple[Wanted, ...] = ()
    explained: tuple[Explained, ...] = ()
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    next_at: datetime | None = None
