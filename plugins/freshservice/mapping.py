"""Freshservice's words <-> neutral words, its JSON -> the neutral model. Pure.

Source: api.freshservice.com, "Ticket attributes", "Conversations", "Changes"; answers in the test data of Cortex
XSOAR's integration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hub.parts import stamps
from hub.parts.custom_values import field_value
from hub.parts.numbered import word_of
from hub.text import canonical, defuse, from_html, from_plain, to_html
from hub.ticket import Attachment, Channel, Comment, Markdown, Person, Status, Ticket, Visibility
from plugins.freshservice.modules import CHANGES, Module, id_of, key_of, type_of
from plugins.freshservice.settings import FreshserviceSettings
from plugins.freshservice.words import CHANGE_STATUSES, PRIORITY_WORDS, STATUS_WORDS

STATUSES = {
    "open": ["Open"],
    "new": ["Open"],
    "in_progress": ["Open"],
    "pending": ["Pending"],
    "on_hold": ["Pending"],
    "solved": ["Resolved"],
    "closed": ["Closed"],
}
PRIORITIES = {"low": ["Low"], "lowest": ["Low"], "normal": ["Medium"], "high": ["High"], "urgent": ["Urgent"]}
CATEGORIES = {
    "incident": ["Incident"],
    "bug": ["Incident"],
    "problem": ["Incident"],
    "service_request": ["Service Request", "Request"],
    "change_request": ["Change"],
}
WRITABLE_TYPE = "Incident"
"""Service requests come from the catalogue and changes from their own form; a type is never changed."""
CHANNELS = {
    1: Channel.EMAIL,
    2: Channel.WEB,
    3: Channel.PHONE,
    4: Channel.CHAT,
    5: Channel.WEB,
    6: Channel.CHAT,
    7: Channel.MONITORING,
    8: Channel.MONITORING,
    10: Channel.CHAT,
    11: Channel.CHATBOT,
    12: Channel.CHAT,
    13: Channel.WEB,
    14: Channel.MONITORING,
    15: Channel.CHAT,
    18: Channel.WEB,
}
TITLE_LIMIT = 255
TAG_LIMIT = 32
NOTHING = "<p>-</p>"
"""What is written for an empty text, which Freshservice refuses."""

FindPerson = Callable[[Any, bool | None], Person]
"""Who an account id is; the second argument says whether it is known to be an agent."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a ticket shows as numbers only."""

    requester: Person | None = None
    assignee: Person | None = None
    line: int | None = None
    organisation: str | None = None


def utc(text: str | None) -> datetime | None:
    """A time of Freshservice's: ISO 8601 with seconds, UTC or with an offset."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def one_line(text: str) -> str:
    """A subject as the hub compares it."""
    return " ".join(text.split())[:TITLE_LIMIT].rstrip()


def text_to_html(text: Markdown) -> str:
    """A text as it is written, never empty."""
    return to_html(canonical(defuse(text))) or NOTHING


def ticket(settings: FreshserviceSettings, maps: Any, module: Module, raw: Mapping[str, Any], names: Names) -> Ticket:
    """A neutral ticket of an incident, a service request or a change. `maps` is the connector, for its tables."""
    status, meaning = _status(maps, module, raw.get("status"))
    priority = word_of(PRIORITY_WORDS, raw.get("priority"))
    kind = type_of(module, raw)
    custom = raw.get("custom_fields") or {}
    return Ticket(
        id=id_of(module, raw["id"]),
        key=key_of(kind, raw["id"]),
        url=f"{settings.url}/a{module.path_of(raw['id'])}",
        title=one_line(raw.get("subject") or ""),
        description=_text(raw, "description"),
        status=meaning,
        priority=maps.priorities.to_neutral(priority),
        category=maps.categories.to_neutral(kind),
        channel=CHANNELS.get(raw.get("source") or 0, Channel.UNKNOWN),
        line=names.line,
        requester=names.requester,
        assignee=names.assignee,
        organisation=names.organisation,
        labels=frozenset(tag for tag in raw.get("tags") or () if not stamps.is_long_mark(tag)),
        custom={name: field_value(field, custom.get(field.id)) for name, field in settings.fields.items()},
        native={k: v for k, v in (("status", status), ("priority", priority), ("type", kind)) if v},
        created=utc(raw.get("created_at")),
        updated=utc(raw.get("updated_at")),
    )


def comment(raw: Mapping[str, Any], module: Module, who: FindPerson, own_account: str) -> Comment:
    """A neutral comment; a ticket's whose visibility is not told is unknown, notes of changes are for agents only.

    A stamp counts only where the hub's own account wrote: replies by mail quote it.
    """
    body, marker = raw.get("body") or "", None
    if str(raw.get("user_id")) == own_account:
        body, marker = stamps.unstamped(body)
    incoming = raw.get("incoming")
    author = who(raw.get("user_id"), None if incoming is None else not incoming)
    created, updated = utc(raw["created_at"]), utc(raw.get("updated_at"))
    return Comment(
        id=str(raw["id"]),
        author=author,
        text=_text({**raw, "body": body}, "body"),
        visibility=visibility(raw, module),
        created=created or datetime.min.replace(tzinfo=UTC),
        updated=updated if updated != created else None,
        attachments=attachments(raw, author),
        marker=marker,
    )


def visibility(raw: Mapping[str, Any], module: Module) -> Visibility:
    """Who may read a comment."""
    private = True if module is CHANGES else raw.get("private")
    return Visibility.UNKNOWN if private is None else Visibility.PRIVATE if private else Visibility.PUBLIC


def attachments(raw: Mapping[str, Any], author: Person) -> tuple[Attachment, ...]:
    """The files of a ticket or comment; their addresses are signed and end soon."""
    return tuple(
        Attachment(
            id=str(a["id"]),
            name=a["name"],
            url=a.get("attachment_url") or "",
            size=a.get("size"),
            content_type=a.get("content_type") or "application/octet-stream",
            author=author,
            created=utc(a.get("created_at")),
        )
        for a in raw.get("attachments") or ()
    )


def _status(maps: Any, module: Module, code: Any) -> tuple[str, Status]:
    if module is CHANGES:
        return CHANGE_STATUSES.get(code, (str(code), Status.UNKNOWN))
    word = word_of(STATUS_WORDS, code)
    return word, maps.statuses.to_neutral(word)


def _text(raw: Mapping[str, Any], key: str) -> Markdown:
    images = {a["attachment_url"]: a["name"] for a in raw.get("attachments") or () if a.get("attachment_url")}
    if raw.get(key):
        return from_html(raw[key], images=images)
    return from_plain(raw.get(f"{key}_text") or "")
