"""A small world for tests of the core: a clock, model trackers, a store, and wakes that can be lost or doubled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.connector import Role
from hub.engine.polling import poll
from hub.extensions import Extensions
from hub.journal import Journal, deliveries
from hub.rules.book import compile_book
from hub.settings.load import extended
from hub.settings.model import Settings
from hub.sync.context import Context
from hub.sync.keys import link_key, lock_key
from hub.sync.outlets import Outlets
from hub.sync.run import run_key, wake_unfinished
from hub.testing.model import ModelConnector, ModelTracker, is_write

MAX_RUNS = 200


class Clock:
    """Goes on by a second each time it is asked, so that no two things happen at the same time."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time

    def pass_by(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class World:
    """Helpdesks `support` (and `partner`), the bug tracker `dev`, and a hub between them."""

    clock: Clock = field(default_factory=Clock)
    policy: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)
    """The rule book, as in the settings: lines, calendars, agreements, rules, macros…"""
    extensions: Extensions = field(default_factory=Extensions)
    """What plugins add to the rules."""
    helpdesks: tuple[str, ...] = ("support",)
    journal_url: str = "sqlite://"

    def __post_init__(self) -> None:
        self.trackers = {name: ModelTracker(self.clock) for name in (*self.helpdesks, "dev")}
        self.sent: list[tuple[str, str]] = []
        """Messages that went out: to which notifier, and what they said."""
        self.connectors = {
            name: ModelConnector(name, self.trackers[name], has_lines=bool(self.rules)) for name in self.helpdesks
        }
        self.connectors["dev"] = ModelConnector(
            "dev", self.trackers["dev"], has_transitions=True, files_in_comments=False, can_edit=True, has_lock=False
        )
        self.connectors["dev"].role = Role.BUG_TRACKER  # type: ignore[misc]  # one class stands for both sorts here
        settings = Settings.model_validate(
            {
                "links": [
                    {"tickets": list(self.helpdesks), "issues": "dev", "when": {"label": "escalate"},
                     "labels": {"ignore": ["escalate"]}, **self.policy}
                ],
                **self.rules,
            }
        )  # fmt: skip
        self.settings = extended(settings, self.extensions)
        self.journal = Journal.open(self.journal_url, install_id="0a1b2c3d")
        self.pending: list[str] = []
        """Keys that a webhook would wake, in the order of the changes; nothing delivers them by itself."""
        for name, tracker in self.trackers.items():
            tracker.on_change = lambda ticket_id, actor, name=name: self.pending.append(f"{name}:{ticket_id}")  # type: ignore[misc]
        self.restart()

    @property
    def support(self) -> ModelTracker:
        return self.trackers["support"]

    @property
    def dev(self) -> ModelTracker:
        return self.trackers["dev"]

    def restart(self) -> None:
        """The hub's process begins anew: only the store is left of what it knew."""
        settings = self.settings
        senders = {name: lambda title, text, name=name: self.sent.append((name, text)) for name in settings.notifiers}
        self.context = Context(
            journal=self.journal,
            settings=settings,
            connectors=self.connectors,
            now=self.clock,
            book=compile_book(settings) if settings.has_rules else None,
            outlets=Outlets(self.connectors, {}, senders, self.extensions),
        )
        wake_unfinished(self.context)

    def wake(self, key: str) -> None:
        with self.journal.write() as connection:
            deliveries.wake(connection, key, self.clock(), "asked for")

    def deliver_all(self) -> None:
        """Every change so far wakes its ticket, once."""
        while self.pending:
            self.wake(self.pending.pop(0))

    def poll_all(self) -> None:
        for name in self.trackers:
            poll(self.context, name)

    def run_due(self) -> None:
        """Runs what is due, and what that makes due; raises when it never ends."""
        for _ in range(MAX_RUNS):
            with self.journal.read() as connection:
                first = deliveries.next_wakes(connection, 1)
            if not first or first[0][1] > self.clock():
                return
            run_key(self.context, lock_key(self.context, first[0][0]))
        raise AssertionError(f"the hub has work for ever: {first}")

    def pass_until(self, at: datetime) -> None:
        """Time goes on to `at` (UTC); what becomes due on the way is done at its time."""
        self.deliver_all()
        self.run_due()
        while True:
            with self.journal.read() as connection:
                following = deliveries.next_wakes(connection, 1)
            if not following or following[0][1] > at:
                break
            self.clock.time = max(self.clock.time, following[0][1])
            self.deliver_all()
            self.run_due()
        self.clock.time = max(self.clock.time, at)

    def settle(self) -> None:
        """People stop; everything that was put off comes due; what was lost is found."""
        for _ in range(6):
            self.deliver_all()
            self.run_due()
            self.clock.pass_by(600)
            with self.journal.read() as connection:
                following = deliveries.next_wakes(connection, 1)
            if not following and not self.pending:
                return

    def writes(self) -> int:
        return sum(is_write(call) for c in self.connectors.values() for call in c.calls)

    def link_keys(self) -> list[str]:
        from hub.journal import links

        with self.journal.read() as connection:
            return [link_key(link_id) for link_id in links.all_links(connection)]
