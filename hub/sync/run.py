"""One run of one key: what is waiting for it is read, merged, planned, applied and recorded.

A ticket in no link runs under its own key (`support:35436`), a link under its own (`link:7`). The caller sees to it
that a key runs in one place at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog
from sqlalchemy.engine import Connection

from hub.connector import AuthError, ConnectorError, Known, NotFoundError, PermanentError, RateLimitedError
from hub.journal import cases, copies, deliveries, events, failures, intents, links
from hub.journal.cases import CaseRow, Order
from hub.journal.copies import Copy
from hub.journal.deliveries import Delivery, Wake
from hub.journal.failures import Failure
from hub.journal.intents import Intent
from hub.journal.links import LinkRow, MemberRow
from hub.rules.conditions import evaluate, facts_of
from hub.rules.ruling import Ruling
from hub.settings.model import LinkSettings
from hub.sync.adopt import adopt_book
from hub.sync.advance import advance
from hub.sync.alarms import tell_failures
from hub.sync.apply import apply_operations
from hub.sync.care import (
    earliest_due,
    look_after,
    look_back,
    preview,
    restore_looks,
)
from hub.sync.codec import dump_shadow, dump_value, load_hint, load_shadow
from hub.sync.context import Context
from hub.sync.failing import ALARM, note_failure
from hub.sync.fields import next_turns
from hub.sync.fulfil import has_orders, issue_wanted, lose_sight
from hub.sync.incidents import keep_incident
from hub.sync.keys import AlertGroup, alerts_of, link_key, ticket_of
from hub.sync.merging import take_place
from hub.sync.operations import Operation
from hub.sync.plan import Decision, decide
from hub.sync.progress import Progress, backoff, failure_name
from hub.sync.reading import Request, read_member, requests_of, take_snapshot
from hub.sync.recover import TooEarlyError, adopt_own_writes, recover
from hub.sync.similar import hold_for_similar, join_by_label, policies_for, policy_for
from hub.sync.state import LinkState, Member
from hub.ticket import Snapshot, TicketRef

log = structlog.get_logger("hub.sync")

NO_LINK = 0
"""The id that stands for no link, where a ticket is worked on alone."""
MAX_ROUNDS = 8
"""How often one run plans again: after a create, a refusal, a conflict. More is a mistake of the hub."""
POLLED_AS_DELETED = deliveries.POLLED_AS_DELETED
"""The reason of a wake when a poll says that the ticket is gone."""
ALARM_AFTER = 3
"""Attempts after which a link that cannot be worked on stands in the failures list."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended. `due` is when it wants to run again, None when nothing is left of it.

    With a `due` and not `postponed` everything is done but what a notifier, an action or another key is to do.
    """

    outcome: Literal["idle", "written", "postponed"]
    due: datetime | None = None
    why: str = ""


def run_key(context: Context, key: str) -> Result:
    """Runs a key to its end, whatever happens: what cannot be done now is put off, with its cause on record."""
    alerts, ref = alerts_of(key), ticket_of(key)
    if alerts is not None:
        return _run_alerts(context, key, alerts)
    if ref == ALARM:
        return _run_alarm(context, key)
    if ref is None:
        return _run_link(context, int(key.removeprefix("link:")))
    return _run_ticket(context, ref)


def plan_link(context: Context, link_id: int) -> tuple[LinkState, Decision]:
    """What a run would write now, without writing. Raises ConnectorError, LookupError."""
    loaded = _load(context, link_id)
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
    policies = _escalating(context, ref)
    is_looked_after = context.looks_after(ref.tracker)
    if not policies and not is_looked_after:
        return f"no rule links tickets of {ref.tracker}", None, None
    snapshot = context.connectors[ref.tracker].read(ref.id, Known())
    now, ticket = context.now(), snapshot.ticket
    ref = TicketRef(ref.tracker, ticket.id)
    alone = _alone(context, ref, snapshot, (), ()).progress if is_looked_after else None
    if alone is not None:
        take_snapshot(alone, ref, snapshot)
    policy, because = _wanting(policies, snapshot) if policies else (None, f"no rule links tickets of {ref.tracker}")
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
        loaded = _assemble(context, row, [member], known_copies=copies.copies_of(connection, [ref]))
    take_snapshot(loaded.progress, ref, snapshot)
    return f"{policy.title}: {because}", loaded.progress.state, decide(loaded.progress.state, now)


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
    if link_id is not None and (loaded := _load(context, link_id)) is not None:
        for member in loaded.progress.state.members:
            read_member(loaded.progress, member.ref, Request(True))
    else:
        snapshot = context.connectors[ref.tracker].read(ref.id, Known())
        ref = TicketRef(ref.tracker, snapshot.ticket.id)
        loaded = _alone(context, ref, snapshot, (), ())
        take_snapshot(loaded.progress, ref, snapshot)
    return preview(context, loaded.progress.state, ref, at or context.now())


def plan_rules(context: Context, state: LinkState) -> list[tuple[TicketRef, Ruling]]:
    """What the rules would do about the tickets of a link, or the one in none, that `plan_…` has read."""
    if context.book is None:
        return []
    looked_after = [m for m in state.tickets if m.snapshot and m.is_usable and context.looks_after(m.ref.tracker)]
    return [(m.ref, preview(context, state, m.ref, context.now())) for m in looked_after]


def wake_unfinished(context: Context) -> None:
    """Wakes what an earlier process left in the middle of a write, whether or not anything else is known.

    A rule book that is another than the last time is taken up first.
    """
    adopt_book(context)
    with context.journal.write() as connection:
        unfinished = [link_key(link_id) for link_id in intents.links_with_open_intents(connection) if link_id]
        unfinished += [str(ref) for ref in cases.tickets_with_open_orders(connection)]
        for key in unfinished:
            deliveries.wake(connection, key, context.now(), "unfinished work")


def run_broke_off(context: Context, key: str) -> None:
    """Puts off what a run left behind that ended by a mistake of the hub, and says so in the failures list."""
    now = context.now()
    why = "the hub made a mistake while it worked on this; the log has the details"
    with context.journal.write() as connection:
        ref = ticket_of(key)
        if alerts_of(key) is not None:
            keys, ref = [key], TicketRef("hub", key)
        elif ref is None:
            found = links.load_link(connection, int(key.removeprefix("link:")))
            members = found[1] if found else []
            keys = [key, *(str(m.ref) for m in members)]
            ref = members[0].ref if members else TicketRef("hub", key)
        else:
            keys = [key]
        taken = deliveries.wakes_of(connection, keys, now)
        attempts = max((w.attempts for w in taken), default=0)
        due = now + backoff(attempts, context.settings.engine.retry_first, context.settings.engine.retry_most)
        deliveries.postpone_wakes(connection, taken, due, why)
        note_failure(
            connection,
            context,
            key=key,
            ref=ref,
            what="run",
            digest="",
            why=why,
            remedy="It is tried again by itself. Report it with the log's lines about this key.",
            now=now,
        )


# -- alerts and alarms --------------------------------------------------------------------------------------------


def _run_alerts(context: Context, key: str, group: AlertGroup) -> Result:
    def work() -> tuple[Result, datetime | None]:
        kept = keep_incident(context, group)
        # What was ordered waits for the ticket's own key: it is due now.
        due = context.now() if kept.has_written else None
        return Result("written" if kept.has_written else "idle", due, kept.why), kept.look_at

    return _run_own(context, key, work)


def _run_alarm(context: Context, key: str) -> Result:
    return _run_own(context, key, lambda: (Result("idle", why="new failures were told"), tell_failures(context)))


def _run_own(context: Context, key: str, work: Callable[[], tuple[Result, datetime | None]]) -> Result:
    """Work that belongs to no ticket: done, or put off and put on the list. It says when it wants to be done again."""
    with context.journal.read() as connection:
        taken = deliveries.wakes_of(connection, [key], context.now())
    try:
        result, look_at = work()
    except TooEarlyError as error:
        with context.journal.write() as connection:
            deliveries.postpone_wakes(connection, taken, error.until, str(error))
        return Result("postponed", error.until, str(error))
    except ConnectorError as error:
        return _postpone(context, key, taken, error, TicketRef(error.tracker, ""))
    with context.journal.write() as connection:
        deliveries.settle_wakes(connection, taken)
        if look_at is not None:
            deliveries.wake(connection, key, look_at, "more to tell")
        for failure in failures.failures_of(connection, key):
            failures.resolve_failure(connection, key, failure.what)
    return result


# -- a ticket in no link ------------------------------------------------------------------------------------------


def _run_ticket(context: Context, ref: TicketRef, *, is_linked: bool = False) -> Result:
    """A ticket on its own; `is_linked` where its link is one that the settings do not have any more."""
    now = context.now()
    with context.journal.read() as connection:
        taken = deliveries.wakes_of(connection, [str(ref)], now)
        waiting = deliveries.waiting_deliveries(connection, [ref])
    if not taken and not waiting:
        return Result("idle", why="what woke it was answered by another run")
    policies = [] if is_linked else _escalating(context, ref)
    is_looked_after = context.looks_after(ref.tracker) or has_orders(context, ref)
    if not policies and not is_looked_after:
        return _leave_alone(context, ref, taken, waiting, f"no rule links tickets of {ref.tracker}")
    if is_looked_after and _is_own_echo(context, ref, taken, waiting):
        return _leave_alone(context, ref, taken, waiting, "the hub's own write", status="echo")
    shown = None if is_looked_after else _not_wanted_by_what_is_shown(policies, taken, waiting)
    if shown is not None:
        return _leave_alone(context, ref, taken, waiting, shown)
    try:
        snapshot = context.connectors[ref.tracker].read(ref.id, _known(context, ref, taken, waiting))
    except NotFoundError as error:
        lose_sight(context, ref, is_gone=True)
        return _leave_alone(context, ref, taken, waiting, f"not found: {error.why}")
    except ConnectorError as error:
        return _postpone(context, str(ref), taken, error, ref)
    if is_looked_after:
        return _look_after_ticket(context, ref, snapshot, policies, taken, waiting, is_linked=is_linked)
    policy, because = _wanting(policies, snapshot)
    if policy is None:
        return _leave_alone(context, ref, taken, waiting, because)
    return _escalate(context, policy, ref, snapshot, because, taken, waiting)


def _known(context: Context, ref: TicketRef, taken: Sequence[Wake], waiting: Sequence[Delivery]) -> Known:
    """What the rules know of a ticket in no link: comments are not read where nothing can have touched them."""
    with context.journal.read() as connection:
        case = cases.case_of(connection, ref) if context.looks_after(ref.tracker) else None
    count = case.data.get("comments") if case else None
    hints = [load_hint(h) for d in waiting for h in d.hints]
    is_told = bool(hints) and all(w.reason == deliveries.WEBHOOK for w in taken)
    is_due = case is None or (case.next_at is not None and case.next_at <= context.now())
    must_read = is_due or not is_told or any(h.touches_comments for h in hints)
    return Known(comment_count=count, must_read_comments=must_read or count is None)


def _is_own_echo(context: Context, ref: TicketRef, taken: Sequence[Wake], waiting: Sequence[Delivery]) -> bool:
    """Whether deliveries show nothing but what rules wrote to a ticket in no link, and nothing else is to be done."""
    if not waiting or any(w.reason != deliveries.WEBHOOK for w in taken):
        return False
    with context.journal.read() as connection:
        case = cases.case_of(connection, ref)
        ordered = cases.open_orders(connection, [ref])
        unfinished = any(i.target == ref for i in intents.open_intents(connection, NO_LINK))
        known_copies = copies.copies_of(connection, [ref])
    if case is None or ordered or unfinished or (case.next_at is not None and case.next_at <= context.now()):
        return False
    row = MemberRow(
        link_id=NO_LINK, ref=ref, key=case.key, url=case.url, role="ticket", joined=case.opened, shadow={}
    )  # fmt: skip
    own = {ref.tracker: context.own_account(ref.tracker)}
    wanted, _ = requests_of([_member(context, row)], waiting, known_copies, own, {ref: case})
    return not wanted


def _look_after_ticket(
    context: Context,
    ref: TicketRef,
    snapshot: Snapshot,
    policies: Sequence[LinkSettings],
    taken: list[Wake],
    waiting: list[Delivery],
    *,
    is_linked: bool,
) -> Result:
    """The rules on a ticket in no link; it may be escalated by one, or by the condition of a link."""
    loaded = _alone(context, ref, snapshot, taken, waiting)
    progress = loaded.progress
    try:
        recover(progress, loaded.intents)
        take_snapshot(progress, ref, snapshot)
        look_after(progress)
        may_join = not is_linked and context.looks_after(ref.tracker)
        if may_join and join_by_label(progress, ref, policies_for(context, ref)):
            return _finish(loaded, (), Result("written", why="an agent's label joined it to an issue"))
        order = None if is_linked else issue_wanted(progress, ref)
        policy, because = _wanting(policies, snapshot)
        if order is not None and not progress.down:
            policy, because = policy_for(context, ref, str(order.data["link"])), order.because
            if policy is None:
                because = f"the settings have no link {order.data['link']!r} for tickets of {ref.tracker}"
                progress.order_dropped(order.id, because)
            elif hold_for_similar(progress, ref, policy, order):
                policy = None
    except TooEarlyError as error:
        return _finish(loaded, (), Result("postponed", error.until, str(error)))
    except ConnectorError as error:
        return _finish_failed(loaded, (), error)
    if progress.down:
        return _finish_failed(loaded, (), next(iter(progress.down.values())))
    now_shown = progress.state.member(ref).snapshot
    if policy is None or now_shown is None or now_shown.is_deleted:
        return _finish(loaded, (), Result("written" if progress.writes else "idle", why=because))
    # Another run of its own begins: this one leaves nothing without a receipt.
    with context.journal.write() as connection:
        progress.flush_all_into(connection)
    return _escalate(context, policy, ref, now_shown, because, taken, waiting, order)


def _alone(
    context: Context, ref: TicketRef, snapshot: Snapshot, taken: Sequence[Wake], waiting: Sequence[Delivery]
) -> _Loaded:
    """A ticket in no link, as a link of one: what is written to it goes the same way."""
    now, ticket = context.now(), snapshot.ticket
    row = LinkRow(id=NO_LINK, policy="", origin="joined", created=now, turns={})
    member = MemberRow(
        link_id=NO_LINK, ref=ref, key=ticket.key, url=ticket.url, role="ticket", joined=now, shadow={}
    )  # fmt: skip
    with context.journal.read() as connection:
        return _assemble(
            context,
            row,
            [member],
            known_copies=copies.copies_of(connection, [ref]),
            taken=taken,
            waiting=waiting,
            unfinished=[i for i in intents.open_intents(connection, NO_LINK) if i.target == ref],
            known_failures=failures.failures_of(connection, str(ref)),
            policy=LinkSettings(tickets=[ref.tracker], issues=ref.tracker),
        )


def _escalating(context: Context, ref: TicketRef) -> list[LinkSettings]:
    """The link settings that may take a ticket of this tracker in by a rule."""
    return [p for p in context.settings.links if ref.tracker in p.tickets and p.when is not None]


def _wanting(policies: Sequence[LinkSettings], snapshot: Snapshot) -> tuple[LinkSettings | None, str]:
    """The first whose rule holds, and why; None and all reasons where none does."""
    if snapshot.is_deleted:
        return None, "not escalated: it is deleted"
    reasons = []
    for policy in policies:
        assert policy.when is not None
        answer = evaluate(policy.when, facts_of(snapshot.ticket))
        if answer.holds:
            return policy, answer.because
        reasons.append(f"{policy.title}: {answer.because}")
    return None, "not escalated: " + "; ".join(reasons)


def _not_wanted_by_what_is_shown(
    policies: Sequence[LinkSettings], taken: Sequence[Wake], waiting: Sequence[Delivery]
) -> str | None:
    """Why no rule wants the ticket, when the newest payload shows enough to say so without a call.

    A payload may be late; but whatever changed after it has a delivery, or a poll, of its own.
    """
    if any(w.reason != "webhook" for w in taken) or not waiting:
        return None
    hints = [load_hint(h) for d in waiting for h in d.hints]
    reasons = []
    for hint in hints:
        for policy in policies:
            assert policy.when is not None
            answer = evaluate(policy.when, hint.values)
            if answer.holds is not False:
                return None
            reasons.append(f"{policy.title}: {answer.because}")
    return ("not escalated: " + "; ".join(dict.fromkeys(reasons))) if hints else None


def _leave_alone(
    context: Context,
    ref: TicketRef,
    taken: Sequence[Wake],
    waiting: Sequence[Delivery],
    why: str,
    *,
    status: Literal["done", "echo"] = "done",
) -> Result:
    with context.journal.write() as connection:
        deliveries.settle_deliveries(connection, [d.id for d in waiting], status, why)
        deliveries.settle_wakes(connection, taken)
        restore_looks(connection, context, [ref])
        for failure in failures.failures_of(connection, str(ref)):
            failures.resolve_failure(connection, failure.key, failure.what)
        if not waiting:
            events.record(connection, [events.Event(at=context.now(), kind="looked", ref=ref, data={"why": why})])
    return Result("idle", why=why)


def _escalate(
    context: Context,
    policy: LinkSettings,
    ref: TicketRef,
    snapshot: Snapshot,
    because: str,
    taken: list[Wake],
    waiting: list[Delivery],
    order: Order | None = None,
) -> Result:
    now = context.now()
    held = ""
    left = ExitStack()
    try:
        with ExitStack() as opening:
            connection = opening.enter_context(context.journal.write())
            if links.link_of(connection, ref) is not None:
                # Somebody linked it by hand meanwhile: its wake stays, and runs under the link's key.
                return Result("idle", why="it joined a link meanwhile")
            was_unlinked = events.was_unlinked(connection, ref)
            if order is not None:
                outcome = "somebody unlinked it" if was_unlinked else f"escalated by {policy.title}"
                cases.finish_order(connection, order.id, "dropped" if was_unlinked else "done", outcome)
            if not was_unlinked:
                loaded = _create_link(connection, context, policy, ref, snapshot, because, now)
                # From the moment that the link can be seen its key is held here, until this run is over.
                held = loaded.progress.key
                context.holds.take(held)
                if taken:
                    loaded.taken = taken
                else:
                    # Nothing else would bring this run back after a crash.
                    deliveries.wake(connection, held, now, "escalated")
                    loaded.taken = deliveries.wakes_of(connection, [held], now)
                loaded.waiting = waiting
                # Not durable yet: it becomes so together with the first intents.
                left = opening.pop_all()
                loaded.progress.open_with(connection, left)
        if was_unlinked:
            why = f"{policy.title}: {because}, but somebody unlinked it; hub link {ref} <the issue> links it again"
            return _leave_alone(context, ref, taken, waiting, why)
        log.info("escalated", link=loaded.progress.state.id, ticket=str(ref), rule=policy.title)
        return _run_loaded(loaded, {ref: snapshot})
    finally:
        left.close()
        context.holds.give_back(held)


def _create_link(
    connection: Connection,
    context: Context,
    policy: LinkSettings,
    ref: TicketRef,
    snapshot: Snapshot,
    because: str,
    now: datetime,
) -> _Loaded:
    link_id = links.create_link(connection, policy.title, "created", now)
    key, url = snapshot.ticket.key, snapshot.ticket.url
    links.add_member(connection, link_id, ref, key=key, url=url, role="ticket", now=now)
    data = {"rule": policy.title, "why": because}
    events.record(connection, [events.Event(at=now, kind="escalated", ref=ref, link_id=link_id, data=data)])
    row = LinkRow(id=link_id, policy=policy.title, origin="created", created=now, turns={})
    member = MemberRow(link_id=link_id, ref=ref, key=key, url=url, role="ticket", joined=now, shadow={})
    # Copies outlive an unlinking; everything else of a link that was made just now is known.
    return _assemble(
        context,
        row,
        [member],
        known_copies=copies.copies_of(connection, [ref]),
        known_failures=failures.failures_of(connection, str(ref)),
    )


# -- a link -------------------------------------------------------------------------------------------------------


@dataclass
class _Loaded:
    progress: Progress
    taken: list[Wake]
    waiting: list[Delivery]
    intents: list[Intent]
    row: LinkRow
    failures: list[Failure]
    shadows: dict[TicketRef, tuple[Mapping[str, Any], str]]


def _load(context: Context, link_id: int) -> _Loaded | None:
    with context.journal.read() as connection:
        found = links.load_link(connection, link_id)
        if found is None:
            return None
        row, members = found
        refs = [m.ref for m in members]
        keys = [link_key(link_id), *map(str, refs)]
        return _assemble(
            context,
            row,
            members,
            taken=deliveries.wakes_of(connection, keys, context.now()),
            waiting=deliveries.waiting_deliveries(connection, refs),
            known_copies=copies.copies_of(connection, refs) if refs else [],
            unfinished=intents.open_intents(connection, link_id),
            # Also those of the time before a ticket was linked.
            known_failures=[
                f
                for key in dict.fromkeys([link_key(link_id), *map(str, refs)])
                for f in failures.failures_of(connection, key)
            ],
        )


def _assemble(
    context: Context,
    row: LinkRow,
    members: Sequence[MemberRow],
    *,
    known_copies: Sequence[Copy],
    taken: Sequence[Wake] = (),
    waiting: Sequence[Delivery] = (),
    unfinished: Sequence[Intent] = (),
    known_failures: Sequence[Failure] = (),
    policy: LinkSettings | None = None,
) -> _Loaded:
    policy = policy or context.policy(row.policy)
    if policy is None or any(m.ref.tracker not in context.connectors for m in members):
        policy = None
    state = LinkState(
        id=row.id,
        settings=policy or LinkSettings(tickets=["-"], issues="-"),
        was_created=row.origin == "created",
        created=row.created,
        members=tuple(_member(context, m) for m in members) if policy else (),
        copies=tuple(known_copies),
        turns=row.turns,
        blocked={
            (TicketRef(f.tracker, f.ticket_id), failure_name(f)): f.digest for f in known_failures if f.state == "open"
        },
        install_id=context.journal.install_id,
        custom_fields=_shared_custom_fields(context, policy) if policy else (),
        issue_form=context.connectors[policy.issues] if policy else next(iter(context.connectors.values())),
    )
    return _Loaded(
        Progress(context, state, known_failures),
        list(taken),
        list(waiting),
        list(unfinished),
        row,
        list(known_failures),
        {m.ref: (m.shadow, m.key) for m in members},
    )


def _shared_custom_fields(context: Context, policy: LinkSettings) -> tuple[str, ...]:
    described = [context.connectors[name].base_settings.fields for name in (*policy.tickets, policy.issues)]
    return tuple(name for name in described[0] if all(name in fields for fields in described))


def _member(context: Context, row: MemberRow) -> Member:
    return Member(
        ref=row.ref,
        key=row.key,
        url=row.url,
        role=row.role,
        joined=row.joined,
        form=context.connectors[row.ref.tracker],
        shadow=load_shadow(row.shadow),
        people=context.people(),
    )


def _run_link(context: Context, link_id: int) -> Result:
    loaded = _load(context, link_id)
    if loaded is None or not loaded.progress.state.members:
        return _forget(context, loaded)
    return _run_loaded(loaded, {})


def _run_loaded(loaded: _Loaded, at_hand: Mapping[TicketRef, Snapshot]) -> Result:
    progress = loaded.progress
    if _has_merged(loaded):
        why = "a ticket was merged into another, which took its place"
        return Result("written", progress.context.now(), why)
    echoes: list[int] = []
    if progress.state.settings.template and progress.state.issue is None:
        progress.end_opening()
        refs = [m.ref for m in progress.state.tickets]
        progress.state = replace(progress.state, due=earliest_due(progress.context, refs))
    trouble: ConnectorError | TooEarlyError | None = None
    try:
        maybe_written = recover(progress, loaded.intents)
        wanted, echoes = _what_to_read(loaded, at_hand)
        for ref, request in wanted.items():
            if ref in at_hand:
                take_snapshot(progress, ref, at_hand[ref])
            else:
                _read(progress, ref, request)
        for write in maybe_written:
            adopt_own_writes(progress, write)
        _rounds(progress)
    except (TooEarlyError, ConnectorError) as error:
        trouble = error
        if isinstance(error, ConnectorError):
            progress.down.setdefault(error.tracker, error)
    if progress.context.takes_orders:
        # A deadline is kept whatever became of the other side.
        try:
            if look_after(progress) and trouble is None:
                _rounds(progress)
        except ConnectorError as error:
            trouble = trouble or error
    if isinstance(trouble, TooEarlyError):
        return _finish(loaded, echoes, Result("postponed", trouble.until, str(trouble)))
    if trouble is not None:
        return _finish_failed(loaded, echoes, trouble)
    if progress.down:
        return _finish_failed(loaded, echoes, next(iter(progress.down.values())))
    return _finish(loaded, echoes, Result("written" if progress.writes else "idle"))


def _has_merged(loaded: _Loaded) -> bool:
    """Whether a ticket of the link was merged into another that has its place now; the link is woken again then."""
    context, state = loaded.progress.context, loaded.progress.state
    merged = {
        (delivery.ref, TicketRef(delivery.ref.tracker, hint.merged_into))
        for delivery in loaded.waiting
        for hint in map(load_hint, delivery.hints)
        if hint.merged_into and hint.ticket_id == delivery.ref.id
    }
    if merged:
        loaded.progress.flush()
    has_changed = False
    for gone, heir in sorted(merged, key=str):
        with context.journal.write() as connection:
            why = take_place(connection, state.id, gone, heir, context.now())
            if not why:
                done = [d.id for d in loaded.waiting if d.ref == gone]
                deliveries.settle_deliveries(connection, done, "done", "merged")
                deliveries.settle_wakes(connection, [w for w in loaded.taken if w.key == str(gone)])
                has_changed = True
        if why:
            remedy = f"Unlink one of them, then link {heir} to the issue that is to stay."
            loaded.progress.fail(gone, "merge", str(heir), PermanentError(gone.tracker, "merge", why, remedy))
    return has_changed


def _what_to_read(loaded: _Loaded, at_hand: Mapping[TicketRef, Snapshot]) -> tuple[dict[TicketRef, Request], list[int]]:
    progress = loaded.progress
    context, state = progress.context, progress.state
    # What is at hand needs no look at who caused it, which may take a call.
    trackers = {d.ref.tracker for d in loaded.waiting if d.ref not in at_hand}
    own = {tracker: context.own_account(tracker) for tracker in trackers}
    told = {d.ref for d in loaded.waiting if d.ref not in at_hand and context.looks_after(d.ref.tracker)}
    known_cases: Mapping[TicketRef, CaseRow] = {}
    if told:
        with context.journal.read() as connection:
            known_cases = cases.cases_of(connection, sorted(told, key=str))
    wanted, echoes = requests_of(state.members, loaded.waiting, state.copies, own, known_cases)
    everything = (
        bool(loaded.intents)
        or any(f.state == "retry" for f in loaded.failures)
        or any(w.key == progress.key and w.reason != "escalated" for w in loaded.taken)
    )
    asked = {w.key for w in loaded.taken if w.reason != "webhook"}
    for member in state.members:
        # What was never seen here cannot be compared: it would be taken for known once the other side is.
        is_unseen = not member.shadow.values or member.shadow.labels is None
        if everything or is_unseen or str(member.ref) in asked or member.ref in at_hand:
            before = wanted.get(member.ref, Request(False))
            is_deleted = any(w.key == str(member.ref) and w.reason == POLLED_AS_DELETED for w in loaded.taken)
            wanted[member.ref] = Request(True, before.may_be_deleted or is_deleted)
        if member.shadow.is_gone:
            wanted.pop(member.ref, None)
    return wanted, echoes


def _read(progress: Progress, ref: TicketRef, request: Request) -> None:
    progress.end_opening()
    try:
        read_member(progress, ref, request)
    except NotFoundError as error:
        # One member that is out of sight must not stop the others.
        progress.fail(ref, "read", "", error)
        lose_sight(progress.context, ref, is_gone=False)
        progress.replace_member(
            replace(progress.state.member(ref), shadow=replace(progress.state.member(ref).shadow, comment_count=None))
        )


def _rounds(progress: Progress) -> None:
    told: set[str] = set()
    for _ in range(MAX_ROUNDS):
        for ref in list(progress.stale):
            _read(progress, ref, Request(False))
        decision = decide(progress.state, progress.context.now())
        unread = [ref for ref in decision.needs_reading if progress.state.member(ref).snapshot is None]
        if unread:
            for ref in unread:
                _read(progress, ref, Request(False))
            if any(progress.state.member(ref).snapshot is None for ref in unread):
                return
            continue
        _note_decision(progress, decision, told)
        if not decision.operations or progress.down:
            progress.end_opening()
            for operation in decision.operations:
                progress.hold_back(operation)
            progress.is_complete = True
            progress.problems = {(p.target, p.field) for p in decision.problems}
            return
        before = len(progress.done_writes)
        apply_operations(progress, decision.operations)
        turns = next_turns(progress.state.turns, progress.done_writes[before:], progress.context.now())
        progress.state = replace(progress.state, turns=turns)


def _note_decision(progress: Progress, decision: Decision, told: set[str]) -> None:
    for problem in decision.problems:
        progress.fail_field(
            problem.target,
            problem.field,
            problem.digest,
            problem.why,
            "Then: hub failures retry, or change the value.",
            problem.sources,
        )
    for conflict in decision.conflicts:
        text = f"{conflict.field}:{conflict.lost!r}"
        if text not in told:
            told.add(text)
            progress.note(
                "conflict",
                conflict.lost_by,
                field=conflict.field,
                kept=dump_value(conflict.kept),
                lost=dump_value(conflict.lost),
                kept_from=str(conflict.won_by),
                why=conflict.because,
            )
    for copy in decision.copies:
        progress.save_copy(copy)
    if decision.operations:
        progress.note("planned", None, operations=[_line(op) for op in decision.operations])


def _line(operation: Operation) -> dict[str, str]:
    return {"does": operation.describe(), "because": operation.because}


def _forget(context: Context, loaded: _Loaded | None) -> Result:
    """A link without members, or whose settings or trackers are not configured any more: nothing is kept in step.

    Its tickets are still looked after by the rules, and what is ordered for them is done.
    """
    if loaded is None:
        return Result("idle", why="there is no such link")
    why = f"the settings have no link {loaded.row.policy!r} with these trackers any more"
    known = [ref for ref in loaded.shadows if ref.tracker in context.connectors]
    cared = [ref for ref in known if context.looks_after(ref.tracker) or has_orders(context, ref)]
    keys = {str(ref) for ref in cared}
    with context.journal.write() as connection:
        deliveries.settle_wakes(connection, [w for w in loaded.taken if w.key not in keys])
        deliveries.settle_deliveries(connection, [d.id for d in loaded.waiting if str(d.ref) not in keys], "done", why)
    results = [_run_ticket(context, ref, is_linked=True) for ref in cared]
    return next((result for result in results if result.outcome != "idle"), Result("idle", why=why))


def _finish(loaded: _Loaded, echoes: Collection[int], result: Result) -> Result:
    progress = loaded.progress
    if progress.unsent and result.outcome != "postponed":
        # Everything else is done, and stays done; only what could not go out is tried again.
        result = _unsent(loaded)
    refs = [m.ref for m in progress.state.tickets]
    with progress.transaction() as connection:
        progress.flush_all_into(connection)
        for member in progress.state.members if progress.state.id else ():
            shadow = dump_shadow(advance(progress.state, member, progress.held_back, progress.is_complete))
            if (shadow, member.key) != loaded.shadows.get(member.ref):
                links.save_shadow(connection, member.ref, shadow, key=member.key, url=member.url)
        if progress.state.turns != loaded.row.turns:
            links.save_turns(connection, progress.state.id, progress.state.turns)
        deliveries.settle_deliveries(connection, echoes, "echo", "the hub's own write")
        if result.due is not None:
            taken = loaded.taken or [Wake(progress.key, result.due, 0, 0, result.why)]
            if not loaded.taken:
                deliveries.wake(connection, progress.key, result.due, result.why)
            again = deliveries.postpone_wakes if result.outcome == "postponed" else deliveries.retry_wakes
            again(connection, taken, result.due, result.why)
        if result.outcome == "postponed":
            restore_looks(connection, progress.context, refs, only_after=progress.context.now())
        else:
            rest = [d.id for d in loaded.waiting if d.id not in set(echoes)]
            deliveries.settle_deliveries(connection, rest, "done")
            if result.due is None:
                deliveries.settle_wakes(connection, loaded.taken)
            restore_looks(connection, progress.context, refs)
            for ref in sorted(progress.unfinished, key=str):
                deliveries.wake(connection, str(ref), progress.context.now(), "orders are left")
            # An escalation is woken under its link's key inside the run itself.
            progress.settle_failures(connection)
    return result


def _unsent(loaded: _Loaded) -> Result:
    progress = loaded.progress
    error = next(iter(progress.unsent.values()))
    attempts = max((w.attempts for w in loaded.taken), default=0)
    if attempts + 1 >= ALARM_AFTER:
        progress.record_unsent()
    return Result("written" if progress.writes else "idle", _due(progress.context, error, attempts), str(error))


def _finish_failed(loaded: _Loaded, echoes: Collection[int], error: ConnectorError) -> Result:
    progress = loaded.progress
    attempts = max((w.attempts for w in loaded.taken), default=0)
    result = Result("postponed", _due(progress.context, error, attempts, progress.retry_after), str(error))
    _alarm(progress, error, attempts)
    return _finish(loaded, echoes, result)


def _alarm(progress: Progress, error: ConnectorError, attempts: int) -> None:
    is_urgent = not error.is_temporary or isinstance(error, AuthError)
    if is_urgent or attempts + 1 >= ALARM_AFTER:
        ref = next((m.ref for m in progress.state.members if m.ref.tracker == error.tracker), None)
        now, key = progress.context.now(), progress.key
        target = ref or TicketRef(error.tracker, "")
        context = progress.context
        progress.later(lambda connection: _open_failure(connection, context, key, target, error, now))


def _open_failure(
    connection: Connection, context: Context, key: str, ref: TicketRef, error: ConnectorError, now: datetime
) -> None:
    note_failure(
        connection,
        context,
        key=key,
        ref=ref,
        what="run",
        digest="",
        why=f"{error.doing}: {error.why}",
        remedy=error.remedy or "It is tried again by itself.",
        now=now,
    )


def _due(context: Context, error: ConnectorError, attempts: int, retry_after: float | None = None) -> datetime:
    settings = context.settings.engine
    wait = backoff(attempts, settings.retry_first, settings.retry_most)
    if isinstance(error, RateLimitedError):
        retry_after = max(retry_after or 0.0, error.retry_after)
    if retry_after is not None:
        wait = max(timedelta(seconds=retry_after), timedelta(seconds=0.1))
    elif not error.is_temporary:
        wait = max(wait, timedelta(seconds=settings.retry_most))
    return context.now() + wait


def _postpone(context: Context, key: str, taken: Sequence[Wake], error: ConnectorError, ref: TicketRef) -> Result:
    attempts = max((w.attempts for w in taken), default=0)
    due = _due(context, error, attempts)
    now = context.now()
    with context.journal.write() as connection:
        deliveries.postpone_wakes(connection, taken, due, str(error))
        events.record(
            connection,
            [
                events.Event(
                    at=now,
                    kind="postponed",
                    ref=ref,
                    data={"where": error.tracker, "doing": error.doing, "why": error.why},
                )
            ],
        )
        if not error.is_temporary or attempts + 1 >= ALARM_AFTER:
            _open_failure(connection, context, key, ref, error, now)
    log.warning("postponed", ticket=str(ref), tracker=error.tracker, why=error.why)
    return Result("postponed", due, str(error))
