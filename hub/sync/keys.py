"""Keys: what waits and runs, in one place at a time.

A ticket in no link has its own (`support:35436`), a link has one for all (`link:7`), and a group of alerts has one by
which its incident is opened and kept (`alert:prometheus:<32 hex digits>`).
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy.engine import Connection

from hub.journal import links
from hub.sync.context import Context
from hub.ticket import TicketRef

_LINK, _ALERT = "link:", "alert:"


class AlertGroup(NamedTuple):
    """A group of alerts of one source of the settings."""

    source: str
    group: str


def link_key(link_id: int) -> str:
    return f"{_LINK}{link_id}"


def alert_key(source: str, group: str) -> str:
    return f"{_ALERT}{source}:{group}"


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
    """The ticket whose own key this is, None for the key of a link or of alerts."""
    return None if key.startswith((_LINK, _ALERT)) else TicketRef.parse(key)


def alerts_of(key: str) -> AlertGroup | None:
    """The group of alerts whose key this is, None for every other key."""
    if not key.startswith(_ALERT):
        return None
    source, _, group = key.removeprefix(_ALERT).partition(":")
    return AlertGroup(source, group)
