"""`ServiceDeskPlusSandbox`: one installation of either edition, its API v3, its portal, its trigger webhooks.

Shares no code with the connector, so that a mistake in one shows against the other.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar, Literal

from flask import g, jsonify, request
from flask.typing import ResponseReturnValue

from hub.sandbox import Delivery, Sandbox, acting_as
from plugins.servicedesk_plus.sandbox.changes import Changes
from plugins.servicedesk_plus.sandbox.errors import FAILED, ServiceDeskPlusError, not_signed_in, problem
from plugins.servicedesk_plus.sandbox.portal import portal_routes
from plugins.servicedesk_plus.sandbox.routes_requests import request_routes
from plugins.servicedesk_plus.sandbox.routes_setup import CLIENT, account_routes, setup_routes
from plugins.servicedesk_plus.sandbox.routes_talk import talk_routes
from plugins.servicedesk_plus.sandbox.shapes import ALWAYS_EMPTY, ALWAYS_FALSE, ALWAYS_NULL, Shapes
from plugins.servicedesk_plus.sandbox.state import Request, Store, User

SECRET_HEADER = "X-Hub-Secret"
TEMPLATE = '{"request_id":"${id}","event":"changed"}'
KNOWN_FIELDS = (
    *ALWAYS_NULL, *ALWAYS_FALSE, *ALWAYS_EMPTY, "id", "subject", "description", "display_id", "status", "priority",
    "request_type", "mode", "group", "template", "requester", "created_by", "technician", "created_time",
    "last_updated_time", "resolved_time", "completed_time", "has_notes", "is_trashed", "time_elapsed",
    "unreplied_count", "udf_fields", "resolution", "has_attachments", "attachments", "closure_info",
)  # fmt: skip


class ServiceDeskPlusSandbox(Sandbox):
    """A local ServiceDesk Plus, of the cloud or (any other flavour) on-premises.

    Settings: `token_life` (seconds of an access token), `failures_as_200` (1: failures come with status 200, as
    on-premises), `notes_touch` (0: notes and mails leave the time of the request as it is), `notes_list_is_partial`
    (1: lists of notes do not say who may read them), `has_summary` (0: lists know no summary), `statuses_by_id_only`
    (1: statuses are refused by name), `makes_requesters` (0: an unknown address is refused),
    `closing_needs_resolution` (1: closing rules demand one). Limits, off until set: `account` (calls of the whole
    installation, cloud), `tokens` (new access tokens of one refresh token).
    Options of a webhook's target: `template`, `left_out` (logins that the trigger's criteria leave out).
    """

    kind = "servicedesk-plus"
    flavours = ("cloud", "on_premises")
    webhook_secret = "servicedesk-plus-sandbox-webhook-secret"
    portal = "itdesk"
    default_settings: ClassVar[Mapping[str, float]] = {
        "token_life": 3600, "failures_as_200": 0, "notes_touch": 1, "notes_list_is_partial": 0, "has_summary": 1,
        "statuses_by_id_only": 0, "makes_requesters": 1, "closing_needs_resolution": 0,
    }  # fmt: skip

    def __init__(
        self, *, flavour: Literal["cloud", "on_premises"] = "cloud", clock: Callable[[], datetime] | None = None
    ) -> None:
        super().__init__(clock=clock)
        self.is_cloud = flavour == "cloud"
        self.settings["failures_as_200"] = 0 if self.is_cloud else 1
        self.root = f"/app/{self.portal}/api/v3" if self.is_cloud else "/api/v3"
        self.store = Store(self.clock, is_cloud=self.is_cloud)
        self.shapes = Shapes(self.store, self.root)
        self.changes = Changes(self.store, self._tell, lambda: self.settings["notes_touch"])
        self.tokens: dict[str, tuple[User, datetime]] = {}
        for blueprint in (request_routes(self), talk_routes(self), setup_routes(self)):
            self.app.register_blueprint(blueprint, url_prefix=self.root)
        if self.is_cloud:
            self.app.register_blueprint(account_routes(self))
        self.app.register_blueprint(portal_routes(self))
        self.app.before_request(self._enter)
        self.app.register_error_handler(ServiceDeskPlusError, self._refusal)

    def credentials(self) -> dict[str, str]:
        """A technician's key, or the client and refresh token of the cloud."""
        return self._login(self.store.by_login("hub"))

    def people(self) -> dict[str, dict[str, str]]:
        """Technicians with keys or tokens (agent3 may see no setup) and requesters with portal logins."""
        return {
            user.login: {
                "id": str(user.id),
                "name": user.name,
                "email": str(user.email),
                **(self._login(user) if user.is_technician else {"password": user.secret}),
            }
            for user in self.store.users.values()
            if user.login and user.login != "hub"
        }

    def counts(self) -> dict[str, int]:
        requests = self.store.requests.values()
        return {
            "requests": len(requests),
            "notes": sum(len(r.notes) for r in requests),
            "mails": sum(len(r.mails) for r in requests),
        }

    def known_fields(self) -> tuple[str, ...]:
        """The fields of requests in this edition and build."""
        more = (("tags",) if self.is_cloud else ()) + (("summary",) if self.settings["has_summary"] else ())
        return KNOWN_FIELDS + more

    def sign(self, delivery: Delivery, attempt: int) -> Mapping[str, str]:
        """Nothing is signed: the secret is a header of the webhook."""
        return {SECRET_HEADER: delivery.target.secret} if delivery.target.secret else {}

    def sign_in(self) -> User:
        """Who makes the present request. Raises 401."""
        user: User | None = None
        if self.is_cloud:
            word, _, token = request.headers.get("Authorization", "").partition(" ")
            known = self.tokens.get(token)
            if word.casefold() == "zoho-oauthtoken" and known is not None and self.clock() < known[1]:
                user = known[0]
        else:
            user = self.store.by_secret(request.headers.get("authtoken", ""))
        if user is None:
            raise not_signed_in()
        g.user = user
        acting_as(user.login)
        return user

    def _login(self, user: User) -> dict[str, str]:
        if not self.is_cloud:
            return {"technician_key": user.secret}
        return {"client_id": CLIENT[0], "client_secret": CLIENT[1], "refresh_token": user.secret}

    def _enter(self) -> None:
        if not request.path.startswith(f"{self.root}/"):
            return
        if self.is_cloud and not self.limits.take("account").allowed:
            # Nothing says when calls are taken again.
            raise ServiceDeskPlusError(429, problem(FAILED, "Too many requests: the API is locked for a while."))
        self.sign_in()

    def _refusal(self, error: ServiceDeskPlusError) -> ResponseReturnValue:
        is_told_by_status = not self.settings["failures_as_200"] or error.status in (401, 429)
        return jsonify(error.body), error.status if is_told_by_status else 200

    def _tell(self, one: Request, performer: User) -> None:
        for target in self.webhooks.targets:
            if performer.login in target.options.get("left_out", ()):
                continue
            body = render(str(target.options.get("template", TEMPLATE)), one)
            headers = {"Content-Type": "application/json", "User-Agent": "ManageEngine ServiceDesk Plus"}
            self.webhooks.send(Delivery(uuid.uuid4().hex, target, body.encode(), "changed", headers=headers))


def render(template: str, one: Request) -> str:
    """The body with its variables filled in, as they are: a quote in a subject breaks JSON."""
    values = {
        "id": str(one.id),
        "display_id": str(one.display_id),
        "subject": one.subject,
        "description": one.description,
        "status": one.status,
        "priority": one.priority or "",
        "requester": one.requester.name,
        "technician": one.technician.name if one.technician else "",
        "has_notes": str(bool(one.notes)).lower(),
    }
    for name, value in values.items():
        template = template.replace("${" + name + "}", value)
    return template
