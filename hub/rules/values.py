"""What placeholders stand for: the values of a ticket and of what is around it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.rules.placeholders import Formatted
from hub.ticket import Person, Status, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """Another ticket of the same link, for texts."""

    key: str
    url: str
    title: str
    tracker: str


def ticket_values(
    ticket: Ticket,
    tracker: str,
    *,
    issue: Neighbour | None = None,
    issue_status: Status | None = None,
    tickets: Sequence[Neighbour] = (),
    due: datetime | None = None,
    line: str | None = None,
    now: datetime,
) -> dict[str, Any]:
    """The values under the names of `hub.rules.placeholders.NAMES`. `tickets` are those of the link, this one included.

    `due` is the earliest open deadline, UTC; `line` the name of the support line.
    """
    own = Neighbour(key=ticket.key, url=ticket.url, title=ticket.title, tracker=tracker)
    together = tickets or (own,)
    return {
        "ticket": {
            **_named(own),
            "description": Formatted(ticket.description or ""),
            "status": ticket.status,
            "priority": ticket.priority,
            "category": ticket.category,
            "organisation": ticket.organisation,
        },
        "requester": {**_person(ticket.requester), "language": ticket.requester.language if ticket.requester else None},
        "agent": _person(ticket.assignee),
        "issue": {**_named(issue), "status": issue_status} if issue else None,
        "line": {"number": ticket.line, "name": line},
        "tickets": [_named(one) for one in together],
        "customers": len(together),
        "due": due,
        "now": now,
        "custom": dict(ticket.custom),
    }


def _named(neighbour: Neighbour) -> dict[str, Any]:
    return {
        "key": neighbour.key,
        "url": Formatted(neighbour.url) if neighbour.url else None,
        "title": neighbour.title,
        "tracker": neighbour.tracker,
    }


def _person(person: Person | None) -> dict[str, Any]:
    return {"name": person.name if person else None, "email": person.email if person else None}
