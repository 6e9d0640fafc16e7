"""`TeamviewerSandbox`: one company's Web API under /api/v1: ping, account, groups, users, sessions, reports.

Shares no code with the plugin, so that a mistake in one shows against the other. There are no webhooks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from flask import g, jsonify, request
from flask.typing import ResponseReturnValue

from hub.sandbox import Delivery, Sandbox, acting_as
from plugins.teamviewer.sandbox.errors import TeamviewerError
from plugins.teamviewer.sandbox.routes import api_routes
from plugins.teamviewer.sandbox.state import Connection, Store

API = "/api/v1/"


class TeamviewerSandbox(Sandbox):
    """A local TeamViewer company.

    Settings: `create_answer` (200, 201 or 302: how a create is answered), `ended_token` (401 or 400: how a token that
    has ended is), `sessions_page` and `reports_page` (rows of a page), `tells_next_offset` (0: pages name no next
    offset, and reports count what is left by the older name), `refuses_second_close` (1: closing twice is a 400).
    Limit, off until set: `account` (calls of the company).
    """

    kind = "teamviewer"
    default_settings: ClassVar[Mapping[str, float]] = {
        "create_answer": 200, "ended_token": 401, "sessions_page": 100, "reports_page": 1000, "tells_next_offset": 1,
        "refuses_second_close": 1,
    }  # fmt: skip

    def __init__(self, *, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(clock=clock)
        self.store = Store(self.clock)
        self.app.register_blueprint(api_routes(self), url_prefix=API.rstrip("/"))
        self.app.before_request(self._enter)
        self.app.register_error_handler(TeamviewerError, _refusal)

    def credentials(self) -> dict[str, str]:
        """The hub's script token."""
        return {"token": self.store.tokens["hub"].value}

    def people(self) -> dict[str, dict[str, str]]:
        """Nobody signs in here: supporters use TeamViewer's own program, see `connect`."""
        return {}

    def counts(self) -> dict[str, int]:
        return {"sessions": len(self.store.meetings), "connections": len(self.store.connections)}

    def sign(self, delivery: Delivery, attempt: int) -> Mapping[str, str]:
        """TeamViewer sends no webhooks."""
        return {}

    def connect(self, code: str, device: str = "JANE-LAPTOP") -> Connection:
        """A supporter joins a session; the report has no end yet."""
        with self.lock:
            return self.store.connect(code, device)

    def end(self, connection: Connection, notes: str = "") -> None:
        """The connection ends, and its report is complete."""
        with self.lock:
            connection.ended, connection.notes = self.store.now(), notes

    def _enter(self) -> None:
        if not request.path.startswith(API):
            return
        allowance = self.limits.take("account")
        if not allowance.allowed:
            headers = {"Retry-After": str(allowance.resets)}
            raise TeamviewerError(429, "rate_limit_reached", "Too many requests.", 9, headers)
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        g.token = self.store.token(value) if scheme == "Bearer" else None
        if request.path == f"{API}ping":
            return
        if g.token is None:
            raise TeamviewerError(401, "invalid_token", "The access token is invalid.", 3)
        if g.token.is_expired:
            status = int(self.settings["ended_token"])
            raise TeamviewerError(status, "invalid_token", "The access token has expired.", 3)
        acting_as(g.token.userid)


def hub_settings(sandbox: TeamviewerSandbox) -> dict[str, Any]:
    """The hub's settings for this sandbox."""
    return {
        "kind": "teamviewer",
        "url": sandbox.url,
        "credentials": sandbox.credentials(),
        "webhook": {},
        "group": "Helpdesk",
    }


def _refusal(error: TeamviewerError) -> ResponseReturnValue:
    return jsonify(error.body), error.status, error.headers
