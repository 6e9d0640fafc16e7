"""Rule tests: a ticket's life played through the rule book, without a tracker, and what must follow. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hub.rules.book import RuleBook
from hub.rules.case import Case, Seen
from hub.rules.clocks import Clock
from hub.rules.conditions import matches
from hub.rules.one_pass import rule_on
from hub.rules.ruling import Ruling, Situation
from hub.rules.values import Neighbour
from hub.settings.rules import GivenTicket, RuleTest, Step, Then
from hub.text import canonical
from hub.ticket import (
    Category,
    Channel,
    Comment,
    Person,
    Priority,
    Status,
    Ticket,
    TicketRef,
    Visibility,
)

MOST_LOOKS = 1000
"""Looks at one ticket; rules that want to look for ever have a mistake that is worth seeing."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The outcome of a rule test: `wrong` is empty when all is as expected; `log` tells what happened, line by line."""

    name: str
    wrong: tuple[str, ...]
    log: tuple[str, ...]


def try_rules(book: RuleBook, test: RuleTest) -> Trial:
    """Plays one rule test."""
    play = _Play(book, test.given)
    for step in test.when:
        play.go_to(test.given.opened + timedelta(minutes=step.at))
        play.take(step)
    return Trial(test.name, tuple(_differences(test.then, play)), tuple(play.log))


@dataclass
class _Play:
    """A ticket that nobody but the test and the rules touches."""

    book: RuleBook
    given: GivenTicket
    log: list[str] = field(default_factory=list)
    fired: list[str] = field(default_factory=list)
    notified: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    own: set[str] = field(default_factory=set)
    has_issue: bool = False
    issue_status: Status | None = None
    assignee: str | None = None
    case: Case | None = None
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    next_at: datetime | None = None

    def __post_init__(self) -> None:
        given = self.given
        requester = Person("customer", given.requester.name, given.requester.email, language=given.requester.language)
        self.now, self.assignee = given.opened, given.assignee
        self.ref = TicketRef(given.tracker, "1")
        self.ticket = Ticket(
            id="1",
            key="#1",
            title=given.title,
            description=canonical(given.text),
            status=Status(given.status),
            priority=Priority(given.priority),
            category=Category(given.category or "unknown"),
            channel=Channel(given.channel or "unknown"),
            line=given.line,
            labels=frozenset(given.labels),
            organisation=given.organisation,
            requester=requester,
            assignee=_person(given.assignee),
            custom=dict(given.custom),
            created=given.opened,
            updated=given.opened,
        )
        self._look()

    def go_to(self, at: datetime) -> None:
        """Time goes on; what becomes due on the way is looked at in its time."""
        for _ in range(MOST_LOOKS):
            if self.next_at is None or self.next_at >= at:
                break
            self.now = max(self.next_at, self.now)
            self._look()
        self.now = max(self.now, at)

    def take(self, step: Step) -> None:
        """Something happens, and the rules look at it."""
        values: dict[str, Any] = {}
        for name, kind in (("status", Status), ("priority", Priority), ("category", Category)):
            if (given := getattr(step, name)) is not None:
                values[name] = kind(given)
        if step.line is not None:
            values["line"] = step.line
        if step.assignee is not None:
            self.assignee = None if step.assignee == "nobody" else step.assignee
            values["assignee"] = _person(self.assignee)
        if step.rating is not None:
            values["rating"] = step.rating
        labels = (self.ticket.labels | set(step.add_labels)) - set(step.remove_labels)
        custom = {**self.ticket.custom, **step.custom}
        self.ticket = replace(self.ticket, **values, labels=labels, custom=custom, updated=self.now)
        if step.reply is not None:
            self._say("", Visibility.PUBLIC, is_staff=step.reply == "staff")
        if step.note:
            self._say(step.note, Visibility.PRIVATE, is_staff=True)
        if step.issue_status is not None:
            self.has_issue, self.issue_status = True, Status(step.issue_status)
        self._look()

    def _look(self) -> None:
        seen = Seen(
            ticket=self.ticket, assignee=self.assignee, line=self.ticket.line, comments=tuple(self.comments),
            own_comments=frozenset(self.own), issue_status=self.issue_status,
        )  # fmt: skip
        issue = Neighbour(key="ISSUE-1", url="", title=self.ticket.title, tracker="issues")
        around = Situation(
            tracker=self.given.tracker, issue=issue if self.has_issue else None, issue_status=self.issue_status
        )
        ruling = rule_on(self.book, self.case, self.ref, seen, around, self.now)
        self.case, self.clocks, self.next_at = ruling.case, ruling.clocks, ruling.next_at
        self._note(ruling)

    def _note(self, ruling: Ruling) -> None:
        stamp = f"{self.now:%Y-%m-%d %H:%M} UTC"
        for explained in ruling.explained:
            if explained.fired:
                self.fired.append(explained.rule)
                self.log.append(f"{stamp}  {explained.rule}: {explained.because}")
        for wanted in ruling.wanted:
            match wanted.kind:
                case "change":
                    self._change(wanted.data)
                case "text":
                    self._say(wanted.data["text"], Visibility(wanted.data["visibility"]), is_staff=True, is_own=True)
                case "notice":
                    self.notified.append(wanted.data["to"])
                case "issue":
                    self.has_issue = True
                case _:
                    pass
            self.log.append(f"{stamp}    {wanted.kind}: {_told(wanted.data)}")

    def _change(self, data: Mapping[str, Any]) -> None:
        values = dict(data["values"])
        custom = {name.removeprefix("custom:"): values.pop(name) for name in list(values) if name.startswith("custom:")}
        if "assignee" in values:
            self.assignee = values["assignee"]
            values["assignee"] = _person(self.assignee)
        labels = (self.ticket.labels | set(data["add"])) - set(data["remove"])
        self.ticket = replace(self.ticket, **values, custom={**self.ticket.custom, **custom}, labels=labels)

    def _say(self, text: str, visibility: Visibility, *, is_staff: bool, is_own: bool = False) -> None:
        author = Person("agent", "An agent", is_staff=True) if is_staff else self.ticket.requester
        assert author is not None
        comment_id = str(len(self.comments) + 1)
        self.comments.append(Comment(comment_id, author, canonical(text), visibility, self.now))
        if is_own:
            self.own.add(comment_id)

    def written(self, visibility: Visibility) -> list[str]:
        """What rules wrote, of this visibility, in order."""
        return [c.text for c in self.comments if c.id in self.own and c.visibility is visibility]


def _differences(then: Then, play: _Play) -> Iterator[str]:
    fired = iter(play.fired)
    for name in then.fired:
        if name not in fired:
            yield f"{name!r} did not fire (or not after the others); fired: {', '.join(play.fired) or 'nothing'}"
            break
    for name in then.not_fired:
        if name in play.fired:
            yield f"{name!r} fired"
    ticket = play.ticket
    for name in ("status", "priority", "category", "line"):
        wanted = getattr(then, name)
        if wanted is not None and str(getattr(ticket, name)) != str(wanted):
            yield f"the {name} is {getattr(ticket, name)}, not {wanted}"
    if then.assignee is not None and (play.assignee or "nobody") != then.assignee:
        yield f"the assignee is {play.assignee or 'nobody'}, not {then.assignee}"
    for name, value in then.custom.items():
        if str(ticket.custom.get(name)) != str(value):
            yield f"the field {name} is {ticket.custom.get(name)}, not {value}"
    lacking = sorted(set(then.labels) - ticket.labels)
    if lacking:
        yield f"it does not carry the label {lacking[0]}"
    carried = sorted(set(then.no_labels) & ticket.labels)
    if carried:
        yield f"it carries the label {carried[0]}"
    for what, patterns, visibility in (
        ("public replies", then.replies, Visibility.PUBLIC), ("private notes", then.notes, Visibility.PRIVATE),
    ):  # fmt: skip
        if patterns is not None:
            yield from _text_differences(what, patterns, play.written(visibility))
    if then.notified is not None and play.notified != then.notified:
        yield f"notified were {', '.join(play.notified) or 'nobody'}, not {', '.join(then.notified) or 'nobody'}"
    if then.issue is not None and play.has_issue is not then.issue:
        yield f"an issue was {'' if play.has_issue else 'not '}asked for"
    yield from _clock_differences(then, play.clocks)


def _text_differences(what: str, patterns: Sequence[str], texts: Sequence[str]) -> Iterator[str]:
    if len(texts) != len(patterns) or not all(matches([p], t) for p, t in zip(patterns, texts, strict=True)):
        told = "; ".join(repr(text) for text in texts) or "none"
        yield f"the {what} are {told}; expected: {'; '.join(map(repr, patterns)) or 'none'}"


def _clock_differences(then: Then, clocks: Mapping[str, Clock]) -> Iterator[str]:
    for name, wanted in then.clocks.items():
        clock = clocks.get(name)
        if clock is None:
            yield f"there is no clock {name}; there are: {', '.join(clocks) or 'none'}"
            continue
        if wanted.state is not None and str(clock.state) != wanted.state:
            yield f"the clock {name} is {clock.state}, not {wanted.state}"
        if wanted.due is not None and clock.due != wanted.due:
            yield f"the clock {name} is due {clock.due}, not {wanted.due}"


def _person(name: str | None) -> Person | None:
    return None if name is None else Person(name, name)


def _told(data: Mapping[str, Any]) -> str:
    if "text" in data:
        text = data["text"].replace("\n", " ")
        return f"{data.get('visibility', data.get('to', ''))}: {text[:80]}"
    if "values" in data:
        parts = [f"{name} = {value}" for name, value in data["values"].items()]
        return ", ".join([*parts, *(f"+{label}" for label in data["add"]), *(f"-{label}" for label in data["remove"])])
    return ", ".join(f"{name} {value}" for name, value in data.items())
