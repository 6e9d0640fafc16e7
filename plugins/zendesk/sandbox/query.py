"""Zendesk's search language, as much of it as clients use: words, `key:value`, `<`, `>`, a leading `-`, quotes."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plugins.zendesk.sandbox.state import Store

_TERM = re.compile(r'(-?)(?:([a-z_]+\d*)(:|<=|>=|<|>))?("[^"]*"|\S+)')
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_RANKS = {
    "status": ("new", "open", "pending", "hold", "solved", "closed"),
    "priority": ("low", "normal", "high", "urgent"),
}
_DATES = {"created": "created_at", "updated": "updated_at", "created_at": "created_at", "updated_at": "updated_at"}
_PEOPLE = {"requester": "requester_id", "assignee": "assignee_id", "submitter": "submitter_id"}
_NOT_FILTERS = ("type", "order_by", "sort", "sort_by")


@dataclass(frozen=True)
class Term:
    """One condition; `key` is "" for a word that may stand anywhere in the text."""

    key: str
    sign: str
    value: str
    negated: bool


def parse(query: str) -> list[Term]:
    """The conditions of a query, all of which must hold."""
    return [Term(m[2] or "", m[3] or "", m[4].strip('"').lower(), m[1] == "-") for m in _TERM.finditer(query)]


def matches(store: Store, row: dict[str, Any], terms: list[Term]) -> bool:
    """Whether a ticket or user, as JSON with its `words`, meets all terms."""
    return all(_holds(store, row, term) != term.negated for term in terms if term.key not in _NOT_FILTERS)


def _holds(store: Store, row: dict[str, Any], term: Term) -> bool:
    key, value = term.key, term.value
    if not key:
        return value in row["words"] or value in row.get("tags", ())
    if key in _DATES:
        return _on_date(str(row[_DATES[key]]).lower(), term)
    if key in _RANKS:
        return _ranked(row.get(key), term)
    if key in ("tags", "tag"):
        return value in row.get("tags", ())
    if key in _PEOPLE:
        return _is_person(store, row.get(_PEOPLE[key]), value)
    if key == "fieldvalue":
        return any(str(f["value"]).lower() == value for f in row.get("custom_fields", ()))
    if key.startswith("custom_field_"):
        wanted = key.removeprefix("custom_field_")
        fields = row.get("custom_fields", ())
        return any(str(f["id"]) == wanted and str(f["value"]).lower() == value for f in fields)
    if key in ("subject", "description", "name"):
        return value in str(row.get(key) or "").lower()
    aliases = {"ticket_type": "type", "group": "group_id", "organization": "organization_id"}
    actual = row.get(aliases.get(key, key))
    return (value == "none" and actual is None) or (actual is not None and str(actual).lower() == value)


def _on_date(actual: str, term: Term) -> bool:
    if term.sign == ":":
        return actual.startswith(term.value)
    # A bare day compares as that day's beginning, a full time as it stands; both forms sort as texts.
    return _COMPARE[term.sign](actual[: len(term.value)], term.value)


def _ranked(actual: str | None, term: Term) -> bool:
    if term.sign == ":":
        return (actual or "none") == term.value
    ranks = _RANKS[term.key]
    if actual not in ranks or term.value not in ranks:
        return False
    return _COMPARE[term.sign](ranks.index(actual), ranks.index(term.value))


def _is_person(store: Store, id: int | None, value: str) -> bool:
    if value == "none" or id is None:
        return value == "none" and id is None
    person = store.users[id]
    return value in (str(id), person.email.lower(), person.name.lower())
