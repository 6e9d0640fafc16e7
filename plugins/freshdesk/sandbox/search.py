"""The query language of `GET /search/tickets`. Source: developers.freshdesk.com, "Filter Tickets"."""

from __future__ import annotations

from typing import Any

from hub.sandbox.query import NoQueryError, Query
from plugins.freshdesk.sandbox.errors import FreshdeskError, invalid, problem
from plugins.freshdesk.sandbox.state import CUSTOM, Ticket

LONGEST = 512
FIELDS = {"status", "priority", "type", "tag", "group_id", "agent_id", "created_at", "updated_at", *CUSTOM}


def matching(tickets: list[Ticket], query: str) -> list[Ticket]:
    """The tickets that fit. Raises 400 for what is no query."""
    if len(query) > LONGEST:
        raise invalid(problem("query", f"Has {len(query)} characters, it can have maximum of {LONGEST} characters"))
    if len(query) < 2 or query[0] != '"' or query[-1] != '"':
        text = "The parameter 'query' should be enclosed in double quotes"
        raise FreshdeskError(400, {"description": "Validation failed", "errors": [problem("query", text)]})
    try:
        asked = Query(query[1:-1])
    except NoQueryError as error:
        raise invalid(problem("query", "The query has an invalid format")) from error
    for name in asked.fields:
        if name not in FIELDS:
            raise invalid(problem(name, "Unexpected/invalid field in request", "invalid_field"))
    return [ticket for ticket in tickets if asked.holds(lambda *condition, of=ticket: _fits(of, *condition))]


def _fits(ticket: Ticket, name: str, sign: str, wanted: str) -> bool:
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
