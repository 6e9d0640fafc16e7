"""The Flask application: the routes, and errors in words for machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

import structlog
from flask import Blueprint, Flask, Response, jsonify
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from hub.connector import Connector
from hub.metrics import Metrics
from hub.settings.alerts import AlertSource
from webhooks.alerts import AlertInbox, alert_routes
from webhooks.api import api_routes
from webhooks.health import Readiness, health_routes
from webhooks.receive import Inbox, receive_routes
from webhooks.server import Server

__all__ = ["Server", "api_routes", "create_app"]

log = structlog.get_logger("hub.web")


class AnyInbox(Inbox, AlertInbox, Protocol):
    """Where deliveries of trackers and of monitoring go."""


def create_app(
    *,
    connectors: Mapping[str, Connector],
    inbox: AnyInbox,
    metrics: Metrics,
    ready: Readiness,
    max_body_bytes: int,
    now: Callable[[], datetime],
    alerts: Mapping[str, AlertSource] | None = None,
    api: Blueprint | None = None,
) -> Flask:
    """The application: `/webhooks/<tracker>`, `/alerts/<source>`, `/api`, `/healthz`, `/readyz`, `/metrics`.

    Secrets and replay windows come from the connectors' settings. `now` gives the time in UTC. Any WSGI server can
    run it, behind any proxy: it makes no addresses and asks nobody's.
    """
    app = Flask("hub", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = max_body_bytes
    app.url_map.merge_slashes = False  # a redirect would lose a webhook's body
    app.register_blueprint(
        receive_routes(connectors=connectors, inbox=inbox, metrics=metrics, max_body_bytes=max_body_bytes, now=now)
    )
    app.register_blueprint(
        alert_routes(sources=alerts or {}, inbox=inbox, metrics=metrics, max_body_bytes=max_body_bytes, now=now)
    )
    if api is not None:
        app.register_blueprint(api)
    app.register_blueprint(health_routes(metrics=metrics, ready=ready))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    return app


def _http_error(error: HTTPException) -> ResponseReturnValue:
    answer = jsonify(error=error.name.lower().replace(" ", "_"), description=_described(error))
    answer.status_code = error.code or 500
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return answer


def _described(error: HTTPException) -> str:
    if isinstance(error, NotFound):
        return "There is nothing here. Webhooks go to POST /webhooks/<tracker>, alerts to POST /alerts/<source>."
    if isinstance(error, MethodNotAllowed):
        return f"Use {' or '.join(sorted(error.valid_methods or ()))}."
    return error.description or error.name


def _unexpected(error: Exception) -> Response:
    log.exception("a request failed", kind=type(error).__name__)
    answer = jsonify(error="internal", description="The hub made a mistake; its log has the details.")
    answer.status_code = 500
    return answer
