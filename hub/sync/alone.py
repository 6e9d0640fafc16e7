"""A run of a ticket in no link: the rules look after it, and it is escalated into a link of its own when one wants it.

From then on it is a run of that link. It must not know how a link is kept in step.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Literal

import structlog
from sqlalchemy.engine import Connection

from hub.connector import ConnectorError, Known, NotFoundError
from hub.journal import cases, copies, deliveries, events, failures, intents, links
from hub.journal.cases import Order
from hub.journal.deliveries import Delivery, Wake
from hub.journal.links import LinkRow, MemberRow
from hub.settings.model import LinkSettings
from hub.sync.care import look_after, restore_looks
from hub.sync.codec import load_hint
from hub.sync.context import Context
from hub.sync.escalating import escalating_policies, wanting_policy, why_not_wanted_as_shown
from hub.sync.finishing import Result, finish, finish_failed, postpone
from hub.sync.fulfil import has_orders, issue_wanted, lose_sight
from hub.sync.linked import run_linked
from hub.sync.loading import NO_LINK, Loaded, assemble, load_alone, member_of
from hub.sync.reading import requests_of, take_snapshot
from hub.sync.recover import TooEarlyError, recover
from hub.sync.similar import hold_for_similar, join_by_label, policies_for, policy_for
from hub.ticket import Snapshot, TicketRef

log = structlog.get_logger("hub.sync")


def run_alone(context: Context, ref: TicketRef, *, is_linked: bool = False) -> Result:
    """A ticket on its own; `is_linked` where its link is one that the settings do not have any more."""
    now = context.now()
    with context.journal.read() as connection:
        taken = deliveries.wakes_of(connection, [str(ref)], now)
        waiting = deliveries.waiting_of_ticket(connection, ref)
    if not taken and not waiting:
        return Result("idle", why="what woke it was answered by another run")
    policies = [] if is_linked else escalating_policies(context, ref)
    is_looked_after = context.looks_after(ref.tracker) or has_orders(context, ref)
    if not policies and not is_looked_after:
        return _leave_alone(context, ref, taken, waiting, f"no rule links tickets of {ref.tracker}")
    if is_looked_after and _is_own_echo(context, ref, taken, waiting):
        return _leave_alone(context, ref, taken, waiting, "the hub's own write", status="echo")
    shown = None if is_looked_after else why_not_wanted_as_shown(policies, taken, waiting)
    if shown is not None:
        return _leave_alone(context, ref, taken, waiting, shown)
    try:
        snapshot = context.connectors[ref.tracker].read(ref.id, _known(context, ref, taken, waiting))
    except NotFoundError as error:
        lose_sight(context, ref, is_gone=True)
        return _leave_alone(context, ref, taken, waiting, f"not found: {error.why}")
    except ConnectorError as error:
        return postpone(context, str(ref), taken, error, ref)
    if is_looked_after:
        return _look_after_ticket(context, ref, snapshot, policies, taken, waiting, is_linked=is_linked)
    policy, because = wanting_policy(policies, snapshot)
    if policy is None:
        return _leave_alone(context, ref, taken, waiting, because)
    return _escalate(context, policy, ref, snapshot, because, taken, waiting)


def _known(context: Context, ref: TicketRef, taken: Sequence[Wake], waiting: Sequence[Delivery]) -> Known:
    """What the rules know of a ticket in no link: comments are not read where nothing can have touched them."""
    if not context.looks_after(ref.tracker):
        return Known()
    with context.journal.read() as connection:
        case = cases.case_of(connection, ref)
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
    wanted, _ = requests_of([member_of(context, row)], waiting, known_copies, own, {ref: case})
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
    loaded = load_alone(context, ref, snapshot, taken, waiting)
    progress = loaded.progress
    try:
        recover(progress, loaded.intents)
        take_snapshot(progress, ref, snapshot)
        look_after(progress)
        may_join = not is_linked and context.looks_after(ref.tracker)
        if may_join and join_by_label(progress, ref, policies_for(context, ref)):
            return finish(loaded, (), Result("written", why="an agent's label joined it to an issue"))
        order = None if is_linked else issue_wanted(progress, ref)
        policy, because = wanting_policy(policies, snapshot)
        if order is not None and not progress.down:
            policy, because = policy_for(context, ref, str(order.data["link"])), order.because
            if policy is None:
                because = f"the settings have no link {order.data['link']!r} for tickets of {ref.tracker}"
                progress.order_dropped(order.id, because)
            elif hold_for_similar(progress, ref, policy, order):
                policy = None
    except TooEarlyError as error:
        return finish(loaded, (), Result("postponed", error.until, str(error)))
    except ConnectorError as error:
        return finish_failed(loaded, (), error)
    if progress.down:
        return finish_failed(loaded, (), next(iter(progress.down.values())))
    now_shown = progress.state.member(ref).snapshot
    if policy is None or now_shown is None or now_shown.is_deleted:
        return finish(loaded, (), Result("written" if progress.writes else "idle", why=because))
    # Another run of its own begins: this one leaves nothing without a receipt.
    with context.journal.write() as connection:
        progress.flush_all_into(connection)
    return _escalate(context, policy, ref, now_shown, because, taken, waiting, order)


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
        return run_linked(loaded, {ref: snapshot})
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
) -> Loaded:
    link_id = links.create_link(connection, policy.title, "created", now)
    key, url = snapshot.ticket.key, snapshot.ticket.url
    links.add_member(connection, link_id, ref, key=key, url=url, role="ticket", now=now)
    data = {"rule": policy.title, "why": because}
    events.record(connection, [events.Event(at=now, kind="escalated", ref=ref, link_id=link_id, data=data)])
    row = LinkRow(id=link_id, policy=policy.title, origin="created", created=now, turns={})
    member = MemberRow(link_id=link_id, ref=ref, key=key, url=url, role="ticket", joined=now, shadow={})
    # Copies outlive an unlinking; everything else of a link that was made just now is known.
    return assemble(
        context,
        row,
        [member],
        known_copies=copies.copies_of(connection, [ref]),
        known_failures=failures.failures_of(connection, str(ref)),
    )
