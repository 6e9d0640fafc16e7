"""Looking after tickets by the rule book: the ruling is recorded, and what it ordered is done like every other write.

A ruling and its orders are stored in one transaction before anything is done. So a rule fires once, whatever dies
when, and what it wanted is done until it has its receipt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.engine import Connection

from hub.connector import Changes, Unwritable
from hub.journal import cases, deliveries, events
from hub.journal.cases import CaseRow, Order
from hub.rules.case import Case, Seen, dump_case, load_case
from hub.rules.one_pass import rule_on
from hub.rules.past import rule_on_past
from hub.rules.ruling import Move, Ruling, Situation
from hub.rules.values import Neighbour
from hub.sync.advance import settled
from hub.sync.codec import dump_changes
from hub.sync.context import Context
from hub.sync.fulfil import RULE_MARK, as_written, fitting, fulfil, labels_leaving, lose_sight, read_or_put_off
from hub.sync.marks import is_own_mark
from hub.sync.progress import Progress
from hub.sync.state import LinkState, Member
from hub.ticket import Snapshot, Status, TicketRef, Value

log = structlog.get_logger("hub.rules")

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
            read_or_put_off(progress, ref)
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
    ticket = as_written(member)
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
        said = fitting(self._context, self._tracker, field_name, value)
        return self._context.connectors[self._tracker].hold(field_name, said)

    def hold_label(self, label: str) -> str:
        return self._context.connectors[self._tracker].hold_label(label)


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
