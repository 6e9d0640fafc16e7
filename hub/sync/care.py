"""Looking after tickets by the rule book: the ruling is recorded, and what it ordered is done like every other write.

A ruling and its orders are stored in one transaction before anything is done. So a rule fires once, whatever dies
when, and what it wanted is done until it has its receipt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.engine import Connection

from hub.connector import Capability, Changes, NotFoundError, PermanentError, Unwritable
from hub.journal import cases, deliveries, events
from hub.journal.cases import CaseRow, Order
from hub.rules.case import Case, Seen, dump_case, load_case
from hub.rules.ruling import Ruling, Situation, case_facts, clocks_of, rule_on, shown
from hub.rules.values import Neighbour
from hub.sync.apply import apply_operations
from hub.sync.codec import dump_changes, load_changes
from hub.sync.context import Context
from hub.sync.marks import comment_mark, is_own_mark
from hub.sync.operations import AddComment, CallAction, ChangeTicket, Notify, Operation, digest_of_operation, outlet_of
from hub.sync.progress import Progress
from hub.sync.reading import Request, read_member
from hub.sync.shorten import shortened
from hub.sync.state import LinkState, Member
from hub.ticket import Markdown, Status, TicketRef, Value, Visibility

log = structlog.get_logger("hub.rules")

MAX_PASSES = 3
"""How often what was ordered leads to more orders within one run: an action that tells something, a macro of a rule."""
RULE_MARK = "rule:"
"""How the origin ids begin of texts that rules wrote."""


def look_after(progress: Progress) -> bool:
    """Rules on the tickets of the link that were read or whose surroundings changed, and does what is ordered.

    Returns whether a ticket was changed, which the other members of its link may want to follow. Raises
    ConnectorError.
    """
    context = progress.context
    refs = [m.ref for m in progress.state.tickets if m.is_usable]
    if not refs:
        return False
    with context.journal.read() as connection:
        known = cases.cases_of(connection, refs) if context.book is not None else {}
        ordered = cases.open_orders(connection, refs)
        loads = cases.workloads(connection) if _assigns(context) else {}
    for ref in refs:
        row, is_ruled = known.get(ref), context.looks_after(ref.tracker)
        if progress.state.member(ref).snapshot is None:
            is_due = any(o.ref == ref for o in ordered) or (is_ruled and _is_news(progress.state, row))
            if not is_due:
                continue
            _read(progress, ref)
        if is_ruled and progress.state.member(ref).snapshot is not None and ref.tracker not in progress.down:
            _rule(progress, ref, row, [o for o in ordered if o.ref == ref], loads)
    return fulfil(progress, refs)


def has_orders(context: Context, ref: TicketRef) -> bool:
    """Whether something is to be done to a ticket that was ordered for it."""
    if not context.takes_orders:
        return False
    with context.journal.read() as connection:
        return bool(cases.open_orders(connection, [ref]))


def restore_looks(connection: Connection, context: Context, refs: Iterable[TicketRef]) -> None:
    """Sets the timed wakes of tickets anew, after their present wakes were settled."""
    if context.book is None:
        return
    for ref, row in cases.cases_of(connection, list(refs)).items():
        if row.next_at is not None:
            deliveries.wake(connection, str(ref), row.next_at, "clock")


def earliest_due(context: Context, refs: Sequence[TicketRef]) -> datetime | None:
    """The earliest deadline of the tickets' clocks as they were last computed, UTC; None without one."""
    with context.journal.read() as connection:
        rows = cases.cases_of(connection, refs)
    shown_clocks = [clock for row in rows.values() for clock in row.data["clocks"].values()]
    due = [datetime.fromisoformat(c["due"]) for c in shown_clocks if c["due"] and c["state"] in ("running", "breached")]
    return min(due, default=None)


def issue_wanted(progress: Progress, ref: TicketRef) -> Order | None:
    """The open order for an issue, if a rule wants one."""
    with progress.context.journal.read() as connection:
        orders = cases.open_orders(connection, [ref])
    return next((order for order in orders if order.kind == "issue"), None)


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A clock that the present rule book sees otherwise than the one before; None where there is no such clock."""

    ref: TicketRef
    clock: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def clock_changes(context: Context) -> list[ClockChange]:
    """What the present rule book would change in the clocks of open tickets. Reads the store only."""
    found = []
    with context.journal.read() as connection:
        for row in cases.walk_cases(connection, only_open=True):
            before, (after, _) = row.data["clocks"], _recomputed(context, row)
            found += [
                ClockChange(row.ref, name, before.get(name), after.get(name))
                for name in sorted({*before, *after})
                if before.get(name) != after.get(name)
            ]
    return found


def adopt_book(context: Context) -> int:
    """Computes the clocks of open tickets anew from their histories when the rule book is another; returns how many.

    The next looks are set by the new deadlines; no tracker is asked.
    """
    book = context.book
    if book is None:
        return 0
    with context.journal.read() as connection:
        if cases.load_digest(connection) == book.digest:
            return 0
        rows = list(cases.walk_cases(connection, only_open=True))
    with context.journal.write() as connection:
        for row in rows:
            clocks, next_at = _recomputed(context, row)
            looks = [at for at in (next_at, row.next_at) if at is not None]
            changed = replace(row, next_at=min(looks, default=None), data={**row.data, "clocks": clocks})
            cases.save_case(connection, changed)
        restore_looks(connection, context, [row.ref for row in rows])
        cases.save_digest(connection, book.digest)
    log.info("the rule book is another one: clocks were computed anew", tickets=len(rows))
    return len(rows)


def _recomputed(context: Context, row: CaseRow) -> tuple[dict[str, Any], datetime | None]:
    assert context.book is not None
    case, now = load_case(row.ref, row.key, row.url, row.data), context.now()
    found = clocks_of(context.book, case, case_facts(case), now)
    looks = [clock.next_at for _, clock in found.values() if clock.next_at is not None]
    return {name: shown(clock) for name, (_, clock) in found.items()}, min(looks, default=None)


def preview(context: Context, state: LinkState, ref: TicketRef, now: datetime) -> Ruling:
    """What the rules would say about a member that was read, at `now`. Nothing is written."""
    assert context.book is not None
    with context.journal.read() as connection:
        row = cases.case_of(connection, ref)
        loads = cases.workloads(connection)
    return _ruling(context, state, ref, row, (), loads, now)


# -- ruling -------------------------------------------------------------------------------------------------------


def _assigns(context: Context) -> bool:
    return context.book is not None and any(line.assign for line in context.book.lines.values())


def _is_news(state: LinkState, row: CaseRow | None) -> bool:
    """Whether the issue of a ticket is in another state than when the rules last looked at the ticket."""
    issue = state.issue
    if row is None or issue is None or issue.snapshot is None:
        return row is None
    status = issue.snapshot.ticket.status
    return status is not Status.UNKNOWN and str(status) != row.data["seen"].get("issue_status")


def _read(progress: Progress, ref: TicketRef) -> None:
    try:
        read_member(progress, ref, Request(False))
    except NotFoundError as error:
        progress.fail(ref, "read", "", error)


def _rule(
    progress: Progress, ref: TicketRef, row: CaseRow | None, ordered: Sequence[Order], loads: Mapping[str, int]
) -> None:
    context, now = progress.context, progress.context.now()
    asked = [order for order in ordered if order.kind == "macro"]
    ruling = _ruling(context, progress.state, ref, row, asked, loads, now)
    orders = [
        Order(ref=ref, mark=w.mark, kind=w.kind, data=_data_of(w.kind, w.data), because=w.because)
        for w in ruling.wanted
    ]
    record = _row(ruling.case, ruling.next_at)
    fired = [e for e in ruling.explained if e.fired]
    if record == row and not orders and not asked:
        return
    for one in fired:
        log.info("rule fired", ticket=str(ref), rule=one.rule)
    with context.journal.write() as connection:
        cases.save_case(connection, record)
        cases.place_orders(connection, orders, now)
        for order in asked:
            cases.finish_order(connection, order.id, "done", "the macro's texts and changes are orders of their own")
        events.record(
            connection,
            [
                events.Event(
                    at=now, kind="rule", ref=ref, link_id=progress.state.id or None,
                    data={"rule": one.rule, "why": one.because},
                )
                for one in fired
            ],
        )  # fmt: skip


def _ruling(
    context: Context,
    state: LinkState,
    ref: TicketRef,
    row: CaseRow | None,
    asked: Sequence[Order],
    loads: Mapping[str, int],
    now: datetime,
) -> Ruling:
    book = context.book
    assert book is not None
    case = load_case(row.ref, row.key, row.url, row.data) if row else None
    member = state.member(ref)
    return rule_on(book, case, ref, _seen(context, state, member), _situation(state, ref, asked, loads), now)


def _seen(context: Context, state: LinkState, member: Member) -> Seen:
    assert member.snapshot is not None
    assert context.book is not None
    ticket = member.snapshot.ticket
    by_label = (n for n, line in context.book.lines.items() if line.label and line.label in ticket.labels)
    own = {c.target_id for c in state.copies if c.kind == "note" and c.target == member.ref}
    marked = {c.id for c in member.snapshot.comments or () if is_own_mark(c.marker, context.journal.install_id)}
    mirrored = {c.target_id for c in state.copies if c.kind == "comment" and c.target == member.ref}
    return Seen(
        ticket=ticket,
        assignee=member.people.key(member.ref.tracker, ticket.assignee),
        line=ticket.line or next(by_label, None),
        comments=member.snapshot.comments,
        own_comments=frozenset(own | (marked - mirrored)),
        issue_status=_issue_status(state),
    )


def _situation(state: LinkState, ref: TicketRef, asked: Sequence[Order], loads: Mapping[str, int]) -> Situation:
    issue = state.issue
    return Situation(
        tracker=ref.tracker,
        issue=_neighbour(issue) if issue else None,
        issue_status=_issue_status(state),
        issue_resolution=issue.ticket.native.get("resolution") if issue and issue.ticket else None,
        tickets=tuple(_neighbour(m) for m in state.tickets),
        loads=loads,
        asked=tuple((str(order.data["name"]), order.mark) for order in asked),
    )


def _issue_status(state: LinkState) -> Status | None:
    issue = state.issue
    status = issue.current("status") if issue else None
    return status if isinstance(status, Status) and status is not Status.UNKNOWN else None


def _neighbour(member: Member) -> Neighbour:
    return Neighbour(
        key=member.key, url=member.url, title=str(member.current("title") or ""), tracker=member.ref.tracker
    )


def _data_of(kind: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    if kind != "change":
        return data
    changes = Changes(values=data["values"], add_labels=frozenset(data["add"]), remove_labels=frozenset(data["remove"]))
    return dump_changes(changes)


def _row(case: Case, next_at: datetime | None) -> CaseRow:
    return CaseRow(
        ref=case.ref,
        key=case.key,
        url=case.url,
        opened=case.history.created,
        closed=case.closed,
        next_at=next_at,
        assignee=case.seen.get("assignee"),
        data=dump_case(case),
    )


# -- doing what was ordered ---------------------------------------------------------------------------------------


def fulfil(progress: Progress, refs: Sequence[TicketRef]) -> bool:
    """Does what is ordered for these tickets; returns whether one of them was changed."""
    has_changed = False
    for _ in range(MAX_PASSES):
        with progress.context.journal.read() as connection:
            orders = cases.open_orders(connection, refs)
        operations = [
            operation
            for order in orders
            if order.ref.tracker not in progress.down and (operation := _operation(progress, order)) is not None
        ]
        ready = [
            op
            for op in operations
            if progress.state.blocked.get((op.target, op.name)) != digest_of_operation(op)
            and outlet_of(op) not in progress.closed
        ]
        if not ready:
            break
        progress.note("planned", None, operations=[{"does": o.describe(), "because": o.because} for o in ready])
        apply_operations(progress, ready)
        progress.flush()
        has_changed = has_changed or any(
            isinstance(op, ChangeTicket) and (op.target, op.name) in progress.succeeded for op in ready
        )
    return has_changed


def _operation(progress: Progress, order: Order) -> Operation | None:
    """The operation that fulfils an order; None where there is nothing to do, or it is not done here."""
    member = progress.state.member(order.ref)
    if member.snapshot is None or not member.is_usable:
        return None
    match order.kind:
        case "text":
            return _text(progress, order, Markdown(order.data["text"]), Visibility(order.data["visibility"]))
        case "change":
            return _change(progress, member, order)
        case "notice":
            return Notify(
                target=order.ref, mark=order.mark, notifier=order.data["to"], text=order.data["text"],
                order_ids=(order.id,), because=order.because,
            )  # fmt: skip
        case "call":
            return CallAction(
                target=order.ref, mark=order.mark, action=order.data["action"], arguments=order.data["with"],
                order_ids=(order.id,), because=order.because,
            )  # fmt: skip
        case "suggest":
            return _suggestion(progress, member, order)
        case "issue" if progress.state.issue is not None:
            progress.order_done(order.id, f"it has {progress.state.issue.key} already")
    return None


def _text(progress: Progress, order: Order, text: Markdown, visibility: Visibility) -> AddComment | None:
    origin_id = f"{RULE_MARK}{order.mark}"
    if any(c.origin == order.ref and c.target == order.ref and c.origin_id == origin_id for c in progress.state.copies):
        progress.order_done(order.id, "it was written already")
        return None
    missing = order.data.get("missing")
    if missing:
        why = f"a public reply was not sent: there is no value for {missing}."
        remedy = "Write the text so that it does without, e.g. {{ requester.name | default('customer') }}."
        progress.fail(order.ref, f"order:{order.mark}", "", PermanentError(order.ref.tracker, "reply", why, remedy))
        progress.later(
            lambda connection: cases.finish_order(connection, order.id, "dropped", f"no value for {missing}")
        )
        return None
    if not visibility.is_public and not progress.state.member(order.ref).can(Capability.PRIVATE_COMMENTS):
        progress.order_done(order.id, "this tracker has no private comments")
        return None
    return AddComment(
        target=order.ref,
        origin=order.ref,
        origin_id=origin_id,
        kind="note",
        text=shortened(text),
        visibility=visibility,
        digest="",
        marker=comment_mark(order.ref, origin_id, progress.context.journal.install_id),
        because=order.because,
        order_ids=(order.id,),
    )


def _change(progress: Progress, member: Member, order: Order) -> ChangeTicket | None:
    """The change in the tracker's own form, less what is so already and what it has no form for."""
    assert member.snapshot is not None
    changes = load_changes(order.data)
    values: dict[str, Value] = {}
    for name, value in changes.values.items():
        try:
            if name == "assignee":
                wanted = None if value is None else member.account(str(value))
                if value is not None and wanted is None:
                    raise Unwritable(f"nobody in {order.ref.tracker} is known as {value}; add the account under people")
                present = member.snapshot.ticket.assignee
                if (present.id if present else None) != wanted:
                    values[name] = wanted
            elif member.form.hold(name, value) != _present(member, name):
                values[name] = member.form.hold(name, value)
        except Unwritable as error:
            if name != "line":
                progress.fail(
                    order.ref, f"set {name}", "", PermanentError(order.ref.tracker, f"set {name}", str(error))
                )
    labels = member.snapshot.ticket.labels
    add = frozenset(member.form.hold_label(label) for label in changes.add_labels) - labels
    wanted_changes = Changes(values=values, add_labels=add, remove_labels=changes.remove_labels & labels)
    if not wanted_changes:
        progress.order_done(order.id, "it was so already, or has no form in this tracker")
        return None
    return ChangeTicket(
        target=order.ref, mark=order.mark, changes=wanted_changes, order_ids=(order.id,), because=order.because
    )


def _present(member: Member, name: str) -> object:
    assert member.snapshot is not None
    ticket = member.snapshot.ticket
    if name.startswith("custom:"):
        return ticket.custom.get(name.removeprefix("custom:"))
    return getattr(ticket, name)


def _suggestion(progress: Progress, member: Member, order: Order) -> AddComment | None:
    assert member.snapshot is not None
    connector = progress.context.connectors[order.ref.tracker]
    if Capability.KNOWLEDGE_BASE not in connector.capabilities:
        progress.order_done(order.id, "this tracker has no knowledge base that can be searched")
        return None
    found = connector.find_articles(member.snapshot.ticket.title, int(order.data["count"]))
    if not found:
        progress.order_done(order.id, "no article fits")
        return None
    lines = "\n".join(f"- [{article.title}]({article.url})" for article in found)
    return _text(progress, order, Markdown(f"These articles may help:\n\n{lines}"), Visibility.PRIVATE)
