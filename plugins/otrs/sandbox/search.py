"""`TicketSearch`: ids only, newest first; what it does not know it ignores or answers with nothing.

Source: recorded `search.*`, `hub.find_*`, `tz_warsaw.search_*`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from plugins.otrs.sandbox.shapes import is_on
from plugins.otrs.sandbox.state import FORM, Store, Ticket

DEFAULT_LIMIT = 500
TIMES: Mapping[str, Callable[[Ticket], list[datetime]]] = {
    "TicketLastChangeTime": lambda t: [t.changed],
    "TicketChangeTime": lambda t: [t.changed],
    "TicketCreateTime": lambda t: [t.created],
    "ArticleCreateTime": lambda t: [a.created for a in t.articles],
}
SORTS: Mapping[str, Callable[[Ticket], Any]] = {
    "Age": lambda t: t.created,
    "Created": lambda t: t.created,
    "Changed": lambda t: t.changed,
    "TicketNumber": lambda t: t.number,
    "Title": lambda t: t.title,
    "Priority": lambda t: t.priority,
    "Queue": lambda t: t.queue.id,
    "State": lambda t: t.state.id,
}


class _NothingError(Exception):
    """The search names something that does not exist: the answer is as empty as that of a search without a hit."""


def search(store: Store, tickets: Iterable[Ticket], data: Mapping[str, Any], *, has_body: bool) -> list[Ticket]:
    """The tickets that fit, in the order that was asked for. Dynamic fields count in a body only."""
    found = list(tickets)
    try:
        for name, value in data.items():
            found = _filtered(store, found, name, value, data, has_body)
        return _sorted(found, data)[: int(data.get("Limit") or 0) or DEFAULT_LIMIT]
    except _NothingError:
        return []


def _filtered(
    store: Store, found: list[Ticket], name: str, value: Any, data: Mapping[str, Any], has_body: bool
) -> list[Ticket]:
    words = [str(word) for word in value] if isinstance(value, list) else [str(value)]
    if name.startswith("DynamicField"):
        return [t for t in found if _has_values(store, t, name, value)] if has_body else found
    if (time := re.fullmatch(r"(\w+Time)(Newer|Older)(Date|Minutes)", name)) and time.group(1) in TIMES:
        return _by_time(store, found, time.groups(), words[0])
    if value in (None, ""):
        return found
    match name:
        case "TicketID":
            return [t for t in found if str(t.id) in words]
        case "TicketNumber":
            return [t for t in found if any(_like(word, t.number) for word in words)]
        case "Title":
            return [t for t in found if any(_like(word, t.title) for word in words)]
        case "Queues":
            known = {q for q in words if q in store.queues}
            if not known:
                raise _NothingError
            if is_on(data.get("UseSubQueues")):
                known |= {child for queue in known for child in store.children(queue)}
            return [t for t in found if t.queue.name in known]
        case "States":
            return [t for t in found if t.state.name in words]
        case "CustomerID":
            return [t for t in found if t.customer_id in words]
        case "CustomerUserLogin" if has_body or "UserLogin" in data or "SessionID" in data:
            return [t for t in found if t.customer_user in words]
        case "MIMEBase_Body":
            return [t for t in found if any(_like(w, a.body) for w in words for a in t.articles)]
        case "Fulltext":
            return [t for t in found if any(_holds(t, word) for word in words)]
    return found


def _by_time(store: Store, found: list[Ticket], time: tuple[Any, ...], value: str) -> list[Ticket]:
    """Both bounds are inclusive; a date in any other form finds nothing."""
    field, side, form = time
    if form == "Minutes":
        if not value.isdigit():
            raise _NothingError
        bound = store.now() - timedelta(minutes=int(value))
    else:
        try:
            bound = datetime.strptime(value, FORM).replace(tzinfo=store.zone)
        except ValueError as error:
            raise _NothingError from error
    times = TIMES[field]
    if side == "Newer":
        return [t for t in found if any(at >= bound for at in times(t))]
    return [t for t in found if any(at <= bound for at in times(t))]


def _sorted(found: list[Ticket], data: Mapping[str, Any]) -> list[Ticket]:
    columns, orders = _words(data.get("SortBy") or "Age"), _words(data.get("OrderBy") or "Down")
    if any(column not in SORTS for column in columns):
        raise _NothingError
    # What is equal comes in no order that anybody may count on: here the youngest first.
    found = sorted(found, key=lambda t: t.id, reverse=True)
    for column, order in reversed(list(zip(columns, orders + ["Down"] * len(columns), strict=False))):
        found = sorted(found, key=SORTS[column], reverse=order == "Down")
    return found


def _has_values(store: Store, ticket: Ticket, name: str, value: Any) -> bool:
    """A field that is not known, or a value without an operator, limits nothing."""
    if name.startswith("DynamicField_"):
        wanted = [{"Name": name.removeprefix("DynamicField_"), **value}] if isinstance(value, dict) else []
    else:
        wanted = [w for w in (value if isinstance(value, list) else [value]) if isinstance(w, dict)]
    return all(_fits(ticket.values.get(w["Name"]), w) for w in wanted if w.get("Name") in store.fields)


def _fits(held: Any, wanted: Mapping[str, Any]) -> bool:
    values = [str(v) for v in held] if isinstance(held, list) else [] if held is None else [str(held)]
    if "Empty" in wanted and is_on(wanted["Empty"]) == bool(values):
        return False
    for operator, test in (("Equals", str.__eq__), ("Like", lambda v, w: _like(w, v))):
        if operator in wanted:
            words = _words(wanted[operator])
            if not any(test(value, word) for value in values for word in words):
                return False
    return True


def _holds(ticket: Ticket, word: str) -> bool:
    texts = [ticket.title, *(f"{a.subject}\n{a.body}\n{a.sender}" for a in ticket.articles)]
    return any(word.casefold() in text.casefold() for text in texts)


def _like(pattern: str, text: str) -> bool:
    """`*` and `%` stand for anything; case does not matter."""
    parts = [re.escape(part) for part in re.split(r"[*%]", pattern)]
    return re.fullmatch(".*".join(parts), text, re.I | re.S) is not None


def _words(value: Any) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]
