"""HTTP to Jira through the `jira` package: signs in, translates errors. Knows nothing of tickets.

The package signs in and keeps the connection; an instance is kept per thread. Requests are made and sent with its
session's own parts: what the package puts around them replays writes, sleeps inside the call and prints headers in its
errors, and its methods make calls whose answers are known. Files go over the session, everything else directly over its
connections.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import urllib3
from jira import JIRA

from hub.connector import (
    AuthError,
    ConflictError,
    Connector,
    ConnectorError,
    NotFoundError,
    PermanentError,
    RateLimitedError,
    RefusedError,
    TemporaryError,
)
from hub.rest import CHUNK, moved, retry_after
from plugins.jira.direct import Answer, DirectAdapter, answer_of
from plugins.jira.settings import JiraSettings

CONNECT_TIMEOUT = 5.0
NO_CONNECTION = (
    urllib3.exceptions.ProtocolError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.SSLError,
    urllib3.exceptions.ProxyError,
)


class JiraClient:
    """Requests to one site. Paths are under /rest/api/2 unless they begin with /rest."""

    def __init__(self, connector: Connector, settings: JiraSettings) -> None:
        self.name, self._settings, self._connector = connector.name, settings, connector
        self._timeout = (CONNECT_TIMEOUT, settings.timeout)
        self._local = threading.local()
        self._all: list[JIRA] = []
        self._lock = threading.Lock()
        self.clock_skew: float | None = None

    def close(self) -> None:
        with self._lock:
            for made in self._all:
                made._session.close()
            self._all.clear()

    def get(self, path: str, **params: Any) -> Any:
        """A GET, tried once more when a kept connection turns out to be broken: reading twice does no harm."""
        try:
            return self._send("GET", path, params=params)
        except _BrokenConnectionError:
            return self._send("GET", path, params=params)

    def send(self, method: str, path: str, body: object = None, **more: Any) -> Any:
        """A write, never repeated."""
        return self._send(method, path, **({"json": body} if body is not None else {}), **more)

    @contextmanager
    def stream(self, url: str) -> Iterator[Iterator[bytes]]:
        """A file's content. `requests` takes the credentials off when a redirect leads to another host."""
        doing = "download a file"
        session = self._session()[0]
        request = session.prepare_request(requests.Request("GET", url, headers={"Accept": "*/*"}))
        with self._translated(doing):
            response = session.send(request, stream=True, timeout=self._timeout)
        try:
            if not response.ok:
                raise self._error(answer_of(response), doing)
            yield self._chunks(response, doing)
        finally:
            response.close()

    def _chunks(self, response: requests.Response, doing: str) -> Iterator[bytes]:
        try:
            yield from response.iter_content(CHUNK)
        except requests.RequestException as error:
            raise TemporaryError(self.name, doing, type(error).__name__) from error

    def now(self) -> datetime:
        """The present time in UTC by the site's clock, as far as its answers have told it."""
        return datetime.now(UTC) + timedelta(seconds=self.clock_skew or 0.0)

    def _send(self, method: str, path: str, **more: Any) -> Any:
        doing = f"{method} {path}"
        started, outcome = time.monotonic(), "no_answer"
        try:
            with self._translated(doing):
                answer = self._exchange(method, path if path.startswith("/rest") else f"/rest/api/2{path}", more)
            outcome = f"{answer.status // 100}xx"
        finally:
            self._connector.on_call(method, outcome, time.monotonic() - started)
        self._note_clock(answer)
        if answer.is_error:
            raise self._error(answer, doing)
        if answer.redirects_to is not None:
            raise moved(self.name, doing, answer.redirects_to)
        if answer.headers.get("X-Seraph-LoginReason") == "AUTHENTICATED_FAILED":
            # Data Center may answer 200 with nothing in it (JRA-41559).
            raise self._auth_error(doing, "200 but not signed in")
        if not answer.content:
            return {}
        try:
            return answer.json()
        except ValueError as error:
            raise TemporaryError(self.name, doing, "the answer is not JSON; is a proxy in between?") from error

    def _exchange(self, method: str, path: str, more: Mapping[str, Any]) -> Answer:
        session, direct = self._session()
        if "files" not in more:
            return direct.ask(method, path, more.get("params", {}), more.get("json"))
        request = session.prepare_request(requests.Request(method, f"{self._settings.url}{path}", **more))
        return answer_of(session.send(request, timeout=self._timeout, allow_redirects=False))

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (requests.ConnectionError, *NO_CONNECTION) as error:
            raise _BrokenConnectionError(self.name, doing, "no connection", "It is tried again.") from error
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
            raise TemporaryError(self.name, doing, "no answer in time", "It is tried again.") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise TemporaryError(self.name, doing, type(error).__name__) from error

    def _session(self) -> tuple[requests.Session, DirectAdapter]:
        """This thread's own."""
        made: tuple[requests.Session, DirectAdapter] | None = getattr(self._local, "made", None)
        if made is None:
            jira = self._sign_in()
            with self._lock:
                self._all.append(jira)
            adapter = DirectAdapter(jira._session, self._settings.url, self._timeout)
            jira._session.mount(self._settings.url, adapter)
            made = self._local.made = (jira._session, adapter)
        return made

    def _sign_in(self) -> JIRA:
        credentials = self._settings.credentials
        how: dict[str, Any] = {}
        if credentials.personal_access_token is not None:
            how["token_auth"] = credentials.personal_access_token.get_secret_value()
        elif credentials.api_token is not None:
            how["basic_auth"] = (credentials.email, credentials.api_token.get_secret_value())
        elif credentials.password is not None:
            how["basic_auth"] = (credentials.username, credentials.password.get_secret_value())
        made = JIRA(
            server=self._settings.url,
            options={"rest_api_version": "2", "check_update": False},
            get_server_info=False,
            max_retries=0,
            timeout=self._timeout,
            logging=False,
            **how,
        )
        # What the environment says of proxies, certificates and netrc is looked up once, not with every request.
        session = made._session
        from_environment = session.merge_environment_settings(self._settings.url, {}, None, None, None)
        session.proxies, session.verify = from_environment["proxies"], from_environment["verify"]
        session.trust_env = False
        return made

    def _note_clock(self, answer: Answer) -> None:
        with suppress(KeyError, ValueError):
            self.clock_skew = parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()

    def _error(self, answer: Answer, doing: str) -> ConnectorError:
        status, (why, fields) = answer.status, _reason(answer)
        name, why = self.name, f"{status} {why}"
        if status == 401:
            return self._auth_error(doing, why)
        if status == 403:
            return AuthError(name, doing, why, "Give the hub's account the permission for this in the project.")
        if status == 404:
            return NotFoundError(name, doing, why, "It does not exist, or the hub's account may not browse it.")
        if status == 409:
            return ConflictError(name, doing, why)
        if status == 429:
            return RateLimitedError(name, doing, why, retry_after(answer.headers.get("Retry-After")))
        if status == 400 and fields:
            return RefusedError(name, doing, fields)
        if status >= 500:
            return TemporaryError(name, doing, why)
        return PermanentError(name, doing, why)

    def _auth_error(self, doing: str, why: str) -> AuthError:
        return AuthError(
            self.name, doing, why, f"Check trackers.{self.name}.credentials: the token is wrong or has ended."
        )


class _BrokenConnectionError(TemporaryError):
    """Nothing came back; whether the request arrived is not known."""


def _reason(answer: Answer) -> tuple[str, dict[str, str]]:
    """Jira's own words, and what it says about single fields, by Jira's field ids."""
    try:
        body = answer.json()
    except ValueError:
        return answer.reason or "no reason given", {}
    if not isinstance(body, dict):
        return answer.reason or "no reason given", {}
    errors = body.get("errors")
    fields = {str(k): str(v) for k, v in errors.items()} if isinstance(errors, dict) else {}
    texts = [str(t) for t in body.get("errorMessages") or ()] + [f"{k}: {v}" for k, v in fields.items()]
    text = "; ".join(texts) or str(body.get("message") or body.get("errorMessage") or answer.reason or "")
    return text[:400], fields
