"""What a run works with: the store, the connectors, the settings and the clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hub.connector import Capability, Connector, ConnectorError, Role
from hub.journal import Journal, cases
from hub.rules.book import RuleBook
from hub.settings.model import LinkSettings, Settings
from hub.sync.outlets import Outlets
from hub.sync.people import People


def utc_now() -> datetime:
    return datetime.now(UTC)


def ignore_write(tracker: str, kind: str) -> None:
    """Stands where nobody counts writes."""


class Holds:
    """The keys that are worked on now. A key is held in one place at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[str] = set()

    def take(self, key: str) -> bool:
        """Holds the key; False when it is held already."""
        with self._lock:
            if key in self._held:
                return False
            self._held.add(key)
            return True

    def give_back(self, key: str) -> None:
        with self._lock:
            self._held.discard(key)

    def all(self) -> list[str]:
        """The keys that are held now."""
        with self._lock:
            return sorted(self._held)


@dataclass
class Context:
    """Lives as long as the process; shared by all workers. `now` gives the time in UTC."""

    journal: Journal
    settings: Settings
    connectors: Mapping[str, Connector]
    now: Callable[[], datetime] = utc_now
    holds: Holds = field(default_factory=Holds)
    book: RuleBook | None = None
    """None where the settings have no rules: then no ticket is looked after beyond being kept in step."""
    outlets: Outlets = field(default_factory=lambda: Outlets({}, {}))
    count_write: Callable[[str, str], None] = ignore_write
    _accounts: dict[str, str] = field(default_factory=dict)
    _rules_since: datetime | None = None
    _found_people: dict[tuple[str, str], str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def policy(self, title: str) -> LinkSettings | None:
        """The link settings of this title, None when they are not in the settings any more."""
        return next((p for p in self.settings.links if p.title == title), None)

    @property
    def takes_orders(self) -> bool:
        """Whether anything may be ordered for a ticket: by rules, or by alerts."""
        return self.book is not None or bool(self.settings.alerts)

    def looks_after(self, tracker: str) -> bool:
        """Whether the rule book is for the tickets of this tracker."""
        connector = self.connectors.get(tracker)
        return self.book is not None and connector is not None and connector.role is Role.HELPDESK

    def rules_since(self) -> datetime:
        """Since when this installation has had rules, UTC; what fell due before that is not acted on."""
        if self._rules_since is None:
            with self.journal.write() as connection:
                self._rules_since = cases.rules_since(connection, self.now())
        return self._rules_since

    def own_account(self, tracker: str) -> str | None:
        """The hub's account id in a tracker, None while the tracker cannot be asked."""
        known = self._accounts.get(tracker)
        if known is None:
            try:
                known = self.connectors[tracker].identify().account_id
            except ConnectorError:
                return None
            with self._lock:
                self._accounts[tracker] = known
        return known

    def people(self) -> People:
        """Who is who, as far as it is known now."""
        with self._lock:
            return People(self.settings.people, dict(self._found_people))

    def look_up_person(self, tracker: str, email: str) -> None:
        """Asks a tracker once for the account of a mail address. Raises ConnectorError."""
        connector = self.connectors[tracker]
        if Capability.USERS not in connector.capabilities or (tracker, email) in self._found_people:
            return
        person = connector.find_person(email)
        if person is not None:
            with self._lock:
                self._found_people[tracker, email] = person.id
