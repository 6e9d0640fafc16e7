"""`Sandbox`: the base class of one tracker's local server, and `run` to keep one running for other processes.

State lives in memory, requests are served by threads of this process, effects happen one at a time.
"""

from __future__ import annotations

import io
import json
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, ClassVar, Self

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.http import HTTP_STATUS_CODES

from hub.sandbox.control import PREFIX, control_routes
from hub.sandbox.delivery import Delivery, Target, WebhookSender
from hub.sandbox.faults import Fault, Faults
from hub.sandbox.limits import RateLimiter
from hub.sandbox.requestlog import RequestLog
from hub.sandbox.wire import Answer, Wire, WSGIEnvironment

_LOGIN = "hub.sandbox.login"


class Sandbox:
    """One tracker, as a local server.

    A subclass sets `kind`, registers its routes on `app` in `__init__` (after `super().__init__`), and overrides
    `credentials`, `people`, `sign` and `retry`. While a route runs it holds `lock`, so that effects happen one at
    a time; code outside of requests that touches the same state takes `lock` itself. Names in `default_settings` are
    the sandbox's own switches, changed by `change_settings`. A route that is missing answers 501.

    `clock` returns the present time, UTC.
    """

    kind: ClassVar[str] = ""
    flavours: ClassVar[tuple[str, ...]] = ()
    """What `flavour` may be when it is made; empty where there is only one."""
    webhook_secret: str = "sandbox-webhook-secret"
    default_settings: ClassVar[Mapping[str, float]] = {}

    def __init__(self, *, clock: Callable[[], datetime] | None = None) -> None:
        self.clock: Callable[[], datetime] = clock or _now
        self.app = Flask(f"{self.kind}_sandbox", static_folder=None)
        self.faults = Faults()
        self.requests = RequestLog()
        self.limits = RateLimiter(self.clock)
        self.webhooks = WebhookSender(sign=self.sign, retry=self.retry, clock=self.clock, secret=self.webhook_secret)
        self.settings: dict[str, float] = dict(self.default_settings)
        self.lock = threading.RLock()
        self._stopping = threading.Event()
        self._wire: Wire | None = None
        self._host = ""
        self.app.register_blueprint(control_routes(self))
        self.app.register_error_handler(NotFound, self._missing)
        self.app.register_error_handler(MethodNotAllowed, self._missing)

    def start(self, port: int = 0, host: str = "127.0.0.1") -> str:
        """Serve on `port` (0 for any free one) and return the base URL. Raises `OSError` when the port is taken.

        A stopped sandbox may be started again and keeps its state, like a tracker that was down.
        """
        if self._wire is not None:
            raise RuntimeError("the sandbox is running already")
        self._stopping.clear()
        self._wire, self._host = Wire(host, port, self._dispatch), host
        return self.url

    def stop(self) -> None:
        """End all threads, cut all connections, forget faults and gates. Does nothing when not running."""
        wire, self._wire = self._wire, None
        if wire is None:
            return
        self._stopping.set()
        self.faults.clear()
        wire.stop()
        self.webhooks.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end. Raises `RuntimeError` when not running."""
        if self._wire is None:
            raise RuntimeError("the sandbox is not running")
        return f"http://{self._host}:{self._wire.port}"

    def credentials(self) -> dict[str, str]:
        """What a client of the hub's service account needs, as in the hub's settings under `credentials:`."""
        raise NotImplementedError

    def people(self) -> dict[str, dict[str, str]]:
        """Credentials of other people by login, to act as them through the tracker's own API."""
        raise NotImplementedError

    def sign(self, delivery: Delivery, attempt: int) -> Mapping[str, str]:
        """The headers of one attempt of `delivery`, its signature among them."""
        raise NotImplementedError

    def retry(self, delivery: Delivery, attempt: int, status: int | None, headers: Mapping[str, str]) -> float | None:
        """Seconds until the next attempt, or None when this was the last; `status` None means no answer came."""
        return None

    def add_webhook_target(self, url: str, secret: str = "", **options: Any) -> Target:
        """Register a target for webhooks, signed with `secret` (or `webhook_secret`); `options` are the tracker's."""
        return self.webhooks.target(url, secret, **options)

    def counts(self) -> dict[str, int]:
        """How many objects of each sort there are, for `state`."""
        return {}

    def change_settings(self, **values: float) -> None:
        """Change the sandbox's switches. Raises `ValueError` for a name that is not in `default_settings`."""
        if unknown := set(values) - set(self.default_settings):
            raise ValueError(f"unknown settings {sorted(unknown)}; there are {sorted(self.default_settings)}")
        self.settings.update(values)

    def state(self) -> dict[str, Any]:
        """What another process needs to use the sandbox, as JSON values."""
        with self.lock:
            counts = self.counts()
        return {
            "kind": self.kind,
            "url": self.url,
            "credentials": self.credentials(),
            "people": self.people(),
            "webhook_secret": self.webhook_secret,
            "webhook_targets": [{"id": t.id, "url": t.url} for t in self.webhooks.targets],
            "settings": self.settings,
            "counts": {**counts, "requests": len(self.requests), "webhooks": len(self.webhooks.sent)},
        }

    def _dispatch(self, environ: WSGIEnvironment, body: bytes) -> Answer | None:
        path, method = str(environ["PATH_INFO"]), str(environ["REQUEST_METHOD"])
        if path.startswith(PREFIX):
            return self._answer(environ, body)
        excerpt = body[:2000].decode("utf-8", "replace")
        record = self.requests.arrived(method, path, str(environ["QUERY_STRING"]), self.clock(), excerpt)
        logins: list[str] = []
        answer = self._with_faults({**environ, _LOGIN: logins}, body, method, path)
        self.requests.answered(record, answer.status if answer else 0, logins[-1] if logins else "")
        return answer

    def _with_faults(self, environ: WSGIEnvironment, body: bytes, method: str, path: str) -> Answer | None:
        gates = self.faults.take_gates(method, path)
        fault = self.faults.take(method, path)
        _stand_at([gate for gate in gates if gate.rule.mode == "before"])
        if fault and fault.mode == "before":
            self._stopping.wait(fault.delay)
            if fault.drop or fault.status is not None:
                return _answer_of(fault)
        with self.lock:
            answer = self._answer(environ, body)
        _stand_at([gate for gate in gates if gate.rule.mode == "after"])
        if fault and fault.mode == "after":
            self._stopping.wait(fault.delay)
            if fault.drop or fault.status is not None:
                return _answer_of(fault)
        return answer

    def _answer(self, environ: WSGIEnvironment, body: bytes) -> Answer:
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        response = Response.from_app(self.app.wsgi_app, environ, buffered=True)
        content = response.get_data()
        headers = [(k, v) for k, v in response.headers if k.lower() != "content-length"]
        headers.append(("Date", format_datetime(self.clock(), usegmt=True)))
        if response.status_code not in (204, 304):
            headers.append(("Content-Length", str(len(content))))
        return Answer(response.status_code, tuple(headers), content, _own_reason(response.status))

    def _missing(self, error: Exception) -> ResponseReturnValue:
        text = f"the {self.kind} sandbox has no {request.method} {request.path}"
        return jsonify(error="NotInSandbox", description=text), 501


def acting_as(login: str) -> None:
    """Note in the request log who makes the present request; called by a subclass once it knows."""
    request.environ[_LOGIN].append(login)


def run(sandbox: Sandbox, port: int = 0) -> None:
    """Serve until SIGINT or SIGTERM; prints `sandbox.state()` as one line of JSON when it is ready.

    Must be called in the main thread, where signals arrive.
    """
    end = threading.Event()
    before = {s: signal.signal(s, lambda *_: end.set()) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        sandbox.start(port)
        sys.stdout.write(json.dumps(sandbox.state()) + "\n")
        sys.stdout.flush()
        end.wait()
    finally:
        sandbox.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


def _own_reason(status_line: str) -> str:
    """The phrase that a route gave its status, empty where it left it to the usual one."""
    code, _, phrase = status_line.partition(" ")
    return "" if phrase == HTTP_STATUS_CODES.get(int(code), "Unknown").upper() else phrase


def _stand_at(gates: list[Any]) -> None:
    for gate in gates:
        gate.hold()


def _answer_of(fault: Fault) -> Answer | None:
    if fault.drop or fault.status is None:
        return None
    if fault.body is None or isinstance(fault.body, str):
        content, mimetype = (fault.body or "").encode(), "text/plain; charset=utf-8"
    else:
        content, mimetype = json.dumps(fault.body).encode(), "application/json; charset=utf-8"
    headers = {"Content-Type": mimetype, "Content-Length": str(len(content)), **fault.headers}
    return Answer(fault.status, tuple(headers.items()), content)


def _now() -> datetime:
    return datetime.now(UTC)
