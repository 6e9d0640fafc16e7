"""Keys: what waits and runs. A ticket in no link has its own (`support:35436`), a link has one for all (`link:7`)."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from hub.journal import links
from hub.sync.context import Context
from hub.ticket import TicketRef


def link_key(link_id: int) -> str:
    return f"link:{link_id}"


def lock_key(context: Context, wake_key: str) -> str:
    """Under which key a wake is to run: that of the ticket's link, if it is in one."""
    with context.journal.read() as connection:
        return lock_key_in(connection, wake_key)


def lock_key_in(connection: Connection, wake_key: str) -> str:
    """The same within a transaction."""
    ref = ticket_of(wake_key)
    link_id = None if ref is None else links.link_of(connection, ref)
    return wake_key if link_id is None else link_key(link_id)


def ticket_of(key: str) -> TicketRef | None:
    """The ticket whose own key this is, None for the key of a link."""
    return None if key.startswith("link:") else TicketRef.parse(key)
