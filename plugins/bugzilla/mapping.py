"""Bugzilla's words <-> neutral words. Pure.

Sources: recorded exchanges get_full, comments_list, att_list, tz_get2. Times are UTC in whole seconds. Custom dates
are written in the server's zone and read in UTC; only their day is kept in step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hub.connector import Unwritable
from hub.parts.custom_values import native_word, native_words, neutral_word, neutral_words, number_or_text
from hub.settings.trackers import CustomField
from hub.ticket import (
    Attachment,
    Category,
    Comment,
    CustomValue,
    ExternalLink,
    Markdown,
    Person,
    Ticket,
    Value,
    Visibility,
)
from plugins.bugzilla import labels, texts
from plugins.bugzilla.settings import OF_EVERY_BUG, BugzillaSettings
from plugins.bugzilla.words import status_word

EMPTY = ("", "---", "--")
FIELDS = (
    "id", "summary", "status", "resolution", "priority", "keywords", "whiteboard", "creator", "assigned_to",
    "creation_time", "last_change_time", "groups", "see_also", "url", "product", "component", "dupe_of",
)  # fmt: skip
"""What is asked of a bug: everything would be slow (notes of the recordings: 3.9 s for 381 bugs)."""


def utc(text: object) -> datetime:
    """A time of Bugzilla's, with or without a Z."""
    at = datetime.fromisoformat(str(text))
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def wanted_fields(settings: BugzillaSettings) -> str:
    """`include_fields` for a read."""
    own = ["type", "comment_count"] if settings.is_mozilla else []
    return ",".join(dict.fromkeys([*FIELDS, *own, *(field.id for field in settings.fields.values())]))


def person(login: object, detail: Mapping[str, Any] | None = None, names: Mapping[str, str] | None = None) -> Person:
    """Somebody; by login, the one name that comments, histories and webhooks have in common."""
    who = str(login)
    name = str((detail or {}).get("real_name") or (names or {}).get(who) or who.partition("@")[0])
    email = str((detail or {}).get("email") or who)
    return Person(who, name, email if "@" in email else None)


# -- values -------------------------------------------------------------------------------------------------------


def field_value(settings: BugzillaSettings, field: CustomField, value: Any) -> CustomValue:
    """A field's neutral value as it was read."""
    if isinstance(value, list):
        return neutral_words(field, value)
    text = str(value if value is not None else "").strip()
    if field.type == "checkbox":
        return neutral_word(field, text).casefold() in ("true", "yes", "1")
    if field.type == "multiselect":
        return ()
    if text in EMPTY:
        return None
    if field.type == "date":
        return _day(text, ZoneInfo(settings.time_zone))
    return number_or_text(text) if field.type == "number" else neutral_word(field, text)


def _day(text: str, zone: ZoneInfo) -> datetime | str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    local = at.astimezone(zone) if at.tzinfo else at
    return datetime(local.year, local.month, local.day, tzinfo=UTC)


def native_value(field: CustomField, value: Value) -> Any:
    """A neutral value as it is written; a date as its day. Raises Unwritable where there is no form for it."""
    match value:
        case None:
            if field.type == "number" or (
                field.id in OF_EVERY_BUG and field.id not in ("whiteboard", "url", "deadline")
            ):
                raise Unwritable(f"{field.id} cannot be empty in Bugzilla")
            return {"select": "---", "multiselect": []}.get(field.type, "")
        case bool():
            return field.values.get(str(value).lower(), "Yes" if value else "No")
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d")
        case tuple():
            return native_words(field, value)
        case float() if not value.is_integer():
            raise Unwritable("Bugzilla's numbers are whole ones")
        case float():
            return int(value)
        case int():
            return value
        case _:
            text = native_word(field, value).replace("\r\n", "\n").replace("\0", "").strip()
            return text[: texts.FIELD_LIMIT].rstrip()


def held_value(settings: BugzillaSettings, field: CustomField, value: Value) -> CustomValue:
    """What is read after `value` was written."""
    return field_value(settings, field, native_value(field, value))


def replaced(maps: Any, changes: Mapping[str, Mapping[str, str]]) -> dict[str, Value]:
    """What stood there when a write arrived, by its answer, which tells of each field what was removed.

    An empty priority is one that nobody chose. Source: recorded exchanges upd_priority, upd_many.
    """
    found: dict[str, Value] = {}
    if "summary" in changes:
        found["title"] = changes["summary"]["removed"]
    if "priority" in changes:
        found["priority"] = maps.priorities.to_neutral(changes["priority"]["removed"] or "--")
    return found


# -- bugs ---------------------------------------------------------------------------------------------------------


def address(settings: BugzillaSettings, bug_id: object) -> str:
    """Where people see a bug."""
    return f"{settings.url}/show_bug.cgi?id={bug_id}"


def ticket(settings: BugzillaSettings, maps: Any, raw: Mapping[str, Any], description: Markdown | None) -> Ticket:
    """A neutral ticket. `maps` is the connector, for its tables."""
    native = {name: str(raw.get(name) or "") for name in ("status", "resolution", "priority", "product", "component")}
    assignee = person(raw["assigned_to"], raw.get("assigned_to_detail")) if raw.get("assigned_to") else None
    keywords, whiteboard = raw.get("keywords") or (), str(raw.get("whiteboard") or "")
    return Ticket(
        id=str(raw["id"]),
        key=f"#{raw['id']}",
        url=address(settings, raw["id"]),
        title=str(raw.get("summary") or ""),
        description=description,
        status=maps.statuses.to_neutral(status_word(maps.statuses, native["status"], native["resolution"])),
        priority=maps.priorities.to_neutral(native["priority"]),
        category=maps.categories.to_neutral(str(raw["type"])) if raw.get("type") else Category.UNKNOWN,
        requester=person(raw["creator"], raw.get("creator_detail")) if raw.get("creator") else None,
        assignee=None if assignee and assignee.id == settings.nobody else assignee,
        labels=labels.shown(keywords, whiteboard, in_whiteboard=settings.whiteboard_labels),
        custom={name: field_value(settings, field, raw.get(field.id)) for name, field in settings.fields.items()},
        links=tuple(ExternalLink(str(url)) for url in raw.get("see_also") or ()),
        native={name: word for name, word in native.items() if word},
        created=utc(raw["creation_time"]) if raw.get("creation_time") else None,
        updated=utc(raw["last_change_time"]) if raw.get("last_change_time") else None,
    )


@dataclass(frozen=True, slots=True)
class Said:
    """What stands in a bug's comments: the description, people's comments, and files that nobody said a word about."""

    description: Markdown
    comments: tuple[Comment, ...]
    files: tuple[Attachment, ...]


def said(
    settings: BugzillaSettings,
    raw: Iterable[Mapping[str, Any]],
    files: Mapping[str, Mapping[str, Any]],
    own_login: str,
    names: Mapping[str, str],
    *,
    is_restricted: bool,
) -> Said:
    """Sorts comments. A mark counts only in a comment of the hub's own: anybody can write one.

    `files` are the attachments by number. A file that not everybody may see is never a file of the bug itself, where
    nothing would say so, but stays with its comment.
    """
    description, comments, loose = Markdown(""), list[Comment](), list[Attachment]()
    unseen = set(files)
    for one in raw:
        number = str(one.get("attachment_id") or "")
        text, file = _words(one, files.get(number)), files[number] if number in unseen else None
        unseen.discard(number)
        if one.get("count") == 0:
            description = texts.neutral_text(settings, text)
            continue
        is_own, mark = one["creator"] == own_login, None
        if is_own:
            text, mark = texts.unmarked(text)
        visibility = _visibility(settings, one, is_restricted=is_restricted)
        attached = (attachment(settings, file, names),) if file is not None else ()
        is_for_all = visibility.is_public or (is_own and one.get("is_private") is False)
        if number and not text.strip() and (is_for_all or not attached):
            loose += attached
        elif mark != texts.OWN_MARK and not texts.is_bugzillas_own(text):
            comments.append(
                Comment(
                    id=str(one["id"]),
                    author=person(one["creator"], names=names),
                    text=Markdown("") if text == texts.NOTHING else texts.neutral_text(settings, text),
                    visibility=visibility,
                    created=utc(one["creation_time"]),
                    attachments=attached,
                    marker=mark,
                )
            )
    return Said(description, tuple(comments), tuple(loose))


def _words(raw: Mapping[str, Any], file: Mapping[str, Any] | None) -> str:
    """What a person wrote, without Bugzilla's own words about a file. Mozilla tells it apart."""
    if isinstance(raw.get("raw_text"), str):
        return str(raw["raw_text"])
    text = str(raw["text"])
    return texts.without_head(text, str((file or {}).get("summary") or "")) if raw.get("attachment_id") else text


def _visibility(settings: BugzillaSettings, raw: Mapping[str, Any], *, is_restricted: bool) -> Visibility:
    if raw.get("is_private") is not False:
        return Visibility.PRIVATE
    is_public = settings.plain_comments == "public" and not is_restricted
    return Visibility.PUBLIC if is_public else Visibility.PRIVATE


def is_restricted(settings: BugzillaSettings, raw: Mapping[str, Any]) -> bool:
    """Whether people keep a bug to a group that the settings do not name."""
    return bool(set(raw.get("groups") or ()) - set(settings.groups))


def attachment(settings: BugzillaSettings, raw: Mapping[str, Any], names: Mapping[str, str]) -> Attachment:
    """A neutral attachment."""
    return Attachment(
        id=str(raw["id"]),
        name=str(raw.get("file_name") or "file"),
        url=f"{settings.url}/attachment.cgi?id={raw['id']}",
        size=raw.get("size"),
        content_type=str(raw.get("content_type") or "application/octet-stream"),
        author=person(raw["creator"], names=names) if raw.get("creator") else Person(),
        created=utc(raw["creation_time"]) if raw.get("creation_time") else None,
    )
