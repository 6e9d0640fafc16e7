"""Which tickets changed, by the incremental cursor export, which repeats nothing and misses nothing; admins only.

Source: developer.zendesk.com, "Incremental Exports".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from hub.connector import Hint, Polled
from hub.ticket import Ticket
from plugins.zendesk import mapping
from plugins.zendesk.client import ZendeskClient

PAGE = 1000
WITHHELD = timedelta(seconds=61)
"""The export takes no start time younger than a minute and keeps the newest minute back."""


def look(client: ZendeskClient, cursor: str | None, begin: int, read: Callable[[Mapping[str, Any]], Ticket]) -> Polled:
    """One page. `begin` is where the first look starts, see `start`; `read` gives what a ticket's row says."""
    after = json.loads(cursor) if cursor else {"start": begin}
    params: dict[str, str | int] = {"cursor": after["after"]} if "after" in after else {"start_time": after["start"]}
    answer = client.get("/incremental/tickets/cursor", **params, per_page=PAGE)
    hints = tuple(_hint(raw, read(raw)) for raw in answer["tickets"])
    following = {"after": answer["after_cursor"]} if answer.get("after_cursor") else after
    return Polled(hints, json.dumps(following), not answer.get("end_of_stream", True))


def start(now: datetime, skew: float) -> int:
    """Seconds of the epoch. Zendesk measures by its own clock, `skew` seconds ahead, what is too recent."""
    return int((now - WITHHELD).timestamp() + min(skew, 0.0)) - 1


def _hint(raw: Mapping[str, Any], ticket: Ticket) -> Hint:
    return Hint(
        ticket_id=str(raw["id"]),
        event="poll",
        at=mapping.utc(raw.get("updated_at")),
        values={"labels": ticket.labels, "priority": ticket.priority, "category": ticket.category},
        is_deleted=raw.get("status") == "deleted",
    )
