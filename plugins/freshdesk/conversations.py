"""Conversations, which are Freshdesk's comments: notes, and replies by mail; the hub's stamp stands below their text.

Source: developers.freshdesk.com, "Conversations".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.connector import NewComment, WrittenComment
from hub.parts.stamps import stamped, unstamped
from hub.ticket import Visibility
from plugins.freshdesk import mapping
from plugins.freshdesk.client import FreshdeskClient
from plugins.freshdesk.settings import FreshdeskSettings


class Conversations:
    """The conversations of one account's tickets. `own_account` gives the id of the hub's agent."""

    def __init__(self, client: FreshdeskClient, settings: FreshdeskSettings, own_account: Callable[[], str]) -> None:
        self._client, self._settings, self._own_account = client, settings, own_account

    def all_of(self, ticket_id: str) -> list[dict[str, Any]]:
        """All of a ticket's in Freshdesk's form, in the order they were written."""
        found = self._client.rows(f"/tickets/{ticket_id}/conversations")
        return sorted(found, key=lambda c: (mapping.utc(c["created_at"]), c["id"]))

    def add(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        html = stamped(mapping.text_to_html(comment.text), comment.marker)
        is_reply = comment.visibility.is_public and self._settings.public_as == "reply"
        path = f"/tickets/{ticket_id}/{'reply' if is_reply else 'notes'}"
        # A note without this is private; a reply has no such field and is public always.
        body: dict[str, Any] = {"body": html} | ({} if is_reply else {"private": not comment.visibility.is_public})
        return _written(self._client.post(path, body, comment.uploads))

    def find(self, ticket_id: str, marker: str) -> WrittenComment | None:
        """The hub's own comment with this mark: people quote what they answer."""
        own = self._own_account()
        for raw in self.all_of(ticket_id):
            if str(raw.get("user_id")) == own and unstamped(raw.get("body") or "")[1] == marker:
                return _written(raw)
        return None

    def remove(self, ticket_id: str, marker: str) -> None:
        """Deletes the note with this mark, where there is one."""
        note = self.find(ticket_id, marker)
        if note is not None:
            self._client.send("DELETE", f"/conversations/{note.id}")


def _written(raw: Mapping[str, Any]) -> WrittenComment:
    # A reply's answer need not say that it is public.
    visibility = Visibility.PRIVATE if raw.get("private") else Visibility.PUBLIC
    return WrittenComment(str(raw["id"]), visibility, tuple(str(a["id"]) for a in raw.get("attachments") or ()))
