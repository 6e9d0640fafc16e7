"""OTRS, Znuny and OTOBO, spoken over the Generic Interface with the hub's own web service, `webservice.yml`.

Sources: recorded exchanges with OTOBO; OTRS admin manual, "GenericInterface: Operations". The points that surprise are
named where they matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from hub.connector import (
    BasicPassword,
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
    Unwritable,
    WebhookRequest,
    Written,
    WrittenComment,
)
from hub.settings.trackers import TrackerSettings
from hub.ticket import Attachment, Markdown, Snapshot, Value
from plugins.otrs import checks, mapping, payloads, polling
from plugins.otrs.articles import Articles
from plugins.otrs.client import OtrsClient
from plugins.otrs.files import Files
from plugins.otrs.settings import OtrsSettings
from plugins.otrs.tickets import ALL, Tickets
from plugins.otrs.times import ServerClock
from plugins.otrs.writing import Writing

TICKET_NUMBER = re.compile(r"#?\d{10,}")
"""What people call a ticket. It begins with the date, so no ticket's id is as long."""


class OtrsConnector(Connector):
    """One OTRS, Znuny or OTOBO."""

    kind = "otrs"
    role = Role.HELPDESK
    settings_model = OtrsSettings
    settings_decide: ClassVar = {
        Capability.LINES: "with `lines`",
        Capability.COMMENT_AUTHORS: "with `sender_address`",
    }
    webhook_scheme = BasicPassword()
    default_statuses = mapping.STATUSES
    default_priorities = mapping.PRIORITIES
    default_categories = mapping.CATEGORIES
    max_attachment_bytes: ClassVar[int] = 50 * 1024 * 1024

    def __init__(self, name: str, settings: TrackerSettings) -> None:
        super().__init__(name, settings)
        assert isinstance(settings, OtrsSettings)
        self._settings = settings
        self.lines = settings.lines
        self._client = OtrsClient(self, settings)
        self._zone = ZoneInfo(settings.time_zone) if settings.time_zone else None
        self._tickets = Tickets(self._client, settings)
        self._writing = Writing(self, self._client, settings, self._tickets)
        self._files = Files(name, settings, self._tickets)
        self._articles = Articles(self._client, settings, self._zone, self._tickets, self._files)
        self._identity: Identity | None = None

    @property
    def capabilities(self) -> frozenset[Capability]:
        offered = {
            Capability.CREATE, Capability.UPDATE, Capability.COMMENTS, Capability.PRIVATE_COMMENTS,
            Capability.ATTACHMENTS, Capability.ATTACHMENTS_IN_COMMENTS, Capability.WEBHOOKS, Capability.POLLING,
            Capability.REMOTE_LINKS,
        }  # fmt: skip
        offered |= {Capability.COMMENT_AUTHORS} if self._settings.sender_address else set()
        return frozenset(offered | ({Capability.LINES} if self.lines else set()))

    def identify(self) -> Identity:
        if self._identity is None:
            me = self._client.whoami()
            name = str(me.get("UserFullname") or me.get("UserLogin") or "")
            self._identity = Identity(str(me["UserID"]), name, self._client.clock_skew)
        return self._identity

    def check(self) -> list[Finding]:
        return checks.check(self, self._settings, self._client)

    # reading

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        """One call; a second one where a ticket was merged away, for the one that it was merged into."""
        now = datetime.now(UTC)
        if TICKET_NUMBER.fullmatch(ticket_id):
            ticket_id = self._tickets.id_of(ticket_id.lstrip("#"))
        raw = self._tickets.one(ticket_id, **ALL)
        articles = mapping.articles_of(raw)
        clock = ServerClock(self._zone, articles)
        ticket = mapping.ticket(self._settings, self, raw, clock)
        if raw.get("StateType") == "merged":
            ticket = replace(ticket, links=(*ticket.links, *self._tickets.merged_into(ticket_id)))
        comments = [mapping.comment(self._settings, article, clock) for article in articles]
        return Snapshot(
            ticket=ticket,
            read_at=now,
            comments=tuple(comments[1:]),
            comment_count=len(comments),
            attachments=comments[0].attachments if comments else (),
        )

    def download(self, attachment: Attachment) -> AbstractContextManager[Iterator[bytes]]:
        return self._files.download(attachment)

    # pure translation

    def hold(self, field_name: str, value: Value) -> Value:
        if field_name == "title" and isinstance(value, str):
            if mapping.title_of(value) in ("", "0"):
                raise Unwritable(f"{self.name} takes no empty title")
            return mapping.title_of(value)
        if field_name.startswith("custom:") and value is not None:
            field = self._settings.fields[field_name.removeprefix("custom:")]
            return mapping.field_value(field, mapping.native_value(field, value))
        return super().hold(field_name, value)

    def line_of(self, group: str) -> int | None:
        return mapping.line_of(group, self.lines)

    def hold_text(self, text: Markdown) -> Markdown:
        return mapping.text_of(mapping.body_of(text))

    def hold_label(self, label: str) -> str:
        return mapping.label_of(label, self._settings.labels_type)

    # writing

    def create(self, draft: Draft) -> Created:
        return self._created(self._writing.create(draft))

    def find_ticket(self, marker: str) -> Created | None:
        found = self._tickets.marked(marker)
        return None if found is None else self._created(found)

    def _created(self, raw: Mapping[str, Any]) -> Created:
        url = mapping.ticket_url(self._settings, raw["TicketID"])
        return Created(str(raw["TicketID"]), str(raw["TicketNumber"]), url)

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        self._writing.update(ticket_id, changes)
        return Written()

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        return self._articles.add(ticket_id, comment)

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        return self._articles.find(ticket_id, marker)

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        return self._articles.show_link(ticket_id, link)

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        self._articles.remove_link(ticket_id, global_id)

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        return payloads.parse(request)

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        return polling.look(self._tickets, cursor, now)

    def close(self) -> None:
        self._client.close()
