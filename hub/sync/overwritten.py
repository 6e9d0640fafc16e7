"""Changes of people that the hub wrote over because they were made between its reading and its writing. Pure.

Where a tracker has no optimistic lock nothing can prevent that. The ticket's history or a webhook that comes later
tells of the change: it begins from the value that the hub had read, and was made after that reading. What then counts
is for the merge to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from hub.connector import Hint
from hub.sync.advance import GRAIN
from hub.sync.state import COMPARED_OTHERWISE, UNREADABLE, MappedEnum, Member, Overwrite
from hub.ticket import FieldChange, Value

LONGEST_RUN = timedelta(minutes=5)
"""What may lie between the reading and the writing of one run; a change that is younger was not written over."""


def told_changes(hints: Iterable[Hint]) -> list[FieldChange]:
    """The changes that hints tell, as far as they say when they were made."""
    return [
        FieldChange(field=name, before=before, after=after, at=hint.at, actor_id=hint.actor_id)
        for hint in hints
        for name, (before, after) in hint.changed.items()
        if hint.at is not None and name not in COMPARED_OTHERWISE
    ]


def with_lost_changes(
    member: Member, changes: Iterable[FieldChange], own_account: str | None
) -> tuple[Member, list[FieldChange]]:
    """The member with what the hub is now known to have written over, and what is new of that.

    Several changes of one field count as the last of them. Where the snapshot brings the history along, what it does
    not tell of was not written over, and need not be looked for again.
    """
    by_others = sorted((c for c in changes if c.actor_id != own_account and _is_change(c)), key=lambda c: c.at)
    is_whole = member.snapshot is not None and member.snapshot.changes is not None
    overwrites: dict[str, Overwrite] = {}
    found: list[FieldChange] = []
    for name, overwrite in member.shadow.overwrites.items():
        wrote = member.shadow.values.get(name)
        told = [c for c in by_others if c.field == name] if member.is_as_known(name) else []
        lost = _last_lost(overwrite, wrote, told)
        if lost is None:
            if overwrite.is_lost or not is_whole:
                overwrites[name] = overwrite
        elif lost.after in (overwrite.before, wrote):
            overwrites[name] = replace(overwrite, is_lost=False, lost=None)
        else:
            overwrites[name] = replace(overwrite, is_lost=True, lost=lost.after)
            found.append(lost)
    return replace(member, shadow=replace(member.shadow, overwrites=overwrites)), found


def _is_change(change: FieldChange) -> bool:
    """Two words of a tracker may mean the same here, or nothing; then going from one to the other says nothing."""
    has_meaning = not any(isinstance(v, MappedEnum) and v == UNREADABLE for v in (change.before, change.after))
    return has_meaning and change.before != change.after


def _last_lost(overwrite: Overwrite, wrote: Value, changes: Sequence[FieldChange]) -> FieldChange | None:
    """The end of the chain of changes that began from what the hub had read; one that begins from what it wrote came
    after the writing."""
    stood = overwrite.lost if overwrite.is_lost else overwrite.before
    last = None
    for change in changes:
        if change.before == wrote:
            break
        is_of_then = overwrite.read_at - GRAIN <= change.at <= overwrite.read_at + LONGEST_RUN
        if is_of_then and change.before == stood:
            last, stood = change, change.after
    return last
