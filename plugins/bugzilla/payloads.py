"""Mozilla's webhook bodies -> hints.

They are sent in order, possibly several times, and tell of a private bug, comment or file only its number. Of one
update with a comment two come. Older descriptions of them have objects with a `name` in place of words.
Source: mozilla-bteam/bmo, `extensions/Push/lib/Connector/Webhook.pm` and `extensions/Push/lib/Serialize.pm`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.connector import Hint, Ignored, WebhookRequest
from hub.ticket import Value
from plugins.bugzilla import labels
from plugins.bugzilla.mapping import utc
from plugins.bugzilla.settings import BugzillaSettings
from plugins.bugzilla.words import status_word

TARGETS = ("bug", "comment", "attachment")
SHOWN = {"summary", "status", "resolution", "priority", "keywords", "whiteboard", "is_confirmed"}
"""Changes whose new value is among `values`, or is nothing."""


def parse(request: WebhookRequest, settings: BugzillaSettings, maps: Any) -> Sequence[Hint] | Ignored:
    """Which bug a body speaks of. Raises ValueError for what is none of Mozilla's webhooks."""
    body = request.json()
    event = body.get("event") if isinstance(body, dict) else None
    if not isinstance(event, dict) or not isinstance(body.get("bug"), dict):
        raise ValueError("the body has no event and bug; only the webhooks of Mozilla's Bugzilla are understood")
    bug, target = body["bug"], str(event.get("target") or "bug")
    key = str(event.get("routing_key") or f"{target}.{event.get('action') or 'modify'}")
    if target not in TARGETS:
        return Ignored(f"{key} is about a {target}, which is no bug")
    if not str(bug.get("id") or "").isdigit():
        raise ValueError(f"{key} does not say which bug it is about")
    added = bug.get(target) if target != "bug" else None
    comment_id = str(added["id"]) if target == "comment" and isinstance(added, dict) and added.get("id") else None
    changes = [c for c in event.get("changes") or () if isinstance(c, dict)]
    changed = {str(c.get("field")) for c in changes}
    is_private = bool(bug.get("is_private")) and "summary" not in bug
    return [
        Hint(
            ticket_id=str(bug["id"]),
            event=key.partition(":")[0],
            at=_time(event.get("time")),
            actor_id=_actor(event.get("user")),
            values=_values(bug, settings, maps),
            changed=_changed(changes, bug, maps),
            comment_id=comment_id,
            is_partial=comment_id is None and (is_private or not changed or not changed <= SHOWN),
            touches_comments=target != "bug" or event.get("action") == "create" or "is_private" in changed,
        )
    ]


def _actor(user: Any) -> str | None:
    return str(user["login"]) if isinstance(user, Mapping) and user.get("login") else None


def _values(bug: Mapping[str, Any], settings: BugzillaSettings, maps: Any) -> dict[str, Value | frozenset[str]]:
    """What the payload shows, in the form of a read."""
    values: dict[str, Value | frozenset[str]] = {}
    if isinstance(bug.get("summary"), str):
        values["title"] = bug["summary"]
    status, priority = _status(bug, maps), _priority(bug, maps)
    if status != "unknown":
        values["status"] = status
    if "priority" in bug and priority != "unknown":
        values["priority"] = priority
    if isinstance(bug.get("keywords"), list) and isinstance(bug.get("whiteboard"), str):
        values["labels"] = labels.shown(
            map(str, bug["keywords"]), bug["whiteboard"], in_whiteboard=settings.whiteboard_labels
        )
    return values


def _time(text: object) -> datetime | None:
    try:
        return utc(text)
    except ValueError:
        return None


def _changed(changes: Sequence[Mapping[str, Any]], bug: Mapping[str, Any], maps: Any) -> dict[str, tuple[Value, Value]]:
    """What title, status and priority were and became."""
    now = {name: _word(bug, name) for name in ("summary", "status", "resolution", "priority")}
    before = now | {str(c["field"]): str(c.get("removed") or "") for c in changes if c.get("field") in now}
    after = now | {str(c["field"]): str(c.get("added") or "") for c in changes if c.get("field") in now}
    both: dict[str, tuple[Value, Value]] = {
        "title": (before["summary"], after["summary"]),
        "status": (_status(before, maps), _status(after, maps)),
        "priority": (_priority(before, maps), _priority(after, maps)),
    }
    return {name: values for name, values in both.items() if values[0] != values[1]}


def _status(bug: Mapping[str, Any], maps: Any) -> Any:
    return maps.statuses.to_neutral(status_word(maps.statuses, _word(bug, "status"), _word(bug, "resolution")))


def _priority(bug: Mapping[str, Any], maps: Any) -> Any:
    """An empty one is one that nobody chose."""
    return maps.priorities.to_neutral(_word(bug, "priority") or "--")


def _word(bug: Mapping[str, Any], name: str) -> str:
    value = bug.get(name)
    return str((value.get("name") if isinstance(value, Mapping) else value) or "")
