"""What an OTRS holds: agents, customers, queues, dynamic fields, tickets, articles. In memory.

Sources: recorded exchanges with OTOBO; the ids and names of a new installation.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

FORM = "%Y-%m-%d %H:%M:%S"
RIGHTS = frozenset({"ro", "move_into", "create", "note", "owner", "priority", "rw"})


@dataclass
class Agent:
    """`rights` by queue name; a queue that is not named has those under the empty name."""

    id: int
    login: str
    name: str
    email: str
    password: str
    rights: dict[str, frozenset[str]] = field(default_factory=lambda: {"": RIGHTS})

    def may(self, right: str, queue: str) -> bool:
        granted = self.rights.get(queue, self.rights.get("", frozenset()))
        return right in granted or "rw" in granted


@dataclass
class Customer:
    login: str
    name: str
    email: str
    password: str
    company: str


@dataclass(frozen=True)
class State:
    id: int
    name: str
    type: str


@dataclass(frozen=True)
class Queue:
    id: int
    name: str
    group_id: int = 4


@dataclass(frozen=True)
class DynamicField:
    """`of` is ticket or article, `type` the product's: Text, TextArea, Dropdown, Multiselect, Checkbox, DateTime."""

    name: str
    type: str = "Text"
    of: str = "ticket"
    options: tuple[str, ...] = ()


@dataclass
class File:
    name: str
    content_type: str
    content: bytes


@dataclass
class Article:
    id: int
    number: int
    ticket_id: int
    subject: str
    body: str
    html: str
    content_type: str
    sender: str
    sender_type: str
    to: str
    cc: str
    channel: int
    is_visible: bool
    created: datetime
    create_by: int
    files: list[File] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    time_unit: float = 0
    is_deleted: bool = False


@dataclass
class Ticket:
    id: int
    number: str
    title: str
    queue: Queue
    state: State
    priority: int
    type: int
    owner: int
    responsible: int
    customer_user: str
    customer_id: str
    created: datetime
    changed: datetime
    create_by: int
    change_by: int
    unlocked: datetime | None = None
    is_locked: bool = False
    service: str = ""
    sla: str = ""
    pending_until: datetime | None = None
    first_response: datetime | None = None
    closed: datetime | None = None
    articles: list[Article] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)


STATES = (
    State(1, "new", "new"),
    State(2, "closed successful", "closed"),
    State(3, "closed unsuccessful", "closed"),
    State(4, "open", "open"),
    State(5, "removed", "removed"),
    State(6, "pending reminder", "pending reminder"),
    State(7, "pending auto close+", "pending auto"),
    State(8, "pending auto close-", "pending auto"),
    State(9, "merged", "merged"),
)
PRIORITIES = {1: "1 very low", 2: "2 low", 3: "3 normal", 4: "4 high", 5: "5 very high"}
TYPES = {1: "Unclassified", 2: "Incident", 3: "Problem"}
CHANNELS = {"Email": 1, "Phone": 2, "Internal": 3}
SENDER_TYPES = {"agent": "1", "system": "2", "customer": "3"}
QUEUES = ("Postmaster", "Raw", "Junk", "Misc", "Support", "Support::L1", "Support::L2", "Support::L3", "Restricted")
FIELDS = (
    DynamicField("ExternalKey"),
    DynamicField("ExternalSystem", "Dropdown", options=("jira", "gitlab", "bugzilla")),
    DynamicField("ProcessManagementActivityID"),
    DynamicField("ProcessManagementProcessID"),
    DynamicField("SyncFlag", "Checkbox"),
    DynamicField("SyncNote", "TextArea"),
    DynamicField("SyncTags", "Multiselect", options=("a", "b", "c")),
    DynamicField("SyncedAt", "DateTime"),
    DynamicField("ExternalCommentID", of="article"),
)


class Store:
    """Everything there is. `zone` is the server's own, in which it says every time."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.zone: tzinfo = ZoneInfo("UTC")
        self.agents: dict[str, Agent] = {}
        self.customers: dict[str, Customer] = {}
        self.queues = {name: Queue(number, name) for number, name in enumerate(QUEUES, 1)}
        self.fields = {field.name: field for field in FIELDS}
        self.types = dict(TYPES)
        self.services = {"Mail": 1}
        self.slas = {"Gold": 1}
        self.tickets: dict[int, Ticket] = {}
        self.ticket_ids = itertools.count(1)
        self.article_ids = itertools.count(1)
        self.are_types_on = True
        root = Agent(1, "root@localhost", "Admin OTRS", "root@localhost", "")
        self.agents[root.login] = root

    def add_field(self, name: str, type: str = "Text", of: str = "ticket", options: tuple[str, ...] = ()) -> None:
        """A dynamic field more; tickets that are there already have it empty."""
        self.fields[name] = DynamicField(name, type, of, options)

    def add_agent(self, id: int, login: str, name: str, email: str, password: str) -> Agent:
        """An agent with every right on every queue."""
        self.agents[login] = Agent(id, login, name, email, password)
        return self.agents[login]

    def add_customer(self, login: str, name: str, email: str, password: str, company: str = "acme") -> None:
        """A customer user of a company."""
        self.customers[login] = Customer(login, name, email, password, company)

    def now(self) -> datetime:
        """The present moment in the grain of the database: whole seconds."""
        return self.clock().replace(microsecond=0)

    def shown(self, at: datetime) -> str:
        """A moment as the server says it, in its own zone."""
        return at.astimezone(self.zone).strftime(FORM)

    def login_of(self, agent_id: int) -> str:
        """The login of an agent by id."""
        return next(a.login for a in self.agents.values() if a.id == agent_id)

    def find_ticket(self, ticket_id: object) -> Ticket | None:
        """A ticket by its id, given as a number or as text."""
        text = str(ticket_id)
        return self.tickets.get(int(text)) if text.isascii() and text.isdigit() else None

    def by_number(self, number: object) -> Ticket | None:
        """A ticket by the number that people call it by."""
        return next((t for t in self.tickets.values() if t.number == str(number)), None)

    def children(self, queue: str) -> list[str]:
        """The queues below a queue."""
        return [name for name in self.queues if name.startswith(f"{queue}::")]

    def next_number(self, ticket_id: int) -> str:
        """Date, system id, counter, check digit. Source: the recorded numbers; the counter is behind by the ticket
        that comes with the installation."""
        stem = f"{self.clock().astimezone(self.zone):%Y%m%d}10{max(0, ticket_id - 1):05d}"
        total = sum(int(digit) * (1 + at % 2) for at, digit in enumerate(stem))
        return f"{stem}{10 - total % 10 if total % 10 else 1}"
