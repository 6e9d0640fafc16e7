"""HTTP to a tracker with a JSON API, as connectors need it: signed in, no write repeated, errors translated.

A subclass says how to sign in and how the tracker words its errors. Knows nothing of tickets. For trackers without a
client package of their own; see `RestClient`.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
import tenacity

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
from hub.settings.trackers import secrets_of

DEFAULT_PAUSE = 10.0
"""Seconds to wait after a 429 that does not say how long."""
CHUNK = 64 * 1024
LONGEST_REASON = 300
MAX_REDIRECTS = 5
LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=60)
BROKEN_CONNECTION = (httpx.RemoteProtocolError, httpx.ConnectError, httpx.ReadError)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a tracker refused, in its own words; `fields` by neutral field name where it speaks of single ones."""

    text: str
    fields: Mapping[str, str] = field(default_factory=dict)


class RestClient:
    """One HTTP client for the life of the process, used by all threads; it keeps its connections.

    `clock_skew` is the tracker's clock minus ours in seconds, by the Date header of its last answer; None before.
    """

    api = ""
    """What stands between the tracker's address and each path, e.g. `/api/v2`."""
    permission_remedy = "Give the hub's account the permission for this."

    def __init__(self, connector: Connector, *, verify: ssl.SSLContext | bool = True) -> None:
        """`verify` is whom to trust, for trackers on a server with a certificate of its own."""
        self.name, self._connector = connector.name, connector
        self.url = connector.base_settings.url
        self.headers = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "ticket-hub"}
        """What every request says of itself; a subclass may change it while it is made."""
        # Reading the machine's certificates takes long; both ways to the tracker trust the same ones.
        trusted = httpx.create_ssl_context(verify=verify)
        self.http = httpx.Client(timeout=connector.base_settings.timeout, verify=trusted, limits=LIMITS)
        """For what is no plain call: files, and addresses of other hosts."""
        # A client merges settings, follows redirects and keeps cookies. Plain calls need none of that, and what it
        # takes weighs nearly as much as the exchange itself.
        self._transport = httpx.HTTPTransport(verify=trusted, limits=LIMITS, proxy=_proxy_for(self.url))
        self._extensions = {"timeout": httpx.Timeout(connector.base_settings.timeout).as_dict()}
        self._secrets = tuple(secrets_of(connector.base_settings))
        self.clock_skew: float | None = None

    # what a tracker may do in its own way

    def credentials(self) -> Mapping[str, str]:
        """The headers that sign a request in. May call the tracker to get a token."""
        return {}

    def renew(self) -> bool:
        """Called after a 401: whether to try once more with what `credentials` gives now."""
        return False

    def reason(self, response: httpx.Response) -> Reason:
        """The tracker's own words for an error. Bodies that are no JSON come from proxies and are not shown."""
        return Reason(response.reason_phrase)

    def inspect(self, body: Any, doing: str) -> None:
        """Looks at the body of a successful answer. Raises a `ConnectorError` when it holds an error after all."""

    def error(self, response: httpx.Response, doing: str) -> ConnectorError:
        """What an answer of 400 or more means."""
        status, reason = response.status_code, self.reason(response)
        name, why = self.name, self.scrub(f"{status} {reason.text}"[:LONGEST_REASON])
        if status == 401:
            return self.auth_error(doing, why)
        if status == 403:
            return AuthError(name, doing, why, self.permission_remedy)
        if status in (404, 410):
            return NotFoundError(name, doing, why, "It does not exist, or the hub's account may not see it.")
        if status in (409, 412):
            return ConflictError(name, doing, why)
        if status == 429:
            return RateLimitedError(name, doing, why, retry_after(response.headers.get("retry-after")))
        if status in (400, 422) and reason.fields:
            return RefusedError(name, doing, {k: self.scrub(v) for k, v in reason.fields.items()})
        if status >= 500 or status in (408, 425):
            return TemporaryError(name, doing, why)
        return PermanentError(name, doing, why)

    def note(self, response: httpx.Response) -> None:
        """Called with every answer, whatever it is, for what its headers tell by the way."""
        with suppress(KeyError, ValueError):
            self.clock_skew = parsedate_to_datetime(response.headers["date"]).timestamp() - time.time()

    def auth_error(self, doing: str, why: str) -> AuthError:
        """The credentials are not good."""
        remedy = f"Check trackers.{self.name}.credentials: they are wrong or have ended."
        return AuthError(self.name, doing, why, remedy)

    # for connectors

    def get(self, path: str, **params: Any) -> Any:
        """A GET. Reading twice does no harm, so a connection that broke is tried once more."""
        return self.call("GET", path, params={k: v for k, v in params.items() if v is not None})

    def send(self, method: str, path: str, body: object = None, **more: Any) -> Any:
        """A write, never repeated; `body` goes as JSON, `more` to httpx."""
        return self.call(method, path, **({"json": body} if body is not None else {}), **more)

    def call(self, method: str, path: str, **more: Any) -> Any:
        """One request; the answer's JSON, or {} where it is empty. Raises only errors of `hub.connector`."""
        return self.exchange(method, path, **more)[0]

    def exchange(self, method: str, path: str, **more: Any) -> tuple[Any, httpx.Headers]:
        """`call`, with the answer's headers: some trackers tell there what their optimistic lock wants back."""
        doing = f"{method} {path}"
        response = self._answer(method, path, doing, more)
        if response.status_code == 401 and self.renew():
            response = self._answer(method, path, doing, more)
        if response.is_error:
            raise self.error(response, doing)
        if response.has_redirect_location:
            raise moved(self.name, doing, response.headers["location"])
        if response.status_code == 204 or not response.content:
            return {}, response.headers
        try:
            body = response.json()
        except ValueError as error:
            raise TemporaryError(self.name, doing, "the answer is not JSON; is a proxy in between?") from error
        self.inspect(body, doing)
        return body, response.headers

    @contextmanager
    def stream(self, url: str) -> Iterator[Iterator[bytes]]:
        """A file's content. Redirects are followed by hand: credentials go to the tracker's own host only."""
        doing = "download a file"
        with ExitStack() as stack:
            # Only opening and reading are translated: what goes wrong with whoever takes the bytes is not ours.
            response = self._opened(stack, url, doing)
            yield self._chunks(response, doing)

    def _opened(self, stack: ExitStack, url: str, doing: str) -> httpx.Response:
        for _ in range(MAX_REDIRECTS):
            is_own = urlsplit(url)[:2] == urlsplit(self.url)[:2]
            headers = {**self.headers, **(self.credentials() if is_own else {}), "Accept": "*/*"}
            try:
                response = stack.enter_context(self.http.stream("GET", url, headers=headers))
                if response.is_error:
                    response.read()
            except httpx.HTTPError as error:
                raise TemporaryError(self.name, doing, no_answer(error), "It is tried again.") from error
            if response.is_error:
                raise self.error(response, doing)
            if not response.is_redirect:
                return response
            url = str(response.url.join(response.headers["location"]))
        raise PermanentError(self.name, doing, "too many redirects")

    def _chunks(self, response: httpx.Response, doing: str) -> Iterator[bytes]:
        try:
            yield from response.iter_bytes(CHUNK)
        except httpx.HTTPError as error:
            raise TemporaryError(self.name, doing, no_answer(error), "It is tried again.") from error

    def now(self) -> datetime:
        """The present time in UTC by the tracker's clock, as far as its answers have told it."""
        return datetime.now(UTC) + timedelta(seconds=self.clock_skew or 0.0)

    def scrub(self, text: str) -> str:
        """The text without any secret of the settings, should a tracker repeat one."""
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return text

    def close(self) -> None:
        self.http.close()
        self._transport.close()

    def _answer(self, method: str, path: str, doing: str, more: Mapping[str, Any]) -> httpx.Response:
        url = path if path.startswith(("http://", "https://")) else f"{self.url}{self.api}{path}"
        headers = {**self.headers, **self.credentials(), **more.get("headers", {})}
        request = httpx.Request(method, url, extensions=self._extensions, **{**more, "headers": headers})
        started, outcome = time.monotonic(), "no_answer"
        try:
            response = _TWICE(self._exchanged, request) if method == "GET" else self._exchanged(request)
            outcome = f"{response.status_code // 100}xx"
        except httpx.HTTPError as error:
            raise TemporaryError(self.name, doing, no_answer(error), "It is tried again.") from error
        finally:
            self._connector.on_call(method, outcome, time.monotonic() - started)
        self.note(response)
        return response

    def _exchanged(self, request: httpx.Request) -> httpx.Response:
        response = self._transport.handle_request(request)
        response.request = request
        try:
            response.read()
        finally:
            response.close()
        return response


_TWICE = tenacity.Retrying(
    retry=tenacity.retry_if_exception_type(BROKEN_CONNECTION), stop=tenacity.stop_after_attempt(2), reraise=True
)


def _proxy_for(url: str) -> str | None:
    """The proxy that the environment names for an address (`HTTPS_PROXY`, `NO_PROXY`, …)."""
    parts = urlsplit(url)
    if proxy_bypass(parts.netloc):
        return None
    proxies = getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    return found if not found or "://" in found else f"http://{found}"


def retry_after(text: str | None) -> float:
    """Seconds that a Retry-After header asks for, given as seconds or as a date."""
    if not text:
        return DEFAULT_PAUSE
    try:
        return max(0.0, float(text))
    except ValueError:
        with suppress(ValueError, TypeError):
            return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    return DEFAULT_PAUSE


def moved(tracker: str, doing: str, address: str) -> TemporaryError:
    """What an answer means that sends the hub to another address. A write that followed would arrive as a read."""
    try:
        parts = urlsplit(address)
        where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else parts.path
    except ValueError:
        where = "an address that is none"
    remedy = f"If it has moved, correct trackers.{tracker}.url; it is tried again."
    return TemporaryError(tracker, doing, f"the tracker sends the hub to {where}", remedy)


def no_answer(error: httpx.HTTPError) -> str:
    """Why no answer came, for people."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its certificate is not trusted"
    is_late = isinstance(error, httpx.TimeoutException)
    return "no answer in time" if is_late else f"no connection ({type(error).__name__})"


def json_of(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an error's body, {} where it is none."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
