"""What a Service Desk account holds: users with tokens, groups, custom fields, incidents, audits. In memory.

Sources: the vendor's API documentation; shapes of live accounts as published by the project MCP-SWSD.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class User:
    """Somebody with a role. `token` signs in at the API, `password` at the portal."""

    id: int
    login: str
    name: str
    email: str
    role: str
    token: str = ""
    password: str = ""
    disabled: bool = False

    @property
    def is_agent(self) -> bool:
        return self.role != "Requester"


@dataclass
class File:
    id: int
    name: str
    content: bytes
    content_type: str
    uploader: User
    created: datetime


@dataclass
class Note:
    """A comment."""

    id: int
    user: User
    body: str
    is_private: bool
    created: datetime
    updated: datetime
    files: list[File] = field(default_factory=list)


@dataclass
class Incident:
    id: int
    number: int
    name: str
    description: str
    requester: User
    created: datetime
    updated: datetime
    state: str = "New"
    priority: str = "None"
    origin: str = "api"
    category: str | None = None
    assignee_id: int | None = None
    group_id: int | None = None
    is_service_request: bool = False
    site: str | None = "Headquarters"
    department: str | None = None
    resolution_code: str | None = None
    is_satisfied: bool | None = None
    """What the requester answered to the survey."""
    changes: list[int] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    custom: dict[str, str] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    comments: list[Note] = field(default_factory=list)
    searchable_from: datetime | None = None
    """The search's index shows the ticket's present state from then on."""


@dataclass(frozen=True)
class Audit:
    uuid: str
    message: str
    action: str
    incident_id: int
    created: datetime
    user: User | None
    """None for what the API wrote."""


STATES = ["New", "Pending Assignment", "Assigned", "Awaiting Input", "On Hold", "Scheduled", "Resolved", "Closed"]
PRIORITIES = ["None", "Low", "Medium", "High", "Critical"]
CATEGORIES = ["Hardware", "Network", "Software", "Access", "Change"]
GROUPS = {91_001: "Helpdesk", 91_002: "Experts"}
CUSTOM: dict[str, tuple[str, list[str], str]] = {
    "Severity": ("Drop Down Menu", ["Minor", "Major", "Critical"], "Incident"),
    "Environment": ("Free Text", [], "Incident"),
    "Customers affected": ("Number", [], "Incident"),
    "Is a regression": ("Checkbox", ["Yes", "No"], "Incident"),
    "Found on": ("Date", [], "Incident"),
    "Renewal date": ("Date", [], "Solution"),
}
"""Name -> kind, choices, scope."""


def token_for(user_id: int, number: int, claim: str = "user_id") -> str:
    """A token as Service Desk makes them: HS512, the user's id and the time in it."""

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    head = part({"alg": "HS512"})
    body = part({claim: user_id, "generated_at": f"2026-03-11 20:34:{number:02}"})
    sign = hashlib.sha512(f"{head}.{body}.sandbox".encode()).digest()
    return f"{head}.{body}.{base64.urlsafe_b64encode(sign).decode().rstrip('=')}"


class Store:
    """Everything of one account."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._ids = itertools.count(181_400_001)
        self._numbers = itertools.count(60_401)
        self._tokens = itertools.count(1)
        self.users: dict[int, User] = {}
        self.incidents: dict[int, Incident] = {}
        self.files: dict[int, File] = {}
        self.audits: list[Audit] = []
        self.mails: list[tuple[str, str]] = []
        """Address and what for."""
        for login, name, role in (
            ("hub", "Hub Service", "Administrator"),
            ("agent1", "Agent One", "Service Agent User"),
            ("agent2", "Agent Two", "Administrator"),
            ("customer1", "Customer 1", "Requester"),
            ("customer2", "Customer 2", "Requester"),
        ):
            domain = "customers.example" if role == "Requester" else "helpdesk.example"
            self.add_user(login, name, f"{login}@{domain}", role)

    def now(self) -> datetime:
        """Whole seconds, as Service Desk stamps."""
        return self._clock().replace(microsecond=0)

    def new_id(self) -> int:
        return next(self._ids)

    def new_number(self) -> int:
        return next(self._numbers)

    def by_login(self, login: str) -> User:
        return next(u for u in self.users.values() if u.login == login)

    def by_email(self, email: str) -> User | None:
        return next((u for u in self.users.values() if u.email.casefold() == email.casefold()), None)

    def by_token(self, token: str) -> User | None:
        """Whose token it is: every user's newest alone is good, and none of a user who is disabled."""
        return next((u for u in self.users.values() if u.token and u.token == token and not u.disabled), None)

    def add_user(self, login: str, name: str, email: str, role: str = "Requester") -> User:
        user = User(self.new_id(), login, name, email, role)
        if role == "Requester":
            user.password = f"portal-{login}" if login else ""
        else:
            self.renew_token(user)
        self.users[user.id] = user
        return user

    def renew_token(self, user: User, claim: str = "user_id") -> str:
        """Makes a new token and ends the one before."""
        user.token = token_for(user.id, next(self._tokens), claim)
        return user.token

    def add_file(self, name: str, content: bytes, content_type: str, uploader: User) -> File:
        file = File(self.new_id(), name, content, content_type, uploader, self.now())
        self.files[file.id] = file
        return file

    def audit(self, incident: Incident, message: str, action: str, user: User | None) -> None:
        self.audits.append(Audit(str(uuid.uuid4()), message, action, incident.id, self.now(), user))

    def comment_of(self, comment_id: int) -> tuple[Incident, Note] | None:
        for incident in self.incidents.values():
            for note in incident.comments:
                if note.id == comment_id:
                    return incident, note
        return None
