"""Every public webhook payload of Zendesk and Jira goes through receive and parse over a real socket."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from hub.connector import Connector
from hub.engine.inbox import JournalInbox
from hub.journal import Journal
from hub.metrics import Metrics
from hub.settings.trackers import WebhookSettings
from plugins.jira.connector import JiraConnector
from plugins.jira.settings import JiraCredentials, JiraSettings
from plugins.zendesk.connector import ZendeskConnector
from plugins.zendesk.settings import ZendeskCredentials, ZendeskSettings
from tests.shared import payload_files
from webhooks.app import create_app
from webhooks.server import Server

SECRET = "webhook-secret-of-the-tests"
ZENDESK = payload_files("zendesk/webhooks")
JIRA = payload_files("jira/webhooks")

TEMPLATE = "the placeholders were not filled in: this is a test of the webhook"
IGNORED = {
    "real-signed-delivery-user.deleted.json": "user.deleted is about no ticket",
    "jsm-trigger-template-close.json": TEMPLATE,
    "jsm-trigger-template-create.json": TEMPLATE,
}
"""Payloads that need nothing, and why. Every other one wakes a ticket."""
TICKETS = {
    "event-ticket.comment_added.json": "5158",
    "event-ticket.created.json": "5158",
    "event-ticket.status_changed.json": "5158",
    "zulip-screenshot_example.json": "739",
    "zulip-ticket_create_update.json": "7",
    "webhook-server-comment-created.json": "10013",
    "webhook-server-comment-deleted.json": "10013",
}
"""Of some, the ticket that must be woken."""


@pytest.fixture(scope="module")
def hub() -> Iterator[tuple[str, Journal]]:
    """A web server with both connectors; what it stores can be read in the journal."""
    webhook = WebhookSettings(secret=SecretStr(SECRET))
    zendesk = ZendeskSettings(
        kind="zendesk", url="http://127.0.0.1:9", webhook=webhook,
        credentials=ZendeskCredentials(email="hub@example.com", api_token=SecretStr("none")),
    )  # fmt: skip
    jira = JiraSettings(
        kind="jira", url="http://127.0.0.1:9", webhook=webhook, project="OPS",
        credentials=JiraCredentials(email="hub@example.com", api_token=SecretStr("none")),
    )  # fmt: skip
    connectors: dict[str, Connector] = {
        "support": ZendeskConnector("support", zendesk),
        "dev": JiraConnector("dev", jira),
    }
    journal = Journal.open("sqlite://")
    app = create_app(
        connectors=connectors,
        inbox=JournalInbox(journal, lambda: None),
        metrics=Metrics(),
        ready=dict,
        max_body_bytes=5 * 1024 * 1024,
        now=lambda: datetime.now(UTC),
    )
    server = Server(app, "127.0.0.1", 0, 2)
    server.start()
    yield server.url, journal
    server.stop()
    journal.close()
    for connector in connectors.values():
        connector.close()


def body_of(file: Path) -> bytes:
    """What was sent: the file, or the text inside a file that keeps headers beside it."""
    data: Any = json.loads(file.read_text())
    return data["payload"].encode() if isinstance(data, dict) and "payload" in data else file.read_bytes()


def zendesk_headers(body: bytes) -> dict[str, str]:
    timestamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = hmac.new(SECRET.encode(), timestamp.encode() + body, hashlib.sha256).digest()
    return {
        "X-Zendesk-Webhook-Signature": base64.b64encode(digest).decode(),
        "X-Zendesk-Webhook-Signature-Timestamp": timestamp,
    }


def jira_headers(body: bytes) -> dict[str, str]:
    return {"X-Hub-Signature": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}


def check(hub: tuple[str, Journal], file: Path, tracker: str, headers: dict[str, str]) -> None:
    from sqlalchemy import select

    from hub.journal.schema import deliveries

    url, journal = hub
    answer = httpx.post(f"{url}/webhooks/{tracker}", content=body_of(file), headers=headers)
    assert answer.status_code == 202, answer.text
    with journal.read() as connection:
        stored = connection.execute(select(deliveries).where(deliveries.c.id == answer.json()["delivery"])).one()
    if file.name in IGNORED:
        assert (stored.status, stored.note) == ("ignored", IGNORED[file.name])
    else:
        assert (stored.status, stored.note) == ("waiting", "")
        assert str(stored.ticket_id).isdigit()
        assert stored.ticket_id == TICKETS.get(file.name, stored.ticket_id)


@pytest.mark.skipif(not ZENDESK, reason="the public payloads are not beside the repository")
@pytest.mark.parametrize("file", ZENDESK, ids=lambda f: f.name)
def test_a_public_zendesk_payload_is_understood_or_ignored_for_a_reason(hub: tuple[str, Journal], file: Path) -> None:
    check(hub, file, "support", zendesk_headers(body_of(file)))


@pytest.mark.skipif(not JIRA, reason="the public payloads are not beside the repository")
@pytest.mark.parametrize("file", JIRA, ids=lambda f: f.name)
def test_a_public_jira_payload_is_understood_or_ignored_for_a_reason(hub: tuple[str, Journal], file: Path) -> None:
    check(hub, file, "dev", jira_headers(body_of(file)))
