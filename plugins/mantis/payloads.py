"""Bodies that a MantisBT plugin posts -> hints.

MantisBT itself sends nothing. The plugin `TicketHub` beside this module posts what `parse` needs; bodies of other
plugins will do where they name the issue under one of the keys below. What else a body says is not relied upon.
Source of the events: MantisBT's core/events_inc.php.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.connector import Hint, Ignored, WebhookRequest
from hub.parts.templates import NOT_FILLED

ISSUE_KEYS = ("issue_id", "bug_id", "issue", "bug", "id")
NOTE_KEYS = ("note_id", "bugnote_id", "note", "bugnote")
ACTOR_KEYS = ("user_id", "actor_id", "user", "actor")
EVENT_KEYS = ("event", "action", "type")
DELETIONS = {"bug_deleted", "issue_deleted"}
NEW_NOTE = "bugnote_add"
"""An event about one note and nothing else: what else changes with it has an event of its own."""
PLACEHOLDERS = ("{", "%", "$")


def parse(request: WebhookRequest) -> Sequence[Hint] | Ignored:
    """Which issue a body speaks of. Raises ValueError for one that names none."""
    body = request.json()
    if not isinstance(body, dict):
        raise ValueError("the body is not a JSON object; it must hold issue_id, see the README")
    event = _text(body, EVENT_KEYS).lower().removeprefix("event_") or "webhook"
    given = _text(body, ISSUE_KEYS).lstrip("#")
    if given.startswith(PLACEHOLDERS):
        return Ignored(NOT_FILLED)
    issue, note = _number(given), _number(_text(body, NOTE_KEYS))
    if not issue:
        raise ValueError(f"no issue number under any of {', '.join(ISSUE_KEYS)}; see the body in the README")
    return [
        Hint(
            ticket_id=issue,
            event=event,
            actor_id=_number(_text(body, ACTOR_KEYS)) or None,
            comment_id=note or None,
            is_partial=not (event == NEW_NOTE and note),
            is_deleted=event in DELETIONS,
        )
    ]


def _text(body: Mapping[str, Any], keys: Sequence[str]) -> str:
    """The first of these keys that is there; of an object its `id`."""
    for key in keys:
        value = body.get(key)
        if isinstance(value, Mapping):
            value = value.get("id")
        if value is not None and not isinstance(value, list | bool):
            return str(value).strip()
    return ""


def _number(text: str) -> str:
    """A number as MantisBT writes it, empty for anything else and for 0, which means none."""
    return str(int(text)) if text.isascii() and text.isdigit() and int(text) else ""
