"""One look for what changed: tickets, and comments in a table of their own, which leave their ticket's time alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from hub.connector import Connector, Hint, Polled
from hub.ticket import Value
from plugins.agiloft import mapping
from plugins.agiloft.client import AgiloftClient, Json
from plugins.agiloft.polling import Position
from plugins.agiloft.query import compare
from plugins.agiloft.settings import AgiloftSettings, TableComments
from plugins.agiloft.times import LocalTimes


class Looking:
    """Asks for windows of time, one call for tickets and one for comments. `maps` is the connector, for its tables."""

    def __init__(self, maps: Connector, settings: AgiloftSettings, client: AgiloftClient) -> None:
        self._maps, self._settings, self._client = maps, settings, client
        self._times = LocalTimes.of(settings)

    def look(self, cursor: str | None, now: datetime) -> Polled:
        """`now` is by Agiloft's clock. Without a cursor only the place is noted where the next look begins."""
        if cursor is None:
            return Polled((), Position.at(now).dump())
        position = Position.load(cursor)
        hints: list[Hint] = []
        changed: list[tuple[str, datetime]] = []
        for key, at, found in [*self._tickets(position, now), *self._comments(position, now)]:
            if not position.is_shown(key, at):
                hints.append(found)
            changed.append((key, at))
        return Polled(tuple(hints), position.after(changed, now).dump(), position.until(now) is not None)

    def _tickets(self, position: Position, now: datetime) -> Iterator[tuple[str, datetime, Hint]]:
        settings, columns = self._settings, self._settings.columns
        wanted = [
            c
            for c in (
                columns.id, columns.updated, columns.updated_by, columns.labels, columns.priority, columns.category,
                columns.team,
            )
            if c
        ]  # fmt: skip
        for row in self._changed(settings.table, columns.updated, wanted, position, now):
            at = self._times.utc(mapping.words_of(row.get(columns.updated))) or now
            yield mapping.words_of(row.get(columns.id)), at, self._hint(row)

    def _hint(self, raw: Mapping[str, Any]) -> Hint:
        ticket = mapping.ticket(self._settings, self._maps, raw, self._times)
        values: dict[str, Value | frozenset[str]] = {
            "labels": ticket.labels, "priority": ticket.priority, "category": ticket.category, "line": ticket.line,
        }  # fmt: skip
        column = self._settings.columns.updated_by
        by = mapping.words_of(raw.get(column)) if column else ""
        return Hint(ticket_id=ticket.id, event="poll", at=ticket.updated, actor_id=by or None, values=values)

    def _comments(self, position: Position, now: datetime) -> Iterator[tuple[str, datetime, Hint]]:
        at = self._settings.comments
        if not isinstance(at, TableComments):
            return
        changed = at.updated or at.created
        for row in self._changed(at.table, changed, [at.id, at.ticket, changed], position, now):
            ticket_id = mapping.words_of(row.get(at.ticket)).removeprefix("#")
            if ticket_id.isdigit():
                moment = self._times.utc(mapping.words_of(row.get(changed))) or now
                yield f"c{mapping.words_of(row.get(at.id))}", moment, Hint(ticket_id=ticket_id, event="poll: comment")

    def _changed(self, table: str, column: str, wanted: list[str], position: Position, now: datetime) -> list[Json]:
        query = compare(column, ">=", self._times.text_not_after(position.since))
        if (until := position.until(now)) is not None:
            query += "&&" + compare(column, "<=", self._times.text(until))
        return self._client.search(table, query, wanted)
