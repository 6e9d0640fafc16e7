"""Rules about the values of a ticket: statuses, tags and the custom fields that show up as tags."""

from __future__ import annotations

import re
from typing import Any

from plugins.zendesk.sandbox.errors import invalid
from plugins.zendesk.sandbox.state import Store, Ticket

STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
PRIORITIES = ("urgent", "high", "normal", "low")
TYPES = ("problem", "incident", "question", "task")
CUSTOM_KINDS = ("tagger", "checkbox", "text", "multiselect", "date")


def tag_list(given: Any) -> list[str]:
    """Tags as Zendesk keeps them: lower case, no blanks, no doubles, sorted; from a list or a text with blanks."""
    words = given.split() if isinstance(given, str) else [str(tag) for tag in given or []]
    return sorted({re.sub(r"\s+", "_", word.strip().lower()) for word in words if word.strip()})


def default_custom_fields(store: Store) -> dict[int, Any]:
    """The custom fields of a new ticket, all empty."""
    return {id: _empty(f) for id, f in store.fields.items() if f["removable"]}


def custom_values(store: Store, given: Any) -> dict[int, Any]:
    """Checked values by field id, from `[{"id", "value"}]` or `{id: value}`.

    An option that does not exist, or a date of another form, is 422; unknown fields are ignored, as Zendesk does.
    """
    pairs = given.items() if isinstance(given, dict) else [(e.get("id"), e.get("value")) for e in given or []]
    return {
        int(id): _checked(store.fields[int(id)], value)
        for id, value in pairs
        if int(id) in store.fields and store.fields[int(id)]["removable"]
    }


def put_custom(store: Store, ticket: Ticket, values: dict[int, Any]) -> None:
    """Set custom fields and bring the tags into line: drop-downs and checkboxes appear as tags."""
    for id, value in values.items():
        field = store.fields[id]
        before, after = _tags_of(field, ticket.custom.get(id)), _tags_of(field, value)
        ticket.tags = sorted((set(ticket.tags) - before) | after)
        ticket.custom[id] = value


def put_tags(store: Store, ticket: Ticket, tags: list[str]) -> None:
    """Replace the tags and bring the fields into line that live in them: they lose values whose tag is gone."""
    ticket.tags = tags
    for id, field in store.fields.items():
        if field["type"] == "tagger" and id in ticket.custom:
            options = [option["value"] for option in field["custom_field_options"]]
            ticket.custom[id] = next((value for value in options if value in tags), None)
        elif field["type"] == "multiselect" and id in ticket.custom:
            options = [option["value"] for option in field["custom_field_options"]]
            ticket.custom[id] = [value for value in options if value in tags] or None
        elif field["type"] == "checkbox" and id in ticket.custom and field["tag"]:
            ticket.custom[id] = field["tag"] in tags


def status_of(store: Store, custom_status_id: int) -> str:
    """The category of a custom status; 422 when there is none."""
    status = store.statuses.get(custom_status_id)
    if status is None:
        raise invalid("custom_status_id", "Custom status is invalid")
    return str(status["status_category"])


def default_custom_status(store: Store, status: str) -> int:
    """The default custom status of a status; a closed ticket keeps that of solved ones."""
    category = "solved" if status == "closed" else status
    return next(id for id, s in store.statuses.items() if s["status_category"] == category and s["default"])


def _empty(field: dict[str, Any]) -> Any:
    return False if field["type"] == "checkbox" else None


def _tags_of(field: dict[str, Any], value: Any) -> set[str]:
    if field["type"] == "tagger":
        return {value} if value else set()
    if field["type"] == "multiselect":
        return set(value or ())
    return {field["tag"]} if field["type"] == "checkbox" and field["tag"] and value else set()


def _checked(field: dict[str, Any], value: Any) -> Any:
    kind, title = field["type"], field["title"]
    if value in (None, "", []):
        return _empty(field)
    if kind == "checkbox":
        return value in (True, "true", "1", 1)
    if kind == "date" and not re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
        raise invalid("base", f"{title}: {value} is not properly formatted", "InvalidFormat")
    if kind in ("tagger", "multiselect"):
        options = {option["value"] for option in field["custom_field_options"]}
        chosen = value if isinstance(value, list) else [value]
        if wrong := [v for v in chosen if v not in options]:
            raise invalid("base", f"{title}: {wrong[0]} is not a valid option")
        return list(chosen) if kind == "multiselect" else chosen[0]
    return str(value)
