"""Doing what the settings call actions: each becomes values, labels and orders of the pass at work. Pure.

It must not know why they are to be done: a rule, a clock, a macro or a person asks for them alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.rules.book import raised
from hub.rules.work import Work
from hub.settings.rules import Actions, Line, Macro
from hub.text import to_plain
from hub.ticket import Category, Priority, Status, Value, Visibility


def do_actions(work: Work, actions: Actions, source: str, because: str, *, rule: str = "") -> None:
    """Does all of `actions` in a fixed order; `source` makes the marks, `rule` is the name for texts."""
    if actions.macro:
        macro = work.book.macros[actions.macro]
        do_macro(work, actions.macro, macro, f"{source} {actions.macro}", because)
    for name, value in actions.set.items():
        work.set_value(name, typed_value(name, value), source, because)
    if actions.raise_priority:
        wanted = raised(work.facts.get("priority"), actions.raise_priority)
        work.set_value("priority", wanted, source, because)
    for label in actions.add_labels:
        work.set_label(label, source, because, is_on=True)
    for label in actions.remove_labels:
        work.set_label(label, source, because, is_on=False)
    if actions.line is not None:
        _move(work, actions, source, because, rule)
    for text, visibility, name in ((actions.note, "private", "note"), (actions.reply, "public", "reply")):
        if text:
            work.say(text, Visibility(visibility), source, name, because, rule, because)
    if actions.issue:
        _want_issue(work, source, because, work.line_of(work.facts.get("line")))
    if actions.suggest_articles:
        work.want(source, "articles", "suggest", {"count": actions.suggest_articles}, because)
    for index, notice in enumerate(actions.notify):
        said = work.render(notice.text, rule, because)
        for to in notice.to:
            message = {"to": to, "text": to_plain(said.text)}
            work.want(source, f"notice {index} {to}", "notice", message, because)
    for index, call in enumerate(actions.run):
        arguments = {key: str(work.render(text, rule, because).text) for key, text in call.with_.items()}
        data = {"action": call.action, "with": arguments}
        work.want(source, f"call {index}", "call", data, because)


def do_macro(work: Work, name: str, macro: Macro, source: str, because: str) -> None:
    """Does what a macro does, and says its text: in the requester's language, the default one, or the first."""
    do_actions(work, macro.then, source, because, rule=name)
    if macro.text:
        text = macro.text.get(_best_language(work, macro.text), next(iter(macro.text.values())))
        assert macro.visibility is not None
        work.say(text, Visibility(macro.visibility), source, "macro", f"macro {name}: {because}", name, because)


def hand_over(work: Work, number: int, source: str, reason: str, *, is_told: bool) -> None:
    """Gives the ticket to a line: its label, its issue, the person with the fewest tickets; `is_told` in a note."""
    line = work.book.lines[number]
    work.set_value("line", number, source, reason)
    if line.label:
        work.set_label(line.label, source, reason, is_on=True)
    for other, known in work.book.lines.items():
        if other != number and known.label in work.seen.ticket.labels and known.label:
            work.set_label(known.label, source, reason, is_on=False)
    if is_told:
        said = f"Handed to line {number} ({line.name}): {reason}"
        work.want(source, f"line {number}", "text", private_text(said), reason)
    if line.issues:
        _want_issue(work, source, reason, line)
    if line.assign and line.people and work.case.seen.get("assignee") is None and "assignee" not in work.values:
        fewest = min(line.people, key=lambda person: (work.situation.loads.get(person, 0), line.people.index(person)))
        work.set_value("assignee", fewest, source, f"{fewest} has the fewest open tickets of line {number}")
        work.if_free = True


def number_of(work: Work, line: int | str) -> int:
    """The line that `next` and `previous` mean now; beyond the last and the first there is none."""
    numbers = list(work.book.lines)
    now_with = work.facts.get("line")
    at = numbers.index(now_with) if now_with in numbers else 0
    if line == "next":
        return numbers[min(at + 1, len(numbers) - 1)]
    if line == "previous":
        return numbers[max(at - 1, 0)]
    return int(line)


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


def private_text(said: str) -> dict[str, Any]:
    """The data of an order for a comment that customers do not see."""
    return {"text": said, "visibility": Visibility.PRIVATE.value}


def _move(work: Work, actions: Actions, source: str, because: str, rule: str) -> None:
    assert actions.line is not None
    number = number_of(work, actions.line)
    if number == work.facts.get("line"):
        return
    reason = work.render(actions.reason, rule, because).text if actions.reason else because
    hand_over(work, number, source, reason, is_told=True)


def _want_issue(work: Work, source: str, because: str, line: Line | None) -> None:
    if work.situation.issue is None:
        work.want(source, "issue", "issue", {"link": line.issues if line else ""}, because)


def _best_language(work: Work, texts: Mapping[str, str]) -> str:
    language = str(work.facts["language"])
    for candidate in (language, language.partition("-")[0], work.book.languages.default):
        if candidate in texts:
            return candidate
    return ""
