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

from hub.connector import (
    Capability,
    Changes,
    ConnectorError,
    NotFoundError,
    PermanentError,
    RateLimitedError,
    Unwritable,
)
from hub.journal import cases, deliveries, events
from hub.journal.cases import CaseRow, Order
from hub.rules.case import Case, Seen, dump_case, load_case
from hub.rules.past import rule_on_past
from hub.rules.ruling import Move, Revision, Ruling, Situation, revise, rule_on, shown
from hub.rules.values import Neighbour
from hub.sync.advance import settled
from hub.sync.apply import apply_operations
from hub.sync.codec import dump_changes, load_changes
from hub.sync.context import Context
from hub.sync.marks import comment_mark, is_own_mark
from hub.sync.operations import AddComment, CallAction, ChangeTicket, Notify, Operation, digest_of_operation, outlet_of
from hub.sync.progress import Progress
from hub.sync.reading import Request, read_member
from hub.sync.shorten import shortened
from hub.sync.state import LinkState, Member
from hub.ticket import Markdown, Snapshot, Status, Ticket, TicketRef, Value, Visibility

log = structlog.get_logger("hub.rules")

ADOPTED_AT_ONCE = 500
"""Cases that one transaction computes anew."""
MAX_PASSES = 3
"""How often what was ordered leads to more orders within one run: an action that tells something, a macro of a rule."""
RULE_MARK = "rule:"
"""How the origin ids begin of texts that rules wrote."""
AGENTS_MARKS = (f"{RULE_MARK}macro:", f"{RULE_MARK}note ")
"""And of those by which an agent's label or note had a macro run."""


def look_after(progress: Progress) -> bool:
    """Rules on the tickets of the link that were read or whose surroundings changed, and does what is ordered.

    Returns whether a ticket was changed, which the other members of its link may want to follow. Raises
    ConnectorError.
    """
    context = progress.context
    tickets = progress.state.tickets
    _part_with(progress, [m.ref for m in tickets if m.is_gone and context.looks_after(m.ref.tracker)])
    refs = [m.ref for m in tickets if m.is_usable]
    if not refs:
        return False
    ruled = [ref for ref in refs if context.looks_after(ref.tracker)]
    progress.end_opening()
    with context.journal.read() as connection:
        known = cases.cases_of(connection, ruled)
        ordered = {order.ref for order in cases.open_orders(connection, refs)}
    for ref in refs:
        is_unseen = progress.state.member(ref).snapshot is None and ref.tracker not in progress.down
        is_due = ref in ordered or (ref in ruled and _is_news(progress.state, known.get(ref), context.now()))
        if is_unseen and is_due:
            _read(progress, ref)
    # What an earlier run left undone comes first: rules would take its absence for a person's work.
    has_changed = fulfil(progress, refs) if ordered else False
    if not ruled:
        return has_changed
    with context.journal.read() as connection:
        left = cases.open_orders(connection, refs)
        loads = cases.workloads(connection) if _may_assign(progress, ruled) else {}
    for ref in ruled:
        is_seen = progress.state.member(ref).snapshot is not None and ref not in progress.stale
        if is_seen and ref.tracker not in progress.down:
            _rule(progress, ref, known.get(ref), [order for order in left if order.ref == ref], loads)
    return fulfil(progress, refs) or has_changed


def has_orders(context: Context, ref: TicketRef) -> bool:
    """Whether something is to be done to a ticket that was ordered for it."""
    if not context.takes_orders:
        return False
    with context.journal.read() as connection:
        return bool(cases.open_orders(connection, [ref]))


def lose_sight(context: Context, ref: TicketRef, *, is_gone: bool) -> None:
    """The ticket is not found where it was: nothing looks at it by itself until somebody sees it again."""
    if context.book is None:
        return
    with context.journal.write() as connection:
        row = cases.case_of(connection, ref)
        if row is not None:
            cases.leave_sight(connection, row, context.now(), is_gone=is_gone)


def restore_looks(
    connection: Connection, context: Context, refs: Iterable[TicketRef], *, only_after: datetime | None = None
) -> None:
    """Sets the timed wakes of tickets anew, after their present wakes were settled.

    With `only_after`, those that lie before it wait for the wakes that there are.
    """
    if context.book is None:
        return
    for ref, row in cases.cases_of(connection, list(refs)).items():
        if row.next_at is not None and (only_after is None or row.next_at > only_after):
            deliveries.wake(connection, str(ref), row.next_at, deliveries.CLOCK)


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
            before = row.data["clocks"]
            after = {name: shown(clock) for name, clock in _revised(context, row).clocks.items()}
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
    last, done = 0, 0
    while True:
        # A batch a transaction: others want to write meanwhile. One that is done twice comes out the same.
        with context.journal.write() as connection:
            last, rows = cases.next_open_cases(connection, last, ADOPTED_AT_ONCE)
            for row in rows:
                _adopt(connection, context, row)
            done += len(rows)
            if len(rows) < ADOPTED_AT_ONCE:
                cases.save_digest(connection, book.digest)
                break
    log.info("the rule book is another one: clocks were computed anew", tickets=done)
    return done


def _adopt(connection: Connection, context: Context, row: CaseRow) -> None:
    revision, now = _revised(context, row), context.now()
    looks = [at for at in (revision.next_at, row.next_at) if at is not None]
    next_at = min(looks, default=None)
    # Of a ticket that is looked at right away the look itself tells what moved.
    is_due = next_at is not None and next_at <= now
    clocks = row.data["clocks"] if is_due else {name: shown(clock) for name, clock in revision.clocks.items()}
    cases.save_case(connection, replace(row, next_at=next_at, data={**row.data, "clocks": clocks}))
    if next_at is not None:
        deliveries.wake(connection, str(row.ref), next_at, deliveries.CLOCK)


def _revised(context: Context, row: CaseRow) -> Revision:
    assert context.book is not None
    return revise(context.book, load_case(row.ref, row.key, row.url, row.data), context.now())


def preview(context: Context, state: LinkState, ref: TicketRef, now: datetime) -> Ruling:
    """What the rules would say about a member that was read, at `now`. Nothing is written."""
    assert context.book is not None
    with context.journal.read() as connection:
        row = cases.case_of(connection, ref)
        loads = cases.workloads(connection)
    return _ruling(context, state, ref, row, (), loads, now)


def look_back(context: Context, row: CaseRow, at: datetime) -> Ruling:
    """What the rules would have said of a ticket at a time that is over, by the record. Raises ValueError."""
    assert context.book is not None
    return rule_on_past(context.book, load_case(row.ref, row.key, row.url, row.data), at)


# -- ruling -------------------------------------------------------------------------------------------------------


def _may_assign(progress: Progress, refs: Sequence[TicketRef]) -> bool:
    """Whether somebody may be given one of these tickets: who has how much to do is a question to all open cases."""
    book = progress.context.book
    assert book is not None
    tickets = (progress.state.member(ref).ticket for ref in refs)
    return any(line.assign for line in book.lines.values()) and any(t and t.assignee is None for t in tickets)


def _is_news(state: LinkState, row: CaseRow | None, now: datetime) -> bool:
    """Whether a ticket is to be looked at: its time has come, or its issue is in another state than at that look."""
    issue = state.issue
    if row is None or (row.next_at is not None and row.next_at <= now):
        return True
    if issue is None or issue.snapshot is None:
        return False
    status = issue.snapshot.ticket.status
    return status is not Status.UNKNOWN and str(status) != row.data["seen"].get("issue_status")


def _part_with(progress: Progress, gone: Sequence[TicketRef]) -> None:
    with progress.context.journal.read() as connection:
        known = cases.cases_of(connection, gone)
    for ref, row in known.items():
        if "gone" not in row.data:
            lose_sight(progress.context, ref, is_gone=True)


def _read(progress: Progress, ref: TicketRef) -> None:
    try:
        read_member(progress, ref, Request(False))
    except NotFoundError as error:
        progress.fail(ref, "read", "", error)
        lose_sight(progress.context, ref, is_gone=False)
    except ConnectorError as error:
        progress.postpone(ref.tracker, error, error.retry_after if isinstance(error, RateLimitedError) else None)


def _rule(
    progress: Progress, ref: TicketRef, row: CaseRow | None, ordered: Sequence[Order], loads: Mapping[str, int]
) -> None:
    context, now = progress.context, progress.context.now()
    asked = [order for order in ordered if order.kind in ("macro", "line")]
    ruling = _ruling(context, progress.state, ref, row, ordered, loads, now)
    orders = [
        Order(ref=ref, mark=w.mark, kind=w.kind, data=_data_of(w.kind, w.data), because=w.because)
        for w in ruling.wanted
    ]
    snapshot = progress.state.member(ref).snapshot
    assert snapshot is not None
    record = _row(ruling.case, ruling.next_at, snapshot, row)
    fired = [e for e in ruling.explained if e.fired]
    passed_over = [e for e in ruling.explained if e.rule.startswith("clock ") and not e.fired]
    if record == row and not orders and not asked:
        return
    for one in fired:
        log.info("rule fired", ticket=str(ref), rule=one.rule)
    with progress.transaction() as connection:
        cases.save_case(connection, record)
        cases.place_orders(connection, orders, now)
        for order in asked:
            cases.finish_order(connection, order.id, "done", "its texts and changes are orders of their own")
        events.record(
            connection,
            [
                events.Event(
                    at=now, kind=kind, ref=ref, link_id=progress.state.id or None,
                    data={"rule": one.rule, "why": one.because},
                )
                for kind, one in [*(("rule", e) for e in fired), *(("passed over", e) for e in passed_over)]
            ],
        )  # fmt: skip


def _ruling(
    context: Context,
    state: LinkState,
    ref: TicketRef,
    row: CaseRow | None,
    ordered: Sequence[Order],
    loads: Mapping[str, int],
    now: datetime,
) -> Ruling:
    book = context.book
    assert book is not None
    case = load_case(row.ref, row.key, row.url, row.data) if row else None
    situation = _situation(context, state, ref, ordered, loads)
    return rule_on(book, case, ref, _seen(context, state, state.member(ref)), situation, now)


def _seen(context: Context, state: LinkState, member: Member) -> Seen:
    assert member.snapshot is not None
    assert context.book is not None
    ticket = _as_written(member)
    by_label = (n for n, line in context.book.lines.items() if line.label and line.label in ticket.labels)
    labelled = next(by_label, None)
    # What an agent's macro says is the agent's answer; what a rule says is nobody's.
    own = {
        c.target_id
        for c in state.copies
        if c.kind == "note" and c.target == member.ref and not c.origin_id.startswith(AGENTS_MARKS)
    }
    marked = {c.id for c in member.snapshot.comments or () if is_own_mark(c.marker, context.journal.install_id)}
    known = {c.target_id for c in state.copies if c.target == member.ref}
    return Seen(
        ticket=ticket,
        assignee=member.people.key(member.ref.tracker, ticket.assignee),
        line=_line(member, labelled),
        comments=member.snapshot.comments,
        own_comments=frozenset(own | (marked - known)),
        issue_status=_issue_status(state),
    )


def _line(member: Member, labelled: int | None) -> int | None:
    """The line that a ticket is with: its group says, unless the hub's label names a line that has no group there."""
    assert member.snapshot is not None
    line = member.snapshot.ticket.line
    if labelled is None:
        return line
    try:
        member.form.hold("line", labelled)
    except Unwritable:
        return labelled
    return line or labelled


def _as_written(member: Member) -> Ticket:
    """The ticket as it was read, with what the hub wrote to it since, e.g. because its issue changed."""
    assert member.snapshot is not None
    ticket = member.snapshot.ticket
    plain = {n: v for n, v in member.written.items() if n in ("status", "priority", "category", "line", "title")}
    custom = {n.removeprefix("custom:"): v for n, v in member.written.items() if n.startswith("custom:")}
    labels = ticket.labels if member.written_labels is None else member.written_labels
    return replace(ticket, **plain, custom={**ticket.custom, **custom}, labels=labels)  # type: ignore[arg-type]


def _situation(
    context: Context, state: LinkState, ref: TicketRef, ordered: Sequence[Order], loads: Mapping[str, int]
) -> Situation:
    issue = state.issue
    return Situation(
        tracker=ref.tracker,
        issue=_neighbour(issue) if issue else None,
        issue_status=_issue_status(state),
        issue_resolution=issue.ticket.native.get("resolution") if issue and issue.ticket else None,
        tickets=tuple(_neighbour(m) for m in state.tickets),
        loads=loads,
        asked=tuple((str(order.data["name"]), order.mark) for order in ordered if order.kind == "macro"),
        moves=tuple(
            Move(line=order.data["line"], reason=str(order.data["reason"]), mark=order.mark)
            for order in ordered
            if order.kind == "line"
        ),
        leaving=labels_leaving(ordered),
        since=context.rules_since(),
        form=_Form(context, ref.tracker),
    )


class _Form:
    """How a helpdesk holds what rules set; times in text fields as people read them."""

    def __init__(self, context: Context, tracker: str) -> None:
        self._context, self._tracker = context, tracker

    def hold(self, field_name: str, value: Value) -> Value:
        fitting = _fitting(self._context, self._tracker, field_name, value)
        return self._context.connectors[self._tracker].hold(field_name, fitting)

    def hold_label(self, label: str) -> str:
        return self._context.connectors[self._tracker].hold_label(label)


def labels_leaving(ordered: Iterable[Order]) -> frozenset[str]:
    """Labels that open orders want taken off."""
    return frozenset(label for order in ordered if order.kind == "change" for label in order.data["remove"])


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
    return {**dump_changes(changes), **({"if_free": True} if data.get("if_free") else {})}


def _row(case: Case, next_at: datetime | None, snapshot: Snapshot, before: CaseRow | None) -> CaseRow:
    """`updated` and `comments` let later runs leave calls out, as the same do in the shadow of a linked ticket."""
    is_known = snapshot.comments is not None or (before is not None and before.data.get("comments") is not None)
    count = snapshot.comment_count if is_known else None
    updated = settled(snapshot)
    return CaseRow(
        ref=case.ref,
        key=case.key,
        url=case.url,
        opened=case.history.created,
        closed=case.closed,
        next_at=next_at,
        assignee=case.seen.get("assignee"),
        data={**dump_case(case), "updated": updated.isoformat() if updated else None, "comments": count},
    )


# -- doing what was ordered ---------------------------------------------------------------------------------------


def fulfil(progress: Progress, refs: Sequence[TicketRef]) -> bool:
    """Does what is ordered for these tickets; returns whether one of them was changed."""
    has_changed = False
    for attempt in range(MAX_PASSES + 1):
        for ref in refs:
            if ref in progress.stale and ref.tracker not in progress.down:
                _read(progress, ref)
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
        if attempt == MAX_PASSES:
            progress.unfinished |= {op.target for op in ready}
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
        progress.order_dropped(order.id, f"no value for {missing}")
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
    left: list[str] = []
    for name, value in changes.values.items():
        try:
            if name == "assignee":
                wanted = None if value is None else member.account(str(value))
                if value is not None and wanted is None:
                    raise Unwritable(f"nobody in {order.ref.tracker} is known as {value}; add the account under people")
                present = member.snapshot.ticket.assignee
                # Who took the ticket meanwhile keeps it.
                is_taken = present is not None and bool(order.data.get("if_free"))
                if not is_taken and (present.id if present else None) != wanted:
                    values[name] = wanted
            else:
                held = member.form.hold(name, _fitting(progress.context, order.ref.tracker, name, value))
                if held != _present(member, name):
                    values[name] = held
        except Unwritable as error:
            if name != "line":
                left.append(name)
                remedy = "Then: hub failures retry."
                why = PermanentError(order.ref.tracker, f"set {name}", str(error), remedy)
                progress.fail(order.ref, f"set {name}", "", why)
        else:
            progress.succeeded.add((order.ref, f"set {name}"))
    labels = _as_written(member).labels
    add = frozenset(member.form.hold_label(label) for label in changes.add_labels) - labels
    wanted_changes = Changes(values=values, add_labels=add, remove_labels=changes.remove_labels & labels)
    if left and (wanted_changes or len(left) < len(changes.values)):
        # What has no form here now waits as an order of its own; the rest is done.
        rest = replace(order, mark=f"{order.mark} left", data=dump_changes(changes.only(left)))
        progress.later(lambda connection: _place_again(connection, rest, progress.context.now()))
    elif left:
        return None
    if not wanted_changes:
        progress.order_done(order.id, "it was so already, or has no form in this tracker")
        return None
    return ChangeTicket(
        target=order.ref, mark=order.mark, changes=wanted_changes, order_ids=(order.id,), because=order.because
    )


def _place_again(connection: Connection, order: Order, now: datetime) -> None:
    cases.place_orders(connection, [order], now)


def _fitting(context: Context, tracker: str, name: str, value: Value) -> Value:
    """A time as people read it where the field is no date."""
    if not isinstance(value, datetime):
        return value
    described = context.connectors[tracker].base_settings.fields.get(name.removeprefix("custom:"))
    return value if described is None or described.type == "date" else f"{value:%Y-%m-%d %H:%M} {value:%Z}"


def _present(member: Member, name: str) -> object:
    ticket = _as_written(member)
    if name.startswith("custom:"):
        return ticket.custom.get(name.removeprefix("custom:"))
    return getattr(ticket, name)


def _suggestion(progress: Progress, member: Member, order: Order) -> AddComment | None:
    assert member.snapshot is not None
    connector = progress.context.connectors[order.ref.tracker]
    if Capability.KNOWLEDGE_BASE not in connector.capabilities:
        progress.order_done(order.id, "this tracker has no knowledge base that can be searched")
        return None
    try:
        found = connector.find_articles(member.snapshot.ticket.title, int(order.data["count"]))
    except PermanentError as error:
        # What else is wanted for the ticket does not wait for this.
        why = error.why
        progress.fail(order.ref, f"order:{order.mark}", "", error)
        progress.later(lambda connection: cases.finish_order(connection, order.id, "dropped", why))
        return None
    if not found:
        progress.order_done(order.id, "no article fits")
        return None
    lines = "\n".join(f"- [{article.title}]({article.url})" for article in found)
    return _text(progress, order, Markdown(f"These articles may help:\n\n{lines}"), Visibility.PRIVATE)
