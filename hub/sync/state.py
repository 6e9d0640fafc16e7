"""What one run works on: a link, its members, and what the hub knows of each. Values only, no I/O."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol

from hub.connector import Capability, Unwritable
from hub.journal.copies import Copy
from hub.settings.model import LinkSettings
from hub.sync.people import People
from hub.sync.shorten import shortened
from hub.text import fingerprint
from hub.ticket import Category, Markdown, Priority, Snapshot, Status, Ticket, TicketRef, Value

MappedEnum = (Status, Priority, Category)


class Form(Protocol):
    """The pure part of a connector: which form values take in its tracker. See `hub.connector.Connector`."""

    name: str

    @property
    def capabilities(self) -> frozenset[Capability]: ...
    def hold(self, field_name: str, value: Value) -> Value: ...
    def hold_text(self, text: Markdown) -> Markdown: ...
    def hold_label(self, label: str) -> str: ...
    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Overwrite:
    """What a write of the hub's replaced: the value that it had read there, and when, by the tracker's clock.

    With `is_lost`, a person had put `lost` in its place between that reading and the write.
    """

    before: Value
    read_at: datetime
    is_lost: bool = False
    lost: Value = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """What the hub last saw or wrote at a member: the base of the merge.

    `values` by field name in comparable form (see `comparable`); a field that is missing was never seen.
    `labels` is None when they were never seen. `linked` are the global ids of the counterparts that are shown there.
    `comment_count` is the tracker's own count when all of its comments were taken into account, else None.
    `overwrites` by field name are of values that the hub wrote and that stand there still.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    labels: frozenset[str] | None = None
    comment_count: int | None = None
    version: str = ""
    updated: datetime | None = None
    linked: frozenset[str] = frozenset()
    is_gone: bool = False
    overwrites: Mapping[str, Overwrite] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A ticket of a link in one run. `snapshot` is None until it is read in this run.

    `written` holds what the hub wrote since the snapshot was taken, in comparable form.
    """

    ref: TicketRef
    key: str
    url: str
    role: Literal["ticket", "issue"]
    joined: datetime
    form: Form
    shadow: Shadow
    people: People = field(default_factory=People)
    snapshot: Snapshot | None = None
    written: Mapping[str, Value] = field(default_factory=dict)
    written_labels: frozenset[str] | None = None

    @property
    def ticket(self) -> Ticket | None:
        return self.snapshot.ticket if self.snapshot else None

    @property
    def is_gone(self) -> bool:
        """Deleted at its tracker: nothing is read from or written to it any more."""
        return self.shadow.is_gone or (self.snapshot is not None and self.snapshot.is_deleted)

    @property
    def is_usable(self) -> bool:
        return not self.is_gone

    def knows(self, field_name: str) -> bool:
        """Whether the hub has ever seen this field here; False before the first read."""
        return field_name in self.shadow.values

    def current(self, field_name: str) -> Value:
        """The field's present value in comparable form, as far as it is known; None for nothing or unknown."""
        if field_name in self.written:
            return self.written[field_name]
        if self.snapshot is not None:
            return comparable(field_name, self._read(self.snapshot.ticket, field_name))
        return self.shadow.values.get(field_name)

    def raw(self, field_name: str) -> Value:
        """The field's present value as it can be written elsewhere (a text in full)."""
        if self.snapshot is not None and field_name not in self.written:
            return self._read(self.snapshot.ticket, field_name)
        return self.current(field_name)

    def has_changed(self, field_name: str) -> bool:
        """Whether a person changed the field here since the hub last looked or wrote."""
        if field_name in self.written or not self.knows(field_name):
            return False
        now = self.current(field_name)
        return now is not UNREADABLE and now != self.shadow.values[field_name]

    def overwritten(self, field_name: str) -> Overwrite | None:
        """The hub's write over a person's change, where that is known and nothing else has happened there since."""
        overwrite = self.shadow.overwrites.get(field_name)
        if overwrite is None or not overwrite.is_lost or field_name in self.written or not self.is_as_known(field_name):
            return None
        return overwrite

    def is_as_known(self, field_name: str) -> bool:
        """Whether the field shows what the hub last saw or wrote there; a word without a meaning is something else."""
        return self.current(field_name) == self.shadow.values.get(field_name)

    def labels(self) -> frozenset[str] | None:
        """The present labels, None when they were never seen."""
        if self.written_labels is not None:
            return self.written_labels
        return self.snapshot.ticket.labels if self.snapshot else self.shadow.labels

    def seen_labels(self) -> frozenset[str] | None:
        """The labels as people left them: without what the hub wrote since the snapshot was taken."""
        return self.snapshot.ticket.labels if self.snapshot else self.shadow.labels

    def hold(self, field_name: str, value: Value) -> Value:
        """`value` in comparable form after it was written here. Raises `hub.connector.Unwritable`."""
        if field_name == "description":
            return _held_text(self.form, shortened(str(value or "")))
        if field_name == "assignee" and value is not None and self.account(str(value)) is None:
            raise Unwritable(f"nobody in {self.ref.tracker} is known as {value}; add the account under people")
        return self.form.hold(field_name, value)

    def account(self, person_key: str) -> str | None:
        """The account here of somebody whom `hub.sync.people` knows by `person_key`."""
        return self.people.account(self.ref.tracker, person_key)

    def can(self, capability: Capability) -> bool:
        return capability in self.form.capabilities

    def _read(self, ticket: Ticket, field_name: str) -> Value:
        if field_name == "assignee":
            return self.people.key(self.ref.tracker, ticket.assignee)
        return raw_value(ticket, field_name)


@functools.lru_cache(maxsize=64)
def _held_text(form: Form, text: Markdown) -> str:
    """A text in comparable form as a tracker holds it. A run asks for the same few again and again."""
    return fingerprint(form.hold_text(text))


UNREADABLE = Status.UNKNOWN
"""Stands for a value whose meaning is not mapped: it is no change, and it travels nowhere."""


COMPARED_OTHERWISE = frozenset({"description", "assignee"})
"""Fields whose comparable form is not the value of `Ticket`: a fingerprint, a person's key."""


def raw_value(ticket: Ticket, field_name: str) -> Value:
    """A field of a ticket by name (people apart); UNREADABLE where the tracker's own word has no mapping."""
    if field_name.startswith("custom:"):
        return ticket.custom.get(field_name.removeprefix("custom:"))
    value: Value = getattr(ticket, field_name)
    if field_name == "description" and value is None:
        return UNREADABLE
    return UNREADABLE if isinstance(value, MappedEnum) and value == "unknown" else value


def comparable(field_name: str, raw: Value) -> Value:
    """The form in which a field is compared: a long text as its fingerprint, everything else as it is."""
    if field_name == "description" and raw is not UNREADABLE:
        return fingerprint(Markdown(str(raw or "")))
    return raw


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """A link in one run; with the id 0 a ticket that is in none.

    `members` are the tickets in the order they joined, then the issue. `issue_form` is the tracker that has or gets
    the issue. `blocked` maps (ticket, what) to the digest of what was refused there and is not tried again; a create
    stands under an empty ticket id. `turns` counts per field how often it went back and forth, see
    `hub.sync.fields`. `install_id` tells this hub's marks from another's.
    """

    id: int
    settings: LinkSettings
    was_created: bool
    created: datetime
    members: tuple[Member, ...]
    copies: tuple[Copy, ...] = ()
    turns: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    blocked: Mapping[tuple[TicketRef, str], str] = field(default_factory=dict)
    install_id: str = ""
    issue_form: Form
    due: datetime | None = None
    """The earliest open deadline of the tickets, UTC, for the text of a new issue; only where that has a template."""
    custom_fields: tuple[str, ...] = ()
    """Neutral names of the custom fields that every tracker of the link has."""

    @property
    def tickets(self) -> Sequence[Member]:
        return [m for m in self.members if m.role == "ticket"]

    @property
    def issue(self) -> Member | None:
        return next((m for m in self.members if m.role == "issue"), None)

    def member(self, ref: TicketRef) -> Member:
        return next(m for m in self.members if m.ref == ref)

    def with_member(self, changed: Member) -> LinkState:
        """The link with one of its members replaced."""
        return replace(self, members=tuple(changed if m.ref == changed.ref else m for m in self.members))
