"""Which issues changed since the last look, from a list that can only be read newest change first.

The API knows no updated-since (recorded: list.search_ignored, list.sort_ignored). The window is always asked for in
one page, a larger one where it does not fit: issues move between pages while those are read, and one that is taken
out of the list would draw another over the edge unseen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.connector import Hint, Polled

SELECT = "id,updated_at,sticky,tags"
"""What a look asks for: enough to leave an issue unread that has not been escalated."""
OVERLAP = timedelta(seconds=60)
"""How far back each look begins before the last one: a slow write is seen later than its time says."""
SETTLED = timedelta(seconds=5)
"""Times have whole seconds: until this long after one, another change may still get the same time."""
FIRST_PAGE = 50
GROWTH = 4

Listing = Callable[[int], Sequence[Mapping[str, Any]]]
"""The first `n` issues, with `id`, `updated_at` and `sticky`: those that stick, then the rest, newest change first."""


def look(cursor: str | None, server_time: datetime, listing: Listing) -> Polled:
    """The issues to look at, and the cursor for the next time. `server_time` is the site's clock before the call."""
    if cursor is None:
        return Polled((), _cursor(server_time, {}))
    state = json.loads(cursor)
    told: Mapping[str, str] = state["told"]
    since = datetime.fromisoformat(state["since"])
    *_, page = pages(since - OVERLAP, listing)
    window = [raw for raw in page if _time(raw) >= since - OVERLAP]
    hints = tuple(_hint(raw) for raw in window if told.get(str(raw["id"])) != raw["updated_at"])
    next_since = max(server_time, since)
    settled = [raw for raw in window if next_since - OVERLAP <= _time(raw) <= server_time - SETTLED]
    return Polled(hints, _cursor(next_since, {str(raw["id"]): str(raw["updated_at"]) for raw in settled}))


def pages(start: datetime, listing: Listing) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Larger and larger pages, each from the beginning; the last one reaches back to `start`."""
    size = FIRST_PAGE
    while True:
        page = listing(size)
        yield page
        if len(page) < size or (not page[-1].get("sticky") and _time(page[-1]) < start):
            return
        size *= GROWTH


def _cursor(since: datetime, told: Mapping[str, str]) -> str:
    # Whole seconds, as the site counts them: a part of one would leave out what changed earlier in it.
    return json.dumps({"since": since.astimezone(UTC).replace(microsecond=0).isoformat(), "told": dict(told)})


def _hint(raw: Mapping[str, Any]) -> Hint:
    labels = frozenset(str(tag["name"]) for tag in raw.get("tags") or ())
    return Hint(ticket_id=str(raw["id"]), event="poll", at=_time(raw), values={"labels": labels})


def _time(raw: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(str(raw["updated_at"])).astimezone(UTC)
