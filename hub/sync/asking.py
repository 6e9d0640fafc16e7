"""What a person asks for from outside the helpdesk, by a command or the API: a macro, a hand-over. Stored as an order.

An order is done with the ticket's next run, like what a rule wants; the same mark is done once, however often it is
asked for.
"""

from __future__ import annotations

from typing import Literal

from hub.journal import cases, deliveries, links
from hub.journal.cases import Order
from hub.rules.book import RuleBook
from hub.rules.macros import MACRO_LABEL
from hub.settings.problems import suggest
from hub.sync.context import Context
from hub.sync.linking import LinkingError
from hub.text import from_plain
from hub.ticket import TicketRef

BECAUSE = "a person asked for it"


def known_ticket(context: Context, what: str) -> TicketRef | None:
    """The ticket that is meant by id or by what people call it, as far as the store knows it. Raises LinkingError."""
    try:
        given = TicketRef.parse(what)
    except ValueError as error:
        raise LinkingError(str(error)) from error
    with context.journal.read() as connection:
        known = links.find_by_key(connection, given.tracker, given.id)
        return known or cases.find_case(connection, given.tracker, given.id)


def book_of(context: Context) -> RuleBook:
    """The rule book. Raises LinkingError where the settings have none."""
    if context.book is None:
        raise LinkingError("the settings have no rules: add lines, agreements, rules or macros")
    return context.book


def macro_key(context: Context, name: str) -> str:
    """The name of a macro as the settings write it. Raises LinkingError where there is none, with the one meant."""
    macros = book_of(context).macros
    key = {known.casefold(): known for known in macros}.get(name.casefold())
    if key is None:
        raise LinkingError(f"there is no macro {name!r}. {suggest(name, [*macros])}")
    return key


def check_line(context: Context, line: int | Literal["next", "previous"]) -> None:
    """Raises LinkingError for a line that the settings do not have."""
    lines = book_of(context).lines
    if not lines:
        raise LinkingError("the settings have no lines")
    if isinstance(line, int) and line not in lines:
        raise LinkingError(f"there is no line {line}; there are {', '.join(map(str, lines))}")


def macro_order(context: Context, ref: TicketRef, name: str, mark: str = "") -> Order:
    """The order to run a macro; so marked, its reply counts as that of the agent who runs it.

    Raises LinkingError for a macro that does not exist, and for a ticket that the rules are not for.
    """
    key = macro_key(context, name)
    _is_for_rules(context, ref)
    mark = f"{MACRO_LABEL}{key} {mark or context.now().isoformat()}"
    return Order(ref=ref, mark=mark, kind="macro", data={"name": key}, because=BECAUSE)


def line_order(
    context: Context, ref: TicketRef, line: int | Literal["next", "previous"], reason: str, mark: str = ""
) -> Order:
    """The order to hand a ticket to another line. Raises LinkingError, as `macro_order` does."""
    check_line(context, line)
    _is_for_rules(context, ref)
    data = {"line": line, "reason": from_plain(reason)}
    return Order(
        ref=ref, mark=f"escalation {mark or context.now().isoformat()}", kind="line", data=data, because=BECAUSE
    )


def ask(context: Context, order: Order) -> bool:
    """Stores an order and wakes its ticket; False when the same mark was ordered before."""
    now = context.now()
    with context.journal.write() as connection:
        is_new = bool(cases.place_orders(connection, [order], now))
        if is_new:
            deliveries.wake(connection, str(order.ref), now, "asked for")
    return is_new


def _is_for_rules(context: Context, ref: TicketRef) -> None:
    if ref.tracker not in context.connectors or not context.looks_after(ref.tracker):
        raise LinkingError(f"the rules are for tickets of helpdesks, which {ref.tracker} is not")
