"""Jira's webhook bodies -> hints.

Cloud tells comment events without a user; Data Center tells comment activity twice, once without the issue. Event type
names differ between flavours and ages and decide nothing. Source: public captures of both flavours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hub.connector import Hint, Ignored, WebhookRequest
from hub.ticket import FieldChange, Value
from plugins.jira.mapping import person, utc

SHOWN = {"summary", "status", "priority", "labels", "issuetype", "resolution"}
"""Changelog fields whose new value stands in the payload's issue in a form that the hub knows."""
SINGLE = {"summary": "title", "status": "status", "priority": "priority", "issuetype": "category"}
"""Changelog fields with one value, and what the hub calls them."""
_ISSUE_IN_ADDRESS = re.compile(r"/issue/(\d+)(?:/|$)")


def parse(request: WebhookRequest, maps: Any) -> Sequence[Hint] | Ignored:
    """Which issue a body speaks of. Raises ValueError for what is none of Jira's."""
    body = request.json()
    if not isinstance(body, dict) or not isinstance(body.get("webhookEvent"), str):
        raise ValueError("the body has no webhookEvent; only Jira's own webhooks are understood")
    event = body["webhookEvent"]
    name = event.removeprefix("jira:")
    if name.startswith("comment_"):
        return [_comment(name, body)]
    if name.startswith("issue_") and not name.startswith("issue_property"):
        return [_issue(name, body, maps)]
    if name.startswith("attachment_"):
        return Ignored(f"{name} names no issue; the issue's own event follows")
    return Ignored(f"{name} is about no issue's fields, comments or files")


def _comment(name: str, body: Mapping[str, Any]) -> Hint:
    comment = body.get("comment")
    if not isinstance(comment, dict):
        raise ValueError(f"{name} holds no comment")
    issue_id = (body.get("issue") or {}).get("id")
    if issue_id is None:
        found = _ISSUE_IN_ADDRESS.search(str(comment.get("self", "")))
        if found is None:
            raise ValueError(f"{name} does not say which issue it is about")
        issue_id = found.group(1)
    actor = person(body.get("user") or comment.get("updateAuthor") or comment.get("author"))
    return Hint(
        ticket_id=str(issue_id),
        event=name,
        at=_time(body.get("timestamp")),
        actor_id=actor.id if actor else None,
        comment_id=str(comment["id"]) if "id" in comment and name != "comment_deleted" else None,
        # An edit of a copy shows the same comment id as its creation, so only the creation shows everything.
        is_partial=name != "comment_created",
    )


def _issue(name: str, body: Mapping[str, Any], maps: Any) -> Hint:
    issue = body.get("issue")
    if not isinstance(issue, dict) or "id" not in issue:
        raise ValueError(f"{name} holds no issue")
    items = (body.get("changelog") or {}).get("items") or ()
    changed = {str(item.get("fieldId") or item.get("field") or "") for item in items}
    is_created = name == "issue_created"
    actor = person(body.get("user"))
    comment = body.get("comment") or {}
    tells_comment = bool(comment) or "comment" in str(body.get("issue_event_type_name", ""))
    values = _values(issue.get("fields") or {}, maps)
    return Hint(
        ticket_id=str(issue["id"]),
        event=str(body.get("issue_event_type_name") or name),
        at=_time(body.get("timestamp")),
        actor_id=actor.id if actor else None,
        values=values,
        changed={} if is_created else changed_values(items, maps),
        comment_id=str(comment["id"]) if "id" in comment and name == "issue_updated" and not items else None,
        is_partial=not ((is_created or (changed and changed <= SHOWN)) and not tells_comment),
        touches_comments=is_created
        or tells_comment
        or not changed
        or "Attachment" in changed
        or "attachment" in changed,
        is_deleted=name == "issue_deleted",
    )


def _values(fields: Mapping[str, Any], maps: Any) -> dict[str, Value | frozenset[str]]:
    values: dict[str, Value | frozenset[str]] = {}
    for key, name, table in (
        ("status", "status", maps.statuses),
        ("priority", "priority", maps.priorities),
        ("issuetype", "category", maps.categories),
    ):
        word = (fields.get(key) or {}).get("name")
        neutral = table.to_neutral(word) if word else "unknown"
        if neutral != "unknown":
            values[name] = neutral
    if isinstance(fields.get("summary"), str):
        values["title"] = fields["summary"]
    if isinstance(fields.get("labels"), list):
        values["labels"] = frozenset(fields["labels"])
    return values


def changed_values(items: Iterable[Mapping[str, Any]], maps: Any) -> dict[str, tuple[Value, Value]]:
    """What each field of a changelog's entry was and became. A Data Center tells a field's name alone."""
    tables = {"status": maps.statuses, "priority": maps.priorities, "category": maps.categories}
    found: dict[str, tuple[Value, Value]] = {}
    for item in items:
        name = SINGLE.get(str(item.get("fieldId") or item.get("field") or ""))
        words = (item.get("fromString"), item.get("toString"))
        if name is None or not all(isinstance(word, str) for word in words):
            continue
        before, after = (tables[name].to_neutral(word) if name in tables else word for word in words)
        found[name] = (before, after)
    return found


def history(raw: Mapping[str, Any], since: datetime, maps: Any) -> tuple[FieldChange, ...] | None:
    """The changes of an issue that was read with its changelog; None where that does not reach back to `since`.

    It tells the newest ones, a hundred in the Cloud. Source: Jira's REST documentation, "Get issue", expand.
    """
    log = raw.get("changelog") or {}
    entries = [(utc(entry.get("created")), entry) for entry in log.get("histories") or ()]
    is_cut = len(entries) < int(log.get("total") or 0) and all(at is not None and at > since for at, _ in entries)
    if not log or is_cut:
        return None
    found = []
    for at, entry in entries:
        if at is None:
            continue
        actor = person(entry.get("author"))
        for name, (before, after) in changed_values(entry.get("items") or (), maps).items():
            actor_id = actor.id if actor else None
            found.append(FieldChange(field=name, before=before, after=after, at=at, actor_id=actor_id))
    return tuple(found)


def _time(milliseconds: object) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if isinstance(milliseconds, int | float) else None
