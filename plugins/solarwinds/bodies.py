"""What is sent to Service Desk when a ticket is written, and whether it was kept. No calls.

A value of a wrong shape is left out with a 200 at times, so that answers are looked at. Sources: the vendor's API
documentation; published live findings (MCP-SWSD); `add_to_tag_list` as in the vendor's samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.connector import Changes, Connector, Draft
from hub.ticket import Markdown, Status, Value
from plugins.solarwinds import customs, mapping
from plugins.solarwinds.settings import SolarwindsSettings

KEYS = {
    "title": "name", "status": "state", "priority": "priority", "category": "category", "assignee": "assignee",
    "line": "group_assignee",
}  # fmt: skip
"""Neutral fields -> where an incident shows them."""


def of_values(settings: SolarwindsSettings, maps: Connector, values: Mapping[str, Value]) -> dict[str, Any]:
    """Neutral values by Service Desk's names; an empty text clears a field."""
    body: dict[str, Any] = {}
    custom: dict[str, str] = {}
    for name, value in values.items():
        if name.startswith("custom:"):
            field = settings.fields[name.removeprefix("custom:")]
            custom[field.id] = customs.native_value(field, value)
        elif name == "title":
            body["name"] = value
        elif name == "description":
            html = mapping.text_to_html(Markdown(str(value or "")))
            # A text that ends like the hub's stamp gets one after it, so that it is not taken for one itself.
            body["description"] = mapping.marked(html, "-") if mapping.unmarked(html).marker else html
        elif name == "assignee":
            body["assignee"] = {"id": int(str(value))} if value else ""
        elif name == "category":
            body["category"] = {"name": maps.native(name, value)}
        elif name == "line":
            group = maps.group_of(value)
            body["group_assignee"] = {"id": int(group)} if group.isdigit() else {"name": group}
        elif name == "priority":
            body["priority"] = maps.native(name, value)
        elif name == "status":
            is_done = isinstance(value, Status) and value.is_done
            body = {**(settings.solve_fields if is_done else {}), **body, "state": maps.native(name, value)}
    return body | ({"custom_fields_values": customs.written(custom)} if custom else {})


def of_changes(settings: SolarwindsSettings, maps: Connector, changes: Changes) -> dict[str, Any]:
    """The body of an update. Tags are added and taken away one by one, so that those of others stay."""
    body = of_values(settings, maps, changes.values)
    if changes.add_labels:
        body["add_to_tag_list"] = ", ".join(sorted(changes.add_labels))
    if changes.remove_labels:
        body["remove_from_tag_list"] = ", ".join(sorted(changes.remove_labels))
    return {"incident": body}


def of_draft(settings: SolarwindsSettings, maps: Connector, draft: Draft, own_account: str) -> dict[str, Any]:
    """A new ticket. Its mark stands under the description: the list shows that, and tags it does not."""
    always = dict(settings.create_fields)
    asked = of_values(settings, maps, draft.values)
    body: dict[str, Any] = {
        "name": draft.title or draft.marker,
        **always,
        **asked,
        "description": mapping.marked(mapping.text_to_html(draft.description), draft.marker),
    }
    if draft.labels:
        body["add_to_tag_list"] = ", ".join(sorted(draft.labels))
    asks = draft.requester
    if asks is not None and asks.email and draft.visibility.is_public:
        body["requester"] = {"email": asks.email, "name": asks.label}
    else:
        # Whoever asks can read the ticket, so that what is private is asked by the hub itself.
        body["requester"] = {"id": int(own_account)}
    return {"incident": body}


def not_kept(
    settings: SolarwindsSettings, maps: Connector, values: Mapping[str, Value], answer: Mapping[str, Any]
) -> dict[str, str]:
    """What an update should have changed and its answer shows otherwise, with the reason, by neutral field name.

    Texts are left out: their form is Service Desk's affair. So is what the answer does not show.
    """
    if "id" not in answer:
        return {}
    ticket = mapping.ticket(settings, maps, answer)
    shown: dict[str, Value] = {
        "title": ticket.title,
        "status": ticket.status,
        "priority": ticket.priority,
        "category": ticket.category,
        "line": ticket.line,
        "assignee": ticket.assignee.id if ticket.assignee else None,
        **{f"custom:{name}": value for name, value in ticket.custom.items()},
    }
    found = {}
    for name, value in values.items():
        key = "custom_fields_values" if name.startswith("custom:") else KEYS.get(name)
        if name not in shown or key not in answer:
            continue
        wanted, present = maps.hold(name, value), shown[name]
        if present != wanted and not (wanted is False and present is None):
            found[name] = f"Service Desk answered well, but kept {_said(present)} instead of {_said(wanted)}"
    return found


def tags_not_kept(changes: Changes, answer: Mapping[str, Any]) -> str:
    """Why labels count as refused, empty where the ticket carries what it should."""
    present = set(mapping.tags(answer))
    missing, left = changes.add_labels - present, changes.remove_labels & present
    if not missing and not left:
        return ""
    return f"Service Desk answered well, but the tags are {', '.join(sorted(present)) or 'none'}"


def _said(value: Value) -> str:
    return "nothing" if value in (None, "") else str(value)
