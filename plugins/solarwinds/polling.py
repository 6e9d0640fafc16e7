"""Where a poll stands, and what comes next. Pure.

A look reads the list of tickets from the newest change back to where the last look ended, and then the audit log in the
same way. Backwards, because what changes meanwhile only pushes others down: a row may come twice, none is passed over.
Only a deletion moves rows up, and it makes the total smaller: then the list is read again from the top. The filter
`updated_from` (to the minute) is only there to spare the account work: Service Desk ignores filters without a word, so
that every row is compared here.

The audit log is read because it is documented nowhere that a comment changes its ticket's time. It has no person's id
for what the API wrote, and words instead of values, so that only the ticket and the time are taken from it.
Sources: live findings (MCP-SWSD: headers, sorting, ignored filters, audits); `updated_from` as read in public clients.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Self

from hub.connector import Hint
from plugins.solarwinds.client import Page
from plugins.solarwinds.mapping import utc

OVERLAP = timedelta(seconds=60)
"""How far each look goes back behind the last change seen: times of one second, and writes that show up late."""
GRAIN = timedelta(seconds=2)
"""Another change may still come under the time of one that is younger than this."""
DELETED = ("delete", "deleted", "destroy")
"""Words in the audit log for the end of a ticket."""
TICKETS, AUDITS = "tickets", "audits"


@dataclass(frozen=True, slots=True)
class Position:
    """`since` is the newest change that earlier looks saw, by stream. In the middle of a look `page` is the next one,
    `newest` the newest change so far, `total` the rows of the list when it was last read. `told` holds what was told
    of the overlap: a ticket's id or an audit's -> the time that was told; `seen` the times of the tickets of this look.
    """

    since: Mapping[str, datetime]
    stream: str = TICKETS
    page: int = 1
    newest: datetime | None = None
    total: int | None = None
    told: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, start: datetime) -> Self:
        """The beginning of all looks. The overlap is not looked at: nothing before the beginning counts."""
        begin = start.astimezone(UTC).replace(microsecond=0)
        return cls({TICKETS: begin + OVERLAP, AUDITS: begin + OVERLAP})

    @classmethod
    def load(cls, text: str) -> Self:
        """From `dump`."""
        raw = json.loads(text)
        since = {stream: datetime.fromisoformat(at) for stream, at in raw["since"].items()}
        newest = datetime.fromisoformat(raw["newest"]) if raw["newest"] else None
        return cls(since, raw["stream"], raw["page"], newest, raw["total"], raw["told"], raw["seen"])

    def dump(self) -> str:
        """As an opaque text."""
        since = {stream: at.isoformat() for stream, at in self.since.items()}
        newest = self.newest.isoformat() if self.newest else None
        return json.dumps(
            {
                "since": since, "stream": self.stream, "page": self.page, "newest": newest, "total": self.total,
                "told": dict(self.told), "seen": dict(self.seen),
            }
        )  # fmt: skip

    @property
    def cut(self) -> datetime:
        """What changed before counts as known."""
        return self.since[self.stream] - OVERLAP

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the next list, its page apart."""
        if self.stream == AUDITS:
            return {}
        return {
            "sort_by": "updated_at",
            "sort_order": "DESC",
            "updated_from": self.cut.astimezone(UTC).strftime("%Y-%m-%dT%H:%M"),
        }

    def after(self, page: Page, read_at: datetime, *, with_audits: bool) -> tuple[Position, tuple[Hint, ...], bool]:
        """The position after a page, what the page tells, and whether the look goes on.

        `read_at` is the time of the page by Service Desk's own clock.
        """
        rows = [(row, at) for row in page.rows if (at := _changed(row)) is not None and at >= self.cut]
        hints = tuple(self._told_by_audits(rows) if self.stream == AUDITS else self._told_by_tickets(rows))
        told, seen = dict(self.told), dict(self.seen)
        for row, at in rows:
            if at <= read_at - GRAIN:
                told[_key(row)] = at.isoformat()
            if self.stream == TICKETS:
                seen[_key(row)] = at.isoformat()
        times = [at for _, at in rows] + ([self.newest] if self.newest else [])
        here = replace(self, told=told, seen=seen, newest=max(times, default=None), total=page.total)
        if self.page > 1 and self.total is not None and page.total is not None and page.total < self.total:
            return replace(here, page=1), hints, True
        if page.has_more and self._may_hold_more(page):
            return replace(here, page=self.page + 1), hints, True
        if with_audits and self.stream == TICKETS:
            return here._next_stream(), hints, True
        return here.end_of_look(with_audits=with_audits), hints, False

    def end_of_look(self, *, with_audits: bool) -> Position:
        """Ready for the next look; what lies before its overlap is forgotten.

        Where the audit log is not read it counts as read so far, should somebody allow it later.
        """
        ended = replace(self._moved(), stream=TICKETS, seen={})
        if not with_audits:
            ended = replace(ended, since=dict.fromkeys(ended.since, ended.since[TICKETS]))
        oldest = min(ended.since.values()) - OVERLAP
        return replace(ended, told={k: at for k, at in self.told.items() if datetime.fromisoformat(at) >= oldest})

    def _may_hold_more(self, page: Page) -> bool:
        """Whether the next page can hold news: not where the rows come from the newest back and have reached the cut.

        An order that is ignored is no order: then only the last page is the end.
        """
        times = [at for row in page.rows if (at := _changed(row)) is not None]
        is_ordered = all(one >= other for one, other in pairwise(times))
        return not is_ordered or (bool(times) and times[-1] >= self.cut)

    def _next_stream(self) -> Position:
        """From the tickets to the audit log."""
        return replace(self._moved(), stream=AUDITS)

    def _moved(self) -> Position:
        last = self.since[self.stream]
        since = {**self.since, self.stream: max(last, self.newest) if self.newest else last}
        return replace(self, since=since, page=1, newest=None, total=None)

    def _told_by_tickets(self, rows: Sequence[tuple[Mapping[str, Any], datetime]]) -> Iterator[Hint]:
        for row, at in rows:
            if self.told.get(_key(row)) != at.isoformat():
                yield Hint(ticket_id=_key(row), event="poll", at=at)

    def _told_by_audits(self, rows: Sequence[tuple[Mapping[str, Any], datetime]]) -> Iterator[Hint]:
        for row, at in rows:
            if row.get("source_type") != "Incident" or not row.get("source_id") or _key(row) in self.told:
                continue
            ticket_id = str(row["source_id"])
            is_deleted = str(row.get("action") or "").casefold() in DELETED
            shown = max(self.told.get(ticket_id, ""), self.seen.get(ticket_id, ""))
            # What the ticket's own time covers has been told by the list.
            if is_deleted or not shown or at > datetime.fromisoformat(shown):
                yield Hint(ticket_id=ticket_id, event="audit", is_deleted=is_deleted)


def _changed(row: Mapping[str, Any]) -> datetime | None:
    """The last change of a ticket, the time of an audit."""
    return utc(row.get("updated_at") or row.get("created_at"))


def _key(row: Mapping[str, Any]) -> str:
    return str(row.get("uuid") or row.get("id") or "")
