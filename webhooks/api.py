"""The API: what a person can ask of a ticket, for buttons and scripts; and what the hub knows of it.

It asks nothing of trackers itself: what is asked for is stored, durable before the answer, and done by the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from hub.journal import cases
from hub.journal.cases import Order
from hub.sync.asking import ask, known_ticket, line_order, macro_order
from hub.sync.context import Context
from hub.sync.linking import LinkingError
from hub.ticket import TicketRef
from webhooks.signatures import BadSignatureError, verify_shown

OWN_HEADER = "X-Api-Token"
MOST_KEY = 100
"""Characters of an Idempotency-Key."""


class ApiError(Exception):
    """An answer other than the one that was asked for: a status, and words for whoever asked."""

    def __init__(self, status: int, why: str) -> None:
        self.status, self.why = status, why
        super().__init__(why)


def api_routes(*, context: Context, token: str | None, notify: Callable[[], None]) -> Blueprint:
    """`/api/tickets/<tracker>/<id>`, `…/macros/<name>` and `…/line`; 401 without the token of the settings.

    A POST is answered 202 when it is stored. With the same Idempotency-Key again it is done once, and answered 200.
    """
    routes = Blueprint("api", __name__, url_prefix="/api")

    @routes.before_request
    def authenticate() -> None:
        if token is None:
            raise ApiError(404, "The API is off: set server.api_token.")
        try:
            verify_shown(token, OWN_HEADER, {name.lower(): value for name, value in request.headers.items()})
        except BadSignatureError as error:
            raise ApiError(401, str(error)) from error

    @routes.errorhandler(ApiError)
    def told(error: ApiError) -> ResponseReturnValue:
        return jsonify(error=error.why), error.status

    @routes.errorhandler(LinkingError)
    def refused(error: LinkingError) -> ResponseReturnValue:
        return jsonify(error=str(error)), 404

    @routes.get("/tickets/<tracker>/<ticket_id>")
    def show(tracker: str, ticket_id: str) -> ResponseReturnValue:
        ref = _ticket(context, tracker, ticket_id)
        with context.journal.read() as connection:
            case = cases.case_of(connection, ref)
            ordered = cases.orders_of(connection, ref)
        if case is None:
            raise ApiError(404, f"the hub has not looked at {ref} yet")
        return jsonify(
            ticket=str(ref),
            looked=case.data["looked"],
            next_look=case.next_at.isoformat() if case.next_at else None,
            line=case.data["seen"].get("line"),
            clocks=case.data["clocks"],
            rules={rule: {"holds": holds, "because": why} for rule, (holds, why) in case.data["answers"].items()},
            orders=[
                {"mark": one.mark, "kind": one.kind, "because": one.because, "state": state, "outcome": outcome}
                for one, state, outcome in ordered
            ],
        )

    @routes.post("/tickets/<tracker>/<ticket_id>/macros/<name>")
    def run_macro(tracker: str, ticket_id: str, name: str) -> ResponseReturnValue:
        ref = _ticket(context, tracker, ticket_id)
        return _ask(macro_order(context, ref, name, _key()))

    @routes.post("/tickets/<tracker>/<ticket_id>/line")
    def hand_over(tracker: str, ticket_id: str) -> ResponseReturnValue:
        body = _body()
        line, reason = body.get("line"), body.get("reason")
        if not (line in ("next", "previous") or (isinstance(line, int) and not isinstance(line, bool))):
            raise ApiError(400, "line must be a number, next or previous")
        if not isinstance(reason, str) or not reason.strip():
            raise ApiError(400, "reason must say why, for the note that goes with the hand-over")
        ref = _ticket(context, tracker, ticket_id)
        return _ask(line_order(context, ref, line, reason, _key()))

    def _ask(order: Order) -> ResponseReturnValue:
        is_new = ask(context, order)
        if is_new:
            notify()
        return jsonify(ticket=str(order.ref), mark=order.mark), 202 if is_new else 200

    return routes


def _ticket(context: Context, tracker: str, ticket_id: str) -> TicketRef:
    if tracker not in context.connectors:
        raise ApiError(404, f"there is no tracker {tracker!r}")
    return known_ticket(context, f"{tracker}:{ticket_id}") or TicketRef(tracker, ticket_id)


def _key() -> str:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > MOST_KEY:
        raise ApiError(400, f"Idempotency-Key has at most {MOST_KEY} characters")
    return key


def _body() -> Mapping[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ApiError(400, "send a JSON object, with Content-Type: application/json")
    return body
