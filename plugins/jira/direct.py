"""Plain calls to a site over the connections of a `requests` session, without what the session does around each.

A session makes a request from its parts, and takes an answer apart, anew with every call; for small JSON exchanges that
costs as much as the exchange. Knows nothing of Jira.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import extract_cookies_to_jar
from urllib3 import HTTPConnectionPool, Timeout


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, read to its end. The names of `headers` may be looked up in any case."""

    status: int
    reason: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_error(self) -> bool:
        return self.status >= 400

    @property
    def redirects_to(self) -> str | None:
        """The address that it sends the caller to instead."""
        return self.headers.get("Location") if 300 <= self.status < 400 else None

    def json(self) -> Any:
        """What the content says. Raises ValueError where it is no JSON."""
        return json.loads(self.content)


def answer_of(response: requests.Response) -> Answer:
    """What a session got, read to its end."""
    return Answer(response.status_code, response.reason or "", response.headers, response.content)


class DirectAdapter(HTTPAdapter):
    """The adapter of one session for the site at `url`: connections, certificates and proxies are the session's.

    `session` must be signed in and have its proxies and certificates. Like a session, it is for one thread.
    """

    def __init__(self, session: requests.Session, url: str, timeout: tuple[float, float]) -> None:
        """`timeout` is for connecting and for reading, in seconds."""
        super().__init__(max_retries=0)
        self._session, self._url = session, url
        self._timeout = Timeout(connect=timeout[0], read=timeout[1])
        self._sign()
        proxies = session.proxies
        pool = self.get_connection_with_tls_context(self._signed, session.verify, proxies=proxies, cert=session.cert)
        self._pool: HTTPConnectionPool = pool  # type: ignore[assignment]  # the stubs name its base
        # A proxy that passes plain HTTP on wants the whole address.
        is_passed_on = self.request_url(self._signed, proxies).startswith("http")
        self._before_path = url if is_passed_on else urlsplit(url).path

    def ask(self, method: str, path: str, params: Mapping[str, object], body: object) -> Answer:
        """One exchange; `body` goes as JSON, None is none. Follows no redirect and repeats nothing.

        Raises `urllib3.exceptions.HTTPError` where no answer comes.
        """
        target = f"{self._before_path}{path}"
        if params:
            target += f"?{urlencode({n: value for n, value in params.items() if value is not None}, doseq=True)}"
        content, headers = None, self._headers
        if body is not None:
            content, headers = json.dumps(body).encode(), self._headers_with_json
        got = self._pool.urlopen(
            method, target, content, headers,
            retries=False, redirect=False, timeout=self._timeout,
            assert_same_host=False,  # on the way through a proxy the host is another one
        )  # fmt: skip
        if "Set-Cookie" in got.headers:
            extract_cookies_to_jar(self._session.cookies, self._signed, got)  # type: ignore[no-untyped-call]
            self._sign()
        return Answer(got.status, got.reason or "", got.headers, got.data)

    def _sign(self) -> None:
        """Takes over what the session signs its requests with, and its cookies as they are now."""
        # Of the site's cookies those count that are for its API.
        self._signed = self._session.prepare_request(requests.Request("GET", f"{self._url}/rest/api/2/"))
        self._headers = dict(self._signed.headers)
        self._headers_with_json = {**self._headers, "Content-Type": "application/json"}
