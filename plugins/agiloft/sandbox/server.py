"""`AgiloftSandbox`: one knowledge base, its JSON interface, what is needed of the older one, and its webhooks.

Shares no code with the connector, so that a mistake in one shows against the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from hub.sandbox import Delivery, Sandbox, acting_as
from hub.sandbox.wire import Answer, WSGIEnvironment
from plugins.agiloft.sandbox import seed, webhooks
from plugins.agiloft.sandbox.errors import AgiloftError, PlainError
from plugins.agiloft.sandbox.records import Records
from plugins.agiloft.sandbox.routes_alrest import alrest_routes
from plugins.agiloft.sandbox.routes_classic import classic_routes
from plugins.agiloft.sandbox.state import Record, Table, User
from plugins.agiloft.sandbox.tokens import Tokens

CLASSIC_JSON = "/.json"


class AgiloftSandbox(Sandbox):
    """A local Agiloft.

    Settings: `token_minutes` (a token's life), `ws_delay` (seconds that each answer is held up; a real one does that
    for one second). It knows no rate limits and no headers about them, as the real one.
    Options of a webhook's target are those of `webhooks.register`.
    """

    kind = "agiloft"
    webhook_secret = "agiloft-sandbox-webhook-secret"
    default_settings: ClassVar[Mapping[str, float]] = {"token_minutes": 15, "ws_delay": 0}
    has_comment_table: ClassVar[bool] = True
    """Whether people write comments into their table, else into append-only columns."""

    def __init__(self, *, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(clock=clock)
        self.kb = seed.knowledge_base(self.clock)
        self.tokens = Tokens(self.kb, self.clock, lambda: self.settings["token_minutes"])
        self.records = Records(self.kb, self._tell)
        self.app.register_blueprint(alrest_routes(self), url_prefix="/ewws/alrest/<kb>")
        self.app.register_blueprint(classic_routes(self), url_prefix="/ewws")
        self.app.register_blueprint(webhooks.webhook_routes(self), url_prefix="/ewws")
        self.app.register_error_handler(AgiloftError, _refusal)
        self.app.register_error_handler(PlainError, _plain_refusal)

    def credentials(self) -> dict[str, str]:
        """Of the hub's own user."""
        user = self.kb.users["hub_service"]
        return {"login": user.login, "password": user.password}

    def people(self) -> dict[str, dict[str, str]]:
        """Two agents and two customers."""
        return {
            user.login: {"login": user.login, "password": user.password, "name": user.name, "role": user.group}
            for user in self.kb.users.values()
            if user.login != "hub_service"
        }

    def counts(self) -> dict[str, int]:
        return {name: len(table.records) for name, table in self.kb.tables.items()}

    def signed_in(self, kb: object) -> User:
        """Who asks for something of a knowledge base. Raises AgiloftError."""
        if kb != self.kb.name:
            raise AgiloftError(400, "Wrong combination of access token and KB name. No access to data in KB")
        user = self.tokens.user_of(request.headers.get("Authorization", ""))
        acting_as(user.login)
        return user

    def sign(self, delivery: Delivery, attempt: int) -> Mapping[str, str]:
        """Agiloft signs nothing: the secret is a header of the admin's."""
        return {webhooks.SECRET_HEADER: delivery.target.secret}

    def retry(self, delivery: Delivery, attempt: int, status: int | None, headers: Mapping[str, str]) -> float | None:
        """Five more attempts for what was not taken."""
        is_over = webhooks.is_taken(delivery, status, headers) or attempt > len(webhooks.WAITS)
        return None if is_over else webhooks.WAITS[attempt - 1]

    def _tell(self, event: str, table: Table, record: Record) -> None:
        for delivery in webhooks.deliveries(self, event, table, record):
            self.webhooks.send(delivery)

    def _dispatch(self, environ: WSGIEnvironment, body: bytes) -> Answer | None:
        answer = super()._dispatch(environ, body)
        if str(environ["PATH_INFO"]).startswith("/ewws/"):
            self._stopping.wait(self.settings["ws_delay"])
        return answer


def _refusal(error: AgiloftError) -> ResponseReturnValue:
    body = jsonify(success=False, message=error.message, result=None)
    is_quiet = request.path.endswith(CLASSIC_JSON) and request.values.get("err_code_resp") != "1"
    return body, 200 if is_quiet else error.status


def _plain_refusal(error: PlainError) -> ResponseReturnValue:
    return jsonify(error=error.error, error_description=error.description), error.status
