"""Custom fields of Service Desk: written under their names in a nested shape, read as a plain list. Pure.

Dates come back in words (`Jan 15, 2026`), checkboxes as Yes and No. Sources: published live findings (MCP-SWSD).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hub.parts.custom_values import day, native_word, neutral_word, number
from hub.settings.trackers import CustomField
from hub.ticket import CustomValue, Value

DATES = ("%b %d, %Y", "%B %d, %Y", "%Y-%m-%d", "%m/%d/%Y")
"""Forms in which a date may come back."""
YES = ("yes", "true", "1", "on")


def shown(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a ticket's custom fields by name, as Service Desk shows them."""
    rows = raw.get("custom_fields_values") or ()
    return {str(row["name"]): row.get("value") for row in rows if isinstance(row, dict) and row.get("name")}


def field_value(field: CustomField, value: Any) -> CustomValue:
    """A custom field's neutral value. What has another form than its type says stays a text."""
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    try:
        match field.type:
            case "checkbox":
                return text.casefold() in YES
            case "number":
                return number(text.replace(",", ""))
            case "date":
                return _day(text)
    except ValueError:
        return text
    return neutral_word(field, text)


def native_value(field: CustomField, value: Value) -> str:
    """A neutral value in the form that the field takes; empty clears it. Raises ValueError where it has none."""
    if value is None or value == "":
        return ""
    match field.type:
        case "checkbox":
            return "Yes" if value is True or str(value).casefold() in YES else "No"
        case "number":
            return str(number(value))
        case "date":
            return day(value).strftime("%Y-%m-%d")
        case _:
            return native_word(field, " ".join(str(value).split()))


def written(values: Mapping[str, str]) -> dict[str, Any]:
    """Values by the fields' names in the shape of a write; a plain list is answered with a 500."""
    return {"custom_fields_value": [{"name": name, "value": value} for name, value in values.items()]}


def _day(text: str) -> datetime:
    for form in DATES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return datetime.fromisoformat(text).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
