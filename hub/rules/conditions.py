"""Conditions over a ticket. Pure. They answer yes, no, or "not known" when a value is not at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.settings.model import Condition
from hub.ticket import Ticket

Facts = Mapping[str, object]
"""Values of a ticket by name: `labels` (a set), `line`, `priority`, `category`. A missing one is not known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`holds` is None when it depends on something that is not known; `because` names what decided."""

    holds: bool | None
    because: str


def facts_of(ticket: Ticket) -> Facts:
    """All that conditions may ask about a ticket."""
    return {
        "labels": ticket.labels,
        "line": ticket.line,
        "priority": ticket.priority,
        "category": ticket.category,
    }


def evaluate(condition: Condition, facts: Facts) -> Answer:
    """Whether the condition holds, and which part decided it."""
    answers: list[Answer] = []
    if condition.label is not None:
        answers.append(_has_label(condition.label, facts))
    if condition.line is not None:
        answers.append(_is_one_of("line", [str(condition.line)], facts))
    if condition.priority is not None:
        answers.append(_is_one_of("priority", condition.priority, facts))
    if condition.category is not None:
        answers.append(_is_one_of("category", condition.category, facts))
    if condition.any is not None:
        answers.append(_any([evaluate(part, facts) for part in condition.any]))
    return _all(answers)


def _has_label(label: str, facts: Facts) -> Answer:
    if "labels" not in facts:
        return Answer(None, "the labels are not known")
    labels = facts["labels"]
    assert isinstance(labels, frozenset)
    holds = label.casefold() in {str(known).casefold() for known in labels}
    return Answer(holds, f"it {'carries' if holds else 'does not carry'} the label {label}")


def _is_one_of(name: str, wanted: list[str], facts: Facts) -> Answer:
    if name not in facts:
        return Answer(None, f"the {name} is not known")
    value = facts[name]
    holds = str(value) in wanted
    return Answer(holds, f"its {name} is {'not known' if value is None else value}, not {' or '.join(wanted)}"
                  if not holds else f"its {name} is {value}")  # fmt: skip


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
