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
from hub.sync.crossing import FilesToCross, goes, literal, too_large
from hub.sync.marks import comment_mark, is_own_mark
from hub.sync.operations import AddComment, DeleteComment, EditComment, Operation
from hub.sync.shorten import shortened
from hub.sync.state import LinkState, Member
from hub.text import fingerprint
from hub.ticket import Comment, Markdown, TicketRef, Visibility


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
    files = FilesToCross(state, source, target)
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
    files: FilesToCross,
    operations: list[Operation],
) -> None:
    visibility = Visibility.PUBLIC if comment.visibility.is_public else Visibility.PRIVATE
    direction = state.settings.comments.public if visibility.is_public else state.settings.comments.private
    if not goes(direction, target):
        return
    if visibility is Visibility.PRIVATE and not target.can(Capability.PRIVATE_COMMENTS):
        return
    crossing, left = files.of_comment(comment, visibility)
    notes = [too_large(source.ref, file) for file in left]
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
            left_files=tuple(file.id for file in left),
            because=f"comment {comment.id} in {source.ref} ({comment.visibility}) is not there yet",
        )
    )


def _signed(source: Member, comment: Comment, notes: Iterable[str] = ()) -> Markdown:
    """The text with its author and time, since the account that writes it is the hub's."""
    when = comment.created.strftime("%Y-%m-%d %H:%M UTC")
    head = f"**{literal(comment.author.label)}** ({literal(source.ref.tracker)} {literal(source.key)}, {when}):"
    text = "\n\n".join([head, comment.text, *notes]).rstrip()
    return shortened(text, f"*(shortened; the whole text is in {literal(str(source.ref))})*")


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
                    f"*A comment was {what} in {literal(source.ref.tracker)}; it now reads:*\n\n"
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
                    text=Markdown(f"*A comment that was copied from {literal(str(source.ref))} was deleted there.*"),
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
