"""Operations: what the hub wants to do to the trackers, as data. Pure values, printed by `hub plan`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hub.connector import Changes, Draft, RemoteLink
from hub.sync.fields import FieldWrite
from hub.sync.labels import LabelWrite
from hub.ticket import Attachment, Markdown, Person, Status, TicketRef, Visibility


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCopy:
    """A file that is to cross: where it is, and who may see it there."""

    origin: TicketRef
    attachment: Attachment
    visibility: Visibility


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTicket:
    """Make the counterpart of `source` in another tracker. `target.id` is empty: nobody knows it yet."""

    target: TicketRef
    source: TicketRef
    draft: Draft
    because: str

    @property
    def name(self) -> str:
        return "create"

    def describe(self) -> str:
        return f"create a ticket in {self.target.tracker}: {self.draft.title}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteLink:
    """Show the counterpart in a ticket."""

    target: TicketRef
    link: RemoteLink
    because: str

    @property
    def name(self) -> str:
        return "link"

    def describe(self) -> str:
        return f"show {self.link.key} ({self.link.tracker}) in {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFields:
    """Change fields and labels of one ticket in one go. `writes` and `labels` say what each change carries."""

    target: TicketRef
    changes: Changes
    writes: tuple[FieldWrite, ...]
    labels: LabelWrite | None
    because: str

    @property
    def name(self) -> str:
        return "fields"

    def describe(self) -> str:
        return f"change {self.target}: {', '.join(_changes(self.changes))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """Bring a ticket to a status along its workflow."""

    target: TicketRef
    status: Status
    write: FieldWrite
    because: str

    @property
    def name(self) -> str:
        return "fields"

    def describe(self) -> str:
        return f"move {self.target} to {self.status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddComment:
    """Write a comment: the copy of `origin_id` in `origin`, or the hub's own note when `origin` is the target."""

    target: TicketRef
    origin: TicketRef
    origin_id: str
    text: Markdown
    visibility: Visibility
    digest: str
    marker: str
    because: str
    kind: Literal["comment", "note"] = "comment"
    """`note` is the hub's own word about something that is no comment: a file, a deletion."""
    author: Person | None = None
    files: tuple[FileCopy, ...] = ()
    left_files: tuple[str, ...] = ()
    """Ids of files that the text says cannot travel."""
    is_note_about_copy: bool = False
    """A note that a comment was edited or deleted: the copy's record keeps its id, only the digest moves on."""
    ends_copy: bool = False
    """The origin is deleted: the copy is not followed any more."""
    order_ids: tuple[int, ...] = ()
    """The orders of rules or people that this fulfils."""

    @property
    def name(self) -> str:
        return f"comment:{self.origin}:{self.origin_id}"

    def describe(self) -> str:
        files = f" with {len(self.files)} file(s)" if self.files else ""
        return f"write a {self.visibility} comment in {self.target}{files}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EditComment:
    """Follow an edit of the origin in its copy."""

    target: TicketRef
    comment_id: str
    origin: TicketRef
    origin_id: str
    text: Markdown
    visibility: Visibility
    digest: str
    because: str

    @property
    def name(self) -> str:
        return f"comment:{self.origin}:{self.origin_id}"

    def describe(self) -> str:
        return f"edit the {self.visibility} comment {self.comment_id} in {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteComment:
    """Follow a deletion of the origin."""

    target: TicketRef
    comment_id: str
    origin: TicketRef
    origin_id: str
    because: str

    @property
    def name(self) -> str:
        return f"comment:{self.origin}:{self.origin_id}"

    def describe(self) -> str:
        return f"delete the comment {self.comment_id} in {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachFile:
    """Add a file to the ticket itself."""

    target: TicketRef
    file: FileCopy
    because: str

    @property
    def name(self) -> str:
        return f"file:{self.file.origin}:{self.file.attachment.id}"

    def describe(self) -> str:
        return f"attach {self.file.attachment.name} to {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTicket:
    """Change a ticket because a rule wants it. It counts as a change made there, and travels as a person's would.

    `changes` are in the tracker's own form, `status` included where it has transitions.
    """

    target: TicketRef
    mark: str
    changes: Changes
    order_ids: tuple[int, ...]
    because: str

    @property
    def name(self) -> str:
        return f"order:{self.mark}"

    def describe(self) -> str:
        return f"change {self.target}: {', '.join(_changes(self.changes))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Send a message about a ticket through a notifier. Nobody can look up whether one was sent."""

    target: TicketRef
    mark: str
    notifier: str
    text: str
    order_ids: tuple[int, ...]
    because: str

    @property
    def name(self) -> str:
        return f"order:{self.mark}"

    def describe(self) -> str:
        return f"notify {self.notifier} about {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAction:
    """Have a plugin do something for a ticket; with the same mark again it does the same thing once."""

    target: TicketRef
    mark: str
    action: str
    arguments: Mapping[str, str]
    order_ids: tuple[int, ...]
    because: str

    @property
    def name(self) -> str:
        return f"order:{self.mark}"

    def describe(self) -> str:
        return f"{self.action} for {self.target}"


Operation = (
    CreateTicket
    | WriteLink
    | WriteFields
    | Transition
    | AddComment
    | EditComment
    | DeleteComment
    | AttachFile
    | ChangeTicket
    | Notify
    | CallAction
)


def outlet_of(operation: Operation) -> str:
    """Where an operation leaves the hub other than into its ticket: a notifier or an action; empty for a ticket."""
    match operation:
        case Notify():
            return f"notify {operation.notifier}"
        case CallAction():
            return operation.action
        case _:
            return ""


def digest_of_operation(operation: Operation) -> str:
    """By what a refused attempt is recognised: the same text, the same file, the same link."""
    return operation.digest if isinstance(operation, AddComment | EditComment) else ""


def _changes(changes: Changes) -> list[str]:
    return [
        *(f"{name} = {_short(value)}" for name, value in changes.values.items()),
        *(f"+{label}" for label in sorted(changes.add_labels)),
        *(f"-{label}" for label in sorted(changes.remove_labels)),
    ]


def _short(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
