"""Reading and finding tickets. Source: OTRS admin manual, "GenericInterface: Operations", TicketGet, TicketSearch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.connector import NotFoundError
from hub.ticket import ExternalLink
from plugins.otrs import mapping
from plugins.otrs.client import OtrsClient
from plugins.otrs.settings import OtrsSettings

CANDIDATES = 10
"""Tickets looked at for a marker; a search by an unknown field finds every ticket there is."""
ALL = {"AllArticles": 1, "DynamicFields": 1, "Attachments": 1, "GetAttachmentContents": 0}
"""What a whole ticket is asked for with."""


class Tickets:
    """The tickets of one OTRS."""

    def __init__(self, client: OtrsClient, settings: OtrsSettings) -> None:
        self._client, self._settings = client, settings

    def one(self, ticket_id: str, **params: Any) -> Mapping[str, Any]:
        """A ticket in OTRS's form, with as much as `params` ask for."""
        found: Mapping[str, Any] = self._client.ask("/read", TicketID=ticket_id, **params)["Ticket"][0]
        return found

    def find(self, **wanted: Any) -> list[str]:
        """Ids of tickets. Nothing found is `{}`, and so is a word that the server does not know."""
        return [str(ticket_id) for ticket_id in self._client.ask("/find", **wanted).get("TicketID") or ()]

    def id_of(self, number: str) -> str:
        """The id of the ticket that people call by this number. Raises NotFoundError."""
        for ticket_id in self.find(TicketNumber=number):
            return ticket_id
        raise NotFoundError(self._client.name, f"find ticket {number}", "there is no such ticket number")

    def marked(self, marker: str) -> Mapping[str, Any] | None:
        """The tickets that are found are read and compared: an unknown field would find every ticket."""
        field = self._settings.marker_field
        found = self.find(DynamicField={"Name": field, "Equals": marker}, Limit=CANDIDATES)
        if not found:
            return None
        for raw in self._client.ask("/read", TicketID=found, DynamicFields=1)["Ticket"]:
            if mapping.dynamic_fields(raw).get(field) == marker:
                ticket: Mapping[str, Any] = raw
                return ticket
        return None

    def merged_into(self, ticket_id: str) -> tuple[ExternalLink, ...]:
        """The ticket that a merged one went into."""
        histories = self._client.ask("/history", TicketID=ticket_id)["TicketHistory"]
        main = mapping.main_ticket(entry for history in histories for entry in history.get("History") or ())
        return (ExternalLink(mapping.ticket_url(self._settings, main[0]), f"merged into {main[1]}"),) if main else ()
