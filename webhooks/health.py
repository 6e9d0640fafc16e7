"""Tells machines how the hub is: alive, ready, and its figures. Open to anybody, so it shows no text and no secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from hub.metrics import Metrics

log = structlog.get_logger("hub.web")

Readiness = Callable[[], Mapping[str, str | None]]
"""Per part of the hub (`database`, `engine`) what is wrong with it, or None. Quick: it is asked every few seconds."""


def health_routes(*, metrics: Metrics, ready: Readiness) -> Blueprint:
    """`GET /healthz` (200 while the process lives), `GET /readyz` (200, or 503 and which part), `GET /metrics`."""
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return jsonify(status="alive")

    @routes.get("/readyz")
    def readyz() -> ResponseReturnValue:
        try:
            parts = ready()
        except Exception as error:  # a hub that cannot tell whether it is ready is not ready
            log.exception("could not ask whether the hub is ready")
            parts = {"hub": type(error).__name__}
        is_ready = all(trouble is None for trouble in parts.values())
        described = {name: trouble or "ok" for name, trouble in parts.items()}
        return jsonify(status="ready" if is_ready else "not ready", parts=described), 200 if is_ready else 503

    @routes.get("/metrics")
    def show_metrics() -> ResponseReturnValue:
        return Response(metrics.render(), content_type=CONTENT_TYPE_PLAIN_0_0_4)

    @routes.after_request
    def keep_out_of_caches(answer: Response) -> Response:
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return routes
