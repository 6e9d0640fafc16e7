"""Which comments and files have to be copied where. Pure.

Comments are a union keyed by origin: what the hub wrote itself is known by its record (or its mark) and never
travels back. A text crosses publicly only when its tracker calls it public in as many words; everything else is
private, and private text travels only where the settings say so, as a private note.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.connector import Capability
from hub.journal.copies import Copy
from hub.settings.model import Direction
from hub.sync.marks import comment_mark, is_own_mark
from hub.sync.operations import AddComment, AttachFile, DeleteComment, EditComment, FileCopy, Operation
from hub.sync.shorten import shortened
from hub.sync.state import LinkState, Member
from hub.text import fingerprint
from hub.ticket import Attachment, Comment, Markdown, TicketRef, Visibility

FILE_ALONE = timedelta(seconds=5)
"""How old a file that belongs to no comment has to be before it gets a note of its own on the other side. Jira stores a
picture that is pasted into a comment before it stores the comment; without a pause it would cross twice."""


@dataclass(frozen=True, slots=True)
class CommentPlan:
    """`operations` in the order they are to be done; `copies` are records to change without any call.

    `look_again` says for members what time it takes until more can be decided about them.
    """

    operations: tuple[Operation, ...] = ()
    copies: tuple[Copy, ...] = ()
    look_again: Mapping[TicketRef, timedelta] = field(default_factory=dict)


def plan_comments(state: LinkState) -> CommentPlan:
    """What has to happen for every comment and file of the members that were read in this run."""
    issue = state.issue
    if issue is None or issue.is_gone:
        return CommentPlan()
    operations: list[Operation] = []
    copies: list[Copy] = []
    look_again: dict[TicketRef, timedelta] = {}
    tickets = [m for m in state.tickets if m.is_usable]
    for ticket in tickets:
        _plan_pair(state, ticket, issue, operations, copies, look_again)
        _plan_pair(state, issue, ticket, operations, copies, look_again)
    return CommentPlan(tuple(operations), tuple(copies), look_again)


def _plan_pair(
    state: LinkState,
    source: Member,
    target: Member,
    operations: list[Operation],
    copies: list[Copy],
    look_again: dict[TicketRef, timedelta],
) -> None:
    if source.snapshot is None or not target.can(Capability.COMMENTS):
        return
    files = _FilesToCross(state, source, target)
    if source.snapshot.comments is not None:
        originals = _originals(state, source)
        left_out = _left_out(state, source, originals)
        done = {c.origin_id: c for c in _pairs(state, source, target)}
        for comment in originals:
            known = done.get(comment.id)
            if known is not None:
                _follow_edit(state, source, target, comment, known, operations, copies)
                operations.extend(files.added_later(comment, known))
            elif comment.id in left_out:
                copies.append(_left(source, target, comment))
            else:
                _plan_copy(state, source, target, comment, files, operations)
        _follow_deletes(state, source, target, done.values(), operations, copies)
    operations.extend(files.on_the_ticket_itself())
    if files.youngest_waits is not None:
        look_again[source.ref] = max(files.youngest_waits, look_again.get(source.ref, timedelta()))


def _originals(state: LinkState, source: Member) -> list[Comment]:
    """The comments that people wrote here, in the order they were written."""
    assert source.snapshot is not None
    own = {c.target_id for c in state.copies if c.kind in ("comment", "note") and c.target == source.ref}
    comments = [
        c for c in source.snapshot.comments or () if c.id not in own and not is_own_mark(c.marker, state.install_id)
    ]
    return sorted(comments, key=lambda c: (c.created, len(c.id), c.id))


def _pairs(state: LinkState, source: Member, target: Member) -> list[Copy]:
    return [c for c in state.copies if c.kind == "comment" and c.origin == source.ref and c.target == target.ref]


def _left_out(state: LinkState, source: Member, originals: Sequence[Comment]) -> set[str]:
    """History beyond what the settings want to bring over."""
    limit = state.settings.comments.history
    if limit == "all":
        return set()
    old = [c.id for c in originals if c.created < _linked_at(state, source)]
    return set(old[: max(0, len(old) - limit)])


def _linked_at(state: LinkState, source: Member) -> datetime:
    return max(state.created, source.joined)


def _left(source: Member, target: Member, comment: Comment) -> Copy:
    return Copy(
        kind="comment",
        origin=source.ref,
        origin_id=comment.id,
        target=target.ref,
        target_id="",
        visibility=comment.visibility,
        digest=fingerprint(comment.text),
        state="left",
    )


def _plan_copy(
    state: LinkState,
    source: Member,
    target: Member,
    comment: Comment,
    files: _FilesToCross,
    operations: list[Operation],
) -> None:
    visibility = Visibility.PUBLIC if comment.visibility.is_public else Visibility.PRIVATE
    direction = state.settings.comments.public if visibility.is_public else state.settings.comments.private
    if not _goes(direction, target):
        return
    if visibility is Visibility.PRIVATE and not target.can(Capability.PRIVATE_COMMENTS):
        return
    crossing, too_large = files.of_comment(comment, visibility)
    notes = [_too_large(source.ref, file) for file in too_large]
    operations.append(
        AddComment(
            target=target.ref,
            origin=source.ref,
            origin_id=comment.id,
            text=_signed(source, comment, notes),
            visibility=visibility,
            digest=fingerprint(comment.text),
            marker=comment_mark(source.ref, comment.id, state.install_id),
            author=comment.author,
            files=crossing,
            left_files=tuple(file.id for file in too_large),
            because=f"comment {comment.id} in {source.ref} ({comment.visibility}) is not there yet",
        )
    )


def _goes(direction: Direction, target: Member) -> bool:
    return direction == "both" or direction == ("to_issue" if target.role == "issue" else "to_tickets")


def _signed(source: Member, comment: Comment, notes: Iterable[str] = ()) -> Markdown:
    """The text with its author and time, since the account that writes it is the hub's."""
    when = comment.created.strftime("%Y-%m-%d %H:%M UTC")
    head = f"**{_literal(comment.author.label)}** ({_literal(source.ref.tracker)} {_literal(source.key)}, {when}):"
    text = "\n\n".join([head, comment.text, *notes]).rstrip()
    return shortened(text, f"*(shortened; the whole text is in {_literal(str(source.ref))})*")


def _literal(name: str) -> str:
    """A name in Markdown: characters that could mean something there are taken literally."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|~" else char for char in " ".join(name.split()))


def _follow_edit(
    state: LinkState,
    source: Member,
    target: Member,
    comment: Comment,
    known: Copy,
    operations: list[Operation],
    copies: list[Copy],
) -> None:
    digest = fingerprint(comment.text)
    was_public, is_public = known.visibility.is_public, comment.visibility.is_public
    if known.state != "copied" or (known.digest == digest and (is_public or not was_public)):
        return
    policy = state.settings.comments.edits
    how = policy.to_issue if target.role == "issue" else policy.to_tickets
    became_private = was_public and not is_public
    # A copy never becomes more public than it was: what was private when it crossed may quote private text.
    visibility = Visibility.PUBLIC if was_public and is_public else Visibility.PRIVATE
    if became_private and not target.can(Capability.PRIVATE_COMMENTS):
        how = "ignore"
    if how == "ignore":
        copies.append(_changed(known, digest, visibility))
    elif how == "mirror" and target.can(Capability.EDIT_COMMENTS):
        operations.append(
            EditComment(
                target=target.ref,
                comment_id=known.target_id,
                origin=source.ref,
                origin_id=comment.id,
                text=_signed(source, comment),
                visibility=visibility,
                digest=digest,
                because=f"comment {comment.id} in {source.ref} was edited",
            )
        )
    else:
        what = "made private" if became_private and known.digest == digest else "edited"
        operations.append(
            AddComment(
                target=target.ref,
                origin=source.ref,
                origin_id=comment.id,
                text=Markdown(
                    f"*A comment was {what} in {_literal(source.ref.tracker)}; it now reads:*\n\n"
                    f"{_signed(source, comment)}"
                ),
                visibility=visibility,
                digest=digest,
                marker=comment_mark(source.ref, comment.id, state.install_id, digest[:12]),
                is_note_about_copy=True,
                because=f"comment {comment.id} in {source.ref} was {what}, and its copy cannot be edited",
            )
        )


def _changed(known: Copy, digest: str, visibility: Visibility) -> Copy:
    return Copy(
        kind=known.kind,
        origin=known.origin,
        origin_id=known.origin_id,
        target=known.target,
        target_id=known.target_id,
        visibility=visibility,
        digest=digest,
        state=known.state,
    )


def _follow_deletes(
    state: LinkState,
    source: Member,
    target: Member,
    known: Iterable[Copy],
    operations: list[Operation],
    copies: list[Copy],
) -> None:
    assert source.snapshot is not None
    present = {c.id for c in source.snapshot.comments or ()}
    policy = state.settings.comments.deletes
    how = policy.to_issue if target.role == "issue" else policy.to_tickets
    for copy in known:
        if copy.origin_id in present or copy.state != "copied":
            continue
        because = f"comment {copy.origin_id} in {source.ref} was deleted"
        if how == "mirror" and target.can(Capability.DELETE_COMMENTS):
            operations.append(
                DeleteComment(
                    target=target.ref,
                    comment_id=copy.target_id,
                    origin=copy.origin,
                    origin_id=copy.origin_id,
                    because=because,
                )
            )
        elif how == "ignore" or not target.can(Capability.PRIVATE_COMMENTS):
            copies.append(_gone(copy))
        else:
            operations.append(
                AddComment(
                    target=target.ref,
                    origin=copy.origin,
                    origin_id=copy.origin_id,
                    text=Markdown(f"*A comment that was copied from {_literal(str(source.ref))} was deleted there.*"),
                    visibility=Visibility.PRIVATE,
                    digest=copy.digest,
                    marker=comment_mark(copy.origin, copy.origin_id, state.install_id, "deleted"),
                    is_note_about_copy=True,
                    ends_copy=True,
                    because=because,
                )
            )


def _gone(copy: Copy) -> Copy:
    return Copy(
        kind=copy.kind,
        origin=copy.origin,
        origin_id=copy.origin_id,
        target=copy.target,
        target_id=copy.target_id,
        visibility=copy.visibility,
        digest=copy.digest,
        state="gone",
    )


class _FilesToCross:
    """Which files of `source` still have to reach `target`; remembers what this plan takes along already."""

    def __init__(self, state: LinkState, source: Member, target: Member) -> None:
        self._state, self._source, self._target = state, source, target
        self._is_wanted = _goes(state.settings.attachments.direction, target) and target.can(Capability.ATTACHMENTS)
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
                operations.append(self._note(file, _too_large(self._source.ref, file), (), visibility, because))
            elif needs_note:
                author = _literal(file.author.label)
                where = f"{_literal(self._source.ref.tracker)} {_literal(self._source.key)}"
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


def _too_large(source: TicketRef, file: Attachment) -> str:
    size = f"{(file.size or 0) / 1024 / 1024:.1f} MB"
    where = _literal(str(source))
    return f"*The file {_literal(file.name)} ({size}) is too large to travel; it stays in {where}: <{file.url}>*"
