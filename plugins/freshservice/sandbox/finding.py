"""The query language of `GET /tickets/filter`. Source: api.freshservice.com, "Filter Tickets"."""

from __future__ import annotations

from typing import Any

from hub.sandbox.query import NoQueryError, Query
from plugins.freshservice.sandbox import seed
from plugins.freshservice.sandbox.errors import invalid, problem, unknown_fields
from plugins.freshservice.sandbox.state import Ticket

LONGEST = 512
FIELDS = {
    "status", "priority", "impact", "urgency", "tag", "group_id", "agent_id", "department_id", "requester_id", "type",
    "category", "created_at", "updated_at", "workspace_id", *seed.CUSTOM,
}  # fmt: skip


def matching(tickets: list[Ticket], query: str) -> list[Ticket]:
    """The tickets that fit. Raises 400 for what is no query."""
    if len(query) > LONGEST:
        raise invalid(problem("query", f"Has {len(query)} characters, it can have maximum of {LONGEST} characters"))
    if len(query) < 2 or query[0] != '"' or query[-1] != '"':
        raise invalid(problem("query", "The parameter 'query' should be enclosed in double quotes"))
    try:
        asked = Query(query[1:-1])
    except NoQueryError as error:
        raise invalid(problem("query", "The query has an invalid format")) from error
    if wrong := unknown_fields(dict.fromkeys(asked.fields), FIELDS):
        raise invalid(*wrong)
    return [ticket for ticket in tickets if asked.holds(lambda *condition, of=ticket: _fits(of, *condition))]


def _fits(ticket: Ticket, name: str, sign: str, wanted: str) -> bool:
    if name == "tag":
        return wanted in ticket.tags
    values: dict[str, Any] = {
        "agent_id": ticket.responder_id, "requester_id": ticket.requester.id,
        "created_at": ticket.created.date().isoformat(), "updated_at": ticket.updated.date().isoformat(),
    }  # fmt: skip
    value = values[name] if name in values else ticket.custom_fields.get(name, getattr(ticket, name, None))
    left: Any
    right: Any
    if not sign:
        return ("null" if value is None else str(value)) == wanted
    if value is None:
        return False
    left, right = (value, int(wanted)) if isinstance(value, int) and wanted.isdigit() else (str(value), wanted)
    return bool(left >= right if sign == ">" else left <= right)
