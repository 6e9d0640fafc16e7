"""Articles, which are OTRS's comments; the hub's mark is a dynamic field of theirs. Source: recorded exchanges
`article.*`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from hub.connector import Changes, NewComment, RefusedError, RemoteLink, Upload, WrittenComment
from hub.ticket import Markdown, Visibility
from plugins.otrs import mapping
from plugins.otrs.client import OtrsClient
from plugins.otrs.files import Files
from plugins.otrs.refusals import explained
from plugins.otrs.settings import OtrsSettings
from plugins.otrs.tickets import ALL, Tickets
from plugins.otrs.times import ServerClock


class Articles:
    """The articles of one OTRS's tickets. `zone` is the server's, where the settings name it."""

    def __init__(
        self, client: OtrsClient, settings: OtrsSettings, zone: ZoneInfo | None, tickets: Tickets, files: Files
    ) -> None:
        self._client, self._settings, self._zone = client, settings, zone
        self._tickets, self._files = tickets, files

    def add(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        """One call, and a second one for the ids of files."""
        article = body_of(comment.text, comment.visibility)
        if comment.author is not None and self._settings.sender_address:
            name = " ".join(re.sub(r"[^\w.\- ]", " ", comment.author.label).split())
            article["From"] = f"{name or 'Somebody'} via hub <{self._settings.sender_address}>"
        return self._write(ticket_id, article, comment.marker, comment.uploads)

    def find(self, ticket_id: str, marker: str) -> WrittenComment | None:
        """The article with this mark."""
        for article in mapping.all_articles_of(self._tickets.one(ticket_id, **ALL)):
            comment = mapping.comment(self._settings, article, ServerClock(self._zone))
            if comment.marker == marker:
                return WrittenComment(comment.id, comment.visibility, tuple(a.id for a in comment.attachments))
        return None

    def show_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment:
        """An internal note and the address in `link_field`, in one call. The note's heading is the address, by which
        `remove_link` knows whose address stands in the field."""
        note = link.note or Markdown(f"[{link.key}]({link.url})")
        article = body_of(note, Visibility.PRIVATE, subject=link.url)
        more = [{"Name": self._settings.link_field, "Value": link.url}] if self._settings.link_field else []
        return self._write(ticket_id, article, link.global_id, fields=more)

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        field = self._settings.link_field
        if not field:
            return
        raw = self._tickets.one(ticket_id, AllArticles=1, DynamicFields=1)
        shown = mapping.dynamic_fields(raw).get(field)
        marker = self._settings.comment_marker_field
        notes = [a for a in mapping.all_articles_of(raw) if mapping.dynamic_fields(a).get(marker) == global_id]
        if shown and any(note.get("Subject") == shown for note in notes):
            self._client.ask("/change", TicketID=ticket_id, DynamicField=[{"Name": field, "Value": ""}])

    def _write(
        self,
        ticket_id: str,
        article: dict[str, Any],
        marker: str,
        uploads: Sequence[Upload] = (),
        fields: Sequence[dict[str, Any]] = (),
    ) -> WrittenComment:
        body: dict[str, Any] = {
            "Article": article,
            "DynamicField": [{"Name": self._settings.comment_marker_field, "Value": marker}, *fields],
        }
        files = [self._files.encoded(upload) for upload in uploads]
        if files:
            body["Attachment"] = files
        try:
            article_id = str(self._client.ask("/change", TicketID=ticket_id, **body)["ArticleID"])
        except RefusedError as error:
            raise explained(self._settings, error, Changes()) from error
        visibility = mapping.visibility_of(article["IsVisibleForCustomer"])
        names = [file["Filename"] for file in files]
        return WrittenComment(
            article_id, visibility, self._files.new_ids(ticket_id, article_id, names) if names else ()
        )


def body_of(text: Markdown, visibility: Visibility, *, subject: str = "") -> dict[str, Any]:
    """An article as it is written. Left out, IsVisibleForCustomer means visible; so it is always there, as a number."""
    body = mapping.body_of(text)
    return {
        "Subject": subject or mapping.subject_of(body),
        "Body": body,
        "ContentType": "text/plain; charset=utf-8",
        "CommunicationChannel": "Internal",
        "SenderType": "agent",
        "IsVisibleForCustomer": 1 if visibility.is_public else 0,
    }
