"""Where a poll stands, and what comes next. Pure.

Freshservice lists what was changed since a second in the order of its creation, by workspace, deleted and spam tickets
only under filters of their own, changes apart. So a look turns pages over a list whose order holds while it is read:
what changes meanwhile comes in beside and may move others to a page that is yet to come, which repeats them. Only what
is taken out moves others back, over the edge of a page that was read already; a look that turned pages is
therefore done once more from the same beginning. Source: api.freshservice.com, "View List of Tickets", "Changes".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Self

from plugins.freshservice.modules import CHANGES, TICKETS, Module

PAGE = 100
OVERLAP = timedelta(seconds=5)
"""How far each look goes back behind the last change seen: the tracker's grain, and writes that show up late."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One list. `filter` is `deleted`, `spam`, or empty for what is neither."""

    module: Module
    filter: str = ""
    workspace: int | None = None

    @property
    def name(self) -> str:
        """What a stored position knows it by."""
        return f"{self.workspace or 'primary'} {self.module.name} {self.filter}".strip()

    def query(self, since: datetime, page: int) -> dict[str, str | int | None]:
        """The parameters of one page. Asking for tags costs as much as two more calls, and spares a call a ticket."""
        return {
            "updated_since": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "order_type": "asc",
            "per_page": PAGE,
            "page": page,
            "workspace_id": self.workspace,
            "filter": self.filter or None,
            "include": None if self.filter else self.module.include,
        }


def streams(workspaces: Sequence[int], *, with_changes: bool) -> tuple[Stream, ...]:
    """All lists that a look reads."""
    found = []
    for workspace in workspaces or (None,):
        found += [Stream(TICKETS, chosen, workspace) for chosen in ("", "deleted", "spam")]
        found += [Stream(CHANGES, "", workspace)] if with_changes else []
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Position:
    """`since` by the name of a stream; one that is new begins where the earliest does.

    `turn` is the name of the stream that is read next, `page` where in it, `newest` the latest change seen there in
    this look; `again` names streams whose last look turned pages.
    """

    since: Mapping[str, datetime]
    turn: str = ""
    page: int = 1
    newest: datetime | None = None
    again: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def at(cls, start: datetime, all_streams: Sequence[Stream]) -> Self:
        """The beginning of all looks."""
        begin = start.astimezone(UTC).replace(microsecond=0) - OVERLAP
        return cls({stream.name: begin for stream in all_streams})

    @classmethod
    def load(cls, text: str) -> Self:
        """From `dump`."""
        raw = json.loads(text)
        newest = datetime.fromisoformat(raw["newest"]) if raw["newest"] else None
        since = {name: datetime.fromisoformat(at) for name, at in raw["since"].items()}
        return cls(since, raw["turn"], raw["page"], newest, frozenset(raw["again"]))

    def dump(self) -> str:
        """As an opaque text."""
        return json.dumps(
            {
                "since": {name: at.isoformat() for name, at in self.since.items()},
                "turn": self.turn,
                "page": self.page,
                "newest": self.newest.isoformat() if self.newest else None,
                "again": sorted(self.again),
            }
        )

    def among(self, all_streams: Sequence[Stream]) -> tuple[Position, Stream]:
        """The stream that is read next, and the position with it: at the first one where the settings have lost it."""
        for stream in all_streams:
            if stream.name == self.turn:
                return self, stream
        return replace(self, turn=all_streams[0].name, page=1, newest=None), all_streams[0]

    def begin(self, stream: Stream) -> datetime:
        """Where the present look at a stream begins."""
        return self.since.get(stream.name) or min(self.since.values())

    def after(self, changed: Sequence[datetime], all_streams: Sequence[Stream]) -> tuple[Position, bool]:
        """The position after a page with these times of change, and whether the look goes on."""
        position, stream = self.among(all_streams)
        begin, name = position.begin(stream), stream.name
        newest = max([position.newest or begin, *changed])
        if len(changed) >= PAGE:
            return replace(position, page=position.page + 1, newest=newest), True
        is_to_repeat = position.page > 1 and name not in position.again
        since = begin if is_to_repeat else max(begin, newest - OVERLAP)
        again = position.again | {name} if is_to_repeat else position.again - {name}
        known = {s.name: position.begin(s) for s in all_streams} | {name: since}
        following = (all_streams.index(stream) + 1) % len(all_streams)
        return Position(known, all_streams[following].name, again=frozenset(again)), following != 0
