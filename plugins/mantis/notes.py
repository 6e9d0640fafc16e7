"""Notes, which are MantisBT's comments. Source: recorded exchanges note.*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.connector import NewComment, NotFoundError, WrittenComment
from hub.ticket import Markdown, Visibility
from plugins.mantis import mapping, texts
from plugins.mantis.client import MantisClient
from plugins.mantis.facts import Facts
from plugins.mantis.files import Files
from plugins.mantis.issues import Issues
from plugins.mantis.settings import MantisSettings


class Notes:
    """The notes of one site. MantisBT takes a note without a view state for public, so that one is always sent."""

    def __init__(
        self, client: MantisClient, settings: MantisSettings, facts: Facts, issues: Issues, files: Files
    ) -> None:
        self._client, self._settings, self._facts = client, settings, facts
        self._issues, self._files = issues, files

    def add(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        """One call, with its files."""
        text = texts.native_text(self._settings, comment.text)
        body: dict[str, Any] = {
            "text": texts.marked(text, comment.marker),
            "view_state": mapping.view_state(comment.visibility),
        }
        if comment.uploads:
            body["files"] = [self._files.encoded(upload) for upload in comment.uploads]
        return _receipt(self._client.send("POST", f"/issues/{ticket_id}/notes", body)["note"])

    def find(self, ticket_id: str, marker: str) -> WrittenComment | None:
        """The hub's own note with this mark: in anybody else's a mark is only text."""
        raw, _ = self._issues.get(ticket_id, select="id,notes")
        own_id = self._facts.me()["id"]
        for note in raw.get("notes") or ():
            if note["reporter"]["id"] == own_id and texts.unmarked(note.get("text"))[1] == marker:
                return _receipt(note)
        return None

    def edit(self, ticket_id: str, comment_id: str, text: Markdown, visibility: Visibility) -> None:
        """Through the issue, the only way there is. Read first, because the note's mark must stay under it; without
        its view state a private note would become public (recorded: note.edit_through_issue)."""
        raw, version = self._issues.get(ticket_id)
        note = next((n for n in raw.get("notes") or () if str(n["id"]) == comment_id), None)
        if note is None:
            doing = f"edit note {comment_id} of {ticket_id}"
            raise NotFoundError(self._client.name, doing, "there is no such note")
        mark, words = texts.unmarked(note.get("text"))[1], texts.native_text(self._settings, text)
        body = {
            "id": int(comment_id),
            "text": texts.marked(words, mark) if mark else words,
            "view_state": mapping.view_state(visibility),
        }
        self._issues.patch(ticket_id, {"notes": [body]}, version)

    def delete(self, ticket_id: str, comment_id: str) -> None:
        """Deleting what is gone is fine."""
        try:
            self._client.send("DELETE", f"/issues/{ticket_id}/notes/{comment_id}")
        except NotFoundError:
            return


def _receipt(note: Mapping[str, Any]) -> WrittenComment:
    files = tuple(str(a["id"]) for a in note.get("attachments") or ())
    return WrittenComment(str(note["id"]), mapping.visibility(note.get("view_state")), files)
