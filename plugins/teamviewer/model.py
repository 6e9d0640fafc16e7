"""Sessions and connection reports of TeamViewer, as the hub uses them. Pure.

Source: TeamViewer Web API documentation, "Sessions" and "Reports"; the official TeamViewerPS module (names of fields).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hub.ticket import TicketRef

MARK_VERSION = "v1"
OPEN = "open"
NOBODY = "u0"
"""The id that stands for no supporter."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session of remote support that waits for its people. Times are UTC.

    Whoever has a link can use it: `end_customer_link` is for the customer, `supporter_link` for staff alone; neither
    shows when a session is printed. `assignee_id` is TeamViewer's id of the supporter, empty for nobody.
    """

    code: str
    end_customer_link: str = field(repr=False)
    supporter_link: str = field(repr=False)
    valid_until: datetime | None = None
    assignee_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A connection that has ended. `id` is the same for ever; `session_code` is empty for one without a session."""

    id: str
    started: datetime
    ended: datetime
    session_code: str = ""
    supporter: str = ""
    device: str = ""
    group: str = ""
    notes: str = ""


def utc(text: str | None) -> datetime | None:
    """A time of TeamViewer's (`2017-02-03T14:10:50Z`); one without a zone is UTC."""
    if not text:
        return None
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def mark_of(ref: TicketRef) -> str:
    """What a session carries in `custom_api`, which only the API shows: whose ticket it is for."""
    return json.dumps({"hub": MARK_VERSION, "ref": str(ref)}, separators=(",", ":"))


def ref_of(raw: Mapping[str, Any]) -> TicketRef | None:
    """The ticket that a session was made for, None where the hub did not make it."""
    try:
        mark = json.loads(raw.get("custom_api") or "")
        return TicketRef.parse(mark["ref"]) if mark["hub"] == MARK_VERSION else None
    except (ValueError, TypeError, KeyError, AttributeError):
        # Other programs write what they like there.
        return None


def is_open(raw: Mapping[str, Any], now: datetime) -> bool:
    """Whether people can still meet in a session. The case of the word differs between TeamViewer's pages."""
    valid_until = utc(raw.get("valid_until"))
    return str(raw.get("state") or "").casefold() == OPEN and (valid_until is None or valid_until > now)


def session(raw: Mapping[str, Any]) -> Session:
    """A session of its full form."""
    return Session(
        code=str(raw["code"]),
        end_customer_link=str(raw.get("end_customer_link") or ""),
        supporter_link=str(raw.get("supporter_link") or raw.get("webclient_supporter_link") or ""),
        valid_until=utc(raw.get("valid_until")),
        assignee_id=assignee if (assignee := str(raw.get("assigned_userid") or "")) != NOBODY else "",
    )


def report(raw: Mapping[str, Any]) -> Report | None:
    """A report of a connection that has ended; None while it lasts."""
    started, ended = utc(raw.get("start_date")), utc(raw.get("end_date"))
    if started is None or ended is None:
        return None
    return Report(
        id=str(raw["id"]),
        started=started,
        ended=ended,
        session_code=str(raw.get("session_code") or ""),
        supporter=str(raw.get("username") or ""),
        device=str(raw.get("devicename") or ""),
        group=str(raw.get("groupname") or ""),
        notes=str(raw.get("notes") or ""),
    )
