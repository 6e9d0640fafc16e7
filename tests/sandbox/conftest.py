"""A tracker small enough to show only the kit: notes can be added and listed, and each sends a webhook."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from flask import jsonify, request

from hub.sandbox import Delivery, Sandbox, acting_as


class NotesSandbox(Sandbox):
    """POST /notes adds a note and sends a webhook, GET /notes lists them."""

    kind = "notes"
    default_settings: ClassVar[dict[str, float]] = {"lag": 0.0}

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

        @self.app.post("/notes")
        def add() -> Any:
            acting_as(request.headers.get("X-Login", ""))
            self.notes.append(request.get_data(as_text=True))
            number = str(len(self.notes))
            for target in self.webhooks.targets:
                self.webhooks.send(Delivery(number, target, self.notes[-1].encode(), topic="note"))
            return jsonify(id=number), 201

        @self.app.get("/notes")
        def notes() -> Any:
            return jsonify(notes=self.notes)

    def credentials(self) -> dict[str, str]:
        return {"token": "hub"}

    def people(self) -> dict[str, dict[str, str]]:
        return {"ann": {"token": "ann"}}

    def counts(self) -> dict[str, int]:
        return {"notes": len(self.notes)}

    def sign(self, delivery: Delivery, attempt: int) -> Mapping[str, str]:
        return {"X-Delivery": delivery.id, "X-Attempt": str(attempt), "X-Secret": delivery.target.secret}

    def retry(self, delivery: Delivery, attempt: int, status: int | None, headers: Mapping[str, str]) -> float | None:
        return 1.0 if attempt < 3 and (status is None or status == 503) else None


@dataclass
class Receiver:
    """A webhook receiver that notes what came in and answers the statuses in `answers`, then 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    received: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    @property
    def bodies(self) -> list[str]:
        return [body for _, body, _ in self.received]


@pytest.fixture
def sandbox() -> Iterator[NotesSandbox]:
    notes = NotesSandbox()
    notes.start()
    yield notes
    notes.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            receiver.received.append((self.path, body, dict(self.headers)))
            self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
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
