"""What a Jira site holds: people, projects, workflows, issues. In memory.

Sources: Atlassian's OpenAPI document and its example answers; captured answers and webhooks of Data Center.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class User:
    login: str
    name: str
    email: str
    account_id: str
    token: str
    time_zone: str = "Etc/UTC"
    is_admin: bool = False
    may_write: bool = True


@dataclass(frozen=True)
class Status:
    id: str
    name: str
    category: str
    """`new`, `indeterminate` or `done`."""


@dataclass(frozen=True)
class Move:
    """A transition of the workflow; `sources` None means from everywhere."""

    id: str
    name: str
    to: str
    sources: tuple[str, ...] | None = None
    asks_resolution: bool = False


@dataclass
class Project:
    id: str
    key: str
    name: str
    type: str
    """`software` or `service_desk`."""
    moves: tuple[Move, ...]
    initial: str
    numbers: Any = field(default_factory=lambda: itertools.count(1))


@dataclass
class Comment:
    id: str
    author: User
    body: str
    created: datetime
    updated: datetime
    update_author: User
    visibility: dict[str, str] | None = None
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass
class Attachment:
    id: str
    name: str
    content: bytes
    mime: str
    author: User
    created: datetime


@dataclass
class Issue:
    id: str
    key: str
    project: Project
    fields: dict[str, Any]
    """summary, description, priority, labels, issuetype, assignee, status, resolution and custom fields."""
    reporter: User
    created: datetime
    updated: datetime
    comments: list[Comment] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    links: dict[str, dict[str, Any]] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    changelog: list[dict[str, Any]] = field(default_factory=list)
    old_keys: list[str] = field(default_factory=list)


STATUSES = (
    Status("10000", "To Do", "new"),
    Status("3", "In Progress", "indeterminate"),
    Status("10001", "In Review", "indeterminate"),
    Status("10002", "Blocked", "indeterminate"),
    Status("10003", "Done", "done"),
    Status("10004", "Won't Do", "done"),
    Status("4", "Reopened", "new"),
    Status("10005", "Waiting for customer", "indeterminate"),
    Status("10006", "Waiting for support", "new"),
    Status("5", "Resolved", "done"),
)
SOFTWARE = (
    Move("11", "Start Progress", "In Progress", ("To Do", "Reopened", "Blocked")),
    Move("21", "Ask for Review", "In Review", ("In Progress",)),
    Move("31", "Finish", "Done", ("In Review",), asks_resolution=True),
    Move("41", "Block", "Blocked", ("To Do", "In Progress", "In Review", "Reopened")),
    Move("51", "Reject", "Won't Do", ("To Do", "Reopened"), asks_resolution=True),
    Move("61", "Reopen", "Reopened", ("Done", "Won't Do")),
    Move("71", "Back to Work", "In Progress", ("In Review", "Done")),
    Move("81", "Stop Progress", "To Do", ("In Progress",)),
)
DESK = (
    Move("11", "Respond to customer", "Waiting for customer", ("Waiting for support", "Reopened")),
    Move("21", "Respond to support", "Waiting for support", ("Waiting for customer", "Resolved")),
    Move("31", "Resolve", "Resolved", ("Waiting for support", "Waiting for customer"), asks_resolution=True),
)
PRIORITIES = ("Highest", "High", "Medium", "Low", "Lowest")
RESOLUTIONS = ("Done", "Won't Do", "Duplicate", "Cannot Reproduce")
ISSUE_TYPES = ("Bug", "Task", "Story")
CUSTOM_FIELDS = {
    "customfield_10050": ("Severity", "option", ("Minor", "Major", "Critical")),
    "customfield_10051": ("Environment detail", "string", ()),
    "customfield_10052": ("Customers affected", "number", ()),
    "customfield_10053": ("Platforms", "array", ("Web", "Mobile", "API")),
    "customfield_10054": ("External ID", "string", ()),
}


class Store:
    """Everything of one site."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self._ids = itertools.count(10001)
        self.users: dict[str, User] = {}
        self.projects: dict[str, Project] = {}
        self.issues: dict[str, Issue] = {}
        self.hooks: dict[str, dict[str, Any]] = {}
        self.deleted: set[str] = set()
        self.required: set[str] = set()
        """Custom fields that new issues need; an admin of the site decides."""
        self._seed()

    def new_id(self) -> str:
        return str(next(self._ids))

    def user(self, login: str) -> User:
        return self.users[login]

    def find_user(self, text: str) -> User | None:
        """By account id, login or nothing."""
        return next((u for u in self.users.values() if text in (u.account_id, u.login)), None)

    def find_issue(self, text: str) -> Issue | None:
        """By id or key, also one that it had before it was moved."""
        for issue in self.issues.values():
            if text in (issue.id, issue.key, *issue.old_keys):
                return issue
        return None

    def status(self, name: str) -> Status:
        return next(s for s in STATUSES if s.name == name)

    def _seed(self) -> None:
        for number, (login, name, admin, writes) in enumerate(
            (
                ("hub", "Hub Service", True, True),
                ("admin", "Site Admin", True, True),
                ("engineer1", "Engineer One", False, True),
                ("engineer2", "Engineer Two", False, True),
                ("reader", "Read Only", False, False),
            )
        ):
            account = f"557058:0000-{number:04d}"
            self.users[login] = User(
                login,
                name,
                f"{login}@engineering.example",
                account,
                f"sandbox-token-{login}-{number}",
                is_admin=admin,
                may_write=writes,
            )
        for number, (key, name, kind, moves, initial) in enumerate(
            (
                ("OPS", "Operations", "software", SOFTWARE, "To Do"),
                ("WEB", "Website", "software", SOFTWARE, "To Do"),
                ("DESK", "Service Desk", "service_desk", DESK, "Waiting for support"),
            )
        ):
            self.projects[key] = Project(str(10000 + number), key, name, kind, moves, initial)
