"""Where a poll stands, and what it has shown already. Pure.

Every search is run anew, and what it finds has no order that lasts, so that pages would skip records. A look takes all
that changed in a window of time in one answer instead, and a long time is cut into such windows. Source:
help.agiloft.com, "REST - Search".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

WINDOW = timedelta(hours=6)
"""The longest time that is asked for at once."""
OVERLAP = timedelta(minutes=2)
"""How far each look goes back before the end of the last: records show up when their change is committed, which is
after the time that they bear, and the clock of the answers need not be that of the records."""
GRAIN = timedelta(seconds=2)
"""A record that changed this shortly before the look may change again under the same time."""


@dataclass(frozen=True, slots=True)
class Position:
    """`since` is where the next look begins, by Agiloft's clock; `shown` the records of the overlap that were told
    already: key -> the time of change that was told."""

    since: datetime
    shown: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, start: datetime) -> Self:
        """The beginning of all looks."""
        return cls(start.replace(microsecond=0))

    @classmethod
    def load(cls, text: str) -> Self:
        """From `dump`."""
        raw = json.loads(text)
        return cls(datetime.fromisoformat(raw["since"]), raw["shown"])

    def dump(self) -> str:
        """As an opaque text."""
        return json.dumps({"since": self.since.isoformat(), "shown": dict(self.shown)})

    def until(self, now: datetime) -> datetime | None:
        """Where the window ends; None where it reaches the present and is left open."""
        return self.since + WINDOW if now - self.since > WINDOW else None

    def is_shown(self, key: str, changed: datetime) -> bool:
        return self.shown.get(key) == changed.isoformat()

    def after(self, changed: Iterable[tuple[str, datetime]], now: datetime) -> Position:
        """The position after a look at `now` that found these records with their times of change."""
        until = self.until(now)
        if until is not None:
            return type(self)(until)
        since = max(self.since, now.replace(microsecond=0) - OVERLAP)
        shown = {key: at.isoformat() for key, at in changed if since <= at and now - at >= GRAIN}
        return type(self)(since, shown)
