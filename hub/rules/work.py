"""What a pass over the rules has at hand and what it has gathered: facts, values and labels to set, orders. Pure.

It must not know of rules, agreements or macros; they read it and add to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from hub.connector import Unwritable
from hub.rules.book import RuleBook, Running
from hub.rules.case import Case, News, Seen
from hub.rules.clocks import Clock
from hub.rules.conditions import Answer, evaluate, facts_of
from hub.rules.history import FIELDS
from hub.rules.placeholders import Rendered, render
from hub.rules.ruling import Explained, Situation, Wanted
from hub.rules.values import ticket_values
from hub.settings.rules import Line
from hub.ticket import Value, Visibility

LONGEST_MARK = 120


class Work:
    """One pass at work: what is known, and what is wanted so far.

    Whatever is set shows at once in `facts`, so that what comes later in the pass sees it. `fired` and `steps` are what
    the case will remember, `looks` the times at which something may change by itself (UTC).
    """

    def __init__(self, book: RuleBook, case: Case, seen: Seen, situation: Situation, news: News, now: datetime) -> None:
        self.book, self.case, self.seen, self.situation = book, case, seen, situation
        self.news, self.now = news, now
        self.facts = self._known_facts()
        self.values: dict[str, Value] = {}
        self.add_labels: dict[str, None] = {}
        self.remove_labels: dict[str, None] = {}
        self.reasons: dict[str, str] = {}
        self.wanted: list[Wanted] = []
        self.explained: list[Explained] = []
        # Those of rules that are not in the book now stay: a rule that is put back goes on counting where it was.
        self.fired = dict(case.fired)
        self.steps = set(case.steps)
        self.if_free = False
        self.looks: list[datetime] = []
        self.clocks: dict[str, tuple[Running, Clock]] = {}

    def evaluate(self, condition: Any) -> Answer:
        """Whether a condition holds with all that was set so far, and why."""
        return evaluate(condition, self.facts, self.now)

    def set_value(self, name: str, value: Value, source: str, because: str) -> None:
        """Sets a field, the line or the assignee, in the form that the tracker holds; what it is already stays out."""
        value = self._held(name, value)
        if self.facts.get(name) == value and name not in self.values and name != "assignee":
            return
        self.values[name] = value
        self.facts[name] = value
        self.reasons.setdefault(source, because)
        if name == "assignee":
            self.if_free = False

    def set_label(self, label: str, source: str, because: str, *, is_on: bool) -> None:
        """Puts a label on or takes it off; the last word on a label counts."""
        if is_on and self.situation.form is not None:
            label = self.situation.form.hold_label(label)
        here, there = (self.add_labels, self.remove_labels) if is_on else (self.remove_labels, self.add_labels)
        here[label] = None
        there.pop(label, None)
        self.reasons.setdefault(source, because)
        labels = self.facts["labels"]
        assert isinstance(labels, frozenset)
        self.facts["labels"] = labels | {label} if is_on else labels - {label}

    def want(self, source: str, name: str, kind: str, data: Mapping[str, Any], because: str) -> None:
        """Orders something else than a change; source and name make the mark, by which it is done once."""
        self.wanted.append(Wanted(mark=mark_of(f"{source} {name}"), kind=kind, data=data, because=because))

    def say(
        self, text: str, visibility: Visibility, source: str, name: str, because: str, rule: str, reason: str
    ) -> None:
        """Orders a comment. Names of placeholders that had no value go along where customers would see it."""
        said = self.render(text, rule, reason)
        data = {"text": said.text, "visibility": visibility.value}
        if said.missing and visibility.is_public:
            data["missing"] = ", ".join(said.missing)
        self.want(source, name, "text", data, because)

    def render(self, text: str, rule: str, reason: str) -> Rendered:
        """A text with the values of the ticket as they are once all that was set is written."""
        facts, situation = self.facts, self.situation
        due = [
            clock.due.astimezone(running.promise.calendar.zone)
            for running, clock in self.clocks.values()
            if clock.due is not None and clock.state.is_open
        ]
        line = self.line_of(facts.get("line"))
        values = ticket_values(
            self.seen.ticket,
            situation.tracker,
            issue=situation.issue,
            issue_status=situation.issue_status,
            tickets=situation.tickets,
            due=min(due, default=None),
            line=line.name if line else None,
            now=self.now,
        )
        changed = {name: facts.get(name) for name in ("status", "priority", "category")}
        values |= {
            "ticket": {**values["ticket"], **changed},
            "requester": {**values["requester"], "language": facts["language"]},
            "line": {"number": facts.get("line"), "name": line.name if line else None},
            "reason": reason,
            "rule": rule,
        }
        return render(text, values)

    def line_of(self, number: object) -> Line | None:
        """The support line of a number; None where there is none."""
        return self.book.lines.get(number) if isinstance(number, int) else None

    def _known_facts(self) -> dict[str, object]:
        case, seen = self.case, self.seen
        language = self._language()
        return {
            **facts_of(seen.ticket),
            **{name: case.seen.get(name) for name in FIELDS if name != "assignee"},
            "tracker": self.situation.tracker,
            "language": language,
            "linked": self.situation.issue is not None,
            "issue_status": self.situation.issue_status,
            "issue_resolution": self.situation.issue_resolution,
            "customers": max(len(self.situation.tickets), 1),
            "created": case.history.created,
            "updated": case.touched,
            "line_since": case.line_since,
            "last_reply": case.seen.get("last_reply", "nobody"),
            "replied": self.news.replied,
            "changed": self.news.changed,
            "rating": case.rating,
        }

    def _language(self) -> str:
        seen, languages = self.seen, self.book.languages
        own = seen.ticket.custom.get(languages.custom_field) if languages.custom_field else None
        requester = seen.ticket.requester
        told = own or (requester.language if requester else None)
        return str(told or languages.organisations.get(seen.ticket.organisation or "", languages.default)).lower()

    def _held(self, name: str, value: Value) -> Value:
        """In the tracker's own form, so that what is read back is no news."""
        if self.situation.form is None or name in ("line", "assignee"):
            return value
        try:
            return self.situation.form.hold(name, value)
        except Unwritable:
            return value


def mark_of(source: str) -> str:
    """The source itself, or as much of it as there is room for and what tells it from others."""
    if len(source) <= LONGEST_MARK:
        return source
    return f"{source[: LONGEST_MARK - 17]}~{sha256(source.encode()).hexdigest()[:16]}"
