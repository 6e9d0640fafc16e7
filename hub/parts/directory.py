"""Names behind numbers, for trackers whose tickets and comments show people and groups as ids only.

Remembered for a while, so that a ticket with many comments costs no call for each. What the hub's account may not look
up stays a number.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.connector import AuthError, Connector, NotFoundError
from hub.parts.refusals import no_group
from hub.ticket import Person, Value

REMEMBERED = 3600.0
"""Seconds that a name is believed."""
LISTED_AGAIN = 60.0
"""Seconds before an unknown id makes its list be read again."""
MOST = 10_000
"""Customers that are remembered; then all are forgotten."""
PAGE = 100


class Directory(ABC):
    """Look-ups by id; used by all threads, one of which asks while the others wait. A subclass makes the calls."""

    agents = "/agents"
    """The list of staff."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._customers: dict[str, tuple[float, Person]] = {}
        self._lists: dict[str, tuple[float, Mapping[str, Any]]] = {}

    @abstractmethod
    def page(self, path: str, number: int) -> Sequence[Mapping[str, Any]]:
        """One page, counted from 1, of `PAGE` rows of the list at `path`; each row has an `id`."""

    @abstractmethod
    def agent(self, raw: Mapping[str, Any]) -> Person:
        """One row of the list of staff."""

    @abstractmethod
    def customer(self, key: str) -> Person:
        """Looks up who is no staff. Raises AuthError, NotFoundError."""

    def person(self, user_id: Any, is_staff: bool | None) -> Person:
        """Who an account is; only its id where that cannot be found out. `is_staff` None: not known."""
        if not user_id:
            return Person()
        key = str(user_id)
        with self._lock:
            agent = self._listed(self.agents, key) if is_staff is not False else None
            return self.agent(agent) if agent is not None else self._customer(key, is_staff)

    def name_in(self, path: str, row_id: Any) -> str:
        """The `name` of a row of a list, e.g. of a group; empty where it cannot be found out."""
        with self._lock:
            return str((self._listed(path, str(row_id)) or {}).get("name") or "")

    def id_in(self, path: str, name: str) -> str | None:
        """The id of the row of a list that has this name or is this id; None where there is none.

        An id is believed where the hub's account may not read the list.
        """
        with self._lock:
            rows = self._rows(path, lambda known: name in known or any(r.get("name") == name for r in known.values()))
        if name in rows or (not rows and name.isdigit()):
            return name
        return next((key for key, row in rows.items() if row.get("name") == name), None)

    def group_for(self, connector: Connector, path: str, values: Mapping[str, Value]) -> dict[str, int]:
        """What hands a ticket to the group of the list that is the support line asked for; empty where none is.

        Raises RefusedError where there is no such group, and Unwritable where the line has none.
        """
        if "line" not in values:
            return {}
        group = connector.group_of(values["line"])
        group_id = self.id_in(path, group)
        if group_id is None:
            raise no_group(connector, "find a group", group)
        return {"group_id": int(group_id)}

    def names(self, path: str) -> list[str]:
        """All names of a list. Raises AuthError where the hub's account may not read it."""
        return [str(row["name"]) for row in self._all(path).values()]

    def _customer(self, key: str, is_staff: bool | None) -> Person:
        known = self._customers.get(key)
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        try:
            person = self.customer(key)
        except (AuthError, NotFoundError):
            person = Person(key, is_staff=is_staff)
        if len(self._customers) >= MOST:
            self._customers.clear()
        self._customers[key] = (time.monotonic() + REMEMBERED, person)
        return person

    def _listed(self, path: str, key: str) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self._rows(path, lambda known: key in known).get(key)
        return found

    def _rows(self, path: str, suffices: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        """The rows of a list by id, read again where they do not suffice and are not fresh."""
        read_at, known = self._lists.get(path, (-REMEMBERED, {}))
        age = time.monotonic() - read_at
        if path not in self._lists or age > REMEMBERED or (age > LISTED_AGAIN and not suffices(known)):
            try:
                known = self._all(path)
            except AuthError:
                known = {}
            self._lists[path] = (time.monotonic(), known)
        return known

    def _all(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        number = 1
        while True:
            rows = self.page(path, number)
            found |= {str(row["id"]): row for row in rows}
            if len(rows) < PAGE:
                return found
            number += 1
