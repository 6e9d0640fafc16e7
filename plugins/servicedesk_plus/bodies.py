"""What is sent to ServiceDesk Plus. No calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.connector import Connector, Draft
from hub.ticket import Markdown, Status, Value
from plugins.servicedesk_plus import fields
from plugins.servicedesk_plus.settings import TAGS, ServiceDeskPlusSettings
from plugins.servicedesk_plus.texts import joined, text_to_html


def of_values(
    settings: ServiceDeskPlusSettings, maps: Connector, values: Mapping[str, Value], status: Mapping[str, str]
) -> dict[str, Any]:
    """Neutral values by ServiceDesk Plus's names; `status` is the reference that the caller has looked up for one."""
    custom = {n.removeprefix("custom:"): v for n, v in values.items() if n.startswith("custom:")}
    body: dict[str, Any] = fields.placed(settings.fields, custom)
    for name, value in values.items():
        if name == "title":
            body["subject"] = value
        elif name == "description":
            body["description"] = text_to_html(Markdown(str(value or "")))
        elif name == "assignee":
            body["technician"] = {"id": str(value)} if value else None
        elif name == "category":
            body["request_type"] = {"name": maps.native(name, value)}
        elif name == "line":
            body["group"] = {"name": maps.group_of(value)}
        elif name == "priority":
            body["priority"] = {"name": maps.native(name, value)}
        elif name == "status":
            body["status"] = dict(status)
            if isinstance(value, Status) and value.is_done:
                body = merged(body, settings.closing_fields)
    return body


def of_labels(settings: ServiceDeskPlusSettings, labels: frozenset[str]) -> dict[str, Any]:
    """All labels of a request, which are written as a whole."""
    if settings.labels_field == TAGS:
        return {TAGS: [{"name": label} for label in sorted(labels)]}
    return {"udf_fields": {settings.labels_field: joined(labels)}}


def of_draft(
    settings: ServiceDeskPlusSettings, maps: Connector, draft: Draft, own_account: str, status: Mapping[str, str]
) -> dict[str, Any]:
    """A new request, with its mark in the reference field."""
    body = merged(
        {"subject": draft.title or draft.marker, "description": text_to_html(draft.description)},
        settings.create_fields,
        of_values(settings, maps, draft.values, status),
        of_labels(settings, draft.labels) if draft.labels else {},
        {"udf_fields": {settings.reference_field: draft.marker}},
    )
    asks = draft.requester
    if asks is not None and asks.email and draft.visibility.is_public:
        return {**body, "requester": {"email_id": asks.email, "name": asks.label}}
    # Whoever asks can read the request, so that what is private is asked by the hub itself.
    return {**body, "requester": {"id": own_account}}


def of_note(html: str, files: Sequence[str], *, is_public: bool, is_cloud: bool) -> dict[str, Any]:
    """A note, with every switch stated. The two editions call it by different names."""
    note = {
        "description": html,
        "show_to_requester": is_public,
        "notify_technician": False,
        "mark_first_response": False,
        "add_to_linked_requests": False,
        **({"attachments": [{"id": number} for number in files]} if files else {}),
    }
    return {"request_note" if is_cloud else "note": note}


def of_reply(html: str, files: Sequence[str], request: Mapping[str, Any], email: str) -> dict[str, Any]:
    """A mail to the requester, as the button Reply writes it."""
    number = request["id"]
    mail = {
        "type": "reply",
        "mode": "E-Mail",
        "content_type": "text/html",
        "subject": f"Re: [Request ID :##RE-{request.get('display_id') or number}##] : {request.get('subject') or ''}",
        "description": html,
        "to": [{"email_id": email}],
        "cc": [],
        "bcc": [],
        "copied_from": {"module": "request", "id": str(number)},
        "attachments": [{"id": number} for number in files],
    }
    return {"notification": mail}


def merged(*bodies: Mapping[str, Any]) -> dict[str, Any]:
    """The bodies as one; additional fields are put together."""
    made: dict[str, Any] = {}
    for body in bodies:
        both = {**made.get("udf_fields", {}), **body.get("udf_fields", {})}
        made = {**made, **body, **({"udf_fields": both} if both else {})}
    return made
