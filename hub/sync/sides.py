"""What each side of a link wants for a field: whose value, and why. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hub.connector import Unwritable
from hub.settings.model import FieldPolicy
from hub.sync.state import UNREADABLE, LinkState, Member
from hub.ticket import Priority, Status, TicketRef, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Both sides changed a field. `lost` is the value that does not count."""

    field: str
    won_by: TicketRef
    lost_by: TicketRef
    kept: Value
    lost: Value
    because: str


@dataclass(frozen=True, slots=True)
class Side:
    """What one side wants: whose value, in which form it can be written, or nothing when `member` is None.

    With `is_put_back` the value does not stand there any more: the hub wrote over it.
    """

    member: Member | None = None
    value: Value = None
    sources: tuple[TicketRef, ...] = ()
    is_put_back: bool = False


def tickets_side(
    state: LinkState,
    name: str,
    policy: FieldPolicy,
    tickets: Sequence[Member],
    issue: Member,
    conflicts: list[Conflict],
) -> Side:
    """What the tickets want of a field; of several that changed, by the policy. Those that lose go to `conflicts`."""
    changed = [
        m
        for m in tickets
        if m.has_changed(name) or (_is_first_meeting(name, m, issue) and _initial(state, name, policy, m, issue) == "t")
    ]
    if not changed:
        # Where several tickets decide together, none of them decides alone.
        return _put_back(name, tickets if policy.many not in ("highest", "least") or len(tickets) == 1 else ())
    if policy.many in ("highest", "least") and len(tickets) > 1:
        return _combined(name, policy, tickets, changed)
    newest = max(changed, key=lambda m: (updated_at(m), -tickets.index(m)))
    conflicts.extend(
        Conflict(
            field=name,
            won_by=newest.ref,
            lost_by=other.ref,
            kept=newest.current(name),
            lost=other.current(name),
            because="two tickets of the link changed; the later change counts",
        )
        for other in changed
        if other is not newest and other.current(name) != newest.current(name)
    )
    return Side(newest, newest.raw(name), tuple(m.ref for m in changed))


def _combined(name: str, policy: FieldPolicy, tickets: Sequence[Member], changed: Sequence[Member]) -> Side:
    known = [m for m in tickets if isinstance(m.current(name), Status | Priority) and m.current(name) != UNREADABLE]
    if not known:
        return Side()
    pick = max if policy.many == "highest" else min
    chosen = pick(known, key=lambda m: _rank(m.current(name)))
    before = [m.shadow.values[name] for m in known if m.knows(name)]
    ranked = [v for v in before if isinstance(v, Status | Priority)]
    is_joining = any(not m.knows(name) for m in changed)
    if ranked and not is_joining and pick(_rank(v) for v in ranked) == _rank(chosen.current(name)):
        return Side()
    return Side(chosen, chosen.raw(name), tuple(m.ref for m in changed))


def _rank(value: Value) -> int:
    order: list[Value] = list(Status) if isinstance(value, Status) else list(Priority)
    return order.index(value)


def issue_side(state: LinkState, name: str, policy: FieldPolicy, tickets: Sequence[Member], issue: Member) -> Side:
    """What the issue wants of a field."""
    if issue.has_changed(name):
        return Side(issue, issue.raw(name), (issue.ref,))
    met = [m for m in tickets if _is_first_meeting(name, m, issue)]
    if any(_initial(state, name, policy, m, issue) == "i" for m in met):
        return Side(issue, issue.raw(name), (issue.ref,))
    return _put_back(name, [issue])


def _put_back(name: str, members: Sequence[Member]) -> Side:
    """What a person wrote at one of these before the hub wrote over it."""
    for member in members:
        overwrite = member.overwritten(name)
        if overwrite is not None:
            return Side(member, overwrite.lost, (member.ref,), is_put_back=True)
    return Side()


def has_news(name: str, member: Member, issue: Member) -> bool:
    """Whether there is anything to merge for a field because of this member."""
    is_changed = member.has_changed(name) or member.overwritten(name) is not None
    return is_changed or (member is not issue and _is_first_meeting(name, member, issue))


def _is_first_meeting(name: str, ticket: Member, issue: Member) -> bool:
    """The hub has not compared this field of these two before, and can now."""
    is_first = not (ticket.knows(name) and issue.knows(name))
    return is_first and _is_visible(name, ticket) and _is_visible(name, issue)


def _is_visible(name: str, member: Member) -> bool:
    return (member.snapshot is not None or member.knows(name)) and member.current(name) is not UNREADABLE


def _initial(state: LinkState, name: str, policy: FieldPolicy, ticket: Member, issue: Member) -> str:
    """Who decides when two values meet for the first time: `t`icket, `i`ssue, or nobody (empty)."""
    try:
        if ticket.hold(name, issue.raw(name)) == ticket.current(name):
            return ""
        if issue.hold(name, ticket.raw(name)) == issue.current(name):
            return ""
    except Unwritable:
        return ""
    one, other = ticket.current(name), issue.current(name)
    if state.was_created and ticket is state.tickets[0]:
        if isinstance(one, Status) and isinstance(other, Status):
            # A new issue begins active. Where it is not, an engineer has acted since, and that counts.
            return "" if one.is_active and other.is_active else "t" if other.is_active else "i"
        return "i" if one is None else "t"
    if policy.initial == "keep":
        return ""
    if one is None or other is None:
        return "t" if other is None else "i"
    return "t" if policy.initial == "tickets" else "i"


def updated_at(member: Member) -> datetime:
    """When the ticket was last changed by its tracker's clock, the earliest time of all where that is not known."""
    ticket = member.ticket
    return ticket.updated if ticket and ticket.updated else datetime.min.replace(tzinfo=UTC)
