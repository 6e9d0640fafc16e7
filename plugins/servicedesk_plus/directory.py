"""Statuses and people, looked up by word or address and remembered for a while.

Statuses are written by id: some servers refuse them by name, and a name may have been translated.
Sources: trackers' notes, sections 1 and 2; sdpop-v3-api, "Admin": statuses, technicians, users.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from hub.connector import AuthError
from hub.ticket import Person
from plugins.servicedesk_plus.client import ServiceDeskPlusClient
from plugins.servicedesk_plus.mapping import person

REMEMBERED = 3600.0
"""Seconds that a list of statuses is believed."""
LISTED_AGAIN = 60.0
"""Seconds before a status that is not in the list makes it be read again."""


class Directory:
    """Look-ups; used by all threads, one of which asks while the others wait."""

    def __init__(self, client: ServiceDeskPlusClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._statuses: tuple[Mapping[str, Any], ...] = ()
        self._read_at = -REMEMBERED

    def statuses(self) -> Sequence[Mapping[str, Any]]:
        """All statuses, with `id`, `name` and `internal_name`. Raises AuthError where they may not be listed."""
        with self._lock:
            if time.monotonic() - self._read_at > REMEMBERED:
                self._read()
            return self._statuses

    def status(self, word: str) -> Mapping[str, Any] | None:
        """The status of this name, else of this internal name, None where there is none."""
        found = _named(self.statuses(), word)
        if found is None:
            with self._lock:
                if time.monotonic() - self._read_at > LISTED_AGAIN:
                    self._read()
                found = _named(self._statuses, word)
        return found

    def technician(self, email: str) -> Person | None:
        """The technician with exactly this address."""
        found = self._by_address("/technicians", "technicians", email)
        return None if found is None else person({**found, "is_technician": True})

    def by_address(self, email: str) -> Person | None:
        """The technician, else the requester, with exactly this address."""
        try:
            found = self.technician(email)
        except AuthError:
            found = None
        if found is not None:
            return found
        other = self._by_address("/users", "users", email)
        return None if other is None else person(other)

    def _by_address(self, path: str, key: str, email: str) -> Mapping[str, Any] | None:
        criteria = [{"field": "email_id", "condition": "is", "value": email}]
        for raw in self._client.rows(path, key, search_criteria=criteria):
            if str(raw.get("email_id") or "").casefold() == email.casefold():
                return raw
        return None

    def _read(self) -> None:
        self._statuses = tuple(self._client.rows("/statuses", "statuses"))
        self._read_at = time.monotonic()


def _named(rows: Sequence[Mapping[str, Any]], word: str) -> Mapping[str, Any] | None:
    for key in ("name", "internal_name"):
        for row in rows:
            if str(row.get(key) or "").casefold() == word.casefold():
                return row
    return None
