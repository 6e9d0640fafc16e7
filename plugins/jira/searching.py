"""Looks for issues by JQL, which Cloud and Data Center answer at different addresses and in different pages."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.connector import Hint, Polled
from plugins.jira import mapping
from plugins.jira.client import JiraClient
from plugins.jira.site import Site

PAGE = 100
POLL_OVERLAP = timedelta(minutes=3)
"""JQL compares whole minutes and the index lags; what was told already is left out by id and time."""


class Searching:
    """The searches of one site."""

    def __init__(self, client: JiraClient, site: Site) -> None:
        self._client, self._site = client, site

    def find(self, jql: str, fields: str) -> list[dict[str, Any]]:
        """All issues that match, each once, with the named fields (parted by commas)."""
        found: dict[str, dict[str, Any]] = {}
        token: str | None = None
        while True:
            body: dict[str, Any] = {"jql": jql, "fields": fields.split(","), "maxResults": PAGE}
            if self._site.is_cloud():
                answer = self._client.send(
                    "POST", "/rest/api/2/search/jql", body | ({"nextPageToken": token} if token else {})
                )
            else:
                answer = self._client.send("POST", "/search", body | {"startAt": len(found)})
            before = len(found)
            found |= {str(i["id"]): i for i in answer["issues"]}
            token = answer.get("nextPageToken")
            at_end = not token if self._site.is_cloud() else len(found) >= int(answer["total"])
            if at_end or len(found) == before:
                return list(found.values())

    def poll(self, cursor: str | None, now: datetime) -> Polled:
        """Everything updated since the last look, less what was told then. Times are epoch milliseconds, which JQL
        takes without regard to the account's time zone."""
        state: dict[str, Any] = json.loads(cursor) if cursor else {"since": now.timestamp(), "told": {}}
        since = datetime.fromtimestamp(state["since"], UTC) - POLL_OVERLAP
        jql = f"updated >= {int(since.timestamp() * 1000)} ORDER BY updated ASC, key ASC"
        told: dict[str, str] = state["told"]
        hints = []
        seen: dict[str, str] = {}
        for raw in self.find(jql, "updated"):
            updated = str(raw["fields"]["updated"])
            seen[str(raw["id"])] = updated
            if cursor and told.get(str(raw["id"])) != updated:
                hints.append(Hint(ticket_id=str(raw["id"]), event="poll", at=mapping.utc(updated)))
        # Only now, after the whole pass: issues move between pages while they are read.
        return Polled(tuple(hints), json.dumps({"since": now.timestamp(), "told": seen}))
