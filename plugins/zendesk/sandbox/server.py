"""`ZendeskSandbox`: the account, its API under /api/v2, and its webhooks, put together.

Behaviour follows Zendesk's own documentation and OpenAPI document, and recorded traffic of public client libraries.
Shares no code with the connector, so that a mistake in one shows against the other.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from flask import Response, g, jsonify, request
from flask.typing import ResponseReturnValue

from hub.sandbox import Allowance, Delivery, Sandbox, Target, acting_as
from hub.sandbox.limits import UNLIMITED
from plugins.zendesk.sandbox import events, triggers
from plugins.zendesk.sandbox.auth import Tokens, check_allowed
from plugins.zendesk.sandbox.changes import Changes
from plugins.zendesk.sandbox.errors import ApiError, rate_limited
from plugins.zendesk.sandbox.routes_comments import comment_routes
from plugins.zendesk.sandbox.routes_exports import export_routes
from plugins.zendesk.sandbox.routes_files import download_routes, file_routes
from plugins.zendesk.sandbox.routes_guide import guide_routes
from plugins.zendesk.sandbox.routes_people import jira_link_routes, people_routes
from plugins.zendesk.sandbox.routes_tickets import ticket_routes
from plugins.zendesk.sandbox.routes_webhooks import TRIGGERED, new_webhook_id, webhook_routes
from plugins.zendesk.sandbox.seed import seed
from plugins.zendesk.sandbox.state import ACCOUNT_ID, Audit, Store, Ticket, User, iso

CONTENT_TYPE = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Zendesk Webhook"}


class ZendeskSandbox(Sandbox):
    """A local Zendesk account.

    Settings: `search_lag` (seconds until the search index knows of a change), `withhold_seconds` (how much of the
    newest past the incremental exports keep back; the real service: 60), `job_seconds` (until a bulk job is
    completed), `upload_seconds` (life of an upload token), `max_upload_bytes`, `private_attachments` (0 or 1:
    downloads need credentials), `area_required_to_solve` (0 or 1: the field "Product area" must be set to solve).

    Limits, off until set: `account` (requests by account; the real service: 200 to 2500 a minute),
    `ticket_updates` (updates by person and ticket; the real service: 30 in 600 s), `incremental` (10 in 60 s).
    """

    kind = "zendesk"
    webhook_secret = "zendesk-sandbox-signing-secret"
    default_settings: ClassVar[Mapping[str, float]] = {
        "search_lag": 0,
        "withhold_seconds": 60,
        "job_seconds": 0,
        "upload_seconds": 3 * 86_400,
        "max_upload_bytes": 50 * 1024 * 1024,
        "private_attachments": 0,
        "area_required_to_solve": 0,
    }

    def __init__(self, *, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(clock=clock)
        self.store = Store(self.clock, lambda: self.url)
        self.logins: dict[str, User] = seed(self.store)
        self.changes = Changes(self.store, self.settings, self._announce)
        self.tokens = Tokens(self.store)
        self.tokens.clients["hub"] = ("sandbox-client-secret", self.logins["hub"].id)
        self.idempotency: dict[str, tuple[str, datetime, dict[str, Any]]] = {}
        self.hooks: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, str] = {}
        self.leaked_authorizations: list[str] = []
        self._register_routes()

    def credentials(self) -> dict[str, str]:
        """Address and API token of the hub's admin account; `oauth_client` holds the other way in."""
        return self._login("hub")

    @property
    def oauth_client(self) -> dict[str, str]:
        """Id and secret of the OAuth client that acts as the hub's account."""
        return {"client_id": "hub", "client_secret": self.tokens.clients["hub"][0]}

    def people(self) -> dict[str, dict[str, str]]:
        """An admin, two agents and two customers: address, API token, id, name and role of each."""
        return {
            login: {**self._login(login), "id": str(user.id), "name": user.name, "role": user.role}
            for login, user in self.logins.items()
            if login != "hub"
        }

    def field_id(self, title: str) -> int:
        """The id of a ticket field by its title. Raises `KeyError` when there is none."""
        for id, field in self.store.fields.items():
            if field["title"] == title:
                return id
        raise KeyError(title)

    def status_id(self, label: str) -> int:
        """The id of a custom status by its label. Raises `KeyError` when there is none."""
        for id, status in self.store.statuses.items():
            if status["agent_label"] == label:
                return id
        raise KeyError(label)

    def counts(self) -> dict[str, int]:
        tickets = self.store.tickets.values()
        return {
            "tickets": sum(not t.deleted for t in tickets),
            "comments": sum(len(t.comments) for t in tickets),
            "users": len(self.store.users),
            "leaked_authorizations": len(self.leaked_authorizations),
        }

    def state(self) -> dict[str, Any]:
        """As of every sandbox, with the other way to sign in and the ids that settings have to name."""
        fields = {str(field["title"]): id for id, field in self.store.fields.items()}
        statuses = {str(status["agent_label"]): id for id, status in self.store.statuses.items()}
        return {**super().state(), "oauth_client": self.oauth_client, "fields": fields, "statuses": statuses}

    def add_webhook_target(self, url: str, secret: str = "", **options: Any) -> Target:
        """Register a webhook, with `mode` "event" (the default) or "trigger".

        In event mode `subscriptions` lists event types, all when absent. In trigger mode the text `template` is sent,
        placeholders filled in, at every change not made by the person `not_user_id`. Raises `ValueError` for another
        mode, and for a trigger without template.
        """
        mode = options.pop("mode", "trigger" if options.get("template") else "event")
        if mode not in ("event", "trigger") or (mode == "trigger") != bool(options.get("template")):
            raise ValueError('mode is "event", or "trigger" with a template')
        return self.webhooks.target(url, secret, id=new_webhook_id(), **options)

    def sign(self, delivery: Delivery, attempt: int) -> Mapping[str, str]:
        """base64(HMAC-SHA256(secret, timestamp + body)), the timestamp being a text of the attempt's time."""
        timestamp = iso(self.clock()) or ""
        digest = hmac.new(delivery.target.secret.encode(), timestamp.encode() + delivery.body, hashlib.sha256).digest()
        return {
            "X-Zendesk-Webhook-Signature": base64.b64encode(digest).decode(),
            "X-Zendesk-Webhook-Signature-Timestamp": timestamp,
            "X-Zendesk-Account-Id": str(ACCOUNT_ID),
            "X-Zendesk-Webhook-Id": delivery.target.id,
            "X-Zendesk-Webhook-Invocation-Id": delivery.id,
        }

    def retry(self, delivery: Delivery, attempt: int, status: int | None, headers: Mapping[str, str]) -> float | None:
        """409 three times; 429 and 503 with Retry-After below 60 s; no answer five times; nothing else."""
        if status is None:
            return 1.0 if attempt <= 5 else None
        if status == 409:
            return 1.0 if attempt <= 3 else None
        if status in (429, 503):
            wait = headers.get("Retry-After", "")
            return float(wait) if attempt <= 3 and wait.isdigit() and int(wait) < 60 else None
        return None

    def count_update(self, ticket_id: int) -> None:
        """Count an update of a ticket by the present person; 429 when it is one too many."""
        allowance = self.limits.take("ticket_updates", f"{g.person.id}/{ticket_id}")
        shown = f"total={_number(allowance, 30)}; remaining={_left(allowance, 29)}; resets={allowance.resets}"
        g.limit_headers["zendesk-ratelimit-tickets-update"] = shown
        if not allowance.allowed:
            raise rate_limited(allowance.resets, "Too many updates of this ticket by this person")

    def _login(self, login: str) -> dict[str, str]:
        return {"email": self.logins[login].email, "token": self.tokens.api_token}

    def _register_routes(self) -> None:
        for make in (
            ticket_routes, comment_routes, people_routes, file_routes, export_routes, webhook_routes, guide_routes,
        ):  # fmt: skip
            self.app.register_blueprint(make(self), url_prefix="/api/v2")
        self.app.register_blueprint(jira_link_routes(self), url_prefix="/api/services/jira")
        self.app.register_blueprint(download_routes(self))
        self.app.add_url_rule("/oauth/tokens", "oauth_tokens", self._issue_tokens, methods=["POST"])
        self.app.before_request(self._enter)
        self.app.after_request(self._leave)
        self.app.register_error_handler(ApiError, _refusal)
        self.app.wsgi_app = _without_suffix(self.app.wsgi_app)  # type: ignore[method-assign]  # Flask's documented place for middleware

    def _issue_tokens(self) -> ResponseReturnValue:
        given = request.get_json(silent=True) or request.form.to_dict()
        return jsonify(self.tokens.issue(given))

    def _enter(self) -> None:
        if not request.path.startswith("/api/"):
            return
        g.limit_headers = {}
        g.person = None
        known = self.tokens.person(request.authorization)
        if known is not None:
            g.person = known[0]
            acting_as(self._name_of(known[0]))
        self._count("account", "", 700)
        if request.path.startswith("/api/v2/incremental/"):
            self._count("incremental", "", 10)
        check_allowed(g.person, known[1] if known else "", request.method, request.path)

    def _name_of(self, person: User) -> str:
        return next((login for login, user in self.logins.items() if user.id == person.id), person.email)

    def _count(self, name: str, key: str, usual: int) -> None:
        allowance = self.limits.take(name, key)
        limit, left = str(_number(allowance, usual)), str(_left(allowance, usual - 1))
        if name == "account":
            g.limit_headers |= {
                "X-Rate-Limit": limit,
                "X-Rate-Limit-Remaining": left,
                "ratelimit-limit": limit,
                "ratelimit-remaining": left,
                "ratelimit-reset": str(allowance.resets),
            }
        if not allowance.allowed:
            raise rate_limited(allowance.resets, "Number of allowed API requests per minute exceeded")

    def _leave(self, response: Response) -> Response:
        response.headers.update(g.get("limit_headers", {}))
        if warnings := g.get("warnings"):
            removed = json.dumps(sorted(set(warnings)))
            response.headers["x-zendesk-api-warn"] = f"Removed restricted keys {removed} from parameters"
        if request.path.startswith("/api/"):
            response.headers["x-zendesk-request-id"] = uuid.uuid4().hex
        return response

    def _announce(self, ticket: Ticket, audit: Audit, action: str) -> None:
        targets = self.webhooks.targets
        if not targets:
            return
        bodies = events.bodies_of(self.store, ticket, audit, action)
        for target in targets:
            if target.options.get("template"):
                if str(target.options.get("not_user_id")) != str(audit.author_id) and ticket.comments:
                    self._send_filled(target, target.options["template"], ticket, audit)
            elif TRIGGERED not in target.options.get("subscriptions", ()):
                self._send_events(target, bodies)
        by_id = {target.id: target for target in targets}
        for trigger in self.store.triggers.values():
            if action not in ("soft_deleted", "restored") and triggers.fires(trigger, ticket, audit, action):
                for step in trigger.get("actions", ()):
                    if step["field"] == "notification_webhook" and step["value"][0] in by_id:
                        self._send_filled(by_id[step["value"][0]], step["value"][1], ticket, audit)

    def _send_events(self, target: Target, bodies: list[dict[str, Any]]) -> None:
        wanted = target.options.get("subscriptions")
        for body in bodies:
            if not wanted or body["type"] in wanted:
                content = json.dumps(body, ensure_ascii=False).encode()
                self.webhooks.send(Delivery(_invocation_id(), target, content, body["type"], headers=CONTENT_TYPE))

    def _send_filled(self, target: Target, template: str, ticket: Ticket, audit: Audit) -> None:
        content = triggers.fill(template, self.store, ticket, audit).encode()
        method = self.hooks.get(target.id, {}).get("http_method", "POST")
        delivery = Delivery(_invocation_id(), target, content, TRIGGERED, method, CONTENT_TYPE)
        self.webhooks.send(delivery)


def _without_suffix(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Zendesk takes each address with and without `.json`."""

    def middleware(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith("/api/"):
            environ["PATH_INFO"] = path.removesuffix(".json")
        return app(environ, start_response)

    return middleware


def _refusal(error: ApiError) -> ResponseReturnValue:
    return jsonify(error.body), error.status, error.headers


def _invocation_id() -> str:
    return new_webhook_id()


def _number(allowance: Allowance, usual: int) -> int:
    return usual if allowance.limit == UNLIMITED else allowance.limit


def _left(allowance: Allowance, usual: int) -> int:
    return usual if allowance.limit == UNLIMITED else allowance.remaining
