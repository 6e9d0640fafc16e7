"""What is said about a request: notes and mails, which ServiceDesk Plus keeps apart.

A list of notes may leave out who may read them, and a list of mails leaves out their text, so that both are read one by
one where need be. A mail never changes: it is remembered. Sources: sdpop-v3-api, "Request Note"; trackers' notes,
section 3.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hub.connector import NewComment, NotFoundError, PermanentError, TemporaryError, WrittenComment
from hub.parts.stamps import stamped, unstamped
from hub.ticket import Comment, Markdown, Visibility
from plugins.servicedesk_plus import bodies, mapping, texts
from plugins.servicedesk_plus.client import ServiceDeskPlusClient

log = logging.getLogger("hub.servicedesk_plus")

MOST_MAILS = 2000
"""Mails that are remembered; then those that were read longest ago are forgotten."""
SYSTEM = "system"
"""The name of whoever writes automatic mails."""
NOTE_KEYS = ("request_note", "note")
NEEDED_OF_NOTES = ("description", "show_to_requester")


class Conversations:
    """Notes and mails of requests; used by all threads."""

    def __init__(self, client: ServiceDeskPlusClient, own_account: Callable[[], str], *, is_cloud: bool) -> None:
        """`own_account` gives the id of the technician of the settings."""
        self._client, self._own_account, self._is_cloud = client, own_account, is_cloud
        self._also_own: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self._mails: OrderedDict[tuple[str, str], Mapping[str, Any]] = OrderedDict()

    # reading

    def all(self, request_id: str, *, has_notes: bool) -> tuple[Comment, ...]:
        """All comments in the order they were written; by number where they share a moment."""
        own, base = self._own(), f"{self._client.url}{self._client.api}/requests/{request_id}"
        notes = self.notes(request_id) if has_notes else ()
        found = [mapping.note(raw, own, f"{base}/notes/{raw['id']}") for raw in notes]
        for row in self._client.rows(f"/requests/{request_id}/conversations", "conversations"):
            if is_mail_of_people(row):
                number = _mail_number(row)
                body = self._mail(request_id, number)
                if body is not None:
                    found.append(mapping.mail({**row, "id": number}, body, own, f"{base}/notifications/{number}"))
        return tuple(sorted(found, key=lambda c: (c.created, c.id.partition("-")[2].zfill(20))))

    def notes(self, request_id: str) -> Iterator[Mapping[str, Any]]:
        """All notes, each with what is needed of it."""
        for raw in self._client.rows(f"/requests/{request_id}/notes", "notes"):
            if all(raw.get(key) is not None for key in NEEDED_OF_NOTES):
                yield raw
                continue
            try:
                yield {**raw, **self.note(request_id, str(raw["id"]))}
            except NotFoundError:
                # It was deleted since the list was made.
                continue

    def note(self, request_id: str, note_id: str) -> Mapping[str, Any]:
        """One note."""
        return inner(self._client.show(f"/requests/{request_id}/notes/{note_id}"))

    def find(self, request_id: str, marker: str) -> WrittenComment | None:
        """The hub's own comment with this mark."""
        for comment in self.all(request_id, has_notes=True):
            if comment.marker == marker:
                return WrittenComment(comment.id, comment.visibility, tuple(a.id for a in comment.attachments))
        return None

    # writing

    def add_note(self, request_id: str, comment: NewComment) -> WrittenComment:
        """A note. Its files are sent before and named in it, so that they are as private as it is."""
        base, is_public = f"/requests/{request_id}", comment.visibility.is_public
        files = [self._client.upload(f"{base}/notes/upload", upload) for upload in comment.uploads]
        body = bodies.of_note(_marked(comment), files, is_public=is_public, is_cloud=self._is_cloud)
        answer = self._client.write("POST", f"{base}/notes", body)
        return self._written(mapping.NOTE, inner(answer), comment.visibility, files)

    def reply(self, request: Mapping[str, Any], comment: NewComment) -> WrittenComment:
        """A mail to the requester, who has an address."""
        base, email = f"/requests/{request['id']}", str(request["requester"]["email_id"])
        files = [self._client.upload(f"{base}/notifications/upload", upload) for upload in comment.uploads]
        body = bodies.of_reply(_marked(comment), files, request, email)
        answer = self._client.write("POST", f"{base}/notifications", body)
        return self._written(mapping.MAIL, answer.get("notification") or {}, Visibility.PUBLIC, files)

    def edit(self, request_id: str, comment_id: str, text: Markdown, visibility: Visibility) -> None:
        """Changes a note, which is read first for the mark that it must keep."""
        number = self._note_number(comment_id)
        marker = unstamped(str(self.note(request_id, number).get("description") or ""))[1]
        html = texts.text_to_html(text)
        note = bodies.of_note(
            stamped(html, marker) if marker else html,
            (),
            is_public=visibility.is_public,
            is_cloud=self._is_cloud,
        )
        self._client.write("PUT", f"/requests/{request_id}/notes/{number}", note)

    def delete(self, request_id: str, comment_id: str) -> None:
        """Deletes a note."""
        self._client.write("DELETE", f"/requests/{request_id}/notes/{self._note_number(comment_id)}")

    def _own(self) -> frozenset[str]:
        return self._also_own | {self._own_account()}

    def _note_number(self, comment_id: str) -> str:
        kind, _, number = comment_id.partition("-")
        if kind != mapping.NOTE:
            raise PermanentError(self._client.name, f"change {comment_id}", "a mail cannot be changed once it was sent")
        return number

    def _written(
        self, kind: str, raw: Mapping[str, Any], visibility: Visibility, files: Sequence[str]
    ) -> WrittenComment:
        """The receipt; whoever the answer names as the author is one of the hub's accounts."""
        name = self._client.name
        if not raw.get("id"):
            # It may have been written: the hub looks for its mark before it tries again.
            raise TemporaryError(name, f"add a {kind}", "the answer does not say what was written")
        author = mapping.person(raw.get("created_by") or raw.get("added_by"))
        if author.id and author.id not in self._own():
            self._also_own |= {author.id}
            log.warning(
                "%s: the key belongs to %s, not to the technician of trackers.%s.account; correct that setting",
                name, author.label, name,
            )  # fmt: skip
        return WrittenComment(f"{kind}-{raw['id']}", visibility, tuple(files))

    def _mail(self, request_id: str, number: str) -> Mapping[str, Any] | None:
        """The content of a mail; None for one that was deleted since the list was made."""
        key = (request_id, number)
        with self._lock:
            if key in self._mails:
                self._mails.move_to_end(key)
                return self._mails[key]
        try:
            answer = self._client.show(f"/requests/{request_id}/notifications/{number}")
        except NotFoundError:
            return None
        read: Mapping[str, Any] = answer.get("notification") or {}
        with self._lock:
            self._mails[key] = read
            while len(self._mails) > MOST_MAILS:
                self._mails.popitem(last=False)
        return read


def _marked(comment: NewComment) -> str:
    return stamped(texts.text_to_html(comment.text), comment.marker)


def inner(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The note in an answer, whatever this edition calls it."""
    return next((answer[key] for key in NOTE_KEYS if isinstance(answer.get(key), dict)), {})


def _mail_number(row: Mapping[str, Any]) -> str:
    """The number under which a mail is read: that of the address of its content."""
    found = re.search(r"/notifications/(\d+)", str(row.get("content_url") or ""))
    return found.group(1) if found else str(row["id"])


def is_mail_of_people(row: Mapping[str, Any]) -> bool:
    """Neither a note, which the list may hold too, nor a mail that the server wrote by itself."""
    kind = str(row.get("type") or "").casefold()
    is_note = "note" in kind or "/notes/" in str(row.get("content_url") or "")
    author = row.get("created_by") or row.get("from")
    return not is_note and bool(row.get("id")) and bool(author) and mapping.name_of(author).casefold() != SYSTEM
