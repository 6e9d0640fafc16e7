"""A case: what the rules know of one ticket, and what they make of its present state. Pure values.

The tracker shows what is; rules need what was: since when a ticket is urgent, how long it waited for the customer, who
answered first. A case keeps that, and which rules have fired, so that nothing is done twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from hub.rules.history import FIELDS, Change, Field, FieldValue, History, Reply
from hub.ticket import Category, Channel, Comment, Person, Priority, Status, Ticket, TicketRef

MAX_WORDS = 200
_WORD = re.compile(r"[^\W_]{3,}")


MOST_IN_A_ROW = 8
IN_A_ROW = timedelta(minutes=10)
"""A firing so soon after the one before is one more in a row; MOST_IN_A_ROW of them, and the rule pauses as long."""


@dataclass(frozen=True, slots=True)
class Firing:
    """A rule and this ticket: whether its condition held the last time, how often it fired, and when last.

    `row` counts the firings that followed each other quickly.
    """

    holds: bool = False
    count: int = 0
    at: datetime | None = None
    row: int = 0

    def again(self, now: datetime) -> Firing:
        """One firing more."""
        is_soon = self.at is not None and now - self.at < IN_A_ROW
        return Firing(True, self.count + 1, now, self.row + 1 if is_soon else 1)

    def is_often(self, now: datetime) -> bool:
        """Whether it has fired so often in so short a time that something must undo what it does."""
        return self.row >= MOST_IN_A_ROW and self.at is not None and now - self.at < IN_A_ROW


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`seen` holds the last known values by name: those of a history, and `channel`, `issue_status`, `requester`,
    `language`, `labels`, `custom`, `last_reply`.

    `touched` is when it last changed other than by a note, a label or a field of the rules' own. `answers` are what
    each rule's condition said the last time, and why; `steps` the warnings and breaches of clocks that were acted on;
    `clocks` state and due time as they were last computed; `words` those of title and description, for the search for
    similar ones.
    """

    ref: TicketRef
    key: str
    url: str = ""
    title: str = ""
    history: History
    seen: Mapping[str, Any] = field(default_factory=dict)
    fired: Mapping[str, Firing] = field(default_factory=dict)
    answers: Mapping[str, tuple[bool | None, str]] = field(default_factory=dict)
    steps: frozenset[str] = frozenset()
    clocks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rating: str | None = None
    words: tuple[str, ...] = ()
    touched: datetime
    looked: datetime

    @property
    def is_open(self) -> bool:
        return not Status(self.seen.get("status", "unknown")).is_done

    @property
    def line(self) -> int | None:
        line = self.seen.get("line")
        return line if isinstance(line, int) else None

    @property
    def line_since(self) -> datetime:
        """When the ticket came to the line that it is with."""
        return max((c.at for c in self.history.changes if c.field == "line"), default=self.history.created)

    @property
    def closed(self) -> datetime | None:
        """When it was solved, None while it is open."""
        if self.is_open:
            return None
        done = [c.at for c in self.history.changes if c.field == "status"]
        return max(done, default=self.looked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a ticket now, beyond the ticket itself.

    `assignee` is the key of `hub.sync.people`. `comments` is None where they were not read. `own_comments` are the ids
    of those that rules wrote, which are nobody's answer. `line` is what the tracker, or its label, says.
    """

    ticket: Ticket
    assignee: str | None = None
    line: int | None = None
    comments: Sequence[Comment] | None = None
    own_comments: frozenset[str] = frozenset()
    issue_status: Status | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What is different from the last look. `changed` maps a field to its old and new value."""

    is_first: bool = False
    changed: Mapping[str, tuple[object, object]] = field(default_factory=dict)
    replied: frozenset[str] = frozenset()


def observe(case: Case | None, ref: TicketRef, seen: Seen, now: datetime) -> tuple[Case, News]:
    """The case after a look at the ticket, and what is new.

    A change is dated by the tracker's own time of the last change where that lies between the two looks, else `now`.
    """
    ticket = seen.ticket
    values = _values(seen)
    if case is None:
        opened = min(ticket.created or now, now)
        touched = min(ticket.updated or now, now)
        case = Case(ref=ref, key=ticket.key, history=History(opened), touched=touched, looked=opened)
        changes = tuple(Change(opened, name, values[name]) for name in FIELDS if values.get(name) is not None)
        if ticket.status.is_done and ticket.updated is not None and ticket.updated > opened:
            # It was not solved when it was opened; when it was, the tracker's last change tells best.
            changes = tuple(c for c in changes if c.field != "status")
            changes += (Change(opened, "status", Status.NEW), Change(min(ticket.updated, now), "status", ticket.status))
        history = _with_changes(case.history, changes)
        news = News(is_first=True)
    else:
        # A tracker that says nothing of the line does not take it away.
        kept = {"line": case.line} if values["line"] is None else {}
        values = {**values, **kept, "issue_status": values["issue_status"] or case.seen.get("issue_status")}
        changed = {
            name: (case.seen.get(name), values[name])
            for name in (*FIELDS, "issue_status")
            if case.seen.get(name) != values[name] and values[name] != "unknown"
        }
        at = ticket.updated if ticket.updated is not None and case.looked <= ticket.updated <= now else now
        history = _with_changes(case.history, [Change(at, n, values[n]) for n in FIELDS if n in changed])
        values = {n: v if v != "unknown" else case.seen.get(n, v) for n, v in values.items()}
        touched = at if _is_other(case, values, ticket) else case.touched
        news = News(changed=changed)
    values["last_reply"] = _last_reply(seen) or case.seen.get("last_reply", "nobody")
    replies = _replies(seen, history) if seen.comments is not None else []
    if replies:
        history = replace(history, replies=(*history.replies, *replies))
    news = replace(news, replied=frozenset(reply.by for reply in replies))
    others = [c.created for c in seen.comments or () if c.id not in seen.own_comments]
    words = words_of(f"{ticket.title} {ticket.description}") if ticket.description is not None else case.words
    return replace(
        case,
        key=ticket.key,
        url=ticket.url,
        title=ticket.title,
        history=history,
        seen=values,
        rating=ticket.rating or case.rating,
        words=words,
        touched=max([touched, *(min(at, now) for at in others)]),
        looked=now,
    ), news


def _is_other(case: Case, values: Mapping[str, Any], ticket: Ticket) -> bool:
    """Whether anything is other than the rules left it; when it was changed alone does not tell by whom."""
    known = {name: value for name, value in values.items() if name != "issue_status"}
    return ticket.title != case.title or any(case.seen.get(name) != value for name, value in known.items())


def with_values(case: Case, values: Mapping[str, object], at: datetime) -> Case:
    """The case after rules changed fields that it keeps, so that their own work is no news the next time."""
    known: dict[Field, FieldValue] = {n: cast("FieldValue", values[n]) for n in FIELDS if n in values}
    changes = [Change(at, name, value) for name, value in known.items() if case.seen.get(name) != value]
    seen: dict[str, Any] = {**case.seen}
    seen.update((str(name), value) for name, value in known.items())
    return replace(case, history=_with_changes(case.history, changes), seen=seen)


def words_of(text: str) -> tuple[str, ...]:
    """The distinct words of a text that say something, in lower case, sorted; at most MAX_WORDS."""
    return tuple(sorted(dict.fromkeys(_WORD.findall(text.casefold()[:20_000]))))[:MAX_WORDS]


def similarity(one: Iterable[str], other: Iterable[str]) -> float:
    """How much two sets of words have in common, from 0 to 1 (Jaccard)."""
    a, b = set(one), set(other)
    return len(a & b) / len(a | b) if a and b else 0.0


def _values(seen: Seen) -> dict[str, Any]:
    ticket = seen.ticket
    return {
        "status": ticket.status,
        "priority": ticket.priority,
        "category": ticket.category,
        "channel": ticket.channel,
        "line": seen.line,
        "assignee": seen.assignee,
        "organisation": ticket.organisation,
        "requester": ticket.requester.label if ticket.requester else None,
        "language": ticket.requester.language if ticket.requester else None,
        "labels": sorted(ticket.labels),
        "custom": {name: str(value) for name, value in ticket.custom.items() if value is not None},
        "issue_status": seen.issue_status,
    }


def _with_changes(history: History, changes: Iterable[Change]) -> History:
    added = tuple(changes)
    return replace(history, changes=(*history.changes, *added)) if added else history


def _replies(seen: Seen, history: History) -> list[Reply]:
    """The public comments that the history does not have yet; a rule's own text is nobody's answer."""
    known = {(reply.at, reply.by) for reply in history.replies}
    replies = [
        # As the history keeps it: nothing is before the creation.
        Reply(
            max(comment.created, history.created), "staff" if is_staff(comment, seen.ticket.requester) else "customer"
        )
        for comment in seen.comments or ()
        if comment.visibility.is_public and comment.id not in seen.own_comments
    ]
    return [reply for reply in replies if (reply.at, reply.by) not in known]


def _last_reply(seen: Seen) -> str | None:
    """Who wrote the last public comment, a rule for support; None where none was read."""
    public = [c for c in seen.comments or () if c.visibility.is_public]
    if not public:
        return None
    last = max(public, key=lambda comment: comment.created)
    by_staff = last.id in seen.own_comments or is_staff(last, seen.ticket.requester)
    return "staff" if by_staff else "customer"


def is_staff(comment: Comment, requester: Person | None) -> bool:
    """Where the tracker does not tell, whoever is not the requester answers for support."""
    author = comment.author
    if author.is_staff is not None:
        return author.is_staff
    if requester is None:
        return True
    same_address = author.email is not None and author.email == requester.email
    return not (same_address or (author.id != "" and author.id == requester.id))


# -- storing ------------------------------------------------------------------------------------------------------


def dump_case(case: Case) -> dict[str, Any]:
    """A case as JSON, less what stands in columns of its own."""
    return {
        "title": case.title,
        "history": case.history.dump(),
        "seen": {name: str(v) if isinstance(v, Status | Priority | Category | Channel) else v
                 for name, v in case.seen.items()},
        "fired": {
            name: [f.holds, f.count, f.at.isoformat() if f.at else None, f.row] for name, f in case.fired.items()
        },
        "answers": {name: list(answer) for name, answer in case.answers.items()},
        "steps": sorted(case.steps),
        "clocks": {name: dict(clock) for name, clock in case.clocks.items()},
        "rating": case.rating,
        "words": list(case.words),
        "touched": case.touched.isoformat(),
        "looked": case.looked.isoformat(),
    }  # fmt: skip


_ENUMS: Mapping[str, Any] = {
    "status": Status,
    "priority": Priority,
    "category": Category,
    "channel": Channel,
    "issue_status": Status,
}


def load_case(ref: TicketRef, key: str, url: str, data: Mapping[str, Any]) -> Case:
    """The case that `dump_case` wrote."""
    return Case(
        ref=ref,
        key=key,
        url=url,
        title=data["title"],
        history=History.load(data["history"]),
        seen={name: _ENUMS[name](v) if name in _ENUMS and v is not None else v for name, v in data["seen"].items()},
        fired={
            name: Firing(holds, count, datetime.fromisoformat(at) if at else None, row)
            for name, (holds, count, at, row) in data["fired"].items()
        },
        answers={name: (holds, because) for name, (holds, because) in data["answers"].items()},
        steps=frozenset(data["steps"]),
        clocks=data["clocks"],
        rating=data["rating"],
        words=tuple(data["words"]),
        touched=datetime.fromisoformat(data.get("touched", data["looked"])),
        looked=datetime.fromisoformat(data["looked"]),
    )
