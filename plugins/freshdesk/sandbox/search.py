"""The query language of `GET /search/tickets`. Source: developers.freshdesk.com, "Filter Tickets"."""

from __future__ import annotations

import re
from typing import Any

from plugins.freshdesk.sandbox.errors import FreshdeskError, invalid, problem
from plugins.freshdesk.sandbox.state import CUSTOM, Ticket

LONGEST = 512
FIELDS = {"status", "priority", "type", "tag", "group_id", "agent_id", "created_at", "updated_at", *CUSTOM}
_TOKEN = re.compile(r"\s*(?:(\()|(\))|(AND|OR)\b|(\w+):(>|<)?('(?:[^'\\]|\\.)*'|[\w-]+))")


def matching(tickets: list[Ticket], query: str) -> list[Ticket]:
    """The tickets that fit. Raises 400 for what is no query."""
    if len(query) > LONGEST:
        raise invalid(problem("query", f"Has {len(query)} characters, it can have maximum of {LONGEST} characters"))
    if len(query) < 2 or query[0] != '"' or query[-1] != '"':
        text = "The parameter 'query' should be enclosed in double quotes"
        raise FreshdeskError(400, {"description": "Validation failed", "errors": [problem("query", text)]})
    tokens = _tokens(query[1:-1])
    return [ticket for ticket in tickets if _Reader(tokens, ticket).whole()]


def _tokens(text: str) -> list[re.Match[str]]:
    found, at = [], 0
    while at < len(text.rstrip()):
        token = _TOKEN.match(text, at)
        if token is None:
            raise invalid(problem("query", "The query has an invalid format"))
        if token.group(4) and token.group(4) not in FIELDS:
            raise invalid(problem(token.group(4), "Unexpected/invalid field in request", "invalid_field"))
        found.append(token)
        at = token.end()
    return found


class _Reader:
    """Recursive descent, evaluated on one ticket."""

    def __init__(self, tokens: list[re.Match[str]], ticket: Ticket) -> None:
        self._tokens, self._ticket, self._at = tokens, ticket, 0

    def whole(self) -> bool:
        value = self._either()
        if self._at != len(self._tokens):
            raise invalid(problem("query", "The query has an invalid format"))
        return value

    def _either(self) -> bool:
        value = self._both()
        while self._takes("OR"):
            value = self._both() or value
        return value

    def _both(self) -> bool:
        value = self._one()
        while self._takes("AND"):
            value = self._one() and value
        return value

    def _takes(self, word: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at].group(3) == word:
            self._at += 1
            return True
        return False

    def _one(self) -> bool:
        if self._at >= len(self._tokens):
            raise invalid(problem("query", "The query has an invalid format"))
        token = self._tokens[self._at]
        self._at += 1
        if token.group(1):
            value = self._either()
            if self._at >= len(self._tokens) or not self._tokens[self._at].group(2):
                raise invalid(problem("query", "The query has an invalid format"))
            self._at += 1
            return value
        return _fits(self._ticket, token.group(4), token.group(5), token.group(6))


def _fits(ticket: Ticket, name: str, sign: str | None, given: str) -> bool:
    wanted = re.sub(r"\\(.)", r"\1", given[1:-1]) if given.startswith("'") else given
    if name == "tag":
        return wanted in ticket.tags
    value: Any = {
        "status": ticket.status, "priority": ticket.priority, "type": ticket.type, "group_id": ticket.group_id,
        "agent_id": ticket.responder_id, "created_at": ticket.created.date().isoformat(),
        "updated_at": ticket.updated.date().isoformat(),
    }.get(name, ticket.custom_fields.get(name))  # fmt: skip
    if sign == ">":
        return str(value) >= wanted
    if sign == "<":
        return str(value) <= wanted
    return ("null" if value is None else str(value)) == wanted
