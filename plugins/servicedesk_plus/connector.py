"""ServiceDesk Plus, spoken over its API v3, on-premises and in the cloud.

Sources: manageengine.com, sdpop-v3-api and sdpod-v3-api; the points that surprise are named where they matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
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
    NotOfferedError,
    Polled,
    RemoteLink,
    Role,
    SecretHeader,
    WebhookRequest,
    Written,
    WrittenComment,
)
from hub.parts.custom_values import held
from hub.settings.trackers import TrackerSettings
from hub.ticket import Attachment, Comment, Markdown, Person, Snapshot, Value, Visibility
from plugins.servicedesk_plus import checks, fields, mapping, payloads, texts
from plugins.servicedesk_plus.client import ServiceDeskPlusClient
from plugins.servicedesk_plus.conversations import Conversations
from plugins.servicedesk_plus.directory import Directory
from plugins.servicedesk_plus.looking import Looking
from plugins.servicedesk_plus.requests import Requests
from plugins.servicedesk_plus.settings import ServiceDeskPlusSettings


class ServiceDeskPlusConnector(Connector):
    """One ServiceDesk Plus."""

    kind = "servicedesk-plus"
    role = Role.HELPDESK
    settings_model = ServiceDeskPlusSettings
    settings_decide: ClassVar = {
        Capability.CREATE: "with `reference_field`",
        Capability.EDIT_COMMENTS: "with `public_as: note`",
        Capability.DELETE_COMMENTS: "with `public_as: note`",
        Capability.LINES: "with `lines`",
    }
    webhook_scheme = SecretHeader(header="X-Hub-Secret")
    default_statuses = mapping.STATUSES
    default_priorities = mapping.PRIORITIES
    default_categories = mapping.CATEGORIES
    max_attachment_bytes: ClassVar[int] = 20 * 1024 * 1024
    search_lag = timedelta(minutes=1)

    def __init__(self, name: str, settings: TrackerSettings) -> None:
        super().__init__(name, settings)
        assert isinstance(settings, ServiceDeskPlusSettings)
        self._settings = settings
        self.lines = settings.lines
        self._client = ServiceDeskPlusClient(self, settings)
        self._directory = Directory(self._client)
        self._requests = Requests(self, self._client, settings, self._directory, self._own_account)
        self._conversations = Conversations(self._client, self._own_account, is_cloud=settings.is_cloud)
        self._looking = Looking(self, self._client, settings)
        self._identity: Identity | None = None

    @property
    def capabilities(self) -> frozenset[Capability]:
        offered = {
            Capability.UPDATE, Capability.COMMENTS, Capability.PRIVATE_COMMENTS, Capability.ATTACHMENTS,
            Capability.ATTACHMENTS_IN_COMMENTS, Capability.WEBHOOKS, Capability.POLLING, Capability.USERS,
            Capability.REMOTE_LINKS,
        }  # fmt: skip
        if self._settings.reference_field:
            # Without a place for its mark a request whose answer was lost could not be found again.
            offered.add(Capability.CREATE)
        if self._settings.public_as == "note":
            # What was mailed is out.
            offered |= {Capability.EDIT_COMMENTS, Capability.DELETE_COMMENTS}
        return frozenset(offered | ({Capability.LINES} if self.lines else set()))

    def identify(self) -> Identity:
        """The technician of the settings: nothing in the API tells whose key or token this is."""
        if self._identity is None:
            email = self._settings.account
            found = self._directory.technician(email)
            if found is None:
                remedy = f"Correct trackers.{self.name}.account, or let the hub's technician see technicians."
                raise AuthError(
                    self.name, "GET /technicians", f"there is no technician with the address {email}", remedy
                )
            self._identity = Identity(found.id, found.name, self._client.clock_skew)
        return self._identity

    def _own_account(self) -> str:
        return self.identify().account_id

    # reading

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        """One call, one for notes where there are some, one for the list of mails and one for each new mail."""
        raw = self._requests.read(ticket_id)
        ticket = mapping.ticket(self._settings, self, raw)
        is_deleted = raw.get("is_trashed") is True
        comments: tuple[Comment, ...] | None = None
        if not is_deleted and (known.must_read_comments or known.comment_count is None):
            comments = self._conversations.all(ticket.id, has_notes=raw.get("has_notes") is not False)
        return Snapshot(
            ticket=ticket,
            read_at=self._client.now(),
            comments=comments,
            comment_count=known.comment_count if comments is None else len(comments),
            attachments=mapping.attachments(raw, ticket.requester or Person(), self._address(ticket.id)),
            is_deleted=is_deleted,
        )

    def _address(self, request_id: str) -> str:
        return f"{self._client.url}{self._client.api}/requests/{request_id}"

    def download(self, attachment: Attachment) -> AbstractContextManager[Iterator[bytes]]:
        return self._client.file(attachment.url)

    # pure translation

    def hold(self, field_name: str, value: Value) -> Value:
        if field_name == "title" and isinstance(value, str):
            return texts.one_line(value)
        if field_name.startswith("custom:"):
            field = self._settings.fields[field_name.removeprefix("custom:")]
            return held(self.name, field, value, fields.native_value, fields.field_value)
        return super().hold(field_name, value)

    def line_of(self, group: str) -> int | None:
        folded = group.casefold()
        return next((line for line, groups in self.lines.items() if folded in map(str.casefold, groups)), None)

    def hold_text(self, text: Markdown) -> Markdown:
        return texts.held(text)

    def hold_label(self, label: str) -> str:
        return texts.label(label)

    # writing

    def create(self, draft: Draft) -> Created:
        self._needs(Capability.CREATE)
        return self._created(*self._requests.create(draft))

    def find_ticket(self, marker: str) -> Created | None:
        self._needs(Capability.CREATE)
        found = self._requests.find(marker)
        return None if found is None else self._created(found, {})

    def _created(self, raw: Mapping[str, Any], refused: Mapping[str, str]) -> Created:
        return Created(str(raw["id"]), mapping.key_of(raw), mapping.url_of(self._settings, raw), refused)

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        self._requests.update(ticket_id, changes)
        return Written()

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        if comment.visibility.is_public and self._settings.public_as == "reply":
            raw = self._requests.read(ticket_id)
            if mapping.person(raw.get("requester")).email:
                return self._conversations.reply(raw, comment)
        return self._conversations.add_note(ticket_id, comment)

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        return self._conversations.find(ticket_id, marker)

    def edit_comment(self, ticket_id: str, comment_id: str, text: Markdown, visibility: Visibility) -> None:
        self._needs(Capability.EDIT_COMMENTS)
        self._conversations.edit(ticket_id, comment_id, text, visibility)

    def delete_comment(self, ticket_id: str, comment_id: str) -> None:
        self._needs(Capability.DELETE_COMMENTS)
        self._conversations.delete(ticket_id, comment_id)

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        note = link.note or Markdown(f"[{link.key}]({link.url})")
        return self.add_comment(ticket_id, NewComment(text=note, visibility=Visibility.PRIVATE, marker=link.global_id))

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        """Deletes the note that showed the link."""
        note = self.find_comment(ticket_id, global_id)
        if note is not None:
            self._conversations.delete(ticket_id, note.id)

    def _needs(self, capability: Capability) -> None:
        if capability not in self.capabilities:
            raise NotOfferedError(self.name, capability)

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        return payloads.parse(request)

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        return self._looking.look(cursor, now)

    def find_person(self, email: str) -> Person | None:
        return self._directory.by_address(email)

    def check(self) -> list[Finding]:
        self.identify()
        return checks.findings(self._settings, self, self._client, self._directory)

    def close(self) -> None:
        self._client.close()
