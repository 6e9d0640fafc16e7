"""A running sandbox, clients of it by login, a receiver for its webhooks, and the shared public payloads."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from plugins.zendesk.sandbox import ZendeskSandbox

PAYLOADS = Path(__file__).resolve().parents[4] / ".." / "shared" / "payloads" / "zendesk"


class Clock:
    """A clock that the test moves; it also creeps on by itself, as a real one does."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=10)
        return self.now

    def advance(self, **parts: float) -> None:
        self.now += timedelta(**parts)


class Api:
    """The sandbox's API as one person uses it; every call checks the status it is told to expect."""

    def __init__(self, client: httpx.Client, url: str, auth: tuple[str, str] | None) -> None:
        self._client, self._url, self._auth = client, url, auth

    def call(self, method: str, path: str, expect: int = 200, **more: Any) -> httpx.Response:
        url = path if path.startswith("http") else f"{self._url}/api/v2{path}"
        answer = self._client.request(method, url, auth=self._auth, **more)
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def get(self, path: str, expect: int = 200, /, **params: Any) -> Any:
        return self.call("GET", path, expect, params=params or None).json()

    def put(self, path: str, body: Any, expect: int = 200) -> Any:
        return self.call("PUT", path, expect, json=body).json()

    def post(self, path: str, body: Any, expect: int = 201, **headers: str) -> Any:
        return self.call("POST", path, expect, json=body, headers=headers).json()

    def create(self, body: str = "Help", *, public: bool = True, **ticket: Any) -> Any:
        """A new ticket."""
        given = {"subject": "It broke", "comment": {"body": body, "public": public}, **ticket}
        return self.post("/tickets", {"ticket": given})["ticket"]

    def update(self, ticket_id: int, expect: int = 200, **ticket: Any) -> Any:
        """The answer to an update of a ticket."""
        return self.put(f"/tickets/{ticket_id}", {"ticket": ticket}, expect)

    def upload(self, name: str, content: bytes, content_type: str = "text/plain", **params: str) -> Any:
        """The upload that an uploaded file made."""
        headers = {"Content-Type": content_type}
        params = {"filename": name, **params}
        answer = self.call("POST", "/uploads", 201, params=params, content=content, headers=headers)
        return answer.json()["upload"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[ZendeskSandbox]:
    server = ZendeskSandbox(clock=clock)
    server.change_settings(withhold_seconds=0)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


@pytest.fixture
def login(sandbox: ZendeskSandbox, http: httpx.Client) -> Callable[[str], Api]:
    """The API as the person with this login; "" for nobody."""

    def as_person(name: str) -> Api:
        if not name:
            return Api(http, sandbox.url, None)
        known = {**sandbox.people(), "hub": sandbox.credentials()}[name]
        return Api(http, sandbox.url, (f"{known['email']}/token", known["token"]))

    return as_person


@pytest.fixture
def api(login: Callable[[str], Api]) -> Api:
    """The API as the hub's own account."""
    return login("hub")


@pytest.fixture
def sample_text() -> Callable[[str], str]:
    """A file of the public payloads by its path; the test is skipped where the shared data are absent."""

    def load(path: str) -> str:
        if not PAYLOADS.is_dir():
            pytest.skip("the shared payloads are not beside this repository")
        return (PAYLOADS / path).read_text(encoding="utf-8")

    return load


@pytest.fixture
def sample(sample_text: Callable[[str], str]) -> Callable[[str], Any]:
    """A public JSON payload by its path."""
    return lambda path: json.loads(sample_text(path))


class Receiver:
    """A webhook receiver that notes requests and answers `answers` (status, headers), then 200."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.received: list[tuple[dict[str, str], bytes]] = []

    def events(self) -> list[Any]:
        return [json.loads(body) for _, body in self.received]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append((dict(self.headers), body))
            status, headers = receiver.answers.pop(0) if receiver.answers else (200, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test looks at `received`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield receiver
    server.shutdown()
    thread.join()
    server.server_close()
