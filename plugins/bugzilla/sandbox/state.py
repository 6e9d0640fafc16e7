"""What a Bugzilla holds: people, products, fields, bugs. In memory.

Sources: recorded exchanges product_get, field_bug_all, user_match, get_full; for Mozilla's fork the source of
mozilla-bteam/bmo and bugzilla.mozilla.org's public fields.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from plugins.bugzilla.sandbox.seed import BMO, UPSTREAM, Vocabulary

Flavour = Literal["5.2", "5.3", "bmo"]
GROUPS = {
    "bz_canusewhines": (11, "User can configure whine reports for self"),
    "canconfirm": (9, "Can confirm a bug or mark it a duplicate"),
    "editbugs": (8, "Can edit all bug fields"),
    "insiders": (15, "Sees private comments"),
    "secretteam": (16, "Secret team"),
}
WHINES_SINCE_5_3 = "Can configure queries and schedules for periodic reports to be run and sent via email to themselves"


@dataclass
class User:
    id: int
    login: str
    real_name: str
    groups: set[str] = field(default_factory=set)
    disabled: str = ""
    """Why the account may not sign in; empty where it may."""

    @property
    def key(self) -> str:
        """The API key."""
        return f"sandbox-key-{self.login.partition('@')[0]}-{self.id:08d}"


@dataclass
class Component:
    id: int
    name: str
    description: str
    owner: str
    is_active: bool = True


@dataclass
class Product:
    id: int
    name: str
    components: list[Component]
    versions: dict[int, str]
    milestones: dict[int, tuple[str, int]]
    """By number: the name and where it stands in lists."""
    has_unconfirmed: bool = False
    is_open: bool = True
    group: str = ""
    """Who may see it and its bugs; empty for everybody."""

    def component(self, name: object) -> Component | None:
        return next((c for c in self.components if c.name == name), None)


@dataclass(frozen=True)
class Field:
    """A field as `/field/bug/<name>` shows it; `values` None where it has none to choose from."""

    id: int
    name: str
    label: str
    type: int
    values: tuple[str, ...] | None = None
    is_custom: bool = False


@dataclass
class Comment:
    id: int
    bug_id: int
    author: User
    text: str
    is_private: bool
    created: datetime
    number: int
    file: File | None = None
    kind: str = ""
    """`created` or `about` a file, whose name stands in the text then."""
    tags: list[str] = field(default_factory=list)
    is_markdown: bool = False


@dataclass
class File:
    id: int
    bug_id: int
    author: User
    name: str
    summary: str
    content_type: str
    content: bytes
    is_private: bool
    is_patch: bool
    created: datetime
    changed: datetime
    is_obsolete: bool = False


@dataclass(frozen=True)
class Change:
    """One field of one change, in REST's names. `at` is when, `who` who did it."""

    at: datetime
    who: User
    field: str
    removed: str
    added: str
    file_id: int | None = None
    comment: Comment | None = None


@dataclass
class Bug:
    id: int
    product: Product
    component: Component
    creator: User
    assigned_to: User
    created: datetime
    changed: datetime
    values: dict[str, str]
    """By REST's names: summary, version, status, resolution, priority, severity, op_sys, platform, target_milestone,
    whiteboard, url, deadline; type at Mozilla."""
    custom: dict[str, Any]
    is_confirmed: bool = True
    qa_contact: User | None = None
    alias: list[str] = field(default_factory=list)
    keywords: set[str] = field(default_factory=set)
    see_also: list[str] = field(default_factory=list)
    groups: set[str] = field(default_factory=set)
    depends_on: set[int] = field(default_factory=set)
    blocks: set[int] = field(default_factory=set)
    cc: set[str] = field(default_factory=set)
    dupe_of: int | None = None
    comments: list[Comment] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    history: list[Change] = field(default_factory=list)

    @property
    def is_private(self) -> bool:
        return bool(self.groups)


class Store:
    """Everything of one installation. `params` are Bugzilla's own, as the administrator sets them."""

    def __init__(self, clock: Callable[[], datetime], flavour: Flavour) -> None:
        self._clock, self.flavour = clock, flavour
        self._ids = {kind: itertools.count(1) for kind in ("bug", "comment", "file")}
        self.words: Vocabulary = BMO if flavour == "bmo" else UPSTREAM
        self.users: dict[str, User] = {}
        self.products: dict[str, Product] = {}
        self.bugs: dict[int, Bug] = {}
        self.fields: dict[str, Field] = {}
        self.revoked_keys: set[str] = set()
        self.params: dict[str, str] = {}
        self.zone = ZoneInfo("UTC")
        """The server's: date fields of one's own are written in it, and read in UTC."""
        self.comment_needed: set[str] = set()
        """Statuses to which a bug comes only with a comment."""
        self._seed()

    @property
    def is_new(self) -> bool:
        """5.3 and Mozilla: the key may stand in a header, and `whoami` tells who one is."""
        return self.flavour != "5.2"

    def now(self) -> datetime:
        """The database's time: whole seconds, UTC."""
        return self._clock().replace(microsecond=0)

    def new_id(self, kind: str) -> int:
        """The next number of a `bug`, `comment` or `file`."""
        return next(self._ids[kind])

    def count_from(self, kind: str, number: int) -> None:
        """The next one gets this number, as where there were others before."""
        self._ids[kind] = itertools.count(number)

    def user(self, login: object) -> User | None:
        return self.users.get(str(login))

    def user_by_id(self, number: object) -> User | None:
        return next((u for u in self.users.values() if str(u.id) == str(number)), None)

    def by_key(self, key: str) -> User | None:
        return next((u for u in self.users.values() if u.key == key), None)

    def may_see(self, viewer: User | None, bug: Bug) -> bool:
        """Whoever is in all of its groups, and the reporter, the assignee and who is on its list of copies."""
        if viewer is None:
            return not bug.groups
        own = viewer is bug.creator or viewer is bug.assigned_to or viewer.login in bug.cc
        return own or bug.groups <= viewer.groups

    def may_see_product(self, viewer: User | None, product: Product) -> bool:
        return not product.group or (viewer is not None and product.group in viewer.groups)

    def is_insider(self, viewer: User | None) -> bool:
        group = self.params["insidergroup"]
        return bool(group) and viewer is not None and group in viewer.groups

    def is_open(self, status: str) -> bool:
        return status in self.words.open_statuses

    def keyword(self, name: object) -> str | None:
        """A keyword's own spelling; MariaDB takes no regard to case."""
        return next((k for k in self.words.keywords if k.casefold() == str(name).casefold()), None)

    def file(self, number: int) -> tuple[Bug, File] | None:
        return next(((b, f) for b in self.bugs.values() for f in b.files if f.id == number), None)

    def comment(self, number: int) -> tuple[Bug, Comment] | None:
        return next(((b, c) for b in self.bugs.values() for c in b.comments if c.id == number), None)

    def _seed(self) -> None:
        staff = {"bz_canusewhines", "canconfirm", "editbugs"}
        people = (
            (1, "admin", "Hub Admin", {*GROUPS}),
            (2, "hub", "Integration Hub", staff | {"insiders"}),
            (3, "dev", "Dev Eloper", staff),
            (4, "reporter", "Zażółć Reporter", {"bz_canusewhines"}),
            (5, "gone", "Gone User", set[str]()),
            (6, "secret", "Secret Person", {"canconfirm", "editbugs", "secretteam"}),
            (7, "hubmin", "Hub Minimal (no groups)", set[str]()),
            (8, "enid", "Enid Gineer", staff | {"insiders"}),
            (9, "nobody", "Nobody; OK to take it", set[str]()),
        )
        for number, name, real_name, groups in people:
            self.users[f"{name}@example.test"] = User(number, f"{name}@example.test", real_name, set(groups))
        self.users["gone@example.test"].disabled = "left the company"
        none = {1: ("---", 0)}
        dev, admin = "dev@example.test", "admin@example.test"
        self.products = {
            "TestProduct": Product(
                1, "TestProduct", [Component(1, "TestComponent", "", dev)], {1: "unspecified"}, none
            ),
            "Widgets": Product(
                2,
                "Widgets",
                [
                    Component(3, "Backend", "Backend comp", admin),
                    Component(2, "Frontend", "Frontend comp", dev),
                    Component(4, "Zażółć gęślą", "Polish comp", dev),
                ],
                {2: "1.0", 3: "2.0", 4: "unspecified"},
                {2: ("---", 0), 3: ("M1", 10), 4: ("M2", 10)},
                has_unconfirmed=True,
            ),
            "Gadgets": Product(3, "Gadgets", [Component(5, "Core", "", dev)], {5: "unspecified"}, {5: ("---", 0)}),
            "Secret": Product(
                4, "Secret", [Component(6, "Vault", "", dev)], {6: "unspecified"}, {6: ("---", 0)}, group="secretteam"
            ),
        }
        first = 61 if self.flavour == "5.3" else 60
        custom: tuple[tuple[str, str, int, tuple[str, ...] | None], ...] = (
            ("cf_external_key", "External key", 1, None),
            ("cf_notes", "Long notes", 4, None),
            ("cf_tier", "Customer tier", 2, ("---", "Gold", "Silver")),
            ("cf_platforms", "Platforms", 3, ("iOS", "Android", "Web")),
            ("cf_due_at", "Due at", 5, None),
            ("cf_due_date", "Due date", 9, None),
            ("cf_hits", "Hits", 10, None),
            ("cf_related", "Related bug", 6, None),
        )
        for number, (name, label, kind, values) in enumerate(custom, first):
            self.fields[name] = Field(number, name, label, kind, values, is_custom=True)
        for number, name, label, kind, values in self.words.fields():
            self.fields[name] = Field(number, name, label, kind, values)
        self.params = {
            "insidergroup": "insiders", "comment_taggers_group": "editbugs", "defaultopsys": "", "defaultplatform": "",
            "maxattachmentsize": "20480", "max_search_results": "10000", "search_allow_no_criteria": "1",
            "letsubmitterchoosepriority": "1", "commentonchange_resolution": "0", "noresolveonopenblockers": "0",
            "requirelogin": "0", "webservice_email_filter": "0", "maintainer": admin, "shutdownhtml": "",
        }  # fmt: skip
