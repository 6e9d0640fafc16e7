"""The server in front of the real journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from hub.engine.inbox import JournalInbox
from hub.journal import Journal, deliveries
from hub.metrics import Metrics
from tests.webhooks.stage import LIMIT, NOW, a_body, connectors, signed_like_zendesk
from webhooks.app import AnyInbox, Server, create_app


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal.open(f"sqlite:///{tmp_path / 'hub.sqlite3'}")
    # What happens when the database stays locked is asked here, not how long the journal waits before it says so.
    sa.event.listen(opened.engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=50").close())
    opened.engine.dispose()
    yield opened
    opened.close()


@pytest.fixture
def client(journal: Journal) -> Iterator[httpx.Client]:
    inbox: AnyInbox = JournalInbox(journal, lambda: None)
    app = create_app(
        connectors=connectors(),
        inbox=inbox,
        metrics=Metrics(),
        ready=dict,
        max_body_bytes=LIMIT,
        now=lambda: NOW,
    )
    server = Server(app, "127.0.0.1", 0, 2)
    server.start()
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as opened:
        yield opened
    server.stop()


def post(client: httpx.Client) -> httpx.Response:
    body = a_body("7")
    return client.post("/webhooks/support", content=body, headers=signed_like_zendesk(body))


def test_an_accepted_delivery_wakes_its_ticket_once(client: httpx.Client, journal: Journal) -> None:
    assert [post(client).json()["status"] for _ in range(2)] == ["accepted", "duplicate"]
    with journal.read() as connection:
        assert deliveries.count_waiting(connection, NOW) == 1


def test_a_locked_database_makes_the_sender_ask_again(client: httpx.Client, journal: Journal, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "hub.sqlite3", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = post(client)
        other.execute("ROLLBACK")
    other.close()
    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
    assert post(client).json()["status"] == "accepted"
