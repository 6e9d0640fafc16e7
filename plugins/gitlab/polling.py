"""Looks for changed issues by the time of their last change. Knows no settings.

GitLab pages by offset over a list that moves while it is read: whatever is changed meanwhile jumps to the end and
everything behind it moves up a place. So each full page is followed by a new list from its last time on, and by a
further page only while all of a page has one and the same time. A transaction may be seen later than the time in it,
so every look goes back a little; what was told already is left out. Times are GitLab's own, never this machine's.
Source: docs.gitlab.com, "Issues API" (`updated_after` includes the time itself), "REST API: pagination".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hub.connector import Hint, Polled
from plugins.gitlab.client import PAGE, GitlabClient
from plugins.gitlab.mapping import utc

OVERLAP = timedelta(minutes=2)

List = Callable[[str, int], list[dict[str, Any]]]
"""One page (counted from 1) of the issues changed at a time (ISO 8601) or later, in the order of their change."""


def lister(client: GitlabClient) -> List:
    """The list of the configured project's issues."""

    def listed(after: str, page: int) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = client.get(
            "~/issues", updated_after=after, order_by="updated_at", sort="asc", scope="all", page=page, per_page=PAGE
        )
        return rows

    return listed


def look(cursor: str | None, begin: datetime, listed: List) -> Polled:
    """One look. `begin` is where the first one starts: the present time by GitLab's clock."""
    if cursor is None:
        return Polled((), json.dumps({"since": begin.isoformat(), "told": {}}))
    state = json.loads(cursor)
    since, told = datetime.fromisoformat(state["since"]), state["told"]
    seen = _all_since(since - OVERLAP, listed)
    hints = tuple(
        Hint(ticket_id=iid, event="poll", at=utc(updated)) for iid, updated in seen.items() if told.get(iid) != updated
    )
    newest = max([since, *(at for at in map(utc, seen.values()) if at is not None)])
    kept = {iid: updated for iid, updated in seen.items() if (utc(updated) or newest) >= newest - OVERLAP}
    return Polled(hints, json.dumps({"since": newest.isoformat(), "told": kept}))


def _all_since(begin: datetime, listed: List) -> dict[str, str]:
    seen: dict[str, str] = {}
    after, page = begin.isoformat().replace("+00:00", "Z"), 1
    while True:
        rows = listed(after, page)
        seen |= {str(row["iid"]): str(row["updated_at"]) for row in rows}
        if len(rows) < PAGE:
            return seen
        last = str(rows[-1]["updated_at"])
        if last != str(rows[0]["updated_at"]):
            after, page = last, 1
        else:
            page += 1
