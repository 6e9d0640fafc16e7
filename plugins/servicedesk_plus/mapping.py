"""ServiceDesk Plus's words <-> neutral words, its JSON -> the neutral model. Pure.

References are objects with `id` and `name`; names can be renamed and translated, statuses keep an `internal_name`.
Sources: sdpod-v3-api and sdpop-v3-api, "Request", "Request Note"; trackers' notes, sections 2 and 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from hub.connector import Connector
from hub.parts.stamps import unstamped
from hub.text import from_html
from hub.ticket import Attachment, Channel, Comment, Person, Status, Ticket, Visibility
from plugins.servicedesk_plus.fields import field_value, moment, raw_value
from plugins.servicedesk_plus.settings import TAGS, ServiceDeskPlusSettings
from plugins.servicedesk_plus.texts import one_line, parted

STATUSES = {
    "open": ["Open"],
    "new": ["Open"],
    "in_progress": ["In Progress", "Assigned", "InProgress"],
    "on_hold": ["On Hold", "Onhold"],
    "pending": ["On Hold"],
    "solved": ["Resolved"],
    "closed": ["Closed", "Cancelled", "Canceled"],
}
PRIORITIES = {
    "low": ["Low"],
    "lowest": ["Low"],
    "normal": ["Normal", "Medium"],
    "high": ["High"],
    "urgent": ["High", "Urgent"],
}
CATEGORIES = {
    "incident": ["Incident"],
    "bug": ["Incident"],
    "problem": ["Incident"],
    "service_request": ["Request For Information", "Service Request"],
}
CHANNELS = {
    "e-mail": Channel.EMAIL,
    "email": Channel.EMAIL,
    "web form": Channel.WEB,
    "self service portal": Channel.WEB,
    "phone call": Channel.PHONE,
    "phone": Channel.PHONE,
    "chat": Channel.CHAT,
    "api": Channel.API,
}
NOTE, MAIL = "note", "mail"
"""What a comment is, before its number: notes and mails are numbered apart."""
SHOWN_TYPES = ("reply", "reqreply")
"""Types of mails between requester and technicians; there are others, which go to third parties."""


def name_of(reference: Any) -> str:
    """The name of a reference, empty where there is none."""
    return str(reference.get("name") or "") if isinstance(reference, dict) else ""


def status_of(maps: Connector, reference: Any) -> Status:
    """By the name that people see, else by the internal one, which stays when a status is renamed."""
    seen = maps.statuses.to_neutral(name_of(reference))
    if seen is Status.UNKNOWN and isinstance(reference, dict):
        return maps.statuses.to_neutral(reference.get("internal_name"))
    return seen


def person(raw: Any) -> Person:
    """A user or technician."""
    if not isinstance(raw, dict) or not raw.get("id"):
        return Person()
    staff = raw.get("is_technician")
    return Person(str(raw["id"]), str(raw.get("name") or ""), raw.get("email_id") or None, staff)


def key_of(raw: Mapping[str, Any]) -> str:
    """What people call a request; in the cloud that is not its id."""
    return f"#{raw.get('display_id') or raw['id']}"


def url_of(settings: ServiceDeskPlusSettings, raw: Mapping[str, Any]) -> str:
    """Where people look at a request."""
    if settings.is_cloud:
        return f"{settings.url}{settings.app}/ui/requests/{raw['id']}/details"
    return f"{settings.url}{settings.app}/WorkOrder.do?woMode=viewWO&woID={raw['id']}"


def labels_of(settings: ServiceDeskPlusSettings, raw: Mapping[str, Any]) -> frozenset[str] | None:
    """The labels; None where the request does not show the field that holds them."""
    if settings.labels_field == TAGS:
        tags = raw.get(TAGS, ())
        return None if TAGS not in raw else frozenset(name_of(t) if isinstance(t, dict) else str(t) for t in tags or ())
    udf = raw.get("udf_fields")
    if not settings.labels_field or not isinstance(udf, dict):
        return None
    return parted(udf.get(settings.labels_field))


def ticket(settings: ServiceDeskPlusSettings, maps: Connector, raw: Mapping[str, Any]) -> Ticket:
    """A neutral ticket. `maps` is the connector, for its tables."""
    native = {k: name_of(raw.get(k)) for k in ("status", "priority", "request_type")}
    technician = raw.get("technician")
    group = name_of(raw.get("group"))
    return Ticket(
        id=str(raw["id"]),
        key=key_of(raw),
        url=url_of(settings, raw),
        title=one_line(raw.get("subject") or ""),
        description=from_html(raw.get("description") or "", images=_images(raw)),
        status=status_of(maps, raw.get("status")),
        priority=maps.priorities.to_neutral(native["priority"]),
        category=maps.categories.to_neutral(native["request_type"]),
        channel=CHANNELS.get(name_of(raw.get("mode")).casefold(), Channel.UNKNOWN),
        line=maps.line_of(group) if group else None,
        requester=person(raw.get("requester")) if raw.get("requester") else None,
        # A technician's object does not always say that it is one.
        assignee=person({"is_technician": True, **technician}) if isinstance(technician, dict) else None,
        organisation=name_of(raw.get("account")) or name_of(raw.get("department")) or None,
        labels=labels_of(settings, raw) or frozenset(),
        custom={name: field_value(field, raw_value(raw, field)) for name, field in settings.fields.items()},
        native={k: v for k, v in native.items() if v},
        created=moment(raw.get("created_time")),
        updated=moment(raw.get("last_updated_time")) or moment(raw.get("created_time")),
    )


def note(raw: Mapping[str, Any], own: frozenset[str], base: str) -> Comment:
    """A note as a comment; one that does not say who may read it is unknown. `own` are the hub's account ids."""
    shown = raw.get("show_to_requester")
    visibility = Visibility.UNKNOWN if shown is None else Visibility.PUBLIC if _truth(shown) else Visibility.PRIVATE
    author = raw.get("created_by") or raw.get("added_by")
    changed = moment(raw.get("last_updated_time"))
    created = moment(raw.get("created_time") or raw.get("added_time")) or changed
    return _comment(NOTE, raw, author, visibility, created, changed, own, base)


def mail(row: Mapping[str, Any], body: Mapping[str, Any], own: frozenset[str], base: str) -> Comment:
    """A mail of the conversation, from its row in the list and its content."""
    author = row.get("created_by") or body.get("created_by") or row.get("from")
    shown = row.get("show_to_requester", body.get("show_to_requester"))
    kind = str(row.get("type") or body.get("type") or "").casefold()
    by_requester = isinstance(author, dict) and author.get("is_technician") is False
    if shown is not None:
        visibility = Visibility.PUBLIC if _truth(shown) else Visibility.PRIVATE
    else:
        visibility = Visibility.PUBLIC if kind in SHOWN_TYPES or by_requester else Visibility.UNKNOWN
    created = moment(row.get("created_time") or row.get("sent_time") or body.get("created_time"))
    return _comment(MAIL, {**body, "id": row["id"]}, author, visibility, created, None, own, base)


def attachments(raw: Mapping[str, Any], author: Person, base: str) -> tuple[Attachment, ...]:
    """The files of a request, note or mail. `base` is the address of its `attachments`."""
    return tuple(
        Attachment(
            id=str(a["id"]),
            name=str(a.get("name") or a.get("file_name") or a["id"]),
            url=address(base, a.get("content_url") or f"/attachments/{a['id']}/download"),
            size=_size(a.get("size")),
            content_type=a.get("content_type") or "application/octet-stream",
            author=person(a["attached_by"]) if isinstance(a.get("attached_by"), dict) else author,
            created=moment(a.get("attached_on")),
        )
        for a in raw.get("attachments") or ()
        if isinstance(a, dict) and a.get("id")
    )


def address(base: str, content_url: str) -> str:
    """The whole address of a `content_url`: it is whole, or begins at the server's root, or is one of ours."""
    if content_url.startswith(("http://", "https://")):
        return content_url
    if content_url.startswith("/attachments/"):
        return base + content_url
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}/{content_url.lstrip('/')}"


def _comment(
    kind: str,
    raw: Mapping[str, Any],
    author: Any,
    visibility: Visibility,
    created: datetime | None,
    changed: datetime | None,
    own: frozenset[str],
    base: str,
) -> Comment:
    who = person(author)
    body, marker = str(raw.get("description") or ""), None
    if who.id in own:
        # Only what the hub itself wrote: replies quote the mark.
        body, marker = unstamped(body)
    at = created or datetime.min.replace(tzinfo=UTC)
    return Comment(
        id=f"{kind}-{raw['id']}",
        author=who,
        text=from_html(body, images=_images(raw)),
        visibility=visibility,
        created=at,
        updated=changed if changed and changed > at else None,
        attachments=attachments(raw, who, base),
        marker=marker,
    )


def _images(raw: Mapping[str, Any]) -> dict[str, str]:
    """Pictures in a text by their address, which is that of a file."""
    files = [a for a in raw.get("attachments") or () if isinstance(a, dict)]
    return {a["content_url"]: str(a.get("name")) for a in files if a.get("content_url") and a.get("name")}


def _size(value: Any) -> int | None:
    number = value.get("value") if isinstance(value, dict) else value
    return int(str(number)) if str(number).isdigit() else None


def _truth(value: Any) -> bool:
    return str(value).casefold() == "true"
