"""`JiraSandbox`: a site of either flavour, its API under /rest, and its webhooks.

Shares no code with the connector, so that a mistake in one shows against the other.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal

from flask import Response, g, jsonify, request
from flask.typing import ResponseReturnValue

from hub.sandbox import Delivery, Sandbox, acting_as
from plugins.jira.sandbox import events
from plugins.jira.sandbox.changes import Changes
from plugins.jira.sandbox.errors import JiraError
from plugins.jira.sandbox.routes_comments import comment_routes
from plugins.jira.sandbox.routes_files import file_routes, host_routes
from plugins.jira.sandbox.routes_issues import issue_routes
from plugins.jira.sandbox.routes_links import link_routes
from plugins.jira.sandbox.routes_other import other_routes
from plugins.jira.sandbox.routes_search import search_routes
from plugins.jira.sandbox.routes_site import site_routes
from plugins.jira.sandbox.shapes import Json, Shapes
from plugins.jira.sandbox.state import Comment, Issue, Store, User

RETRIED = {408, 409, 425, 429}
MAX_ATTEMPTS = 5
API = (site_routes, issue_routes, comment_routes, file_routes, link_routes, search_routes)
"""What stands under /rest/api/<version>."""


class JiraSandbox(Sandbox):
    """A local Jira site.

    Settings: `search_lag` (seconds until the search index knows of a change), `inline_comments` (how many comments
    stand in an issue's answer). Limit, off until set: `account` (requests of one account).
    """

    kind = "jira"
    flavours = ("cloud", "datacenter")
    webhook_secret = "jira-sandbox-webhook-secret"
    default_settings: ClassVar[Mapping[str, float]] = {"search_lag": 0, "inline_comments": 5000}

    def __init__(
        self, *, flavour: Literal["cloud", "datacenter"] = "cloud", clock: Callable[[], datetime] | None = None
    ) -> None:
        super().__init__(clock=clock)
        self.is_cloud = flavour == "cloud"
        self.store = Store(self.clock)
        self.shapes = Shapes(self.store, lambda: self.url, self.is_cloud)
        self.changes = Changes(self.store, self._tell)
        self.leaked_authorizations: list[str] = []
        for version in ("2", "3", "latest") if self.is_cloud else ("2", "latest"):
            for make in API:
                routes = make(self)
                self.app.register_blueprint(
                    routes,
                    name=f"{routes.name}{version}",
                    url_prefix=f"/rest/api/{version}",
                    url_defaults={"version": "2" if version == "latest" else version},
                )
        self.app.register_blueprint(other_routes(self))
        self.app.register_blueprint(host_routes(self))
        self.app.add_url_rule("/_sandbox/move", "move", self._move, methods=["POST"])
        self.app.before_request(self._enter)
        self.app.after_request(self._leave)
        self.app.register_error_handler(JiraError, _refusal)

    def credentials(self) -> dict[str, str]:
        """Of the hub's account: mail and API token on Cloud, a personal access token on Data Center."""
        return self._login(self.store.user("hub"))

    def people(self) -> dict[str, dict[str, str]]:
        """An admin, two engineers, and an account that may only browse."""
        return {
            login: {**self._login(user), "id": user.account_id if self.is_cloud else login, "name": user.name}
            for login, user in self.store.users.items()
            if login != "hub"
        }

    def counts(self) -> dict[str, int]:
        return {
            "issues": len(self.store.issues),
            "comments": sum(len(i.comments) for i in self.store.issues.values()),
            "leaked_authorizations": len(self.leaked_authorizations),
        }

    def sign(self, delivery: Delivery, attempt: int) -> Mapping[str, str]:
        """`X-Hub-Signature: sha256=<hex>` over the raw body; on Cloud also the delivery's id and retry count."""
        digest = hmac.new(delivery.target.secret.encode(), delivery.body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature": f"sha256={digest}"} if delivery.target.secret else {}
        if self.is_cloud:
            headers |= {
                "X-Atlassian-Webhook-Identifier": delivery.id,
                "X-Atlassian-Webhook-Flow": "Primary",
                "X-Atlassian-Webhook-Retry": str(attempt - 1),
            }
        return headers

    def retry(self, delivery: Delivery, attempt: int, status: int | None, headers: Mapping[str, str]) -> float | None:
        """Cloud tries again after no answer, 5xx and a few 4xx; Data Center never does."""
        again = status is None or status in RETRIED or status >= 500
        return float(attempt) if self.is_cloud and again and attempt <= MAX_ATTEMPTS else None

    def add_hook(self, body: Json) -> Json:
        """A webhook made through the API, with the secret and events that it names."""
        url = str(body.get("url") or "")
        if not url.startswith(("http://", "https://")):
            raise JiraError(400, "URL is invalid")
        target = self.webhooks.target(url, str(body.get("secret") or ""), events=tuple(body.get("events") or ()))
        shown = {
            "name": body.get("name"), "url": url, "events": body.get("events") or [], "enabled": True,
            "self": f"{self.url}/rest/webhooks/1.0/webhook/{target.id}", "excludeBody": False,
        }  # fmt: skip
        self.store.hooks[target.id] = shown
        return shown

    def _login(self, user: User) -> dict[str, str]:
        if self.is_cloud:
            return {"email": user.email, "api_token": user.token}
        return {"personal_access_token": user.token}

    def _enter(self) -> None:
        if not request.path.startswith(("/rest/", "/secure/")):
            return
        g.user = self._signed_in()
        acting_as(g.user.login)
        allowance = self.limits.take("account", g.user.login)
        g.limited = allowance
        if not allowance.allowed:
            headers = {
                "Retry-After": str(allowance.resets),
                "X-RateLimit-Limit": str(allowance.limit),
                "X-RateLimit-Remaining": "0",
                "RateLimit-Reason": "jira-burst-based",
            }
            raise JiraError(429, "Rate limit exceeded.", headers=headers)

    def _signed_in(self) -> User:
        given = request.authorization
        if given is not None and given.type == "basic":
            for user in self.store.users.values():
                if given.username in (user.email, user.login) and given.password == user.token:
                    return user
        if given is not None and given.type == "bearer" and not self.is_cloud:
            for user in self.store.users.values():
                if given.token == user.token:
                    return user
        headers = {"WWW-Authenticate": 'OAuth realm="jira"'}
        if not self.is_cloud:
            headers["X-Seraph-LoginReason"] = "AUTHENTICATED_FAILED" if given else "OUT"
        words = (
            "Client must be authenticated to access this resource."
            if self.is_cloud
            else "You are not authenticated. Authentication required to perform this operation."
        )
        raise JiraError(401, words, headers=headers)

    def _leave(self, response: Response) -> Response:
        if request.path.startswith("/rest/"):
            response.headers["X-AREQUESTID"] = uuid.uuid4().hex[:12]
            if not self.is_cloud and "X-Seraph-LoginReason" not in response.headers:
                response.headers["X-Seraph-LoginReason"] = "OK"
        return response

    def _move(self) -> ResponseReturnValue:
        """Moves an issue to another project: Jira has no API for that, only a screen."""
        body = request.get_json()
        issue = self.store.find_issue(str(body["issue"]))
        if issue is None:
            return jsonify(error="no such issue"), 404
        self.changes.move(self.store.user("admin"), issue, str(body["project"]))
        return jsonify(key=issue.key)

    def _tell(
        self,
        event: str,
        issue: Issue,
        user: User,
        *,
        kind: str,
        items: list[Json] | None = None,
        comment: Comment | None = None,
    ) -> None:
        targets = self.webhooks.targets
        if not targets:
            return
        made = events.bodies(
            self.shapes,
            is_cloud=self.is_cloud,
            event=event,
            kind=kind,
            issue=issue,
            user=user,
            items=items or [],
            comment=comment,
            change_id=self.store.new_id(),
            at=self.clock(),
        )
        for target in targets:
            for body in made:
                self._send(target, body)

    def _send(self, target: Any, body: Json) -> None:
        wanted = target.options.get("events")
        if wanted and body["webhookEvent"] not in wanted:
            return
        content = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=UTF-8", "User-Agent": "Atlassian HttpClient"}
        self.webhooks.send(Delivery(str(uuid.uuid4()), target, content, body["webhookEvent"], headers=headers))


def _refusal(error: JiraError) -> ResponseReturnValue:
    return jsonify(error.body), error.status, error.headers
