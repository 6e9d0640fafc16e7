"""What becomes of a link when its tracker merges one ticket into another."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from hub.journal import deliveries, events, links
from hub.sync.keys import link_key
from hub.ticket import TicketRef


def take_place(connection: Connection, link_id: int, gone: TicketRef, heir: TicketRef, now: datetime) -> str:
    """Lets the ticket that another one was merged into take its place in the link.

    Returns why it cannot, or nothing: two issues cannot become one because two tickets did.
    """
    other = links.link_of(connection, heir)
    if other is not None and other != link_id:
        return f"{gone} was merged into {heir}, which is in link {other} with an issue of its own"
    links.remove_member(connection, gone)
    why = {"why": f"{gone} was merged into {heir}"}
    noted = [events.Event(at=now, kind="unlinked", ref=gone, link_id=link_id, data=why)]
    if other is None:
        links.add_member(connection, link_id, heir, key="", url="", role="ticket", now=now)
        noted.append(events.Event(at=now, kind="linked", ref=heir, link_id=link_id, data=why))
    events.record(connection, noted)
    deliveries.wake(connection, link_key(link_id), now, "merged")
    return ""
