"""HTTP to Zendesk: signs in, translates errors. Knows nothing of tickets.

Sources: developer.zendesk.com, "Security and authentication", "Rate limits", "OAuth: grant-type tokens".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import structlog
import tenacity

from hub.connector import (
    AuthError,
    ConflictError,
    ConnectorError,
    NotFoundError,
    PermanentError,
    RateLimitedError,
    RefusedError,
    TemporaryError,
)
from plugins.zendesk.settings import ZendeskSettings

log = structlog.get_logger("hub.zendesk")

RENEW_BEFORE = 60.0
"""Seconds before its end that an OAuth token is replaced."""
DEFAULT_PAUSE = 10.0
"""Seconds to wait after a 429 that does not say how long."""
FIELDS = {"subject": "title", "comment": "description", "type": "category", "assignee_id": "assignee", "tags": "labels"}
"""Zendesk's names in error details -> neutral field names, where they differ."""


class ZendeskClient:
    """One HTTP client for the life of the process, used by all threads."""

    def __init__(self, name: str, settings: ZendeskSettings) -> None:
        self._name, self._settings = name, settings
        self._http = httpx.Client(
            timeout=settings.timeout,
            headers={"Accept": "application/json", "User-Agent": "ticket-hub"},
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=60),
        )
        self._lock = threading.Lock()
        self._token = ""
        self._token_ends = 0.0
        self.clock_skew: float | None = None

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **params: str | int) -> dict[str, Any]:
        """A GET under /api/v2. Reading twice does no harm, so a connection that broke is tried once more."""
        attempt = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((httpx.RemoteProtocolError, httpx.ConnectError)),
            stop=tenacity.stop_after_attempt(2),
            reraise=True,
        )
        return self._send("GET", path, lambda **k: attempt(self._http.request, **k), params=params)

    def send(self, method: str, path: str, body: object = None, **more: Any) -> dict[str, Any]:
        """A write under /api/v2, never repeated."""
        if body is not None:
            more["json"] = body
        return self._send(method, path, lambda **k: self._http.request(**k), **more)

    @contextmanager
    def stream(self, url: str) -> Iterator[Iterator[bytes]]:
        """A file's content. Redirects are followed by hand: credentials go to the account's own host only."""
        doing = "download a file"
        try:
            for _ in range(5):
                headers = self._headers() if urlsplit(url).netloc == urlsplit(self._settings.url).netloc else {}
                with self._http.stream("GET", url, headers=headers) as response:
                    if response.is_redirect:
                        url = str(response.url.join(response.headers["location"]))
                        continue
                    if response.is_error:
                        response.read()
                        raise self._error(response, doing)
                    yield response.iter_bytes(64 * 1024)
                    return
        except httpx.HTTPError as error:
            raise TemporaryError(self._name, doing, type(error).__name__) from error
        raise PermanentError(self._name, doing, "too many redirects")

    def _send(self, method: str, path: str, request: Any, **more: Any) -> dict[str, Any]:
        doing = f"{method} {path}"
        for attempt in (1, 2):
            headers = {**self._headers(), **more.get("headers", {})}
            try:
                response = request(
                    method=method, url=f"{self._settings.url}/api/v2{path}", **{**more, "headers": headers}
                )
            except httpx.HTTPError as error:
                raise TemporaryError(self._name, doing, _no_answer(error), "It is tried again.") from error
            if response.status_code == 401 and attempt == 1 and self._forget_token():
                continue
            break
        self._note_clock(response)
        if response.headers.get("x-zendesk-api-warn"):
            log.warning("Zendesk ignored something", tracker=self._name, doing=doing)
        if response.is_error:
            raise self._error(response, doing)
        if response.status_code == 204 or not response.content:
            return {}
        try:
            found: dict[str, Any] = response.json()
        except ValueError as error:
            raise TemporaryError(self._name, doing, "the answer is not JSON; is a proxy in between?") from error
        return found

    def _headers(self) -> dict[str, str]:
        credentials = self._settings.credentials
        if credentials.access_token is not None:
            return {"Authorization": f"Bearer {credentials.access_token.get_secret_value()}"}
        if credentials.api_token is not None:
            auth = httpx.BasicAuth(f"{credentials.email}/token", credentials.api_token.get_secret_value())
            request = httpx.Request("GET", "http://none")
            return {"Authorization": next(auth.auth_flow(request)).headers["Authorization"]}
        return {"Authorization": f"Bearer {self._oauth_token()}"}

    def _oauth_token(self) -> str:
        """One thread renews; the others wait for it, because a second renewal would end the first one's token."""
        with self._lock:
            if self._token and time.monotonic() < self._token_ends - RENEW_BEFORE:
                return self._token
            credentials = self._settings.credentials
            assert credentials.oauth_client_secret is not None
            try:
                response = self._http.post(
                    f"{self._settings.url}/oauth/tokens",
                    json={
                        "grant_type": "client_credentials",
                        "client_id": credentials.oauth_client_id,
                        "client_secret": credentials.oauth_client_secret.get_secret_value(),
                        "scope": credentials.scope,
                    },
                )
            except httpx.HTTPError as error:
                raise TemporaryError(self._name, "POST /oauth/tokens", _no_answer(error)) from error
            if response.is_error:
                raise self._error(response, "POST /oauth/tokens")
            answer = response.json()
            self._token = str(answer["access_token"])
            self._token_ends = time.monotonic() + float(answer.get("expires_in") or 1800)
            return self._token

    def _forget_token(self) -> bool:
        """Whether a new OAuth token may help after a 401."""
        with self._lock:
            had, self._token = bool(self._token), ""
        return had

    def _note_clock(self, response: httpx.Response) -> None:
        try:
            at = parsedate_to_datetime(response.headers["date"])
        except (KeyError, ValueError):
            return
        self.clock_skew = at.timestamp() - time.time()

    def _error(self, response: httpx.Response, doing: str) -> ConnectorError:
        status, why, details = response.status_code, *_reason(response)
        name, why = self._name, f"{status} {why}"
        if status == 401:
            return AuthError(
                name, doing, why, f"Check trackers.{name}.credentials: the client or token is wrong or has ended."
            )
        if status == 403:
            return AuthError(name, doing, why, "Give the hub's account the role of an agent who may do this.")
        if status == 404:
            return NotFoundError(name, doing, why)
        if status == 409:
            return ConflictError(name, doing, why)
        if status == 429:
            return RateLimitedError(name, doing, why, _seconds(response.headers.get("retry-after")))
        if status == 422 and details:
            return RefusedError(name, doing, details)
        if status >= 500:
            return TemporaryError(name, doing, why)
        return PermanentError(name, doing, why)


def _no_answer(error: httpx.HTTPError) -> str:
    return (
        "no answer in time" if isinstance(error, httpx.TimeoutException) else f"no connection ({type(error).__name__})"
    )


def _seconds(text: str | None) -> float:
    try:
        return max(0.0, float(text or DEFAULT_PAUSE))
    except ValueError:
        return DEFAULT_PAUSE


def _reason(response: httpx.Response) -> tuple[str, dict[str, str]]:
    """Zendesk's own words, and the fields they are about. Bodies of proxies are not shown."""
    try:
        body = response.json()
    except ValueError:
        return response.reason_phrase, {}
    if not isinstance(body, dict):
        return response.reason_phrase, {}
    error = body.get("error")
    text = error.get("message") if isinstance(error, dict) else body.get("description") or error
    details: dict[str, str] = {}
    for name, problems in (body.get("details") or {}).items() if isinstance(body.get("details"), dict) else ():
        words = "; ".join(str(p.get("description", p)) if isinstance(p, dict) else str(p) for p in problems)
        details[_field_of(name)] = words
    return str(text or response.reason_phrase)[:300], details


def _field_of(name: str) -> str:
    if name == "base":
        # A ticket-level complaint: nearly always that it cannot be solved, or is closed.
        return "status"
    return FIELDS.get(name, name)
