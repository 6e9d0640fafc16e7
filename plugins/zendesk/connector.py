"""Zendesk Support, spoken over its Ticketing API v2.

Source: developer.zendesk.com/api-reference/ticketing; the points that surprise are named where they matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from hub.connector import (
    Article,
    AuthError,
    Capability,
    Changes,
    Connector,
    Created,
    Draft,
    Finding,
    Hint,
    HmacSignature,
    Identity,
    Ignored,
    Known,
    NewComment,
    Polled,
    RemoteLink,
    Role,
    StoredMacro,
    WebhookRequest,
    Written,
    WrittenComment,
)
from hub.parts.custom_values import field_value, held, native_value
from hub.settings.trackers import TrackerSettings
from hub.text import defuse, from_html, to_html
from hub.ticket import Attachment, Comment, Markdown, Person, Snapshot, Ticket, Value
from plugins.zendesk import checks, guide, mapping, payloads, polling
from plugins.zendesk.client import ZendeskClient
from plugins.zendesk.comments import Comments
from plugins.zendesk.groups import Groups
from plugins.zendesk.macros import Macros
from plugins.zendesk.settings import ZendeskSettings
from plugins.zendesk.writing import Writing

INCLUDE = "users,comment_count,groups,organizations"
TITLE_LIMIT = 255


class ZendeskConnector(Connector):
    """One Zendesk account."""

    kind = "zendesk"
    role = Role.HELPDESK
    settings_model = ZendeskSettings
    settings_decide: ClassVar = {Capability.LINES: "with `lines`"}
    webhook_scheme = HmacSignature(
        header="X-Zendesk-Webhook-Signature",
        encoding="base64",
        timestamp_header="X-Zendesk-Webhook-Signature-Timestamp",
    )
    delivery_id_header = "x-zendesk-webhook-invocation-id"
    default_statuses = mapping.STATUSES
    default_priorities = mapping.PRIORITIES
    default_categories = mapping.CATEGORIES
    max_attachment_bytes: ClassVar[int] = 50 * 1024 * 1024

    def __init__(self, name: str, settings: TrackerSettings) -> None:
        super().__init__(name, settings)
        assert isinstance(settings, ZendeskSettings)
        self._settings = settings
        self._client = ZendeskClient(self, settings)
        self._groups = Groups(self._client)
        self.lines = settings.lines
        self._comments = Comments(self._client, settings)
        self._writing = Writing(self, self._client, settings, self._groups)
        self._macros = Macros(settings, self, self._client, self._groups)
        self._identity: Identity | None = None
        self._is_admin = False
        self.has_tag_fields = any(f.type in ("select", "multiselect", "checkbox") for f in settings.fields.values())

    @property
    def capabilities(self) -> frozenset[Capability]:
        offered = {
            Capability.CREATE, Capability.UPDATE, Capability.COMMENTS, Capability.PRIVATE_COMMENTS,
            Capability.ATTACHMENTS, Capability.ATTACHMENTS_IN_COMMENTS, Capability.WEBHOOKS, Capability.POLLING,
            Capability.USERS, Capability.REMOTE_LINKS, Capability.KNOWLEDGE_BASE, Capability.RATINGS,
            Capability.MACROS, Capability.PUBLISH_MACROS,
        }  # fmt: skip
        return frozenset(offered | ({Capability.LINES} if self.lines else set()))

    def identify(self) -> Identity:
        if self._identity is None:
            me = self._client.get("/users/me")["user"]
            if not me.get("id"):
                # Zendesk answers 200 with an anonymous user when the credentials are not its own.
                raise AuthError(self.name, "GET /users/me", "the account is anonymous", "Check the credentials.")
            self._is_admin = me["role"] == "admin"
            self._identity = Identity(str(me["id"]), me["name"], self._client.clock_skew)
        return self._identity

    # reading

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        """One call, and a second one for the comments when their number says that they changed, or may have."""
        answer = self._client.get(f"/tickets/{ticket_id}", include=INCLUDE)
        raw = answer["ticket"]
        ticket = self._ticket(raw, answer)
        count = raw.get("comment_count", answer.get("comment_count"))
        comments: tuple[Comment, ...] | None = None
        files: tuple[Attachment, ...] = ()
        if known.must_read_comments or count is None or count != known.comment_count:
            first, comments = self._comments.read(ticket_id)
            count = len(comments) + (first is not None)
            if first is not None:
                ticket = replace(ticket, description=first.text)
                files = first.attachments
        return Snapshot(
            ticket=ticket,
            read_at=self._client.now(),
            version=str(raw.get("updated_at") or ""),
            comments=comments,
            comment_count=count,
            attachments=files,
            is_deleted=raw.get("status") == "deleted",
        )

    def download(self, attachment: Attachment) -> AbstractContextManager[Iterator[bytes]]:
        return self._client.stream(attachment.url)

    # pure translation

    def hold(self, field_name: str, value: Value) -> Value:
        if field_name == "title" and isinstance(value, str):
            return " ".join(value.split())[:TITLE_LIMIT].rstrip()
        if field_name.startswith("custom:"):
            field = self._settings.fields[field_name.removeprefix("custom:")]
            return held(self.name, field, value, native_value, field_value)
        return super().hold(field_name, value)

    def hold_text(self, text: Markdown) -> Markdown:
        return from_html(to_html(defuse(text)))

    def hold_label(self, label: str) -> str:
        return "_".join(label.lower().split())

    # writing

    def create(self, draft: Draft) -> Created:
        return self._created(self._writing.create(draft))

    def find_ticket(self, marker: str) -> Created | None:
        tickets = self._client.get("/tickets", external_id=marker)["tickets"]
        return self._created(tickets[0]) if tickets else None

    def _created(self, raw: Mapping[str, Any]) -> Created:
        return Created(str(raw["id"]), f"#{raw['id']}", f"{self._settings.url}/agent/tickets/{raw['id']}")

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        return Written(self._writing.update(ticket_id, changes, basis.version if basis is not None else ""))

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        return self._comments.add(ticket_id, comment)

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        return self._comments.find(ticket_id, marker)

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        return self._comments.show_link(ticket_id, link)

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        self._comments.remove_link(ticket_id, global_id)

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        return payloads.parse(request, self)

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        begin = 0 if cursor else polling.start(now, self.identify().clock_skew or 0.0)
        return polling.look(self._client, cursor, begin, lambda raw: self._ticket(raw, {}))

    def _ticket(self, raw: Mapping[str, Any], came_along: Mapping[str, Any]) -> Ticket:
        return mapping.ticket(self._settings, self, raw, mapping.Sideloads(came_along))

    def find_person(self, email: str) -> Person | None:
        for user in self._client.get("/users/search", query=f'email:"{email}"')["users"]:
            if (user.get("email") or "").casefold() == email.casefold():
                return mapping.Sideloads({"users": [user]}).person(user["id"])
        return None

    def find_articles(self, words: str, limit: int) -> Sequence[Article]:
        return guide.articles(self._client, words, limit)

    def macros(self) -> Sequence[StoredMacro]:
        return self._macros.active()

    def publish_macro(self, macro: StoredMacro, key: str) -> str:
        return self._macros.publish(macro, key)

    def check(self) -> list[Finding]:
        self.identify()
        return checks.findings(self._settings, self.name, self._client, self._groups, is_admin=self._is_admin)

    def close(self) -> None:
        self._client.close()
