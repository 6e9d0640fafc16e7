"""What a connector must and may offer, and its errors.

A connector is the code that speaks to one kind of tracker. It translates and calls; it decides nothing. Every method
that calls the tracker blocks until the answer is there, raises only the errors of this module, never retries a write
by itself and never sleeps. One instance lives as long as the process and is called from several threads.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, BinaryIO, ClassVar, Literal

from hub.mapping import ValueMap
from hub.settings.trackers import TrackerSettings
from hub.ticket import (
    Attachment,
    Category,
    Markdown,
    Person,
    Priority,
    Snapshot,
    Status,
    Ticket,
    TicketRef,
    Value,
    Visibility,
)

NO_TEXT = Markdown("")


class Role(StrEnum):
    HELPDESK = "helpdesk"
    BUG_TRACKER = "bug_tracker"
    ACTION = "action"
    """No tickets of its own; does something for a ticket."""


class Capability(StrEnum):
    """What a tracker can do, as far as its connector offers it."""

    CREATE = "create"
    UPDATE = "update"
    COMMENTS = "comments"
    PRIVATE_COMMENTS = "private_comments"
    EDIT_COMMENTS = "edit_comments"
    DELETE_COMMENTS = "delete_comments"
    COMMENT_AUTHORS = "comment_authors"
    """A comment can be written in the name of somebody else."""
    ATTACHMENTS = "attachments"
    ATTACHMENTS_IN_COMMENTS = "attachments_in_comments"
    """A file belongs to a comment and cannot be added without one."""
    WEBHOOKS = "webhooks"
    POLLING = "polling"
    USERS = "users"
    TRANSITIONS = "transitions"
    """Status is changed by `transition`, along a workflow, and not by `update`."""
    LINES = "lines"
    """A ticket can be handed to a support line: `line` in changes, under the settings' `lines`."""
    REMOTE_LINKS = "remote_links"
    KNOWLEDGE_BASE = "knowledge_base"
    RATINGS = "ratings"
    """The customer's satisfaction stands in `Ticket.rating`."""
    MACROS = "macros"
    """Its ready answers and actions can be read, see `Connector.macros`."""
    PUBLISH_MACROS = "publish_macros"
    """Macros can be stored in it, for agents to use there."""
    ACTIONS = "actions"
    """It does something for a ticket, see `Connector.actions`."""
    ACTION_REPORTS = "action_reports"
    """What its actions led to is told later, see `Connector.reports`."""


# -- errors ------------------------------------------------------------------------------------------------------


class ConnectorError(Exception):
    """A tracker did not do what it was asked.

    `tracker` is the configured name, `doing` what was tried ("GET /tickets/7"), `why` the tracker's own reason,
    `remedy` what the person who must act can do. None of them may hold a credential.
    """

    is_temporary = False

    def __init__(self, tracker: str, doing: str, why: str, remedy: str = "") -> None:
        self.tracker, self.doing, self.why, self.remedy = tracker, doing, why, remedy
        end = "" if why.endswith((".", "!", "?")) else "."
        super().__init__(f"{tracker}: {doing}: {why}" + (f"{end} {remedy}" if remedy else ""))


class TemporaryError(ConnectorError):
    """Trying again later may help: no connection, a time-out, a 5xx. The effect of a write is unknown."""

    is_temporary = True


class RateLimitedError(TemporaryError):
    """The tracker wants a pause of `retry_after` seconds. Nothing was written."""

    def __init__(self, tracker: str, doing: str, why: str, retry_after: float, remedy: str = "") -> None:
        super().__init__(tracker, doing, why, remedy)
        self.retry_after = retry_after


class PermanentError(ConnectorError):
    """The same request will be refused again until somebody changes something."""


class AuthError(PermanentError):
    """The credential is wrong, expired, or lacks a permission."""


class NotFoundError(PermanentError):
    """The ticket, comment or file does not exist, or the hub's account may not see it."""


class ConflictError(TemporaryError):
    """Somebody changed the ticket between read and write: read again, merge again. Nothing was written."""


class RefusedError(PermanentError):
    """The tracker refuses single fields. `fields` maps the neutral field name to the tracker's reason.

    Nothing of the request was written; the caller drops these fields and writes the others.
    """

    def __init__(self, tracker: str, doing: str, fields: Mapping[str, str], remedy: str = "") -> None:
        self.fields = dict(fields)
        super().__init__(tracker, doing, "; ".join(f"{k}: {v}" for k, v in self.fields.items()), remedy)


class NotOfferedError(PermanentError):
    """The connector was asked for something that its `capabilities` do not declare: a mistake of the caller."""

    def __init__(self, tracker: str, capability: Capability) -> None:
        super().__init__(tracker, f"use {capability}", "this connector does not offer it")


# -- what goes in and out ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the hub is at the tracker. `clock_skew` in seconds: the tracker's clock minus ours."""

    account_id: str
    name: str
    clock_skew: float | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `hub check`: `remedy` is empty when `level` is ok."""

    level: Literal["ok", "warning", "error"]
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class RemoteLink:
    """What is written into a ticket so that people find its counterpart.

    `global_id` is stable for ever and makes the write repeatable; `note` is the internal note of helpdesks.
    """

    global_id: str
    url: str
    key: str
    title: str
    tracker: str
    is_resolved: bool = False
    note: Markdown | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A ticket to be created. `marker` must be findable afterwards by `Connector.find_ticket`."""

    marker: str
    title: str
    description: Markdown
    values: Mapping[str, Value] = field(default_factory=dict)
    """Neutral values by field name, already in the form this tracker holds: `priority`, `custom:severity`…"""
    labels: frozenset[str] = frozenset()
    requester: Person | None = None
    visibility: Visibility = Visibility.PUBLIC


@dataclass(frozen=True, slots=True)
class Created:
    """The receipt of a create. `refused` names the fields that the tracker would not take, with its reason."""

    id: str
    key: str
    url: str
    refused: Mapping[str, str] = field(default_factory=dict)
    snapshot: Snapshot | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Field changes of one ticket, written in as few calls as the tracker allows.

    `values` by neutral field name (`title`, `description`, `status` unless the tracker has transitions,
    `priority`, `category`, `assignee`, `line`, `custom:<name>`); None clears a field, and is never given for a line.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    add_labels: frozenset[str] = frozenset()
    remove_labels: frozenset[str] = frozenset()

    def without(self, names: Sequence[str]) -> Changes:
        """The same changes less the named fields (`labels` drops both label sets)."""
        keep = {k: v for k, v in self.values.items() if k not in names}
        if "labels" in names:
            return Changes(values=keep)
        return Changes(values=keep, add_labels=self.add_labels, remove_labels=self.remove_labels)

    def only(self, names: Sequence[str]) -> Changes:
        """The named fields' changes alone."""
        return self.without([name for name in (*self.values, "labels") if name not in names])

    def __bool__(self) -> bool:
        return bool(self.values or self.add_labels or self.remove_labels)


@dataclass(frozen=True, slots=True)
class Written:
    """The receipt of a write: the lock's `version` after it, and the state where the answer shows it.

    `replaced` are the values that stood there when the write arrived, by field, where the tracker tells them (but for
    descriptions and people): what a person had put there since the hub read the ticket is known by that.
    """

    version: str = ""
    snapshot: Snapshot | None = None
    replaced: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file to write. `open` gives a fresh binary stream from the beginning each time it is called."""

    name: str
    content_type: str
    size: int
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewComment:
    """A comment to be written. `visibility` is public or private, never unknown, and has no default.

    `marker` must be findable afterwards by `Connector.find_comment`. `author` is whom the text is from; connectors
    with COMMENT_AUTHORS write it in their name, for the others the text already says so.
    """

    text: Markdown
    visibility: Visibility
    marker: str
    author: Person | None = None
    uploads: tuple[Upload, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenComment:
    """The receipt of a comment. `attachment_ids` are the new files' ids, in the order of the uploads."""

    id: str
    visibility: Visibility
    attachment_ids: tuple[str, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the hub knows of a ticket before it reads it, so that a connector can leave calls out.

    `comment_count` and `version` are those of the last snapshot. `must_read_comments` is False only where what woke
    the ticket cannot have touched comments or files; a connector may then leave them out when the count is the same.
    With `history_since` (by the tracker's clock) the hub wants to know what was changed since then, as
    `Snapshot.changes`; a connector brings it along where that takes no call of its own.
    """

    comment_count: int | None = None
    version: str = ""
    must_read_comments: bool = True
    history_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What a webhook or a poll says: this ticket may have changed. Only ever a reason to look.

    `actor_id` is the tracker's account id of whoever did it, None where it is not told. `values` are neutral field
    values that the payload shows, in the form of `Ticket`; with `comment_id` they let the hub recognise its own
    echo by value. `is_partial` is True where the payload does not show all that changed.
    `touches_comments` is True unless comments and files cannot have changed. `merged_into` is the id of the ticket
    that took this one in and is to take its place.

    `changed` are the fields (but for descriptions and people) of which the payload tells what they were before and
    what they became, in the form of `values`; words that mean nothing or the same do no harm. With `at` and `actor_id`
    they show a person's change that the hub wrote over without having seen it. Of use only where the tracker has no
    optimistic lock.
    """

    ticket_id: str
    event: str
    at: datetime | None = None
    actor_id: str | None = None
    values: Mapping[str, Value | frozenset[str]] = field(default_factory=dict)
    changed: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    comment_id: str | None = None
    is_partial: bool = True
    touches_comments: bool = True
    is_deleted: bool = False
    merged_into: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A payload that is understood and needs nothing: `reason` is shown to people."""

    reason: str


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """One inbound request, as received. Header names are lower-case."""

    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is none."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class HmacSignature:
    """How a tracker signs: HMAC over an optional timestamp header and the raw body.

    `encoding` of the digest is hex or base64; `prefix` stands before it in the header (`sha256=`). With a
    `timestamp_header` (ISO 8601 text or epoch seconds) requests older or newer than `window` seconds are refused.
    """

    header: str
    algorithm: str = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    timestamp_header: str | None = None
    window: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretHeader:
    """A shared secret sent as it is in a header, for trackers that cannot sign."""

    header: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicPassword:
    """A shared secret sent as the password of HTTP Basic; the user name says nothing. Source: RFC 7617."""

    header: str = "Authorization"


WebhookScheme = HmacSignature | SecretHeader | BasicPassword


@dataclass(frozen=True, slots=True)
class Polled:
    """One page of a poll. `cursor` is to be handed back next time; `has_more` asks for the next page at once."""

    hints: tuple[Hint, ...]
    cursor: str
    has_more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequest:
    """What an action is to be done for. `mark` is the same whenever the same request comes again after a crash."""

    ref: TicketRef
    ticket: Ticket
    arguments: Mapping[str, str]
    mark: str


@dataclass(frozen=True, slots=True)
class ActionText:
    """What an action wants told in the ticket. The visibility is stated; there is no default."""

    text: Markdown
    visibility: Visibility


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResult:
    """The receipt of an action. `receipt` goes into the journal: ids and codes, never a secret or a bearer link."""

    texts: tuple[ActionText, ...] = ()
    receipt: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Something that happened because of an action and is to be told in a ticket once; `mark` tells it from others."""

    ref: TicketRef
    mark: str
    text: ActionText


@dataclass(frozen=True, slots=True)
class Reported:
    """What `Connector.reports` found. `cursor` is to be handed back next time."""

    reports: tuple[Report, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Article:
    """An article of a knowledge base that the tracker's own search found."""

    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMacro:
    """A ready answer with actions in neutral form, as a tracker keeps it or is to keep it.

    `text` has the placeholders of `hub.rules.placeholders`. `visibility` is unknown where the tracker leaves it to
    whoever uses the macro. `unmapped` says in words for people what has no neutral form, or only a close one. `key` is
    that under which a hub published it there, empty for macros that people made.
    """

    name: str
    title: str
    text: Markdown = NO_TEXT
    visibility: Visibility = Visibility.UNKNOWN
    changes: Changes = field(default_factory=Changes)
    unmapped: tuple[str, ...] = ()
    key: str = ""


class Unwritable(Exception):  # noqa: N818 - an answer of a pure function, not an error of a call
    """A neutral value has no form in this tracker; `args[0]` says why, for people."""


# -- the contract ---------------------------------------------------------------------------------------------------


class Connector(ABC):
    """One configured tracker. Subclasses set the class attributes and override what `capabilities` declares.

    A method whose capability is not declared is never called.
    """

    kind: ClassVar[str]
    role: ClassVar[Role]
    settings_model: ClassVar[type[TrackerSettings]]
    webhook_scheme: ClassVar[WebhookScheme | None] = None
    delivery_id_header: ClassVar[str | None] = None
    """The header that is the same when a delivery is sent again; the body's hash is used without one."""
    webhook_echo_header: ClassVar[str | None] = None
    """A header whose value each answer must repeat, for trackers that prove in this way whose an address is."""
    default_statuses: ClassVar[Mapping[str, Sequence[str]]] = {}
    """Neutral status -> the tracker's words for it, the one that is written first."""
    default_priorities: ClassVar[Mapping[str, Sequence[str]]] = {}
    default_categories: ClassVar[Mapping[str, Sequence[str]]] = {}
    max_attachment_bytes: ClassVar[int] = 20 * 1024 * 1024
    actions: ClassVar[Mapping[str, str]] = {}
    """Name of an action -> what it does, for people. Rules write `<tracker>.<name>`."""
    settings_decide: ClassVar[Mapping[Capability, str]] = {}
    """A capability that only some settings give -> what they must say, for people: "with `lines`". Shown in
    docs/trackers.md."""
    search_lag: ClassVar[timedelta] = timedelta(0)
    """How long a look-up by marker may miss what was just created."""

    def __init__(self, name: str, settings: TrackerSettings) -> None:
        self.name = name
        self.base_settings = settings
        self.on_call: Callable[[str, str, float], None] = _unwatched
        """Told of each call to the tracker: HTTP method, `2xx`, `4xx`… or `no_answer`, and its length in seconds."""
        self.statuses = ValueMap.build(Status, self.default_statuses, settings.statuses)
        self.priorities = ValueMap.build(Priority, self.default_priorities, settings.priorities)
        self.categories = ValueMap.build(Category, self.default_categories, settings.categories)
        self.lines: Mapping[int, Sequence[str]] = {}
        """Support line -> the tracker's groups or queues that are this line; tickets are handed to the first. Set by
        connectors whose settings name them."""

    @property
    @abstractmethod
    def capabilities(self) -> frozenset[Capability]:
        """What this tracker offers under its settings. Constant for the life of the connector."""

    # reading

    @abstractmethod
    def identify(self) -> Identity:
        """Who the hub is here, cached after the first call. Raises AuthError."""

    @abstractmethod
    def read(self, ticket_id: str, known: Known) -> Snapshot:
        """The ticket's present state; by id or by key. A deleted ticket is a snapshot with `is_deleted`.

        Raises NotFoundError when it never existed or the account may not see it.
        """

    def check(self) -> list[Finding]:
        """What `hub check` reports beyond the identity: permissions, project, fields, unmapped values."""
        return []

    # pure translation

    def hold(self, field_name: str, value: Value) -> Value:
        """`value` as this tracker would show it after it was written: neutral -> native -> neutral. Pure.

        Raises Unwritable where the tracker has no form for it.
        """
        tables: Mapping[str, tuple[str, ValueMap[Any]]] = {
            "status": ("statuses", self.statuses),
            "priority": ("priorities", self.priorities),
            "category": ("categories", self.categories),
        }
        if field_name == "line":
            return self.line_of(self.group_of(value))
        if field_name not in tables or value is None:
            return value
        setting, table = tables[field_name]
        held: Value = table.hold(value)
        if held is None:
            raise Unwritable(
                f"{self.name} has no {field_name} for {value}; name one under trackers.{self.name}.{setting}"
            )
        return held

    def native(self, field_name: str, value: Value) -> str:
        """The tracker's own word for a mapped neutral value (`status`, `priority`, `category`). Pure.

        Raises Unwritable where there is none.
        """
        tables: dict[str, ValueMap[Any]] = {
            "status": self.statuses,
            "priority": self.priorities,
            "category": self.categories,
        }
        word = tables[field_name].to_native(value)
        if word is None:
            raise Unwritable(f"{self.name} has no {field_name} for {value}")
        return word

    def group_of(self, line: Value) -> str:
        """The group or queue that a ticket of this support line is handed to, as the settings name it. Pure.

        Raises Unwritable where the line has none.
        """
        groups = self.lines.get(line, ()) if isinstance(line, int) else ()
        if not groups:
            raise Unwritable(f"{self.name} has no group for line {line}; name one under trackers.{self.name}.lines")
        return groups[0]

    def line_of(self, group: str) -> int | None:
        """The support line of a group or queue, of several the first that names it; None where none does. Pure."""
        return next((line for line, groups in self.lines.items() if group in groups), None)

    def hold_text(self, text: Markdown) -> Markdown:
        """A text as this tracker would show it after it was written. Pure."""
        return text

    def hold_label(self, label: str) -> str:
        """A label in the form this tracker keeps it (Jira: no blanks; Zendesk: lower case). Pure."""
        return label

    # writing

    def create(self, draft: Draft) -> Created:
        raise NotOfferedError(self.name, Capability.CREATE)

    def find_ticket(self, marker: str) -> Created | None:
        """The ticket that an earlier `create` with this marker made, or None.

        None within `search_lag` of the attempt proves nothing.
        """
        raise NotOfferedError(self.name, Capability.CREATE)

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        """Writes fields. With `basis` the tracker's optimistic lock is used where it has one.

        Raises RefusedError for single fields, ConflictError when the ticket changed since `basis`.
        """
        raise NotOfferedError(self.name, Capability.UPDATE)

    def transition(self, ticket_id: str, status: Status) -> Written:
        """Brings the ticket to a native status that means `status`, in as many workflow steps as it takes.

        Raises RefusedError({"status": why}) when no path leads there.
        """
        raise NotOfferedError(self.name, Capability.TRANSITIONS)

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        raise NotOfferedError(self.name, Capability.COMMENTS)

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        """The comment that an earlier `add_comment` with this marker wrote, or None. Read directly, no lag."""
        raise NotOfferedError(self.name, Capability.COMMENTS)

    def edit_comment(self, ticket_id: str, comment_id: str, text: Markdown, visibility: Visibility) -> None:
        """Replaces the text; the visibility is stated again so that no default of the tracker can widen it."""
        raise NotOfferedError(self.name, Capability.EDIT_COMMENTS)

    def delete_comment(self, ticket_id: str, comment_id: str) -> None:
        raise NotOfferedError(self.name, Capability.DELETE_COMMENTS)

    def attach(self, ticket_id: str, upload: Upload) -> Attachment:
        """Adds a file to the ticket itself. Not offered by trackers with ATTACHMENTS_IN_COMMENTS."""
        raise NotOfferedError(self.name, Capability.ATTACHMENTS)

    def download(self, attachment: Attachment) -> AbstractContextManager[Iterator[bytes]]:
        """The file's bytes in chunks. Credentials never travel to another host by a redirect."""
        raise NotOfferedError(self.name, Capability.ATTACHMENTS)

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        """Shows the counterpart in the ticket: a remote link, an external id and an internal note.

        Returns the receipt of the note where one was written, with the link's `global_id` as its marker; the hub
        looks for that before it repeats a call whose answer it never got. A remote link is repeatable: the same
        `global_id` never shows twice.
        """
        raise NotOfferedError(self.name, Capability.REMOTE_LINKS)

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        """Takes back what `write_link` showed, as far as the tracker can. Missing is fine."""
        raise NotOfferedError(self.name, Capability.REMOTE_LINKS)

    # noticing

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        """Which tickets a verified payload speaks of. Pure, quick, no calls.

        Raises ValueError with words for an admin when the body is not one this tracker sends.
        """
        raise NotOfferedError(self.name, Capability.WEBHOOKS)

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        """Tickets changed since `cursor`; None starts at `now` without looking back.

        May repeat a ticket, must never miss one.
        """
        raise NotOfferedError(self.name, Capability.POLLING)

    def find_person(self, email: str) -> Person | None:
        """The account with exactly this address, or None."""
        raise NotOfferedError(self.name, Capability.USERS)

    def find_articles(self, words: str, limit: int) -> Sequence[Article]:
        """Published articles of the knowledge base that customers may read, the best first; at most `limit`."""
        raise NotOfferedError(self.name, Capability.KNOWLEDGE_BASE)

    # macros

    def macros(self) -> Sequence[StoredMacro]:
        """The tracker's ready answers and actions that are in use."""
        raise NotOfferedError(self.name, Capability.MACROS)

    def publish_macro(self, macro: StoredMacro, key: str) -> str:
        """Stores a macro for agents to use; the one that was stored under the same key before is replaced.

        Returns the tracker's id. Raises Unwritable, with words for people, where it has no form for a part of the
        macro: then nothing was stored.
        """
        raise NotOfferedError(self.name, Capability.PUBLISH_MACROS)

    # doing something for a ticket

    def act(self, name: str, request: ActionRequest) -> ActionResult:
        """Does one of `actions`. The same `request.mark` again must not have the effect twice.

        Raises PermanentError, with a remedy, for arguments that cannot be used.
        """
        raise NotOfferedError(self.name, Capability.ACTIONS)

    def reports(self, cursor: str | None, now: datetime) -> Reported:
        """What became of actions since `cursor`; None starts at `now`. May repeat a report, must never miss one."""
        raise NotOfferedError(self.name, Capability.ACTION_REPORTS)

    def close(self) -> None:  # noqa: B027 - most connectors have nothing to give back
        """Gives connections back. Nothing is called afterwards."""


def _unwatched(method: str, outcome: str, seconds: float) -> None:
    """Nobody counts the calls."""
