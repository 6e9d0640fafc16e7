"""`FreshdeskSandbox`: one account, its API under /api/v2, its portal, its automation webhooks.

Shares no code with the connector, so that a mistake in one shows against the other.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from flask import Response, g, jsonify, request
from flask.typing import ResponseReturnValue

from hub.sandbox import Allowance, Delivery, Sandbox, acting_as
from plugins.freshdesk.sandbox import portal, rules
from plugins.freshdesk.sandbox.changes import Changes
from plugins.freshdesk.sandbox.errors import FreshdeskError, denied
from plugins.freshdesk.sandbox.routes_canned import canned_routes
from plugins.freshdesk.sandbox.routes_people import people_routes
from plugins.freshdesk.sandbox.routes_solutions import solution_routes
from plugins.freshdesk.sandbox.routes_tickets import ticket_routes
from plugins.freshdesk.sandbox.shapes import Shapes
from plugins.freshdesk.sandbox.state import File, Store, Ticket, User

API = "/api/v2/"
SECRET_HEADER = "X-Hub-Secret"
WAITS = (300.0, 1800.0, 3600.0)
"""Seconds between the attempts of a webhook. The vendor's pages disagree; these are the support article's."""
CREDITS_OF_INCLUDE = 2
FREE = 0


class FreshdeskSandbox(Sandbox):
    """A local Freshdesk account.

    Settings: `plan` (0 Free, without the API; 1 and more paid), `search_lag` (seconds until the search knows of a
    change), `file_life` (seconds that a file's address is good), `closure_needs_resolution` (1: `cf_resolution` is
    required for closing). Limit, off until set: `account` (credits a minute, of all agents together).
    Options of a webhook's target: `template`, `left_out` (logins that the rule's performer condition leaves out).
    """

    kind = "freshdesk"
    webhook_secret = "freshdesk-sandbox-webhook-secret"
    default_settings: ClassVar[Mapping[str, float]] = {
        "plan": 1, "search_lag": 0, "file_life": 300, "closure_needs_resolution": 0,
    }  # fmt: skip

    def __init__(self, *, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(clock=clock)
        self.store = Store(self.clock)
        self.shapes = Shapes(self.store, self._file_url)
        self.changes = Changes(self.store, self._tell, lambda: self.settings["search_lag"])
        self.leaked_authorizations: list[str] = []
        for blueprint in (ticket_routes(self), people_routes(self), solution_routes(self), canned_routes(self)):
            self.app.register_blueprint(blueprint, url_prefix=API.rstrip("/"))
        self.app.register_blueprint(portal.portal_routes(self))
        self.app.add_url_rule("/_sandbox/spam", "spam", self._mark_as_spam, methods=["POST"])
        self.app.before_request(self._enter)
        self.app.after_request(self._leave)
        self.app.register_error_handler(FreshdeskError, _refusal)

    def credentials(self) -> dict[str, str]:
        """The key of the hub's agent."""
        return {"api_key": self.store.by_login("hub").secret}

    def people(self) -> dict[str, dict[str, str]]:
        """Agents with keys (agent3 sees only what is assigned to it) and customers with portal logins."""
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
        tickets = self.store.tickets.values()
        return {
            "tickets": len(tickets),
            "conversations": sum(len(t.conversations) for t in tickets),
            "leaked_authorizations": len(self.leaked_authorizations),
        }

    def sign(self, delivery: Delivery, attempt: int) -> Mapping[str, str]:
        """Freshdesk signs nothing: the secret is a custom header of the rule's webhook."""
        return {SECRET_HEADER: delivery.target.secret} if delivery.target.secret else {}

    def retry(self, delivery: Delivery, attempt: int, status: int | None, headers: Mapping[str, str]) -> float | None:
        """Anything but 2xx is tried again, three times."""
        is_good = status is not None and 200 <= status < 300
        return None if is_good or attempt > len(WAITS) else WAITS[attempt - 1]

    def _enter(self) -> None:
        if not request.path.startswith(API):
            return
        allowance = self._allowance()
        g.allowance = allowance
        if not allowance.allowed:
            headers = {"Retry-After": str(allowance.resets)}
            message = "You have exceeded the limit of requests per minute"
            raise FreshdeskError(429, {"message": message}, headers)
        if self.settings["plan"] == FREE:
            text = "The API feature(s) is/are not supported in your plan. Please upgrade your account to use it."
            raise denied("require_feature", text)
        g.user = self._signed_in()
        acting_as(g.user.login)

    def _allowance(self) -> Allowance:
        """Each include of a list costs two credits more; calls that fail cost as well."""
        g.credits = 1 + CREDITS_OF_INCLUDE * len([n for n in request.args.get("include", "").split(",") if n])
        taken = [self.limits.take("account") for _ in range(g.credits)]
        return taken[-1]

    def _signed_in(self) -> User:
        given = request.authorization
        user = self.store.by_key(given.username or "") if given is not None and given.type == "basic" else None
        if user is None:
            body = {"code": "invalid_credentials", "message": "You have to be logged in to perform this action."}
            raise FreshdeskError(401, body)
        return user

    def _leave(self, response: Response) -> Response:
        allowance = g.get("allowance")
        if allowance is not None:
            response.headers["X-RateLimit-Total"] = str(allowance.limit)
            response.headers["X-RateLimit-Remaining"] = str(allowance.remaining)
            response.headers["X-RateLimit-Used-CurrentRequest"] = str(g.credits)
            response.headers["X-Freshdesk-API-Version"] = "latest=v2; requested=v2"
            response.headers["X-Request-Id"] = str(uuid.uuid4())
        return response

    def _file_url(self, file: File) -> str:
        expires = str(int(self.clock().timestamp() + self.settings["file_life"]))
        # Another host than the account's, as the CDN is.
        host = self.url.replace("127.0.0.1", "localhost")
        mark = portal.signature(file.id, expires)
        path = f"/data/helpdesk/attachments/{file.id}/original/{quote(file.name, safe='')}"
        return f"{host}{path}?expires={expires}&signature={mark}"

    def _mark_as_spam(self) -> ResponseReturnValue:
        """Marks a ticket as spam: Freshdesk has no API for that, only a screen."""
        ticket = self.store.tickets[int(request.get_json()["ticket"])]
        self.changes.put_away(ticket, spam=True)
        return jsonify(id=ticket.id)

    def _tell(self, ticket: Ticket, performer: User, event: str) -> None:
        for target in self.webhooks.targets:
            if not rules.fires(performer, target.options.get("left_out", ())):
                continue
            body = rules.render(target.options.get("template", rules.TEMPLATE), ticket, event, self.url)
            headers = {"Content-Type": "application/json", "User-Agent": "Freshdesk"}
            self.webhooks.send(Delivery(uuid.uuid4().hex, target, body.encode(), event, headers=headers))


def _refusal(error: FreshdeskError) -> ResponseReturnValue:
    if error.body is None:
        return "", error.status, error.headers
    return jsonify(error.body), error.status, error.headers
