"""MantisBT's words <-> neutral words. Pure.

Sources: recorded exchanges get.full, get.history, create.full; Administration Guide, "Custom Fields". Times carry the
offset of the account that reads them and have whole seconds. Dates of custom fields are Unix seconds of midnight in
the zone of whoever wrote them, so the nearest midnight of the hub's own zone is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.connector import Connector
from hub.parts.custom_values import native_word, native_words, neutral_word, neutral_words, number_or_text
from hub.settings.trackers import CustomField
from hub.ticket import Attachment, Comment, CustomValue, Person, Ticket, Visibility
from plugins.mantis import texts
from plugins.mantis.settings import MantisSettings

# An issue that people open again becomes `feedback` with the resolution `reopened`: nobody waits for the customer then.
STATUSES = {
    "new": ["new"],
    "open": ["acknowledged", "confirmed", "feedback/reopened"],
    "in_progress": ["assigned"],
    "pending": ["feedback"],
    "on_hold": ["feedback"],
    "solved": ["resolved"],
    "closed": ["closed"],
}
PRIORITIES = {
    "low": ["low"],
    "lowest": ["low", "none"],
    "normal": ["normal"],
    "high": ["high"],
    "urgent": ["urgent", "immediate"],
}
PUBLIC, PRIVATE = 10, 50
VIEW_STATES = {PUBLIC: Visibility.PUBLIC, PRIVATE: Visibility.PRIVATE}
STAFF_LEVEL = 55
BUILT_IN = ("severity", "reproducibility")
"""Enumerations that every issue has; named under `fields` they are synchronised like custom fields."""
HALF_A_DAY = timedelta(hours=12)


def utc(text: str | None) -> datetime | None:
    """A time of MantisBT's (ISO 8601 with an offset)."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def zone(name: object) -> tzinfo:
    """The account's time zone, UTC where the system does not know its name."""
    try:
        return ZoneInfo(str(name or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def person(raw: Mapping[str, Any] | None) -> Person | None:
    """Somebody; address and real name are shown only to those with the right."""
    if not raw or not raw.get("id"):
        return None
    return Person(str(raw["id"]), str(raw.get("real_name") or raw.get("name") or ""), raw.get("email"))


def visibility(raw: Mapping[str, Any] | None) -> Visibility:
    """Who may read it; by number, because names can be changed."""
    return VIEW_STATES.get(int((raw or {}).get("id") or 0), Visibility.UNKNOWN)


def view_state(value: Visibility) -> dict[str, int]:
    """The form in which a visibility is written; what is not public in as many words is private."""
    return {"id": PUBLIC if value.is_public else PRIVATE}


def status_word(maps: Connector, raw: Mapping[str, Any]) -> str:
    """The word for an issue's status: with its resolution (`resolved/won't fix`) where the settings name that."""
    status, resolution = word(raw.get("status")), word(raw.get("resolution"))
    both = f"{status}/{resolution}"
    return both if both.casefold() in maps.statuses.meaning else status


def word(raw: Mapping[str, Any] | None) -> str:
    """The name of an enumeration's value, which no language changes."""
    return str((raw or {}).get("name") or "")


def field_value(field: CustomField, value: Any, where: tzinfo) -> CustomValue:
    """A custom field's neutral value; all of them are texts to MantisBT, and empty is nothing."""
    text = str(value if value is not None else "").strip()
    if not text:
        return False if field.type == "checkbox" else None
    match field.type:
        case "multiselect":
            return neutral_words(field, filter(None, text.split("|")))
        case "checkbox":
            return True
        case "number":
            return number_or_text(text)
        case "date":
            if not text.lstrip("-").isdigit():
                return text
            nearest = (datetime.fromtimestamp(int(text), UTC) + HALF_A_DAY).astimezone(where)
            return datetime(nearest.year, nearest.month, nearest.day, tzinfo=UTC)
        case _:
            return neutral_word(field, text)


def native_value(settings: MantisSettings, field: CustomField, value: object, where: tzinfo) -> str:
    """A neutral value in the form that the field takes."""
    match value:
        case None | False:
            return ""
        case True:
            return field.values.get("true", "1")
        case tuple():
            return "|".join(native_words(field, value))
        case datetime():
            return str(int(datetime(value.year, value.month, value.day, tzinfo=where).timestamp()))
        case _:
            text = " ".join(native_word(field, value).split())
            return texts.kept(settings, text)[: texts.FIELD_LIMIT].rstrip()


def custom_values(settings: MantisSettings, raw: Mapping[str, Any], where: tzinfo) -> dict[str, CustomValue]:
    """The values of the configured fields; a field that the project does not have is nothing."""
    by_key: dict[str, Any] = {}
    for one in raw.get("custom_fields") or ():
        by_key[str(one["field"]["id"])] = by_key[str(one["field"]["name"])] = one.get("value")
    for name in BUILT_IN:
        by_key.setdefault(name, word(raw.get(name)))
    return {name: field_value(field, by_key.get(field.id), where) for name, field in settings.fields.items()}


def address(settings: MantisSettings, issue_id: object) -> str:
    """Where people see an issue."""
    return f"{settings.url}/view.php?id={issue_id}"


def ticket(settings: MantisSettings, maps: Connector, raw: Mapping[str, Any], where: tzinfo) -> Ticket:
    """A neutral ticket. `maps` is the connector, for its tables."""
    native = {name: word(raw.get(name)) for name in ("status", "resolution", "priority", "severity", "category")}
    return Ticket(
        id=str(raw["id"]),
        key=f"#{raw['id']}",
        url=address(settings, raw["id"]),
        title=texts.neutral_title(raw.get("summary")),
        description=texts.neutral_description(settings, raw.get("description")),
        status=maps.statuses.to_neutral(status_word(maps, raw)),
        priority=maps.priorities.to_neutral(native["priority"]),
        category=maps.categories.to_neutral(native["category"]),
        requester=person(raw.get("reporter")),
        assignee=person(raw.get("handler")),
        labels=frozenset(str(tag["name"]) for tag in raw.get("tags") or ()),
        custom=custom_values(settings, raw, where),
        native={name: told for name, told in native.items() if told}
        | {"project": str((raw.get("project") or {}).get("id") or "")},
        created=utc(raw.get("created_at")),
        updated=utc(raw.get("updated_at")),
    )


def comments(settings: MantisSettings, raw: Mapping[str, Any], own_id: str) -> tuple[Comment, ...]:
    """An issue's notes in the order in which they were written.

    In an issue that people made private every note is: none of them was written for more than those who see it.
    """
    by_people = not visibility(raw.get("view_state")).is_public and settings.view_state != "private"
    found = [_comment(settings, note, str(raw["id"]), own_id) for note in raw.get("notes") or ()]
    if by_people:
        found = [replace(c, visibility=Visibility.PRIVATE) if c.visibility.is_public else c for c in found]
    return tuple(sorted(found, key=lambda c: (c.created, int(c.id))))


def _comment(settings: MantisSettings, raw: Mapping[str, Any], issue_id: str, own_id: str) -> Comment:
    """A neutral comment. A mark counts only in a note of the hub's own account: anybody can write one."""
    author = person(raw.get("reporter")) or Person()
    text, mark = texts.unmarked(raw.get("text")) if author.id == own_id else (raw.get("text"), None)
    return Comment(
        id=str(raw["id"]),
        author=author,
        text=texts.neutral_text(settings, text),
        visibility=visibility(raw.get("view_state")),
        created=utc(raw["created_at"]) or datetime.min.replace(tzinfo=UTC),
        updated=utc(raw.get("updated_at")),
        attachments=attachments(settings, raw, issue_id),
        marker=mark,
    )


def attachments(settings: MantisSettings, raw: Mapping[str, Any], issue_id: str) -> tuple[Attachment, ...]:
    """The files that hang on an issue itself, or on a note."""
    return tuple(attachment(settings, file, issue_id) for file in raw.get("attachments") or ())


def attachment(settings: MantisSettings, raw: Mapping[str, Any], issue_id: str) -> Attachment:
    """A neutral attachment; MantisBT keeps names with folders in them as they came."""
    return Attachment(
        id=str(raw["id"]),
        name=texts.file_name(settings, str(raw.get("filename") or "")),
        url=f"{settings.url}/api/rest/issues/{issue_id}/files/{raw['id']}",
        size=raw.get("size"),
        content_type=str(raw.get("content_type") or "application/octet-stream").partition(";")[0],
        author=person(raw.get("reporter")) or Person(),
        created=utc(raw.get("created_at")),
    )
