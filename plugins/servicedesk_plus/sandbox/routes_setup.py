"""Lists of values and people under /api/v3, Zoho's accounts server, and the cloud's list of portals."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.servicedesk_plus.sandbox.calls import input_data
from plugins.servicedesk_plus.sandbox.errors import forbidden, missing
from plugins.servicedesk_plus.sandbox.listing import page_of
from plugins.servicedesk_plus.sandbox.routes_requests import listed, told
from plugins.servicedesk_plus.sandbox.state import STATUSES, VALUES

if TYPE_CHECKING:
    from plugins.servicedesk_plus.sandbox.server import ServiceDeskPlusSandbox

CLIENT = ("1000.SANDBOXCLIENT", "sandbox-client-secret")
TOO_MANY = "You have made too many requests continuously. Please try again after some time."


def setup_routes(sandbox: ServiceDeskPlusSandbox) -> Blueprint:
    """The blueprint, to be mounted under /api/v3."""
    routes = Blueprint("setup", __name__)
    store, shapes = sandbox.store, sandbox.shapes

    def page(key: str, rows: list[Any]) -> ResponseReturnValue:
        return listed(key, *page_of(rows, input_data().get("list_info") or {}))

    @routes.get("/statuses")
    def statuses() -> ResponseReturnValue:
        _sees_setup()
        return page("statuses", [shapes.status(name) for name in STATUSES])

    for kind in VALUES:

        def values(kind: str = kind) -> ResponseReturnValue:
            _sees_setup()
            return page(kind, [shapes.value(kind, name) for name in VALUES[kind]])

        routes.add_url_rule(f"/{kind}", kind, values)

    @routes.get("/technicians")
    def technicians() -> ResponseReturnValue:
        return page("technicians", [shapes.technician(u) for u in store.users.values() if u.is_technician])

    @routes.get("/users")
    def users() -> ResponseReturnValue:
        return page("users", [shapes.user(u) for u in store.users.values()])

    @routes.get("/users/<int:number>")
    def user(number: int) -> ResponseReturnValue:
        if number not in store.users:
            raise missing()
        return told("user", shapes.user(store.users[number]))

    return routes


def account_routes(sandbox: ServiceDeskPlusSandbox) -> Blueprint:
    """What stands at the root: the accounts server and the list of portals, of the cloud only."""
    routes = Blueprint("accounts", __name__)

    @routes.post("/oauth/v2/token")
    def token() -> ResponseReturnValue:
        """Source: zoho.com, "OAuth 2.0"; errors come with status 200, but for too many requests."""
        if not sandbox.limits.take("tokens", request.form.get("refresh_token", "")).allowed:
            return jsonify(error="Access Denied", error_description=TOO_MANY, status="failure"), 400
        if (request.form.get("client_id"), request.form.get("client_secret")) != CLIENT:
            return jsonify(error="invalid_client")
        user = sandbox.store.by_secret(request.form.get("refresh_token", ""))
        if request.form.get("grant_type") != "refresh_token" or user is None:
            return jsonify(error="invalid_code")
        made = f"1000.{secrets.token_hex(16)}"
        life = sandbox.settings["token_life"]
        sandbox.tokens[made] = (user, sandbox.clock() + timedelta(seconds=life))
        return jsonify(
            access_token=made, api_domain="https://www.zohoapis.com", token_type="Bearer", expires_in=int(life)
        )

    @routes.get("/api/v3/portals")
    def portals() -> ResponseReturnValue:
        sandbox.sign_in()
        return jsonify(portals=[{"name": sandbox.portal, "display_name": "IT Help Desk", "is_default": True}])

    return routes


def _sees_setup() -> None:
    if not g.user.may_see_setup:
        raise forbidden()
