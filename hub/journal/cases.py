"""Cases and orders: what the rules know of a ticket, and what they, or a person, want done to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.journal.schema import cases, facts, members, orders
from hub.journal.statements import Prepared, insert_into, upsert
from hub.ticket import TicketRef

OrderKind = Literal["text", "change", "issue", "notice", "call", "macro", "line", "suggest"]
BATCH = 1000
"""Rows that are held at once when all cases are walked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A stored case; `data` as `hub.rules.case` writes it."""

    ref: TicketRef
    key: str
    url: str
    opened: datetime
    closed: datetime | None
    next_at: datetime | None
    assignee: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Something to be done to a ticket. `mark` tells it from every other of the ticket; `id` is 0 before storing."""

    ref: TicketRef
    mark: str
    kind: OrderKind
    data: Mapping[str, Any]
    because: str
    id: int = 0
    made: datetime | None = None


def case_of(connection: Connection, ref: TicketRef) -> CaseRow | None:
    """The case of a ticket, None for one that no rule has looked at."""
    row = _CASE.first(connection, the_tracker=ref.tracker, the_ticket=ref.id)
    return None if row is None else _case(row)


def cases_of(connection: Connection, refs: Sequence[TicketRef]) -> dict[TicketRef, CaseRow]:
    """The cases of these tickets."""
    found = [case_of(connection, ref) for ref in refs]
    return {case.ref: case for case in found if case is not None}


def save_case(connection: Connection, case: CaseRow) -> None:
    _SAVE_CASE.run(
        connection,
        tracker=case.ref.tracker,
        ticket_id=case.ref.id,
        key=case.key,
        url=case.url,
        opened=case.opened,
        closed=case.closed,
        next_at=case.next_at,
        assignee=case.assignee,
        data=dict(case.data),
    )


def walk_cases(connection: Connection, *, only_open: bool = False) -> Iterator[CaseRow]:
    """All cases, or the open ones, a batch at a time."""
    last = 0
    while True:
        query = sa.select(cases).where(cases.c.id > last).order_by(cases.c.id).limit(BATCH)
        if only_open:
            query = query.where(cases.c.closed.is_(None))
        rows = connection.execute(query).all()
        yield from map(_case, rows)
        if len(rows) < BATCH:
            return
        last = rows[-1].id


def next_open_cases(connection: Connection, after: int, limit: int) -> tuple[int, list[CaseRow]]:
    """The next open cases after the one with this internal number, and the number of the last of them."""
    query = sa.select(cases).where(cases.c.id > after, cases.c.closed.is_(None)).order_by(cases.c.id).limit(limit)
    rows = connection.execute(query).all()
    return (rows[-1].id if rows else after), [_case(row) for row in rows]


def open_and_unlinked(connection: Connection) -> list[TicketRef]:
    """The open tickets that rules look after and that are in no link."""
    linked = sa.and_(members.c.tracker == cases.c.tracker, members.c.ticket_id == cases.c.ticket_id)
    query = (
        sa.select(cases.c.tracker, cases.c.ticket_id)
        .outerjoin(members, linked)
        .where(cases.c.closed.is_(None), members.c.id.is_(None))
        .order_by(cases.c.id)
    )
    return [TicketRef(row.tracker, row.ticket_id) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An open ticket with an issue: its words, and the issue with its key and neutral status as the rules saw it."""

    ref: TicketRef
    words: Sequence[str]
    issue: TicketRef
    issue_key: str
    issue_status: str | None


def with_issues_in(connection: Connection, tracker: str) -> Iterator[Candidate]:
    """The open tickets whose issue is in this tracker. Of all others nothing is read."""
    ticket, issue = members.alias("ticket"), members.alias("issue")
    query = (
        sa.select(
            cases.c.tracker,
            cases.c.ticket_id,
            cases.c.data["words"].label("words"),
            cases.c.data["seen"]["issue_status"].label("issue_status"),
            issue.c.ticket_id.label("issue_id"),
            issue.c.key.label("issue_key"),
        )
        .join(ticket, ticket.c.link_id == issue.c.link_id)
        .join(cases, sa.and_(cases.c.tracker == ticket.c.tracker, cases.c.ticket_id == ticket.c.ticket_id))
        .where(issue.c.role == "issue", issue.c.tracker == tracker, ticket.c.role == "ticket", cases.c.closed.is_(None))
        .order_by(ticket.c.id)
        .select_from(issue)
    )
    for row in connection.execute(query):
        yield Candidate(
            ref=TicketRef(row.tracker, row.ticket_id),
            words=row.words or (),
            issue=TicketRef(tracker, row.issue_id),
            issue_key=row.issue_key,
            issue_status=row.issue_status,
        )


def load_digest(connection: Connection) -> str:
    """By which rule book the stored clocks were computed; empty before the first one."""
    found = connection.execute(sa.select(facts.c.value).where(facts.c.name == RULE_BOOK)).scalar()
    return str(found or "")


def save_digest(connection: Connection, digest: str) -> None:
    _SAVE_FACT.run(connection, name=RULE_BOOK, value=digest)


def rules_since(connection: Connection, now: datetime) -> datetime:
    """Since when this installation has had rules, UTC: `now` where it had none before. Needs a transaction that writes.

    What fell due before that is nobody's to be told of now.
    """
    query = sa.select(facts.c.value).where(facts.c.name == RULES_SINCE)
    found = connection.execute(query).scalar()
    if found is None:
        _SAVE_FACT.run(connection, name=RULES_SINCE, value=now.isoformat())
        return now
    return datetime.fromisoformat(found)


def leave_sight(connection: Connection, case: CaseRow, now: datetime, *, is_gone: bool) -> None:
    """The ticket is not shown to the hub now: nothing looks at it by itself until it is seen again.

    One that is gone for good counts as closed, and what was ordered for it is dropped.
    """
    if is_gone:
        case = replace(case, closed=case.closed or now, data={**case.data, "gone": now.isoformat()})
        for order in open_orders(connection, [case.ref]):
            finish_order(connection, order.id, "dropped", "the ticket is gone")
    save_case(connection, replace(case, next_at=None))


def find_case(connection: Connection, tracker: str, key: str) -> TicketRef | None:
    """The ticket that people call `key` (`#35436`), or whose id it is."""
    found = connection.execute(
        sa.select(cases.c.ticket_id).where(
            cases.c.tracker == tracker, sa.or_(cases.c.key == key, cases.c.ticket_id == key)
        )
    ).scalar()
    return None if found is None else TicketRef(tracker, found)


def workloads(connection: Connection) -> dict[str, int]:
    """How many open cases each assignee has, by the key that all trackers share."""
    rows = connection.execute(_WORKLOADS)
    return {row.assignee: row.number for row in rows}


def place_orders(connection: Connection, wanted: Iterable[Order], now: datetime) -> int:
    """Stores orders; one whose mark the ticket has had already is left out. Returns how many are new."""
    rows = [
        {
            "tracker": order.ref.tracker,
            "ticket_id": order.ref.id,
            "mark": order.mark,
            "kind": order.kind,
            "data": dict(order.data),
            "because": order.because,
            "made": now,
            "state": "open",
            "outcome": "",
        }
        for order in wanted
    ]
    if not rows:
        return 0
    return sum(_PLACE_ORDER.run(connection, **row) for row in rows)


def open_orders(connection: Connection, refs: Sequence[TicketRef]) -> list[Order]:
    """What is to be done to these tickets, in the order in which it was wanted."""
    rows = [row for ref in refs for row in _OPEN_ORDERS.rows(connection, the_tracker=ref.tracker, the_ticket=ref.id)]
    return [_order(row) for row in sorted(rows, key=lambda row: int(row.id))]


def finish_order(connection: Connection, order_id: int, state: Literal["done", "dropped"], outcome: str = "") -> None:
    """What was ordered is done, or will not be done, and why."""
    _FINISH_ORDER.run(connection, the_id=order_id, new_state=state, new_outcome=outcome)


def change_order(connection: Connection, order_id: int, data: Mapping[str, Any]) -> None:
    """What is left of an order after a part of it was done."""
    connection.execute(orders.update().where(orders.c.id == order_id).values(data=dict(data)))


def orders_of(connection: Connection, ref: TicketRef) -> list[tuple[Order, str, str]]:
    """Everything that was ever ordered for a ticket, with state and outcome, oldest first."""
    rows = connection.execute(
        sa.select(orders).where(orders.c.tracker == ref.tracker, orders.c.ticket_id == ref.id).order_by(orders.c.id)
    )
    return [(_order(row), row.state, row.outcome) for row in rows]


def last_ordered(connection: Connection, ref: TicketRef) -> datetime | None:
    """When something was last ordered for a ticket."""
    return connection.execute(
        sa.select(sa.func.max(orders.c.made)).where(orders.c.tracker == ref.tracker, orders.c.ticket_id == ref.id)
    ).scalar()


def tickets_with_open_orders(connection: Connection) -> list[TicketRef]:
    rows = connection.execute(
        sa.select(orders.c.tracker, orders.c.ticket_id).where(orders.c.state == "open").distinct()
    )
    return [TicketRef(row.tracker, row.ticket_id) for row in rows]


RULE_BOOK = "rule_book"
RULES_SINCE = "rules_since"
_SAVE_FACT = upsert(facts, ["name"])
_CASE = Prepared(
    sa.select(cases).where(
        cases.c.tracker == sa.bindparam("the_tracker"), cases.c.ticket_id == sa.bindparam("the_ticket")
    )
)
_SAVE_CASE = upsert(cases, ["tracker", "ticket_id"])
_WORKLOADS = (
    sa.select(cases.c.assignee, sa.func.count().label("number"))
    .where(cases.c.closed.is_(None), cases.c.assignee.is_not(None))
    .group_by(cases.c.assignee)
)
_PLACE_ORDER = Prepared(lambda dialect: insert_into(orders, dialect).on_conflict_do_nothing())
_OPEN_ORDERS = Prepared(
    sa.select(orders).where(
        orders.c.tracker == sa.bindparam("the_tracker"),
        orders.c.ticket_id == sa.bindparam("the_ticket"),
        orders.c.state == "open",
    )
)
_FINISH_ORDER = Prepared(
    orders.update()
    .where(orders.c.id == sa.bindparam("the_id"))
    .values(state=sa.bindparam("new_state"), outcome=sa.bindparam("new_outcome"))
)


def _case(row: Any) -> CaseRow:
    return CaseRow(
        ref=TicketRef(row.tracker, row.ticket_id),
        key=row.key,
        url=row.url,
        opened=row.opened,
        closed=row.closed,
        next_at=row.next_at,
        assignee=row.assignee,
        data=row.data,
    )


def _order(row: Any) -> Order:
    return Order(
        ref=TicketRef(row.tracker, row.ticket_id),
        mark=row.mark,
        kind=row.kind,
        data=row.data,
        because=row.because,
        id=row.id,
        made=row.made,
    )
