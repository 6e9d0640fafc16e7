"""Opening and changing tickets. Source: recorded exchanges `create.*`, `update.*`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hub.connector import Changes, Connector, Draft, RefusedError
from hub.ticket import Priority, Status, Value
from plugins.otrs import articles, mapping
from plugins.otrs.client import OtrsClient
from plugins.otrs.refusals import explained
from plugins.otrs.settings import OtrsSettings
from plugins.otrs.tickets import Tickets


class Writing:
    """Writes to the tickets of one OTRS. Raises RefusedError for single fields."""

    def __init__(self, connector: Connector, client: OtrsClient, settings: OtrsSettings, tickets: Tickets) -> None:
        self._connector, self._client, self._settings, self._tickets = connector, client, settings, tickets

    def create(self, draft: Draft) -> Mapping[str, Any]:
        """One call; returns id and number."""
        settings = self._settings
        values = {"status": Status.NEW, "priority": Priority.NORMAL, **draft.values}
        ticket, fields = self._native({k: v for k, v in values.items() if v is not None})
        requester = draft.requester.email if draft.requester is not None else None
        title = mapping.title_of(draft.title)
        ticket = {"Queue": settings.queue, **ticket}
        ticket |= {
            "Title": draft.marker if title in ("", "0") else title,
            "CustomerUser": requester or settings.customer,
        }
        if settings.ticket_type:
            ticket.setdefault("Type", settings.ticket_type)
        if draft.labels and settings.labels_field:
            fields.append({"Name": settings.labels_field, "Value": self._labels(draft.labels)})
        fields.append({"Name": settings.marker_field, "Value": draft.marker})
        article = articles.body_of(draft.description, draft.visibility, subject=str(ticket["Title"]))
        try:
            made: Mapping[str, Any] = self._client.ask("/open", Ticket=ticket, Article=article, DynamicField=fields)
        except RefusedError as error:
            raise explained(settings, error, Changes(values=draft.values, add_labels=draft.labels)) from error
        return made

    def update(self, ticket_id: str, changes: Changes) -> None:
        """One call, checked as a whole before anything is written. Labels share one field and are replaced whole, so
        they are read just before; there is no lock."""
        if "description" in changes.values:
            why = "OTRS keeps a ticket's first article as it was written"
            raise RefusedError(self._client.name, "POST /change", {"description": why}, "Make it to_issue.")
        ticket, fields = self._native(changes.values)
        if changes.add_labels or changes.remove_labels:
            fields.append(self._changed_labels(ticket_id, changes))
        body = {"Ticket": ticket} if ticket else {}
        if not body and not fields:
            return
        try:
            self._client.ask("/change", TicketID=ticket_id, **body, **({"DynamicField": fields} if fields else {}))
        except RefusedError as error:
            raise explained(self._settings, error, changes) from error

    def _native(self, values: Mapping[str, Value]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """A ticket's own fields, and its dynamic ones."""
        ticket: dict[str, Any] = {}
        fields: list[dict[str, Any]] = []
        for name, value in values.items():
            if name.startswith("custom:"):
                field = self._settings.fields[name.removeprefix("custom:")]
                fields.append({"Name": field.id, "Value": mapping.native_value(field, value)})
            elif name == "title":
                ticket["Title"] = mapping.title_of(str(value))
            elif name == "assignee":
                ticket["OwnerID"] = int(str(value or mapping.NOBODY))
            elif name == "status":
                ticket |= self._state(self._connector.native(name, value))
            elif name == "priority":
                ticket["Priority"] = self._connector.native(name, value)
            elif name == "category":
                ticket["Type"] = self._connector.native(name, value)
            elif name == "line":
                ticket["Queue"] = self._connector.group_of(value)
        return ticket, fields

    def _state(self, state: str) -> dict[str, Any]:
        if not mapping.is_in(self._settings.pending_states, state):
            return {"State": state}
        minutes = max(1, round(timedelta(days=self._settings.pending_days) / timedelta(minutes=1)))
        return {"State": state, "PendingTime": {"Diff": minutes}}

    def _labels(self, labels: frozenset[str]) -> str | list[str]:
        return mapping.labels_value({self._connector.hold_label(x) for x in labels}, self._settings.labels_type)

    def _changed_labels(self, ticket_id: str, changes: Changes) -> dict[str, Any]:
        field = self._settings.labels_field
        if not field:
            name = self._client.name
            why = f"there is no place for labels; name one under trackers.{name}.labels_field"
            raise RefusedError(name, "POST /change", {"labels": why})
        now = mapping.labels_of(mapping.dynamic_fields(self._tickets.one(ticket_id, DynamicFields=1)).get(field))
        return {"Name": field, "Value": self._labels((now | changes.add_labels) - changes.remove_labels)}
