"""Where a poll stands, and what comes next. Pure.

Freshdesk lists tickets by the second of their last change, deleted and spam ones only under filters of their own. Pages
are turned only inside one second: a list that is read while tickets move in it would skip some, so that each
full page begins a new list at its own last second instead. Source: developers.freshdesk.com, "List All Tickets".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self

STREAMS = ("", "deleted", "spam")
"""Values of `filter`, empty for what is neither."""
PAGE = 100
OVERLAP = timedelta(seconds=5)
"""How far each look goes back behind the last change seen: the tracker's grain, and writes that show up late."""


@dataclass(frozen=True, slots=True)
class Position:
    """`since` by stream, `turn` the stream that is read next, `page` inside the second `at`.

    `began` is where the present look at this stream began; `again` a second whose pages had to be turned: the next
    look begins there, once, because tickets may have moved meanwhile.
    """

    since: tuple[datetime, ...]
    turn: int = 0
    page: int = 1
    began: datetime | None = None
    again: datetime | None = None

    @classmethod
    def at(cls, start: datetime) -> Self:
        """The beginning of all looks."""
        return cls((start.astimezone(UTC).replace(microsecond=0) - OVERLAP,) * len(STREAMS))

    @classmethod
    def load(cls, text: str) -> Self:
        """From `dump`."""
        raw = json.loads(text)
        moments = {k: datetime.fromisoformat(raw[k]) if raw[k] else None for k in ("began", "again")}
        since = tuple(datetime.fromisoformat(s) for s in raw["since"])
        return cls(since, raw["turn"], raw["page"], moments["began"], moments["again"])

    def dump(self) -> str:
        """As an opaque text."""
        return json.dumps(
            {
                "since": [s.isoformat() for s in self.since],
                "turn": self.turn,
                "page": self.page,
                "began": self.began.isoformat() if self.began else None,
                "again": self.again.isoformat() if self.again else None,
            }
        )

    @property
    def stream(self) -> str:
        return STREAMS[self.turn]

    @property
    def query(self) -> dict[str, str | int]:
        """The parameters of the next list."""
        params: dict[str, str | int] = {
            "updated_since": self.since[self.turn].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "order_by": "updated_at",
            "order_type": "asc",
            "per_page": PAGE,
            "page": self.page,
        }
        return {**params, "filter": self.stream} if self.stream else params

    def after(self, changed: Sequence[datetime]) -> tuple[Position, bool]:
        """The position after a page with these times of change, and whether the look goes on."""
        since = self.since[self.turn]
        began = self.began or since
        last = max(changed, default=since)
        if len(changed) >= PAGE:
            if last > since:
                return replace(self._moved(last), page=1, began=began), True
            again = self.again or (since if since > began else None)
            return replace(self, page=self.page + 1, began=began, again=again), True
        next_since = min(last - OVERLAP, self.again or last) if changed else since
        turn = (self.turn + 1) % len(STREAMS)
        return replace(self._moved(next_since), turn=turn, page=1, began=None, again=None), turn != 0

    def _moved(self, to: datetime) -> Position:
        since = list(self.since)
        since[self.turn] = to
        return replace(self, since=tuple(since))
