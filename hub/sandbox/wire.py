"""The HTTP side of a sandbox: werkzeug's threaded server, with keep-alive, whole answers and a prompt end.

Werkzeug's own handler closes every connection after one request and waits 10 ms to drain it; clients that keep
connections (all real ones) would be measured and tested against something that no tracker does.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

WSGIEnvironment = dict[str, object]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """A whole response: status, headers in order, body. `reason` is the status line's own phrase, empty for the usual.

    The phrase must be one line of Latin-1.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    reason: str = ""


Dispatch = Callable[[WSGIEnvironment, bytes], Answer | None]
"""Answers a request, given its environ and body; None cuts the connection."""


class Wire:
    """One listening socket with its threads."""

    def __init__(self, host: str, port: int, dispatch: Dispatch) -> None:
        """Listen on `host`:`port` (0 for any free one). Raises `OSError` when the port is taken."""
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stopping = False
        handler = type("_BoundHandler", (_Handler,), {"wire": self, "dispatch": staticmethod(dispatch)})
        try:
            self._server: BaseWSGIServer = make_server(host, port, _no_wsgi, threaded=True, request_handler=handler)
        except SystemExit as error:
            raise OSError(f"port {port} of {host} is in use") from error
        self.port: int = self._server.port
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="sandbox-server", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, cut every open connection and wait for the threads to end."""
        self._server.shutdown()
        with self._lock:
            self._stopping = True
            open_connections = dict(self._connections)
        for connection in open_connections:
            _cut(connection)
        for thread in open_connections.values():
            thread.join(timeout=10)
        self._thread.join(timeout=10)

    def opened(self, connection: socket.socket) -> None:
        """Note a connection, in its own thread."""
        with self._lock:
            self._connections[connection] = threading.current_thread()
            if self._stopping:
                _cut(connection)

    def closed(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._connections.pop(connection, None)


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536
    wire: Wire
    dispatch: Dispatch

    def setup(self) -> None:
        super().setup()
        self.wire.opened(self.connection)

    def finish(self) -> None:
        self.wire.closed(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def handle_expect_100(self) -> bool:
        goes_on = super().handle_expect_100()
        self.wfile.flush()
        return goes_on

    def run_wsgi(self) -> None:
        environ: WSGIEnvironment = dict(self.make_environ())
        self.environ = environ
        stream = environ["wsgi.input"]
        length = int(self.headers.get("Content-Length") or 0)
        body: bytes = stream.read() if environ.get("wsgi.input_terminated") else self.rfile.read(length)  # type: ignore[attr-defined]  # a file-like object, typed as object in the environ
        answer = type(self).dispatch(environ, body)
        if answer is None:
            self.close_connection = True
            _cut(self.connection)
            return
        self.send_response_only(answer.status, answer.reason or None)
        if not any(name == "Date" for name, _ in answer.headers):
            self.send_header("Date", self.date_time_string())
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the request log is the record."""

    def log_message(self, format: str, *args: object) -> None:
        _log.debug(format, *args)


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _no_wsgi(_environ: object, _start_response: object) -> list[bytes]:
    raise AssertionError("requests go through Wire's own dispatch")
