"""The neutral model: a ticket, issue or bug in words that every tracker shares.

Connectors translate to and from it; nothing in it knows a tracker, a database or HTTP. Every value is immutable.
Text is the neutral Markdown of `hub.text`; times are timezone-aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

Markdown = NewType("Markdown", str)
"""Text in the neutral form: canonical Markdown, as `hub.text.canonical` returns it."""


class Status(StrEnum):
    """Where a ticket stands. The order of the members is the order of a ticket's life."""

    NEW = "new"
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    PENDING = "pending"
    """Waiting for the customer."""
    ON_HOLD = "on_hold"
    """Waiting for somebody else: a supplier, another team."""
    SOLVED = "solved"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    """The tracker's own status has no mapping. Never written anywhere."""

    @property
    def is_active(self) -> bool:
        """Somebody has work to do on it now."""
        return self in (Status.NEW, Status.OPEN, Status.IN_PROGRESS)

    @property
    def is_done(self) -> bool:
        return self in (Status.SOLVED, Status.CLOSED)


class Priority(StrEnum):
    """How much it matters, from the least to the most; `unknown` has no mapping and is never written."""

    LOWEST = "lowest"
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"
    UNKNOWN = "unknown"


class Category(StrEnum):
    INCIDENT = "incident"
    CHANGE_REQUEST = "change_request"
    SERVICE_REQUEST = "service_request"
    PROBLEM = "problem"
    BUG = "bug"
    UNKNOWN = "unknown"


class Channel(StrEnum):
    """How the request reached support."""

    EMAIL = "email"
    PHONE = "phone"
    WEB = "web"
    CHAT = "chat"
    CHATBOT = "chatbot"
    SOCIAL = "social"
    API = "api"
    MONITORING = "monitoring"
    UNKNOWN = "unknown"


class Visibility(StrEnum):
    """Who may read a text. `unknown` counts as private wherever it matters; see `is_public`."""

    PUBLIC = "public"
    PRIVATE = "private"
    UNKNOWN = "unknown"

    @property
    def is_public(self) -> bool:
        """True only where the tracker said so in as many words."""
        return self is Visibility.PUBLIC


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as one tracker knows them. `id` is that tracker's; `email` is None where it is hidden.

    `language` is a tag such as `pl` or `en-gb` in lower case, None where the tracker does not tell.
    """

    id: str = ""
    name: str = ""
    email: str | None = None
    is_staff: bool | None = None
    language: str | None = None

    @property
    def label(self) -> str:
        """What to call them in a text: the name, else the address, else the id."""
        return self.name or self.email or self.id or "somebody"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a ticket. `size` in bytes, None where unknown; `url` is where the tracker serves it."""

    id: str
    name: str
    url: str = ""
    size: int | None = None
    content_type: str = "application/octet-stream"
    author: Person = Person()
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment, note or reply. `marker` is the hub's own stamp where the tracker can carry one unseen."""

    id: str
    author: Person
    text: Markdown
    visibility: Visibility
    created: datetime
    updated: datetime | None = None
    attachments: tuple[Attachment, ...] = ()
    marker: str | None = None


@dataclass(frozen=True, slots=True)
class ExternalLink:
    """A link from a ticket to something elsewhere. `global_id` names the target for ever; people's links have none."""

    url: str
    title: str = ""
    global_id: str | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """An affected machine, service or product: its name and where to read about it."""

    name: str
    url: str = ""


CustomValue = str | int | float | bool | datetime | tuple[str, ...] | None
Value = CustomValue | Status | Priority | Category
"""What a scalar field may hold. An assignee is held as the key of `hub.sync.people`, a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket in neutral form.

    `key` is what people call it (`OPS-12`, `#35436`), `id` what never changes. `native` keeps the tracker's own
    words for mapped values, by field name (`{"status": "In Review"}`), for messages that people read.
    `line` is the support line, counted from 1, None where the tracker does not say. `custom` holds the fields that
    the settings name, under their neutral names.
    """

    id: str
    key: str
    url: str = ""
    title: str = ""
    description: Markdown | None = Markdown("")
    """None when it was not read because it cannot have changed."""
    status: Status = Status.UNKNOWN
    priority: Priority = Priority.UNKNOWN
    category: Category = Category.UNKNOWN
    channel: Channel = Channel.UNKNOWN
    line: int | None = None
    requester: Person | None = None
    assignee: Person | None = None
    organisation: str | None = None
    labels: frozenset[str] = frozenset()
    custom: Mapping[str, CustomValue] = field(default_factory=dict)
    links: tuple[ExternalLink, ...] = ()
    assets: tuple[Asset, ...] = ()
    native: Mapping[str, str] = field(default_factory=dict)
    rating: str | None = None
    """The customer's satisfaction: `good`, `bad`, None where none was given or the tracker does not tell."""
    created: datetime | None = None
    updated: datetime | None = None


@dataclass(frozen=True, slots=True, order=True)
class TicketRef:
    """A ticket's address inside the hub: the tracker's configured name and the ticket's immutable id there."""

    tracker: str
    id: str

    def __str__(self) -> str:
        return f"{self.tracker}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> TicketRef:
        """`support:35436` -> TicketRef. Raises ValueError with the expected form."""
        tracker, colon, ticket_id = text.strip().partition(":")
        if not (tracker and colon and ticket_id):
            raise ValueError(f"{text!r} is not a ticket: write <tracker>:<id>, e.g. support:35436")
        return cls(tracker, ticket_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """That a field was changed: from which value to which, when (UTC, by the tracker's clock), and by which account."""

    field: str
    before: Value
    after: Value
    at: datetime
    actor_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A ticket as one tracker shows it at one moment.

    `version` is what the tracker's optimistic lock wants back (empty where it has none). `comments` is None when
    they were not read because nothing says that they changed; `comment_count` is the tracker's own count where it
    tells one. `read_at` is by the tracker's clock where that is known. `attachments` are those that hang on the
    ticket itself rather than on a comment. `changes` are those that were asked for by `Known.history_since`, None
    where they were not or the tracker does not tell. `is_deleted` is a ticket that is gone; its other values are then
    the last known or empty.
    """

    ticket: Ticket
    read_at: datetime
    version: str = ""
    comments: tuple[Comment, ...] | None = None
    comment_count: int | None = None
    attachments: tuple[Attachment, ...] = ()
    changes: tuple[FieldChange, ...] | None = None
    is_deleted: bool = False
