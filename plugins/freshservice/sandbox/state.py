"""What a Freshservice account holds: workspaces, agents, requesters, tickets, changes. In memory.

Sources: api.freshservice.com; answers of real accounts in the test data of Cortex XSOAR's integration.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from plugins.freshservice.sandbox import seed


@dataclass
class User:
    """An agent with a key, or a requester with a login for the portal. `workspaces` are those of an agent."""

    id: int
    login: str
    first_name: str
    last_name: str
    email: str
    secret: str
    is_agent: bool = False
    workspaces: tuple[int, ...] = ()
    may_administer: bool = False
    department_id: int | None = None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass
class File:
    id: int
    name: str
    content: bytes
    content_type: str
    created: datetime


@dataclass
class Group:
    id: int
    name: str
    workspace_id: int


@dataclass
class Conversation:
    """A reply (source 0) or a note (source 2) of a ticket; a note of a change has no source."""

    id: int
    user: User
    body: str
    private: bool
    incoming: bool
    source: int
    created: datetime
    updated: datetime
    files: list[File] = field(default_factory=list)


@dataclass
class Item:
    """What tickets and changes have in common."""

    id: int
    subject: str
    description: str
    requester: User
    workspace_id: int
    created: datetime
    updated: datetime
    status: int
    priority: int = 1
    impact: int = 1
    group_id: int | None = None
    department_id: int | None = None
    category: str | None = None
    custom_fields: dict[str, Any] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)


@dataclass
class Ticket(Item):
    """An incident or a service request; both are numbered in one series."""

    type: str = "Incident"
    source: int = 2
    urgency: int = 1
    responder_id: int | None = None
    tags: list[str] = field(default_factory=list)
    deleted: bool = False
    spam: bool = False
    searchable_from: datetime | None = None
    """The filter's index shows the ticket's present state from then on."""


@dataclass
class Change(Item):
    agent_id: int | None = None
    change_type: int = 1
    risk: int = 1
    planned_start: str | None = None
    planned_end: str | None = None


class Store:
    """Everything of one account."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._ids = itertools.count(21_001_397_001)
        self._tickets, self._changes = itertools.count(1), itertools.count(1)
        self.users: dict[int, User] = {}
        self.groups: dict[int, Group] = {}
        self.departments: dict[int, str] = {}
        self.tickets: dict[int, Ticket] = {}
        self.changes: dict[int, Change] = {}
        self.files: dict[int, File] = {}
        self._seed()

    def now(self) -> datetime:
        """Whole seconds, as Freshservice stamps."""
        return self._clock().replace(microsecond=0)

    def new_id(self) -> int:
        return next(self._ids)

    def new_number(self, of: type[Item]) -> int:
        return next(self._changes if of is Change else self._tickets)

    def by_login(self, login: str) -> User:
        return next(u for u in self.users.values() if u.login == login)

    def by_email(self, email: str) -> User | None:
        return next((u for u in self.users.values() if u.email.casefold() == email.casefold()), None)

    def by_key(self, key: str) -> User | None:
        return next((u for u in self.users.values() if u.is_agent and u.secret == key), None)

    def conversation(self, conversation_id: int) -> tuple[Ticket, Conversation] | None:
        for ticket in self.tickets.values():
            for one in ticket.conversations:
                if one.id == conversation_id:
                    return ticket, one
        return None

    def add_requester(self, first_name: str, last_name: str, email: str, login: str = "", secret: str = "") -> User:
        user = User(self.new_id(), login, first_name, last_name, email, secret)
        self.users[user.id] = user
        return user

    def add_file(self, name: str, content: bytes, content_type: str) -> File:
        file = File(self.new_id(), name, content, content_type, self.now())
        self.files[file.id] = file
        return file

    def _seed(self) -> None:
        for login, first, last, workspaces, may_administer in seed.AGENTS:
            secret = f"sandbox-key-{login}"
            email = f"{login}@helpdesk.example"
            user = User(self.new_id(), login, first, last, email, secret, True, workspaces, may_administer)
            self.users[user.id] = user
        department = self.new_id()
        self.departments[department] = "Finance"
        for number in (1, 2):
            login = f"customer{number}"
            made = self.add_requester("Customer", str(number), f"{login}@customers.example", login, f"portal-{login}")
            made.department_id = department
        for name, workspace in seed.GROUPS:
            group = Group(self.new_id(), name, workspace)
            self.groups[group.id] = group
