"""Comments, their files, and the note that shows a link. The hub's mark is metadata of the audit, which people do not
see. Source: developer.zendesk.com, "Ticket Comments", "Attachments"."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from hub.connector import NewComment, PermanentError, RemoteLink, Upload, WrittenComment
from hub.text import canonical, defuse, to_html
from hub.ticket import Comment, Markdown, Visibility
from plugins.zendesk import mapping
from plugins.zendesk.client import ZendeskClient
from plugins.zendesk.settings import ZendeskSettings


class Comments:
    """The comments of one account's tickets."""

    def __init__(self, client: ZendeskClient, settings: ZendeskSettings) -> None:
        self._client, self._settings = client, settings

    def read(self, ticket_id: str) -> tuple[Comment | None, tuple[Comment, ...]]:
        """The first comment, which is the ticket's description, and the others in the order they were written."""
        found: list[Comment] = []
        params: dict[str, str | int] = {"include": "users", "include_inline_images": "true", "page[size]": 100}
        while True:
            answer = self._client.get(f"/tickets/{ticket_id}/comments", **params)
            people = mapping.Sideloads(answer)
            found += [mapping.comment(raw, people) for raw in answer["comments"]]
            meta = answer.get("meta") or {}
            if not meta.get("has_more"):
                break
            params["page[after]"] = meta["after_cursor"]
        found.sort(key=lambda c: (c.created, int(c.id)))
        return (found[0], tuple(found[1:])) if found else (None, ())

    def add(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        """A picture in the text is shown from its file's own address, which the upload tells."""
        sent = [(upload.name, self._upload(upload)) for upload in comment.uploads]
        text = html(comment.text, {name: upload["attachment"]["content_url"] for name, upload in sent})
        tokens = [upload["token"] for _, upload in sent]
        body = {"html_body": text, "public": comment.visibility.is_public, "uploads": tokens}
        return self._write(ticket_id, {"comment": body}, comment.marker)

    def find(self, ticket_id: str, marker: str) -> WrittenComment | None:
        for comment in self.read(ticket_id)[1]:
            if comment.marker == marker:
                return WrittenComment(comment.id, comment.visibility, tuple(a.id for a in comment.attachments))
        return None

    def show_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment:
        """External id and internal note in one call. An external id of somebody else's is overwritten only when
        the settings say so, and Zendesk's own Jira links are left alone."""
        note = link.note or Markdown(f"[{link.key}]({link.url})")
        body: dict[str, Any] = {"comment": {"html_body": html(note), "public": False}}
        if self._settings.write_external_id:
            body["external_id"] = link.global_id
        return self._write(ticket_id, body, link.global_id)

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        raw = self._client.get(f"/tickets/{ticket_id}")["ticket"]
        if raw.get("external_id") == global_id:
            self._client.send("PUT", f"/tickets/{ticket_id}", {"ticket": {"external_id": None}})

    def _upload(self, file: Upload) -> dict[str, Any]:
        answer = self._client.send(
            "POST",
            "/uploads",
            params={"filename": file.name},
            content=file.open(),
            headers={"Content-Type": file.content_type},
        )
        upload: dict[str, Any] = answer["upload"]
        return upload

    def _write(self, ticket_id: str, body: dict[str, Any], marker: str) -> WrittenComment:
        path = f"/tickets/{ticket_id}"
        answer = self._client.send("PUT", path, {"ticket": {**body, "metadata": {mapping.MARKER: marker}}})
        for event in answer["audit"]["events"]:
            if event["type"] == "Comment":
                visibility = Visibility.PUBLIC if event.get("public", True) else Visibility.PRIVATE
                files = tuple(str(a["id"]) for a in event.get("attachments") or ())
                return WrittenComment(str(event["id"]), visibility, files, str(answer["ticket"]["updated_at"]))
        raise PermanentError(self._client.name, f"PUT {path}", "Zendesk took the comment but does not show it.")


def html(text: Markdown, pictures: Mapping[str, str] = MappingProxyType({})) -> str:
    """A text as it is written. `pictures` are the addresses of files by name."""
    return to_html(canonical(defuse(text)), image_url=pictures.get)
