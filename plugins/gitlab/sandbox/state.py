"""What a GitLab instance holds: people, projects with labels and members, issues with notes, uploads. In memory.

Sources: docs.gitlab.com, "Issues API", "Notes API", "Permissions and roles"; the example answers there.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

GUEST, REPORTER, DEVELOPER, MAINTAINER = 10, 20, 30, 40
"""Access levels. Source: "Members API"."""


class GitlabError(Exception):
    """Becomes an answer with `status` and one of GitLab's error bodies."""

    def __init__(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


def not_found(what: str = "Not found") -> GitlabError:
    return GitlabError(404, {"message": f"404 {what}"})


def forbidden() -> GitlabError:
    return GitlabError(403, {"message": "403 Forbidden"})


def bad(error: str) -> GitlabError:
    """A parameter that is missing or has no valid value."""
    return GitlabError(400, {"error": error})


@dataclass
class User:
    id: int
    username: str
    name: str
    email: str
    public_email: str
    token: str
    scopes: tuple[str, ...] = ("api",)
    is_bot: bool = False


@dataclass
class Note:
    id: int
    author: User
    body: str
    created: datetime
    updated: datetime
    is_system: bool = False
    is_internal: bool = False


@dataclass
class Upload:
    secret: str
    name: str
    content: bytes
    content_type: str


@dataclass
class Issue:
    id: int
    iid: int
    project: Project
    author: User
    title: str
    description: str
    created: datetime
    updated: datetime
    type: str = "issue"
    state: str = "opened"
    is_confidential: bool = False
    labels: list[str] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    closed: datetime | None = None
    closed_by: User | None = None
    updated_by: User | None = None
    moved_to: int | None = None
    notes: list[Note] = field(default_factory=list)

    @property
    def people_notes(self) -> list[Note]:
        """What people wrote, as `user_notes_count` counts it."""
        return [note for note in self.notes if not note.is_system]


@dataclass
class Project:
    id: int
    path: str
    name: str
    members: dict[int, int]
    """User id -> access level."""
    labels: dict[str, int] = field(default_factory=dict)
    """Name -> id. GitLab tells labels apart by case."""
    issues: dict[int, Issue] = field(default_factory=dict)
    uploads: dict[tuple[str, str], Upload] = field(default_factory=dict)
    iids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    visibility: str = "private"

    def level(self, user: User) -> int:
        """The access level of a user, 0 for who is no member."""
        return self.members.get(user.id, 0)

    def may_see(self, user: User, issue: Issue) -> bool:
        """Confidential issues are for Reporters, their author and who works on them."""
        return (
            not issue.is_confidential or self.level(user) >= REPORTER or user is issue.author or user in issue.assignees
        )


SEEDED_LABELS = (
    "bug", "priority::low", "priority::normal", "priority::high", "priority::urgent", "status::in-progress",
    "status::pending", "status::on-hold", "severity::1", "severity::2",
)  # fmt: skip


class Store:
    """Everything of one instance. `notified` holds each user name that a text mentioned."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._last: datetime | None = None
        self._ids = itertools.count(501)
        self.users: dict[str, User] = {}
        self.projects: dict[int, Project] = {}
        self.notified: list[str] = []
        self.deleted: list[int] = []
        self._seed()

    @property
    def issues(self) -> dict[int, Issue]:
        """All issues of all projects by their global id."""
        return {issue.id: issue for project in self.projects.values() for issue in project.issues.values()}

    def new_id(self) -> int:
        return next(self._ids)

    def now(self) -> datetime:
        """The time of a change: GitLab keeps microseconds, so no two are the same by chance."""
        now = self._clock()
        if self._last is not None and now <= self._last:
            now = self._last + timedelta(microseconds=1)
        self._last = now
        return now

    def user(self, username: str) -> User:
        return self.users[username]

    def project(self, text: str) -> Project | None:
        """By number or path."""
        return next((p for p in self.projects.values() if text in (str(p.id), p.path)), None)

    def _seed(self) -> None:
        seeds = (
            ("project_42_bot_hub", "Hub Service", ("api",), True),
            ("admin1", "Admin One", ("api",), False),
            ("engineer1", "Engineer One", ("api",), False),
            ("engineer2", "Engineer Two", ("api",), False),
            ("reader1", "Reader One", ("read_api",), False),
            ("guest1", "Guest One", ("api",), False),
            ("outsider1", "Outsider One", ("api",), False),
        )
        for number, (username, name, scopes, is_bot) in enumerate(seeds, 11):
            digest = hashlib.sha256(username.encode()).hexdigest()[:20]
            email = f"{username}@engineering.example"
            public = email if username == "engineer1" else ""
            self.users[username] = User(number, username, name, email, public, f"glpat-{digest}", scopes, is_bot)
        levels = (DEVELOPER, MAINTAINER, DEVELOPER, DEVELOPER, DEVELOPER, GUEST)
        members = {user.id: level for user, level in zip(self.users.values(), levels, strict=False)}
        for id_, path, name in ((42, "acme/website", "Website"), (43, "acme/backend", "Backend")):
            labels = {label: self.new_id() for label in SEEDED_LABELS}
            self.projects[id_] = Project(id_, path, name, dict(members), labels)
