"""Custom fields of trackers that hold them as plain JSON: texts, numbers, booleans, choices by name, days as
YYYY-MM-DD. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from hub.settings.trackers import CustomField
from hub.ticket import CustomValue


def field_value(field: CustomField, value: Any) -> CustomValue:
    """A custom field's neutral value."""
    if value is None or value == "" or value == []:
        return None
    to_neutral = {theirs: ours for ours, theirs in field.values.items()}
    match field.type:
        case "multiselect":
            values = value if isinstance(value, list) else [value]
            return tuple(sorted(to_neutral.get(str(v), str(v)) for v in values))
        case "checkbox":
            return bool(value)
        case "number":
            return _number(value)
        case "date":
            return datetime.fromisoformat(str(value)[:10]).replace(tzinfo=UTC)
        case _:
            return to_neutral.get(str(value), str(value))


def native_value(field: CustomField, value: object) -> Any:
    """A neutral value in the form that the field takes. Raises ValueError where it has none."""
    if value is None or value == "":
        return False if field.type == "checkbox" else None
    match field.type:
        case "multiselect":
            values = value if isinstance(value, tuple) else (value,)
            return [field.values.get(str(v), str(v)) for v in values]
        case "checkbox":
            return bool(value)
        case "number":
            return _number(value)
        case "date":
            day = value if isinstance(value, date) else datetime.fromisoformat(str(value))
            return day.strftime("%Y-%m-%d")
        case _:
            return field.values.get(str(value), str(value))


def _number(value: object) -> int | float:
    number = float(str(value))
    return int(number) if number.is_integer() else number
