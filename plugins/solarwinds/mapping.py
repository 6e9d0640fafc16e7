"""Service Desk's words <-> neutral words, its JSON -> the neutral model. Pure.

Names are the keys: states and priorities have no numbers, an account renames them at will. Sources: the vendor's API
documentation; shapes of live accounts as published by the project MCP-SWSD.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from hub.connector import Connector
from hub.text import canonical, defuse, from_html, from_plain, to_html
from hub.ticket import (
    Attachment,
    Category,
    Channel,
    Comment,
    ExternalLink,
    Markdown,
    Person,
    Ticket,
    Visibility,
)
from plugins.solarwinds import customs
from plugins.solarwinds.settings import SolarwindsSettings

STATUSES = {
    "new": ["New", "Pending Assignment"],
    "open": ["Assigned"],
    "in_progress": ["Assigned"],
    "pending": ["Awaiting Input"],
    "on_hold": ["On Hold", "Scheduled"],
    "solved": ["Resolved"],
    "closed": ["Closed"],
}
PRIORITIES = {"low": ["Low"], "lowest": ["Low"], "normal": ["Medium"], "high": ["High"], "urgent": ["Critical"]}
"""`None`, which nobody chose, means nothing: it is unknown and does not travel."""
CHANNELS = {
    "web": Channel.WEB,
    "email": Channel.EMAIL,
    "api": Channel.API,
    "phone": Channel.PHONE,
    "chat": Channel.CHAT,
}
LINKED = {"problem": "problem", "changes": "change", "releases": "release"}
"""Objects of other sorts that a ticket may hang on -> what they are called."""
TITLE_LIMIT = 255
TAG_LIMIT = 255
NOTHING = "<p>-</p>"
"""What is written for an empty text: a comment cannot be empty."""

_MARK = re.compile(r"<(p|div)\b[^>]*>\s*\[hub-ref ([^\]\s<]+)(?: \+(\d+))?\]\s*</\1>(\s*(?:</\w+>\s*)*)$")


@dataclass(frozen=True, slots=True)
class Marked:
    """A text without the hub's stamp, the stamp, and how many files belong to the comment that carries it."""

    body: str
    marker: str | None = None
    files: int = 0


def utc(text: str | None) -> datetime | None:
    """A time of Service Desk's: ISO 8601 with the account's own offset, e.g. `-04:00`."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def one_line(text: str) -> str:
    """A title as the hub compares it."""
    return " ".join(text.split())[:TITLE_LIMIT].rstrip()


def tag(label: str) -> str:
    """A label in the form of a tag: lists of tags are parted by commas and quoted by quotes."""
    return " ".join(re.sub(r"[,\"']", " ", label).split())[:TAG_LIMIT].rstrip()


def text_to_html(text: Markdown) -> str:
    """A text as it is written, never empty."""
    return to_html(canonical(defuse(text))) or NOTHING


def marked(body: str, marker: str, files: int = 0) -> str:
    """The HTML with the hub's stamp after it: Service Desk keeps nothing unseen beside a text."""
    count = f" +{files}" if files else ""
    return f'{body}<p style="font-size:9px;color:#b5b5b5">[hub-ref {html.escape(quote(marker, safe=":"))}{count}]</p>'


def unmarked(body: str) -> Marked:
    """The HTML without the hub's stamp, and the stamp where there is one."""
    found = _MARK.search(body)
    if found is None:
        return Marked(body)
    rest = body[: found.start()] + found.group(4)
    return Marked(rest, unquote(html.unescape(found.group(2))), int(found.group(3) or 0))


def person(raw: Any, *, is_staff: bool | None = None) -> Person | None:
    """Somebody as tickets and comments show them; the system itself has no id."""
    if not isinstance(raw, dict) or not (raw.get("id") or raw.get("email") or raw.get("name")):
        return None
    return Person(str(raw.get("id") or ""), raw.get("name") or "", raw.get("email") or None, is_staff)


def author(raw: Mapping[str, Any]) -> Person:
    """Who wrote a comment."""
    return person(raw.get("user")) or person(raw.get("commenter")) or Person()


def is_group(raw: Any) -> bool:
    """Whether an assignee is a group rather than a person."""
    return isinstance(raw, dict) and raw.get("is_user") is False


def category(maps: Connector, raw: Mapping[str, Any]) -> Category:
    """What the settings say of the ticket's category; else a service request, or an incident."""
    known = maps.categories.to_neutral(_name(raw.get("category")))
    if known is not Category.UNKNOWN:
        return known
    return Category.SERVICE_REQUEST if raw.get("is_service_request") else Category.INCIDENT


def line(settings: SolarwindsSettings, raw: Mapping[str, Any]) -> int | None:
    """The support line whose group has the ticket."""
    groups = [raw.get("group_assignee"), raw.get("assignee") if is_group(raw.get("assignee")) else None]
    names = {str(g[key]) for g in groups if isinstance(g, dict) for key in ("id", "name") if g.get(key)}
    return next((number for number, wanted in settings.lines.items() if names & set(wanted)), None)


def ticket(settings: SolarwindsSettings, maps: Connector, raw: Mapping[str, Any]) -> Ticket:
    """A neutral ticket of an incident, in the long layout or the short one (without tags)."""
    words = {"status": raw.get("state"), "priority": raw.get("priority"), "type": _name(raw.get("category"))}
    assignee = raw.get("assignee")
    values = customs.shown(raw)
    return Ticket(
        id=str(raw["id"]),
        key=key_of(raw),
        url=url_of(settings, raw),
        title=one_line(raw.get("name") or ""),
        description=_description(raw),
        status=maps.statuses.to_neutral(words["status"]),
        priority=maps.priorities.to_neutral(words["priority"]),
        category=category(maps, raw),
        channel=CHANNELS.get(str(raw.get("origin") or "").casefold(), Channel.UNKNOWN),
        line=line(settings, raw),
        requester=person(raw.get("requester")),
        assignee=None if is_group(assignee) else person(assignee, is_staff=True),
        organisation=_name(raw.get("department")) or _name(raw.get("site")),
        labels=frozenset(tags(raw)),
        custom={name: customs.field_value(field, values.get(field.id)) for name, field in settings.fields.items()},
        links=tuple(_links(raw)),
        native={name: word for name, word in words.items() if word},
        rating=_rating(raw.get("is_customer_satisfied")),
        created=utc(raw.get("created_at")),
        updated=utc(raw.get("updated_at")),
    )


def _rating(is_satisfied: object) -> str | None:
    """By the answer to the survey, which is null until there is one. Source: live findings (MCP-SWSD)."""
    return None if is_satisfied is None else "good" if is_satisfied else "bad"


def key_of(raw: Mapping[str, Any]) -> str:
    """What people call the ticket: by its number, which is not its id."""
    return f"#{raw.get('number') or raw['id']}"


def url_of(settings: SolarwindsSettings, raw: Mapping[str, Any]) -> str:
    """Where people look at it."""
    return str(raw.get("href_account_domain") or f"{settings.url}/incidents/{raw['id']}")


def tags(raw: Mapping[str, Any]) -> list[str]:
    """The ticket's tags, shown as a list of words or of objects, or as one text."""
    given = raw.get("tags") or ()
    if isinstance(given, str):
        given = given.split(",")
    return [
        name.strip() for one in given if (name := str(one.get("name") or "") if isinstance(one, dict) else str(one))
    ]


def comment(raw: Mapping[str, Any], own_account: str, requester: Person | None) -> Comment:
    """A neutral comment; a visibility that is not told is unknown.

    A stamp counts only where the hub's own account wrote: answers by mail quote it.
    """
    who = author(raw)
    if requester is not None and who.id and who.id == requester.id:
        who = Person(who.id, who.name, who.email, False)
    body = raw.get("body") or ""
    told = unmarked(body)
    is_own = who.id == own_account
    private = raw.get("is_private")
    created = utc(raw.get("created_at")) or datetime.min.replace(tzinfo=UTC)
    updated = utc(raw.get("updated_at"))
    return Comment(
        id=str(raw["id"]),
        author=who,
        text=_text(told.body if is_own else body, raw),
        visibility=Visibility.UNKNOWN if private is None else Visibility.PRIVATE if private else Visibility.PUBLIC,
        created=created,
        updated=updated if updated != created else None,
        attachments=attachments(raw, who),
        marker=told.marker if is_own else None,
    )


def attachments(raw: Mapping[str, Any], owner: Person) -> tuple[Attachment, ...]:
    """The files of a ticket or comment in the order they came; their addresses are signed and end."""
    return tuple(
        Attachment(
            id=str(a["id"]),
            name=a.get("filename") or a.get("name") or "file",
            url=a.get("url") or "",
            size=a.get("size"),
            content_type=a.get("content_type") or "application/octet-stream",
            author=person(a.get("uploader")) or owner,
            created=utc(a.get("created_at")),
        )
        for a in sorted(raw.get("attachments") or (), key=lambda a: int(a["id"]))
    )


def comments(raw: Mapping[str, Any], own_account: str) -> tuple[Comment, ...]:
    """All comments of an incident in the long layout, in the order they were written."""
    requester = person(raw.get("requester"))
    found = [comment(c, own_account, requester) for c in raw.get("comments") or ()]
    return tuple(sorted(found, key=lambda c: (c.created, int(c.id))))


def _description(raw: Mapping[str, Any]) -> Markdown:
    if raw.get("description"):
        return _text(unmarked(raw["description"]).body, raw)
    return from_plain(raw.get("description_no_html") or "")


def _text(body: str, raw: Mapping[str, Any]) -> Markdown:
    images = {a["url"]: a.get("filename") or "" for a in raw.get("attachments") or () if a.get("url")}
    return from_html(body, images=images)


def _links(raw: Mapping[str, Any]) -> Iterable[ExternalLink]:
    for key, called in LINKED.items():
        given = raw.get(key) or ()
        for one in [given] if isinstance(given, dict) else given:
            if isinstance(one, dict) and one.get("href"):
                yield ExternalLink(str(one["href"]).removesuffix(".json"), f"{called} {one.get('id') or ''}".strip())


def _name(raw: Any) -> str | None:
    return (raw.get("name") or None) if isinstance(raw, dict) else None
