"""Jira's words <-> neutral words, and issues as Jira's REST version 2 shows them.

Source: Atlassian's OpenAPI document of Jira Cloud; Data Center where it differs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hub.parts.custom_values import native_word, native_words, neutral_word, neutral_words, number
from hub.settings.trackers import CustomField
from hub.text import from_wiki
from hub.ticket import Attachment, Comment, CustomValue, Markdown, Person, Ticket, Visibility
from plugins.jira.settings import JiraSettings

STATUSES = {
    "open": ["To Do", "Open", "Reopened", "Backlog", "Selected for Development"],
    "new": ["New", "To Do"],
    "in_progress": ["In Progress", "In Review", "Work in progress"],
    "pending": ["Waiting for customer", "Pending"],
    "on_hold": ["Blocked", "On Hold", "Waiting for support"],
    "solved": ["Done", "Resolved", "Won't Do"],
    "closed": ["Closed"],
}
PRIORITIES = {
    "lowest": ["Lowest", "Trivial"],
    "low": ["Low", "Minor"],
    "normal": ["Medium", "Normal", "Major"],
    "high": ["High", "Critical"],
    "urgent": ["Highest", "Blocker", "Urgent"],
}
CATEGORIES = {
    "bug": ["Bug"],
    "incident": ["Incident", "[System] Incident"],
    "problem": ["Problem", "[System] Problem"],
    "service_request": ["Service Request", "[System] Service request", "Task"],
    "change_request": ["Change", "[System] Change", "Story", "Improvement", "New Feature"],
}
ORIGIN = "ticket-hub.origin"
"""Property by which the hub finds again what it wrote; people do not see it."""
INTERNAL = "sd.public.comment"
READ_FIELDS = (
    "summary,description,status,priority,issuetype,labels,assignee,reporter,created,updated,resolution,project,"
    "comment,attachment"
)
_REFERENCE = re.compile(r"\[\^([^\]\n]+)\]|!([^!|\n]+\.\w{2,5})(?:\|[^!\n]*)?!")


def utc(text: str | None) -> datetime | None:
    """A time of Jira's (`2026-03-01T10:05:12.345+0000`)."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def person(raw: Mapping[str, Any] | None) -> Person | None:
    """A user of Cloud (`accountId`) or Data Center (`name`, `key`)."""
    if not raw:
        return None
    return Person(
        str(raw.get("accountId") or raw.get("name") or raw.get("key") or ""),
        raw.get("displayName") or "",
        raw.get("emailAddress") or None,
    )


def field_value(field: CustomField, value: Any) -> CustomValue:
    """A custom field's neutral value."""
    if value is None or value == []:
        return None

    def word(one: Any) -> Any:
        return (one.get("value") or one.get("name") or "") if isinstance(one, dict) else one

    match field.type:
        case "multiselect":
            return neutral_words(field, map(word, value))
        case "checkbox":
            return bool(value)
        case "number":
            return number(value)
        case "date":
            return datetime.fromisoformat(str(value)[:10]).replace(tzinfo=UTC)
        case _:
            return neutral_word(field, word(value))


def native_value(field: CustomField, value: object) -> Any:
    """A neutral value in the form that the field takes."""
    match value:
        case None:
            return None
        case tuple():
            return [{"value": word} for word in native_words(field, value)]
        case datetime() | date():
            return value.strftime("%Y-%m-%d")
        case bool() if field.type == "checkbox":
            return [{"value": field.values.get("yes", "Yes")}] if value else None
        case _ if field.type == "select":
            return {"value": native_word(field, value)}
        case _:
            return field.values.get(str(value), value)


def ticket(settings: JiraSettings, maps: Any, raw: Mapping[str, Any], field_ids: Mapping[str, str]) -> Ticket:
    """A neutral ticket. `field_ids` are the ids of the configured custom fields by neutral name."""
    fields = raw["fields"]
    native = {
        name: str(fields[name]["name"])
        for name in ("status", "priority", "issuetype", "resolution")
        if fields.get(name)
    }
    description = fields.get("description")
    return Ticket(
        id=str(raw["id"]),
        key=str(raw["key"]),
        url=f"{settings.url}/browse/{raw['key']}",
        title=fields.get("summary") or "",
        description=from_wiki(description or "", mention=None) if isinstance(description, str | None) else Markdown(""),
        status=maps.statuses.to_neutral(native.get("status")),
        priority=maps.priorities.to_neutral(native.get("priority")),
        category=maps.categories.to_neutral(native.get("issuetype")),
        requester=person(fields.get("reporter")),
        assignee=person(fields.get("assignee")),
        labels=frozenset(fields.get("labels") or ()),
        custom={
            name: field_value(field, fields.get(field_ids.get(name, field.id)))
            for name, field in settings.fields.items()
        },
        native=native,
        created=utc(fields.get("created")),
        updated=utc(fields.get("updated")),
    )


def visibility(settings: JiraSettings, raw: Mapping[str, Any], project_type: str) -> Visibility:
    """Who may read a comment.

    A restriction to a role or group is private everywhere. `jsdPublic` counts in service desks only: Cloud shows it
    as true on every comment of software projects too, where no customer is meant.
    """
    if raw.get("visibility"):
        return Visibility.PRIVATE
    if project_type == "service_desk":
        public = raw.get("jsdPublic")
        return Visibility.UNKNOWN if public is None else Visibility.PUBLIC if public else Visibility.PRIVATE
    return Visibility.PUBLIC if settings.plain_comments == "public" else Visibility.PRIVATE


def comments(
    settings: JiraSettings, raws: Sequence[Mapping[str, Any]], files: Sequence[Attachment], project_type: str
) -> tuple[Comment, ...]:
    """The comments in the order they were written, each with the files that its text refers to."""
    names = {p.id: p.name for p in (person(r.get("author")) for r in raws) if p and p.name}
    made = []
    for raw in raws:
        created = utc(raw["created"]) or datetime.min.replace(tzinfo=UTC)
        made.append(
            Comment(
                id=str(raw["id"]),
                author=person(raw.get("author")) or Person(),
                text=from_wiki(raw.get("body") or "", mention=names.get),
                visibility=visibility(settings, raw, project_type),
                created=created,
                updated=utc(raw.get("updated")),
                attachments=_files_of(raw.get("body") or "", created, files),
                marker=marker_of(raw.get("properties") or ()),
            )
        )
    return tuple(sorted(made, key=lambda c: (c.created, int(c.id))))


def marker_of(properties: Sequence[Mapping[str, Any]]) -> str | None:
    """The hub's stamp among a comment's properties."""
    for one in properties:
        if one.get("key") == ORIGIN:
            return str((one.get("value") or {}).get("marker") or "") or None
    return None


def attachment(raw: Mapping[str, Any]) -> Attachment:
    """A file of an issue."""
    return Attachment(
        id=str(raw["id"]),
        name=raw["filename"],
        url=raw.get("content") or "",
        size=raw.get("size"),
        content_type=raw.get("mimeType") or "application/octet-stream",
        author=person(raw.get("author")) or Person(),
        created=utc(raw.get("created")),
    )


def referred(body: str) -> list[str]:
    """Names of the files that a wiki text refers to."""
    return [link or image for link, image in _REFERENCE.findall(body)]


def _files_of(body: str, written: datetime, files: Sequence[Attachment]) -> tuple[Attachment, ...]:
    found = []
    for name in dict.fromkeys(referred(body)):
        # Of several files with one name the text means the newest that was there when it was written.
        known = [f for f in files if f.name == name and (f.created or written) <= written + timedelta(minutes=1)]
        if known:
            found.append(max(known, key=lambda f: f.created or written))
    return tuple(found)
