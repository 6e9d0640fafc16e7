"""HTTP to Freshservice: signs in with an agent's key, translates errors. Knows nothing of tickets.

Sources: api.freshservice.com, "Authentication", "Errors", "Rate limit".
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

import httpx

from hub.connector import Connector, ConnectorError, PermanentError, RefusedError
from hub.parts.refusals import reason_of
from hub.rest import Reason, RestClient, json_of
from plugins.freshservice.settings import FreshserviceSettings

FIELDS = {
    "subject": "title", "type": "category", "responder_id": "assignee", "agent_id": "assignee", "tags": "labels",
    "urgency": "priority", "impact": "priority",
}  # fmt: skip
"""Freshservice's names in error lists -> neutral field names, where they differ."""
REMEDIES = {
    "require_feature": "The plan of this Freshservice account does not include it: change the plan or do without.",
    "account_suspended": "The Freshservice account is suspended: its owner must settle that with Freshservice.",
}
"""Codes of a 403 that no other role or key would cure."""


class FreshserviceClient(RestClient):
    """Basic authentication with the key as the name. `limit` and `remaining` are calls a minute for the whole
    account, by the headers of the last answer; None before."""

    api = "/api/v2"
    permission_remedy = "Give the hub's agent a role that allows this, in this ticket's workspace as well."

    def __init__(self, connector: Connector, settings: FreshserviceSettings) -> None:
        super().__init__(connector)
        login = f"{settings.credentials.api_key.get_secret_value()}:X"
        self._headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
        self._names = {field.id: f"custom:{name}" for name, field in settings.fields.items()}
        self.limit: int | None = None
        self.remaining: int | None = None
        self.http.event_hooks = {"response": [self._note_limit]}

    def credentials(self) -> Mapping[str, str]:
        return self._headers

    def reason(self, response: httpx.Response) -> Reason:
        return reason_of(json_of(response), self._neutral, response.reason_phrase)

    def error(self, response: httpx.Response, doing: str) -> ConnectorError:
        """A 403 for the plan is no lack of rights, and a 409 is a value that is taken, never a stale write."""
        status, reason = response.status_code, self.reason(response)
        why = self.scrub(f"{status} {reason.text}")
        remedy = REMEDIES.get(str(json_of(response).get("code")))
        if status == 403 and remedy:
            return PermanentError(self.name, doing, why, remedy)
        if status == 409:
            if reason.fields:
                return RefusedError(self.name, doing, {k: self.scrub(v) for k, v in reason.fields.items()})
            return PermanentError(self.name, doing, why)
        return super().error(response, doing)

    def _neutral(self, name: str) -> str:
        short = name.removeprefix("custom_fields.")
        return self._names.get(short) or FIELDS.get(short, short)

    def _note_limit(self, response: httpx.Response) -> None:
        total, remaining = (response.headers.get(f"x-ratelimit-{n}", "") for n in ("total", "remaining"))
        if total.isdigit() and remaining.isdigit():
            self.limit, self.remaining = int(total), int(remaining)
