"""`MantisSandbox`: a site, its API under /api/rest, and the plugin `TicketHub`, which posts what happens.

Shares no code with the connector, so that a mistake in one shows against the other.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar

from flask import Response, g, has_request_context, request
from flask.typing import ResponseReturnValue

from hub.sandbox import Delivery, Sandbox, acting_as
from plugins.mantis.sandbox.answers import answer
from plugins.mantis.sandbox.changes import Changes
from plugins.mantis.sandbox.checks import FOUR_BYTES
from plugins.mantis.sandbox.errors import CrashError, MantisError, NotAllowedError, PhraseError
from plugins.mantis.sandbox.routes import api_routes
from plugins.mantis.sandbox.shapes import Shapes
from plugins.mantis.sandbox.state import Issue, Note, Store, User

PROGRAM_DATE = "Wed, 01 Jul 2026 11:45:41 GMT"
"""`Last-Modified` of every answer: the date of a program file."""
HTML = "text/html; charset=UTF-8"
PAGE_EVENTS = {"EVENT_UPDATE_BUG", "EVENT_BUGNOTE_EDIT"}
"""Events that only MantisBT's pages signal, and its API never does. Source: bug_update.php, bugnote_update.php."""
PAGE_HEADER = "X-Sandbox-Page"
"""A request with this header stands for one of the pages, where people work."""


class MantisSandbox(Sandbox):
    """A local MantisBT site.

    Settings: `keeps_emoji` (1 for a database that keeps four-byte characters), `is_new` (1 for 2.29 instead of
    2.28), `antispam` (events an hour for reporters, 0 for any number), `hub_level` (the hub's access level).
    """

    kind = "mantis"
    webhook_secret = "mantis-sandbox-webhook-secret"
    default_settings: ClassVar[Mapping[str, float]] = {"keeps_emoji": 0, "is_new": 0, "antispam": 10, "hub_level": 70}

    def __init__(self, *, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(clock=clock)
        self.store = Store(self.clock)
        self.shapes = Shapes(self.store)
        self.changes = Changes(self.store, self._keep, self._tell, lambda: self.is_new)
        for name, prefix in (("api", "/api/rest"), ("index", "/api/rest/index.php")):
            self.app.register_blueprint(api_routes(self), name=name, url_prefix=prefix)
        self.app.before_request(self._enter)
        self.app.after_request(self._leave)
        self.app.register_error_handler(MantisError, _refusal)
        self.app.register_error_handler(PhraseError, _phrase)
        self.app.register_error_handler(CrashError, _crash)
        self.app.register_error_handler(NotAllowedError, _not_allowed)

    @property
    def is_new(self) -> bool:
        return bool(self.settings["is_new"])

    def credentials(self) -> dict[str, str]:
        return {"api_token": self.store.user("hub").token}

    def people(self) -> dict[str, dict[str, str]]:
        """Everybody else by login, from the administrator to a viewer."""
        return {
            login: {"api_token": user.token, "id": str(user.id), "name": user.real_name or login}
            for login, user in self.store.users.items()
            if login != "hub"
        }

    def counts(self) -> dict[str, int]:
        issues = self.store.issues.values()
        return {"issues": len(issues), "notes": sum(len(i.notes) for i in issues), "tags": len(self.store.tags)}

    def change_settings(self, **values: float) -> None:
        super().change_settings(**values)
        self.store.user("hub").level = int(self.settings["hub_level"])

    def sign(self, delivery: Delivery, attempt: int) -> Mapping[str, str]:
        """The shared secret, as it is: plugins of MantisBT do not sign."""
        return {"X-Hub-Secret": delivery.target.secret}

    def _keep(self, text: str) -> str:
        return text if self.settings["keeps_emoji"] else FOUR_BYTES.sub("\ufffd", text)

    def _enter(self) -> None:
        if not request.path.startswith("/api/rest"):
            return
        given = request.headers.get("Authorization", "")
        if self.is_new:
            given = given.removeprefix("Bearer ")
        user = next((u for u in self.store.users.values() if u.token == given), None)
        if user is None:
            raise PhraseError(401, "Valid API token required")
        if not user.is_enabled:
            raise PhraseError(403, "User disabled")
        g.user = user
        acting_as(user.login)

    def _leave(self, response: Response) -> Response:
        if not request.path.startswith("/api/rest"):
            return response
        response.headers["Last-Modified"] = PROGRAM_DATE
        if getattr(g, "is_refused", False):
            return response
        response.headers["X-Mantis-Version"] = "2.29.0-dev" if self.is_new else "2.28.4"
        if "user" in g:
            response.headers["X-Mantis-Username"] = g.user.login
            response.headers["X-Mantis-LoginMethod"] = "api-token"
        return response

    def _tell(self, event: str, issue: Issue, user: User, note: Note | None) -> None:
        if event in PAGE_EVENTS and has_request_context() and PAGE_HEADER not in request.headers:
            return
        body = {
            "event": event,
            "issue_id": issue.id,
            "note_id": note.id if note else 0,
            "user_id": user.id,
        }
        for target in self.webhooks.targets:
            content, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
            self.webhooks.send(Delivery(str(uuid.uuid4()), target, content, event, headers=headers))


def _refusal(error: MantisError) -> ResponseReturnValue:
    # Answers to an exception carry none of MantisBT's own headers.
    g.is_refused = True
    return answer(error.body, error.status, error.message)


def _phrase(error: PhraseError) -> ResponseReturnValue:
    response = Response(status=f"{error.status} {error.phrase}", content_type=HTML)
    if error.etag:
        response.headers["ETag"] = error.etag
    return response


def _crash(_: CrashError) -> ResponseReturnValue:
    g.is_refused = True
    return Response(status="500 Internal Server Error", content_type=HTML)


def _not_allowed(error: NotAllowedError) -> ResponseReturnValue:
    page = f"<html><body><h1>Method not allowed</h1><p>Must be one of: {error.methods}</p></body></html>"
    response = Response(page, status="405 Method Not Allowed", content_type=HTML)
    response.headers["Allow"] = error.methods
    return response
