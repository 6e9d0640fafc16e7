"""Which files have to be copied where: those of a comment with it, others with a note of the hub's. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from hub.connector import Capability
from hub.journal.copies import Copy
from hub.settings.model import Direction
from hub.sync.marks import comment_mark
from hub.sync.operations import AddComment, AttachFile, FileCopy, Operation
from hub.sync.state import LinkState, Member
from hub.ticket import Attachment, Comment, Markdown, TicketRef, Visibility

FILE_ALONE = timedelta(seconds=5)
"""How old a file that belongs to no comment has to be before it gets a note of its own on the other side. Jira stores a
picture that is pasted into a comment before it stores the comment; without a pause it would cross twice."""


class FilesToCross:
    """Which files of `source` still have to reach `target`; remembers what this plan takes along already."""

    def __init__(self, state: LinkState, source: Member, target: Member) -> None:
        self._state, self._source, self._target = state, source, target
        self._is_wanted = goes(state.settings.attachments.direction, target) and target.can(Capability.ATTACHMENTS)
        written = {c.target_id for c in state.copies if c.kind == "attachment" and c.target == source.ref}
        self._own = written
        self.youngest_waits: timedelta | None = None
        """How long a file is left alone yet, because the comment that shows it may be on its way."""
        self._there = {
            c.origin_id: c.visibility
            for c in state.copies
            if c.kind == "attachment" and c.origin == source.ref and c.target == target.ref
        }

    def of_comment(self, comment: Comment, visibility: Visibility) -> tuple[tuple[FileCopy, ...], list[Attachment]]:
        """The comment's files that cross with it, and those that are too large to."""
        crossing: list[FileCopy] = []
        too_large: list[Attachment] = []
        if not self._is_wanted:
            return (), []
        for file in comment.attachments:
            if file.id in self._own or self._is_there(file, visibility):
                continue
            if self._is_too_large(file):
                too_large.append(file)
            else:
                crossing.append(FileCopy(origin=self._source.ref, attachment=file, visibility=visibility))
            self._there[file.id] = visibility
        return tuple(crossing), too_large

    def added_later(self, comment: Comment, known: Copy) -> list[Operation]:
        """Files that came to a comment after it had crossed, for those who may read its copy."""
        is_public = comment.visibility.is_public and known.visibility.is_public
        visibility = Visibility.PUBLIC if is_public else Visibility.PRIVATE
        may_cross = is_public or self._target.can(Capability.PRIVATE_COMMENTS)
        return self._alone(comment.attachments, visibility) if known.state == "copied" and may_cross else []

    def on_the_ticket_itself(self) -> list[Operation]:
        """Files that belong to no comment that crosses: attached to the ticket, or with a private note."""
        snapshot = self._source.snapshot
        assert snapshot is not None
        if not self._target.can(Capability.ATTACHMENTS_IN_COMMENTS):
            return self._alone(snapshot.attachments, Visibility.PRIVATE)
        ripe = []
        for file in snapshot.attachments:
            age = snapshot.read_at - file.created if file.created else FILE_ALONE
            # A Date header tells whole seconds: by it a new file may come from the next one.
            is_young = -FILE_ALONE < age < FILE_ALONE
            if is_young and self._is_wanted and file.id not in self._own and file.id not in self._there:
                self.youngest_waits = max(FILE_ALONE - age, self.youngest_waits or timedelta())
            else:
                ripe.append(file)
        return self._alone(ripe, Visibility.PRIVATE)

    def _alone(self, files: Iterable[Attachment], visibility: Visibility) -> list[Operation]:
        """The files of these that are not there yet, each without the comment that it may belong to."""
        if not self._is_wanted:
            return []
        needs_note = self._target.can(Capability.ATTACHMENTS_IN_COMMENTS)
        operations: list[Operation] = []
        for file in files:
            if file.id in self._own or file.id in self._there:
                continue
            because = f"file {file.id} in {self._source.ref} is not there yet"
            copy = FileCopy(origin=self._source.ref, attachment=file, visibility=visibility)
            if self._is_too_large(file):
                operations.append(self._note(file, too_large(self._source.ref, file), (), visibility, because))
            elif needs_note:
                author = literal(file.author.label)
                where = f"{literal(self._source.ref.tracker)} {literal(self._source.key)}"
                text = f"**{author}** attached a file in {where}:"
                operations.append(self._note(file, text, (copy,), visibility, because))
            else:
                operations.append(AttachFile(target=self._target.ref, file=copy, because=because))
            self._there[file.id] = visibility
        return operations

    def _note(
        self, file: Attachment, text: str, files: tuple[FileCopy, ...], visibility: Visibility, because: str
    ) -> AddComment:
        return AddComment(
            target=self._target.ref,
            origin=self._source.ref,
            origin_id=f"file:{file.id}",
            kind="note",
            text=Markdown(text),
            visibility=visibility,
            digest="",
            marker=comment_mark(self._source.ref, f"file:{file.id}", self._state.install_id),
            files=files,
            left_files=() if files else (file.id,),
            because=because,
        )

    def _is_there(self, file: Attachment, visibility: Visibility) -> bool:
        """A file that crossed for staff only crosses again when a public comment shows it."""
        crossed = self._there.get(file.id)
        return crossed is not None and (crossed.is_public or not visibility.is_public)

    def _is_too_large(self, file: Attachment) -> bool:
        return file.size is not None and file.size > self._state.settings.attachments.max_bytes


def goes(direction: Direction, target: Member) -> bool:
    """Whether something goes to this side of the link."""
    return direction == "both" or direction == ("to_issue" if target.role == "issue" else "to_tickets")


def literal(name: str) -> str:
    """A name in Markdown: characters that could mean something there are taken literally."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|~" else char for char in " ".join(name.split()))


def too_large(source: TicketRef, file: Attachment) -> str:
    """What is said of a file that cannot travel."""
    size = f"{(file.size or 0) / 1024 / 1024:.1f} MB"
    where = literal(str(source))
    return f"*The file {literal(file.name)} ({size}) is too large to travel; it stays in {where}: <{file.url}>*"
