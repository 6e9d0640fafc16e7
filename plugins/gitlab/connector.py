"""GitLab issues, spoken over the REST API v4 of GitLab.com and self-managed instances.

Source: docs.gitlab.com, "Issues API", "Notes API", "Project uploads API"; the points that surprise are named where
they matter.
"""

from __future__ import annotations

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
    Polled,
    RemoteLink,
    Role,
    SecretHeader,
    Unwritable,
    WebhookRequest,
    Written,
    WrittenComment,
)
from hub.settings.trackers import TrackerSettings
from hub.ticket import Attachment, Markdown, Person, Snapshot, Value, Visibility
from plugins.gitlab import mapping, payloads, polling, text
from plugins.gitlab.checks import check
from plugins.gitlab.client import PAGE, GitlabClient
from plugins.gitlab.issues import Issues
from plugins.gitlab.labels import LABEL_LIMIT, Families
from plugins.gitlab.notes import Notes
from plugins.gitlab.settings import GitlabSettings
from plugins.gitlab.writing import Writing


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
        self._issues = Issues(name, settings.project)
        self._writing = Writing(self, self._client, settings, self.families, self._issues)
        self._notes = Notes(self._client, settings, self._issues, self._own_id)

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
        raw = self._client.get(self._issues.path(ticket_id))
        count = raw.get("user_notes_count")
        comments = None
        if known.must_read_comments or count is None or count != known.comment_count:
            comments = mapping.comments(self._settings, self._notes.all_of(str(raw["iid"])), raw, self._own_id())
        author = mapping.person(raw.get("author")) or Person()
        return Snapshot(
            ticket=mapping.ticket(self._settings, self, raw),
            read_at=now,
            comments=comments,
            comment_count=count if count is not None else len(comments or ()),
            attachments=mapping.attachments(self._settings, raw.get("description") or "", raw, author),
        )

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
        return self._created(*self._writing.create(draft))

    def find_ticket(self, marker: str) -> Created | None:
        found = self._writing.find(marker, self._own_id())
        return None if found is None else self._created(found, {})

    def _created(self, raw: Mapping[str, Any], refused: Mapping[str, str]) -> Created:
        return Created(str(raw["iid"]), mapping.key_of(raw), str(raw.get("web_url") or ""), refused)

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        self._writing.update(ticket_id, changes, basis.ticket.native if basis is not None else {})
        return Written()

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        return self._notes.add(ticket_id, comment)

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        return self._notes.find(ticket_id, marker)

    def edit_comment(self, ticket_id: str, comment_id: str, text_: Markdown, visibility: Visibility) -> None:
        self._notes.edit(ticket_id, comment_id, text_, visibility)

    def delete_comment(self, ticket_id: str, comment_id: str) -> None:
        self._notes.delete(ticket_id, comment_id)

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        return self._notes.show_link(ticket_id, link)

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        self._notes.remove_link(ticket_id, global_id)

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        return payloads.parse(request, self)

    def is_own_project(self, number: object, path: str) -> bool:
        """Whether a project of a payload is the configured one, by number or by path, whichever is configured."""
        return self._settings.project.casefold() in (str(number), path.casefold())

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        self.identify()
        begin = now + timedelta(seconds=self._client.clock_skew or 0)
        return polling.look(cursor, begin, polling.lister(self._client))

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
