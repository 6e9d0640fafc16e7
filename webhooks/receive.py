"""Receives webhooks: verify, store, answer. Nothing slow, nothing clever.

Once a request is verified and stored the answer is 2xx whatever comes later, because trackers switch webhooks off that
answer with errors. It knows no tracker and no table: a connector reads the payload, an inbox keeps it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import structlog
from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import ClientDisconnected, MethodNotAllowed, RequestEntityTooLarge

from hub.connector import Connector, Hint, Ignored, WebhookRequest
from hub.engine.inbox import InboxUnavailableError
from hub.metrics import Metrics
from webhooks.keeping import delivery_key, kept_headers
from webhooks.refusals import Refusals
from webhooks.signatures import BadSignatureError, verify

log = structlog.get_logger("hub.receive")

ASK_AGAIN_AFTER = "30"
"""Seconds. Zendesk sends again only when this is under 60."""
NO_TICKET = "it speaks of no ticket"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""All are looked at here, because whether a GET is welcome depends on the tracker."""
_ECHO = re.compile(r"[A-Za-z0-9._~+/=-]{1,200}")
"""What is repeated to whoever asks: a code, never anything that could mean something in a page or a log."""


class StoreResult(Protocol):
    """What became of a delivery: its number in the journal, and whether it was there already."""

    @property
    def delivery_id(self) -> int: ...

    @property
    def is_duplicate(self) -> bool: ...


class Inbox(Protocol):
    """Where deliveries go."""

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
    ) -> StoreResult:
        """Keeps a verified delivery; durable when it returns. `received` is UTC; header names are lower-case.

        A delivery that needs nothing has no hints and `ignored` says why, for people. Raises InboxUnavailableError
        when nothing can be stored now.
        """

    def refused(self, *, tracker: str, received: datetime, reason: str, status: int) -> None:
        """Notes a request that was turned away with `status`. Anybody can cause it; it must not raise."""


class Refused(Exception):  # noqa: N818 - a way out of the request, not an error of the program
    """A request is turned away: with which status, how it is counted, and why, for the admin."""

    def __init__(self, status: int, outcome: str, why: str) -> None:
        self.status, self.outcome, self.why = status, outcome, why


def receive_routes(
    *,
    connectors: Mapping[str, Connector],
    inbox: Inbox,
    metrics: Metrics,
    max_body_bytes: int,
    now: Callable[[], datetime],
) -> Blueprint:
    """`POST /webhooks/<tracker>`, and GET for trackers that ask for an echo. `now` gives the time in UTC.

    Answers 202 with `{"delivery", "status"}` (accepted, duplicate or ignored) once the delivery is stored; 400
    unparsable, 401 unsigned, forged, stale or malformed, 404 unknown tracker, 413 oversized, 415 compressed, and 503
    with Retry-After when it cannot be stored now, each with an `error` word and a `description` for the admin.
    """
    routes = Blueprint("receive", __name__)
    refusals = Refusals(inbox)

    @routes.route("/webhooks/<tracker>", methods=METHODS, strict_slashes=False, provide_automatic_options=False)
    def receive(tracker: str) -> ResponseReturnValue:
        if request.method != "POST":
            return _proof(connectors.get(tracker))
        started, received = time.perf_counter(), now()
        # An address can hold any word; what is counted and kept holds only configured ones.
        known_as = tracker if tracker in connectors else "unknown"
        try:
            outcome, answer = _receive(tracker, received)
        except Refused as refused:
            outcome = refused.outcome
            refusals.note(tracker=known_as, received=received, reason=outcome, status=refused.status)
            answer = jsonify(error=outcome, description=refused.why)
            answer.status_code = refused.status
        metrics.delivery(known_as, outcome, time.perf_counter() - started)
        return _echoing(connectors.get(tracker), answer)

    def _receive(tracker: str, received: datetime) -> tuple[str, Response]:
        connector = _connector(connectors, tracker)
        scheme, id_header = connector.webhook_scheme, connector.delivery_id_header
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = body_of(max_body_bytes)
        _verify(connector, headers, body, received)
        hints, ignored = _hints(connector, headers, body)
        try:
            stored = inbox.store(
                tracker=tracker,
                delivery_key=delivery_key(scheme, id_header, headers, body),
                received=received,
                headers=kept_headers(scheme, id_header, headers),
                body=body,
                hints=hints,
                ignored=ignored,
            )
        except InboxUnavailableError:
            return "unavailable", ask_again()
        except Exception:  # whatever it is, the delivery is not stored, and the sender must keep it
            log.exception("a delivery could not be stored", tracker=tracker)
            return "unavailable", ask_again()
        outcome = "duplicate" if stored.is_duplicate else "accepted" if ignored is None else "ignored"
        log.info("received", tracker=tracker, delivery=stored.delivery_id, status=outcome)
        answer = jsonify(delivery=stored.delivery_id, status=outcome, **({"reason": ignored} if ignored else {}))
        answer.status_code = 202
        return outcome, answer

    return routes


def _connector(connectors: Mapping[str, Connector], tracker: str) -> Connector:
    connector = connectors.get(tracker)
    if connector is None:
        why = f"The hub's settings have no tracker {tracker[:100]!r}; correct the address of the webhook."
        raise Refused(404, "unknown_tracker", why)
    if connector.webhook_scheme is None:
        raise Refused(404, "unknown_tracker", f"{connector.name} is of a kind that sends no webhooks; remove this one.")
    if connector.base_settings.webhook.secret is None:
        why = f"No secret is set; put it under trackers.{connector.name}.webhook.secret in the hub's settings."
        raise Refused(401, "unsigned", why)
    return connector


def body_of(max_body_bytes: int) -> bytes:
    """The body of the present request as it came. Raises Refused when it is too large, compressed or broken off."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        # No tracker compresses, and a small body that unpacks to a large one must not be a way in.
        raise Refused(415, "unparsable", "The hub takes no compressed bodies; send it without Content-Encoding.")
    request.max_content_length = max_body_bytes
    try:
        return request.get_data(cache=False, parse_form_data=False)
    except RequestEntityTooLarge as error:
        why = f"The body has more than {max_body_bytes} bytes; if that is right, raise server.max_body_bytes."
        raise Refused(413, "oversized", why) from error
    except ClientDisconnected as error:
        raise Refused(400, "unparsable", "The body ended early; send it again.") from error


def _verify(connector: Connector, headers: Mapping[str, str], body: bytes, received: datetime) -> None:
    scheme, settings = connector.webhook_scheme, connector.base_settings.webhook
    assert scheme is not None
    assert settings.secret is not None
    try:
        verify(scheme, settings.secret.get_secret_value(), headers, body, received, settings.replay_window)
    except BadSignatureError as error:
        raise Refused(401, error.fault, str(error)) from error


def _hints(connector: Connector, headers: Mapping[str, str], body: bytes) -> tuple[Sequence[Hint], str | None]:
    """What the payload says, or why it says nothing. A verified payload is never lost to a mistake in reading it."""
    try:
        parsed = connector.parse_webhook(WebhookRequest(headers, body))
        if isinstance(parsed, Ignored):
            return (), parsed.reason
        return (tuple(parsed), None) if parsed else ((), NO_TICKET)
    except ValueError as error:
        raise Refused(400, "unparsable", f"{connector.name} sent what the hub cannot read: {error}") from error
    except Exception as error:  # polling will find the change; an error answer would stop the webhook
        log.exception("a verified webhook could not be read", tracker=connector.name)
        return (), f"could not be read: {type(error).__name__}"


def _proof(connector: Connector | None) -> Response:
    """Before they send anything, some trackers ask whether the address belongs to somebody who knows of it."""
    if connector is None or request.method != "GET" or _code_of(connector) is None:
        raise MethodNotAllowed(valid_methods=["POST"])
    return _echoing(connector, jsonify(status="listening"))


def _code_of(connector: Connector) -> str | None:
    """What the tracker wants to see again in the present request's answer."""
    header = connector.webhook_echo_header
    code = request.headers.get(header, "") if header else ""
    return code if _ECHO.fullmatch(code) else None


def _echoing(connector: Connector | None, answer: Response) -> Response:
    if connector is not None and connector.webhook_echo_header and (code := _code_of(connector)) is not None:
        answer.headers[connector.webhook_echo_header] = code
    return answer


def ask_again() -> Response:
    """What a sender is told to keep and send again."""
    answer = jsonify(error="unavailable", description="The hub cannot store the delivery now; send it again.")
    answer.status_code = 503
    answer.headers["Retry-After"] = ASK_AGAIN_AFTER
    return answer
