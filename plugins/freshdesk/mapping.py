"""Freshdesk's words <-> neutral words, its JSON -> the neutral model. Pure.

Source: developers.freshdesk.com, "Tickets" and "Conversations"; samples of python-freshdesk's tests.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote, unquote

from hub.settings.trackers import CustomField
from hub.text import canonical, defuse, from_html, from_plain, to_html
from hub.ticket import (
    Attachment,
    Channel,
    Comment,
    CustomValue,
    Markdown,
    Person,
    Ticket,
    Visibility,
)
from plugins.freshdesk.settings import FreshdeskSettings
from plugins.freshdesk.words import PRIORITY_WORDS, STATUS_WORDS, word_of

STATUSES = {
    "open": ["Open"],
    "new": ["Open"],
    "in_progress": ["Open"],
    "pending": ["Pending", "Waiting on Customer"],
    "on_hold": ["Waiting on Third Party"],
    "solved": ["Resolved"],
    "closed": ["Closed"],
}
PRIORITIES = {"low": ["Low"], "lowest": ["Low"], "normal": ["Medium"], "high": ["High"], "urgent": ["Urgent"]}
CATEGORIES = {
    "incident": ["Incident"],
    "bug": ["Incident"],
    "problem": ["Problem"],
    "service_request": ["Question"],
    "change_request": ["Feature Request"],
}
CHANNELS = {
    1: Channel.EMAIL,
    2: Channel.WEB,
    3: Channel.PHONE,
    5: Channel.SOCIAL,
    6: Channel.SOCIAL,
    7: Channel.CHAT,
    8: Channel.WEB,
    9: Channel.WEB,
    10: Channel.EMAIL,
    12: Channel.CHATBOT,
    13: Channel.SOCIAL,
}
TITLE_LIMIT = 255
TAG_LIMIT = 32
NOTHING = "<p>-</p>"
"""What is written for an empty text, which Freshdesk refuses."""

_MARK = re.compile(r"<(p|div)\b[^>]*>\s*\[ref ([^\]\s<]+)\]\s*</\1>(\s*(?:</\w+>\s*)*)$")
_LONG_MARK = re.compile(r"hub-[0-9a-f]{24}")

FindPerson = Callable[[Any, bool | None], Person]
"""Who an account id is; the second argument says whether it is known to be an agent."""


def utc(text: str | None) -> datetime | None:
    """A time of Freshdesk's: ISO 8601 with seconds, UTC or with an offset."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def one_line(text: str) -> str:
    """A subject as the hub compares it."""
    return " ".join(text.split())[:TITLE_LIMIT].rstrip()


def tag(label: str) -> str:
    """A label in the form of a tag: without commas, which part tags, and of limited length."""
    return " ".join(label.replace(",", " ").split())[:TAG_LIMIT].rstrip()


def mark_tag(marker: str) -> str:
    """The tag that the hub finds its tickets by: the marker, or its digest where it is too long for a tag."""
    if tag(marker) == marker:
        return marker
    return f"hub-{hashlib.sha256(marker.encode()).hexdigest()[:24]}"


def text_to_html(text: Markdown) -> str:
    """A text as it is written, never empty."""
    return to_html(canonical(defuse(text))) or NOTHING


def marked(body: str, marker: str) -> str:
    """The HTML with the hub's stamp after it: Freshdesk keeps nothing unseen beside a comment's text."""
    stamp = html.escape(quote(marker, safe=":"))
    return f'{body}<p style="font-size:9px;color:#b5b5b5">[ref {stamp}]</p>'


def unmarked(body: str) -> tuple[str, str | None]:
    """The HTML without the hub's stamp, and the stamp where there is one."""
    found = _MARK.search(body)
    if found is None:
        return body, None
    return body[: found.start()] + found.group(3), unquote(html.unescape(found.group(2)))


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
            number = float(value)
            return int(number) if number.is_integer() else number
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
            number = float(str(value))
            return int(number) if number.is_integer() else number
        case "date":
            day = value if isinstance(value, date) else datetime.fromisoformat(str(value))
            return day.strftime("%Y-%m-%d")
        case _:
            return field.values.get(str(value), str(value))


def ticket(
    settings: FreshdeskSettings, maps: Any, raw: Mapping[str, Any], *, assignee: Person | None, line: int | None
) -> Ticket:
    """A neutral ticket. `maps` is the connector, for its tables."""
    status = word_of(STATUS_WORDS, raw.get("status"))
    priority = word_of(PRIORITY_WORDS, raw.get("priority"))
    category = raw.get("type")
    custom = raw.get("custom_fields") or {}
    return Ticket(
        id=str(raw["id"]),
        key=f"#{raw['id']}",
        url=f"{settings.url}/a/tickets/{raw['id']}",
        title=one_line(raw.get("subject") or ""),
        description=_text(raw, "description"),
        status=maps.statuses.to_neutral(status),
        priority=maps.priorities.to_neutral(priority),
        category=maps.categories.to_neutral(category),
        channel=CHANNELS.get(raw.get("source") or 0, Channel.UNKNOWN),
        line=line,
        requester=_requester(raw),
        assignee=assignee,
        organisation=(raw.get("company") or {}).get("name"),
        labels=frozenset(t for t in raw.get("tags") or () if not _LONG_MARK.fullmatch(t)),
        custom={name: field_value(field, custom.get(field.id)) for name, field in settings.fields.items()},
        native={k: v for k, v in (("status", status), ("priority", priority), ("type", category)) if v},
        created=utc(raw.get("created_at")),
        updated=utc(raw.get("updated_at")),
    )


def comment(raw: Mapping[str, Any], who: FindPerson, own_account: str) -> Comment:
    """A neutral comment; a visibility that is not told is unknown.

    A stamp counts only where the hub's own account wrote: replies by mail quote it.
    """
    body, marker = raw.get("body") or "", None
    if str(raw.get("user_id")) == own_account:
        body, marker = unmarked(body)
    incoming = raw.get("incoming")
    author = who(raw.get("user_id"), None if incoming is None else not incoming)
    private = raw.get("private")
    return Comment(
        id=str(raw["id"]),
        author=author,
        text=_text({**raw, "body": body}, "body"),
        visibility=Visibility.UNKNOWN if private is None else Visibility.PRIVATE if private else Visibility.PUBLIC,
        created=utc(raw["created_at"]) or datetime.min.replace(tzinfo=UTC),
        updated=utc(raw.get("last_edited_at")),
        attachments=attachments(raw, author),
        marker=marker,
    )


def attachments(raw: Mapping[str, Any], author: Person) -> tuple[Attachment, ...]:
    """The files of a ticket or conversation; their addresses are signed and end soon."""
    return tuple(
        Attachment(
            id=str(a["id"]),
            name=a["name"],
            url=a.get("attachment_url") or "",
            size=a.get("size", a.get("file_size")),
            content_type=a.get("content_type") or "application/octet-stream",
            author=author,
            created=utc(a.get("created_at")),
        )
        for a in raw.get("attachments") or ()
    )


def _text(raw: Mapping[str, Any], key: str) -> Markdown:
    images = {a["attachment_url"]: a["name"] for a in raw.get("attachments") or () if a.get("attachment_url")}
    if raw.get(key):
        return from_html(raw[key], images=images)
    return from_plain(raw.get(f"{key}_text") or "")


def _requester(raw: Mapping[str, Any]) -> Person | None:
    person = raw.get("requester")
    if person:
        return Person(str(person["id"]), person.get("name") or "", person.get("email"))
    return Person(str(raw["requester_id"])) if raw.get("requester_id") else None
