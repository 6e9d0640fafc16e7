"""`GitlabSandbox`: an instance with two projects, its API under /api/v4, and its webhooks.

Shares no code with the connector, so that a mistake in one shows against the other.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from flask import Response, g, jsonify, request
from flask.typing import ResponseReturnValue

from hub.sandbox import Delivery, Sandbox, acting_as
from plugins.gitlab.sandbox.changes import Changes
from plugins.gitlab.sandbox.routes import HOOK_EVENTS, ProjectConverter, api_routes, storage_routes
from plugins.gitlab.sandbox.shapes import Json, Shapes
from plugins.gitlab.sandbox.state import GitlabError, Project, Store, User, bad

SWITCHES = {
    "Issue Hook": "issues_events",
    "Confidential Issue Hook": "confidential_issues_events",
    "Note Hook": "note_events",
    "Confidential Note Hook": "confidential_note_events",
}
HUB = "project_42_bot_hub"


class GitlabSandbox(Sandbox):
    """A local GitLab.

    Settings: `scoped_labels` (1: labels of one scope push each other out, as on paid tiers), `direct_download` (1:
    files come from another host), `internal_notes` (0: a server so old that it does not know them), `token_days`
    (until the tokens end). Limits, off until set: `user` (requests of one user), `issues_create`, `notes_create`.
    """

    kind = "gitlab"
    webhook_secret = "gitlab-sandbox-webhook-secret"
    default_settings: ClassVar[Mapping[str, float]] = {
        "scoped_labels": 0,
        "direct_download": 0,
        "internal_notes": 1,
        "token_days": 200,
    }

    def __init__(self, *, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(clock=clock)
        self.store = Store(self.clock)
        self.shapes = Shapes(lambda: self.url)
        self.changes = Changes(self)
        self.leaked_authorizations: list[str] = []
        self.app.url_map.converters["project"] = ProjectConverter
        self.app.register_blueprint(api_routes(self))
        self.app.register_blueprint(storage_routes(self))
        self.app.before_request(self._enter)
        self.app.after_request(self._leave)
        self.app.register_error_handler(GitlabError, _refusal)

    def credentials(self) -> dict[str, str]:
        """The access token of the project's bot."""
        return {"token": self.store.user(HUB).token}

    def people(self) -> dict[str, dict[str, str]]:
        """A maintainer, two engineers, who may only read, a guest, and who is no member."""
        return {
            username: {"token": user.token, "id": str(user.id), "name": user.name}
            for username, user in self.store.users.items()
            if username != HUB
        }

    def counts(self) -> dict[str, int]:
        issues = self.store.issues.values()
        return {"issues": len(issues), "notes": sum(len(i.people_notes) for i in issues)}

    def sign(self, delivery: Delivery, attempt: int) -> Mapping[str, str]:
        """The plain secret; GitLab signs nothing unless a signing token is set."""
        return {"X-Gitlab-Token": delivery.target.secret} if delivery.target.secret else {}

    def token_ends(self) -> str:
        """The day on which tokens end."""
        return (self.clock() + timedelta(days=self.settings["token_days"])).date().isoformat()

    def tell(self, project: Project, hook: str, body: Json) -> None:
        event = str(uuid.uuid4())
        for target in self.webhooks.targets:
            if target.options.get("project", project.id) != project.id or not target.options.get(SWITCHES[hook], True):
                continue
            delivery_id = str(uuid.uuid4())
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "GitLab/18.2.1",
                "X-Gitlab-Event": hook,
                "X-Gitlab-Instance": self.url,
                "X-Gitlab-Webhook-UUID": target.id,
                "X-Gitlab-Event-UUID": event,
                "Idempotency-Key": delivery_id,
            }
            content = json.dumps(body, ensure_ascii=False).encode()
            self.webhooks.send(Delivery(delivery_id, target, content, hook, headers=headers))

    def add_hook(self, project: Project, body: Json) -> Json:
        """A webhook made through the API: only the events that it names."""
        url = str(body.get("url") or "")
        if not url.startswith(("http://", "https://")):
            raise bad("url is invalid") if url else bad("url is missing")
        options: Json = {name: bool(body.get(name, False)) for name in HOOK_EVENTS}
        target = self.webhooks.target(url, str(body.get("token") or ""), project=project.id, **options)
        return self._hook(project, target)

    def hooks_of(self, project: Project) -> list[Json]:
        return [self._hook(project, t) for t in self.webhooks.targets if t.options.get("project", 0) == project.id]

    def _hook(self, project: Project, target: Any) -> Json:
        switches = {name: target.options.get(name, True) for name in HOOK_EVENTS}
        return {
            "id": int(target.id[:8], 16), "url": target.url, "project_id": project.id, "push_events": False,
            "enable_ssl_verification": True, "alert_status": "executable", "disabled_until": None,
            "token_present": bool(target.secret), "created_at": "2026-01-05T08:00:00.000Z", **switches,
        }  # fmt: skip

    def check_limit(self, name: str) -> None:
        """Counts a request against a limit of the present user."""
        user: User = g.user
        allowance = self.limits.take(name, user.username)
        if not allowance.allowed:
            ends = int(self.clock().timestamp()) + allowance.resets
            headers = {
                "Retry-After": str(allowance.resets), "RateLimit-Limit": str(allowance.limit),
                "RateLimit-Remaining": "0", "RateLimit-Reset": str(ends), "RateLimit-Name": f"throttle_{name}",
            }  # fmt: skip
            raise GitlabError(429, "Retry later\n", headers)

    def _enter(self) -> None:
        if not request.path.startswith("/api/"):
            return
        g.user = self._signed_in()
        acting_as(g.user.username)
        self.check_limit("user")
        if request.method != "GET" and "api" not in g.user.scopes:
            words = "The request requires higher privileges than provided by the access token."
            raise GitlabError(403, {"error": "insufficient_scope", "error_description": words, "scope": "api"})

    def _signed_in(self) -> User:
        bearer = request.authorization
        given = request.headers.get("Private-Token") or (
            bearer.token if bearer is not None and bearer.type == "bearer" else None
        )
        for user in self.store.users.values():
            if given == user.token:
                return user
        if given and given.startswith("revoked-"):
            words = "Token was revoked. You have to re-authorize from the user."
            raise GitlabError(401, {"error": "invalid_token", "error_description": words})
        raise GitlabError(401, {"message": "401 Unauthorized"})

    def _leave(self, response: Response) -> Response:
        if request.path.startswith("/api/"):
            response.headers["X-Request-Id"] = uuid.uuid4().hex
        return response


def _refusal(error: GitlabError) -> ResponseReturnValue:
    if isinstance(error.body, str):
        return Response(error.body, error.status, error.headers, mimetype="text/plain")
    return jsonify(error.body), error.status, error.headers
