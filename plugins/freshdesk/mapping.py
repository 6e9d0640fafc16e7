"""Freshdesk's words <-> neutral words, its JSON -> the neutral model. Pure.

Source: developers.freshdesk.com, "Tickets" and "Conversations"; samples of python-freshdesk's tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hub.parts import stamps
from hub.parts.custom_values import field_value
from hub.parts.numbered import word_of
from hub.parts.stamps import tag_of
from hub.text import canonical, defuse, from_html, from_plain, to_html
from hub.ticket import (
    Attachment,
    Channel,
    Comment,
    Markdown,
    Person,
    Ticket,
    Visibility,
)
from plugins.freshdesk.settings import FreshdeskSettings
from plugins.freshdesk.words import PRIORITY_WORDS, STATUS_WORDS

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
NEUTRAL = 100
"""An answer to a satisfaction survey that is neither happy nor unhappy."""
TITLE_LIMIT = 255
TAG_LIMIT = 32
NOTHING = "<p>-</p>"
"""What is written for an empty text, which Freshdesk refuses."""

FindPerson = Callable[[Any, bool | None], Person]
"""Who an account id is; the second argument says whether it is known to be an agent."""


def utc(text: str | None) -> datetime | None:
    """A time of Freshdesk's: ISO 8601 with seconds, UTC or with an offset."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def one_line(text: str) -> str:
    """A subject as the hub compares it."""
    return " ".join(text.split())[:TITLE_LIMIT].rstrip()


def tag(label: str) -> str:
    """A label in the form of a tag."""
    return tag_of(label, TAG_LIMIT)


def mark_tag(marker: str) -> str:
    """The tag that the hub finds its tickets by."""
    return stamps.mark_tag(marker, TAG_LIMIT)


def text_to_html(text: Markdown) -> str:
    """A text as it is written, never empty."""
    return to_html(canonical(defuse(text))) or NOTHING


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
        labels=frozenset(t for t in raw.get("tags") or () if not stamps.is_long_mark(t)),
        custom={name: field_value(field, custom.get(field.id)) for name, field in settings.fields.items()},
        native={k: v for k, v in (("status", status), ("priority", priority), ("type", category)) if v},
        created=utc(raw.get("created_at")),
        updated=utc(raw.get("updated_at")),
    )


def rating_of(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """`good` or `bad` by the latest answer; None without one, and where it is neutral.

    Source: developers.freshdesk.com, "Satisfaction Ratings": 103 to 101 are happy, 100 is neutral, -101 to
    -103 unhappy.
    """
    latest = max(rows, key=lambda row: str(row.get("created_at") or ""), default={})
    answer = (latest.get("ratings") or {}).get("default_question")
    if not isinstance(answer, int) or answer == NEUTRAL:
        return None
    return "good" if answer > NEUTRAL else "bad"


def comment(raw: Mapping[str, Any], who: FindPerson, own_account: str) -> Comment:
    """A neutral comment; a visibility that is not told is unknown.

    A stamp counts only where the hub's own account wrote: replies by mail quote it.
    """
    body, marker = raw.get("body") or "", None
    if str(raw.get("user_id")) == own_account:
        body, marker = stamps.unstamped(body)
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
