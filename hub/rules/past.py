"""What the rules would have said of a ticket at a time that is over: by its history alone. Pure.

A case keeps the history of a few fields. Of the others nobody knows any more what they were, so whatever hangs on them
is told as not known, instead of being judged by how they are today.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hub.rules.book import RuleBook
from hub.rules.case import Case, News
from hub.rules.case_clocks import clocks_of
from hub.rules.conditions import evaluate
from hub.rules.history import FIELDS
from hub.rules.ruling import Explained, Ruling

KEPT = ("title", "requester", "channel", "language")
"""Taken for what they are today: they hardly ever change."""
NOT_KEPT = (
    "labels", "custom fields", "description", "issue", "rating", "time of the last change", "what was new at that look",
)  # fmt: skip
"""For people: what a case does not keep from the past."""


def rule_on_past(book: RuleBook, case: Case, at: datetime) -> Ruling:
    """The rules' answers and the clocks as of `at` (UTC), as far as the case knows them. Nothing is wanted of the past.

    Raises ValueError for a time before the ticket was opened.
    """
    if at < case.history.created:
        raise ValueError(f"it was opened at {case.history.created:%Y-%m-%d %H:%M} UTC only")
    then = replace(case, history=case.history.until(at))
    facts: dict[str, object] = {
        **{name: then.history.value_at(name, at) for name in FIELDS},
        **{name: case.title if name == "title" else case.seen.get(name) for name in KEPT},
        "tracker": case.ref.tracker,
        "created": then.history.created,
        "line_since": then.line_since,
        "last_reply": then.history.replies[-1].by if then.history.replies else "nobody",
    }
    found = clocks_of(book, then, facts, at)
    facts["clocks"] = {name: clock for name, (_, clock) in found.items()}
    explained = []
    for rule in book.rules:
        answer = evaluate(rule.when, facts, at)
        last = case.fired[rule.name].at if rule.name in case.fired else None
        told = f"; it last fired at {last:%Y-%m-%d %H:%M} UTC" if last is not None else ""
        explained.append(Explained(rule=rule.name, fired=False, holds=answer.holds, because=answer.because + told))
    return Ruling(
        case=then,
        news=News(),
        explained=tuple(explained),
        clocks={name: clock for name, (_, clock) in found.items()},
    )
