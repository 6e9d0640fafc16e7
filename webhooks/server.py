"""Runs the application in this process: waitress in a thread, with an end that loses nothing."""

from __future__ import annotations

import logging
import socket
import threading
import time
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.utilities import RequestEntityTooLarge

MAX_CONNECTIONS = 500
IDLE_SECONDS = 60
"""A connection on which nothing moves for so long is closed."""
MAX_HEADER_BYTES = 64 * 1024
FINISH_SECONDS = 10.0
"""How long running requests may take to end when the server stops. Trackers wait no longer for an answer."""
_LOOK_SECONDS = 1.0
_LISTEN_BACKLOG = 1024


class Server:
    """waitress in a thread of this process. `port` 0 takes a free one; `threads` is how many requests run at once.

    It listens from the beginning and answers from `start` on. Raises OSError with the address when it cannot listen.
    """

    def __init__(self, app: Flask, host: str, port: int, threads: int) -> None:
        # One line for every request that has to wait a moment for a thread says nothing that the figures do not.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._map: dict[int, Any] = {}
        limit = app.config["MAX_CONTENT_LENGTH"]
        server: Any = create_server(
            app,
            map=self._map,
            sockets=[_listen(host, port)],
            threads=threads,
            ident="hub",
            clear_untrusted_proxy_headers=True,
            connection_limit=MAX_CONNECTIONS,
            channel_timeout=IDLE_SECONDS,
            max_request_header_size=MAX_HEADER_BYTES,
            # The application refuses what is over its limit. What is only somewhat over it (or has many small chunks)
            # is read to its end, unkept, so that the sender gets to see the answer and the connection can go on.
            max_request_body_size=2 * limit + MAX_HEADER_BYTES,
        )
        server.channel_class = _Channel
        self._server = server
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hub-web", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        host = str(self._server.effective_host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self._server.effective_port}"

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Takes no new connections, lets running requests end, and waits for the thread. Twice is once."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        if self._thread.is_alive():
            self._server.pull_trigger()
            self._thread.join()
        else:
            self._finish()
        # Only here: the thread may come to its end before the trigger is pulled.
        self._server.trigger.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._turn(_LOOK_SECONDS)
        self._finish()

    def _turn(self, seconds: float) -> None:
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._map, count=1)

    def _finish(self) -> None:
        wasyncore.dispatcher.close(self._server)
        deadline = time.monotonic() + FINISH_SECONDS
        while channels := list(self._server.active_channels.values()):
            is_late = time.monotonic() > deadline
            for channel in channels:
                if is_late or not (channel.requests or channel.total_outbufs_len):
                    channel.handle_close()
            if self._server.active_channels:
                self._turn(_LOOK_SECONDS)
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=1)


class _Parser(HTTPRequestParser):
    """Lets the application answer a body that is far too large, unread, in its own words, and then hangs up."""

    headers: dict[str, str]

    def received(self, data: bytes) -> int:
        taken = int(super().received(data))
        if isinstance(self.error, RequestEntityTooLarge):
            self.error = None
            self.expect_continue = False
            self.headers["CONNECTION"] = "close"
            self.headers["CONTENT_LENGTH"] = str(self.adj.max_request_body_size)
        return taken


class _Channel(HTTPChannel):
    parser_class = _Parser

    def handle_close(self) -> None:
        """Also gives back the file that holds a large body when its sender hangs up half-way."""
        request, self.request = self.request, None
        if request is not None:
            request.close()
        super().handle_close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # 127.0.0.1 before ::1 where a name has both: it is what people mean by localhost.
        family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
        return socket.create_server(address[:2], family=family, backlog=_LISTEN_BACKLOG)
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from error
