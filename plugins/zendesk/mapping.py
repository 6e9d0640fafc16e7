"""Zendesk's words <-> neutral words.

Source: the vendor's OpenAPI document "Support API" 2.0.0; dropdown values and checkboxes are tags as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hub.parts.custom_values import field_value
from hub.text import from_html, from_plain
from hub.ticket import (
    Attachment,
    Channel,
    Comment,
    ExternalLink,
    Markdown,
    Person,
    Ticket,
    Visibility,
)
from plugins.zendesk.settings import ZendeskSettings

STATUSES = {
    "open": ["open"],
    "new": ["new"],
    "in_progress": ["open"],
    "pending": ["pending"],
    "on_hold": ["hold"],
    "solved": ["solved"],
    "closed": ["closed"],
}
PRIORITIES = {"low": ["low"], "lowest": ["low"], "normal": ["normal"], "high": ["high"], "urgent": ["urgent"]}
CATEGORIES = {
    "incident": ["incident"],
    "bug": ["incident"],
    "problem": ["problem"],
    "service_request": ["question"],
    "change_request": ["task"],
}
CHANNELS = {
    "email": Channel.EMAIL,
    "web": Channel.WEB,
    "mobile": Channel.WEB,
    "mobile_sdk": Channel.WEB,
    "help_center": Channel.WEB,
    "voice": Channel.PHONE,
    "phone": Channel.PHONE,
    "chat": Channel.CHAT,
    "native_messaging": Channel.CHAT,
    "messaging": Channel.CHAT,
    "answer_bot_for_web_widget": Channel.CHATBOT,
    "twitter": Channel.SOCIAL,
    "facebook": Channel.SOCIAL,
    "whatsapp": Channel.SOCIAL,
    "instagram_dm": Channel.SOCIAL,
    "api": Channel.API,
    "web_service": Channel.API,
}
MARKER = "hub_marker"
"""Key of the hub's stamp in a ticket's audit metadata; people do not see it."""


def utc(text: str | None) -> datetime | None:
    """A time of Zendesk's (ISO 8601, UTC)."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


class Sideloads:
    """People, groups and organisations that came along with an answer."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.users = {u["id"]: u for u in answer.get("users", ())}
        self.groups = {g["id"]: g["name"] for g in answer.get("groups", ())}
        self.organizations = {o["id"]: o["name"] for o in answer.get("organizations", ())}

    def person(self, user_id: int | None) -> Person | None:
        """Somebody by id; only the id where nothing else came along."""
        if not user_id or user_id < 0:
            return None
        found = self.users.get(user_id)
        if found is None:
            return Person(str(user_id))
        return Person(
            str(user_id),
            found["name"] or "",
            found.get("email"),
            found.get("role") in ("agent", "admin"),
            (found.get("locale") or "").lower() or None,
        )


def tags_of_fields(settings: ZendeskSettings, custom: Mapping[str, Any]) -> set[str]:
    """The tags that are nothing but the values of configured fields; as labels they would fight with the field."""
    tags: set[str] = set()
    for field in settings.fields.values():
        value = custom.get(field.id)
        if field.type == "select" and value:
            tags.add(str(value))
        elif field.type == "multiselect":
            tags |= {str(v) for v in value or ()}
    return tags


def ticket(settings: ZendeskSettings, maps: Any, raw: Mapping[str, Any], people: Sideloads) -> Ticket:
    """A neutral ticket. `maps` is the connector, for its tables; the description comes with the comments."""
    custom = {str(f["id"]): f["value"] for f in raw.get("custom_fields") or ()}
    group = people.groups.get(raw.get("group_id"))
    own_tags = tags_of_fields(settings, custom)
    return Ticket(
        id=str(raw["id"]),
        key=f"#{raw['id']}",
        url=f"{settings.url}/agent/tickets/{raw['id']}",
        title=" ".join((raw.get("raw_subject") or raw.get("subject") or "").split()),
        description=None,
        status=maps.statuses.to_neutral(raw.get("status")),
        priority=maps.priorities.to_neutral(raw.get("priority")),
        category=maps.categories.to_neutral(raw.get("type")),
        channel=CHANNELS.get((raw.get("via") or {}).get("channel", ""), Channel.UNKNOWN),
        line=maps.line_of(group) if group else None,
        requester=people.person(raw.get("requester_id")),
        assignee=people.person(raw.get("assignee_id")),
        organisation=people.organizations.get(raw.get("organization_id")),
        labels=frozenset(t for t in raw.get("tags") or () if t not in own_tags),
        custom={name: field_value(field, custom.get(field.id)) for name, field in settings.fields.items()},
        links=(ExternalLink("", global_id=raw["external_id"]),) if raw.get("external_id") else (),
        native={k: str(raw[k]) for k in ("status", "priority", "type") if raw.get(k)},
        rating=rating_of(raw.get("satisfaction_rating")),
        created=utc(raw.get("created_at")),
        updated=utc(raw.get("updated_at")),
    )


def rating_of(raw: Mapping[str, Any] | None) -> str | None:
    """`good` or `bad`; None where nobody was asked or answered. Source: scores `offered`, `unoffered`, `good`, `bad`,
    the last two also with `_with_comment` after them."""
    score = str((raw or {}).get("score") or "")
    return next((word for word in ("good", "bad") if score.startswith(word)), None)


def comment(raw: Mapping[str, Any], people: Sideloads) -> Comment:
    """A neutral comment; a visibility that is not told is unknown."""
    public = raw.get("public")
    files = attachments(raw, people)
    return Comment(
        id=str(raw["id"]),
        author=people.person(raw.get("author_id")) or Person(),
        text=text_of(raw),
        visibility=Visibility.UNKNOWN if public is None else Visibility.PUBLIC if public else Visibility.PRIVATE,
        created=utc(raw["created_at"]) or datetime.min.replace(tzinfo=UTC),
        attachments=files,
        marker=((raw.get("metadata") or {}).get("custom") or {}).get(MARKER),
    )


def text_of(raw: Mapping[str, Any]) -> Markdown:
    """A comment's text; its pictures refer to its files."""
    images = {a["content_url"]: a["file_name"] for a in raw.get("attachments") or ()}
    if raw.get("html_body"):
        return from_html(raw["html_body"], images=images)
    return from_plain(raw.get("plain_body") or raw.get("body") or "")


def attachments(raw: Mapping[str, Any], people: Sideloads) -> tuple[Attachment, ...]:
    """The files of a comment that are still there and hold nothing bad."""
    return tuple(
        Attachment(
            id=str(a["id"]),
            name=a["file_name"],
            url=a["content_url"],
            size=a.get("size"),
            content_type=a.get("content_type") or "application/octet-stream",
            author=people.person(raw.get("author_id")) or Person(),
            created=utc(raw.get("created_at")),
        )
        for a in raw.get("attachments") or ()
        if not a.get("deleted") and a.get("malware_scan_result") != "malware_found"
    )
