"""Webhooks in trigger mode: which triggers fire, and the admin's body with its placeholders filled in.

Statuses, priorities and types are localised labels here ("Open", "Normal"), unlike anywhere else.
"""

from __future__ import annotations

import json
import re
from typing import Any

from plugins.zendesk.sandbox.state import Audit, Store, Ticket, User

_LABELS = {"hold": "On-hold"}


def fires(trigger: dict[str, Any], ticket: Ticket, audit: Audit, action: str) -> bool:
    """Whether all conditions hold. Known: update_type, current_user_id, status, current_tags; others never hold."""
    conditions = (trigger.get("conditions") or {}).get("all") or []
    return bool(trigger.get("active", True)) and all(_holds(c, ticket, audit, action) for c in conditions)


def fill(template: str, store: Store, ticket: Ticket, audit: Audit) -> str:
    """`template` with its placeholders replaced; unknown ones become empty. Values are escaped for JSON texts."""
    facts = _facts(store, ticket, audit)

    def value(match: re.Match[str]) -> str:
        return json.dumps(str(facts.get(match[1], "")), ensure_ascii=False)[1:-1]

    return re.sub(r"\{\{\s*([a-z_.]+)\s*\}\}", value, template)


def _holds(condition: dict[str, Any], ticket: Ticket, audit: Audit, action: str) -> bool:
    field, operator, value = condition.get("field"), condition.get("operator", "is"), str(condition.get("value"))
    if field == "update_type":
        return (value.lower() == "create") == (action == "created")
    if field == "current_tags":
        has = bool(set(value.split()) & set(ticket.tags))
        return has if operator == "includes" else not has
    actual = {"current_user_id": str(audit.author_id), "status": ticket.values["status"]}.get(str(field))
    return actual is not None and ((actual == value) == (operator == "is"))


def _facts(store: Store, ticket: Ticket, audit: Audit) -> dict[str, Any]:
    v, latest = ticket.values, ticket.comments[-1]
    host = store.base_url().partition("//")[2]
    facts: dict[str, Any] = {
        "ticket.id": ticket.id,
        "ticket.external_id": v["external_id"] or "",
        "ticket.title": v["subject"],
        "ticket.description": ticket.comments[0].body,
        "ticket.status": _label(v["status"]),
        "ticket.priority": _label(v["priority"]),
        "ticket.ticket_type": _label(v["type"]),
        "ticket.via": "Web Service",
        "ticket.url": f"{host}/agent/tickets/{ticket.id}",
        "ticket.link": f"https://{host}/agent/tickets/{ticket.id}",
        "ticket.due_date": v["due_at"] or "",
        "ticket.account": "Sandbox",
        "ticket.tags": " ".join(ticket.tags),
        "ticket.created_at": _day(ticket.created_at),
        "ticket.updated_at": _day(ticket.updated_at),
        "ticket.updated_at_with_timestamp": ticket.updated_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "ticket.group.name": (store.groups.get(v["group_id"]) or {}).get("name", ""),
        "ticket.organization.name": (store.organizations.get(v["organization_id"]) or {}).get("name", ""),
        "ticket.latest_comment": latest.body,
        "ticket.latest_comment_html": latest.html_body,
        "ticket.latest_comment.id": latest.id,
        "ticket.latest_comment.is_public": str(latest.public).lower(),
        "ticket.latest_comment.author.name": store.users[latest.author_id].name,
    }
    people = {
        "ticket.requester": v["requester_id"],
        "ticket.assignee": v["assignee_id"],
        "current_user": audit.author_id,
    }
    for prefix, id in people.items():
        facts.update(_person(prefix, store.users.get(id or 0)))
    return facts


def _person(prefix: str, person: User | None) -> dict[str, Any]:
    if person is None:
        return {}
    return {
        f"{prefix}.id": person.id,
        f"{prefix}.name": person.name,
        f"{prefix}.email": person.email,
        f"{prefix}.role": person.role.capitalize(),
    }


def _label(value: Any) -> str:
    return _LABELS.get(value, str(value).capitalize()) if value else ""


def _day(moment: Any) -> str:
    return f"{moment:%B} {moment.day}, {moment.year}"
