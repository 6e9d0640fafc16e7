"""Making and changing tickets. Source: developer.zendesk.com, "Tickets", "Tags"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.connector import Changes, Connector, Draft, RefusedError
from hub.parts.custom_values import native_value
from hub.parts.refusals import no_group
from hub.ticket import Value
from plugins.zendesk import mapping
from plugins.zendesk.client import ZendeskClient
from plugins.zendesk.comments import html
from plugins.zendesk.groups import Groups
from plugins.zendesk.settings import ZendeskSettings


class Writing:
    """Writes to the tickets of one account."""

    def __init__(self, connector: Connector, client: ZendeskClient, settings: ZendeskSettings, groups: Groups) -> None:
        self._connector, self._client, self._settings, self._groups = connector, client, settings, groups

    def create(self, draft: Draft) -> Mapping[str, Any]:
        """One call, which Zendesk itself does not do twice."""
        comment = {"html_body": html(draft.description) or "<p>-</p>", "public": draft.visibility.is_public}
        body: dict[str, Any] = {
            "subject": draft.title or draft.marker,
            "comment": comment,
            "external_id": draft.marker,
            "tags": sorted(draft.labels),
            "metadata": {mapping.MARKER: draft.marker},
            **self._native(draft.values),
        }
        if draft.requester is not None and draft.requester.email:
            body["requester"] = {"name": draft.requester.label, "email": draft.requester.email}
        key = {"Idempotency-Key": draft.marker[:255]}
        made: Mapping[str, Any] = self._client.send("POST", "/tickets", {"ticket": body}, headers=key)["ticket"]
        return made

    def update(self, ticket_id: str, changes: Changes, version: str) -> str:
        """One PUT; returns the version after it. A set of tags can only be replaced whole, so that adding and removing
        go to addresses of their own, which leave every other tag alone and take no lock."""
        path = f"/tickets/{ticket_id}"
        if "description" in changes.values:
            why = "Zendesk keeps a ticket's description as it was first written"
            raise RefusedError(self._client.name, f"PUT {path}", {"description": why}, "Make it to_issue.")
        body = self._native(changes.values)
        for method, labels in (("PUT", changes.add_labels), ("DELETE", changes.remove_labels)):
            if labels:
                self._client.send(method, f"{path}/tags", {"tags": sorted(labels)})
                version = ""
        if not body:
            return ""
        lock = {"safe_update": True, "updated_stamp": version} if version else {}
        try:
            answer = self._client.send("PUT", path, {"ticket": body | lock})
        except RefusedError as error:
            raise _explained(error) from error
        return str(answer["ticket"]["updated_at"])

    def _native(self, values: Mapping[str, Value]) -> dict[str, Any]:
        body: dict[str, Any] = {}
        custom = []
        for name, value in values.items():
            if name.startswith("custom:"):
                field = self._settings.fields[name.removeprefix("custom:")]
                custom.append({"id": int(field.id), "value": native_value(field, value)})
            elif name == "title":
                body["subject"] = value
            elif name == "assignee":
                body["assignee_id"] = int(str(value)) if value else None
            elif name == "line":
                body["group_id"] = self._group_id(self._connector.group_of(value))
            elif name == "category":
                body["type"] = self._connector.native(name, value)
            elif name in ("status", "priority"):
                body[name] = self._connector.native(name, value)
        return body | ({"custom_fields": custom} if custom else {})

    def _group_id(self, name: str) -> int:
        found = self._groups.id_of(name)
        if found is None:
            raise no_group(self._connector, "find a group", name)
        return found


def _explained(error: RefusedError) -> RefusedError:
    text = "; ".join(error.fields.values())
    remedy = ""
    if "closed" in text.casefold():
        remedy = "A closed ticket cannot be changed any more: open a follow-up in Zendesk."
    elif "assignee" in text.casefold():
        remedy = "Zendesk solves only tickets with an assignee: assign it, then retry."
    return RefusedError(error.tracker, error.doing, error.fields, remedy)
