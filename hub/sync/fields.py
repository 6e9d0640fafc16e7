"""Three-way merge of single-valued fields: shadow, this side, the other side, under the field's policy. Pure.

A field has changed on a member when its present value differs from the member's own shadow. Values travel only to
where the held form (neutral -> native -> neutral) of the wanted value differs from what stands there, so a lossy
mapping never answers itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hub.connector import Unwritable
from hub.settings.model import FIELD_DEFAULTS, FieldPolicy
from hub.sync.sides import Conflict, Side, has_news, issue_side, tickets_side, updated_at
from hub.sync.state import LinkState, Member
from hub.ticket import TicketRef, Value

FIGHT_TURNS = 8
"""How often a field may go back and forth between two sides within FIGHT_WINDOW before the hub stops."""
FIGHT_WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldWrite:
    """A value to be written. `held` is its comparable form at the target; `sources` are whose change it carries.

    `seen` is what the sources showed, in comparable form: what the hub knows of them once the write is done.
    """

    target: TicketRef
    field: str
    value: Value
    held: Value
    sources: tuple[TicketRef, ...]
    seen: Mapping[TicketRef, Value]
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A change that cannot travel: it stays a change, and waits in the failures list."""

    target: TicketRef
    field: str
    digest: str
    why: str
    sources: tuple[TicketRef, ...]


@dataclass(frozen=True, slots=True)
class FieldMerge:
    writes: tuple[FieldWrite, ...] = ()
    problems: tuple[Problem, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


def synced_fields(state: LinkState) -> list[str]:
    """The fields that this link merges: the usual ones, and the custom ones that all of its trackers have."""
    custom = dict.fromkeys(
        [name for name in state.settings.fields if name.startswith("custom:")]
        + [f"custom:{name}" for name in state.custom_fields]
    )
    fields = [name for name in (*FIELD_DEFAULTS, *custom) if state.settings.policy(name).direction != "none"]
    # What a template made of a description is the engineers' text from then on.
    return [name for name in fields if name != "description" or not state.settings.template]


_NOTHING = FieldMerge()


def merge_fields(state: LinkState, now: datetime) -> FieldMerge:
    """What has to be written where, for all fields of the link."""
    issue = state.issue
    tickets = [m for m in state.tickets if m.is_usable]
    if issue is None or issue.is_gone or not tickets:
        return FieldMerge()
    merged = [_merge_field(state, name, tickets, issue, now) for name in synced_fields(state)]
    return FieldMerge(
        tuple(w for m in merged for w in m.writes),
        tuple(p for m in merged for p in m.problems),
        tuple(c for m in merged for c in m.conflicts),
    )


def next_turns(
    turns: Mapping[str, Mapping[str, object]], done: Iterable[FieldWrite], now: datetime
) -> dict[str, dict[str, object]]:
    """`LinkState.turns` after these writes: a write to another side than the last time is a turn."""
    after = {name: dict(turn) for name, turn in turns.items()}
    for write in done:
        last = after.get(write.field)
        side = str(write.target)
        if last is None or now - datetime.fromisoformat(str(last["at"])) > FIGHT_WINDOW:
            after[write.field] = {"side": side, "count": 1, "at": now.astimezone(UTC).isoformat()}
        elif last["side"] != side:
            after[write.field] = {
                "side": side,
                "count": int(str(last["count"])) + 1,
                "at": now.astimezone(UTC).isoformat(),
            }
    return after


def _merge_field(state: LinkState, name: str, tickets: Sequence[Member], issue: Member, now: datetime) -> FieldMerge:
    policy = state.settings.policy(name)
    taking_part = tickets[:1] if policy.many == "first" else tickets
    if not has_news(name, issue, issue) and not any(has_news(name, m, issue) for m in taking_part):
        return _NOTHING
    conflicts: list[Conflict] = []
    from_tickets = tickets_side(state, name, policy, taking_part, issue, conflicts)
    from_issue = issue_side(state, name, policy, taking_part, issue)
    if policy.direction == "to_tickets":
        from_tickets = Side()
    if policy.direction == "to_issue":
        from_issue = Side()

    problems: list[Problem] = []
    if bool(from_tickets.member) != bool(from_issue.member) and (from_tickets.is_put_back or from_issue.is_put_back):
        # Against it stands what the hub wrote, which came from the other side.
        refused = _refused_put_back(name, policy, from_tickets, from_issue, taking_part, issue)
        if refused is not None:
            return FieldMerge(conflicts=(*conflicts, refused))
    if from_tickets.member and from_issue.member:
        if not (from_tickets.is_put_back or from_issue.is_put_back) and _agree(name, from_tickets, issue, taking_part):
            return FieldMerge(conflicts=tuple(conflicts))
        if _trouble(state, name, issue, from_tickets, now) is not None:
            from_tickets = Side()
        else:
            conflict = _decide(name, policy, from_tickets, from_issue)
            conflicts.append(conflict)
            if conflict.won_by == from_issue.member.ref:
                from_tickets = Side()
            else:
                from_issue = Side()

    writes: list[FieldWrite] = []
    if from_tickets.member:
        targets = [issue, *([from_tickets.member] if from_tickets.is_put_back else [])]
        if policy.many == "any":
            targets += [m for m in taking_part if m.ref not in from_tickets.sources]
        _spread(state, name, from_tickets, targets, now, writes, problems)
    elif from_issue.member:
        targets = [*taking_part, *([issue] if from_issue.is_put_back else [])]
        _spread(state, name, from_issue, targets, now, writes, problems)
    return FieldMerge(tuple(writes), tuple(problems), tuple(conflicts))


def _refused_put_back(
    name: str,
    policy: FieldPolicy,
    from_tickets: Side,
    from_issue: Side,
    tickets: Sequence[Member],
    issue: Member,
) -> Conflict | None:
    """Why what the hub wrote over does not count; None where it does, as the later change or by the settings."""
    side = "tickets" if from_tickets.member else "issue"
    member, value = (from_tickets.member, from_tickets.value) if from_tickets.member else (issue, from_issue.value)
    assert member is not None
    if policy.conflict in ("newest", side):
        return None
    return Conflict(
        field=name,
        won_by=issue.ref if from_tickets.member else tickets[0].ref,
        lost_by=member.ref,
        kept=member.current(name),
        lost=value,
        because="it was changed while the hub wrote it; the settings say that the value of the "
        f"{policy.conflict} counts",
    )


def _agree(name: str, from_tickets: Side, issue: Member, tickets: Sequence[Member]) -> bool:
    try:
        if issue.hold(name, from_tickets.value) == issue.current(name):
            return True
        return all(m.hold(name, issue.raw(name)) == m.current(name) for m in tickets)
    except Unwritable:
        return False


def _decide(name: str, policy: FieldPolicy, from_tickets: Side, from_issue: Side) -> Conflict:
    ticket, issue = from_tickets.member, from_issue.member
    assert ticket is not None
    assert issue is not None
    if policy.conflict == "newest":
        tickets_win = updated_at(ticket) > updated_at(issue)
        because = "both sides changed; the later change counts"
    else:
        tickets_win = policy.conflict == "tickets"
        because = f"both sides changed; the settings say that the value of the {policy.conflict} counts"
    winner, loser = (ticket, issue) if tickets_win else (issue, ticket)
    return Conflict(
        field=name,
        won_by=winner.ref,
        lost_by=loser.ref,
        kept=(from_tickets if tickets_win else from_issue).value,
        lost=(from_issue if tickets_win else from_tickets).value,
        because=because,
    )


def _spread(
    state: LinkState,
    name: str,
    side: Side,
    targets: Sequence[Member],
    now: datetime,
    writes: list[FieldWrite],
    problems: list[Problem],
) -> None:
    assert side.member is not None
    for target in targets:
        why = _trouble(state, name, target, side, now)
        if why is not None:
            problems.append(
                Problem(target=target.ref, field=name, digest=digest_of(side.value), why=why, sources=side.sources)
            )
            continue
        held = target.hold(name, side.value)
        if held != target.current(name):
            writes.append(
                FieldWrite(
                    target=target.ref,
                    field=name,
                    value=side.value,
                    held=held,
                    sources=side.sources,
                    seen={ref: state.member(ref).current(name) for ref in side.sources},
                    because=f"{name} changed in {', '.join(str(s) for s in side.sources)}"
                    + (" while the hub wrote it" if side.is_put_back else ""),
                )
            )


def _trouble(state: LinkState, name: str, target: Member, side: Side, now: datetime) -> str | None:
    """Why this value cannot be written there now; None when it can."""
    try:
        held = target.hold(name, side.value)
    except Unwritable as error:
        return str(error)
    if held == target.current(name):
        return None
    if state.blocked.get((target.ref, name)) == digest_of(side.value):
        return "it was refused before; it is tried again when the value changes or somebody asks for it"
    turn = state.turns.get(name)
    if (
        turn is not None
        and turn["side"] != str(target.ref)
        and int(str(turn["count"])) >= FIGHT_TURNS
        and now - datetime.fromisoformat(str(turn["at"])) <= FIGHT_WINDOW
    ):
        return (
            f"{name} went back and forth {turn['count']} times within an hour; the hub stopped writing it. Look for "
            "an automation in one of the trackers that changes it back"
        )
    return None


def digest_of(value: Value) -> str:
    """A short form of a value by which a refused attempt is recognised."""
    return repr(value)[:80]
