"""From a ticket's case and present state to what the rules want: orders, a new case, and the time of the next look.

Pure: no I/O, no clock, no randomness. One pass goes once, in order, through intake, clocks, rules and macros; each may
see what an earlier one wants. It always ends, and says of every rule whether it fired and on what that hung.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol

from hub.connector import Unwritable
from hub.rules.book import RuleBook, Running, raised
from hub.rules.case import IN_A_ROW, MOST_IN_A_ROW, Case, Firing, News, Seen, is_staff, observe, with_values
from hub.rules.clocks import Clock, clock_of
from hub.rules.conditions import Answer, Facts, evaluate, facts_of, flips
from hub.rules.history import FIELDS
from hub.rules.placeholders import Rendered, render
from hub.rules.values import Neighbour, ticket_values
from hub.settings.rules import Actions, Line, Macro, Rule
from hub.text import to_plain
from hub.ticket import Category, Person, Priority, Status, TicketRef, Value, Visibility

MACRO_LABEL = "macro:"
"""A label that begins so runs a macro and is taken off again."""
MACRO_COMMAND = "/macro "
"""A line of a private note of support that begins so does the same."""
LONGEST_MARK = 120
CLOCK = "clock "
"""How explanations of clocks begin, to tell them from rules."""
SOON = timedelta(seconds=1)
"""When the ticket is looked at again because what rules did leads to more."""
MOST_AHEAD = timedelta(minutes=15)
"""How far a tracker's clock may be ahead of ours; what seems later has not happened yet."""


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


def rule_on(
    book: RuleBook, case: Case | None, ref: TicketRef, seen: Seen, situation: Situation, now: datetime
) -> Ruling:
    """What the rule book says about a ticket now."""
    observed, news = observe(case, ref, seen, now)
    ruling = _one_pass(book, observed, seen, situation, news, now)
    if ruling.wanted and _leads_to_more(book, ruling, seen, situation, now):
        return replace(ruling, next_at=min(now + SOON, ruling.next_at or now + SOON))
    return ruling


def _one_pass(book: RuleBook, case: Case, seen: Seen, situation: Situation, news: News, now: datetime) -> Ruling:
    work = _Pass(book, case, seen, situation, news, now)
    work.take_in()
    work.keep_agreements()
    work.follow_rules()
    work.run_macros()
    work.follow_moves()
    return work.outcome()


def _leads_to_more(book: RuleBook, ruling: Ruling, seen: Seen, situation: Situation, now: datetime) -> bool:
    """Whether the rules want more once all that they want now is done.

    The hub's own writes are recognised and wake nobody, so such a second look has to be asked for. It is a look like
    every other, at what the tracker really made of the writes.
    """
    case, after = ruling.case, seen
    for wanted in ruling.wanted:
        if wanted.kind == "change":
            after = _seen_after(after, wanted.data)
        elif wanted.kind == "text" and wanted.data["visibility"] == Visibility.PUBLIC.value:
            case = replace(case, seen={**case.seen, "last_reply": "staff"})
    following = _one_pass(book, case, after, replace(situation, asked=()), News(), now)
    return bool(following.wanted) or any(one.fired for one in following.explained)


def _seen_after(seen: Seen, change: Mapping[str, Any]) -> Seen:
    """What a look shows after a change was made."""
    values = dict(change["values"])
    custom = {n.removeprefix("custom:"): values.pop(n) for n in list(values) if n.startswith("custom:")}
    key = values.get("assignee", seen.assignee)
    if "assignee" in values:
        values["assignee"] = None if key is None else Person(str(key), str(key))
    labels = (seen.ticket.labels | set(change["add"])) - set(change["remove"])
    ticket = replace(seen.ticket, **values, custom={**seen.ticket.custom, **custom}, labels=labels)
    return replace(seen, ticket=ticket, assignee=key, line=values.get("line", seen.line))


def clocks_of(book: RuleBook, case: Case, facts: Facts, now: datetime) -> dict[str, tuple[Running, Clock]]:
    """The clocks that run for a case, by `<agreement>.<measure>`.

    What a tracker whose clock is ahead stamps with a time to come has happened.
    """
    found = {}
    at = max(now, case.history.latest(now + MOST_AHEAD))
    for running in book.running(facts, now):
        clock = clock_of(running.target, case.history, running.promise.calendar, at)
        if clock is not None:
            found[running.name] = (running, clock)
    return found


def case_facts(case: Case) -> dict[str, object]:
    """What a case alone answers, without a look at the ticket: enough to choose its agreements."""
    seen = {name: value for name, value in case.seen.items() if name not in ("labels", "custom")}
    custom = {f"custom:{name}": value for name, value in case.seen.get("custom", {}).items()}
    labels = frozenset(case.seen.get("labels", ()))
    around = {
        "tracker": case.ref.tracker,
        "title": case.title,
        "created": case.history.created,
        "updated": case.touched,
        "line_since": case.line_since,
        "labels": labels,
    }
    return {**seen, **custom, **around}


def steps_of(running: Running, clock: Clock) -> Iterator[tuple[datetime, int, str, Running, Clock, Actions | None]]:
    """The warnings and the breach of a clock that have passed: when, at how many percent, and what is to be done."""
    agreement = running.promise.agreement
    for percent, at in clock.warnings:
        if percent in agreement.warnings:
            yield at, percent, running.name, running, clock, agreement.warnings[percent]
    if clock.breached_at is not None:
        yield clock.breached_at, 100, running.name, running, clock, agreement.on_breach


def step_name(name: str, clock: Clock, percent: int) -> str:
    """What a case remembers of a step that was acted on."""
    return f"{name} {clock.started.isoformat()} {percent}"


class _Pass:
    """One evaluation. It works on values and ends as a `Ruling`."""

    def __init__(self, book: RuleBook, case: Case, seen: Seen, situation: Situation, news: News, now: datetime) -> None:
        self._book, self._case, self._seen, self._situation = book, case, seen, situation
        self._news, self._now = news, now
        self._facts = self._known()
        self._values: dict[str, Value] = {}
        self._add: dict[str, None] = {}
        self._remove: dict[str, None] = {}
        self._reasons: dict[str, str] = {}
        self._wanted: list[Wanted] = []
        self._explained: list[Explained] = []
        # Those of rules that are not in the book now stay: a rule that is put back goes on counting where it was.
        self._fired = dict(case.fired)
        self._steps = set(case.steps)
        self._if_free = False
        self._looks: list[datetime] = []
        self._clocks: dict[str, tuple[Running, Clock]] = {}

    def _known(self) -> dict[str, object]:
        case, seen = self._case, self._seen
        language = self._language()
        return {
            **facts_of(seen.ticket),
            **{name: case.seen.get(name) for name in FIELDS if name != "assignee"},
            "tracker": self._situation.tracker,
            "language": language,
            "linked": self._situation.issue is not None,
            "issue_status": self._situation.issue_status,
            "issue_resolution": self._situation.issue_resolution,
            "customers": max(len(self._situation.tickets), 1),
            "created": case.history.created,
            "updated": case.touched,
            "line_since": case.line_since,
            "last_reply": case.seen.get("last_reply", "nobody"),
            "replied": self._news.replied,
            "changed": self._news.changed,
            "rating": case.rating,
        }

    def _language(self) -> str:
        seen, languages = self._seen, self._book.languages
        own = seen.ticket.custom.get(languages.custom_field) if languages.custom_field else None
        requester = seen.ticket.requester
        told = own or (requester.language if requester else None)
        return str(told or languages.organisations.get(seen.ticket.organisation or "", languages.default)).lower()

    # intake

    def take_in(self) -> None:
        """Priority from impact and urgency, and the first line."""
        matrix = self._book.matrix
        if matrix is not None:
            custom = self._seen.ticket.custom
            impact, urgency = str(custom.get(matrix.impact)), str(custom.get(matrix.urgency))
            priority = matrix.table.get(impact, {}).get(urgency)
            if priority is not None and self._news.is_first:
                self._set("priority", Priority(priority), "intake", f"impact {impact} and urgency {urgency}")
        if self._case.line is None and self._case.is_open and self._book.lines:
            number, because = self._first_line()
            self._hand_over(number, "intake", because, is_told=False)

    def _first_line(self) -> tuple[int, str]:
        for number, line in self._book.lines.items():
            if line.takes is not None:
                answer = self._evaluate(line.takes)
                if answer.holds:
                    return number, answer.because
        return next(iter(self._book.lines)), "no other line takes it"

    # agreements

    def keep_agreements(self) -> None:
        """Acts on warnings and breaches, in the order of their times; each once, however late it is seen."""
        self._clocks = clocks_of(self._book, self._case, self._facts, self._now)
        passed = [one for running, clock in self._clocks.values() for one in steps_of(running, clock)]
        for at, percent, name, running, clock, actions in sorted(passed, key=lambda one: one[:3]):
            step = step_name(name, clock, percent)
            if step in self._steps:
                continue
            self._steps.add(step)
            what = "is late" if percent == 100 else f"has used up {percent} % of its time"
            local = at.astimezone(running.promise.calendar.zone)
            measure = str(running.target.measure).replace("_", " ")
            kind = running.promise.agreement.kind
            because = f"{kind} {running.promise.name}: the {measure} {what} since {local:%Y-%m-%d %H:%M %Z}"
            but = ""
            if not clock.state.is_open:
                but = ", but it has ended since"
            elif self._situation.since is not None and at < self._situation.since:
                but = ", but the hub had no rules then"
            self._explained.append(
                Explained(rule=f"{CLOCK}{name} {percent} %", fired=not but, holds=True, because=because + but)
            )
            if actions is not None and not but:
                self._do(actions, f"clock {step}", because)
        self._facts["clocks"] = {name: clock for name, (_, clock) in self._clocks.items()}
        self._forget_steps()

    def _forget_steps(self) -> None:
        """Those of earlier runs of a clock: a run that another one followed never comes back."""
        started = {name: clock.started.isoformat() for name, (_, clock) in self._clocks.items()}
        for step in list(self._steps):
            name, _, rest = step.rpartition(" ")[0].rpartition(" ")
            if name in started and rest < started[name]:
                self._steps.discard(step)

    # rules

    def follow_rules(self) -> None:
        """Each rule whose condition has come to hold does what it says, in the order of the book."""
        for rule in self._book.rules:
            answer = self._evaluate(rule.when)
            before = self._fired.get(rule.name, Firing())
            is_due = bool(answer.holds) and (not before.holds or self._is_due_again(rule, before))
            is_stopped = is_due and before.is_often(self._now)
            fires = is_due and not is_stopped
            if fires:
                self._fired[rule.name] = before.again(self._now)
                source = f"rule {rule.name}.{before.count + 1}"
                self._do(rule.then, source, answer.because, rule=rule.name)
            why = answer.because
            if is_stopped:
                why += f"; but it fired {MOST_IN_A_ROW} times in a row: does something else undo what it does?"
            elif answer.holds and not fires:
                why += "; done already"
            self._explained.append(Explained(rule=rule.name, fired=fires, holds=answer.holds, because=why))

    def _is_due_again(self, rule: Rule, before: Firing) -> bool:
        if rule.again_after is None or before.at is None:
            return False
        return before.at + timedelta(minutes=rule.again_after) <= self._now

    def _settle_rules(self) -> None:
        """Whether each condition holds after all that was done, without what was news: by that the next look tells
        what has come to hold since."""
        calm = {**self._facts, "changed": {}, "replied": frozenset()}
        for explained, rule in zip(self._rules_explained(), self._book.rules, strict=True):
            firing = self._fired.get(rule.name, Firing())
            holds = evaluate(rule.when, calm, self._now).holds
            if firing.is_often(self._now) and not firing.holds and not explained.fired:
                assert firing.at is not None
                self._looks.append(firing.at + IN_A_ROW)
                continue
            if holds and not explained.holds and not firing.holds:
                # A later rule brought it about: it is this rule's turn at the next look, which is at once.
                self._looks.append(self._now + SOON)
                continue
            self._fired[rule.name] = firing if holds is None else replace(firing, holds=holds)
            if holds and rule.again_after is not None and firing.at is not None:
                self._looks.append(max(firing.at + timedelta(minutes=rule.again_after), self._now + SOON))
            self._looks += flips(rule.when, self._facts, self._now)

    def _rules_explained(self) -> list[Explained]:
        return [e for e in self._explained if not e.rule.startswith(CLOCK)]

    # macros

    def run_macros(self) -> None:
        """Those that an agent asked for with a label or a note, and those that were asked for from outside."""
        for label in sorted(self._seen.ticket.labels):
            if label.casefold().startswith(MACRO_LABEL) and label not in self._situation.leaving:
                count = self._fired.get(label, Firing()).count + 1
                self._run_macro(label[len(MACRO_LABEL) :], f"{label}.{count}", f"an agent set the label {label}")
                self._label(label, label, "the macro was run", is_on=False)
                self._fired[label] = Firing(False, count, self._now)
        for comment in self._seen.comments or ():
            step = f"note {comment.id}"
            if comment.visibility.is_public or comment.id in self._seen.own_comments or step in self._steps:
                continue
            if not is_staff(comment, self._seen.ticket.requester):
                continue
            for name in _commands(comment.text):
                self._steps.add(step)
                self._run_macro(name, f"{step} {name}", f"an agent asked for it in a note ({comment.id})")
        for name, mark in self._situation.asked:
            self._run_macro(name, mark, "a person asked for it")

    def follow_moves(self) -> None:
        """Hands the ticket to the lines that a person asked for from outside."""
        for move in self._situation.moves:
            number = self._number_of(move.line)
            if number not in self._book.lines:
                known = ", ".join(map(str, self._book.lines)) or "none"
                because = "a person asked for it"
                self._want(move.mark, "note", "text", _text(f"There is no line {number}; there are: {known}."), because)
            elif number != self._facts.get("line"):
                self._hand_over(number, move.mark, move.reason, is_told=True)

    def _run_macro(self, name: str, source: str, because: str) -> None:
        by_name = {key.casefold(): key for key in self._book.macros}
        key = by_name.get(name.casefold())
        if key is None:
            known = ", ".join(self._book.macros) or "none"
            self._want(source, "note", "text", _text(f"There is no macro {name!r}; there are: {known}."), because)
            return
        self._macro(key, self._book.macros[key], source, because)

    def _macro(self, name: str, macro: Macro, source: str, because: str) -> None:
        self._do(macro.then, source, because, rule=name)
        if macro.text:
            text = macro.text.get(self._best_language(macro.text), next(iter(macro.text.values())))
            assert macro.visibility is not None
            self._say(text, Visibility(macro.visibility), source, "macro", f"macro {name}: {because}", name, because)

    def _best_language(self, texts: Mapping[str, str]) -> str:
        language = str(self._facts["language"])
        for candidate in (language, language.partition("-")[0], self._book.languages.default):
            if candidate in texts:
                return candidate
        return ""

    # doing

    def _do(self, actions: Actions, source: str, because: str, *, rule: str = "") -> None:
        if actions.macro:
            macro = self._book.macros[actions.macro]
            self._macro(actions.macro, macro, f"{source} {actions.macro}", because)
        for name, value in actions.set.items():
            self._set(name, typed_value(name, value), source, because)
        if actions.raise_priority:
            wanted = raised(self._facts.get("priority"), actions.raise_priority)
            self._set("priority", wanted, source, because)
        for label in actions.add_labels:
            self._label(label, source, because, is_on=True)
        for label in actions.remove_labels:
            self._label(label, source, because, is_on=False)
        if actions.line is not None:
            self._move(actions, source, because, rule)
        for text, visibility, name in ((actions.note, "private", "note"), (actions.reply, "public", "reply")):
            if text:
                self._say(text, Visibility(visibility), source, name, because, rule, because)
        if actions.issue:
            self._want_issue(source, because, self._line_of(self._facts.get("line")))
        if actions.suggest_articles:
            self._want(source, "articles", "suggest", {"count": actions.suggest_articles}, because)
        for index, notice in enumerate(actions.notify):
            said = self._render(notice.text, rule, because)
            for to in notice.to:
                message = {"to": to, "text": to_plain(said.text)}
                self._want(source, f"notice {index} {to}", "notice", message, because)
        for index, call in enumerate(actions.run):
            arguments = {key: str(self._render(text, rule, because).text) for key, text in call.with_.items()}
            data = {"action": call.action, "with": arguments}
            self._want(source, f"call {index}", "call", data, because)

    def _move(self, actions: Actions, source: str, because: str, rule: str) -> None:
        assert actions.line is not None
        number = self._number_of(actions.line)
        if number == self._facts.get("line"):
            return
        reason = self._render(actions.reason, rule, because).text if actions.reason else because
        self._hand_over(number, source, reason, is_told=True)

    def _number_of(self, line: int | str) -> int:
        """The line that `next` and `previous` mean now; beyond the last and the first there is none."""
        numbers = list(self._book.lines)
        now_with = self._facts.get("line")
        at = numbers.index(now_with) if now_with in numbers else 0
        if line == "next":
            return numbers[min(at + 1, len(numbers) - 1)]
        if line == "previous":
            return numbers[max(at - 1, 0)]
        return int(line)

    def _hand_over(self, number: int, source: str, reason: str, *, is_told: bool) -> None:
        line = self._book.lines[number]
        self._set("line", number, source, reason)
        if line.label:
            self._label(line.label, source, reason, is_on=True)
        for other, known in self._book.lines.items():
            if other != number and known.label in self._seen.ticket.labels and known.label:
                self._label(known.label, source, reason, is_on=False)
        if is_told:
            said = f"Handed to line {number} ({line.name}): {reason}"
            self._want(source, f"line {number}", "text", _text(said), reason)
        if line.issues:
            self._want_issue(source, reason, line)
        if line.assign and line.people and self._case.seen.get("assignee") is None and "assignee" not in self._values:
            fewest = min(
                line.people, key=lambda person: (self._situation.loads.get(person, 0), line.people.index(person))
            )
            self._set("assignee", fewest, source, f"{fewest} has the fewest open tickets of line {number}")
            self._if_free = True

    def _want_issue(self, source: str, because: str, line: Line | None) -> None:
        if self._situation.issue is None:
            self._want(source, "issue", "issue", {"link": line.issues if line else ""}, because)

    def _line_of(self, number: object) -> Line | None:
        return self._book.lines.get(number) if isinstance(number, int) else None

    def _say(
        self, text: str, visibility: Visibility, source: str, name: str, because: str, rule: str, reason: str
    ) -> None:
        said = self._render(text, rule, reason)
        data = {"text": said.text, "visibility": visibility.value}
        if said.missing and visibility.is_public:
            data["missing"] = ", ".join(said.missing)
        self._want(source, name, "text", data, because)

    def _set(self, name: str, value: Value, source: str, because: str) -> None:
        value = self._held(name, value)
        if self._facts.get(name) == value and name not in self._values and name != "assignee":
            return
        self._values[name] = value
        self._facts[name] = value
        self._reasons.setdefault(source, because)
        if name == "assignee":
            self._if_free = False

    def _held(self, name: str, value: Value) -> Value:
        """In the tracker's own form, so that what is read back is no news."""
        if self._situation.form is None or name in ("line", "assignee"):
            return value
        try:
            return self._situation.form.hold(name, value)
        except Unwritable:
            return value

    def _label(self, label: str, source: str, because: str, *, is_on: bool) -> None:
        if is_on and self._situation.form is not None:
            label = self._situation.form.hold_label(label)
        here, there = (self._add, self._remove) if is_on else (self._remove, self._add)
        here[label] = None
        there.pop(label, None)
        self._reasons.setdefault(source, because)
        labels = self._facts["labels"]
        assert isinstance(labels, frozenset)
        self._facts["labels"] = labels | {label} if is_on else labels - {label}

    def _want(self, source: str, name: str, kind: str, data: Mapping[str, Any], because: str) -> None:
        self._wanted.append(Wanted(mark=_mark(f"{source} {name}"), kind=kind, data=data, because=because))

    def _evaluate(self, condition: Any) -> Answer:
        return evaluate(condition, self._facts, self._now)

    # texts

    def _render(self, text: str, rule: str, reason: str) -> Rendered:
        facts, situation = self._facts, self._situation
        due = [
            clock.due.astimezone(running.promise.calendar.zone)
            for running, clock in self._clocks.values()
            if clock.due is not None and clock.state.is_open
        ]
        line = self._line_of(facts.get("line"))
        values = ticket_values(
            self._seen.ticket,
            situation.tracker,
            issue=situation.issue,
            issue_status=situation.issue_status,
            tickets=situation.tickets,
            due=min(due, default=None),
            line=line.name if line else None,
            now=self._now,
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

    # the end

    def _show(self, clocks: Mapping[str, tuple[Running, Clock]]) -> None:
        """Writes clocks that moved into the fields where people see them; a field that shows none any more is empty."""
        taken = set(self._fields_of(clocks))
        for name in self._case.clocks:
            for field_name in self._fields_of([name]) if name not in clocks else ():
                if field_name not in taken:
                    self._set(f"custom:{field_name}", None, f"clock {name}", "the clock is not this ticket's any more")
        for name, (running, clock) in clocks.items():
            if self._case.clocks.get(name) == shown(clock):
                continue
            zone = running.promise.calendar.zone
            due = clock.due.astimezone(zone) if clock.due else None
            for show in running.promise.agreement.show:
                if show.target == running.target.measure:
                    for field_name, value in ((show.due, due), (show.state, str(clock.state))):
                        if field_name:
                            self._set(f"custom:{field_name}", value, f"clock {name}", "people see the clock there")

    def _with_own_work(self, case: Case) -> Case:
        """The case with the labels and custom fields that rules set, so that their echo is recognised."""
        labels = self._facts["labels"]
        assert isinstance(labels, frozenset)
        custom = dict(case.seen.get("custom", {}))
        for name, value in self._values.items():
            if name.startswith("custom:"):
                custom[name.removeprefix("custom:")] = str(value)
                if value is None:
                    del custom[name.removeprefix("custom:")]
        customers_see = any(w.kind == "text" and w.data["visibility"] == Visibility.PUBLIC.value for w in self._wanted)
        touched = self._now if customers_see or "status" in self._values else case.touched
        return replace(case, seen={**case.seen, "labels": sorted(labels), "custom": custom}, touched=touched)

    def _fields_of(self, clocks: Collection[str]) -> Iterator[str]:
        """The custom fields in which people see these clocks."""
        for promise in self._book.promises:
            for show in promise.agreement.show:
                if f"{promise.name}.{show.target}" in clocks:
                    yield from (field_name for field_name in (show.due, show.state) if field_name)

    def outcome(self) -> Ruling:
        """What all of it comes to. The clocks are those after everything that was set."""
        found = clocks_of(self._book, with_values(self._case, self._values, self._now), self._facts, self._now)
        self._facts["clocks"] = {name: clock for name, (_, clock) in found.items()}
        self._settle_rules()
        self._show(found)
        if self._values or self._add or self._remove:
            data: dict[str, Any] = {
                "values": dict(self._values),
                "add": [label for label in self._add if label not in self._seen.ticket.labels],
                "remove": [label for label in self._remove if label in self._seen.ticket.labels],
            }
            if self._if_free:
                data["if_free"] = True
            if data["values"] or data["add"] or data["remove"]:
                mark = _mark(f"change {self._now.isoformat()}")
                because = "; ".join(dict.fromkeys(self._reasons.values()))
                self._wanted.insert(0, Wanted(mark=mark, kind="change", data=data, because=because))
        case = replace(
            self._with_own_work(with_values(self._case, self._values, self._now)),
            fired=self._fired,
            answers={e.rule: (e.holds, e.because) for e in self._rules_explained()},
            steps=frozenset(self._steps),
        )
        clocks = {name: clock for name, (_, clock) in found.items()}
        case = replace(case, clocks={name: shown(clock) for name, clock in clocks.items()})
        looks = [*self._looks, *(clock.next_at for clock in clocks.values() if clock.next_at is not None)]
        return Ruling(
            case=case,
            news=self._news,
            wanted=tuple(self._wanted),
            explained=tuple(self._explained),
            clocks=clocks,
            next_at=min((at for at in looks if at > self._now), default=None),
        )


def shown(clock: Clock) -> dict[str, Any]:
    """A clock as it is kept for people: its state, and when it is due (ISO 8601, UTC)."""
    return {"state": str(clock.state), "due": clock.due.isoformat() if clock.due else None}


def _commands(text: str) -> Iterator[str]:
    """The macros that the lines of a note ask for."""
    for line in text.splitlines():
        if line.strip().casefold().startswith(MACRO_COMMAND):
            yield line.strip()[len(MACRO_COMMAND) :].strip()


def typed_value(name: str, value: object) -> Value:
    """A value of the settings in the form of the neutral model; `nobody` and empty texts clear a field."""
    if value in (None, "", "nobody"):
        return None
    match name:
        case "status":
            return Status(str(value))
        case "priority":
            return Priority(str(value))
        case "category":
            return Category(str(value))
    assert isinstance(value, str | float | bool)
    return value


def _text(said: str) -> dict[str, Any]:
    return {"text": said, "visibility": Visibility.PRIVATE.value}


def _mark(source: str) -> str:
    """The source itself, or as much of it as there is room for and what tells it from others."""
    if len(source) <= LONGEST_MARK:
        return source
    return f"{source[: LONGEST_MARK - 17]}~{sha256(source.encode()).hexdigest()[:16]}"
