"""HTTP to GitLab through `python-gitlab`: signs in, translates errors. Knows nothing of issues.

The package's own retries are off for every call: by default it sleeps and sends again after a 429, a POST too. Its
errors lose the headers, so the last answer is kept by a hook. The token goes as a bearer token, which `requests` takes
off when a redirect leads to another host; it does not do that with PRIVATE-TOKEN. An instance is kept per thread.
Sources: python-gitlab 8.6.0; docs.gitlab.com, "REST API", "Rate limits".
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO
from urllib.parse import quote, urljoin, urlsplit

import gitlab
import requests
from gitlab.exceptions import GitlabError, RedirectError

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
from hub.rest import CHUNK, DEFAULT_PAUSE, LONGEST_REASON, MAX_REDIRECTS, retry_after
from plugins.gitlab.settings import GitlabSettings

PAGE = 100
"""The most that GitLab puts on a page."""
FIELDS = {
    "assignee_ids": "assignee", "assignee_id": "assignee", "issue_type": "category", "state_event": "status",
    "add_labels": "labels", "remove_labels": "labels", "title": "title", "description": "description",
    "labels": "labels", "confidential": "confidential",
}  # fmt: skip
"""GitLab's names in errors -> neutral field names."""
_ABOUT_A_FIELD = re.compile(r"^(\w+)(?:\[\])? (?:is|are|does|must|cannot)\b")


class GitlabClient:
    """Requests to one instance. Paths are under /api/v4; those that begin with `~` under the configured project."""

    def __init__(self, connector: Connector, settings: GitlabSettings) -> None:
        self.name, self._settings, self._connector = connector.name, settings, connector
        self._project = f"/projects/{quote(settings.project, safe='')}"
        self._local = threading.local()
        self._all: list[gitlab.Gitlab] = []
        self._lock = threading.Lock()
        self.clock_skew: float | None = None

    def close(self) -> None:
        with self._lock:
            for made in self._all:
                made.session.close()
            self._all.clear()

    def get(self, path: str, **params: Any) -> Any:
        """A GET; see `_read`."""
        return self._json(self._read(path, params), f"GET {path}")

    def pages(self, path: str, **params: Any) -> Iterator[list[dict[str, Any]]]:
        """A list page by page. Pages are counted here: the addresses that GitLab gives may name another host."""
        page = 1
        while True:
            response = self._read(path, {**params, "page": page, "per_page": PAGE})
            rows: list[dict[str, Any]] = self._json(response, f"GET {path}")
            yield rows
            if "next" not in response.links and not response.headers.get("x-next-page"):
                return
            page += 1

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """A write, never repeated."""
        return self._json(self._request(method, path, post_data=dict(body or {})), f"{method} {path}")

    def upload(self, path: str, name: str, content_type: str, content: BinaryIO) -> Any:
        """A file as multipart, read while it is sent."""
        files = {"file": (name, content, content_type)}
        return self._json(self._request("POST", path, files=files, post_data={}), f"POST {path}")

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[bytes]]:
        """A file's content. Redirects are followed by hand: the token goes to GitLab's own host only."""
        doing = "download a file"
        url = self._api().api_url + self._path(path)
        for _ in range(MAX_REDIRECTS):
            is_own = urlsplit(url)[:2] == urlsplit(self._settings.url)[:2]
            with self._translated(doing), self._counted("GET"):
                response = self._fetch(url, is_own=is_own)
            try:
                if response.is_redirect:
                    url = urljoin(url, response.headers["location"])
                    continue
                if not response.ok:
                    raise self._error(response, doing)
                with self._translated(doing):
                    yield response.iter_content(CHUNK)
                return
            finally:
                response.close()
        raise PermanentError(self.name, doing, "too many redirects")

    def _fetch(self, url: str, *, is_own: bool) -> requests.Response:
        token = self._settings.credentials.token.get_secret_value()
        headers = {"Accept": "*/*", "User-Agent": "ticket-hub"}
        if is_own:
            headers["Authorization"] = f"Bearer {token}"
        return self._api().session.get(
            url, headers=headers, stream=True, allow_redirects=False, timeout=self._settings.timeout
        )

    def _read(self, path: str, params: Mapping[str, Any]) -> requests.Response:
        """A GET, tried once more when a kept connection turns out to be broken: reading twice does no harm."""
        query = {key: value for key, value in params.items() if value is not None}
        try:
            return self._request("GET", path, query_data=query)
        except _BrokenConnectionError:
            return self._request("GET", path, query_data=query)

    def _request(self, method: str, path: str, **more: Any) -> requests.Response:
        with self._translated(f"{method} {path}"), self._counted(method):
            return self._api().http_request(
                method.lower(),
                self._path(path),
                obey_rate_limit=False,
                retry_transient_errors=False,
                max_retries=0,
                **more,
            )

    def _path(self, path: str) -> str:
        return path.replace("~", self._project, 1) if path.startswith("~") else path

    def _json(self, response: requests.Response, doing: str) -> Any:
        if response.status_code == 204 or not response.content:
            return {}
        try:
            return response.json()
        except ValueError as error:
            raise TemporaryError(self.name, doing, "the answer is not JSON; is a proxy in between?") from error

    @contextmanager
    def _counted(self, method: str) -> Iterator[None]:
        started = time.monotonic()
        self._local.answer = None
        try:
            yield
        finally:
            answer: requests.Response | None = self._local.answer
            outcome = "no_answer" if answer is None else f"{answer.status_code // 100}xx"
            self._connector.on_call(method, outcome, time.monotonic() - started)

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except RedirectError:
            why = "it is answered with a redirect, which a write must not follow"
            remedy = f"Set trackers.{self.name}.url to the address that GitLab redirects to (https?)."
            raise PermanentError(self.name, doing, why, remedy) from None
        except GitlabError:
            # Without `from`: what the package keeps of the answer may repeat what was sent.
            raise self._error(self._local.answer, doing) from None
        except requests.Timeout as error:
            raise TemporaryError(self.name, doing, "no answer in time", "It is tried again.") from error
        except requests.ConnectionError as error:
            raise _BrokenConnectionError(self.name, doing, "no connection", "It is tried again.") from error
        except requests.RequestException as error:
            raise TemporaryError(self.name, doing, type(error).__name__, "It is tried again.") from error

    def _api(self) -> gitlab.Gitlab:
        made: gitlab.Gitlab | None = getattr(self._local, "gitlab", None)
        if made is None:
            made = self._local.gitlab = gitlab.Gitlab(
                self._settings.url,
                oauth_token=self._settings.credentials.token.get_secret_value(),
                timeout=self._settings.timeout,
                user_agent="ticket-hub",
            )
            made.session.hooks["response"].append(self._note)
            with self._lock:
                self._all.append(made)
        return made

    def _note(self, response: requests.Response, *_: Any, **__: Any) -> None:
        self._local.answer = response
        with suppress(KeyError, ValueError):
            self.clock_skew = parsedate_to_datetime(response.headers["Date"]).timestamp() - time.time()

    def _error(self, response: requests.Response, doing: str) -> ConnectorError:
        """What an answer of 400 or more means."""
        name, status = self.name, response.status_code
        text, fields = _reason(response)
        token = self._settings.credentials.token.get_secret_value()
        why = f"{status} {text}".replace(token, "[secret]")[:LONGEST_REASON]
        if status == 401:
            remedy = f"Check trackers.{name}.credentials: the token is wrong, was revoked or has expired."
            return AuthError(name, doing, why, remedy)
        if status == 403:
            remedy = "Give the token the scope api, and its account at least the role Reporter in the project."
            return AuthError(name, doing, why, remedy)
        if status in (404, 410):
            return NotFoundError(name, doing, why, "It does not exist, or the hub's account may not see it.")
        if status in (409, 412):
            return ConflictError(name, doing, why)
        if status == 429:
            return RateLimitedError(name, doing, why, _pause(response))
        if status in (400, 422) and fields:
            return RefusedError(name, doing, {k: v.replace(token, "[secret]") for k, v in fields.items()})
        if status >= 500 or status in (408, 425):
            return TemporaryError(name, doing, why)
        return PermanentError(name, doing, why)


class _BrokenConnectionError(TemporaryError):
    """Nothing came back; whether the request arrived is not known."""


def _pause(response: requests.Response) -> float:
    """Seconds to wait after a 429: Retry-After, else when the window ends (epoch seconds)."""
    if response.headers.get("Retry-After"):
        return retry_after(response.headers["Retry-After"])
    with suppress(KeyError, ValueError):
        return max(0.0, float(response.headers["RateLimit-Reset"]) - time.time())
    return DEFAULT_PAUSE


def _reason(response: requests.Response) -> tuple[str, dict[str, str]]:
    """GitLab's own words, and what it says about single fields, by neutral name.

    It words errors in four ways: a text or an object of lists under `message`, a text under `error` with the names of
    parameters, and plain text. Bodies that are no JSON come from proxies, or are a 429, and are not shown.
    """
    try:
        body = response.json()
    except ValueError:
        return response.reason or "no reason given", {}
    if not isinstance(body, dict):
        return response.reason or "no reason given", {}
    message = body.get("message") or body.get("error_description") or body.get("error") or response.reason
    if isinstance(message, dict):
        fields = {
            FIELDS.get(str(name), str(name)): "; ".join(str(w) for w in words)
            if isinstance(words, list)
            else str(words)
            for name, words in message.items()
        }
        return "; ".join(f"{k}: {v}" for k, v in fields.items()), fields
    text = message if isinstance(message, str) else json.dumps(message)
    fields = {}
    for part in text.split(", "):
        about = _ABOUT_A_FIELD.match(part)
        if about and about[1] in FIELDS:
            fields[FIELDS[about[1]]] = part
    return text, fields
