"""Changes of people that the hub wrote over because they were made between its reading and its writing. Pure.

Where a tracker has no optimistic lock nothing can prevent that. A webhook that comes later tells of the change: it
begins from the value that the hub had read, and was made after that reading. What then counts is for the merge to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hub.connector import Hint
from hub.sync.advance import GRAIN
from hub.sync.state import Member
from hub.ticket import Value

LONGEST_RUN = timedelta(minutes=5)
"""What may lie between the reading and the writing of one run; a change that is younger was not written over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LostChange:
    """A person's change: of which field, to which value, when (UTC) and by which account of the tracker."""

    field: str
    value: Value
    at: datetime
    actor_id: str | None


def with_lost_changes(
    member: Member, hints: Iterable[Hint], own_account: str | None
) -> tuple[Member, tuple[LostChange, ...]]:
    """The member with what the hub is now known to have written over, and what is new of that.

    `hints` are what deliveries tell of it. Several changes of one field count as the last of them.
    """
    told = sorted((h for h in hints if h.at is not None and h.changed and h.actor_id != own_account), key=_time)
    overwrites = dict(member.shadow.overwrites)
    found: dict[str, LostChange] = {}
    for name, overwrite in member.shadow.overwrites.items():
        stood = overwrite.lost if overwrite.is_lost else overwrite.before
        lost = None
        for hint in told:
            before, after = hint.changed.get(name, (None, None))
            is_of_then = overwrite.read_at - GRAIN <= _time(hint) <= overwrite.read_at + LONGEST_RUN
            if name in hint.changed and is_of_then and before == stood:
                stood = after
                lost = LostChange(field=name, value=after, at=_time(hint), actor_id=hint.actor_id)
        if lost is None or member.has_changed(name):
            continue
        if lost.value == member.shadow.values.get(name):
            overwrites[name] = replace(overwrite, is_lost=False, lost=None)
        else:
            overwrites[name] = replace(overwrite, is_lost=True, lost=lost.value)
            found[name] = lost
    if overwrites == member.shadow.overwrites:
        return member, ()
    return replace(member, shadow=replace(member.shadow, overwrites=overwrites)), tuple(found.values())


def _time(hint: Hint) -> datetime:
    assert hint.at is not None
    return hint.at
