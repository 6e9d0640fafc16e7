"""Where a poll stands, and what comes next. Pure.

Requests are listed by the millisecond of their last change. Each full page begins a new list at its own last moment,
because a list that is read while requests move in it would skip some; pages are turned only inside one moment. What
was told already is not told again. After that, open requests are compared by the numbers of their notes and mails,
where the settings say so: in some builds a note does not change the time of the request.
Source: sdpod-v3-api, "Input data"; trackers' notes, section 5.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self

from plugins.servicedesk_plus.client import PAGE
from plugins.servicedesk_plus.fields import milliseconds, moment

OVERLAP = timedelta(seconds=5)
"""How far each look goes back behind the last change seen, for writes that show up late."""
SETTLED = timedelta(seconds=1)
"""After that no other change can bear the same moment."""
CHANGED_FIELDS = ("id", "display_id", "last_updated_time", "priority", "udf_fields")
COUNTED_FIELDS = ("id", "has_notes", "unreplied_count", "summary")
COUNTS = ("note_count", "conversation_count", "requester_reply_count", "technician_reply_count", "attachment_count")
OPEN_REQUESTS = "Open_Requests"
UNSEEN = "~"
"""Before the counts of a request that the last look did not show: it closed, or moved while pages were turned."""


@dataclass(frozen=True, slots=True)
class Position:
    """`since` is the beginning of the next list of changes and `start` the row in it, from 1.

    `began` is where the present look began; `again` a moment whose pages had to be turned: the next look begins there,
    once, because requests may have moved meanwhile. `told` are the changes after `since` that were told already: the
    moment in milliseconds by request. `turn` is what is read next. `known` are the counts of open requests, None
    before they were read once; `seen` those of the pages of this look.
    """

    since: datetime
    start: int = 1
    turn: Literal["changed", "counted"] = "changed"
    began: datetime | None = None
    again: datetime | None = None
    told: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, str] | None = None
    seen: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, start: datetime, *, counts: bool) -> Self:
        """The beginning of all looks; with `counts` the first thing is to learn them."""
        return cls(start.astimezone(UTC) - OVERLAP, turn="counted" if counts else "changed")

    @classmethod
    def load(cls, text: str) -> Self:
        """From `dump`."""
        raw = json.loads(text)
        times = {k: datetime.fromisoformat(raw[k]) if raw[k] else None for k in ("began", "again")}
        since = datetime.fromisoformat(raw["since"])
        told, known, seen = raw["told"], raw["known"], raw["seen"]
        return cls(since, raw["start"], raw["turn"], times["began"], times["again"], told, known, seen)

    def dump(self) -> str:
        """As an opaque text."""
        return json.dumps(
            {
                "since": self.since.isoformat(),
                "start": self.start,
                "turn": self.turn,
                "began": self.began.isoformat() if self.began else None,
                "again": self.again.isoformat() if self.again else None,
                "told": dict(self.told),
                "known": dict(self.known) if self.known is not None else None,
                "seen": dict(self.seen),
            },
            separators=(",", ":"),
        )

    def list_info(self, *, with_tags: bool) -> dict[str, Any]:
        """What to ask for next; `with_tags` asks for tags as well, which old builds do not know."""
        asked: dict[str, Any] = {"row_count": PAGE, "start_index": self.start, "sort_order": "asc"}
        if self.turn == "counted":
            needed = {"filter_by": {"name": OPEN_REQUESTS}, "fields_required": COUNTED_FIELDS}
            return {**asked, "sort_field": "id", **needed}
        # "greater than" leaves the moment itself out.
        since = milliseconds(self.since - timedelta(milliseconds=1))
        return {
            **asked,
            "sort_field": "last_updated_time",
            "search_criteria": [{"field": "last_updated_time", "condition": "greater than", "value": since}],
            "fields_required": [*CHANGED_FIELDS, *(["tags"] if with_tags else [])],
        }

    def after_changes(
        self, rows: Sequence[Mapping[str, Any]], now: datetime, *, counts: bool
    ) -> tuple[Position, bool, list[Mapping[str, Any]]]:
        """The position after a page of changes, whether the look goes on, and which rows are to be told.

        `now` is by the tracker's clock. With `counts` they come next.
        """
        stamped = [(row, at) for row in rows if (at := moment(row.get("last_updated_time"))) is not None]
        fresh = [row for row, at in stamped if self.told.get(str(row["id"])) != milliseconds(at)]
        fresh += [row for row in rows if moment(row.get("last_updated_time")) is None]
        told = {**self.told, **{str(r["id"]): milliseconds(at) for r, at in stamped if at < now - SETTLED}}
        began, last = self.began or self.since, max((at for _, at in stamped), default=self.since)
        here = replace(self, told=told, began=began)
        if len(rows) >= PAGE:
            if last > self.since:
                return replace(here, since=last, start=1), True, fresh
            again = self.again or (self.since if self.since > began else None)
            return replace(here, start=self.start + len(rows), again=again), True, fresh
        since = min(last - OVERLAP, self.again or last) if stamped else self.since
        kept = {key: at for key, at in told.items() if int(at) >= int(milliseconds(since))}
        turn: Literal["changed", "counted"] = "counted" if counts else "changed"
        return replace(here, since=since, start=1, began=None, again=None, told=kept, turn=turn), counts, fresh

    def after_counts(self, rows: Sequence[Mapping[str, Any]]) -> tuple[Position, bool, list[str]]:
        """The position after a page of open requests, whether the look goes on, and whose counts differ."""
        counts = {str(row["id"]): count_of(row) for row in rows}
        known = self.known or {}
        differ = [key for key, count in counts.items() if known.get(key, count).removeprefix(UNSEEN) != count]
        seen = {**self.seen, **counts}
        if len(rows) >= PAGE:
            return replace(self, start=self.start + len(rows), seen=seen), True, differ
        unseen = {k: UNSEEN + v for k, v in known.items() if k not in seen and not v.startswith(UNSEEN)}
        # After the very first counts the look goes on at once with what changed meanwhile.
        return replace(self, start=1, turn="changed", known={**unseen, **seen}, seen={}), self.known is None, differ

    def without_counts(self) -> Position:
        """The position after counts that could not be had."""
        return replace(self, start=1, turn="changed", seen={})


def count_of(row: Mapping[str, Any]) -> str:
    """The numbers of notes and mails of a request, short."""
    summary = row.get("summary") or {}
    numbers = [str(summary.get(name, "")) for name in COUNTS]
    numbers += [str(row.get(name)) for name in ("has_notes", "unreplied_count")]
    return hashlib.sha256("/".join(numbers).encode()).hexdigest()[:6]
