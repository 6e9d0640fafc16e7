"""One table of an Agiloft knowledge base, spoken over its JSON interface (alrest).

Sources: help.agiloft.com, "REST Interface"; wiki.agiloft.com, "Webhooks". What each knowledge base decides for itself
stands in `settings`; the points that surprise are named where they matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import ClassVar

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
    NotOfferedError,
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
from hub.parts.custom_values import held
from hub.settings.trackers import TrackerSettings
from hub.ticket import Attachment, Markdown, Person, Priority, Snapshot, Status, Value, Visibility
from plugins.agiloft import checks, mapping, payloads, people
from plugins.agiloft.client import AgiloftClient
from plugins.agiloft.comments import AppendedEntries, CommentRecords
from plugins.agiloft.files import Files
from plugins.agiloft.links import Links
from plugins.agiloft.looking import Looking
from plugins.agiloft.settings import AgiloftSettings, AppendedComments, TableComments
from plugins.agiloft.times import LocalTimes
from plugins.agiloft.writing import Writing


class AgiloftConnector(Connector):
    """One table of tickets."""

    kind = "agiloft"
    role = Role.HELPDESK
    settings_model = AgiloftSettings
    settings_decide: ClassVar = {
        Capability.COMMENTS: "with `comments`",
        Capability.PRIVATE_COMMENTS: "with a `visibility` or `private` column, or `all_are: private`",
        Capability.EDIT_COMMENTS: "with comments of `kind: table`",
        Capability.DELETE_COMMENTS: "with comments of `kind: table`",
        Capability.ATTACHMENTS: "with `comments.attachments` or `columns.private_attachments`",
        Capability.ATTACHMENTS_IN_COMMENTS: "with `comments.attachments`",
        Capability.REMOTE_LINKS: "where comments can be private",
        Capability.USERS: "with `people`",
        Capability.LINES: "with `lines`",
    }
    webhook_scheme = SecretHeader(header="X-Hub-Secret")
    webhook_echo_header = "Verification-Code"
    default_statuses = mapping.STATUSES
    default_priorities = mapping.PRIORITIES
    default_categories = mapping.CATEGORIES
    max_attachment_bytes: ClassVar[int] = 50 * 1024 * 1024

    def __init__(self, name: str, settings: TrackerSettings) -> None:
        super().__init__(name, settings)
        assert isinstance(settings, AgiloftSettings)
        self._settings = settings
        self._times = LocalTimes.of(settings)
        self._client = AgiloftClient(self, settings)
        self._files = Files(settings, self._client)
        self._looking = Looking(self, settings, self._client)
        self._comments: CommentRecords | AppendedEntries | None = None
        if isinstance(settings.comments, TableComments):
            self._comments = CommentRecords(settings, settings.comments, self._client, self._files)
        elif isinstance(settings.comments, AppendedComments):
            self._comments = AppendedEntries(settings, settings.comments, self._client, self._files)
        self._writing = Writing(settings, self, self._client, self._native_text)
        self._identity: Identity | None = None
        self.lines = settings.lines
        self._capabilities = offered_by(settings, self._comments)

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self._capabilities

    def identify(self) -> Identity:
        """A sign-in, which is all the proof there is; users are known by what stands in `updated by` columns."""
        if self._identity is None:
            self._client.sign_in_anew()
            account = self._settings.account
            self._identity = Identity(account, account, self._client.clock_skew)
        return self._identity

    def check(self) -> list[Finding]:
        self.identify()
        return checks.findings(self._settings, self, self._client, self._comments)

    # reading

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        """One call; one more for comments in a table of their own, and one where there are files."""
        ticket_id = ticket_id.lstrip("#")
        self._client.admit(f"read {ticket_id}")
        if not ticket_id.isdigit():
            raise NotFoundError(self.name, f"read {ticket_id}", "the ids of records are numbers")
        settings = self._settings
        columns = [column for _, column in settings.used_columns()]
        raw = self._client.record(settings.table, ticket_id, columns)
        raw = {**raw, settings.columns.id: ticket_id}
        comments = None
        if self._comments is None:
            comments = []
        elif known.must_read_comments or known.comment_count is None or self._comments.columns:
            comments = self._comments.of(ticket_id, raw)
        return Snapshot(
            ticket=mapping.ticket(settings, self, raw, self._times),
            read_at=self._client.now(),
            comments=None if comments is None else tuple(comments),
            comment_count=known.comment_count if comments is None else len(comments),
            attachments=self._files.of_ticket(ticket_id, raw),
        )

    def download(self, attachment: Attachment) -> AbstractContextManager[Iterator[bytes]]:
        self._client.admit("download a file")
        return self._files.content(attachment)

    def find_person(self, email: str) -> Person | None:
        self._offers(Capability.USERS)
        table = self._settings.people
        assert table is not None
        self._client.admit("find a person")
        return people.with_address(self._client, table, email)

    # pure translation

    def hold(self, field_name: str, value: Value) -> Value:
        settings = self._settings
        if field_name == "title" and isinstance(value, str):
            return mapping.title_of(value, settings.title_limit)
        if field_name.startswith("custom:"):
            field = settings.fields[field_name.removeprefix("custom:")]
            return held(
                self.name,
                field,
                value,
                lambda field, value: mapping.native_value(settings, field, value, self._times),
                lambda field, native: mapping.field_value(
                    field, mapping.unlinked(native) if field.id in settings.linked_columns else native, self._times
                ),
            )
        if field_name in ("priority", "category", "assignee") and not getattr(settings.columns, field_name):
            raise Unwritable(f"{self.name} has no column for {field_name}; name one under columns.{field_name}")
        return super().hold(field_name, value)

    def hold_text(self, text: Markdown) -> Markdown:
        return mapping.text_to_neutral(self._settings, self._native_text(text))

    def _native_text(self, text: Markdown) -> str:
        """One form for descriptions and comments: what an entry cannot hold, a description does without."""
        if isinstance(self._comments, AppendedEntries):
            return self._comments.native(text)
        return mapping.text_to_native(self._settings, text)

    def hold_label(self, label: str) -> str:
        return mapping.label_of(label, self._settings.labels_type)

    # writing

    def create(self, draft: Draft) -> Created:
        """One call. A replay would make a second record, so that the hub looks for the mark before it tries again."""
        self._client.admit("create a ticket")
        values = {"status": Status.NEW, "priority": Priority.NORMAL, **draft.values}
        return self._created(self._writing.insert(draft, {k: v for k, v in values.items() if v is not None}))

    def find_ticket(self, marker: str) -> Created | None:
        self._client.admit("find a ticket")
        found = self._writing.find(marker)
        return None if found is None else self._created(found)

    def _created(self, ticket_id: str) -> Created:
        return Created(ticket_id, f"#{ticket_id}", mapping.record_url(self._settings, ticket_id))

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        self._client.admit(f"write to {ticket_id}")
        self._writing.update(ticket_id, changes)
        return Written()

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        self._client.admit(f"add a comment to {ticket_id}")
        return self._has_comments().add(ticket_id, comment)

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        comments = self._has_comments()
        self._client.admit(f"find a comment of {ticket_id}")
        return comments.find(ticket_id, marker)

    def edit_comment(self, ticket_id: str, comment_id: str, text: Markdown, visibility: Visibility) -> None:
        comments = self._has_records(Capability.EDIT_COMMENTS)
        self._client.admit(f"edit a comment of {ticket_id}")
        comments.edit(comment_id, text, visibility)

    def delete_comment(self, ticket_id: str, comment_id: str) -> None:
        comments = self._has_records(Capability.DELETE_COMMENTS)
        self._client.admit(f"delete a comment of {ticket_id}")
        comments.delete(comment_id)

    def attach(self, ticket_id: str, upload: Upload) -> Attachment:
        """Where only staff may see it: nothing says whom the file is for."""
        if Capability.ATTACHMENTS_IN_COMMENTS in self._capabilities:
            raise NotOfferedError(self.name, Capability.ATTACHMENTS)
        self._offers(Capability.ATTACHMENTS)
        self._client.admit(f"attach a file to {ticket_id}")
        return self._files.add_for(ticket_id, upload, Visibility.PRIVATE)

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        self._offers(Capability.REMOTE_LINKS)
        self._client.admit(f"show a link in {ticket_id}")
        return Links(self._settings, self._client, self._has_comments()).show(ticket_id, link)

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        self._offers(Capability.REMOTE_LINKS)
        self._client.admit(f"take back a link in {ticket_id}")
        Links(self._settings, self._client, self._has_comments()).remove(ticket_id, global_id)

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        return payloads.parse(self._settings, request)

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        """All that changed since the last look; see `polling`. Records bear the times of Agiloft's clock, so that its
        own present time counts, as its answers tell it."""
        self._client.admit("poll")
        self.identify()
        return self._looking.look(cursor, self._client.now())

    def close(self) -> None:
        self._client.close()

    # what is there at all

    def _offers(self, capability: Capability) -> None:
        if capability not in self._capabilities:
            raise NotOfferedError(self.name, capability)

    def _has_comments(self) -> CommentRecords | AppendedEntries:
        if self._comments is None:
            raise NotOfferedError(self.name, Capability.COMMENTS)
        return self._comments

    def _has_records(self, capability: Capability) -> CommentRecords:
        if not isinstance(self._comments, CommentRecords):
            raise NotOfferedError(self.name, capability)
        return self._comments


def offered_by(settings: AgiloftSettings, comments: CommentRecords | AppendedEntries | None) -> frozenset[Capability]:
    """What the columns of the settings make possible. A link needs a private note, which is what keeps its mark."""
    offered = {Capability.CREATE, Capability.UPDATE, Capability.WEBHOOKS, Capability.POLLING}
    offered |= comments.capabilities if comments else frozenset()
    if Capability.PRIVATE_COMMENTS in offered:
        offered.add(Capability.REMOTE_LINKS)
    if isinstance(settings.comments, TableComments) and settings.comments.attachments:
        offered |= {Capability.ATTACHMENTS, Capability.ATTACHMENTS_IN_COMMENTS}
    elif settings.columns.private_attachments:
        offered.add(Capability.ATTACHMENTS)
    if settings.people:
        offered.add(Capability.USERS)
    if settings.lines:
        offered.add(Capability.LINES)
    return frozenset(offered)
