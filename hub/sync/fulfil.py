"""Doing what rules or people ordered: each order becomes an operation, and is done like every other write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

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
from hub.journal import cases
from hub.journal.cases import Order
from hub.sync.apply import apply_operations
from hub.sync.codec import dump_changes, load_changes
from hub.sync.context import Context
from hub.sync.marks import comment_mark
from hub.sync.operations import AddComment, CallAction, ChangeTicket, Notify, Operation, digest_of_operation, outlet_of
from hub.sync.progress import Progress
from hub.sync.reading import Request, read_member
from hub.sync.shorten import shortened
from hub.sync.state import Member
from hub.ticket import Markdown, Ticket, TicketRef, Value, Visibility

MAX_PASSES = 3
"""How often what was ordered leads to more orders within one run: an action that tells something, a macro of a rule."""
RULE_MARK = "rule:"
"""How the origin ids begin of texts that rules wrote."""


def fulfil(progress: Progress, refs: Sequence[TicketRef]) -> bool:
    """Does what is ordered for these tickets; returns whether one of them was changed."""
    has_changed = False
    for attempt in range(MAX_PASSES + 1):
        for ref in refs:
            if ref in progress.stale and ref.tracker not in progress.down:
                read_or_put_off(progress, ref)
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


def has_orders(context: Context, ref: TicketRef) -> bool:
    """Whether something is to be done to a ticket that was ordered for it."""
    if not context.takes_orders:
        return False
    with context.journal.read() as connection:
        return bool(cases.open_orders(connection, [ref]))


def issue_wanted(progress: Progress, ref: TicketRef) -> Order | None:
    """The open order for an issue, if a rule wants one."""
    with progress.context.journal.read() as connection:
        orders = cases.open_orders(connection, [ref])
    return next((order for order in orders if order.kind == "issue"), None)


def labels_leaving(ordered: Iterable[Order]) -> frozenset[str]:
    """Labels that open orders want taken off."""
    return frozenset(label for order in ordered if order.kind == "change" for label in order.data["remove"])


def lose_sight(context: Context, ref: TicketRef, *, is_gone: bool) -> None:
    """The ticket is not found where it was: nothing looks at it by itself until somebody sees it again."""
    if context.book is None:
        return
    with context.journal.write() as connection:
        row = cases.case_of(connection, ref)
        if row is not None:
            cases.leave_sight(connection, row, context.now(), is_gone=is_gone)


def read_or_put_off(progress: Progress, ref: TicketRef) -> None:
    try:
        read_member(progress, ref, Request(False))
    except NotFoundError as error:
        progress.fail(ref, "read", "", error)
        lose_sight(progress.context, ref, is_gone=False)
    except ConnectorError as error:
        progress.postpone(ref.tracker, error, error.retry_after if isinstance(error, RateLimitedError) else None)


def as_written(member: Member) -> Ticket:
    """The ticket as it was read, with what the hub wrote to it since, e.g. because its issue changed."""
    assert member.snapshot is not None
    ticket = member.snapshot.ticket
    plain = {n: v for n, v in member.written.items() if n in ("status", "priority", "category", "line", "title")}
    custom = {n.removeprefix("custom:"): v for n, v in member.written.items() if n.startswith("custom:")}
    labels = ticket.labels if member.written_labels is None else member.written_labels
    return replace(ticket, **plain, custom={**ticket.custom, **custom}, labels=labels)  # type: ignore[arg-type]


def fitting(context: Context, tracker: str, name: str, value: Value) -> Value:
    """A time as people read it where the field is no date."""
    if not isinstance(value, datetime):
        return value
    described = context.connectors[tracker].base_settings.fields.get(name.removeprefix("custom:"))
    return value if described is None or described.type == "date" else f"{value:%Y-%m-%d %H:%M} {value:%Z}"


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
                held = member.form.hold(name, fitting(progress.context, order.ref.tracker, name, value))
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
    labels = as_written(member).labels
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


def _present(member: Member, name: str) -> object:
    ticket = as_written(member)
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
