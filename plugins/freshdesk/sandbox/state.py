"""What a Freshdesk account holds: agents, contacts, groups, fields, tickets. In memory.

Sources: developers.freshdesk.com; samples of python-freshdesk's tests.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class User:
    """An agent with a key, or a contact with a login for the portal."""

    id: int
    login: str
    name: str
    email: str
    secret: str
    is_agent: bool = False
    ticket_scope: int = 1
    may_administer: bool = False
    company_id: int | None = None
    language: str = "en"


@dataclass
class File:
    id: int
    name: str
    content: bytes
    content_type: str
    created: datetime


@dataclass
class Conversation:
    id: int
    user: User
    body: str
    private: bool
    incoming: bool
    source: int
    """0 reply, 2 note."""
    created: datetime
    updated: datetime
    files: list[File] = field(default_factory=list)
    edited: datetime | None = None
    edited_by: User | None = None


@dataclass(frozen=True)
class Rating:
    """An answer to the satisfaction survey: 103 to 101 happy, 100 neutral, -101 to -103 unhappy."""

    id: int
    user: User
    answer: int
    feedback: str
    created: datetime


@dataclass
class Ticket:
    id: int
    subject: str
    description: str
    requester: User
    created: datetime
    updated: datetime
    status: int = 2
    priority: int = 1
    source: int = 2
    type: str | None = None
    responder_id: int | None = None
    group_id: int | None = None
    tags: list[str] = field(default_factory=list)
    custom_fields: dict[str, Any] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)
    ratings: list[Rating] = field(default_factory=list)
    deleted: bool = False
    spam: bool = False
    searchable_from: datetime | None = None
    """The search's index shows the ticket's present state from then on."""


STATUSES = {
    2: ("Open", "Being Processed"),
    3: ("Pending", "Awaiting your Reply"),
    4: ("Resolved", "This ticket has been Resolved"),
    5: ("Closed", "This ticket has been Closed"),
    6: ("Waiting on Customer", "Awaiting your Reply"),
    7: ("Waiting on Third Party", "Being Processed"),
    8: ("Waiting on Engineering", "Being Processed"),
}
PRIORITIES = {1: "Low", 2: "Medium", 3: "High", 4: "Urgent"}
SOURCES = {1, 2, 3, 5, 6, 7, 9, 10, 11, 12, 13}
TYPES = ["Question", "Incident", "Problem", "Feature Request", "Refund"]
CUSTOM: dict[str, tuple[str, str, list[str]]] = {
    "cf_severity": ("Severity", "custom_dropdown", ["Minor", "Major", "Critical"]),
    "cf_environment": ("Environment", "custom_text", []),
    "cf_customers_affected": ("Customers affected", "custom_number", []),
    "cf_is_regression": ("Is a regression", "custom_checkbox", []),
    "cf_found_on": ("Found on", "custom_date", []),
    "cf_resolution": ("Resolution", "custom_text", []),
}
DONE = (4, 5)
DRAFT, PUBLISHED = 1, 2
FOR_ALL, FOR_CUSTOMERS, FOR_AGENTS = 1, 2, 3
"""Who may see a folder of articles: everybody, whoever signed in, agents."""


@dataclass(frozen=True)
class Article:
    """An article of the knowledge base, called Solutions."""

    id: int
    title: str
    text: str
    visibility: int = FOR_ALL
    status: int = PUBLISHED


ARTICLES = (
    ("Resetting a password", "Open the sign-in page and choose to reset the password.", FOR_ALL, PUBLISHED),
    ("Reading an invoice", "Each line of an invoice names its period and its sum.", FOR_CUSTOMERS, PUBLISHED),
    ("Why an invoice is wrong", "Compare the sum of the invoice with the contract.", FOR_ALL, PUBLISHED),
    ("Correcting an invoice", "Take the wrong invoice back in the billing system.", FOR_AGENTS, PUBLISHED),
    ("Paying an invoice by card", "Not yet published.", FOR_ALL, DRAFT),
)
CANNED: dict[str, list[tuple[str, str]]] = {
    "General": [
        ("Ask for details", "<div>Dear {{ticket.requester.name}},<br>please send us the steps.</div>"),
        ("Known issue", "<div>We know of <b>#{{ticket.id}}</b> and tell {{ticket.requester.phone}}.</div>"),
    ],
    "Billing": [("Invoice sent", "<div>The invoice was sent again by {{ticket.agent.name}}.</div>")],
}
"""Canned responses by folder: title and HTML."""


class Store:
    """Everything of one account."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._ids = itertools.count(48_000_000_001)
        self._numbers = itertools.count(1)
        self.users: dict[int, User] = {}
        self.groups: dict[int, str] = {}
        self.companies: dict[int, str] = {}
        self.tickets: dict[int, Ticket] = {}
        self.articles: dict[int, Article] = {}
        self.files: dict[int, File] = {}
        self._seed()

    def now(self) -> datetime:
        """Whole seconds, as Freshdesk stamps."""
        return self._clock().replace(microsecond=0)

    def new_id(self) -> int:
        return next(self._ids)

    def new_number(self) -> int:
        return next(self._numbers)

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

    def add_contact(self, name: str, email: str, login: str = "", secret: str = "") -> User:
        user = User(self.new_id(), login, name, email, secret)
        self.users[user.id] = user
        return user

    def add_file(self, name: str, content: bytes, content_type: str) -> File:
        file = File(self.new_id(), name, content, content_type, self.now())
        self.files[file.id] = file
        return file

    def _seed(self) -> None:
        for login, name, scope, admin in (
            ("hub", "Hub Service", 1, True),
            ("agent1", "Agent One", 1, False),
            ("agent2", "Agent Two", 1, True),
            ("agent3", "Agent Three", 3, False),
        ):
            email = f"{login}@helpdesk.example"
            user = User(self.new_id(), login, name, email, f"sandbox-key-{login}", True, scope, admin)
            self.users[user.id] = user
        company = self.new_id()
        self.companies[company] = "Customers Ltd"
        for number in (1, 2):
            login = f"customer{number}"
            made = self.add_contact(f"Customer {number}", f"{login}@customers.example", login, f"portal-{login}")
            made.company_id, made.language = company, "en" if number == 1 else "pl"
        for name in ("Helpdesk", "Experts"):
            self.groups[self.new_id()] = name
        for title, text, visibility, status in ARTICLES:
            article = Article(self.new_id(), title, text, visibility, status)
            self.articles[article.id] = article
