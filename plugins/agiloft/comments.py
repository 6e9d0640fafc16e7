"""Where comments stand: records of a table of their own, or entries of append-only columns.

Agiloft has no comments as such; both are local choice, which the settings name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hub.connector import Capability, NewComment, TemporaryError, WrittenComment
from hub.text import to_plain
from hub.ticket import Comment, Markdown, Person, Visibility
from plugins.agiloft import entries, mapping
from plugins.agiloft.client import AgiloftClient, Json
from plugins.agiloft.entries import Entries
from plugins.agiloft.files import Files
from plugins.agiloft.query import equals
from plugins.agiloft.settings import AgiloftSettings, AppendedComments, TableComments
from plugins.agiloft.times import LocalTimes

UNFINISHED = "~"
"""Ends the mark of a comment whose files are still under way, so that it is not taken for a whole one."""
UNKNOWN_TIME = datetime.min.replace(tzinfo=UTC)


class CommentRecords:
    """Each comment is a record that names its ticket."""

    columns: Sequence[str] = ()
    """Columns of the ticket that are to be read for them."""

    def __init__(self, settings: AgiloftSettings, at: TableComments, client: AgiloftClient, files: Files) -> None:
        self._settings, self._at, self._client, self._files = settings, at, client, files
        self._times = LocalTimes.of(settings)
        self._visibilities = {word.casefold(): Visibility.PUBLIC for word in at.public}
        self._visibilities |= {word.casefold(): Visibility.PRIVATE for word in at.private}
        offered = {Capability.COMMENTS, Capability.EDIT_COMMENTS, Capability.DELETE_COMMENTS}
        if at.visibility or at.all_are == "private":
            offered.add(Capability.PRIVATE_COMMENTS)
        self.capabilities = frozenset(offered)

    def of(self, ticket_id: str, raw: Mapping[str, Any]) -> list[Comment]:
        """All of a ticket's comments, oldest first: one call, and one more for each that has files."""
        found = [self._comment(row) for row in self._rows(equals(self._at.ticket, ticket_id))]
        # Ids rise in the order of the writes; times have whole seconds only.
        return sorted(found, key=lambda comment: (comment.created, int(comment.id)))

    def add(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        """One call; with files the comment is unfinished, for staff only, until all of them are there."""
        visibility = self._written_as(comment.visibility)
        if not comment.uploads:
            values = self._values(ticket_id, comment, comment.marker, visibility)
            return WrittenComment(self._client.insert(self._at.table, values), visibility)
        unfinished = f"{comment.marker}{UNFINISHED}"
        begun = self.find(ticket_id, unfinished)
        private = self._written_as(Visibility.PRIVATE)
        comment_id = (
            begun.id
            if begun
            else self._client.insert(self._at.table, self._values(ticket_id, comment, unfinished, private))
        )
        files = [
            self._files.add(self._at.table, comment_id, self._at.attachments, upload)
            if self._at.attachments
            else self._files.add_for(ticket_id, upload, visibility)
            for upload in comment.uploads
        ]
        finished = {self._at.marker: comment.marker, **self._visibility_value(visibility)}
        self._client.change(self._at.table, comment_id, finished)
        return WrittenComment(comment_id, visibility, tuple(file.id for file in files))

    def _values(self, ticket_id: str, comment: NewComment, marker: str, visibility: Visibility) -> dict[str, Any]:
        is_linked = self._at.ticket in self._settings.linked_columns
        return {
            self._at.ticket: mapping.linked(ticket_id) if is_linked else ticket_id,
            self._at.text: mapping.text_to_native(self._settings, comment.text),
            self._at.marker: marker,
            **self._visibility_value(visibility),
        }

    def find(self, ticket_id: str, marker: str) -> WrittenComment | None:
        query = f"{equals(self._at.ticket, ticket_id)}&&{equals(self._at.marker, marker)}"
        for row in self._rows(query):
            if mapping.words_of(row.get(self._at.marker)) == marker:
                found = self._comment(row)
                return WrittenComment(found.id, found.visibility, tuple(file.id for file in found.attachments))
        return None

    def edit(self, comment_id: str, text: Markdown, visibility: Visibility) -> None:
        values = {self._at.text: mapping.text_to_native(self._settings, text)}
        self._client.change(self._at.table, comment_id, {**values, **self._visibility_value(visibility)})

    def delete(self, comment_id: str) -> None:
        self._client.delete(self._at.table, comment_id)

    def _rows(self, query: str) -> list[Json]:
        at = self._at
        wanted = (
            at.id, at.ticket, at.text, at.author, at.created, at.updated, at.marker, at.visibility, at.attachments,
        )  # fmt: skip
        return self._client.search(at.table, query, [column for column in wanted if column])

    def _comment(self, row: Mapping[str, Any]) -> Comment:
        at, times = self._at, self._times
        author, comment_id = mapping.words_of(row.get(at.author)), str(row[at.id])
        created = times.utc(mapping.words_of(row.get(at.created))) or UNKNOWN_TIME
        updated = times.utc(mapping.words_of(row.get(at.updated))) if at.updated else None
        return Comment(
            id=comment_id,
            author=Person(author, author),
            text=mapping.text_to_neutral(self._settings, row.get(at.text)),
            visibility=self._visibility(row),
            created=created,
            updated=updated if updated != created else None,
            attachments=self._files.of(at.table, comment_id, at.attachments, row),
            marker=mapping.words_of(row.get(at.marker)) or None,
        )

    def _visibility(self, row: Mapping[str, Any]) -> Visibility:
        """A word that the settings do not name is not known, and so counts as private."""
        if not self._at.visibility:
            return Visibility(self._at.all_are)
        return self._visibilities.get(mapping.words_of(row.get(self._at.visibility)).casefold(), Visibility.UNKNOWN)

    def _written_as(self, visibility: Visibility) -> Visibility:
        if not self._at.visibility:
            return Visibility(self._at.all_are)
        return Visibility.PUBLIC if visibility.is_public else Visibility.PRIVATE

    def _visibility_value(self, visibility: Visibility) -> dict[str, str]:
        if not self._at.visibility:
            return {}
        return {self._at.visibility: (self._at.public if visibility.is_public else self._at.private)[0]}


class AppendedEntries:
    """Each comment is an entry; what is written to the column is added to it."""

    def __init__(self, settings: AgiloftSettings, at: AppendedComments, client: AgiloftClient, files: Files) -> None:
        self._settings, self._at, self._client, self._files = settings, at, client, files
        self._entries = Entries(at.header, LocalTimes.of(settings), newest_first=at.newest_first)
        self.columns = [column for column in (at.public, at.private) if column]
        self.capabilities = frozenset({Capability.COMMENTS} | ({Capability.PRIVATE_COMMENTS} if at.private else set()))

    def of(self, ticket_id: str, raw: Mapping[str, Any]) -> list[Comment]:
        """No call: the columns came with the ticket."""
        found = [
            self._comment(entry, column)
            for column in self.columns
            for entry in self._entries.read(column, str(raw.get(column) or ""))
        ]
        return sorted(found, key=lambda comment: comment.created)

    def add(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        """Two calls: the write, and a look at what became of it, because no answer tells an entry's id. Files go
        first, so that an entry with the mark is a whole one."""
        is_public = bool(self._at.public) and (comment.visibility.is_public or not self._at.private)
        visibility = Visibility.PUBLIC if is_public else Visibility.PRIVATE
        files = [self._files.add_for(ticket_id, upload, visibility) for upload in comment.uploads]
        text = entries.marked(self.native(comment.text), comment.marker, [file.name for file in files])
        self._client.change(self._settings.table, ticket_id, {self._at.public if is_public else self._at.private: text})
        written = self.find(ticket_id, comment.marker)
        if written is None:
            why = "the entry was written, but is not among those that can be read"
            remedy = f"Compare trackers.{self._client.name}.comments.header with what stands above entries in Agiloft."
            raise TemporaryError(self._client.name, f"add a comment to {ticket_id}", why, remedy)
        return replace(written, attachment_ids=tuple(file.id for file in files))

    def find(self, ticket_id: str, marker: str) -> WrittenComment | None:
        """One call, and one for each file column of the ticket where the entry names files."""
        raw = self._client.record(self._settings.table, ticket_id, [self._settings.columns.id, *self.columns])
        for comment in self.of(ticket_id, raw):
            if comment.marker == marker:
                names = entries.named_files(to_plain(comment.text))
                files = {file.name: file.id for file in self._files.of_ticket(ticket_id, {})} if names else {}
                found = tuple(files[name] for name in names if name in files)
                return WrittenComment(comment.id, comment.visibility, found)
        return None

    def reads_nothing_from(self, raw: Mapping[str, Any]) -> list[str]:
        """Columns that hold a text, and no entry as far as the settings can tell."""
        return [c for c in self.columns if str(raw.get(c) or "").strip() and not self._entries.read(c, str(raw[c]))]

    def native(self, text: Markdown) -> str:
        """A text as it is written, with nothing in it that passes for another entry."""
        return self._entries.harmless(mapping.text_to_native(self._settings, text))

    def _comment(self, entry: entries.Entry, column: str) -> Comment:
        text, marker = entry.text, None
        if entry.who == self._settings.account:
            # Only the hub's own entries carry marks: others may quote one.
            text, marker = entries.unmarked(text)
        return Comment(
            id=entry.key,
            author=Person(entry.who, entry.who),
            text=mapping.text_to_neutral(self._settings, text),
            visibility=Visibility.PUBLIC if column == self._at.public else Visibility.PRIVATE,
            created=entry.at,
            marker=marker,
        )
