"""A hub's web server on a real socket, with small connectors and an inbox in memory behind it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx

from hub.connector import (
    Capability,
    Connector,
    Hint,
    HmacSignature,
    Identity,
    Ignored,
    Known,
    Role,
    SecretHeader,
    WebhookRequest,
    WebhookScheme,
)
from hub.engine.inbox import InboxUnavailableError, Stored
from hub.metrics import Metrics
from hub.rules.alerts import Signal
from hub.settings.alerts import AlertSource
from hub.settings.trackers import TrackerSettings
from hub.ticket import Snapshot
from webhooks.app import Server, create_app

SECRET = "a-secret-for-tests"
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
LIMIT = 20_000
"""Bytes: the servers of these tests take no larger body."""

ZENDESK_LIKE = HmacSignature(header="X-Sig", encoding="base64", timestamp_header="X-Sig-Timestamp")
JIRA_LIKE = HmacSignature(header="X-Hub-Signature", prefix="sha256=")
SECRET_LIKE = SecretHeader(header="X-Api-Pass")


class FakeConnector(Connector):
    """Reads `{"tickets": ["7"]}`; a key `crash` makes it fail, a key `ignore` makes it ignore."""

    kind = "fake"
    role = Role.HELPDESK
    settings_model = TrackerSettings
    delivery_id_header: ClassVar[str | None] = "X-Delivery-Id"

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset({Capability.WEBHOOKS})

    def identify(self) -> Identity:
        return Identity("1", "hub")

    def read(self, ticket_id: str, known: Known) -> Snapshot:
        raise AssertionError("receiving a webhook never reads a ticket")

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Hint] | Ignored:
        payload = request.json()
        if "crash" in payload:
            raise KeyError("detail")
        if "ignore" in payload:
            return Ignored("nothing that concerns tickets")
        return [Hint(ticket_id=str(ticket), event="changed") for ticket in payload.get("tickets", [])]


class ZendeskLike(FakeConnector):
    webhook_scheme: ClassVar[WebhookScheme | None] = ZENDESK_LIKE


class JiraLike(FakeConnector):
    webhook_scheme: ClassVar[WebhookScheme | None] = JIRA_LIKE


class SecretLike(FakeConnector):
    webhook_scheme: ClassVar[WebhookScheme | None] = SECRET_LIKE


class Echoing(FakeConnector):
    """Wants to see its code again."""

    webhook_scheme: ClassVar[WebhookScheme | None] = SECRET_LIKE
    webhook_echo_header: ClassVar[str | None] = "X-Code"


class Anonymous(FakeConnector):
    """Gives its deliveries no id."""

    webhook_scheme: ClassVar[WebhookScheme | None] = ZENDESK_LIKE
    delivery_id_header: ClassVar[str | None] = None


class PollOnly(FakeConnector):
    webhook_scheme: ClassVar[WebhookScheme | None] = None


@dataclass(frozen=True)
class Kept:
    """One call of `Shelf.store`."""

    tracker: str
    delivery_key: str
    received: datetime
    headers: Mapping[str, str]
    body: bytes
    hints: Sequence[Hint]
    ignored: str | None


@dataclass
class Shelf:
    """An inbox in memory. `trouble` is raised instead of storing; `gate` holds every store up until it is set."""

    kept: list[Kept] = field(default_factory=list)
    refusals: list[tuple[str, str, int]] = field(default_factory=list)
    trouble: Exception | None = None
    gate: threading.Event | None = None
    waiting: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def store(
        self,
        *,
        tracker: str,
        delivery_key: str,
        received: datetime,
        headers: Mapping[str, str],
        body: bytes,
        hints: Sequence[Hint],
        ignored: str | None,
    ) -> Stored:
        if self.gate is not None:
            self.waiting.release()
            assert self.gate.wait(timeout=30)
        if self.trouble is not None:
            raise self.trouble
        with self.lock:
            for number, one in enumerate(self.kept):
                if (one.tracker, one.delivery_key) == (tracker, delivery_key):
                    return Stored(number, is_duplicate=True)
            self.kept.append(Kept(tracker, delivery_key, received, headers, body, hints, ignored))
            return Stored(len(self.kept) - 1, is_duplicate=False)

    def store_signals(
        self,
        *,
        source: str,
        delivery_key: str,
        received: datetime,
        headers: Mapping[str, str],
        body: bytes,
        signals: Sequence[Signal],
    ) -> Stored:
        return self.store(
            tracker=source, delivery_key=delivery_key, received=received, headers=headers, body=body, hints=[],
            ignored=None,
        )  # fmt: skip

    def refused(self, *, tracker: str, received: datetime, reason: str, status: int) -> None:
        with self.lock:
            self.refusals.append((tracker, reason, status))


UNAVAILABLE = InboxUnavailableError("OperationalError")


def settings(secret: str | None = SECRET) -> TrackerSettings:
    return TrackerSettings.model_validate(
        {"kind": "fake", "url": "https://tracker.example", "webhook": {"secret": secret, "replay_window": 300}}
    )


def connectors() -> dict[str, Connector]:
    return {
        "support": ZendeskLike("support", settings()),
        "dev": JiraLike("dev", settings()),
        "plain": SecretLike("plain", settings()),
        "echoing": Echoing("echoing", settings()),
        "anonymous": Anonymous("anonymous", settings()),
        "unset": ZendeskLike("unset", settings(secret=None)),
        "polled": PollOnly("polled", settings()),
    }


@dataclass
class Stage:
    """A running server, what is behind it, and a client for it."""

    server: Server
    shelf: Shelf
    metrics: Metrics
    client: httpx.Client
    parts: dict[str, str | None]

    @property
    def address(self) -> tuple[str, int]:
        url = httpx.URL(self.server.url)
        assert url.port is not None
        return url.host, url.port

    def post(self, tracker: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        return self.client.post(f"/webhooks/{tracker}", content=body, headers=dict(headers))

    def count(self, tracker: str, outcome: str) -> float:
        labels = {"tracker": tracker, "outcome": outcome}
        return self.metrics.registry.get_sample_value("hub_deliveries_total", labels) or 0.0


def start(
    *,
    shelf: Shelf | None = None,
    threads: int = 4,
    limit: int = LIMIT,
    ready: Callable[[], Mapping[str, str | None]] | None = None,
    alerts: Mapping[str, AlertSource] | None = None,
) -> Stage:
    shelf, metrics, parts = shelf or Shelf(), Metrics(), dict[str, str | None](database=None, engine=None)
    app = create_app(
        connectors=connectors(),
        inbox=shelf,
        metrics=metrics,
        ready=ready or (lambda: parts),
        max_body_bytes=limit,
        now=lambda: NOW,
        alerts=alerts,
    )
    server = Server(app, "127.0.0.1", 0, threads)
    server.start()
    client = httpx.Client(base_url=server.url, timeout=20, trust_env=False)
    return Stage(server, shelf, metrics, client, parts)


def a_body(*tickets: str, **more: Any) -> bytes:
    return json.dumps({"tickets": tickets or ("7",), **more}).encode()


def signed_like_zendesk(
    body: bytes, *, delivery: str = "one", at: datetime | str = NOW, secret: str = SECRET
) -> dict[str, str]:
    stamp = at if isinstance(at, str) else at.strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).digest()
    return {"X-Sig": base64.b64encode(digest).decode(), "X-Sig-Timestamp": stamp, "X-Delivery-Id": delivery}


def signed_like_jira(body: bytes, *, delivery: str = "one", secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature": f"sha256={digest}", "X-Delivery-Id": delivery}


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)
