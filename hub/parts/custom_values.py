"""Custom fields <-> neutral values. Pure.

`field_value` and `native_value` are for trackers that hold them as plain JSON: texts, numbers, booleans, choices by
name, days as YYYY-MM-DD. Those that hold them in another form build theirs from the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

from hub.connector import Unwritable
from hub.settings.trackers import CustomField
from hub.ticket import CustomValue, Value


def field_value(field: CustomField, value: Any) -> CustomValue:
    """A custom field's neutral value."""
    if value is None or value == "" or value == []:
        return None
    match field.type:
        case "multiselect":
            return neutral_words(field, value if isinstance(value, list) else [value])
        case "checkbox":
            return bool(value)
        case "number":
            return number(value)
        case "date":
            return datetime.fromisoformat(str(value)[:10]).replace(tzinfo=UTC)
        case _:
            return neutral_word(field, value)


def native_value(field: CustomField, value: object) -> Any:
    """A neutral value in the form that the field takes. Raises ValueError where it has none."""
    if value is None or value == "":
        return False if field.type == "checkbox" else None
    match field.type:
        case "multiselect":
            return native_words(field, value)
        case "checkbox":
            return bool(value)
        case "number":
            return number(value)
        case "date":
            return day(value).strftime("%Y-%m-%d")
        case _:
            return native_word(field, value)


def held(
    tracker: str,
    field: CustomField,
    value: Value,
    native: Callable[[CustomField, Value], Any],
    neutral: Callable[[CustomField, Any], CustomValue],
) -> CustomValue:
    """A value as the tracker of that name would show it after it was written, by its own two translations.

    Raises Unwritable where the first one raises ValueError.
    """
    try:
        written = native(field, value)
    except ValueError as error:
        raise Unwritable(f"{field.id} of {tracker} takes no {value!r}: {error}") from error
    return neutral(field, written)


def neutral_word(field: CustomField, theirs: object) -> str:
    """What the tracker's word for a choice means; a word that the settings do not name means itself."""
    word = str(theirs)
    return next((ours for ours, known in reversed(field.values.items()) if known == word), word)


def neutral_words(field: CustomField, theirs: Iterable[object]) -> tuple[str, ...]:
    """What several choices mean, in an order of their own: trackers show them in any."""
    return tuple(sorted(neutral_word(field, one) for one in theirs))


def native_word(field: CustomField, ours: object) -> str:
    """The tracker's word for a choice."""
    return field.values.get(str(ours), str(ours))


def native_words(field: CustomField, ours: object) -> list[str]:
    """The tracker's words for several choices, or for one."""
    return [native_word(field, one) for one in (ours if isinstance(ours, tuple) else (ours,))]


def number(value: object) -> int | float:
    """A number, whole where it is one. Raises ValueError for what is none."""
    made = float(str(value))
    return int(made) if made.is_integer() else made


def number_or_text(value: object) -> int | float | str:
    """A number; a text as it is where the tracker holds something else under a field that is called a number."""
    try:
        return number(value)
    except ValueError:
        return str(value)


def day(value: object) -> date:
    """A day, of a neutral date or of its text. Raises ValueError for what is none."""
    return value if isinstance(value, date) else datetime.fromisoformat(str(value))
