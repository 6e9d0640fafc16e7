"""Everything the sandbox remembers: people, tickets with their comments and audits, files, webhooks, tokens.

Data and look-up only; what may change and how is in `changes`, how it looks as JSON in `shapes`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from plugins.zendesk.sandbox.errors import not_found

ACCOUNT_ID = 22129848
NEVER = datetime.min.replace(tzinfo=UTC)
FIRST_ID = 9_000_000_000_001
"""Ids of everything but tickets exceed 32 bits, as they do in the real service."""


@dataclass
class User:
    """A person; `role` is end-user, agent or admin."""

    id: int
    name: str
    email: str
    role: str
    created_at: datetime
    updated_at: datetime
    organization_id: int | None = None
    default_group_id: int | None = None
    external_id: str | None = None
    phone: str | None = None
    notes: str | None = None
    locale: str = "en-US"
    details: str | None = None
    tags: list[str] = field(default_factory=list)

    @property
    def is_staff(self) -> bool:
        return self.role in ("agent", "admin")


@dataclass
class Attachment:
    """A stored file; `token` is the secret part of its address."""

    id: int
    token: str
    file_name: str
    content_type: str
    content: bytes
    inline: bool = False
    deleted: bool = False


@dataclass
class Upload:
    """Files waiting to be attached to a comment."""

    token: str
    expires_at: datetime
    attachments: list[Attachment] = field(default_factory=list)


@dataclass
class Comment:
    id: int
    audit_id: int
    author_id: int
    body: str
    html_body: str
    public: bool
    created_at: datetime
    attachments: list[Attachment]
    via: dict[str, Any]
    metadata: dict[str, Any]


@dataclass
class Audit:
    """What one action did to a ticket: `events` in Zendesk's own form."""

    id: int
    ticket_id: int
    author_id: int
    created_at: datetime
    metadata: dict[str, Any]
    via: dict[str, Any]
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Ticket:
    """`values` holds the attributes that have no rules of their own; `custom` the custom fields by id."""

    id: int
    created_at: datetime
    updated_at: datetime
    via: dict[str, Any]
    values: dict[str, Any]
    tags: list[str] = field(default_factory=list)
    custom: dict[int, Any] = field(default_factory=dict)
    comments: list[Comment] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)
    followup_ids: list[int] = field(default_factory=list)
    deleted: bool = False
    rating: dict[str, Any] | None = None
    """What the requester answered when asked how satisfied they are."""
    generated_at: datetime = NEVER
    indexed: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)
    """What the search index was told, and when."""

    @property
    def is_public(self) -> bool:
        return any(comment.public for comment in self.comments)


@dataclass
class Store:
    """One account."""

    clock: Callable[[], datetime]
    base_url: Callable[[], str]
    users: dict[int, User] = field(default_factory=dict)
    organizations: dict[int, dict[str, Any]] = field(default_factory=dict)
    groups: dict[int, dict[str, Any]] = field(default_factory=dict)
    fields: dict[int, dict[str, Any]] = field(default_factory=dict)
    statuses: dict[int, dict[str, Any]] = field(default_factory=dict)
    forms: dict[int, dict[str, Any]] = field(default_factory=dict)
    macros: dict[int, dict[str, Any]] = field(default_factory=dict)
    articles: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Of the Help Center."""
    tickets: dict[int, Ticket] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    attachments: dict[int, Attachment] = field(default_factory=dict)
    files: dict[str, Attachment] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: dict[int, dict[str, Any]] = field(default_factory=dict)
    triggers: dict[int, dict[str, Any]] = field(default_factory=dict)
    brand_id: int = 0
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(FIRST_ID, 20))

    def new_id(self) -> int:
        """An id for anything but a ticket."""
        return next(self._ids)

    def ticket(self, ticket_id: int) -> Ticket:
        """A ticket that is not deleted; 404 otherwise."""
        ticket = self.tickets.get(ticket_id)
        if ticket is None or ticket.deleted:
            raise not_found()
        return ticket

    def user_by_email(self, email: str) -> User | None:
        """The person with this address, in any case."""
        wanted = email.strip().lower()
        return next((user for user in self.users.values() if user.email.lower() == wanted), None)

    def add_user(self, name: str, email: str, role: str = "end-user", **more: Any) -> User:
        """A new person."""
        now = self.clock()
        user = User(self.new_id(), name, email, role, now, now, **more)
        self.users[user.id] = user
        return user


def iso(moment: datetime | None) -> str | None:
    """Zendesk's form of a moment: UTC, whole seconds, `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
