"""MantisBT, spoken over its REST API.

Source: recorded exchanges with 2.28.4 and 2.29.0-dev, and the source of both; the points that surprise are named
where they matter.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from hub.connector import (
    AuthError,
    Capability,
    Changes,
    Connector,
    Created,
    Draft,
    Finding,
    Hint,
    Identity,
    Ignored,
    Known,
    NewComment,
    NotFoundError,
    PermanentError,
    Polled,
    RefusedError,
    RemoteLink,
    Role,
    SecretHeader,
    Unwritable,
    Upload,
    WebhookRequest,
    Written,
    WrittenComment,
)
from hub.rest import CHUNK
from hub.settings.trackers import TrackerSettings
from hub.ticket import Attachment, Markdown, Snapshot, Status, Value, Visibility
from plugins.mantis import mapping, payloads, polling, texts
from plugins.mantis.checks import findings
from plugins.mantis.client import MantisClient, ReadOnlyError
from plugins.mantis.facts import Facts
from plugins.mantis.moves import moves
from plugins.mantis.settings import MantisSettings
from plugins.mantis.writing import Writing

LOOK_BACK = timedelta(days=30)
"""How far back a half-made issue is looked for: the API cannot search, so every issue changed since is listed."""


class MantisConnector(Connector):
    """One MantisBT site; new issues go to one project, issues of every project can be linked."""

    kind = "mantis"
    role = Role.BUG_TRACKER
    settings_model = MantisSettings
    webhook_scheme = SecretHeader(header="X-Hub-Secret")
    default_statuses = mapping.STATUSES
    default_priorities = mapping.PRIORITIES
    max_attachment_bytes: ClassVar[int] = 5 * 1024 * 1024

    def __init__(self, name: str, settings: TrackerSettings) -> None:
        super().__init__(name, settings)
        assert isinstance(settings, MantisSettings)
        self._settings = settings
        self._client = MantisClient(self, settings)
        self._facts = Facts(self._client, settings.project)
        self._writing = Writing(self, self._client, settings, self._facts)

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset(
            {
                Capability.CREATE, Capability.UPDATE, Capability.COMMENTS, Capability.PRIVATE_COMMENTS,
                Capability.EDIT_COMMENTS, Capability.DELETE_COMMENTS, Capability.ATTACHMENTS, Capability.WEBHOOKS,
                Capability.POLLING, Capability.REMOTE_LINKS, Capability.TRANSITIONS,
            }
        )  # fmt: skip

    def identify(self) -> Identity:
        me = self._facts.me()
        name = str(me.get("real_name") or me["name"])
        return Identity(str(me["id"]), name, self._client.clock_skew, self._facts.version)

    # reading

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        """One call: notes and files stand in the issue. All of it is asked for, because the lock's tag is of all."""
        raw, version = self._issue(ticket_id)
        me = self._facts.me()
        issue_id, own_id = str(raw["id"]), str(me["id"])
        notes = [mapping.comment(self._settings, n, issue_id, own_id) for n in raw.get("notes") or ()]
        notes.sort(key=lambda c: (c.created, int(c.id)))
        return Snapshot(
            ticket=mapping.ticket(self._settings, self, raw, mapping.zone(me.get("timezone"))),
            read_at=datetime.now(UTC),
            version=version,
            comments=tuple(notes),
            comment_count=len(notes),
            attachments=tuple(mapping.attachment(self._settings, a, issue_id) for a in raw.get("attachments") or ()),
        )

    def _issue(self, ticket_id: str, **select: str) -> tuple[dict[str, Any], str]:
        """An issue as MantisBT tells it, and its tag. A deleted one cannot be told from one that never was."""
        number = ticket_id.lstrip("#")
        doing = f"GET /issues/{number}"
        if not (number.isascii() and number.isdigit()):
            raise NotFoundError(self.name, doing, "MantisBT's issues have numbers")
        body, headers = self._client.exchange("GET", f"/issues/{number}", params=select)
        return dict(body["issues"][0]), str(headers.get("etag", ""))

    @contextmanager
    def download(self, attachment: Attachment) -> Iterator[Iterator[bytes]]:
        """A file comes as base64 within JSON; an unknown one as an empty list."""
        base = f"{self._settings.url}{self._client.api}"
        path = attachment.url.removeprefix(base)
        if path == attachment.url:
            raise NotFoundError(self.name, "download a file", f"{attachment.name} is none of this site's files")
        files = self._client.get(path)["files"]
        if not files:
            raise NotFoundError(self.name, f"GET {path}", "there is no such file")
        content = base64.b64decode(files[0]["content"])
        yield (content[at : at + CHUNK] for at in range(0, len(content), CHUNK))

    # pure translation

    def hold(self, field_name: str, value: Value) -> Value:
        if field_name == "title" and isinstance(value, str):
            return texts.held_title(self._settings, value)
        field = self._settings.fields.get(field_name.removeprefix("custom:"))
        if not field_name.startswith("custom:") or field is None:
            return super().hold(field_name, value)
        if value is None and field.id in mapping.BUILT_IN:
            raise Unwritable(f"every issue of {self.name} has a {field.id}")
        return mapping.field_value(field, mapping.native_value(self._settings, field, value, UTC), UTC)

    def hold_text(self, text: Markdown) -> Markdown:
        return texts.neutral_text(self._settings, texts.native_text(self._settings, text))

    def hold_label(self, label: str) -> str:
        return texts.held_label(self._settings, label)

    # writing

    def create(self, draft: Draft) -> Created:
        """One call, after what MantisBT would take without a word and drop has been looked at."""
        body = self._writing.new_issue(draft)
        try:
            raw = self._client.send("POST", "/issues", body)["issue"]
        except RefusedError as error:
            raise self._writing.in_neutral_words(error) from error
        return self._created(raw["id"])

    def find_ticket(self, marker: str) -> Created | None:
        """Looks through the project's issues that changed within `LOOK_BACK`; a list, and so without any lag."""
        select = "id,updated_at,sticky,additional_information,custom_fields"
        for page in polling.pages(self._server_time() - LOOK_BACK, self._lister(select, self._facts.project_id())):
            for raw in page:
                if marker in mapping.marker_of(self._settings, raw):
                    return self._created(raw["id"])
        return None

    def _created(self, issue_id: object) -> Created:
        return Created(str(issue_id), f"#{issue_id}", mapping.address(self._settings, issue_id))

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        """One PATCH. Tags can only be replaced as a whole, so they need the lock, and a look where there is none."""
        native = basis.ticket.native if basis else {}
        body = self._writing.native(changes.values, int(native.get("project") or 0) or None)
        version = basis.version if basis else ""
        if changes.add_labels or changes.remove_labels:
            labels = basis.ticket.labels if basis else frozenset[str]()
            if not version:
                raw, version = self._issue(ticket_id)
                labels = frozenset(str(tag["name"]) for tag in raw.get("tags") or ())
            body["tags"] = self._writing.tags(labels, changes)
        names = [*changes.values, *(["labels"] if "tags" in body else [])]
        return Written(self._patch(ticket_id, body, version, names)) if body else Written(version)

    def transition(self, ticket_id: str, status: Status) -> Written:
        """Hop by hop along the project's workflow, which MantisBT's API itself does not keep to."""
        raw, version = self._issue(ticket_id)
        wanted, project_id = self.native("status", status), int(raw["project"]["id"])
        try:
            if self._facts.number("status", wanted.partition("/")[0], project_id) is None:
                raise LookupError(f"the site has no status {wanted!r}")
            bodies = moves(self._facts.config(project_id), self._settings, raw, wanted, self.statuses.meaning)
        except LookupError as error:
            remedy = f"Look at trackers.{self.name}.statuses and resolution, and at the project's workflow."
            raise RefusedError(self.name, f"move {ticket_id} to {wanted}", {"status": str(error)}, remedy) from error
        for body in bodies:
            version = self._patch(ticket_id, body, version, ["status"])
        return Written(version)

    def _patch(self, ticket_id: str, body: Mapping[str, Any], version: str, names: Sequence[str]) -> str:
        """Writes to an issue as it stood at `version`; returns its version after that."""
        headers = {"If-Match": version} if version else {}
        path = f"/issues/{ticket_id}"
        try:
            _, told = self._client.exchange("PATCH", path, json=dict(body), headers=headers)
        except ReadOnlyError as error:
            raise RefusedError(self.name, error.doing, dict.fromkeys(names, error.why), error.remedy) from error
        except RefusedError as error:
            raise self._writing.in_neutral_words(error) from error
        return str(told.get("etag", ""))

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        """One call with its files. MantisBT takes a note without a view state for public, so it is always sent."""
        text = texts.native_text(self._settings, comment.text)
        body: dict[str, Any] = {
            "text": texts.marked(text, comment.marker),
            "view_state": mapping.view_state(comment.visibility),
        }
        if comment.uploads:
            body["files"] = [self._file(upload) for upload in comment.uploads]
        note = self._client.send("POST", f"/issues/{ticket_id}/notes", body)["note"]
        return _receipt(note)

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        raw, _ = self._issue(ticket_id, select="id,notes")
        own_id = self._facts.me()["id"]
        for note in raw.get("notes") or ():
            if note["reporter"]["id"] == own_id and texts.unmarked(note.get("text"))[1] == marker:
                return _receipt(note)
        return None

    def edit_comment(self, ticket_id: str, comment_id: str, text: Markdown, visibility: Visibility) -> None:
        """Through the issue, the only way there is. Read first, because the note's mark must stay under it; without
        its view state a private note would become public."""
        raw, version = self._issue(ticket_id)
        note = next((n for n in raw.get("notes") or () if str(n["id"]) == comment_id), None)
        doing = f"edit note {comment_id} of {ticket_id}"
        if note is None:
            raise NotFoundError(self.name, doing, "there is no such note")
        mark, words = texts.unmarked(note.get("text"))[1], texts.native_text(self._settings, text)
        body = {
            "id": int(comment_id),
            "text": texts.marked(words, mark) if mark else words,
            "view_state": mapping.view_state(visibility),
        }
        try:
            self._patch(ticket_id, {"notes": [body]}, version, ["comment"])
        except RefusedError as error:
            raise AuthError(self.name, doing, error.why, error.remedy) from error

    def delete_comment(self, ticket_id: str, comment_id: str) -> None:
        try:
            self._client.send("DELETE", f"/issues/{ticket_id}/notes/{comment_id}")
        except NotFoundError:
            return

    def attach(self, ticket_id: str, upload: Upload) -> Attachment:
        """Two calls: the answer to the first is empty, and tells neither id nor the name that the file got."""
        self._client.send("POST", f"/issues/{ticket_id}/files", {"files": [self._file(upload)]})
        raw, _ = self._issue(ticket_id, select="id,attachments")
        own = [a for a in raw.get("attachments") or () if a["reporter"]["id"] == self._facts.me()["id"]]
        same = [a for a in own if a.get("size") == upload.size] or own
        if not same:
            raise PermanentError(self.name, f"POST /issues/{ticket_id}/files", "MantisBT took it but does not show it.")
        return mapping.attachment(self._settings, max(same, key=lambda a: int(a["id"])), str(raw["id"]))

    def _file(self, upload: Upload) -> dict[str, str]:
        with upload.open() as content:
            encoded = base64.b64encode(content.read()).decode()
        return {"name": texts.file_name(self._settings, upload.name), "content": encoded}

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        """A private note: MantisBT has no links to elsewhere."""
        note = link.note or Markdown(f"[{link.key}]({link.url})")
        comment = NewComment(text=self._with_address(note, link), visibility=Visibility.PRIVATE, marker=link.global_id)
        return self.add_comment(ticket_id, comment)

    def _with_address(self, note: Markdown, link: RemoteLink) -> Markdown:
        """Plain text has no links: the address is written out, and the site makes it one."""
        return note if self._settings.markdown or not link.url else Markdown(f"{note}\n\n<{link.url}>")

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        note = self.find_comment(ticket_id, global_id)
        if note is not None:
            self.delete_comment(ticket_id, note.id)

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        return payloads.parse(request)

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        """Issues of every project. A deletion cannot be seen by this."""
        if self._client.clock_skew is None:
            self._facts.me()
        return polling.look(cursor, self._server_time(now), self._lister("id,updated_at,sticky"))

    def _server_time(self, now: datetime | None = None) -> datetime:
        return (now or datetime.now(UTC)) + timedelta(seconds=self._client.clock_skew or 0.0)

    def _lister(self, select: str, project_id: int | None = None) -> polling.Listing:
        def listing(size: int) -> Sequence[Mapping[str, Any]]:
            answer = self._client.get("/issues", page=1, page_size=size, select=select, project_id=project_id)
            return list(answer["issues"])

        return listing

    def check(self) -> list[Finding]:
        return findings(self, self._settings, self._facts)

    def close(self) -> None:
        self._client.close()


def _receipt(note: Mapping[str, Any]) -> WrittenComment:
    files = tuple(str(a["id"]) for a in note.get("attachments") or ())
    return WrittenComment(str(note["id"]), mapping.visibility(note.get("view_state")), files)
