"""Comments of incidents: written silently, found by their stamp, with files that are sent one by one after the text.

Sources: public clients (MCP-SWSD, samanage-ruby): paths and bodies of comments and attachments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.connector import Connector, NewComment, NotFoundError, PermanentError, Upload, WrittenComment
from hub.ticket import Markdown, Person, Visibility
from plugins.solarwinds import mapping
from plugins.solarwinds.client import LOUD, SILENT, SolarwindsClient
from plugins.solarwinds.settings import SolarwindsSettings


class Comments:
    """Reads and writes the comments of any ticket."""

    def __init__(self, connector: Connector, client: SolarwindsClient, settings: SolarwindsSettings) -> None:
        self._connector, self._client, self._settings = connector, client, settings

    def add(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        """One call, and one for each file. The stamp says how many files there should be, see `find`."""
        body = mapping.marked(mapping.text_to_html(comment.text), comment.marker, len(comment.uploads))
        is_public = comment.visibility.is_public
        loud = LOUD if is_public and "public_comment" in self._settings.notify else SILENT
        sent = {"comment": {"body": body, "is_private": not is_public}}
        written = self._client.send("POST", f"/incidents/{ticket_id}/comments.json{loud}", sent)
        try:
            files = [self._upload(str(written["id"]), upload) for upload in comment.uploads]
        except PermanentError:
            # With a file that is refused the comment is refused, whole.
            self.delete(ticket_id, str(written["id"]))
            raise
        return _receipt(written, files)

    def find(self, ticket_id: str, marker: str) -> WrittenComment | None:
        """The comment with this stamp. One whose files did not all arrive is taken back, to be written again."""
        for raw in self._own(ticket_id):
            told = mapping.unmarked(raw.get("body") or "")
            if told.marker != marker:
                continue
            files = [a.id for a in mapping.attachments(raw, Person())]
            if len(files) < told.files:
                self.delete(ticket_id, str(raw["id"]))
                return None
            return _receipt(raw, files)
        return None

    def edit(self, ticket_id: str, comment_id: str, text: Markdown, visibility: Visibility) -> None:
        """Replaces the text and keeps the stamp. Who may read a comment is settled once it is written.

        Raises PermanentError, before anything is written, when the comment is not as private as it is to be.
        """
        raw = next((c for c in self._all(ticket_id) if str(c["id"]) == comment_id), None)
        doing = f"edit comment {comment_id} of ticket {ticket_id}"
        if raw is None:
            raise NotFoundError(self._connector.name, doing, "the comment is not there any more")
        if raw.get("is_private") is not (not visibility.is_public):
            why = (
                f"it is not {visibility}, and Service Desk does not change who may read a comment. Nothing was written."
            )
            raise PermanentError(self._connector.name, doing, why, "Change or delete it by hand, then retry.")
        told = mapping.unmarked(raw.get("body") or "")
        html = mapping.text_to_html(text)
        body = mapping.marked(html, told.marker, told.files) if told.marker else html
        sent = {"comment": {"body": body, "is_private": not visibility.is_public}}
        answer = self._client.send("PUT", f"/incidents/{ticket_id}/comments/{comment_id}.json", sent)
        if not visibility.is_public and answer.get("is_private") is False:
            why = "it was private, and the edit has made it public."
            raise PermanentError(self._connector.name, doing, why, "Make it private by hand at once.")

    def delete(self, ticket_id: str, comment_id: str) -> None:
        """Missing is fine."""
        try:
            self._client.send("DELETE", f"/incidents/{ticket_id}/comments/{comment_id}.json")
        except NotFoundError:
            return

    def _upload(self, comment_id: str, upload: Upload) -> str:
        form = {"file[attachable_type]": "Comment", "file[attachable_id]": comment_id}
        file = (upload.name, upload.open(), upload.content_type)
        answer = self._client.send("POST", "/attachments.json", data=form, files={"file[attachment]": file})
        return str(answer["id"])

    def _all(self, ticket_id: str) -> list[dict[str, Any]]:
        return list(self._client.incident(ticket_id).get("comments") or ())

    def _own(self, ticket_id: str) -> list[dict[str, Any]]:
        own = self._connector.identify().account_id
        return [c for c in self._all(ticket_id) if mapping.author(c).id == own]


def _receipt(raw: Mapping[str, Any], files: list[str]) -> WrittenComment:
    """What an answer does not say counts as public: the hub looks at what it wrote privately and must know."""
    visibility = Visibility.PRIVATE if raw.get("is_private") is True else Visibility.PUBLIC
    return WrittenComment(str(raw["id"]), visibility, tuple(files))
