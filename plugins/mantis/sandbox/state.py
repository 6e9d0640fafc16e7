"""What a MantisBT site holds: people, projects, custom fields, issues. In memory.

Sources: recorded exchanges me.*, config.options, project.one, projects.viewer; Administration Guide, "Access levels".
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

VIEWER, REPORTER, UPDATER, DEVELOPER, MANAGER, ADMINISTRATOR = 10, 25, 40, 55, 70, 90
PUBLIC, PRIVATE = 10, 50
NEW, FEEDBACK, ASSIGNED, RESOLVED, CLOSED = 10, 20, 50, 80, 90
ENUMS: dict[str, dict[int, str]] = {
    "status": {10: "new", 20: "feedback", 30: "acknowledged", 40: "confirmed", 50: "assigned", 80: "resolved",
               90: "closed"},
    "priority": {10: "none", 20: "low", 30: "normal", 40: "high", 50: "urgent", 60: "immediate"},
    "severity": {10: "feature", 20: "trivial", 30: "text", 40: "tweak", 50: "minor", 60: "major", 70: "crash",
                 80: "block"},
    "reproducibility": {10: "always", 30: "sometimes", 50: "random", 70: "have not tried", 90: "unable to reproduce",
                        100: "N/A"},
    "resolution": {10: "open", 20: "fixed", 30: "reopened", 40: "unable to duplicate", 50: "not fixable",
                   60: "duplicate", 70: "not a bug", 80: "suspended", 90: "wont fix"},
    "view_state": {10: "public", 50: "private"},
    "access_levels": {10: "viewer", 25: "reporter", 40: "updater", 55: "developer", 70: "manager",
                      90: "administrator"},
}  # fmt: skip
LABELS = {
    ("resolution", 40): "unable to reproduce",
    ("resolution", 70): "no change required",
    ("resolution", 90): "won't fix",
}
"""Where what people see differs from the name."""
COLORS = {10: "#fcbdbd", 20: "#e3b7eb", 30: "#ffcd85", 40: "#fff494", 50: "#c2dfff", 80: "#d2f5b0", 90: "#c9ccc4"}


@dataclass
class User:
    id: int
    login: str
    real_name: str
    level: int
    is_enabled: bool = True
    time_zone: str = "UTC"
    created: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    @property
    def email(self) -> str:
        return f"{'admin' if self.login == 'administrator' else self.login}@example.test"

    @property
    def token(self) -> str:
        return f"sandbox-token-{self.login}-{self.id:04d}"


@dataclass(frozen=True)
class CustomField:
    id: int
    name: str
    type: str
    possible: tuple[str, ...] = ()
    read_level: int = VIEWER
    write_level: int = REPORTER


@dataclass(frozen=True)
class Category:
    id: int
    name: str
    project_id: int = 0


@dataclass(frozen=True)
class Version:
    id: int
    name: str
    released: bool = True
    obsolete: bool = False


@dataclass
class Project:
    id: int
    name: str
    description: str
    view_state: int = PUBLIC
    members: dict[str, int] = field(default_factory=dict)
    fields: tuple[CustomField, ...] = ()
    versions: tuple[Version, ...] = ()
    workflow: dict[str, str] = field(default_factory=dict)


@dataclass
class File:
    id: int
    name: str
    content: bytes
    content_type: str
    author: User
    created: datetime


@dataclass
class Note:
    id: int
    author: User
    text: str
    view_state: int
    created: datetime
    updated: datetime
    files: list[File] = field(default_factory=list)
    duration: str = ""


@dataclass
class Issue:
    id: int
    project: Project
    category: Category
    reporter: User
    created: datetime
    updated: datetime
    texts: dict[str, str]
    """summary, description, steps_to_reproduce, additional_information, platform, os, os_build."""
    numbers: dict[str, int]
    """status, resolution, view_state, priority, severity, reproducibility."""
    versions: dict[str, Version] = field(default_factory=dict)
    handler: User | None = None
    due: datetime | None = None
    is_sticky: bool = False
    files: list[File] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    custom: dict[int, str] = field(default_factory=dict)
    tags: set[int] = field(default_factory=set)
    history: list[dict[str, Any]] = field(default_factory=list)
    """As MantisBT shows it, with `at` and `user` as objects, and `note` as an object where it is about one."""


class Store:
    """Everything of one site."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._ids = {kind: itertools.count(1) for kind in ("issue", "note", "file")}
        self.users: dict[str, User] = {}
        self.projects: dict[int, Project] = {}
        self.categories: list[Category] = []
        self.tags: dict[int, str] = {}
        self.issues: dict[int, Issue] = {}
        self.activity: dict[str, list[datetime]] = {}
        """When each user did something, for the limit against spam."""
        self.notified: list[str] = []
        """Logins of those who got a mail because a text calls them, in order."""
        self._seed()

    def now(self) -> datetime:
        """The site's time: whole seconds."""
        return self._clock().replace(microsecond=0)

    def count_from(self, kind: str, number: int) -> None:
        """The next `issue`, `note` or `file` gets this number, as on a site that had others before."""
        self._ids[kind] = itertools.count(number)

    def new_id(self, kind: str) -> int:
        return next(self._ids[kind])

    def user(self, login: str) -> User:
        return self.users[login]

    def user_by_id(self, number: int) -> User | None:
        return next((u for u in self.users.values() if u.id == number), None)

    def level(self, user: User, project: Project) -> int:
        """A user's access level in a project, 0 where they do not see it."""
        if user.level == ADMINISTRATOR or project.view_state == PUBLIC:
            return max(user.level, project.members.get(user.login, 0))
        return project.members.get(user.login, 0)

    def visible_projects(self, user: User) -> list[Project]:
        return [p for p in self.projects.values() if self.level(user, p)]

    def tag(self, name: str) -> int:
        """The number of a tag, made where there is none such; MantisBT takes no regard to case."""
        for number, known in self.tags.items():
            if known.casefold() == name.casefold():
                return number
        number = max(self.tags, default=0) + 1
        self.tags[number] = name
        return number

    def _seed(self) -> None:
        people = (
            ("administrator", "Ada Min", ADMINISTRATOR),
            ("hub", "Hub Service", MANAGER),
            ("dev", "Dev Eloper", DEVELOPER),
            ("rep", "Rep Orter", REPORTER),
            ("rep2", "", REPORTER),
            ("upd", "Updater One", UPDATER),
            ("viewer", "Only Looks", VIEWER),
            ("mgr", "", MANAGER),
            ("gone", "Left Us", DEVELOPER),
            ("devpl", "Zoë Żółć", DEVELOPER),
        )
        created = self.now()
        for number, (login, name, level) in enumerate(people, 1):
            self.users[login] = User(number, login, name, level, is_enabled=login != "gone", created=created)
        fields = (
            CustomField(4, "Count", "numeric"),
            CustomField(2, "Env", "enum", ("dev", "test", "prod")),
            CustomField(1, "External ID", "string"),
            CustomField(5, "Opts", "multilist", ("a", "b", "c")),
            CustomField(6, "Secret", "string", read_level=MANAGER, write_level=MANAGER),
            CustomField(3, "When", "date"),
        )
        versions = (Version(1, "1.0"), Version(2, "2.0", released=False), Version(3, "0.9", obsolete=True))
        closed = {
            "10": "50:assigned",
            "20": "50:assigned",
            "50": "20:feedback,80:resolved",
            "80": "20:feedback,90:closed",
        }
        self.projects = {
            1: Project(1, "Alpha", "first", fields=fields, versions=versions),
            2: Project(2, "Beta Private", "second", PRIVATE, members={"dev": DEVELOPER}),
            3: Project(3, "Gamma", "closed workflow", workflow=closed),
        }
        self.categories = [
            Category(3, "Backend", 1),
            Category(1, "General"),
            Category(4, "Only Gamma", 3),
            Category(2, "UI", 1),
        ]
        self.tags = {1: "red", 2: "blue"}
