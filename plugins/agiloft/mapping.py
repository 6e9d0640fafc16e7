"""Agiloft's words <-> neutral words, its JSON -> the neutral model. Pure.

Source: help.agiloft.com, "Data encoding". Words of statuses and priorities are each knowledge base's own; the tables
here are only where a new one begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from hub.parts.custom_values import day, native_word, native_words, neutral_word, neutral_words, number
from hub.settings.trackers import CustomField
from hub.text import canonical, defuse, from_html, from_plain, to_html, to_plain
from hub.ticket import CustomValue, ExternalLink, Markdown, Person, Ticket
from plugins.agiloft.settings import AgiloftSettings
from plugins.agiloft.times import LocalTimes

STATUSES = {
    "new": ["New"],
    "open": ["Assigned", "Open", "Reopened"],
    "in_progress": ["Assigned", "In Progress"],
    "pending": ["Pending", "Waiting for Customer"],
    "solved": ["Resolved", "Solved"],
    "closed": ["Closed"],
}
PRIORITIES = {
    "lowest": ["Low"],
    "low": ["Low"],
    "normal": ["Medium"],
    "high": ["High"],
    "urgent": ["Urgent", "Critical"],
}
CATEGORIES = {
    "incident": ["Incident"],
    "bug": ["Incident"],
    "service_request": ["Service Request"],
    "change_request": ["Change"],
}
WORDLESS = "(no text)"
"""Stands for an empty text, because a text column may be required."""
YES, NO = "Yes", "No"


def words_of(value: Any) -> str:
    """What a column shows, whatever its form: text, number, a linked record, several of them."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return words_of(next((value[k] for k in ("value", "name", "label", "text", "id") if value.get(k)), ""))
    if isinstance(value, list):
        return ", ".join(filter(None, map(words_of, value)))
    return str(value).strip()


def linked(value: str) -> str:
    """A value for a column that is a link: found by what it shows. Source: "Data encoding", "Linked fields"."""
    return ":" + re.sub(r"([:?\\])", r"\\\1", value) if value else ""


def unlinked(value: Any) -> Any:
    """What a link column shows after `linked` was written to it."""
    return re.sub(r"\\([:?\\])", r"\1", value[1:]) if isinstance(value, str) and value.startswith(":") else value


def title_of(text: str, limit: int) -> str:
    """A title as it is kept: one line, cut where the column ends."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def text_to_native(settings: AgiloftSettings, text: Markdown) -> str:
    """A text as it is written, never empty."""
    if settings.text_format == "html":
        return to_html(canonical(defuse(text))) or f"<p>{WORDLESS}</p>"
    return to_plain(defuse(text)).strip() or WORDLESS


def text_to_neutral(settings: AgiloftSettings, value: Any) -> Markdown:
    """A text as it was read."""
    text = str(value or "").strip()
    made = from_html(text) if settings.text_format == "html" else from_plain(text)
    return Markdown("") if made in (WORDLESS, from_plain(WORDLESS)) else made


def label_of(label: str, labels_type: str) -> str:
    """A label in the form that the column keeps: in a text column commas stand between them."""
    return " ".join((label.replace(",", " ") if labels_type == "text" else label).split())


def labels_of(value: Any) -> frozenset[str]:
    """The labels in a text or a multi-choice column."""
    words = [words_of(v) for v in value] if isinstance(value, list) else words_of(value).split(",")
    return frozenset(" ".join(word.split()) for word in words if word.strip())


def labels_value(labels: Iterable[str], labels_type: str) -> str | list[str]:
    """The labels as the column takes them."""
    return sorted(labels) if labels_type == "multichoice" else ", ".join(sorted(labels))


def field_value(field: CustomField, value: Any, times: LocalTimes) -> CustomValue:
    """A custom column's neutral value."""
    if value is None or value == "" or value == []:
        return None
    match field.type:
        case "multiselect":
            return neutral_words(field, labels_of(value))
        case "checkbox":
            return value if isinstance(value, bool) else words_of(value).casefold() in (YES.casefold(), "true", "1")
        case "number":
            return number(words_of(value))
        case "date":
            at = times.utc(value)
            # A day is a day wherever one is: it is not turned into another zone's.
            return at.astimezone(times.zone).replace(hour=0, minute=0, second=0, tzinfo=UTC) if at else words_of(value)
        case _:
            return neutral_word(field, words_of(value))


def native_value(settings: AgiloftSettings, field: CustomField, value: object, times: LocalTimes) -> Any:
    """A neutral value in the form that the column takes. Raises ValueError where it has none."""
    if value is None or value == "":
        return ""
    match field.type:
        case "multiselect":
            return native_words(field, value)
        case "checkbox":
            return YES if value else NO
        case "number":
            return number(value)
        case "date":
            at = day(value)
            return times.text(datetime(at.year, at.month, at.day, tzinfo=times.zone))
        case _:
            word = native_word(field, value)
            return linked(word) if field.id in settings.linked_columns else word


def ticket(settings: AgiloftSettings, maps: Any, raw: Mapping[str, Any], times: LocalTimes) -> Ticket:
    """A neutral ticket. `maps` is the connector, for its tables."""
    columns = settings.columns
    shown = {name: words_of(raw.get(column)) if column else "" for name, column in columns}
    team = shown["team"]
    return Ticket(
        id=shown["id"],
        key=f"#{shown['id']}",
        url=record_url(settings, shown["id"]),
        title=" ".join(shown["title"].split()),
        description=text_to_neutral(settings, raw.get(columns.description)),
        status=maps.statuses.to_neutral(shown["status"]),
        priority=maps.priorities.to_neutral(shown["priority"]),
        category=maps.categories.to_neutral(shown["category"]),
        line=maps.line_of(team) if team else None,
        requester=_requester(shown),
        assignee=Person(shown["assignee"], shown["assignee"], is_staff=True) if shown["assignee"] else None,
        organisation=shown["organisation"] or None,
        labels=labels_of(raw.get(columns.labels)) if columns.labels else frozenset(),
        custom={name: field_value(field, raw.get(field.id), times) for name, field in settings.fields.items()},
        links=(ExternalLink(shown["link"]),) if shown["link"] else (),
        native={name: shown[name] for name in ("status", "priority", "category", "team") if shown[name]},
        created=times.utc(shown["created"]),
        updated=times.utc(shown["updated"]),
    )


def record_url(settings: AgiloftSettings, record_id: str) -> str:
    """Where people see a record."""
    return settings.record_url.format(url=settings.url, kb=settings.kb, table=settings.table, id=record_id)


def _requester(shown: Mapping[str, str]) -> Person | None:
    name, email = shown["requester"], shown["requester_email"]
    return Person(email or name, name or email, email or None, is_staff=False) if name or email else None
