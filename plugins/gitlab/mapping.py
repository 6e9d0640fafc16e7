"""GitLab's words <-> neutral words, and issues and notes as its REST API shows them. Pure.

Source: docs.gitlab.com, "Issues API", "Notes API", "Project uploads API".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from hub.mapping import ValueMap
from hub.ticket import (
    Attachment,
    Category,
    Channel,
    Comment,
    CustomValue,
    Person,
    Priority,
    Status,
    Ticket,
    Visibility,
)
from plugins.gitlab.labels import CLOSED, NO_LABEL, OPENED, SEVERAL, Families
from plugins.gitlab.settings import GitlabSettings
from plugins.gitlab.text import files_in, shown, stamp_of

STATUSES = {
    "open": [OPENED],
    "new": [OPENED],
    "in_progress": ["status::in-progress", "status::in progress", "status::doing"],
    "pending": ["status::pending", "status::waiting"],
    "on_hold": ["status::on-hold", "status::blocked"],
    "solved": [CLOSED],
    "closed": [CLOSED],
}
PRIORITIES = {
    "lowest": ["priority::lowest"],
    "low": ["priority::low"],
    "normal": ["priority::normal", "priority::medium", NO_LABEL],
    "high": ["priority::high"],
    "urgent": ["priority::urgent", "priority::critical"],
}
CATEGORIES = {"bug": ["issue"], "incident": ["incident"]}
SERVICE_DESK = "support-bot"
"""User name of whom GitLab gives as the author of what came by mail."""


class Maps(Protocol):
    """What translation needs of the connector."""

    statuses: ValueMap[Status]
    priorities: ValueMap[Priority]
    categories: ValueMap[Category]
    families: Families


def utc(text: object) -> datetime | None:
    """A time of GitLab's: ISO 8601, or `2023-05-25 17:12:06 UTC` in webhooks. None for what is no time."""
    try:
        at = datetime.fromisoformat(re.sub(r" UTC$", "+00:00", str(text)))
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def person(raw: Mapping[str, Any] | None) -> Person | None:
    """A user. Mail addresses are shown to administrators, and where their owners made them public."""
    if not raw or raw.get("id") is None:
        return None
    email = raw.get("email") or raw.get("public_email") or None
    return Person(str(raw["id"]), raw.get("name") or raw.get("username") or "", email if "@" in (email or "") else None)


def ticket(settings: GitlabSettings, maps: Maps, raw: Mapping[str, Any]) -> Ticket:
    """A neutral ticket. Its id is the number inside the project, which never changes there."""
    labels = label_names(raw)
    families = maps.families
    status = families.status_word(str(raw.get("state")), labels, is_moved=bool(raw.get("moved_to_id")))
    priority = families.priority_word(labels)
    native = {"status": status, "state": str(raw.get("state") or ""), "priority": priority}
    native |= {"status_labels": SEVERAL.join(families.status.among(labels))} if families.status.among(labels) else {}
    native |= {"category": str(raw["issue_type"])} if raw.get("issue_type") else {}
    native |= {"confidential": "yes"} if raw.get("confidential") else {}
    custom: dict[str, CustomValue] = {}
    for name, family in families.fields.items():
        found = family.among(labels)
        custom[name] = field_value(settings, name, found[0]) if len(found) == 1 else None
        native |= {f"custom:{name}": SEVERAL.join(found)} if found else {}
    author = raw.get("author") or {}
    by_mail = bool(raw.get("service_desk_reply_to")) or author.get("username") == SERVICE_DESK
    return Ticket(
        id=str(raw["iid"]),
        key=key_of(raw),
        url=str(raw.get("web_url") or ""),
        title=" ".join(str(raw.get("title") or "").split()),
        description=shown(raw.get("description") or ""),
        status=maps.statuses.to_neutral(status),
        priority=maps.priorities.to_neutral(priority),
        category=maps.categories.to_neutral(native.get("category")),
        channel=Channel.EMAIL if by_mail else Channel.UNKNOWN,
        requester=person(author),
        assignee=person(next(iter(raw.get("assignees") or ()), None) or raw.get("assignee")),
        labels=frozenset(label for label in labels if not families.are_special(label)),
        custom=custom,
        native=native,
        created=utc(raw.get("created_at")),
        updated=utc(raw.get("updated_at")),
    )


def key_of(raw: Mapping[str, Any]) -> str:
    """What people call the issue: `acme/website#12`."""
    return str((raw.get("references") or {}).get("full") or f"#{raw['iid']}")


def label_names(raw: Mapping[str, Any]) -> list[str]:
    """The names of labels, which webhooks show as objects."""
    return [str(one.get("title") or one.get("name")) if isinstance(one, dict) else str(one) for one in raw["labels"]]


def field_value(settings: GitlabSettings, name: str, label: str) -> str:
    """The neutral value that a scoped label says."""
    word = label.rpartition("::")[2]
    to_neutral = {theirs.casefold(): ours for ours, theirs in settings.fields[name].values.items()}
    return to_neutral.get(word.casefold(), word)


def field_label(settings: GitlabSettings, name: str, value: object) -> str:
    """The scoped label that says a neutral value."""
    field = settings.fields[name]
    word = " ".join(field.values.get(str(value), str(value)).replace(",", " ").replace("::", ":").split())
    return f"{field.id}::{word}"


def visibility(settings: GitlabSettings, raw: Mapping[str, Any], issue: Mapping[str, Any]) -> Visibility:
    """Who may read a note. Servers before 15.3 call `internal` `confidential`; what neither says is unknown."""
    internal = raw.get("internal", raw.get("confidential"))
    if internal is None:
        return Visibility.UNKNOWN
    by_people = bool(issue.get("confidential")) and not settings.confidential
    if internal or by_people or settings.plain_comments == "private":
        return Visibility.PRIVATE
    return Visibility.PUBLIC


def comments(
    settings: GitlabSettings, raws: Sequence[Mapping[str, Any]], issue: Mapping[str, Any], own_id: str
) -> tuple[Comment, ...]:
    """People's notes in the order they were written; what GitLab notes itself is left out."""
    made = [comment(settings, raw, issue, own_id) for raw in raws if not raw.get("system")]
    return tuple(sorted(made, key=lambda c: (c.created, int(c.id))))


def comment(settings: GitlabSettings, raw: Mapping[str, Any], issue: Mapping[str, Any], own_id: str) -> Comment:
    """A note. The hub's stamp counts only in what the hub's own account wrote: people copy texts."""
    body, author = str(raw.get("body") or ""), person(raw.get("author")) or Person()
    return Comment(
        id=str(raw["id"]),
        author=author,
        text=shown(body),
        visibility=visibility(settings, raw, issue),
        created=utc(raw["created_at"]) or datetime.min.replace(tzinfo=UTC),
        updated=utc(raw.get("updated_at")),
        attachments=attachments(settings, body, issue, author),
        marker=stamp_of(body) if author.id == own_id else None,
    )


def attachments(
    settings: GitlabSettings, text: str, issue: Mapping[str, Any], author: Person
) -> tuple[Attachment, ...]:
    """The project's files that a text refers to, whether with or without the instance and project before them."""
    project = f"/-/project/{issue.get('project_id')}"
    ours = ("", project, settings.url + project)
    return tuple(
        Attachment(
            id=file.id,
            name=file.name,
            url=f"{settings.url}{project}/uploads/{file.id}",
            content_type=file.content_type,
            author=author,
        )
        for file in files_in(text, lambda prefix: prefix in ours)
    )
