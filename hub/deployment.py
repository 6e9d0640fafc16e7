"""One deployment, opened: settings, connectors and store. What the `hub` commands and the server share."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa
from filelock import FileLock

from hub.connector import Connector
from hub.journal import Journal
from hub.rules.book import compile_book
from hub.settings.load import Loaded, load_settings
from hub.sync.context import Context
from hub.sync.outlets import Outlets


class CannotServeError(Exception):
    """The hub cannot serve: one does already, or its address is taken."""


@dataclass
class Deployment:
    """Opened settings, connectors and store. Use it in a `with` block; it closes what it opened."""

    loaded: Loaded
    connectors: dict[str, Connector]
    journal: Journal
    context: Context

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes every connector and the store."""
        with ExitStack() as stack:
            stack.callback(self.journal.close)
            for connector in self.connectors.values():
                stack.callback(connector.close)

    def serving_lock(self) -> FileLock:
        """The lock of whoever works on keys: a serving hub for as long as it lives, a command for one key."""
        return FileLock(_lock_path(self.loaded), timeout=0)


def open_deployment(path: Path) -> Deployment:
    """Loads the settings at `path` (a file or a folder), and opens connectors and store.

    Raises `hub.settings.load.SettingsError` and `hub.journal.JournalError`, both with words for the admin.
    """
    loaded = load_settings(path)
    journal = Journal.open(loaded.settings.store.url)
    connectors = {name: loaded.registry.create(name, tracker) for name, tracker in loaded.settings.trackers.items()}
    settings = loaded.settings
    context = Context(
        journal=journal,
        settings=settings,
        connectors=connectors,
        book=compile_book(settings) if settings.has_rules else None,
        outlets=Outlets(connectors, settings.notifiers, extensions=loaded.extensions),
    )
    return Deployment(loaded, connectors, journal, context)


def _lock_path(loaded: Loaded) -> str:
    url: Any = sa.make_url(loaded.settings.store.url)
    if url.drivername.startswith("sqlite") and url.database not in (None, "", ":memory:"):
        return f"{url.database}.lock"
    return str(loaded.folder / "hub.lock")
