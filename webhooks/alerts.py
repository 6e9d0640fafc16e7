"""Receives alerts of monitoring: verify, store, answer; with the promises of `webhooks.receive`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import structlog
from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from hub.engine.inbox import InboxUnavailableError
from hub.metrics import Metrics
from hub.rules.alerts import Signal
from hub.settings.alerts import AlertSource
from webhooks.alert_payloads import signals_of
from webhooks.keeping import delivery_key, kept_headers
from webhooks.receive import Refused, StoreResult, ask_again, body_of
from webhooks.refusals import Refusals
from webhooks.signatures import BadSignatureError, verify_shown

log = structlog.get_logger("hub.receive")


class AlertInbox(Protocol):
    """Where what monitoring sends goes."""

    def store_signals(
        self,
        *,
        source: str,
        delivery_key: str,
        received: datetime,
        headers: Mapping[str, str],
        body: bytes,
        signals: Sequence[Signal],
    ) -> StoreResult:
        """Keeps what was sent; durable when it returns. Raises InboxUnavailableError when nothing can be stored."""

    def refused(self, *, tracker: str, received: datetime, reason: str, status: int) -> None:
        """Notes a request that was turned away with `status`; must not raise."""


def alert_routes(
    *,
    sources: Mapping[str, AlertSource],
    inbox: AlertInbox,
    metrics: Metrics,
    max_body_bytes: int,
    now: Callable[[], datetime],
) -> Blueprint:
    """`POST /alerts/<source>`, with the answers of `webhooks.receive.receive_routes`.

    Alertmanager sends again what is answered with 5xx and gives up on what is answered with 4xx.
    """
    routes = Blueprint("alerts", __name__)
    refusals = Refusals(inbox)

    @routes.post("/alerts/<source>", strict_slashes=False, provide_automatic_options=False)
    def receive(source: str) -> ResponseReturnValue:
        started, received = time.perf_counter(), now()
        known_as = f"alert:{source}" if source in sources else "unknown"
        try:
            outcome, answer = _receive(source, received)
        except Refused as refused:
            outcome = refused.outcome
            refusals.note(tracker=known_as, received=received, reason=outcome, status=refused.status)
            answer = jsonify(error=outcome, description=refused.why)
            answer.status_code = refused.status
        metrics.delivery(known_as, outcome, time.perf_counter() - started)
        return answer

    def _receive(name: str, received: datetime) -> tuple[str, Response]:
        source = sources.get(name)
        if source is None:
            why = f"The hub's settings have no alerts from {name[:100]!r}; correct the address."
            raise Refused(404, "unknown_tracker", why)
        headers = {header.lower(): value for header, value in request.headers.items()}
        body = body_of(max_body_bytes)
        try:
            verify_shown(source.secret.get_secret_value(), source.secret_header, headers)
        except BadSignatureError as error:
            raise Refused(401, error.fault, str(error)) from error
        try:
            signals = signals_of(source, body)
        except (ValueError, RecursionError) as error:
            raise Refused(400, "unparsable", f"{name} sent what the hub cannot read: {error}") from error
        try:
            stored = inbox.store_signals(
                source=name,
                delivery_key=delivery_key(None, source.id_header or None, headers, body),
                received=received,
                headers=kept_headers(None, source.id_header or None, headers, never=source.secret_header),
                body=body,
                signals=signals,
            )
        except InboxUnavailableError:
            return "unavailable", ask_again()
        except Exception:  # whatever it is, nothing is stored, and the sender must keep it
            log.exception("alerts could not be stored", source=name)
            return "unavailable", ask_again()
        outcome = "duplicate" if stored.is_duplicate else "accepted" if signals else "ignored"
        log.info("received", source=name, delivery=stored.delivery_id, status=outcome)
        answer = jsonify(delivery=stored.delivery_id, status=outcome, groups=len(signals))
        answer.status_code = 202
        return outcome, answer

    return routes
