"""HTTP to Zendesk: signs in, translates errors. Knows nothing of tickets.

Sources: developer.zendesk.com, "Security and authentication", "Rate limits", "OAuth: grant-type tokens".
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Mapping

import httpx

from hub.connector import Connector, TemporaryError
from hub.rest import Reason, RestClient, json_of, no_answer
from plugins.zendesk.settings import ZendeskSettings

RENEW_BEFORE = 60.0
"""Seconds before its end that an OAuth token is replaced."""
FIELDS = {
    "subject": "title",
    "comment": "description",
    "type": "category",
    "assignee_id": "assignee",
    "tags": "labels",
    "group_id": "line",
}
"""Zendesk's names in error details -> neutral field names, where they differ."""


class ZendeskClient(RestClient):
    """Signs in with a ready token, an agent's API token, or an OAuth client whose tokens it renews."""

    api = "/api/v2"
    permission_remedy = "Give the hub's account the role of an agent who may do this."

    def __init__(self, connector: Connector, settings: ZendeskSettings) -> None:
        super().__init__(connector)
        self._credentials = settings.credentials
        self._lock = threading.Lock()
        self._token = ""
        self._token_ends = 0.0
        self._fixed = _fixed(settings)

    def credentials(self) -> Mapping[str, str]:
        return self._fixed or {"Authorization": f"Bearer {self._oauth_token()}"}

    def renew(self) -> bool:
        with self._lock:
            had, self._token = bool(self._token), ""
        return had

    def reason(self, response: httpx.Response) -> Reason:
        body = json_of(response)
        error = body.get("error")
        text = error.get("message") if isinstance(error, dict) else body.get("description") or error
        details: dict[str, str] = {}
        for name, problems in (body.get("details") or {}).items() if isinstance(body.get("details"), dict) else ():
            words = "; ".join(str(p.get("description", p)) if isinstance(p, dict) else str(p) for p in problems)
            details[_field_of(name)] = words
        return Reason(str(text or response.reason_phrase), details)

    def _oauth_token(self) -> str:
        """One thread renews; the others wait for it, because a second renewal would end the first one's token."""
        with self._lock:
            if self._token and time.monotonic() < self._token_ends - RENEW_BEFORE:
                return self._token
            credentials, doing = self._credentials, "POST /oauth/tokens"
            assert credentials.oauth_client_secret is not None
            try:
                response = self.http.post(
                    f"{self.url}/oauth/tokens",
                    json={
                        "grant_type": "client_credentials",
                        "client_id": credentials.oauth_client_id,
                        "client_secret": credentials.oauth_client_secret.get_secret_value(),
                        "scope": credentials.scope,
                    },
                )
            except httpx.HTTPError as error:
                raise TemporaryError(self.name, doing, no_answer(error)) from error
            if response.is_error:
                raise self.error(response, doing)
            answer = response.json()
            self._token = str(answer["access_token"])
            self._token_ends = time.monotonic() + float(answer.get("expires_in") or 1800)
            return self._token


def _fixed(settings: ZendeskSettings) -> dict[str, str]:
    credentials = settings.credentials
    if credentials.access_token is not None:
        return {"Authorization": f"Bearer {credentials.access_token.get_secret_value()}"}
    if credentials.api_token is not None:
        login = f"{credentials.email}/token:{credentials.api_token.get_secret_value()}"
        return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
    return {}


def _field_of(name: str) -> str:
    if name == "base":
        # A ticket-level complaint: nearly always that it cannot be solved, or is closed.
        return "status"
    return FIELDS.get(name, name)
