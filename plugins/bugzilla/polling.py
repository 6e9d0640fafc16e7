"""Looks for changed bugs by the time of their last change. Knows no settings.

That time has whole seconds, and a search includes the second that it begins with; two changes of one second look the
same, and a change is seen up to some seconds after the time in it. So each look begins a while before the last one
ended, and a bug is told again until its second has been over for long enough. Pages are made by moving the time, since
offsets skip whatever a change moves to the end; only within one second they are needed, and overlap. A server may cut a
page below what was asked for without a word, so a page counts as the last one only when a fuller one has been seen.
Sources: recorded exchanges search_lct_*, order_changeddate, maxresults_*, drift_page2, same_second_*.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from hub.connector import Hint, Polled
from plugins.bugzilla.mapping import utc

OVERLAP = timedelta(seconds=60)
"""How far back each look begins before the last one: a slow write is seen later than its time says."""
SETTLED = timedelta(seconds=5)
"""Until this long after a second, another change may still get it (measured: up to 1.5 s with eight writers)."""
PAGE = 200

Rows = Sequence[tuple[str, str]]
"""Bugs as (number, time of the last change), in the order of that time and of their numbers."""
Listing = Callable[[datetime, int], Rows]
"""At most `PAGE` bugs changed at a time or later, less the first `n`."""


class Looker:
    """Remembers the fullest page, for the life of the process."""

    def __init__(self) -> None:
        self._fullest = 0

    def look(self, cursor: str | None, server_time: datetime, listing: Listing) -> Polled:
        """The bugs to look at, and the cursor for the next time. `server_time` is the database's, before the listing.

        Hints tell no time: whoever compares times would take the second change of a second for known.
        """
        if cursor is None:
            return Polled((), _cursor(server_time, {}))
        state = json.loads(cursor)
        since, told = datetime.fromisoformat(state["since"]), state["told"]
        window = self._window(since - OVERLAP, listing)
        hints = tuple(Hint(ticket_id=number, event="poll") for number, at in window.items() if told.get(number) != at)
        following = max(server_time, since)
        keep = {n: at for n, at in window.items() if following - OVERLAP <= utc(at) <= server_time - SETTLED}
        return Polled(hints, _cursor(following, keep))

    def _window(self, begin: datetime, listing: Listing) -> dict[str, str]:
        seen: dict[str, str] = {}
        after, offset = begin, 0
        while True:
            rows = listing(after, offset)
            seen |= dict(rows)
            if not rows or len(rows) < min(self._fullest, PAGE):
                return seen
            self._fullest = max(self._fullest, len(rows))
            last = utc(rows[-1][1])
            after, offset = (last, 0) if last > after else (after, offset + max(1, len(rows) // 2))


def _cursor(since: datetime, told: dict[str, str]) -> str:
    return json.dumps({"since": since.astimezone(UTC).replace(microsecond=0).isoformat(), "told": told})
