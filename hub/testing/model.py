"""A model tracker: the simplest tracker that keeps every promise of the connector contract, in memory.

Tests drive the real core with it: people edit through `ModelTracker`, the hub through `ModelConnector`. Every outside
call can be made to fail before or after its effect, or to kill the hub there (`Killed`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from hub.connector import (
    Article,
    Capability,
    Changes,
    ConflictError,
    Connector,
    Created,
    Draft,
    Hint,
    Identity,
    Ignored,
    Known,
    NewComment,
    NotFoundError,
    Polled,
    RefusedError,
    RemoteLink,
    Role,
    Upload,
    WebhookRequest,
    Written,
    WrittenComment,
)
from hub.settings.trackers import TrackerSettings
from hub.text import canonical
from hub.ticket import (
    Attachment,
    Category,
    Comment,
    FieldChange,
    Markdown,
    Person,
    Priority,
    Snapshot,
    Status,
    Ticket,
    Value,
    Visibility,
)

HUB_ACCOUNT = "hub-account"


class Killed(BaseException):
    """The hub's process died here."""


@dataclass
class ModelTicket:
    """A ticket as the model tracker keeps it; status and priority in the tracker's own words."""

    id: str
    title: str = ""
    description: str = ""
    status: str = "open"
    priority: str = "normal"
    labels: frozenset[str] = frozenset()
    assignee: Person | None = None
    custom: dict[str, object] = field(default_factory=dict)
    comments: list[Comment] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    links: dict[str, RemoteLink] = field(default_factory=dict)
    marker: str = ""
    version: int = 1
    updated: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    is_deleted: bool = False
    created: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    line: int | None = None
    category: Category = Category.UNKNOWN
    organisation: str | None = None
    requester: Person | None = None
    rating: str | None = None
    history: list[tuple[datetime, str, str, object, object]] = field(default_factory=list)
    """Of people's edits: when, by whom, of which field, from what to what."""


class ModelTracker:
    """The tracker itself. People use its methods; `on_change` is told of every change, the hub's own included."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.tickets: dict[str, ModelTicket] = {}
        self.contents: dict[str, bytes] = {}
        self.articles: list[Article] = []
        self.refuses: dict[str, str] = {}
        """Fields that the tracker does not take, with its reason."""
        self.on_change: Callable[[str, str], None] = lambda ticket_id, actor: None
        self._ids = itertools.count(1)

    def new_id(self) -> str:
        return str(next(self._ids))

    def open_ticket(self, actor: str = "person", **values: object) -> str:
        """A new ticket of a person's; returns its id."""
        now = self.now()
        ticket = ModelTicket(self.new_id(), updated=now, created=now)
        for name, value in values.items():
            setattr(ticket, name, value)
        self.tickets[ticket.id] = ticket
        self.on_change(ticket.id, actor)
        return ticket.id

    def edit(self, ticket_id: str, actor: str = "person", **values: object) -> None:
        """Changes values of a ticket, as a person does."""
        ticket = self.tickets[ticket_id]
        before = {name: getattr(ticket, name) for name in values}
        for name, value in values.items():
            setattr(ticket, name, value)
        self.touch(ticket_id, actor)
        ticket.history += [(ticket.updated, actor, name, before[name], value) for name, value in values.items()]

    def say(
        self,
        ticket_id: str,
        text: str,
        visibility: Visibility = Visibility.PUBLIC,
        *,
        author: Person = Person("p1", "A Person"),  # noqa: B008 - an immutable value
        marker: str | None = None,
        files: Sequence[Attachment] = (),
    ) -> str:
        """A new comment; returns its id."""
        comment = Comment(
            self.new_id(), author, canonical(text), visibility, self.now(), attachments=tuple(files), marker=marker
        )
        self.tickets[ticket_id].comments.append(comment)
        self.touch(ticket_id, author.id)
        return comment.id

    def edit_comment(self, ticket_id: str, comment_id: str, text: str, actor: str = "person") -> None:
        ticket = self.tickets[ticket_id]
        ticket.comments = [
            replace(c, text=canonical(text), updated=self.now()) if c.id == comment_id else c for c in ticket.comments
        ]
        self.touch(ticket_id, actor)

    def delete_comment(self, ticket_id: str, comment_id: str, actor: str = "person") -> None:
        ticket = self.tickets[ticket_id]
        ticket.comments = [c for c in ticket.comments if c.id != comment_id]
        self.touch(ticket_id, actor)

    def new_file(self, name: str, content: bytes, author: Person = Person("p1", "A Person")) -> Attachment:  # noqa: B008
        file = Attachment(
            self.new_id(), name, url=f"model:{name}", size=len(content), author=author, created=self.now()
        )
        self.contents[file.id] = content
        return file

    def touch(self, ticket_id: str, actor: str) -> None:
        ticket = self.tickets[ticket_id]
        ticket.version += 1
        ticket.updated = self.now()
        self.on_change(ticket_id, actor)


class ModelSettings(TrackerSettings):
    """The model has no settings of its own."""


class ModelConnector(Connector):
    """Speaks to a ModelTracker. Its priorities are fewer than the neutral ones, so its mapping is lossy."""

    kind = "model"
    role = Role.HELPDESK
    settings_model = ModelSettings
    default_statuses: ClassVar[Mapping[str, Sequence[str]]] = {
        "open": ["open"],
        "new": ["new"],
        "in_progress": ["open"],
        "pending": ["pending"],
        "on_hold": ["hold"],
        "solved": ["solved"],
        "closed": ["closed"],
    }
    default_priorities: ClassVar[Mapping[str, Sequence[str]]] = {
        "low": ["low"],
        "lowest": ["low"],
        "normal": ["normal"],
        "high": ["high"],
        "urgent": ["urgent"],
    }

    def __init__(
        self,
        name: str,
        tracker: ModelTracker,
        settings: TrackerSettings | None = None,
        *,
        has_transitions: bool = False,
        files_in_comments: bool = True,
        can_edit: bool = False,
        has_lock: bool = True,
        has_lines: bool = False,
    ) -> None:
        super().__init__(name, settings or ModelSettings(kind="model", url="http://model"))
        self.tracker = tracker
        self.calls: list[str] = []
        self.before_call: Callable[[str], None] = lambda call: None
        self.after_call: Callable[[str], None] = lambda call: None
        self._has_lock = has_lock
        self.tells_history = self.tells_replaced = False
        """Whether a read brings the history along, and a write says what it replaced."""
        offered = {
            Capability.CREATE, Capability.UPDATE, Capability.COMMENTS, Capability.PRIVATE_COMMENTS,
            Capability.ATTACHMENTS, Capability.REMOTE_LINKS, Capability.POLLING, Capability.WEBHOOKS,
        }  # fmt: skip
        if has_transitions:
            offered.add(Capability.TRANSITIONS)
        if files_in_comments:
            offered.add(Capability.ATTACHMENTS_IN_COMMENTS)
        if has_lines:
            offered |= {Capability.LINES, Capability.KNOWLEDGE_BASE}
        if can_edit:
            offered |= {Capability.EDIT_COMMENTS, Capability.DELETE_COMMENTS}
        self._capabilities = frozenset(offered)

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self._capabilities

    def identify(self) -> Identity:
        return Identity(HUB_ACCOUNT, "The Hub")

    def hold(self, field_name: str, value: Value) -> Value:
        if field_name == "line" and Capability.LINES in self.capabilities:
            return value
        return super().hold(field_name, value)

    def hold_label(self, label: str) -> str:
        return label.lower().replace(" ", "_")

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        with self._call("read"):
            ticket = self._ticket(ticket_id)
            return Snapshot(
                ticket=Ticket(
                    id=ticket.id,
                    key=f"#{ticket.id}",
                    url=f"http://{self.name}/{ticket.id}",
                    title=ticket.title,
                    description=canonical(ticket.description),
                    status=self.statuses.to_neutral(ticket.status),
                    priority=self.priorities.to_neutral(ticket.priority),
                    labels=ticket.labels,
                    custom=dict(ticket.custom),  # type: ignore[arg-type]  # tests put field values in
                    updated=ticket.updated,
                    created=ticket.created,
                    line=ticket.line,
                    category=ticket.category,
                    organisation=ticket.organisation,
                    requester=ticket.requester,
                    assignee=ticket.assignee,
                    rating=ticket.rating,
                ),
                read_at=self.tracker.now(),
                version=str(ticket.version),
                comments=tuple(ticket.comments),
                comment_count=len(ticket.comments),
                attachments=tuple(ticket.files),
                changes=self._changes(ticket, known.history_since) if self.tells_history else None,
                is_deleted=ticket.is_deleted,
            )

    def create(self, draft: Draft) -> Created:
        with self._call("create"):
            refused = [n for n in draft.values if n in self.tracker.refuses]
            if refused:
                raise RefusedError(self.name, "create", {n: self.tracker.refuses[n] for n in refused})
            values = {n: self._native(n, v) for n, v in draft.values.items() if n in ("status", "priority", "assignee")}
            ticket_id = self.tracker.open_ticket(
                HUB_ACCOUNT,
                title=draft.title,
                description=draft.description,
                labels=draft.labels | {draft.marker},
                custom={n.removeprefix("custom:"): v for n, v in draft.values.items() if n.startswith("custom:")},
                marker=draft.marker,
                **values,
            )
            return Created(ticket_id, f"#{ticket_id}", f"http://{self.name}/{ticket_id}")

    def find_ticket(self, marker: str) -> Created | None:
        with self._call("find_ticket"):
            for ticket in self.tracker.tickets.values():
                if ticket.marker == marker:
                    return Created(ticket.id, f"#{ticket.id}", f"http://{self.name}/{ticket.id}")
            return None

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        with self._call("update"):
            ticket = self._ticket(ticket_id)
            if self._has_lock and basis is not None and basis.version and basis.version != str(ticket.version):
                raise ConflictError(self.name, "update", "somebody was faster")
            wanted = [*changes.values, *(["labels"] if changes.add_labels or changes.remove_labels else [])]
            refused = {n: self.tracker.refuses[n] for n in wanted if n in self.tracker.refuses}
            if refused:
                raise RefusedError(self.name, "update", refused)
            stood = {n: self._neutral(n, getattr(ticket, n)) for n in changes.values if n in ("title", "priority")}
            for name, value in changes.values.items():
                if name.startswith("custom:"):
                    ticket.custom[name.removeprefix("custom:")] = value
                else:
                    setattr(ticket, name, self._native(name, value))
            ticket.labels = (ticket.labels | changes.add_labels) - changes.remove_labels
            self.tracker.touch(ticket_id, HUB_ACCOUNT)
            return Written(str(ticket.version), replaced=stood if self.tells_replaced else {})

    def transition(self, ticket_id: str, status: Status) -> Written:
        with self._call("transition"):
            if "status" in self.tracker.refuses:
                raise RefusedError(self.name, "transition", {"status": self.tracker.refuses["status"]})
            ticket = self._ticket(ticket_id)
            stood = {"status": self._neutral("status", ticket.status)} if self.tells_replaced else {}
            ticket.status = self.native("status", status)
            self.tracker.touch(ticket_id, HUB_ACCOUNT)
            return Written(str(ticket.version), replaced=stood)

    def add_comment(self, ticket_id: str, comment: NewComment) -> WrittenComment:
        with self._call("add_comment"):
            self._ticket(ticket_id)
            files = [self._keep(upload) for upload in comment.uploads]
            written = self.tracker.say(
                ticket_id,
                comment.text,
                comment.visibility,
                author=Person(HUB_ACCOUNT, "The Hub"),
                marker=comment.marker,
                files=files,
            )
            return WrittenComment(
                written, comment.visibility, tuple(f.id for f in files), str(self._ticket(ticket_id).version)
            )

    def find_comment(self, ticket_id: str, marker: str) -> WrittenComment | None:
        with self._call("find_comment"):
            for comment in self._ticket(ticket_id).comments:
                if comment.marker == marker:
                    files = tuple(f.id for f in comment.attachments)
                    return WrittenComment(comment.id, comment.visibility, files)
            return None

    def edit_comment(self, ticket_id: str, comment_id: str, text: Markdown, visibility: Visibility) -> None:
        with self._call("edit_comment"):
            ticket = self._ticket(ticket_id)
            self.tracker.edit_comment(ticket_id, comment_id, text, HUB_ACCOUNT)
            ticket.comments = [replace(c, visibility=visibility) if c.id == comment_id else c for c in ticket.comments]

    def delete_comment(self, ticket_id: str, comment_id: str) -> None:
        with self._call("delete_comment"):
            self.tracker.delete_comment(ticket_id, comment_id, HUB_ACCOUNT)

    def attach(self, ticket_id: str, upload: Upload) -> Attachment:
        with self._call("attach"):
            file = self._keep(upload)
            self._ticket(ticket_id).files.append(file)
            self.tracker.touch(ticket_id, HUB_ACCOUNT)
            return file

    def download(self, attachment: Attachment) -> AbstractContextManager[Iterator[bytes]]:
        with self._call("download"):
            if attachment.id not in self.tracker.contents:
                raise NotFoundError(self.name, "download", "no such file")
            return nullcontext(iter([self.tracker.contents[attachment.id]]))

    def write_link(self, ticket_id: str, link: RemoteLink) -> WrittenComment | None:
        with self._call("write_link"):
            self._ticket(ticket_id).links[link.global_id] = link
            if Capability.ATTACHMENTS_IN_COMMENTS not in self.capabilities or link.note is None:
                self.tracker.touch(ticket_id, HUB_ACCOUNT)
                return None
            account = Person(HUB_ACCOUNT, "The Hub")
            note = self.tracker.say(ticket_id, link.note, Visibility.PRIVATE, author=account, marker=link.global_id)
            return WrittenComment(note, Visibility.PRIVATE, version=str(self._ticket(ticket_id).version))

    def remove_link(self, ticket_id: str, global_id: str) -> None:
        with self._call("remove_link"):
            self._ticket(ticket_id).links.pop(global_id, None)
            self.tracker.touch(ticket_id, HUB_ACCOUNT)

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        with self._call("poll"):
            since = datetime.fromisoformat(cursor) if cursor else now
            hints = tuple(
                Hint(ticket_id=t.id, event="poll", at=t.updated, is_deleted=t.is_deleted)
                for t in self.tracker.tickets.values()
                if t.updated >= since
            )
            return Polled(hints, (now - timedelta(seconds=1)).isoformat())

    def find_articles(self, words: str, limit: int) -> Sequence[Article]:
        with self._call("find_articles"):
            return self.tracker.articles[:limit]

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        return [Hint(ticket_id=str(request.json()["ticket"]), event="changed")]

    def _ticket(self, ticket_id: str) -> ModelTicket:
        ticket = self.tracker.tickets.get(ticket_id)
        if ticket is None or ticket.is_deleted:
            raise NotFoundError(self.name, f"read {ticket_id}", "there is no such ticket")
        return ticket

    def _keep(self, upload: Upload) -> Attachment:
        return self.tracker.new_file(upload.name, upload.open().read(), Person(HUB_ACCOUNT, "The Hub"))

    def _native(self, name: str, value: object) -> object:
        if isinstance(value, Status | Priority):
            return self.native(name, value)
        if name == "assignee":
            return Person(str(value)) if value else None
        return value

    def _neutral(self, name: str, word: Any) -> Value:
        tables: dict[str, Any] = {"status": self.statuses, "priority": self.priorities}
        value: Value = tables[name].to_neutral(word) if name in tables else word
        return value

    def _changes(self, ticket: ModelTicket, since: datetime | None) -> tuple[FieldChange, ...] | None:
        if since is None:
            return None
        return tuple(
            FieldChange(
                field=name, before=self._neutral(name, before), after=self._neutral(name, after), at=at, actor_id=actor
            )
            for at, actor, name, before, after in ticket.history
            if name in ("title", "status", "priority")
        )

    def _call(self, call: str) -> _Call:
        return _Call(self, call)


class _Call:
    """One outside call: where it can be made to fail, before and after its effect."""

    def __init__(self, connector: ModelConnector, call: str) -> None:
        self._connector, self._call = connector, call

    def __enter__(self) -> None:
        self._connector.calls.append(self._call)
        self._connector.before_call(self._call)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            self._connector.after_call(self._call)


def is_write(call: str) -> bool:
    """Whether a call of `ModelConnector.calls` changes the tracker."""
    return call not in ("read", "find_articles", "find_ticket", "find_comment", "download", "poll")
