"""Freshservice, spoken over its API v2.

Source: api.freshservice.com; the points that surprise are named where they matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

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
    PermanentError,
    Polled,
    RefusedError,
    RemoteLink,
    Role,
    SecretHeader,
    Unwritable,
    WebhookRequest,
    Written,
    WrittenComment,
)
from hub.parts.custom_values import field_value, held, native_value
from hub.parts.refusals import explained
from hub.parts.stamps import mark_tag, tag_of
from hub.settings.trackers import TrackerSettings
from hub.text import from_html
from hub.ticket import Attachment, Comment, Markdown, Person, Snapshot, Ticket, Value, Visibility
from plugins.freshservice import bodies, checks, mapping, payloads
from plugins.freshservice.client import FreshserviceClient
from plugins.freshservice.conversations import Conversations
from plugins.freshservice.directory import DEPARTMENTS, GROUPS, FreshserviceDirectory, full_name
from plugins.freshservice.modules import CHANGES, TICKETS, Module, key_of, located
from plugins.freshservice.polling import PAGE, Position, Stream, streams
from plugins.freshservice.settings import FreshserviceSettings

REMEDY = "Fill the field in Freshservice, then retry."
CLOSING_REMEDY = "Fill the field in Freshservice, or let it be empty on closing (Admin > Field Manager)."


class FreshserviceConnector(Connector):
    """One Freshservice account: its tickets, and its changes where the settings say so."""

    kind = "freshservice"
    role = Role.HELPDESK
    settings_model = FreshserviceSettings
    settings_decide: ClassVar = {Capability.LINES: "with `lines`"}
    webhook_scheme = SecretHeader(header="X-Hub-Secret")
    default_statuses = mapping.STATUSES
    default_priorities = mapping.PRIORITIES
    default_categories = mapping.CATEGORIES
    max_attachment_bytes: ClassVar[int] = 40 * 1024 * 1024
    search_lag = timedelta(minutes=5)

    def __init__(self, name: str, settings: TrackerSettings) -> None:
        super().__init__(name, settings)
        assert isinstance(settings, FreshserviceSettings)
        self._settings = settings
        self._client = FreshserviceClient(self, settings.credentials.api_key)
        self._directory = FreshserviceDirectory(self._client)
        self._streams = streams(settings.workspaces, with_changes=settings.changes)
        self._conversations = Conversations(self._client, settings, self._own_account)
        self._identity: Identity | None = None
        self.lines = settings.lines

    @property
    def capabilities(self) -> frozenset[Capability]:
        offered = {
            Capability.CREATE, Capability.UPDATE, Capability.COMMENTS, Capability.PRIVATE_COMMENTS,
            Capability.ATTACHMENTS, Capability.ATTACHMENTS_IN_COMMENTS, Capability.WEBHOOKS, Capability.POLLING,
            Capability.USERS, Capability.REMOTE_LINKS,
        }  # fmt: skip
        return frozenset(offered | ({Capability.LINES} if self.lines else set()))

    def identify(self) -> Identity:
        if self._identity is None:
            me = self._client.get("/agents/me")["agent"]
            self._identity = Identity(str(me["id"]), full_name(me), self._client.clock_skew)
        return self._identity

    def _own_account(self) -> str:
        return self.identify().account_id

    # reading

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        """One call, and one more for each hundred comments; names of people and groups are remembered."""
        own = self._own_account()
        module, number = self._located(ticket_id)
        raw = self._client.get(module.path_of(number), include=module.include)[module.name]
        ticket = self._ticket(module, raw)
        is_deleted = bool(raw.get("deleted") or raw.get("spam"))
        comments: tuple[Comment, ...] | None = None
        if not is_deleted and (known.must_read_comments or known.comment_count is None):
            rows = self._conversations.all_of(module, number)
            comments = tuple(mapping.comment(row, module, self._directory.person, own) for row in rows)
        return Snapshot(
            ticket=ticket,
            read_at=self._client.now(),
            comments=comments,
            comment_count=known.comment_count if comments is None else len(comments),
            attachments=mapping.attachments(raw, ticket.requester or Person()),
            is_deleted=is_deleted,
        )

    def _located(self, ticket_id: str) -> tuple[Module, str]:
        module, number = located(ticket_id)
        if module is CHANGES and not self._settings.changes:
            remedy = f"Set trackers.{self.name}.changes: true, and see the README for a pairing that suits them."
            raise PermanentError(self.name, f"use {ticket_id}", "changes are not kept in step here", remedy)
        return module, number

    def _ticket(self, module: Module, raw: Mapping[str, Any]) -> Ticket:
        person, name_in = self._directory.person, self._directory.name_in
        agent, asks, department = raw.get(module.agent), raw.get("requester_id"), raw.get("department_id")
        names = mapping.Names(
            requester=person(asks, None) if asks else None,
            assignee=person(agent, True) if agent else None,
            line=self._settings.line_of(raw.get("group_id"), lambda group: name_in(GROUPS, group)),
            organisation=(name_in(DEPARTMENTS, department) or None) if department else None,
        )
        return mapping.ticket(self._settings, self, module, raw, names)

    def download(self, attachment: Attachment) -> AbstractContextManager[Iterator[bytes]]:
        return self._client.download(attachment.url)

    # pure translation

    def hold(self, field_name: str, value: Value) -> Value:
        if field_name == "title" and isinstance(value, str):
            return mapping.one_line(value)
        if field_name == "category" and value is not None and self.native(field_name, value) != mapping.WRITABLE_TYPE:
            raise Unwritable(
                f"{self.name} takes no {value}: those are made in Freshservice only, and stay what they are"
            )
        if field_name.startswith("custom:"):
            field = self._settings.fields[field_name.removeprefix("custom:")]
            return held(self.name, field, value, native_value, field_value)
        return super().hold(field_name, value)

    def hold_text(self, text: Markdown) -> Markdown:
        return from_html(mapping.text_to_html(text))

    def hold_label(self, label: str) -> str:
        return tag_of(label, mapping.TAG_LIMIT)

    # writing

    def create(self, draft: Draft) -> Created:
        """One call; see `bodies.of_draft`."""
        body = bodies.of_draft(self._settings, self, draft, self._own_account()) | self._directory.group_for(
            self, GROUPS, draft.values
        )
        try:
            return self._created(self._client.send("POST", TICKETS.path, body)["ticket"])
        except RefusedError as error:
            remedy = f"Fields that Freshservice requires get a value under trackers.{self.name}.create_fields."
            raise RefusedError(self.name, error.doing, error.fields, remedy) from error

    def find_ticket(self, marker: str) -> Created | None:
        """The newest tickets are read directly; what is older is left to the filter, whose index lags."""
        tag = mark_tag(marker, mapping.TAG_LIMIT)
        workspace = self._settings.workspaces[0] if self._settings.workspaces else None
        newest = self._client.get(TICKETS.path, per_page=PAGE, include=TICKETS.include, workspace_id=workspace)
        for raw in newest["tickets"]:
            if tag in (raw.get("tags") or ()):
                return self._created(raw)
        quoted = tag.replace("'", "\\'")
        found = self._client.get("/tickets/filter", query=f"\"tag:'{quoted}'\"", workspace_id=workspace)["tickets"]
        return self._created(found[0]) if found else None

    def _created(self, raw: Mapping[str, Any]) -> Created:
        address = f"{self._settings.url}/a{TICKETS.path_of(raw['id'])}"
        return Created(str(raw["id"]), key_of(str(raw.get("type") or ""), raw["id"]), address)

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        """One PUT. Tags are replaced as a whole and nothing locks them, so that they are read again just before."""
        module, number = self._located(ticket_id)
        path = module.path_of(number)
        if module is CHANGES and (refused := bodies.not_for_changes(changes)):
            raise RefusedError(self.name, f"PUT {path}", refused, "Let this field not travel to changes: see fields.")
        body = bodies.of_values(self._settings, self, changes.values, module) | self._directory.group_for(
            self, GROUPS, changes.values
        )
        if changes.add_labels or changes.remove_labels:
            present = self._client.get(path, include=module.include)[module.name].get("tags") or ()
            body["tags"] = sorted((set(present) | changes.add_labels) - changes.remove_labels)
        try:
            self._client.send("PUT", path, body)
        except RefusedError as error:
            raise explained(error, changes, REMEDY, CLOSING_REMEDY) from error
        return Written()

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        return self._conversations.add(*self._located(ticket_id), comment)

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        return self._conversations.find(*self._located(ticket_id), marker)

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        note = link.note or Markdown(f"[{link.key}]({link.url})")
        return self.add_comment(ticket_id, NewComment(text=note, visibility=Visibility.PRIVATE, marker=link.global_id))

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        """Deletes the note that showed the link."""
        self._conversations.remove(*self._located(ticket_id), global_id)

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        return payloads.parse(request, with_changes=self._settings.changes)

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        """One page of what changed, was deleted, or became spam; see `polling`."""
        if cursor is None:
            # The list is cut by Freshservice's clock: where it is behind ours, so is the beginning.
            behind = timedelta(seconds=min(0.0, self.identify().clock_skew or 0.0))
            return Polled((), Position.at(now + behind, self._streams).dump())
        position, stream = Position.load(cursor).among(self._streams)
        query = stream.query(position.begin(stream), position.page)
        rows = self._client.get(stream.module.path, **query)[f"{stream.module.name}s"]
        following, has_more = position.after([_updated(raw) for raw in rows], self._streams)
        return Polled(tuple(self._hint(stream, raw) for raw in rows), following.dump(), has_more)

    def _hint(self, stream: Stream, raw: Mapping[str, Any]) -> Hint:
        ticket = mapping.ticket(self._settings, self, stream.module, raw, mapping.Names())
        return Hint(
            ticket_id=ticket.id,
            event="poll",
            at=ticket.updated,
            values={"labels": ticket.labels, "priority": ticket.priority, "category": ticket.category},
            is_deleted=bool(stream.filter),
        )

    def find_person(self, email: str) -> Person | None:
        return self._directory.by_address(email)

    def check(self) -> list[Finding]:
        self.identify()
        return checks.findings(self._settings, self, self._client, self._directory)

    def close(self) -> None:
        self._client.close()


def _updated(raw: Mapping[str, Any]) -> datetime:
    return mapping.utc(raw["updated_at"]) or datetime.min.replace(tzinfo=UTC)
