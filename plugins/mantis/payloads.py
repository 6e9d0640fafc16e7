"""Bodies that a webhook plugin posts -> hints.

MantisBT itself sends nothing, and its plugins have no common format: an admin gives them the body of the README, or
one of theirs that names the issue under one of the keys below. What else a body says is not relied upon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.connector import Hint, Ignored, WebhookRequest

ISSUE_KEYS = ("issue_id", "bug_id", "issue", "bug", "id")
NOTE_KEYS = ("note_id", "bugnote_id", "note", "bugnote")
ACTOR_KEYS = ("user_id", "actor_id", "user", "actor")
EVENT_KEYS = ("event", "action", "type")
DELETIONS = {"bug_deleted", "issue_deleted", "deleted", "delete"}
PLACEHOLDERS = ("{", "%", "$")


def parse(request: WebhookRequest) -> Sequence[Hint] | Ignored:
    """Which issue a body speaks of. Raises ValueError for one that names none."""
    body = request.json()
    if not isinstance(body, dict):
        raise ValueError("the body is not a JSON object; it must hold issue_id, see the README")
    event = _text(body, EVENT_KEYS).lower().removeprefix("event_") or "webhook"
    given = _text(body, ISSUE_KEYS).lstrip("#")
    if given.startswith(PLACEHOLDERS):
        return Ignored("the placeholders were not filled in: this is a test of the webhook")
    if not given.isdigit() or not int(given):
        raise ValueError(f"no issue number under any of {', '.join(ISSUE_KEYS)}; see the body in the README")
    note = _text(body, NOTE_KEYS)
    return [
        Hint(
            ticket_id=str(int(given)),
            event=event,
            actor_id=_text(body, ACTOR_KEYS) or None,
            comment_id=note if note.isdigit() and int(note) else None,
            is_partial=True,
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
