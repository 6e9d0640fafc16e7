"""One look for what changed: requests, and the counts of open ones' notes and mails, which leave their time alone."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from hub.connector import AuthError, Connector, Hint, PermanentError, Polled
from plugins.servicedesk_plus import fields, mapping
from plugins.servicedesk_plus.client import ServiceDeskPlusClient
from plugins.servicedesk_plus.polling import Position
from plugins.servicedesk_plus.settings import TAGS, ServiceDeskPlusSettings

log = logging.getLogger("hub.servicedesk_plus")


class Looking:
    """Asks for one page at a time; see `polling` for what and in which order."""

    def __init__(self, connector: Connector, client: ServiceDeskPlusClient, settings: ServiceDeskPlusSettings) -> None:
        self._connector, self._client, self._settings = connector, client, settings

    def look(self, cursor: str | None, now: datetime) -> Polled:
        """One page of what changed, or of the counts of open requests."""
        counts = self._settings.watch_counts
        if cursor is None:
            # The list is cut by the tracker's clock: where it is behind ours, so is the beginning.
            behind = timedelta(seconds=min(0.0, self._connector.identify().clock_skew or 0.0))
            return Polled((), Position.at(now + behind, counts=counts).dump(), has_more=counts)
        position = Position.load(cursor)
        if position.turn == "counted":
            return self._counts(position)
        rows = self._rows(position, with_tags=self._settings.labels_field == TAGS)
        following, has_more, told = position.after_changes(rows, self._client.now(), counts=counts)
        return Polled(tuple(self._hint(row) for row in told), following.dump(), has_more)

    def _counts(self, position: Position) -> Polled:
        try:
            rows = self._rows(position, with_tags=False)
        except AuthError:
            raise
        except PermanentError as error:
            # A build without these numbers; changes are still told. `hub check` says so to the admin.
            log.info("%s: the numbers of notes cannot be listed: %s", self._client.name, error.why)
            return Polled((), position.without_counts().dump())
        following, has_more, differ = position.after_counts(rows)
        return Polled(tuple(Hint(ticket_id=key, event="poll") for key in differ), following.dump(), has_more)

    def _rows(self, position: Position, *, with_tags: bool) -> list[Any]:
        asked = position.list_info(with_tags=with_tags)
        return self._client.show("/requests", list_info=asked).get("requests") or []

    def _hint(self, raw: Mapping[str, Any]) -> Hint:
        values: dict[str, Any] = {}
        labels = mapping.labels_of(self._settings, raw)
        if labels is not None:
            values["labels"] = labels
        if "priority" in raw:
            values["priority"] = self._connector.priorities.to_neutral(mapping.name_of(raw["priority"]))
        at = fields.moment(raw.get("last_updated_time"))
        return Hint(ticket_id=str(raw["id"]), event="poll", at=at, values=values)
