"""What changes a request, and what its triggers hear of it. Input is checked before it comes here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from plugins.servicedesk_plus.sandbox.checking import resolve, user_of
from plugins.servicedesk_plus.sandbox.state import (
    DONE,
    REOPENED_BY_REPLIES,
    UDF_KINDS,
    File,
    Mail,
    Note,
    Request,
    Store,
    User,
)

Tell = Callable[[Request, User], None]
"""Called after each change with who made it."""
REFERENCES = {
    "status": "statuses",
    "priority": "priorities",
    "request_type": "request_types",
    "mode": "modes",
    "group": "support_groups",
}
_DROPPED = re.compile(
    r"<(script|style)\b.*?</\1\s*>|<(script|style)\b[^>]*>|\son\w+\s*=\s*(\"[^\"]*\"|'[^']*'|\S+)", re.S | re.I
)


def stored_html(text: str) -> str:
    """HTML as it is kept: without what runs."""
    return _DROPPED.sub("", text)


class Changes:
    """Every write. `notes_touch` says whether a note or mail changes the time of its request: builds differ."""

    def __init__(self, store: Store, tell: Tell, notes_touch: Callable[[], float]) -> None:
        self._store, self._tell, self._notes_touch = store, tell, notes_touch

    def create(self, actor: User, body: Mapping[str, Any], files: Sequence[File] = ()) -> Request:
        store, now = self._store, self._store.now()
        number = store.number("requests")
        request = Request(
            id=number,
            display_id=store.display_number(number),
            subject=str(body["subject"]),
            description=stored_html(str(body.get("description") or "")),
            requester=self._requester(actor, body.get("requester")),
            created_by=actor,
            created=now,
            updated=now,
            files=list(files),
        )
        self._write(actor, request, {k: v for k, v in body.items() if k not in ("subject", "description", "requester")})
        store.requests[number] = request
        self._tell(request, actor)
        return request

    def update(self, actor: User, request: Request, body: Mapping[str, Any]) -> None:
        self._write(actor, request, body)
        self.touch(actor, request)

    def resolve(self, actor: User, request: Request, content: str) -> None:
        """Fills the resolution; the status stays."""
        self._write(actor, request, {"resolution": {"content": content}})
        self.touch(actor, request)

    def attach(self, actor: User, request: Request, file: File) -> None:
        request.files.append(file)
        self.touch(actor, request)

    def add_note(self, actor: User, request: Request, text: str, files: Sequence[File], *, shown: bool) -> Note:
        now = self._store.now()
        number = self._store.number("notes")
        note = Note(number, actor, stored_html(text), shown, now, now, actor, list(files))
        request.notes.append(note)
        self._said(actor, request)
        return note

    def edit_note(self, actor: User, request: Request, note: Note, text: str | None, *, shown: bool | None) -> None:
        if text is not None:
            note.description = stored_html(text)
        if shown is not None:
            note.shown = shown
        note.updated, note.updated_by = self._store.now(), actor
        self._said(actor, request)

    def drop_note(self, actor: User, request: Request, note: Note) -> None:
        request.notes.remove(note)
        self._said(actor, request)

    def mail(
        self,
        actor: User | None,
        request: Request,
        text: str,
        files: Sequence[File],
        *,
        kind: str,
        to: Sequence[str],
        subject: str = "",
    ) -> Mail:
        """A mail of the conversation: a reply of either side, a forward, or one that the server wrote."""
        store = self._store
        shown = kind in ("REPLY", "REQREPLY")
        title = subject or f"Re: {request.subject}"
        mail = Mail(
            store.number("notifications"),
            actor,
            kind,
            title,
            stored_html(text),
            list(to),
            shown,
            store.now(),
            list(files),
        )
        request.mails.append(mail)
        if kind == "REQREPLY" and request.status in REOPENED_BY_REPLIES:
            request.status = "Open"
            request.updated = store.now()
        if actor is not None:
            self._said(actor, request)
        return mail

    def trash(self, actor: User, request: Request, *, is_trashed: bool) -> None:
        request.is_trashed = is_trashed
        self.touch(actor, request)

    def merge(self, actor: User, into: Request, others: Sequence[Request]) -> None:
        """The others are gone; what was said in them is in the first."""
        for other in others:
            into.notes += other.notes
            into.mails += other.mails
            into.files += other.files
            del self._store.requests[other.id]
        self.touch(actor, into)

    def touch(self, actor: User, request: Request) -> None:
        request.updated = self._store.now()
        self._tell(request, actor)

    def _said(self, actor: User, request: Request) -> None:
        if self._notes_touch():
            request.updated = self._store.now()
        self._tell(request, actor)

    def _requester(self, actor: User, reference: Any) -> User:
        if reference is None:
            return actor
        known = user_of(self._store, reference)
        email = reference.get("email_id")
        return known or self._store.add_requester(str(reference.get("name") or email), email)

    def _write(self, actor: User, request: Request, body: Mapping[str, Any]) -> None:
        if "subject" in body:
            request.subject = str(body["subject"])
        if "description" in body:
            request.description = stored_html(str(body["description"] or ""))
        if body.get("requester") is not None:
            request.requester = self._requester(actor, body["requester"])
        if "technician" in body:
            request.technician = user_of(self._store, body["technician"])
        for name, kind in REFERENCES.items():
            if name in body and (body[name] is not None or name != "status"):
                setattr(request, name, resolve(self._store, kind, body[name]))
        if "tags" in body:
            request.tags = list(dict.fromkeys(str(t["name"]) for t in body["tags"] or ()))
        if body.get("resolution") is not None:
            request.resolution = stored_html(str(body["resolution"].get("content") or ""))
            request.resolved_by, request.resolved_at = actor, self._store.now()
        if body.get("closure_info") is not None:
            request.closure = dict(body["closure_info"])
        if request.status in DONE and request.resolved_at is None:
            request.resolved_by, request.resolved_at = actor, self._store.now()
        dates = {name for purpose, name in self._store.udf.items() if UDF_KINDS[purpose] == "date"}
        for name, value in (body.get("udf_fields") or {}).items():
            request.udf[name] = value["value"] if name in dates and value is not None else value
