"""Conversations of tickets and notes of changes; the hub's stamp stands below their text.

Source: api.freshservice.com, "Conversations", "Changes".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.connector import NewComment, WrittenComment
from hub.parts.stamps import stamped, unstamped
from plugins.freshservice import mapping
from plugins.freshservice.client import FreshserviceClient
from plugins.freshservice.modules import CHANGES, TICKETS, Module
from plugins.freshservice.settings import FreshserviceSettings


class Conversations:
    """The comments of one account. `own_account` gives the id of the hub's agent."""

    def __init__(
        self, client: FreshserviceClient, settings: FreshserviceSettings, own_account: Callable[[], str]
    ) -> None:
        self._client, self._settings, self._own_account = client, settings, own_account

    def all_of(self, module: Module, number: str) -> list[dict[str, Any]]:
        """All of a ticket's or change's in Freshservice's form, in the order they were written."""
        found = self._client.rows(f"{module.path_of(number)}/{module.comments}", module.comments)
        return sorted(found, key=lambda c: (mapping.utc(c["created_at"]), c["id"]))

    def add(self, module: Module, number: str, comment: NewComment) -> WrittenComment:
        """Changes have notes for agents only: what is public comes there as such a note, and the receipt says so."""
        html = stamped(mapping.text_to_html(comment.text), comment.marker)
        is_reply = module is TICKETS and comment.visibility.is_public and self._settings.public_as == "reply"
        path = f"{module.path_of(number)}/{'reply' if is_reply else 'notes'}"
        # A note without this is private; a reply and a note of a change have no such field.
        is_stated = module is TICKETS and not is_reply
        body: dict[str, Any] = {"body": html} | ({"private": not comment.visibility.is_public} if is_stated else {})
        answer = self._client.post(path, body, comment.uploads)["note" if module is CHANGES else "conversation"]
        # The answer to a reply does not say who may read it: everybody.
        return _receipt({"private": False, **answer} if is_reply else answer, module)

    def find(self, module: Module, number: str, marker: str) -> WrittenComment | None:
        """The hub's own comment with this mark: people quote what they answer."""
        own = self._own_account()
        for raw in self.all_of(module, number):
            if str(raw.get("user_id")) == own and unstamped(raw.get("body") or "")[1] == marker:
                return _receipt(raw, module)
        return None

    def remove(self, module: Module, number: str, marker: str) -> None:
        """Deletes the note with this mark, where there is one."""
        note = self.find(module, number, marker)
        if note is not None:
            path = f"{module.path_of(number)}/notes" if module is CHANGES else "/conversations"
            self._client.send("DELETE", f"{path}/{note.id}")


def _receipt(raw: Mapping[str, Any], module: Module) -> WrittenComment:
    files = tuple(str(a["id"]) for a in raw.get("attachments") or ())
    return WrittenComment(str(raw["id"]), mapping.visibility(raw, module), files)
