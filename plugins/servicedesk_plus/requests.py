"""Requests: read, made and changed. Source: sdpop-v3-api and sdpod-v3-api, "Request"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.connector import AuthError, Changes, Connector, Draft, NotFoundError, RefusedError, TemporaryError
from hub.parts.refusals import explained
from hub.ticket import Markdown, Status, Value
from plugins.servicedesk_plus import bodies, mapping, texts
from plugins.servicedesk_plus.client import ServiceDeskPlusClient
from plugins.servicedesk_plus.directory import Directory
from plugins.servicedesk_plus.settings import ServiceDeskPlusSettings

LIST = "/requests"


class Requests:
    """The requests of one ServiceDesk Plus. `own_account` gives the id of the technician of the settings."""

    def __init__(
        self,
        connector: Connector,
        client: ServiceDeskPlusClient,
        settings: ServiceDeskPlusSettings,
        directory: Directory,
        own_account: Callable[[], str],
    ) -> None:
        self._connector, self._client, self._settings = connector, client, settings
        self._directory, self._own_account = directory, own_account

    def read(self, ticket_id: str) -> dict[str, Any]:
        """A request by its id, or by what people call it (`#102`)."""
        name = self._client.name
        if ticket_id.startswith("#"):
            criteria = [{"field": "display_id", "condition": "is", "value": ticket_id[1:]}]
            rows = self._client.rows(LIST, "requests", search_criteria=criteria, fields_required=["display_id"])
            found = [row for row in rows if mapping.key_of(row) == ticket_id]
            if not found:
                raise NotFoundError(name, f"find {ticket_id}", "there is no request with this number")
            ticket_id = str(found[0]["id"])
        raw: dict[str, Any] = self._client.show(f"{LIST}/{ticket_id}").get("request") or {}
        if not raw.get("id"):
            raise NotFoundError(name, f"GET {LIST}/{ticket_id}", "the answer holds no request")
        return raw

    def create(self, draft: Draft) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        """The new request and what was refused of it. One call. A requester whom ServiceDesk Plus refuses is set
        aside, and the hub asks instead."""
        name, own = self._client.name, self._own_account()
        body = bodies.of_draft(self._settings, self._connector, draft, own, self._status(draft.values))
        refused: dict[str, str] = {}
        try:
            try:
                raw = self._client.write("POST", LIST, {"request": body})
            except RefusedError as error:
                if set(error.fields) != {"requester"} or body["requester"] == {"id": own}:
                    raise
                refused = error.fields
                raw = self._client.write("POST", LIST, {"request": {**body, "requester": {"id": own}}})
        except RefusedError as error:
            remedy = f"Fields that its template demands get a value under trackers.{name}.create_fields."
            raise RefusedError(name, error.doing, error.fields, remedy) from error
        made = raw.get("request") or {}
        if not made.get("id"):
            # It may have been made: the hub looks for its mark before it tries again.
            raise TemporaryError(name, f"POST {LIST}", "the answer does not say what was made")
        return made, refused

    def find(self, marker: str) -> Mapping[str, Any] | None:
        """The request with this mark in its reference field."""
        field = self._settings.reference_field
        criteria = [{"field": f"udf_fields.{field}", "condition": "is", "value": marker}]
        asked = {"search_criteria": criteria, "fields_required": ["id", "display_id", "udf_fields"]}
        for row in self._client.rows(LIST, "requests", **asked):
            if (row.get("udf_fields") or {}).get(field) == marker:
                return row
        return None

    def update(self, ticket_id: str, changes: Changes) -> None:
        """One PUT. Nothing locks a request: labels, written as a whole, are read again just before."""
        name, settings, values = self._client.name, self._settings, changes.values
        body = bodies.of_values(settings, self._connector, values, self._status(values))
        status = values.get("status")
        is_done = isinstance(status, Status) and status.is_done
        needs_resolution = bool(settings.default_resolution) and is_done and "resolution" not in body
        has_labels = bool(changes.add_labels or changes.remove_labels)
        if has_labels and not settings.labels_field:
            why = f"there is no place for labels; name one under trackers.{name}.labels_field"
            raise RefusedError(name, f"PUT {LIST}/{ticket_id}", {"labels": why})
        if has_labels or needs_resolution:
            present = self.read(ticket_id)
            if has_labels:
                labels = mapping.labels_of(settings, present) or frozenset()
                kept = (labels | changes.add_labels) - changes.remove_labels
                body = bodies.merged(body, bodies.of_labels(settings, kept))
            if needs_resolution and not (present.get("resolution") or {}).get("content"):
                body["resolution"] = {"content": texts.text_to_html(Markdown(settings.default_resolution))}
        try:
            self._client.write("PUT", f"{LIST}/{ticket_id}", {"request": body})
        except RefusedError as error:
            closing = (
                f"Fill it in ServiceDesk Plus, give it under trackers.{name}.closing_fields or default_resolution, "
                "or take it out of the closing rules (Admin > Request Closing Rules)."
            )
            raise explained(error, changes, "Fill the field in ServiceDesk Plus, then retry.", closing) from error

    def _status(self, values: Mapping[str, Value]) -> dict[str, str]:
        """The reference to the status that is to be written; by name only where statuses may not be listed."""
        if "status" not in values:
            return {}
        name, word = self._client.name, self._connector.native("status", values["status"])
        try:
            found = self._directory.status(word)
        except AuthError:
            return {"name": word}
        if found is None:
            there_are = ", ".join(str(s.get("name")) for s in self._directory.statuses())
            why = f"there is no status {word!r} here; there are {there_are}"
            remedy = f"Name one of them under trackers.{name}.statuses."
            raise RefusedError(name, "GET /statuses", {"status": why}, remedy)
        return {"id": str(found["id"])}
