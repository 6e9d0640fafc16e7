"""What the hub knows after a run: the new shadows. Pure.

A value counts as taken into account on the side where it was seen only when everything it was to cause elsewhere
has been done; until then it stays a change, and the next run sees it again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from hub.connector import Created, Written
from hub.sync.fields import FieldWrite, synced_fields
from hub.sync.operations import CreateTicket, WriteFields
from hub.sync.state import COMPARED_OTHERWISE, UNREADABLE, LinkState, Member, Overwrite, Shadow, comparable
from hub.text import fingerprint
from hub.ticket import Snapshot, TicketRef, Value

GRAIN = timedelta(seconds=2)
"""The coarsest stamps of trackers, and what a Date header leaves open of their clocks."""
HeldBack = Collection[tuple[TicketRef, str]]
"""Fields (and `labels`, `comments`) of members whose change has not arrived everywhere."""


def advance(state: LinkState, member: Member, held_back: HeldBack, is_complete: bool) -> Shadow:
    """The member's shadow after the run.

    After a run that broke off (`is_complete` is False) only what the hub wrote counts, nothing that it saw.
    """
    values = dict(member.shadow.values)
    labels = member.shadow.labels
    shadow = member.shadow
    if is_complete and member.snapshot is not None and not member.snapshot.is_deleted:
        as_read = replace(member, written={})
        for name in synced_fields(state):
            seen = as_read.current(name)
            if seen is not UNREADABLE and (member.ref, name) not in held_back:
                values[name] = seen
        if (member.ref, "labels") not in held_back:
            labels = member.snapshot.ticket.labels
        comments_done = (member.ref, "comments") not in held_back
        read_comments = member.snapshot.comments is not None
        count = member.snapshot.comment_count if read_comments or shadow.comment_count is not None else None
        shadow = replace(
            shadow,
            comment_count=count if comments_done else None,
            version=member.snapshot.version,
            updated=settled(member.snapshot),
        )
    elif not is_complete or (member.ref, "comments") in held_back:
        shadow = replace(shadow, comment_count=None)
    # What was put back in its own place and has not arrived elsewhere yet stays a change.
    values.update({name: v for name, v in member.written.items() if (member.ref, name) not in held_back})
    if member.written_labels is not None and (member.ref, "labels") not in held_back:
        labels = member.written_labels
    return replace(
        shadow,
        values=values,
        labels=labels,
        is_gone=member.is_gone and is_complete,
        overwrites=_standing_overwrites(member, held_back, is_complete),
    )


def _standing_overwrites(member: Member, held_back: HeldBack, is_complete: bool) -> dict[str, Overwrite]:
    """Those of values that are there still. What was lost by one is kept until it was decided about."""
    return {
        name: overwrite
        for name, overwrite in member.shadow.overwrites.items()
        if name in member.written
        or (member.is_as_known(name) and (not overwrite.is_lost or not is_complete or (member.ref, name) in held_back))
    }


def settled(snapshot: Snapshot) -> datetime | None:
    """When the ticket was last changed, unless another change may still come under the same time.

    Trackers that stamp in whole seconds give two changes of one second the same time, and polling must not take the
    second for the first.
    """
    updated = snapshot.ticket.updated
    return updated if updated is not None and snapshot.read_at - updated >= GRAIN else None


def after_fields(member: Member, operation: WriteFields, receipt: Written) -> Member:
    """The member after fields and labels were written to it."""
    labels = member.written_labels
    if operation.changes.add_labels or operation.changes.remove_labels:
        standing = member.labels() or frozenset()
        labels = (standing | operation.changes.add_labels) - operation.changes.remove_labels
    return replace(after_values(member, operation.writes, receipt), written_labels=labels)


def after_values(member: Member, writes: Iterable[FieldWrite], receipt: Written) -> Member:
    """The member after these values were written to it; what they replaced is kept with its shadow."""
    written = {write.field: write.held for write in writes}
    shadow = member.shadow
    if member.snapshot is not None:
        read_at = member.snapshot.read_at
        # What the hub wrote earlier in this run stands there too, and is nobody else's.
        overwrites = {name: _overwrite(member.current(name), read_at, name, value, receipt)
                      for name, value in written.items()}  # fmt: skip
        shadow = replace(shadow, overwrites={**shadow.overwrites, **overwrites})
    return with_version(replace(member, shadow=shadow, written={**member.written, **written}), receipt.version)


def _overwrite(before: Value, read_at: datetime, name: str, value: Value, receipt: Written) -> Overwrite:
    replaced = receipt.replaced.get(name, before) if name not in COMPARED_OTHERWISE else before
    is_lost = replaced not in (before, value, UNREADABLE)
    return Overwrite(before=before, read_at=read_at, is_lost=is_lost, lost=replaced if is_lost else None)


def with_version(member: Member, version: str) -> Member:
    """The member after a write that gave it another version; empty where the tracker did not tell."""
    if member.snapshot is None:
        return replace(member, shadow=replace(member.shadow, version=version))
    return replace(member, snapshot=replace(member.snapshot, version=version))


def shadow_of_created(state: LinkState, operation: CreateTicket, created: Created) -> Shadow:
    """What the hub knows of a ticket that it has just made: what it wrote there, and nothing else."""
    draft, form = operation.draft, state.issue_form
    held = {"title": draft.title, "description": fingerprint(form.hold_text(draft.description))}
    values = {**draft.values, **held}
    if "assignee" in values:
        person = state.member(operation.source).current("assignee")
        values["assignee"] = person
    return Shadow(
        values={name: comparable(name, v) if name != "description" else v for name, v in values.items()
                if name not in created.refused},
        labels=None if "labels" in created.refused else draft.labels | {draft.marker},
    )  # fmt: skip
