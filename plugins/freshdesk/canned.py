"""Freshdesk's canned responses as macros: texts without actions.

Source: developers.freshdesk.com, "Canned Response Folders", "Canned Responses". Scenario automations, which have
actions, cannot be read over the API as what they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.connector import StoredMacro
from hub.parts.placeholders import Placeholders, name_of_macro
from hub.text import from_html, from_plain
from plugins.freshdesk.client import FreshdeskClient

PLACEHOLDERS = Placeholders(
    same={
        "ticket.id": "ticket.key",
        "ticket.subject": "ticket.title",
        "ticket.description": "ticket.description",
        "ticket.url": "ticket.url",
        "ticket.status": "ticket.status",
        "ticket.priority": "ticket.priority",
        "ticket.requester.name": "requester.name",
        "ticket.requester.email": "requester.email",
        "ticket.requester.company_name": "ticket.organisation",
        "ticket.agent.name": "agent.name",
        "ticket.agent.email": "agent.email",
    },
    near={
        "ticket.requester.firstname": "requester.name",
        "ticket.requester.first_name": "requester.name",
        "ticket.agent.firstname": "agent.name",
    },
)


def responses(client: FreshdeskClient) -> list[StoredMacro]:
    """Every canned response that the hub's agent sees, folder by folder: a call for each folder."""
    found = []
    for folder in client.get("/canned_response_folders"):
        rows = client.rows(f"/canned_response_folders/{folder['id']}/responses")
        found += [_macro(raw, folder) for raw in rows]
    return found


def _macro(raw: Mapping[str, Any], folder: Mapping[str, Any]) -> StoredMacro:
    html = raw.get("content_html")
    given, convert = (str(html), from_html) if html else (str(raw.get("content") or ""), from_plain)
    text, notes = PLACEHOLDERS.to_hub(given.replace("#{{ticket.id}}", "{{ticket.id}}"), convert)
    unmapped = [*notes, *(f"the file {file.get('name')}" for file in raw.get("attachments") or ())]
    if folder.get("personal"):
        unmapped.append("only for the hub's agent")
    return StoredMacro(
        name=name_of_macro(str(raw["title"])), title=str(raw["title"]), text=text, unmapped=tuple(unmapped)
    )
