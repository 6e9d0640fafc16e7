"""Searches: `column<op>'value'` joined by && and ||, && first. Source: help.agiloft.com, "REST - Search"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from plugins.agiloft.sandbox.errors import AgiloftError

Shown = Mapping[str, Any]
_PART = re.compile(r"\s*(?P<column>\w+|'[^']*')\s*(?P<op>!=|~=|<=|>=|=|<|>)\s*(?P<value>'[^']*'|[^&|'\s]+)\s*")


def condition(query: str) -> tuple[Callable[[Shown], bool], set[str]]:
    """Whether a record fits, and the columns that the query names. An empty query fits all."""
    if not query.strip():
        return (lambda shown: True), set()
    columns: set[str] = set()
    alternatives = []
    for alternative in _split(query, "||"):
        parts = [_part(text, query, columns) for text in _split(alternative, "&&")]
        alternatives.append(parts)
    return (lambda shown: any(all(part(shown) for part in parts) for parts in alternatives)), columns


def _part(text: str, query: str, columns: set[str]) -> Callable[[Shown], bool]:
    found = _PART.fullmatch(text)
    if found is None:
        raise AgiloftError(400, f"Error at {text.strip()[:40]!r} parsing the query {query[:200]}")
    column, operator, value = found["column"].strip("'"), found["op"], found["value"].strip("'")
    columns.add(column)
    return lambda shown: _fits(shown.get(column), operator, value)


def _fits(held: Any, operator: str, value: str) -> bool:
    text = "" if held is None else str(held)
    wanted = "" if value == "null" else value
    if operator == "~=":
        return wanted.casefold() in text.casefold()
    if operator in ("=", "!="):
        return (text.casefold() == wanted.casefold()) == (operator == "=")
    if held is None:
        return False
    one, other = (float(text), float(wanted)) if _are_numbers(text, wanted) else (text, wanted)
    return {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[operator]  # type: ignore[operator]  # both are of one type


def _are_numbers(*texts: str) -> bool:
    return all(re.fullmatch(r"-?\d+(\.\d+)?", text) for text in texts)


def _split(text: str, sign: str) -> list[str]:
    """At the signs that stand outside of quotes."""
    parts = re.split(rf"({re.escape(sign)}|'[^']*')", text)
    made = [""]
    for part in parts:
        if part == sign:
            made.append("")
        else:
            made[-1] += part
    return made
