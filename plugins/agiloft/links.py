"""How a counterpart is shown: its address in a column, where the settings name one, and a private note."""

from __future__ import annotations

from hub.connector import NewComment, RemoteLink, WrittenComment
from hub.text import canonical, from_plain, to_plain
from hub.ticket import Markdown, Visibility
from plugins.agiloft import mapping
from plugins.agiloft.client import AgiloftClient
from plugins.agiloft.comments import AppendedEntries, CommentRecords
from plugins.agiloft.settings import AgiloftSettings


class Links:
    """The links of one table's records, for comments of either form."""

    def __init__(
        self, settings: AgiloftSettings, client: AgiloftClient, comments: CommentRecords | AppendedEntries
    ) -> None:
        self._settings, self._client, self._comments = settings, client, comments

    def show(self, ticket_id: str, link: RemoteLink) -> WrittenComment:
        """The address in its column first, which can be repeated, and then the note."""
        if column := self._settings.columns.link:
            self._client.change(self._settings.table, ticket_id, {column: link.url})
        note = link.note or Markdown(f"[{link.key}]({link.url})")
        if link.url not in to_plain(note):
            # By the address in its note `remove` knows whose address stands in the column.
            note = canonical(f"{note}\n\n{from_plain(link.url)}")
        private = NewComment(text=note, visibility=Visibility.PRIVATE, marker=link.global_id)
        return self._comments.add(ticket_id, private)

    def remove(self, ticket_id: str, global_id: str) -> None:
        """Empties the column where it holds this link's address, and deletes the note where notes can be deleted."""
        comments, settings = self._comments, self._settings
        column = settings.columns.link
        wanted = [c for c in (settings.columns.id, column, *comments.columns) if c]
        raw = self._client.record(settings.table, ticket_id, wanted)
        note = next((c for c in comments.of(ticket_id, raw) if c.marker == global_id), None)
        if note is None:
            return
        shown = mapping.words_of(raw.get(column)) if column else ""
        if shown and shown in to_plain(note.text):
            self._client.change(settings.table, ticket_id, {column: ""})
        if isinstance(comments, CommentRecords):
            comments.delete(note.id)
