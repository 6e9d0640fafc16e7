"""Additional fields (`udf_fields`) <-> neutral values. Pure.

Texts and choices are texts, or objects with a `name`; numbers come as texts; dates are milliseconds.
Sources: sdpop-v3-api, "Request": udf_fields; trackers' notes, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from hub.parts.custom_values import day, native_word, native_words, neutral_word, neutral_words, number
from hub.settings.trackers import CustomField
from hub.text import from_html
from hub.ticket import CustomValue, Markdown
from plugins.servicedesk_plus.settings import RESOLUTION
from plugins.servicedesk_plus.texts import text_to_html

MIDDLE = time(10)
"""A day is written as this hour in UTC, which is that day in every zone from -10 to +13 hours."""


def moment(value: Any) -> datetime | None:
    """A time of ServiceDesk Plus's, UTC: `{"value": <milliseconds>, "display_value": …}`."""
    number = value.get("value") if isinstance(value, dict) else value
    if number in (None, "", "-1"):
        return None
    return datetime.fromtimestamp(int(str(number)) / 1000, UTC)


def milliseconds(at: datetime) -> str:
    """A time in the form that ServiceDesk Plus takes and compares."""
    return str(round(at.timestamp() * 1000))


def raw_value(raw: Mapping[str, Any], field: CustomField) -> Any:
    """What a request shows for a field of the settings."""
    if field.id == RESOLUTION:
        return (raw.get(RESOLUTION) or {}).get("content")
    return (raw.get("udf_fields") or {}).get(field.id)


def field_value(field: CustomField, value: Any) -> CustomValue:
    """A custom field's neutral value."""
    if value is None or value in ("", [], {}):
        return False if field.type == "checkbox" else None
    if field.id == RESOLUTION:
        return str(from_html(str(value)))
    match field.type:
        case "multiselect":
            return neutral_words(field, map(_word, value if isinstance(value, list) else [value]))
        case "checkbox":
            return str(value).casefold() in ("true", "yes", "1")
        case "number":
            return number(value)
        case "date":
            return _day(value)
        case _:
            return neutral_word(field, _word(value))


def native_value(field: CustomField, value: object) -> Any:
    """A neutral value in the form that the field takes. Raises ValueError where it has none."""
    if value is None or value == "":
        return False if field.type == "checkbox" else None
    if field.id == RESOLUTION:
        return text_to_html(Markdown(str(value)))
    match field.type:
        case "multiselect":
            return native_words(field, value)
        case "checkbox":
            return bool(value)
        case "number":
            return number(value)
        case "date":
            return {"value": milliseconds(datetime.combine(day(value), MIDDLE, UTC))}
        case _:
            return native_word(field, value)


def placed(fields: Mapping[str, CustomField], custom: Mapping[str, Any]) -> dict[str, Any]:
    """Custom values where a request's body holds them, by the settings' names of the fields."""
    body: dict[str, Any] = {}
    for name, value in custom.items():
        field = fields[name]
        native = native_value(field, value)
        if field.id == RESOLUTION:
            body[RESOLUTION] = {"content": native or ""}
        else:
            body.setdefault("udf_fields", {})[field.id] = native
    return body


def _word(value: Any) -> str:
    return str(value.get("name") or "") if isinstance(value, dict) else str(value)


def _day(value: Any) -> datetime | None:
    """A date field holds midnight of the server's or the site's zone, or what was written: the nearest day is meant."""
    at = moment(value)
    if at is None:
        return None
    return datetime.combine((at + timedelta(hours=12)).date(), time(), UTC)
