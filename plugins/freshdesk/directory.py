"""Names behind numbers: agents, contacts and groups, which Freshdesk's tickets and conversations show as ids only.

Remembered for a while, so that a ticket with many comments costs no call for each. What the hub's agent may not look up
stays a number.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from hub.connector import AuthError, NotFoundError
from hub.ticket import Person
from plugins.freshdesk.client import FreshdeskClient

REMEMBERED = 3600.0
"""Seconds that a name is believed."""
LISTED_AGAIN = 60.0
"""Seconds before an unknown agent or group makes the list be read again."""
MOST = 10_000
"""Contacts that are remembered; then all are forgotten."""
PAGE = 100


class Directory:
    """Look-ups by id and by address; used by all threads, one of which asks while the others wait."""

    def __init__(self, client: FreshdeskClient) -> None:
        self._client = client
        self._lock = threading.RLock()
        self._contacts: dict[str, tuple[float, Person]] = {}
        self._lists: dict[str, tuple[float, Mapping[str, Any]]] = {}

    def person(self, user_id: Any, is_staff: bool | None) -> Person:
        """Who an account is; only its id where that cannot be found out. `is_staff` None: not known."""
        if not user_id:
            return Person()
        key = str(user_id)
        with self._lock:
            agent = self._listed("/agents", key) if is_staff is not False else None
            if agent is not None:
                return _agent(agent)
            return self._contact(key, is_staff)

    def group_name(self, group_id: Any) -> str:
        """A group's name, empty where it cannot be found out."""
        with self._lock:
            return str((self._listed("/groups", str(group_id)) or {}).get("name") or "")

    def groups(self) -> list[str]:
        """The names of all groups. Raises AuthError where the hub's agent may not list them."""
        return [str(group["name"]) for group in self._all("/groups").values()]

    def by_address(self, email: str) -> Person | None:
        """The agent, else the contact, with exactly this address."""
        try:
            agents = self._client.get("/agents", email=email)
        except AuthError:
            agents = []
        for raw in agents:
            if (raw["contact"].get("email") or "").casefold() == email.casefold():
                return _agent(raw)
        for raw in self._client.get("/contacts", email=email):
            if (raw.get("email") or "").casefold() == email.casefold():
                return Person(str(raw["id"]), raw.get("name") or "", raw["email"], False)
        return None

    def _contact(self, key: str, is_staff: bool | None) -> Person:
        known = self._contacts.get(key)
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        try:
            raw = self._client.get(f"/contacts/{key}")
            person = Person(key, raw.get("name") or "", raw.get("email"), False)
        except (AuthError, NotFoundError):
            person = Person(key, is_staff=is_staff)
        if len(self._contacts) >= MOST:
            self._contacts.clear()
        self._contacts[key] = (time.monotonic() + REMEMBERED, person)
        return person

    def _listed(self, path: str, key: str) -> Mapping[str, Any] | None:
        read_at, known = self._lists.get(path, (-REMEMBERED, {}))
        age = time.monotonic() - read_at
        if path not in self._lists or age > REMEMBERED or (key not in known and age > LISTED_AGAIN):
            try:
                known = self._all(path)
            except AuthError:
                known = {}
            self._lists[path] = (time.monotonic(), known)
        found: Mapping[str, Any] | None = known.get(key)
        return found

    def _all(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        page = 1
        while True:
            rows = self._client.get(path, per_page=PAGE, page=page)
            found |= {str(row["id"]): row for row in rows}
            if len(rows) < PAGE:
                return found
            page += 1


def _agent(raw: Mapping[str, Any]) -> Person:
    contact = raw["contact"]
    return Person(str(raw["id"]), contact.get("name") or "", contact.get("email"), True)
