"""Freshdesk, spoken over its API v2.

Source: developers.freshdesk.com/api; the points that surprise are named where they matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from hub.connector import (
    Article,
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
    RefusedError,
    RemoteLink,
    Role,
    SecretHeader,
    StoredMacro,
    WebhookRequest,
    Written,
    WrittenComment,
)
from hub.parts.custom_values import field_value, held, native_value
from hub.parts.keyed_client import PAGE
from hub.parts.refusals import explained
from hub.settings.trackers import TrackerSettings
from hub.text import from_html
from hub.ticket import Attachment, Comment, Markdown, Person, Snapshot, Ticket, Value, Visibility
from plugins.freshdesk import bodies, canned, checks, mapping, payloads, solutions
from plugins.freshdesk.client import FreshdeskClient
from plugins.freshdesk.conversations import Conversations
from plugins.freshdesk.directory import GROUPS, FreshdeskDirectory
from plugins.freshdesk.polling import Position
from plugins.freshdesk.settings import FreshdeskSettings

INCLUDE = "requester,company"


class FreshdeskConnector(Connector):
    """One Freshdesk account."""

    kind = "freshdesk"
    role = Role.HELPDESK
    settings_model = FreshdeskSettings
    settings_decide: ClassVar = {
        Capability.LINES: "with `lines`",
        Capability.RATINGS: "with `read_ratings: true`, which costs calls",
    }
    webhook_scheme = SecretHeader(header="X-Hub-Secret")
    default_statuses = mapping.STATUSES
    default_priorities = mapping.PRIORITIES
    default_categories = mapping.CATEGORIES
    max_attachment_bytes: ClassVar[int] = 20 * 1024 * 1024
    search_lag = timedelta(minutes=5)

    def __init__(self, name: str, settings: TrackerSettings) -> None:
        super().__init__(name, settings)
        assert isinstance(settings, FreshdeskSettings)
        self._settings = settings
        self._client = FreshdeskClient(self, settings.credentials.api_key)
        self._directory = FreshdeskDirectory(self._client)
        self._conversations = Conversations(self._client, settings, self._own_account)
        self._identity: Identity | None = None
        self.lines = settings.lines
        self._scope = 1

    @property
    def capabilities(self) -> frozenset[Capability]:
        offered = {
            Capability.CREATE, Capability.UPDATE, Capability.COMMENTS, Capability.PRIVATE_COMMENTS,
            Capability.ATTACHMENTS, Capability.ATTACHMENTS_IN_COMMENTS, Capability.WEBHOOKS, Capability.POLLING,
            Capability.USERS, Capability.REMOTE_LINKS, Capability.KNOWLEDGE_BASE, Capability.MACROS,
        }  # fmt: skip
        offered |= {Capability.LINES} if self.lines else set()
        return frozenset(offered | ({Capability.RATINGS} if self._settings.read_ratings else set()))

    def identify(self) -> Identity:
        if self._identity is None:
            me = self._client.get("/agents/me")
            self._scope = int(me.get("ticket_scope") or 1)
            self._identity = Identity(str(me["id"]), me["contact"]["name"], self._client.clock_skew)
        return self._identity

    def _own_account(self) -> str:
        return self.identify().account_id

    # reading

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        """One call, one more for each hundred comments, and one for the rating of a done ticket where the settings
        ask for it; names of people and groups are remembered."""
        own = self._own_account()
        raw = self._client.get(f"/tickets/{ticket_id.lstrip('#')}", include=INCLUDE)
        ticket = self._ticket(raw)
        is_deleted = bool(raw.get("deleted") or raw.get("spam"))
        if self._settings.read_ratings and ticket.status.is_done and not is_deleted:
            # Customers are asked when a ticket is solved; before that there is nothing to read.
            ratings = self._client.get(f"/tickets/{ticket.id}/satisfaction_ratings")
            ticket = replace(ticket, rating=mapping.rating_of(ratings))
        comments: tuple[Comment, ...] | None = None
        if not is_deleted and (known.must_read_comments or known.comment_count is None):
            comments = tuple(
                mapping.comment(c, self._directory.person, own) for c in self._conversations.all_of(ticket.id)
            )
        return Snapshot(
            ticket=ticket,
            read_at=self._client.now(),
            comments=comments,
            comment_count=known.comment_count if comments is None else len(comments),
            attachments=mapping.attachments(raw, ticket.requester or Person()),
            is_deleted=is_deleted,
        )

    def _ticket(self, raw: Mapping[str, Any]) -> Ticket:
        responder = raw.get("responder_id")
        assignee = self._directory.person(responder, True) if responder else None
        line = self._settings.line_of(raw.get("group_id"), lambda group: self._directory.name_in(GROUPS, group))
        ticket = mapping.ticket(self._settings, self, raw, assignee=assignee, line=line)
        if self._settings.read_language and ticket.requester is not None:
            # What comes along with the ticket does not say it.
            language = self._directory.person(ticket.requester.id, None).language
            ticket = replace(ticket, requester=replace(ticket.requester, language=language))
        return ticket

    def download(self, attachment: Attachment) -> AbstractContextManager[Iterator[bytes]]:
        return self._client.download(attachment.url)

    # pure translation

    def hold(self, field_name: str, value: Value) -> Value:
        if field_name == "title" and isinstance(value, str):
            return mapping.one_line(value)
        if field_name.startswith("custom:"):
            field = self._settings.fields[field_name.removeprefix("custom:")]
            return held(self.name, field, value, native_value, field_value)
        return super().hold(field_name, value)

    def hold_text(self, text: Markdown) -> Markdown:
        return from_html(mapping.text_to_html(text))

    def hold_label(self, label: str) -> str:
        return mapping.tag(label)

    # writing

    def create(self, draft: Draft) -> Created:
        """One call; see `bodies.of_draft`."""
        body = bodies.of_draft(self._settings, self, draft, self._own_account()) | self._directory.group_for(
            self, GROUPS, draft.values
        )
        try:
            return self._created(self._client.send("POST", "/tickets", body))
        except RefusedError as error:
            remedy = f"Fields that Freshdesk requires get a value under trackers.{self.name}.create_fields."
            raise RefusedError(self.name, error.doing, error.fields, remedy) from error

    def find_ticket(self, marker: str) -> Created | None:
        """The newest tickets are read directly; what is older is left to the search, whose index lags."""
        tag = mapping.mark_tag(marker)
        newest = self._client.get("/tickets", order_by="created_at", order_type="desc", per_page=PAGE)
        for raw in newest:
            if tag in (raw.get("tags") or ()):
                return self._created(raw)
        quoted = tag.replace("'", "\\'")
        found = self._client.get("/search/tickets", query=f"\"tag:'{quoted}'\"")["results"]
        return self._created(found[0]) if found else None

    def _created(self, raw: Mapping[str, Any]) -> Created:
        return Created(str(raw["id"]), f"#{raw['id']}", f"{self._settings.url}/a/tickets/{raw['id']}")

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        """One PUT. Tags are replaced as a whole and nothing locks them, so that they are read again just before."""
        body = bodies.of_values(self._settings, self, changes.values) | self._directory.group_for(
            self, GROUPS, changes.values
        )
        if changes.add_labels or changes.remove_labels:
            present = self._client.get(f"/tickets/{ticket_id}").get("tags") or ()
            body["tags"] = sorted((set(present) | changes.add_labels) - changes.remove_labels)
        try:
            self._client.send("PUT", f"/tickets/{ticket_id}", body)
        except RefusedError as error:
            remedy = "Fill the field in Freshdesk, then retry."
            closing = "Fill the field in Freshdesk, or let it be empty on closing (Admin > Ticket Fields)."
            raise explained(error, changes, remedy, closing) from error
        return Written()

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        return self._conversations.add(ticket_id, comment)

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        return self._conversations.find(ticket_id, marker)

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        note = link.note or Markdown(f"[{link.key}]({link.url})")
        return self.add_comment(ticket_id, NewComment(text=note, visibility=Visibility.PRIVATE, marker=link.global_id))

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        """Deletes the note that showed the link."""
        self._conversations.remove(ticket_id, global_id)

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        return payloads.parse(request)

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        """One page of what changed, was deleted, or became spam; see `polling`."""
        if cursor is None:
            # The list is cut by Freshdesk's clock: where it is behind ours, so is the beginning.
            behind = timedelta(seconds=min(0.0, self.identify().clock_skew or 0.0))
            return Polled((), Position.at(now + behind).dump())
        position = Position.load(cursor)
        rows = self._client.get("/tickets", **position.query)
        following, has_more = position.after([_updated(raw) for raw in rows])
        return Polled(tuple(self._hint(raw, bool(position.stream)) for raw in rows), following.dump(), has_more)

    def _hint(self, raw: Mapping[str, Any], is_deleted: bool) -> Hint:
        ticket = mapping.ticket(self._settings, self, raw, assignee=None, line=None)
        return Hint(
            ticket_id=ticket.id,
            event="poll",
            at=ticket.updated,
            values={"labels": ticket.labels, "priority": ticket.priority, "category": ticket.category},
            is_deleted=is_deleted,
        )

    def find_person(self, email: str) -> Person | None:
        return self._directory.by_address(email)

    def find_articles(self, words: str, limit: int) -> Sequence[Article]:
        return solutions.articles(self._client, self._settings.url, words, limit)

    def macros(self) -> Sequence[StoredMacro]:
        return canned.responses(self._client)

    def check(self) -> list[Finding]:
        self.identify()
        return checks.findings(self._settings, self, self._client, self._directory, self._scope)

    def close(self) -> None:
        self._client.close()


def _updated(raw: Mapping[str, Any]) -> datetime:
    return mapping.utc(raw["updated_at"]) or datetime.min.replace(tzinfo=UTC)
