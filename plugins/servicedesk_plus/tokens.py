"""Access tokens of the cloud: from a refresh token, kept until they end. Knows nothing of requests.

Zoho gives at most about ten tokens in ten minutes for one refresh token and refuses all further ones for a while, so
that a token is shared by all threads and never asked for twice because of one refusal.
Sources: zoho.com, "OAuth 2.0: refresh access tokens"; trackers' notes, sections 1 and 8 (errors with status 200).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

import httpx

from hub.connector import AuthError, ConnectorError, RateLimitedError, TemporaryError
from hub.rest import LONGEST_REASON, json_of, no_answer
from plugins.servicedesk_plus.settings import ServiceDeskPlusSettings

DOING = "POST /oauth/v2/token"
RENEW_BEFORE = 60.0
"""Seconds before its end that a token is replaced."""
MOST_REPLACED, WINDOW = 5, 600.0
"""How many tokens are replaced within these seconds because they were refused; then a refusal has another reason."""
USUAL_LIFE = 3600.0
PAUSE = 600.0
"""Seconds to wait after too many new tokens."""


class Tokens:
    """The present access token, used by all threads."""

    def __init__(
        self, name: str, settings: ServiceDeskPlusSettings, http: httpx.Client, scrub: Callable[[str], str]
    ) -> None:
        """`scrub` takes the secrets of the settings out of a text."""
        self._name, self._settings, self._http, self._scrub = name, settings, http, scrub
        self._lock = threading.Lock()
        self._used = threading.local()
        self._token = ""
        self._ends = 0.0
        self._has_worked = False
        self._replaced: deque[float] = deque(maxlen=MOST_REPLACED)

    def token(self) -> str:
        """A token that is good, as far as is known. Raises AuthError, TemporaryError."""
        with self._lock:
            if not self._token or time.monotonic() > self._ends - RENEW_BEFORE:
                self._renew()
            self._used.token = self._token
            return self._token

    def worked(self) -> None:
        """The present token was accepted."""
        self._has_worked = True

    def forget(self) -> bool:
        """After a refusal: whether another token may do better than the one this thread used last."""
        with self._lock:
            if getattr(self._used, "token", "") != self._token:
                return True
            now = time.monotonic()
            has_replaced_many = len(self._replaced) == MOST_REPLACED and now - self._replaced[0] < WINDOW
            if not self._has_worked or has_replaced_many:
                return False
            self._replaced.append(now)
            self._token = ""
            return True

    def scrubbed(self, text: str) -> str:
        """The text without the token."""
        return text.replace(self._token, "[secret]") if self._token else text

    def _renew(self) -> None:
        credentials = self._settings.credentials
        assert credentials.client_secret is not None
        assert credentials.refresh_token is not None
        form = {
            "grant_type": "refresh_token",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret.get_secret_value(),
            "refresh_token": credentials.refresh_token.get_secret_value(),
        }
        try:
            response = self._http.post(f"{self._settings.accounts_url}/oauth/v2/token", data=form)
        except httpx.HTTPError as error:
            raise TemporaryError(self._name, DOING, no_answer(error), "It is tried again.") from error
        body = json_of(response)
        if not body.get("access_token"):
            raise self._error(response.status_code, body)
        self._token = str(body["access_token"])
        self._has_worked = False
        self._ends = time.monotonic() + float(body.get("expires_in") or USUAL_LIFE)

    def _error(self, status: int, body: dict[str, object]) -> ConnectorError:
        """An error may come with status 200."""
        word, text = str(body.get("error") or ""), str(body.get("error_description") or "")
        why = self._scrub(" ".join(filter(None, [str(status), word, text]))[:LONGEST_REASON])
        if "too many" in text.casefold() or status == 429:
            return RateLimitedError(self._name, DOING, why, PAUSE)
        if status >= 500 or not word:
            return TemporaryError(self._name, DOING, why)
        server = self._settings.accounts_url
        remedy = (
            f"Check trackers.{self._name}.credentials and accounts_url: {server} must be that of your data centre. "
            "A refresh token that was revoked is replaced by a new code of the API console."
        )
        return AuthError(self._name, DOING, why, remedy)
