"""Which tickets changed, from a search by the time of their last change."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta

from hub.connector import Hint, Polled
from plugins.otrs.tickets import Tickets

PAGE = 500


def look(tickets: Tickets, cursor: str | None, now: datetime) -> Polled:
    """Whatever changed since the last look, and in the minute before it.

    The window is given as a number of minutes back from the server's own now: that needs neither its zone nor its
    clock, and no local time that summer time makes ambiguous. A full page is asked for again with more room.
    """
    if cursor is None:
        return Polled((), json.dumps({"since": now.isoformat(), "limit": PAGE}))
    last = json.loads(cursor)
    back = now - datetime.fromisoformat(last["since"])
    minutes = max(1, math.ceil(back / timedelta(minutes=1)) + 1)
    found = tickets.find(TicketLastChangeTimeNewerMinutes=minutes, SortBy="Changed", OrderBy="Up", Limit=last["limit"])
    hints = tuple(Hint(ticket_id=ticket_id, event="poll") for ticket_id in found)
    if len(found) >= last["limit"]:
        return Polled(hints, json.dumps({**last, "limit": last["limit"] * 4}), has_more=True)
    return Polled(hints, json.dumps({"since": now.isoformat(), "limit": PAGE}))
