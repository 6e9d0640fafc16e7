"""OTRS's words <-> neutral words. Pure.

Sources: recorded exchanges with OTOBO (`get.*`, `article.*`, `attachment.*`); the default states, priorities and types
of a new installation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from email.utils import parseaddr
from typing import Any

from hub.parts.custom_values import native_word, native_words, neutral_word, neutral_words, number_or_text
from hub.settings.trackers import CustomField
from hub.text import defuse, from_plain, to_plain
from hub.ticket import (
    Attachment,
    Channel,
    Comment,
    CustomValue,
    ExternalLink,
    Markdown,
    Person,
    Ticket,
    Visibility,
)
from plugins.otrs.settings import OtrsSettings
from plugins.otrs.times import FORM, ServerClock

STATUSES = {
    "new": ["new"],
    "open": ["open"],
    "in_progress": ["open"],
    "pending": ["pending reminder", "pending auto close+", "pending auto close-"],
    "on_hold": ["pending reminder"],
    "solved": ["closed successful", "closed unsuccessful"],
    "closed": ["closed successful", "merged", "removed"],
}
PRIORITIES = {
    "lowest": ["1 very low"],
    "low": ["2 low"],
    "normal": ["3 normal"],
    "high": ["4 high"],
    "urgent": ["5 very high"],
}
CATEGORIES = {"incident": ["Incident"], "bug": ["Incident"], "problem": ["Problem"]}
CHANNELS = {"1": Channel.EMAIL, "2": Channel.PHONE, "3": Channel.WEB, "4": Channel.CHAT}
"""By CommunicationChannelID of the first article; these ids are made at installation."""
NOBODY = "1"
"""Id of root@localhost, whom a ticket belongs to until somebody takes it."""
WORDLESS = "(no text)"
"""Stands for an empty text, because an article must have one."""
TITLE_LIMIT = 255
SUBJECT_LIMIT = 100


def title_of(text: str) -> str:
    """A title as it is kept: one line, cut where the column ends."""
    return " ".join(text.split())[:TITLE_LIMIT].rstrip()


def body_of(text: Markdown) -> str:
    """The plain body of an article. "0" counts as missing, source: recorded `create.article_Body=0`."""
    plain = to_plain(defuse(text)).strip()
    return f"{plain}." if plain == "0" else plain or WORDLESS


def text_of(body: object) -> Markdown:
    """What an article says. An HTML article comes as the plain text that the server made of it."""
    plain = str(body or "").strip()
    return Markdown("") if plain == WORDLESS else from_plain(plain)


def subject_of(body: str) -> str:
    """The heading of an article: the first line of its text."""
    line = " ".join(body.partition("\n")[0].split())
    return line if len(line) <= SUBJECT_LIMIT else line[: SUBJECT_LIMIT - 1].rstrip() + "…"


def label_of(label: str, labels_type: str) -> str:
    """A label in the form that the field keeps: in a text field commas stand between them."""
    return " ".join((label.replace(",", " ") if labels_type == "text" else label).split())


def labels_of(value: Any) -> frozenset[str]:
    """The labels in a dynamic field, text or multiselect."""
    words = value if isinstance(value, list) else str(value or "").split(",")
    return frozenset(" ".join(str(word).split()) for word in words if str(word).strip())


def labels_value(labels: Iterable[str], labels_type: str) -> str | list[str]:
    """The labels as the dynamic field takes them."""
    return sorted(labels) if labels_type == "multiselect" else ", ".join(sorted(labels))


def dynamic_fields(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Name -> value of a ticket's or an article's dynamic fields."""
    return {str(field["Name"]): field.get("Value") for field in _listed(raw.get("DynamicField"))}


def field_value(field: CustomField, value: Any) -> CustomValue:
    """A dynamic field's neutral value."""
    if value is None or value == "" or value == []:
        return None
    match field.type:
        case "multiselect":
            return neutral_words(field, _listed(value))
        case "checkbox":
            return str(value) == "1"
        case "number":
            return number_or_text(value)
        case "date":
            return datetime.fromisoformat(str(value)[:10]).replace(tzinfo=UTC)
        case _:
            return neutral_word(field, value)


def native_value(field: CustomField, value: object) -> Any:
    """A neutral value in the form that the field takes; null is refused, so nothing is an empty text."""
    match value:
        case None:
            return [] if field.type == "multiselect" else ""
        case tuple():
            return native_words(field, value)
        case bool():
            return int(value)
        case datetime() | date():
            return datetime(value.year, value.month, value.day, tzinfo=UTC).strftime(FORM)
        case _:
            return native_word(field, value)


def line_of(queue: str, lines: Mapping[int, Sequence[str]]) -> int | None:
    """The support line of a queue: that of the queue itself or of the nearest queue above it."""
    of_queue = {name: line for line, names in reversed(list(lines.items())) for name in names}
    parts = queue.split("::")
    for length in range(len(parts), 0, -1):
        if (line := of_queue.get("::".join(parts[:length]))) is not None:
            return line
    return None


def ticket_url(settings: OtrsSettings, ticket_id: object) -> str:
    """Where agents read a ticket."""
    return f"{settings.url}{settings.path}/index.pl?Action=AgentTicketZoom;TicketID={ticket_id}"


def ticket(settings: OtrsSettings, maps: Any, raw: Mapping[str, Any], clock: ServerClock) -> Ticket:
    """A neutral ticket. `maps` is the connector, for its tables; the first article is the description."""
    fields = dynamic_fields(raw)
    articles = articles_of(raw)
    first = articles[0] if articles else {}
    link = fields.get(settings.link_field) if settings.link_field else None
    return Ticket(
        id=str(raw["TicketID"]),
        key=str(raw["TicketNumber"]),
        url=ticket_url(settings, raw["TicketID"]),
        title=" ".join(str(raw.get("Title") or "").split()),
        description=text_of(first.get("Body")),
        status=maps.statuses.to_neutral(raw.get("State")),
        priority=maps.priorities.to_neutral(raw.get("Priority")),
        category=maps.categories.to_neutral(raw.get("Type")),
        channel=CHANNELS.get(str(first.get("CommunicationChannelID")), Channel.UNKNOWN),
        line=maps.line_of(str(raw.get("Queue") or "")),
        requester=_requester(raw, first),
        assignee=_owner(raw),
        organisation=str(raw["CustomerID"]) if raw.get("CustomerID") else None,
        labels=labels_of(fields.get(settings.labels_field)) if settings.labels_field else frozenset(),
        custom={name: field_value(field, fields.get(field.id)) for name, field in settings.fields.items()},
        links=(ExternalLink(str(link)),) if link else (),
        native={
            ours: str(raw[theirs])
            for ours, theirs in (
                ("status", "State"),
                ("priority", "Priority"),
                ("category", "Type"),
                ("queue", "Queue"),
            )
            if raw.get(theirs)
        },
        created=clock.utc(raw.get("Created")),
        updated=clock.utc(raw.get("Changed")),
    )


def articles_of(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A ticket's articles that are still there, oldest first. Source: OTOBO keeps deleted ones with `IsDeleted`."""
    return [article for article in all_articles_of(raw) if str(article.get("IsDeleted") or "0") == "0"]


def all_articles_of(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every article that an answer shows, oldest first, deleted ones among them: they count in its limits."""
    return sorted(_listed(raw.get("Article")), key=lambda article: int(article["ArticleID"]))


def comment(settings: OtrsSettings, raw: Mapping[str, Any], clock: ServerClock) -> Comment:
    """A neutral comment."""
    fields = dynamic_fields(raw)
    at = _epoch(raw.get("IncomingTime")) or clock.utc(raw.get("CreateTime")) or datetime.min.replace(tzinfo=UTC)
    return Comment(
        id=str(raw["ArticleID"]),
        author=author(raw),
        text=text_of(raw.get("Body")),
        visibility=visibility_of(raw.get("IsVisibleForCustomer")),
        created=at,
        updated=clock.utc(raw.get("ChangeTime")) if str(raw.get("IsEdited") or "0") == "1" else None,
        attachments=attachments(settings, raw, at),
        marker=str(fields[settings.comment_marker_field]) if fields.get(settings.comment_marker_field) else None,
    )


def author(raw: Mapping[str, Any]) -> Person:
    """Who wrote an article: agents by their id, customers by their address, as far as `From` tells."""
    name, address = parseaddr(str(raw.get("From") or ""))
    if "@" not in address:
        name, address = str(raw.get("From") or ""), ""
    is_staff = raw.get("SenderType") == "agent"
    return Person(
        id=str(raw.get("CreateBy") or "") if is_staff else address,
        name=name or address,
        email=address or None,
        is_staff=is_staff,
    )


def visibility_of(value: object) -> Visibility:
    """1 and 0, as numbers or texts; anything else is not known and so counts as private."""
    return {"1": Visibility.PUBLIC, "0": Visibility.PRIVATE}.get(str(value), Visibility.UNKNOWN)


def attachments(settings: OtrsSettings, raw: Mapping[str, Any], at: datetime) -> tuple[Attachment, ...]:
    """The files of an article. Their `FileID` is only a position in it, so the whole path is the id."""
    where = f"{settings.url}{settings.path}/index.pl?Action=AgentTicketAttachment"
    return tuple(
        Attachment(
            id=f"{raw['TicketID']}/{raw['ArticleID']}/{file['FileID']}",
            name=str(file["Filename"]),
            url=f"{where};TicketID={raw['TicketID']};ArticleID={raw['ArticleID']};FileID={file['FileID']}",
            size=int(file["FilesizeRaw"]) if str(file.get("FilesizeRaw", "")).isdigit() else None,
            content_type=str(file.get("ContentType") or "application/octet-stream"),
            author=author(raw),
            created=at,
        )
        for file in _listed(raw.get("Attachment"))
    )


def sendable_type(content_type: str) -> str:
    """A content type that is taken: both halves must begin with a letter or digit and go on without a hyphen up to
    the slash. Source: recorded `attachment.type_starts_with_hyphen_token`."""
    return content_type if re.match(r"\w+/\w+", content_type) else "application/octet-stream"


def sendable_name(name: str) -> str:
    """A file name that comes back as it was sent. Source: recorded `attachment.unicode_name_and_duplicates`."""
    return re.sub(r"[/\\\x00-\x1f\x7f]", "_", name).lstrip(".").strip() or "file"


def main_ticket(history: Iterable[Mapping[str, Any]]) -> tuple[str, str] | None:
    """Id and number of the ticket that this one was merged into. Source: recorded `history.merged`."""
    for entry in history:
        if entry.get("HistoryType") == "Merged":
            parts = str(entry.get("Name", "")).split("%%")
            if len(parts) >= 5 and parts[4]:
                return parts[4], parts[3]
    return None


def _requester(raw: Mapping[str, Any], first: Mapping[str, Any]) -> Person | None:
    login = str(raw.get("CustomerUserID") or "")
    if not login:
        return None
    name, address = parseaddr(str(first.get("From") or ""))
    if "@" in login:
        return Person(login, name if address.casefold() == login.casefold() else "", login, is_staff=False)
    # The first article is from the customer, whoever typed it in, and names them with their address.
    return Person(login, name or login, address if "@" in address else None, is_staff=False)


def _owner(raw: Mapping[str, Any]) -> Person | None:
    owner = str(raw.get("OwnerID") or NOBODY)
    return None if owner == NOBODY else Person(owner, str(raw.get("Owner") or ""), is_staff=True)


def _epoch(value: object) -> datetime | None:
    return datetime.fromtimestamp(int(str(value)), UTC) if str(value or "").isdigit() and int(str(value)) else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def is_in(words: Iterable[str], word: str) -> bool:
    """Whether a word is among others without regard to case."""
    return word.casefold() in {w.casefold() for w in words}
