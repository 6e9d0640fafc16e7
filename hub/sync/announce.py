"""One text to every affected ticket: whom it concerns, and the orders for it.

The orders are done like those of rules: once for each ticket, whatever dies when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from hub.journal import cases, deliveries, links
from hub.journal.cases import CaseRow, Order
from hub.rules.case import load_case
from hub.rules.case_clocks import case_facts
from hub.rules.conditions import evaluate
from hub.settings.rules import Condition
from hub.sync.codec import load_shadow
from hub.sync.context import Context
from hub.sync.linking import LinkingError
from hub.ticket import Markdown, Status, TicketRef, Visibility

ANSWERABLE = (
    "label", "line", "status", "priority", "category", "channel", "tracker", "organisation", "requester", "assignee",
    "title", "language", "issue_status", "custom",
)  # fmt: skip
"""The parts of a condition that are known of every ticket without a look at it."""
LONGEST_NAME = 80


@dataclass(slots=True)
class Audience:
    """To whom an announcement goes, by ticket with what people call it; and who is left out, with the reason."""

    members: dict[TicketRef, str] = field(default_factory=dict)
    left_out: dict[TicketRef, str] = field(default_factory=dict)


def choose_audience(
    context: Context,
    conditions: Sequence[Condition] = (),
    issues: Sequence[TicketRef] = (),
    tickets: Sequence[TicketRef] = (),
) -> Audience:
    """The open tickets for which all conditions hold, those of the issues, and those that are named.

    Raises LinkingError for an issue in no link and for conditions that cannot be answered. Asks no tracker.
    """
    found = Audience()
    for condition in conditions:
        _check_answerable(condition)
    with context.journal.read() as connection:
        if conditions:
            for row in cases.walk_cases(connection, only_open=True):
                facts = case_facts(load_case(row.ref, row.key, row.url, row.data))
                if all(evaluate(condition, facts).holds for condition in conditions):
                    _add(context, found, row.ref, row, is_done=False)
        for issue in issues:
            link_id = links.link_of(connection, issue)
            loaded = links.load_link(connection, link_id) if link_id is not None else None
            if loaded is None:
                raise LinkingError(f"{issue} is in no link, so no ticket waits for it; see hub links")
            for member in loaded[1]:
                if member.role == "ticket":
                    case, seen = cases.case_of(connection, member.ref), load_shadow(member.shadow).values.get("status")
                    _add(context, found, member.ref, case, is_done=isinstance(seen, Status) and seen.is_done)
        for ref in tickets:
            _add(context, found, ref, cases.case_of(connection, ref), is_done=False)
    return found


def name_of_announcement(text: str, visibility: Visibility) -> str:
    """What tells an announcement from others where nobody gave it a name: its text, and who reads it."""
    return sha256(f"{visibility} {text}".encode()).hexdigest()[:16]


def announce(
    context: Context, name: str, text: Markdown, visibility: Visibility, audience: Sequence[TicketRef]
) -> list[TicketRef]:
    """Orders the text for each ticket that has not had the announcement of this name, and wakes these; returns them."""
    now, new = context.now(), []
    mark = f"announcement {name[:LONGEST_NAME]}"
    data = {"text": text, "visibility": visibility.value}
    with context.journal.write() as connection:
        for ref in audience:
            order = Order(ref=ref, mark=mark, kind="text", data=data, because=f"the announcement {name}")
            if cases.place_orders(connection, [order], now):
                deliveries.wake(connection, str(ref), now, "announcement")
                new.append(ref)
    return new


def _add(context: Context, found: Audience, ref: TicketRef, row: CaseRow | None, *, is_done: bool) -> None:
    if ref.tracker not in context.connectors:
        found.left_out[ref] = f"there is no tracker {ref.tracker!r} in the settings any more"
    elif not context.looks_after(ref.tracker):
        found.left_out[ref] = "the rules are for tickets of helpdesks only"
    elif (row is not None and row.closed is not None) or (row is None and is_done):
        found.left_out[ref] = "it is not open any more"
    else:
        found.members[ref] = f"{row.key} {row.data['title']}" if row else ref.id


def _check_answerable(condition: Condition) -> None:
    asked = set(condition.model_dump(exclude_none=True)) - {"all", "any", "not_"}
    unknown = sorted(asked - set(ANSWERABLE))
    if unknown:
        raise LinkingError(
            f"{', '.join(unknown)} cannot be asked of all tickets at once; there are {', '.join(ANSWERABLE)}"
        )
    for part in (*(condition.all or ()), *(condition.any or ()), *([condition.not_] if condition.not_ else ())):
        _check_answerable(part)
