"""The account's groups by name, remembered for a while: tickets are handed to a group by its number."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from plugins.zendesk.client import ZendeskClient

REMEMBERED = 3600.0
"""Seconds that a group is believed to have this name."""
LISTED_AGAIN = 60.0
"""Seconds before an unknown name makes the list be read again."""
PAGE = 100


class Groups:
    """Used by all threads, one of which asks while the others wait."""

    def __init__(self, client: ZendeskClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._known: Mapping[str, int] = {}

    def id_of(self, name: str) -> int | None:
        """The number of the group with exactly this name, None where there is none."""
        return self._listed(name).get(name)

    def names(self) -> list[str]:
        """The names of all groups."""
        return [*self._listed("")]

    def name_of(self, group_id: int) -> str | None:
        """The name of a group, None where there is none."""
        return next((name for name, known in self._listed("").items() if known == group_id), None)

    def _listed(self, wanted: str) -> Mapping[str, int]:
        with self._lock:
            age = None if self._read_at is None else time.monotonic() - self._read_at
            if age is None or age > REMEMBERED or (wanted and wanted not in self._known and age > LISTED_AGAIN):
                self._known, self._read_at = self._all(), time.monotonic()
            return self._known

    def _all(self) -> dict[str, int]:
        found: dict[str, int] = {}
        params: dict[str, str | int] = {"page[size]": PAGE}
        while True:
            answer = self._client.get("/groups", **params)
            found |= {str(group["name"]): int(group["id"]) for group in answer["groups"]}
            meta = answer.get("meta") or {}
            if not meta.get("has_more"):
                return found
            params["page[after]"] = meta["after_cursor"]
