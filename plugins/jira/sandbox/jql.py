"""The part of JQL that connectors use: comparisons joined by AND, and ORDER BY. Anything else is an error."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from plugins.jira.sandbox.errors import JiraError
from plugins.jira.sandbox.state import Issue

_CLAUSE = re.compile(r"""^\s*(\w+)\s*(>=|<=|=|!=|>|<|\bin\b)\s*(\(.*\)|"[^"]*"|'[^']*'|[^\s]+)\s*$""", re.I)


def search(issues: list[Issue], jql: str, zone: str, *, must_be_bounded: bool) -> list[Issue]:
    """The issues that fit, in order. Times without a zone are read in `zone`, in whole minutes."""
    text, _, order = _split_order(jql)
    clauses = [c for c in re.split(r"\s+AND\s+", text, flags=re.I) if c.strip()]
    if must_be_bounded and not clauses:
        raise JiraError(
            400, "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
        )
    tests = [_test(clause, zone) for clause in clauses]
    found = [issue for issue in issues if all(test(issue) for test in tests)]
    for name, direction in reversed(order):
        found.sort(key=_order_key(name), reverse=direction == "DESC")
    return found


def _split_order(jql: str) -> tuple[str, str, list[tuple[str, str]]]:
    text, word, order = [*re.split(r"(\bORDER\s+BY\b)", jql, maxsplit=1, flags=re.I), "", ""][:3]
    parts = [p.split() for p in order.split(",") if p.strip()]
    return text.strip(), word, [(p[0].lower(), (p[1] if len(p) > 1 else "ASC").upper()) for p in parts]


def _order_key(name: str) -> Callable[[Issue], Any]:
    keys: dict[str, Callable[[Issue], Any]] = {
        "updated": lambda i: i.updated,
        "created": lambda i: i.created,
        "key": lambda i: (i.project.key, int(i.key.split("-")[1])),
    }
    if name not in keys:
        raise JiraError(400, f"Field '{name}' does not exist or you do not have permission to view it.")
    return keys[name]


def _test(clause: str, zone: str) -> Callable[[Issue], bool]:
    match = _CLAUSE.match(clause)
    if match is None:
        raise JiraError(400, f"Error in the JQL Query: '{clause}' is not understood.")
    field, operator, raw = match.group(1).lower(), match.group(2).lower(), match.group(3)
    values = [v.strip().strip("\"'") for v in raw.strip("()").split(",")] if operator == "in" else [raw.strip("\"'")]
    if field in ("updated", "created"):
        limit = _time(values[0], zone)
        is_later = operator in (">=", ">")
        return lambda i: (i.updated if field == "updated" else i.created) >= limit if is_later else i.updated <= limit
    tests: dict[str, Callable[[Issue], bool]] = {
        "project": lambda i: i.project.key in values or i.project.id in values,
        "key": lambda i: i.key in values or i.id in values,
        "id": lambda i: i.id in values or i.key in values,
        "issuekey": lambda i: i.key in values,
        "labels": lambda i: any(v in i.fields["labels"] for v in values),
        "status": lambda i: i.fields["status"] in values,
    }
    if field not in tests:
        raise JiraError(400, f"Field '{field}' does not exist or you do not have permission to view it.")
    return tests[field]


def _time(text: str, zone: str) -> datetime:
    if text.isdigit():
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    for form in ("%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M", "%Y/%m/%d", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        except ValueError:
            continue
    raise JiraError(400, f"Date value '{text}' for field 'updated' is invalid.")
