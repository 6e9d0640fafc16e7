"""MantisBT, spoken over its REST API: what the hub asks of it, and which part answers.

Source: recorded exchanges with 2.28.4 and 2.29.0-dev, and the source of both; the points that surprise are named
where they matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
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
from hub.ticket import Attachment, Markdown, Snapshot, Status, Ticket, Value, Visibility
from plugins.mantis import mapping, payloads, polling, texts
from plugins.mantis.checks import findings
from plugins.mantis.client import MantisClient, NoSuchIssueError
from plugins.mantis.facts import Facts
from plugins.mantis.files import Files
from plugins.mantis.issues import Issues
from plugins.mantis.notes import Notes
from plugins.mantis.settings import MantisSettings
from plugins.mantis.writing import Writing


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
        self._issues = Issues(self._client)
        self._writing = Writing(self, self._client, settings, self._facts, self._issues)
        self._files = Files(self._client, settings, self._facts, self._issues)
        self._notes = Notes(self._client, settings, self._facts, self._issues, self._files)

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset({
            Capability.CREATE, Capability.UPDATE, Capability.TRANSITIONS,
            Capability.COMMENTS, Capability.PRIVATE_COMMENTS, Capability.EDIT_COMMENTS, Capability.DELETE_COMMENTS,
            Capability.ATTACHMENTS, Capability.REMOTE_LINKS, Capability.WEBHOOKS, Capability.POLLING,
        })  # fmt: skip

    def identify(self) -> Identity:
        me = self._facts.me()
        name = str(me.get("real_name") or me["name"])
        return Identity(str(me["id"]), name, self._client.clock_skew, self._facts.version)

    # reading

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        """One call: notes and files stand in the issue. All of it is asked for, because the lock's tag is of all.

        An issue that was read before and is not there any more was deleted.
        """
        me = self._facts.me()
        try:
            raw, version = self._issues.get(ticket_id)
        except NoSuchIssueError:
            if not known.version:
                raise
            gone = Ticket(id=ticket_id, key=f"#{ticket_id}", url=mapping.address(self._settings, ticket_id))
            return Snapshot(ticket=gone, read_at=self._client.now(), is_deleted=True)
        notes = mapping.comments(self._settings, raw, str(me["id"]))
        return Snapshot(
            ticket=mapping.ticket(self._settings, self, raw, mapping.zone(me.get("timezone"))),
            read_at=self._client.now(),
            version=version,
            comments=notes,
            comment_count=len(notes),
            attachments=mapping.attachments(self._settings, raw, str(raw["id"])),
        )

    def download(self, attachment: Attachment) -> AbstractContextManager[Iterator[bytes]]:
        return self._files.download(attachment)

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
        return self._created(self._writing.create(draft))

    def find_ticket(self, marker: str) -> Created | None:
        """In a list that has everything at once, so that there is no lag."""
        found = self._issues.marked(marker, self._settings.marker_field, self._facts.project_id())
        return None if found is None else self._created(found)

    def _created(self, number: int) -> Created:
        return Created(str(number), f"#{number}", mapping.address(self._settings, number))

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        return Written(self._writing.update(ticket_id, changes, basis))

    def transition(self, ticket_id: str, status: Status) -> Written:
        return Written(self._writing.transition(ticket_id, status))

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        return self._notes.add(ticket_id, comment)

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        return self._notes.find(ticket_id, marker)

    def edit_comment(self, ticket_id: str, comment_id: str, text: Markdown, visibility: Visibility) -> None:
        self._notes.edit(ticket_id, comment_id, text, visibility)

    def delete_comment(self, ticket_id: str, comment_id: str) -> None:
        self._notes.delete(ticket_id, comment_id)

    def attach(self, ticket_id: str, upload: Upload) -> Attachment:
        return self._files.attach(ticket_id, upload)

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        """A private note: MantisBT has no links to elsewhere."""
        text = link.note or Markdown(f"[{link.key}]({link.url})")
        return self._notes.add(ticket_id, NewComment(text=text, visibility=Visibility.PRIVATE, marker=link.global_id))

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        note = self._notes.find(ticket_id, global_id)
        if note is not None:
            self._notes.delete(ticket_id, note.id)

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        return payloads.parse(request)

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        """Issues of every project. A deletion cannot be seen by this."""
        if self._client.clock_skew is None:
            self._facts.me()
        return polling.look(cursor, self._issues.server_time(now), self._issues.lister(polling.SELECT))

    def check(self) -> list[Finding]:
        return findings(self, self._settings, self._facts)

    def close(self) -> None:
        self._client.close()
