"""What a ServiceDesk Plus holds: technicians, requesters, lists of values, requests. In memory.

Numbers run per kind of thing on-premises, so that a note and a mail may share one; in the cloud all share one long run.
Sources: answers in Cortex XSOAR's test data; sdpop-v3-api and sdpod-v3-api.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

CLOUD_START = 123640000000240001


@dataclass
class User:
    """A technician with a key and a refresh token, or a requester with a login for the portal."""

    id: int
    login: str
    name: str
    email: str | None
    secret: str = ""
    is_technician: bool = False
    may_see_setup: bool = True


@dataclass
class File:
    id: int
    name: str
    content: bytes
    content_type: str
    by: User
    at: datetime


@dataclass
class Note:
    id: int
    by: User
    description: str
    shown: bool
    created: datetime
    updated: datetime
    updated_by: User
    files: list[File] = field(default_factory=list)


@dataclass
class Mail:
    """A mail of the conversation. `kind` is REQREPLY, REPLY, FORWARD, or SYSTEM for one that nobody wrote."""

    id: int
    by: User | None
    kind: str
    subject: str
    description: str
    to: list[str]
    shown: bool
    created: datetime
    files: list[File] = field(default_factory=list)


@dataclass
class Request:
    id: int
    display_id: int
    subject: str
    description: str
    requester: User
    created_by: User
    created: datetime
    updated: datetime
    status: str = "Open"
    priority: str | None = None
    request_type: str | None = None
    mode: str = "Web Form"
    group: str | None = None
    technician: User | None = None
    tags: list[str] = field(default_factory=list)
    udf: dict[str, Any] = field(default_factory=dict)
    resolution: str = ""
    resolved_by: User | None = None
    resolved_at: datetime | None = None
    closure: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    is_trashed: bool = False


STATUSES: dict[str, tuple[str, bool, bool]] = {
    "Open": ("Open", True, False),
    "In Progress": ("In Progress", True, False),
    "On Hold": ("Onhold", True, True),
    "Resolved": ("Resolved", False, True),
    "Closed": ("Closed", False, True),
    "Cancelled": ("Canceled", False, True),
}
"""Name -> internal name, whether it is in progress, whether it stops the clock."""
DONE = ("Resolved", "Closed", "Cancelled")
REOPENED_BY_REPLIES = ("On Hold", "Resolved", "Closed")
VALUES = {
    "priorities": ["Low", "Normal", "Medium", "High"],
    "request_types": ["Incident", "Request For Information", "Service Request"],
    "modes": ["E-Mail", "Phone Call", "Web Form", "Chat"],
    "support_groups": ["Helpdesk", "Experts"],
}
FIELDS = ("reference", "labels", "severity", "environment", "affected", "regression", "found", "areas")
"""Additional fields by what they are for; their names differ by edition."""
UDF_NAMES = {
    False: dict(
        zip(
            FIELDS,
            ("udf_sline_301", "udf_sline_302", "udf_pick_303", "udf_sline_304", "udf_long_305", "udf_boolean_306",
             "udf_date_307", "udf_multiselect_308"),
            strict=True,
        )
    ),
    True: dict(
        zip(
            FIELDS,
            ("txt_reference", "txt_labels", "udf_char12", "udf_char13", "udf_long1", "udf_boolean1", "udf_date1",
             "udf_multi1"),
            strict=True,
        )
    ),
}  # fmt: skip
UDF_KINDS = dict(zip(FIELDS, ("text", "text", "pick", "text", "long", "boolean", "date", "multi"), strict=True))
PICKS = {"severity": ["Minor", "Major", "Critical"], "areas": ["Billing", "Login", "Reports"]}


class Store:
    """Everything of one installation."""

    def __init__(self, clock: Callable[[], datetime], *, is_cloud: bool) -> None:
        self._clock, self.is_cloud = clock, is_cloud
        shared = itertools.count(CLOUD_START, 2)
        self._numbers: defaultdict[str, Iterator[int]] = defaultdict(
            (lambda: shared) if is_cloud else (lambda: itertools.count(1))
        )
        self._display = itertools.count(101)
        self.udf = UDF_NAMES[is_cloud]
        self.users: dict[int, User] = {}
        self.requests: dict[int, Request] = {}
        self.files: dict[int, File] = {}
        self.loose: dict[int, File] = {}
        """Files that were sent for a note or mail that is to follow."""
        self.ids: dict[str, dict[str, int]] = {}
        self._seed()

    def now(self) -> datetime:
        """Whole milliseconds, as ServiceDesk Plus stamps."""
        now = self._clock()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def number(self, kind: str) -> int:
        return next(self._numbers[kind])

    def display_number(self, request_id: int) -> int:
        """What people call a request: its id on-premises."""
        return next(self._display) if self.is_cloud else request_id

    def by_login(self, login: str) -> User:
        return next(u for u in self.users.values() if u.login == login)

    def by_email(self, email: str) -> User | None:
        return next((u for u in self.users.values() if (u.email or "").casefold() == email.casefold()), None)

    def by_secret(self, secret: str) -> User | None:
        """The technician with this key or refresh token."""
        return next((u for u in self.users.values() if u.is_technician and u.secret == secret), None)

    def add_requester(self, name: str, email: str | None, login: str = "", secret: str = "") -> User:
        user = User(self.number("users"), login, name, email, secret)
        self.users[user.id] = user
        return user

    def add_file(self, name: str, content: bytes, content_type: str, by: User) -> File:
        file = File(self.number("attachments"), name, content, content_type, by, self.now())
        self.files[file.id] = file
        return file

    def _seed(self) -> None:
        for login, name, setup in (
            ("hub", "Hub Service", True),
            ("agent1", "Agent One", True),
            ("agent2", "Agent Two", True),
            ("agent3", "Agent Three", False),
        ):
            email, number = f"{login}@helpdesk.example", self.number("users")
            self.users[number] = User(number, login, name, email, f"sandbox-key-{login}", True, setup)
        for n in (1, 2):
            login = f"customer{n}"
            self.add_requester(f"Customer {n}", f"{login}@customers.example", login, f"portal-{login}")
        for kind, names in {"statuses": list(STATUSES), **VALUES}.items():
            self.ids[kind] = {name: self.number(kind) for name in names}
