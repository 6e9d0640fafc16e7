"""What is sent to Freshservice when a ticket or a change is written. No calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.connector import Changes, Connector, Draft
from hub.parts.custom_values import native_value
from hub.parts.numbered import code_of
from hub.parts.stamps import mark_tag
from hub.ticket import Markdown, Value
from plugins.freshservice import mapping
from plugins.freshservice.modules import CHANGES, TICKETS, Module
from plugins.freshservice.settings import FreshserviceSettings
from plugins.freshservice.words import MATRIX, PRIORITY_WORDS, STATUS_WORDS

OPEN, LOW = 2, 1
"""The status and priority of a new ticket for which nothing was asked: Freshservice wants both."""


def of_values(
    settings: FreshserviceSettings, maps: Connector, values: Mapping[str, Value], module: Module = TICKETS
) -> dict[str, Any]:
    """Neutral values by Freshservice's names, statuses and priorities as numbers."""
    body: dict[str, Any] = {}
    custom: dict[str, Any] = {}
    for name, value in values.items():
        if name.startswith("custom:"):
            field = settings.fields[name.removeprefix("custom:")]
            custom[field.id] = native_value(field, value)
        elif name == "title":
            body["subject"] = value
        elif name == "description":
            body["description"] = mapping.text_to_html(Markdown(str(value or "")))
        elif name == "assignee":
            body[module.agent] = int(str(value)) if value else None
        elif name == "category":
            body["type"] = maps.native(name, value)
        elif name == "status":
            body["status"] = code_of(STATUS_WORDS, maps.native(name, value))
        elif name == "priority":
            body |= _priority(settings, module, code_of(PRIORITY_WORDS, maps.native(name, value)))
    return body | ({"custom_fields": custom} if custom else {})


def of_draft(settings: FreshserviceSettings, maps: Connector, draft: Draft, own_account: str) -> dict[str, Any]:
    """A new incident. Its mark is a tag: tickets have no external id of their own."""
    always = dict(settings.create_fields)
    asked = of_values(settings, maps, draft.values)
    body: dict[str, Any] = {
        "subject": draft.title or draft.marker,
        "description": mapping.text_to_html(draft.description),
        "status": OPEN,
        "priority": LOW,
        **({"workspace_id": settings.workspaces[0]} if settings.workspaces else {}),
        **always,
        **asked,
    }
    body["tags"] = sorted({*always.get("tags", ()), *draft.labels, mark_tag(draft.marker, mapping.TAG_LIMIT)})
    if custom := {**always.get("custom_fields", {}), **asked.get("custom_fields", {})}:
        body["custom_fields"] = custom
    asks = draft.requester
    if asks is not None and asks.email and draft.visibility.is_public:
        return body | {"email": asks.email, "name": asks.label}
    # Whoever asks can read the ticket, so that what is private is asked by the hub itself.
    return body | {"requester_id": int(own_account)}


def not_for_changes(changes: Changes) -> dict[str, str]:
    """What a change does not take from the hub, by neutral field name, with the reason for people."""
    reasons = {
        "status": "a change goes through its approvals in Freshservice; the hub does not move it",
        "category": "a change stays a change",
    }
    refused = {name: why for name, why in reasons.items() if name in changes.values}
    if changes.add_labels or changes.remove_labels:
        refused["labels"] = "changes have no tags in Freshservice"
    return refused


def _priority(settings: FreshserviceSettings, module: Module, code: int) -> dict[str, int]:
    if not settings.priority_matrix or module is CHANGES:
        return {"priority": code}
    # With the matrix on, Freshservice makes the priority of the other two and forgets what was written.
    urgency, impact = MATRIX.get(code, (1, 1))
    return {"priority": code, "urgency": urgency, "impact": impact}
