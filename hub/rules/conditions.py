"""Conditions over a ticket. They answer yes, no, or "not known" when a value is not at hand. Pure, as plugins' must be.

Facts are values by name; what a name means stands beside `Facts`. A condition on time also says when its answer may
change by itself, so that a timed wake can be set.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache

from hub.extensions import Answer
from hub.rules.clocks import Clock
from hub.settings.rules import Changed, ClockIs, Condition, Count, Span
from hub.ticket import Person, Ticket

__all__ = ["Answer", "Facts", "evaluate", "facts_of", "flips", "matches"]

Facts = Mapping[str, object]
"""Values of a ticket by name. A missing one is not known.

`labels` (a frozenset), `line`, `status`, `priority`, `category`, `channel`, `organisation`, `requester`, `assignee`
(persons), `title`, `text`, `custom:<name>`, `tracker`; with a case also `linked`, `issue_status`, `issue_resolution`,
`customers`, `created`, `updated`, `line_since` (times, UTC), `last_reply`, `replied` (a frozenset), `changed` (field ->
old and new), `clocks` (by `<agreement>.<target>`), `rating`, `language`.
"""
PLAIN = ("line", "status", "priority", "category", "channel", "tracker", "issue_status", "last_reply", "rating")
NAMED = ("organisation", "requester", "assignee", "title", "text", "issue_resolution", "language")
TIMED = {"age": "created", "idle": "updated", "with_line": "line_since"}
WORDS = {"text": "description", "with_line": "time with its line", "last_reply": "last public comment", "age": "age"}


def facts_of(ticket: Ticket) -> dict[str, object]:
    """All that a ticket alone answers."""
    return {
        "labels": ticket.labels,
        "line": ticket.line,
        "status": ticket.status,
        "priority": ticket.priority,
        "category": ticket.category,
        "channel": ticket.channel,
        "organisation": ticket.organisation,
        "requester": ticket.requester,
        "assignee": ticket.assignee,
        "title": ticket.title,
        "text": ticket.description,
        **{f"custom:{name}": value for name, value in ticket.custom.items()},
    }


def evaluate(condition: Condition, facts: Facts, now: datetime | None = None) -> Answer:
    """Whether the condition holds, and which part decided it. Parts on time are not known without `now` (UTC)."""
    return _all(list(_answers(condition, facts, now)))


def flips(condition: Condition, facts: Facts, now: datetime) -> Iterator[datetime]:
    """The times after `now` at which a part on time changes its answer if nothing else does."""
    for name, since in TIMED.items():
        span, start = getattr(condition, name), facts.get(since)
        if span is not None and isinstance(start, datetime):
            for bound in (span.over, span.under):
                if bound is not None and (at := start + timedelta(minutes=bound)) >= now:
                    yield at + timedelta(seconds=1)
    if condition.clock is not None:
        for clock in _clocks(condition.clock, facts):
            if clock.next_at is not None and clock.next_at > now:
                yield clock.next_at
    for part in [*(condition.all or ()), *(condition.any or ()), *([condition.not_] if condition.not_ else ())]:
        yield from flips(part, facts, now)


def matches(patterns: Iterable[str], value: str) -> bool:
    """Whether one of the patterns fits the whole value; `*` stands for anything, without regard to case."""
    return any(_pattern(pattern).fullmatch(value) is not None for pattern in patterns)


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    # Each part is found at its first place and never looked for again, so no text can make this slow.
    first, *rest = [re.escape(part) for part in text.split("*")]
    last = rest.pop() if rest else None
    middle = "".join(f"(?>.*?{part})" for part in rest)
    end = "" if last is None else f".*(?<={last})" if last else ".*"
    return re.compile(first + middle + end, re.IGNORECASE | re.DOTALL)


def _answers(condition: Condition, facts: Facts, now: datetime | None) -> Iterator[Answer]:
    if condition.label is not None:
        yield _has_label(condition.label, facts)
    for name in PLAIN:
        wanted = getattr(condition, name)
        if wanted is not None:
            yield _is_one_of(name, wanted if isinstance(wanted, list) else [wanted], facts)
    for name in NAMED:
        wanted = getattr(condition, name)
        if wanted is not None:
            yield _is_named(name, wanted, facts)
    for name, asked in (condition.custom or {}).items():
        key = f"custom:{name}"
        yield _is_named(key, asked, facts) if isinstance(asked, list) else _is_between(key, asked, facts)
    if condition.linked is not None:
        yield _is(facts, "linked", lambda v: v is condition.linked, lambda v: f"it has {'an' if v else 'no'} issue")
    if condition.customers is not None:
        yield _is_between("customers", condition.customers, facts)
    for name, since in TIMED.items():
        span = getattr(condition, name)
        if span is not None:
            yield _is_since(name, since, span, facts, now)
    if condition.replied is not None:
        who = condition.replied
        yield _is(
            facts,
            "replied",
            lambda v: isinstance(v, frozenset) and who in v,
            lambda v: (
                f"{'the customer' if who == 'customer' else 'support'} "
                f"{'wrote' if isinstance(v, frozenset) and who in v else 'wrote nothing new'}"
            ),
        )
    for field, change in (condition.changed or {}).items():
        yield _has_changed(field, change, facts)
    if condition.clock is not None:
        yield _clock_answer(condition.clock, facts)
    for name, argument in (condition.plugin or {}).items():
        test = condition.tests.get(name)
        yield Answer(None, f"no plugin brings the condition {name}") if test is None else test(facts, argument)
    if condition.all is not None:
        yield _all([evaluate(part, facts, now) for part in condition.all])
    if condition.any is not None:
        yield _any([evaluate(part, facts, now) for part in condition.any])
    if condition.not_ is not None:
        answer = evaluate(condition.not_, facts, now)
        yield Answer(None if answer.holds is None else not answer.holds, answer.because)


def _is(facts: Facts, name: str, test: Callable[[object], bool], say: Callable[[object], str]) -> Answer:
    if name not in facts:
        return Answer(None, f"{_words(name)} is not known")
    return Answer(test(facts[name]), say(facts[name]))


def _has_label(patterns: list[str], facts: Facts) -> Answer:
    if "labels" not in facts:
        return Answer(None, "the labels are not known")
    labels = facts["labels"]
    assert isinstance(labels, frozenset)
    found = sorted(label for label in labels if matches(patterns, str(label)))
    if found:
        return Answer(True, f"it carries the label {found[0]}")
    return Answer(False, f"it does not carry the label {' or '.join(patterns)}")


def _is_one_of(name: str, wanted: list[object], facts: Facts) -> Answer:
    words = [str(word) for word in wanted]
    return _is(
        facts,
        name,
        lambda v: str(v) in words,
        lambda v: (
            f"its {_words(name)} is {'not known' if v is None else v}"
            + ("" if str(v) in words else f", not {' or '.join(words)}")
        ),
    )


def _is_named(name: str, patterns: list[str], facts: Facts) -> Answer:
    def holds(value: object) -> bool:
        return any(matches(patterns, said) for said in _names_of(value))

    def say(value: object) -> str:
        if name in ("title", "text"):
            return f"its {_words(name)} {'fits' if holds(value) else 'does not fit'} {' or '.join(patterns)}"
        shown = "not set" if value is None and name != "assignee" else next(iter(_names_of(value)), "not set")
        return f"its {_words(name)} is {shown}" + ("" if holds(value) else f", not {' or '.join(patterns)}")

    return _is(facts, name, holds, say)


def _names_of(value: object) -> list[str]:
    """What a value is called: a person by mail address, name and account; nobody where there is none."""
    match value:
        case None:
            return ["nobody"]
        case Person():
            return [said for said in (value.email, value.name, value.id) if said] or ["nobody"]
        case tuple() | frozenset():
            return [str(part) for part in value]
        case bool():
            return ["yes" if value else "no", str(value).lower()]
    return [str(value)]


def _is_between(name: str, count: Count, facts: Facts) -> Answer:
    def holds(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return (count.over is None or value > count.over) and (count.under is None or value < count.under)

    return _is(facts, name, holds, lambda v: f"its {_words(name)} is {'not known' if v is None else v}{_bounds(count)}")


def _is_since(name: str, since: str, span: Span, facts: Facts, now: datetime | None) -> Answer:
    start = facts.get(since)
    if now is None or not isinstance(start, datetime):
        return Answer(None, f"the {_words(name)} is not known")
    minutes = (now - start).total_seconds() / 60
    holds = (span.over is None or minutes > span.over) and (span.under is None or minutes < span.under)
    return Answer(holds, f"its {_words(name)} is {_duration(minutes)}{_bounds(span)}")


def _bounds(bounds: Span | Count) -> str:
    say = _duration if isinstance(bounds, Span) else str
    asked = [f"{word} {say(value)}" for word, value in (("over", bounds.over), ("under", bounds.under)) if value]
    return f" (asked: {' and '.join(asked)})" if asked else ""


def _duration(minutes: float) -> str:
    hours, rest = divmod(int(minutes), 60)
    return f"{hours}h {rest}m" if hours else f"{rest}m"


def _has_changed(field: str, change: Changed, facts: Facts) -> Answer:
    if "changed" not in facts:
        return Answer(None, f"whether the {_words(field)} changed is not known")
    changes = facts["changed"]
    assert isinstance(changes, Mapping)
    if field not in changes:
        return Answer(False, f"its {_words(field)} did not change")
    before, after = changes[field]
    from_fits = change.from_ is None or any(matches(change.from_, said) for said in _names_of(before))
    to_fits = change.to is None or any(matches(change.to, said) for said in _names_of(after))
    said = f"its {_words(field)} changed from {_names_of(before)[0]} to {_names_of(after)[0]}"
    return Answer(from_fits and to_fits, said)


def _clocks(wanted: ClockIs, facts: Facts) -> list[Clock]:
    clocks = facts.get("clocks")
    if not isinstance(clocks, Mapping):
        return []
    return [
        clock
        for name, clock in clocks.items()
        if name.rpartition(".")[2] == wanted.target and wanted.agreement in ("", name.rpartition(".")[0])
    ]


def _clock_answer(wanted: ClockIs, facts: Facts) -> Answer:
    if "clocks" not in facts:
        return Answer(None, "the clocks are not known")
    for clock in _clocks(wanted, facts):
        total = clock.spent_minutes + clock.left_minutes
        used = 100.0 if total <= 0 else 100 * clock.spent_minutes / total
        reached = wanted.reached is None or used >= wanted.reached
        if reached and wanted.state in (None, str(clock.state)):
            return Answer(True, f"the clock {wanted.target} is {clock.state}, {used:.0f} % used up")
    return Answer(False, f"no clock {wanted.target} is that far")


def _words(name: str) -> str:
    return WORDS.get(name, name.removeprefix("custom:").replace("_", " "))


def _all(answers: list[Answer]) -> Answer:
    for wanted in (False, None):
        for answer in answers:
            if answer.holds is wanted:
                return answer
    return Answer(True, " and ".join(a.because for a in answers) or "nothing is asked")


def _any(answers: list[Answer]) -> Answer:
    for wanted in (True, None):
        for answer in answers:
            if answer.holds is wanted:
                return answer
    return Answer(False, " and ".join(a.because for a in answers))
