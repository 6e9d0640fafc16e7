"""GitLab issues, spoken over the REST API v4 of GitLab.com and self-managed instances.

Source: docs.gitlab.com, "Issues API", "Notes API", "Project uploads API"; the points that surprise are named where
they matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from hub.connector import (
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
    RemoteLink,
    Role,
    SecretHeader,
    Unwritable,
    Upload,
    WebhookRequest,
    Written,
    WrittenComment,
)
from hub.settings.trackers import TrackerSettings
from hub.text import from_plain
from hub.ticket import Attachment, Markdown, Person, Snapshot, Value, Visibility
from plugins.gitlab import mapping, payloads, polling, text
from plugins.gitlab.checks import check
from plugins.gitlab.client import PAGE, GitlabClient
from plugins.gitlab.labels import CLOSED, LABEL_LIMIT, NO_LABEL, NO_LABELS, SEVERAL, Families
from plugins.gitlab.settings import GitlabSettings

_KEY = re.compile(r"(?:(?P<project>[^#\s]*)#)?(?P<iid>\d+)")


class GitlabConnector(Connector):
    """The issues of one project."""

    kind = "gitlab"
    role = Role.BUG_TRACKER
    settings_model = GitlabSettings
    webhook_scheme = SecretHeader(header="X-Gitlab-Token")
    delivery_id_header = "idempotency-key"
    default_statuses = mapping.STATUSES
    default_priorities = mapping.PRIORITIES
    default_categories = mapping.CATEGORIES
    max_attachment_bytes: ClassVar[int] = 100 * 1024 * 1024

    def __init__(self, name: str, settings: TrackerSettings) -> None:
        super().__init__(name, settings)
        assert isinstance(settings, GitlabSettings)
        self._settings = settings
        self._client = GitlabClient(self, settings)
        self._identity: Identity | None = None
        self.families = Families(self.statuses, self.priorities, settings.fields)

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset(
            {
                Capability.CREATE, Capability.UPDATE, Capability.COMMENTS, Capability.PRIVATE_COMMENTS,
                Capability.EDIT_COMMENTS, Capability.DELETE_COMMENTS, Capability.ATTACHMENTS, Capability.WEBHOOKS,
                Capability.POLLING, Capability.REMOTE_LINKS, Capability.USERS, Capability.ATTACHMENTS_IN_COMMENTS,
            }
        )  # fmt: skip

    def identify(self) -> Identity:
        if self._identity is None:
            me = self._client.get("/user")
            self._identity = Identity(str(me["id"]), str(me["name"]), self._client.clock_skew)
        return self._identity

    # reading

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        """One call, and one for a hundred notes when their number says that they changed, or may have."""
        now = datetime.now(UTC)
        raw = self._client.get(f"~/issues/{self._iid(ticket_id)}")
        count = raw.get("user_notes_count")
        comments = None
        if known.must_read_comments or count is None or count != known.comment_count:
            comments = mapping.comments(self._settings, self._notes(str(raw["iid"])), raw, self._own_id())
        author = mapping.person(raw.get("author")) or Person()
        return Snapshot(
            ticket=mapping.ticket(self._settings, self, raw),
            read_at=now,
            comments=comments,
            comment_count=count if count is not None else len(comments or ()),
            attachments=mapping.attachments(self._settings, raw.get("description") or "", raw, author),
        )

    def _iid(self, ticket_id: str) -> int:
        """The number inside the project, of `12`, `#12` or `acme/website#12`."""
        found = _KEY.fullmatch(ticket_id.strip())
        path = found["project"] if found else None
        if found is None or (path and path.casefold() != self._settings.project.casefold() and "/" in path):
            why = f"{ticket_id!r} is no issue of {self._settings.project}"
            raise NotFoundError(self.name, "read an issue", why, "Write its number, e.g. 12 or #12.")
        return int(found["iid"])

    def _notes(self, ticket_id: str) -> list[dict[str, Any]]:
        pages = self._client.pages(f"~/issues/{ticket_id}/notes", sort="asc", order_by="created_at")
        return [note for page in pages for note in page]

    def _own_id(self) -> str:
        return self.identify().account_id

    def download(self, attachment: Attachment) -> AbstractContextManager[Iterator[bytes]]:
        """By the API, which servers before 17.4 do not offer: the web address takes no token."""
        secret, _, name = attachment.id.partition("/")
        return self._client.stream(f"~/uploads/{secret}/{quote(name, safe='')}")

    # pure translation

    def hold(self, field_name: str, value: Value) -> Value:
        if field_name == "title" and isinstance(value, str):
            return text.safe_title(value)
        if field_name.startswith("custom:") and value is not None:
            name = field_name.removeprefix("custom:")
            label = mapping.field_label(self._settings, name, value)
            if len(label) > LABEL_LIMIT or label.endswith("::"):
                raise Unwritable(f"{self.name} keeps {name} as a label, and {value!r} does not fit into one")
            return mapping.field_value(self._settings, name, label)
        return super().hold(field_name, value)

    def hold_text(self, text_: Markdown) -> Markdown:
        return text.shown(text.written(text_))

    def hold_label(self, label: str) -> str:
        return self.families.hold(label)

    # writing

    def create(self, draft: Draft) -> Created:
        """One call. Whether the issue is confidential is always said. An issue is made open, so a status that means
        closed is left to a later update."""
        refused = {}
        values = {name: value for name, value in draft.values.items() if value is not None}
        if "status" in values and self._state_of(values["status"]) == "close":
            refused["status"] = "GitLab makes every issue open"
            del values["status"]
        body, add, _ = self._native(values, {})
        body.pop("state_event", None)
        raw = self._client.send(
            "POST",
            "~/issues",
            {
                "title": text.safe_title(draft.title or draft.marker),
                "description": text.stamped(text.written(draft.description), draft.marker),
                "labels": sorted({self.hold_label(label) for label in draft.labels} | add),
                "confidential": self._settings.confidential or draft.visibility is not Visibility.PUBLIC,
                **body,
            },
        )
        return self._created(raw, refused)

    def find_ticket(self, marker: str) -> Created | None:
        """Among the hub's own issues, the newest first. GitLab's search does not know what stands in a comment of
        Markdown's; the list does, and lags behind nothing."""
        for page in self._client.pages(
            "~/issues", author_id=int(self._own_id()), scope="all", order_by="created_at", sort="desc"
        ):
            for raw in page:
                if text.stamp_of(raw.get("description") or "") == marker:
                    return self._created(raw, {})
        return None

    def _created(self, raw: Mapping[str, Any], refused: Mapping[str, str]) -> Created:
        return Created(str(raw["iid"]), mapping.key_of(raw), str(raw.get("web_url") or ""), refused)

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        """One PUT; labels by their verbs, so that a label that somebody adds meanwhile stays."""
        shown = basis.ticket.native if basis is not None else {}
        body, add, remove = self._native(changes.values, shown)
        add |= changes.add_labels
        remove = (remove | changes.remove_labels) - add
        body |= {"add_labels": sorted(add)} if add else {}
        body |= {"remove_labels": sorted(remove)} if remove else {}
        if body:
            self._client.send("PUT", f"~/issues/{self._iid(ticket_id)}", body)
        return Written()

    def _native(
        self, values: Mapping[str, Value], shown: Mapping[str, str]
    ) -> tuple[dict[str, Any], set[str], set[str]]:
        """The body, and labels to add and to remove. `shown` are the native words that the issue shows: labels of a
        scope push each other out on paid tiers only, so the others are taken off by name."""
        body: dict[str, Any] = {}
        add: set[str] = set()
        remove: set[str] = set()
        for name, value in values.items():
            if name == "title":
                body["title"] = value
            elif name == "description":
                body["description"] = text.written(Markdown(str(value or "")))
            elif name == "assignee":
                body["assignee_ids"] = [int(str(value))] if value else []
            elif name == "category" and value is not None:
                body["issue_type"] = self.native(name, value)
            elif name == "status":
                body["state_event"] = self._state_of(value)
                self._swap(name, value, shown.get("status_labels", ""), add, remove)
            elif name == "priority":
                self._swap(name, value, shown.get("priority", ""), add, remove)
            elif name.startswith("custom:"):
                if value is not None:
                    add.add(mapping.field_label(self._settings, name.removeprefix("custom:"), value))
                remove |= {label for label in shown.get(name, "").split(SEVERAL) if label} - add
        return body, add, remove - add

    def _swap(self, name: str, value: Value, shown: str, add: set[str], remove: set[str]) -> None:
        family = self.families.status if name == "status" else self.families.priority
        word = None if value is None else self.native(name, value)
        if word is not None and word not in NO_LABELS:
            add.add(word)
        standing = (*family.spelled, *family.words, *shown.split(SEVERAL))
        remove |= {label for label in standing if label and label != NO_LABEL} - add

    def _state_of(self, value: Value) -> str:
        """The event that brings an issue to where a status has it: by what its word means when it is read again."""
        word = self.native("status", value)
        return "close" if word == CLOSED or self.statuses.to_neutral(word).is_done else "reopen"

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        sent = [(upload.name, *self._upload(upload)) for upload in comment.uploads]
        body = text.with_files(text.written(comment.text), [(name, url) for name, url, _ in sent])
        return self._write_note(ticket_id, body, comment.visibility, comment.marker, tuple(id for _, _, id in sent))

    def _write_note(
        self, ticket_id: str, body: str, visibility: Visibility, marker: str, files: tuple[str, ...] = ()
    ) -> WrittenComment:
        path = f"~/issues/{self._iid(ticket_id)}/notes"
        internal = not visibility.is_public
        raw = self._client.send("POST", path, {"body": text.stamped(body, marker), "internal": internal})
        if "id" not in raw:
            raise PermanentError(self.name, f"POST {path}", "GitLab ran the text as a command instead of keeping it")
        if internal and not raw.get("internal", raw.get("confidential")):
            # A server that does not know internal notes, or an account that may not write them: it stood there openly.
            self._client.send("DELETE", f"{path}/{raw['id']}")
            remedy = "Give the hub's account the role Reporter; internal notes need GitLab 15.3 or newer."
            raise PermanentError(
                self.name, f"POST {path}", "GitLab made an internal note public; it was deleted", remedy
            )
        # Asked for as public it is so for people at GitLab; `plain_comments` is about what others write.
        return WrittenComment(str(raw["id"]), visibility, files)

    def _upload(self, upload: Upload) -> tuple[str, str]:
        """Where GitLab serves the file (`/uploads/…`), and its id."""
        with upload.open() as content:
            raw = self._client.upload("~/uploads", upload.name, upload.content_type, content)
        address = str(raw["url"])
        (file,) = text.files_in(f"[x]({address})", lambda _: True)
        return address, file.id

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        found = self._own_note(ticket_id, marker)
        if found is None:
            return None
        files = mapping.attachments(self._settings, found["body"], {}, Person())
        internal = found.get("internal", found.get("confidential"))
        seen = Visibility.UNKNOWN if internal is None else Visibility.PRIVATE if internal else Visibility.PUBLIC
        return WrittenComment(str(found["id"]), seen, tuple(file.id for file in files))

    def _own_note(self, ticket_id: str, marker: str) -> dict[str, Any] | None:
        path = f"~/issues/{self._iid(ticket_id)}/notes"
        for page in self._client.pages(path, sort="desc", order_by="created_at"):
            for raw in page:
                is_own = str((raw.get("author") or {}).get("id")) == self._own_id()
                if is_own and text.stamp_of(raw.get("body") or "") == marker:
                    return raw
        return None

    def edit_comment(self, ticket_id: str, comment_id: str, text_: Markdown, visibility: Visibility) -> None:
        """GitLab never changes whether a note is internal, and takes no word about it: so it is looked at first, and
        private text is not put into a note that everybody reads. The stamp and the files stay."""
        path = f"~/issues/{self._iid(ticket_id)}/notes/{comment_id}"
        raw = self._client.get(path)
        if not visibility.is_public and not raw.get("internal", raw.get("confidential")):
            raise PermanentError(self.name, f"PUT {path}", "the note is public, and GitLab cannot make it internal")
        before = str(raw.get("body") or "")
        files = mapping.attachments(self._settings, before, {}, Person())
        addresses = {file.name: f"/uploads/{quote(file.id)}" for file in files}
        body, _ = text.point_to(text.written(text_), addresses)
        self._client.send("PUT", path, {"body": f"{body}{text.kept_below(before)}"})

    def delete_comment(self, ticket_id: str, comment_id: str) -> None:
        try:
            self._client.send("DELETE", f"~/issues/{self._iid(ticket_id)}/notes/{comment_id}")
        except NotFoundError:
            return

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        """An internal note, because GitLab links issues with issues only. One that stands there is brought up to
        date, so that the same link never shows twice."""
        label = from_plain(f"{link.tracker} {link.key}")
        state = " (solved)" if link.is_resolved else ""
        note = link.note or Markdown(f"Kept in step with [{label}]({link.url}){state}: {from_plain(link.title)}")
        body = text.written(note)
        standing = self._own_note(ticket_id, link.global_id)
        if standing is None:
            return self._write_note(ticket_id, body, Visibility.PRIVATE, link.global_id)
        wanted = text.stamped(body, link.global_id)
        if standing["body"] != wanted:
            self._client.send("PUT", f"~/issues/{self._iid(ticket_id)}/notes/{standing['id']}", {"body": wanted})
        return WrittenComment(str(standing["id"]), Visibility.PRIVATE)

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        try:
            standing = self._own_note(ticket_id, global_id)
        except NotFoundError:
            return
        if standing is not None:
            self.delete_comment(ticket_id, str(standing["id"]))

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        return payloads.parse(request, self)

    def is_own_project(self, number: object, path: str) -> bool:
        """Whether a project of a payload is the configured one, by number or by path, whichever is configured."""
        return self._settings.project.casefold() in (str(number), path.casefold())

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        self.identify()
        begin = now + timedelta(seconds=self._client.clock_skew or 0)

        def listed(after: str, page: int) -> list[dict[str, Any]]:
            rows: list[dict[str, Any]] = self._client.get(
                "~/issues",
                updated_after=after,
                order_by="updated_at",
                sort="asc",
                scope="all",
                page=page,
                per_page=PAGE,
            )
            return rows

        return polling.look(cursor, begin, listed)

    def find_person(self, email: str) -> Person | None:
        """The account whose address this is. GitLab's search also finds names, so each one found is looked at."""
        for found in self._client.get("/users", search=email, per_page=PAGE):
            raw = found if "public_email" in found else self._client.get(f"/users/{found['id']}")
            known = {str(raw.get(key) or "").casefold() for key in ("email", "public_email")}
            if email.casefold() in known:
                return mapping.person(raw)
        return None

    def check(self) -> list[Finding]:
        return check(self._client, self._settings, self)

    def close(self) -> None:
        self._client.close()
