"""`FreshserviceSandbox`: one account, its API under /api/v2, its portal, its workflows' webhooks.

Shares no code with the connector, so that a mistake in one shows against the other.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from flask import Response, g, jsonify, request
from flask.typing import ResponseReturnValue

from hub.sandbox import Delivery, Sandbox, acting_as
from plugins.freshservice.sandbox import automator, portal, quota
from plugins.freshservice.sandbox.effects import Effects
from plugins.freshservice.sandbox.errors import FreshserviceError
from plugins.freshservice.sandbox.routes_changes import change_routes
from plugins.freshservice.sandbox.routes_conversations import conversation_routes
from plugins.freshservice.sandbox.routes_people import people_routes
from plugins.freshservice.sandbox.routes_tickets import ticket_routes
from plugins.freshservice.sandbox.shapes import Shapes
from plugins.freshservice.sandbox.state import Change, File, Item, Store, User

API = "/api/v2"
SECRET_HEADER = "X-Hub-Secret"
PAUSE, ATTEMPTS = 60.0, 4
"""Seconds between the attempts of a webhook, and how many there are. Reported by users; the vendor tells nothing."""


class FreshserviceSandbox(Sandbox):
    """A local Freshservice account with two workspaces.

    Settings: `plan` (1 Starter, 2 Growth, 3 Pro, 4 Enterprise: calls a minute as on that plan; 0 without limits),
    `search_lag` (seconds until the filter knows of a change), `file_life` (seconds that a file's address is good),
    `closure_needs_code` (1: `resolution_code` is required for closing), `priority_matrix` (1: the priority is made of
    urgency and impact, whatever is written). Options of a webhook's target: `template`, `change_template`, `left_out`
    (logins that the workflow's performer condition leaves out).
    """

    kind = "freshservice"
    webhook_secret = "freshservice-sandbox-webhook-secret"
    default_settings: ClassVar[Mapping[str, float]] = {
        "plan": 0, "search_lag": 0, "file_life": 300, "closure_needs_code": 0, "priority_matrix": 0,
    }  # fmt: skip

    def __init__(self, *, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(clock=clock)
        self.store = Store(self.clock)
        self.shapes = Shapes(self.store, self.file_url)
        self.effects = Effects(self.store, self._tell, lambda name: self.settings[name])
        self.leaked_authorizations: list[str] = []
        for make in (ticket_routes, conversation_routes, change_routes, people_routes):
            self.app.register_blueprint(make(self), url_prefix=API)
        self.app.register_blueprint(portal.portal_routes(self))
        self.app.add_url_rule("/_sandbox/spam", "spam", self._mark_as_spam, methods=["POST"])
        self.app.before_request(self._enter)
        self.app.after_request(self._leave)
        self.app.register_error_handler(FreshserviceError, _refusal)

    def credentials(self) -> dict[str, str]:
        """The key of the hub's agent."""
        return {"api_key": self.store.by_login("hub").secret}

    def people(self) -> dict[str, dict[str, str]]:
        """Agents with keys (agent3 has one workspace only) and requesters with portal logins."""
        return {
            user.login: {
                "id": str(user.id),
                "name": user.name,
                "email": user.email,
                "api_key" if user.is_agent else "password": user.secret,
            }
            for user in self.store.users.values()
            if user.login and user.login != "hub"
        }

    def counts(self) -> dict[str, int]:
        items: list[Item] = [*self.store.tickets.values(), *self.store.changes.values()]
        return {
            "tickets": len(self.store.tickets),
            "changes": len(self.store.changes),
            "conversations": sum(len(item.conversations) for item in items),
            "leaked_authorizations": len(self.leaked_authorizations),
        }

    def change_settings(self, **values: float) -> None:
        """As in every sandbox; another `plan` begins with fresh limits."""
        super().change_settings(**values)
        if "plan" in values:
            quota.set_plan(self.limits, int(values["plan"]))

    def sign(self, delivery: Delivery, attempt: int) -> Mapping[str, str]:
        """Freshservice signs nothing: the secret is a custom header of the workflow's webhook."""
        return {SECRET_HEADER: delivery.target.secret} if delivery.target.secret else {}

    def retry(self, delivery: Delivery, attempt: int, status: int | None, headers: Mapping[str, str]) -> float | None:
        """Anything but 2xx is tried again, three times."""
        is_good = status is not None and 200 <= status < 300
        return None if is_good or attempt >= ATTEMPTS else PAUSE

    def file_url(self, file: File) -> str:
        """A signed address, which ends, on another host than the account's."""
        expires = str(int(self.clock().timestamp() + self.settings["file_life"]))
        host = self.url.replace("127.0.0.1", "localhost")
        mark = portal.signature(file.id, expires)
        path = f"/data/helpdesk/attachments/{file.id}/original/{quote(file.name, safe='')}"
        return f"{host}{path}?expires={expires}&signature={mark}"

    def _enter(self) -> None:
        if not request.path.startswith(f"{API}/"):
            return
        path = request.path.removeprefix(API)
        g.credits = quota.credits_of(path)
        g.allowance = quota.take(self.limits, path)
        if not g.allowance.allowed:
            text = "You have exceeded the limit of requests per minute"
            raise FreshserviceError(429, {"message": text}, {"Retry-After": str(g.allowance.resets)})
        g.user = self._signed_in()
        acting_as(g.user.login)

    def _signed_in(self) -> User:
        given = request.authorization
        user = self.store.by_key(given.username or "") if given is not None and given.type == "basic" else None
        if user is None:
            text = "You have to be logged in to perform this action."
            raise FreshserviceError(401, {"code": "invalid_credentials", "message": text})
        return user

    def _leave(self, response: Response) -> Response:
        allowance = g.get("allowance")
        if allowance is not None:
            response.headers["X-Ratelimit-Total"] = str(allowance.limit)
            response.headers["X-Ratelimit-Remaining"] = str(allowance.remaining)
            response.headers["X-Ratelimit-Used-CurrentRequest"] = str(g.credits)
            response.headers["X-Freshservice-API-Version"] = "latest=v2; requested=v2"
            response.headers["X-Request-Id"] = str(uuid.uuid4())
        return response

    def _mark_as_spam(self) -> ResponseReturnValue:
        """Marks a ticket as spam: Freshservice has no API for that, only a screen."""
        ticket = self.store.tickets[int(request.get_json()["ticket"])]
        self.effects.put_away(ticket, spam=True)
        return jsonify(id=ticket.id)

    def _tell(self, item: Item, performer: User, event: str) -> None:
        for target in self.webhooks.targets:
            options: Mapping[str, Any] = target.options
            if not automator.fires(performer, options.get("left_out", ())):
                continue
            if isinstance(item, Change):
                template = options.get("change_template", automator.TEMPLATE_OF_CHANGES)
            else:
                template = options.get("template", automator.TEMPLATE_OF_TICKETS)
            body = automator.render(template, item, self.url)
            headers = {"Content-Type": "application/json", "User-Agent": "Freshservice"}
            self.webhooks.send(Delivery(uuid.uuid4().hex, target, body.encode(), event, headers=headers))


def _refusal(error: FreshserviceError) -> ResponseReturnValue:
    if error.body is None:
        return "", error.status, error.headers
    return jsonify(error.body), error.status, error.headers
