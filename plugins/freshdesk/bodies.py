"""What is sent to Freshdesk when a ticket is written. No calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.connector import Connector, Draft
from hub.parts.custom_values import native_value
from hub.parts.numbered import code_of
from hub.ticket import Markdown, Value
from plugins.freshdesk import mapping
from plugins.freshdesk.settings import FreshdeskSettings
from plugins.freshdesk.words import PRIORITY_WORDS, STATUS_WORDS

OPEN, LOW = 2, 1
"""The status and priority of a new ticket for which nothing was asked: Freshdesk wants both."""


def of_values(settings: FreshdeskSettings, maps: Connector, values: Mapping[str, Value]) -> dict[str, Any]:
    """Neutral values by Freshdesk's names, statuses and priorities as numbers."""
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
            body["responder_id"] = int(str(value)) if value else None
        elif name == "category":
            body["type"] = maps.native(name, value)
        elif name == "status":
            body["status"] = code_of(STATUS_WORDS, maps.native(name, value))
        elif name == "priority":
            body["priority"] = code_of(PRIORITY_WORDS, maps.native(name, value))
    return body | ({"custom_fields": custom} if custom else {})


def of_draft(settings: FreshdeskSettings, maps: Connector, draft: Draft, own_account: str) -> dict[str, Any]:
    """A new ticket. Its mark is a tag: tickets have no external id of their own."""
    always = dict(settings.create_fields)
    asked = of_values(settings, maps, draft.values)
    body: dict[str, Any] = {
        "subject": draft.title or draft.marker,
        "description": mapping.text_to_html(draft.description),
        "status": OPEN,
        "priority": LOW,
        **always,
        **asked,
    }
    body["tags"] = sorted({*always.get("tags", ()), *draft.labels, mapping.mark_tag(draft.marker)})
    if custom := {**always.get("custom_fields", {}), **asked.get("custom_fields", {})}:
        body["custom_fields"] = custom
    asks = draft.requester
    if asks is not None and asks.email and draft.visibility.is_public:
        return body | {"email": asks.email, "name": asks.label}
    # Whoever asks can read the ticket, so that what is private is asked by the hub itself.
    return body | {"requester_id": int(own_account)}
