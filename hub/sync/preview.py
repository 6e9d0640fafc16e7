"""What a run would do, for people who ask before it happens: trackers are read, nothing is written.

It must not record anything, nor know how a run does what is decided.
"""

from __future__ import annotations

from datetime import datetime

from hub.connector import Known
from hub.journal import cases, copies, events, links
from hub.journal.links import LinkRow, MemberRow
from hub.rules.ruling import Ruling
from hub.sync.care import look_back, preview
from hub.sync.context import Context
from hub.sync.escalating import escalating_policies, wanting_policy
from hub.sync.loading import assemble, load_alone, load_linked
from hub.sync.plan import Decision, decide
from hub.sync.reading import Request, read_member, take_snapshot
from hub.sync.state import LinkState
from hub.ticket import TicketRef


def plan_link(context: Context, link_id: int) -> tuple[LinkState, Decision]:
    """What a run would write now, without writing. Raises ConnectorError, LookupError."""
    loaded = load_linked(context, link_id)
    if loaded is None:
        raise LookupError(f"there is no link {link_id}, or its settings are gone")
    progress = loaded.progress
    for member in progress.state.members:
        read_member(progress, member.ref, Request(True))
    return progress.state, decide(progress.state, context.now())


def plan_ticket(context: Context, ref: TicketRef) -> tuple[str, LinkState | None, Decision | None]:
    """What would be done about a ticket in no link, and why: the ticket for `plan_rules`, and what a link would write.

    Both are None where nothing wants the ticket. Raises ConnectorError, LookupError.
    """
    if ref.tracker not in context.connectors:
        raise LookupError(f"there is no tracker {ref.tracker!r}; there are {', '.join(sorted(context.connectors))}")
    policies = escalating_policies(context, ref)
    is_looked_after = context.looks_after(ref.tracker)
    no_rule = f"no rule links tickets of {ref.tracker}"
    if not policies and not is_looked_after:
        return no_rule, None, None
    snapshot = context.connectors[ref.tracker].read(ref.id, Known())
    now, ticket = context.now(), snapshot.ticket
    ref = TicketRef(ref.tracker, ticket.id)
    alone = load_alone(context, ref, snapshot, (), ()).progress if is_looked_after else None
    if alone is not None:
        take_snapshot(alone, ref, snapshot)
    policy, because = wanting_policy(policies, snapshot) if policies else (None, no_rule)
    if policy is None:
        return because, alone.state if alone else None, None
    row = LinkRow(id=0, policy=policy.title, origin="created", created=now, turns={})
    member = MemberRow(
        link_id=0, ref=ref, key=ticket.key, url=ticket.url, role="ticket", joined=now, shadow={}
    )  # fmt: skip
    with context.journal.read() as connection:
        if events.was_unlinked(connection, ref):
            why = f"{because}, but somebody unlinked it; hub link {ref} <the issue> links it again"
            return why, alone.state if alone else None, None
        loaded = assemble(context, row, [member], known_copies=copies.copies_of(connection, [ref]))
    take_snapshot(loaded.progress, ref, snapshot)
    return f"{policy.title}: {because}", loaded.progress.state, decide(loaded.progress.state, now)


def plan_rules(context: Context, state: LinkState) -> list[tuple[TicketRef, Ruling]]:
    """What the rules would do about the tickets of a link, or the one in none, that `plan_…` has read."""
    if context.book is None:
        return []
    looked_after = [m for m in state.tickets if m.snapshot and m.is_usable and context.looks_after(m.ref.tracker)]
    return [(m.ref, preview(context, state, m.ref, context.now())) for m in looked_after]


def rule_on_ticket(context: Context, ref: TicketRef, at: datetime | None) -> Ruling:
    """What the rules would say about a ticket, in a link or not, now or at a time (UTC). Nothing is written.

    A time to come is looked at as if nothing happened until then; of one that is over, only what the record knows
    counts, and no tracker is asked. Raises ConnectorError, LookupError, ValueError.
    """
    if ref.tracker not in context.connectors or not context.looks_after(ref.tracker):
        looked_after = ", ".join(sorted(n for n in context.connectors if context.looks_after(n))) or "none"
        raise LookupError(f"the rules are for tickets of helpdesks ({looked_after}), not of {ref.tracker!r}")
    with context.journal.read() as connection:
        ref = cases.find_case(connection, ref.tracker, ref.id) or ref
        link_id = links.link_of(connection, ref)
        row = cases.case_of(connection, ref)
    if at is not None and at < context.now():
        if row is None:
            raise LookupError(f"the rules have never looked at {ref}, so nothing is known of its past")
        return look_back(context, row, at)
    if link_id is not None and (loaded := load_linked(context, link_id)) is not None:
        for member in loaded.progress.state.members:
            read_member(loaded.progress, member.ref, Request(True))
    else:
        snapshot = context.connectors[ref.tracker].read(ref.id, Known())
        ref = TicketRef(ref.tracker, snapshot.ticket.id)
        loaded = load_alone(context, ref, snapshot, (), ())
        take_snapshot(loaded.progress, ref, snapshot)
    return preview(context, loaded.progress.state, ref, at or context.now())
