"""What a knowledge base holds: users, tables with their columns, records, files, locks. In memory.

Source: help.agiloft.com, "REST - Table", "REST - Lock", "Data encoding". Names of tables and columns are this one's
own: the ticket table is called as in a new knowledge base, the columns beside the standard ones as its admin liked.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

FORM = "%Y-%m-%d %H:%M:%S"
STAFF, CUSTOMERS = "staff", "customers"


@dataclass
class User:
    login: str
    password: str
    name: str
    email: str
    group: str = STAFF
    may_use_rest: bool = True
    is_blocked: bool = False


@dataclass(frozen=True)
class Column:
    """`kind`: id, text, choice, multi, append, link, file, time, number. A link shows `shows` of the table `to`."""

    name: str
    label: str
    kind: str = "text"
    choices: tuple[str, ...] = ()
    to: str = ""
    shows: str = ""
    is_required: bool = False
    limit: int = 0
    """Characters; 0 for as many as one likes."""
    is_system: bool = False
    """Filled by the server; what a client writes to it is passed over."""


@dataclass
class File:
    name: str
    content: bytes
    content_type: str


@dataclass
class Record:
    id: int
    created: datetime
    updated: datetime
    values: dict[str, Any] = field(default_factory=dict)
    files: dict[str, list[File]] = field(default_factory=dict)


@dataclass
class Table:
    id: int
    name: str
    label: str
    columns: dict[str, Column]
    records: dict[int, Record] = field(default_factory=dict)


@dataclass
class Lock:
    login: str
    ends: datetime


class KnowledgeBase:
    """Everything of one knowledge base. `zone` is the one in which users see times."""

    def __init__(self, name: str, clock: Callable[[], datetime]) -> None:
        self.name, self._clock = name, clock
        self.zone: tzinfo = ZoneInfo("UTC")
        self.users: dict[str, User] = {}
        self.tables: dict[str, Table] = {}
        self.locks: dict[tuple[str, int], Lock] = {}
        self.moves: Mapping[str, tuple[str, ...]] = {}
        """Of the tickets' status: from -> the ones it may go to; what is not named may go anywhere."""
        self._table_ids = itertools.count(2788)
        self._record_ids: dict[str, itertools.count[int]] = {}

    def now(self) -> datetime:
        """The present moment in the grain of the database: whole seconds, UTC."""
        return self._clock().replace(microsecond=0)

    def shown(self, at: datetime) -> str:
        """A moment as users see it."""
        return at.astimezone(self.zone).strftime(FORM)

    def add_user(self, login: str, name: str, email: str, group: str = STAFF) -> User:
        user = User(login, f"sandbox-password-of-{login}", name, email, group)
        self.users[login] = user
        return user

    def add_table(self, name: str, label: str, *columns: Column) -> Table:
        table = Table(next(self._table_ids), name, label, {column.name: column for column in columns})
        self.tables[name] = table
        self._record_ids[name] = itertools.count(1)
        return table

    def new_record(self, table: Table) -> Record:
        """An empty record, which is in its table from now on."""
        now = self.now()
        record = Record(next(self._record_ids[table.name]), now, now)
        table.records[record.id] = record
        return record

    def lock_of(self, table: Table, record: Record) -> Lock | None:
        """The lock of a record that somebody edits on the screen; it ends by itself."""
        lock = self.locks.get((table.name, record.id))
        return lock if lock is not None and lock.ends > self.now() else None

    def lock(self, table: Table, record: Record, login: str, minutes: float = 25) -> Lock:
        lock = Lock(login, self.now() + timedelta(minutes=minutes))
        self.locks[table.name, record.id] = lock
        return lock

    def unlock(self, table: Table, record: Record) -> None:
        self.locks.pop((table.name, record.id), None)
