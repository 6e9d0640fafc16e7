"""`BugzillaSandbox`: an installation of one flavour, its API under /rest, and Mozilla's webhooks.

Shares no code with the connector, so that a mistake in one shows against the other.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import parse_qs

from flask import Response, g, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from hub.sandbox import Delivery, Sandbox, acting_as
from plugins.bugzilla.sandbox import events
from plugins.bugzilla.sandbox.changes import Changes
from plugins.bugzilla.sandbox.creation import Creation
from plugins.bugzilla.sandbox.errors import (
    LOGIN_NEEDED,
    BugzillaError,
    CrashError,
    EmptyAnswerError,
    no_route,
)
from plugins.bugzilla.sandbox.routes_bugs import bug_routes
from plugins.bugzilla.sandbox.routes_site import site_routes
from plugins.bugzilla.sandbox.shapes import Shapes
from plugins.bugzilla.sandbox.state import Bug, Change, Comment, File, Flavour, Store, User

JSON = "application/json; charset=UTF-8"
HTML = "text/html; charset=UTF-8"
DOCUMENTATION = {
    "5.2": "https://bugzilla.readthedocs.org/en/5.0/api/",
    "5.3": "https://bugzilla.readthedocs.org/en/latest/api/",
    "bmo": "https://bmo.readthedocs.io/en/latest/api/",
}
PREFIXES = ("/rest", "/rest.cgi")
NOT_HERE = {
    "bug_user_last_visit", "classification", "component", "flag_activity", "flag_type", "group", "jobqueue_status",
    "last_audit_time", "login", "logout", "reminder", "timezone",
}  # fmt: skip
"""Resources that the real one has and the sandbox has not."""
RETRIES = (5.0, 25.0, 125.0, 625.0)
LONGEST_RETRY = 900.0
ERROR_LIMIT = 100
MISMATCHES = (5, 60.0)
"""Mozilla: so many wrong keys in so many seconds, and the address is blocked."""


class BugzillaSandbox(Sandbox):
    """A local Bugzilla: `5.2` (key only as a parameter), `5.3` (as 5.3.3) or `bmo` (Mozilla's fork).

    `store.params` are Bugzilla's own parameters. The only setting of the sandbox is `header` (0: behind a proxy that
    takes the key's header away).
    """

    kind = "bugzilla"
    flavours = ("5.2", "5.3", "bmo")
    webhook_secret = "bugzilla-sandbox-webhook-secret"
    default_settings: ClassVar[Mapping[str, float]] = {"header": 1}

    def __init__(self, *, flavour: Flavour = "5.2", clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(clock=clock)
        self.store = Store(self.clock, flavour)
        self.shapes = Shapes(self.store)
        self.creation = Creation(self.store, self._tell, lambda: self.url)
        self.changes = Changes(self.store, self.creation, self._tell, lambda: self.url)
        if flavour == "bmo":
            self.limits.set("api_key_mismatch", *MISMATCHES)
        for prefix in PREFIXES:
            for name, routes in (("bugs", bug_routes(self)), ("site", site_routes(self))):
                self.app.register_blueprint(routes, name=f"{name}{prefix}".replace(".", "_"), url_prefix=prefix)
        self.app.before_request(self._enter)
        self.app.register_error_handler(BugzillaError, self._refusal)
        self.app.register_error_handler(CrashError, self._crash)
        self.app.register_error_handler(EmptyAnswerError, _nothing)

    @property
    def flavour(self) -> Flavour:
        return self.store.flavour

    def credentials(self) -> dict[str, str]:
        hub = self.store.users["hub@example.test"]
        return {"login": hub.login, "api_key": hub.key}

    def people(self) -> dict[str, dict[str, str]]:
        """Everybody else who may sign in, by login."""
        return {
            login: {"api_key": user.key, "id": login, "name": user.real_name}
            for login, user in self.store.users.items()
            if not user.disabled and login != "hub@example.test"
        }

    def counts(self) -> dict[str, int]:
        bugs = self.store.bugs.values()
        return {
            "bugs": len(bugs),
            "comments": sum(len(b.comments) for b in bugs),
            "files": sum(len(b.files) for b in bugs),
        }

    def sign(self, delivery: Delivery, attempt: int) -> Mapping[str, str]:
        """One header with a value, both chosen by whoever made the webhook; there is no signature."""
        return {"X-Hub-Secret": delivery.target.secret}

    def retry(self, delivery: Delivery, attempt: int, status: int | None, headers: Mapping[str, str]) -> float | None:
        """Until it was taken with 2xx, everything behind it waits."""
        if (status is not None and 200 <= status < 300) or attempt >= ERROR_LIMIT:
            return None
        return RETRIES[attempt - 1] if attempt <= len(RETRIES) else LONGEST_RETRY

    def hooks(self) -> list[dict[str, Any]]:
        """The hub's webhooks as `/rest/webhooks/list` shows them."""
        return [
            {
                "id": number, "creator": "hub@example.test", "name": f"hook {number}", "url": target.url,
                "event": target.options.get("event", "create,change,attachment,comment"), "product": "Any",
                "component": "Any", "enabled": target.options.get("enabled", True),
                "errors": target.options.get("errors", 0),
            }
            for number, target in enumerate(self.webhooks.targets, 1)
        ]  # fmt: skip

    def answer(self, body: object, status: int = 200) -> Response:
        return Response(json.dumps(body, ensure_ascii=False), status=status, content_type=JSON)

    def _enter(self) -> ResponseReturnValue | None:
        if not request.path.startswith(PREFIXES):
            return None
        if self.store.params["shutdownhtml"]:
            page = f"<!DOCTYPE html>\n<title>Bugzilla is Down</title>\n<p>{self.store.params['shutdownhtml']}</p>\n"
            return Response(page, 503, {"Retry-After": "3600"}, content_type=HTML)
        g.user, g.params = None, self._params()
        path = request.path.removeprefix("/rest.cgi").removeprefix("/rest")
        if request.url_rule is None and path.strip("/").partition("/")[0] not in NOT_HERE:
            raise no_route(request.method, path)
        if path == "/version":
            return None
        g.user = self._signed_in()
        if g.user is not None:
            acting_as(g.user.login)
        elif self.store.params["requirelogin"] == "1":
            raise BugzillaError(410, LOGIN_NEEDED)
        return None

    def _params(self) -> dict[str, Any]:
        """The body, with the query over it. Before 5.3 the body may be of nearly any sort."""
        given: dict[str, Any] = {}
        if request.method in ("POST", "PUT"):
            given = self._body()
        query = {
            name: values if len(values) > 1 else values[0]
            for name, values in parse_qs(request.query_string.decode(), keep_blank_values=True).items()
        }
        return given | query

    def _body(self) -> dict[str, Any]:
        raw, mimetype = request.get_data(), request.mimetype
        if self.store.flavour == "5.3" and mimetype != "application/json":
            sent = request.headers.get("Content-Type", "")
            raise BugzillaError(
                32613,
                f"When using JSON-RPC over POST, you cannot send data as {sent}. Only application/json and "
                "application/json-rpc are allowed.",
            )
        if mimetype == "application/x-www-form-urlencoded":
            return {k: v[0] for k, v in parse_qs(raw.decode()).items()}
        if not raw or not mimetype:
            return {}
        try:
            # 5.3 takes each byte for a character, so that only escapes come out right.
            body = json.loads(raw.decode("latin-1" if self.flavour == "5.3" else "utf-8", "replace"))
        except ValueError as error:
            raise BugzillaError(
                32000, f"Could not parse the 'params' argument as valid JSON. Error: {error}"
            ) from error
        if not isinstance(body, dict):
            raise EmptyAnswerError
        return body

    def _signed_in(self) -> User | None:
        """By the key in the header, which 5.2 does not look at, or as a parameter."""
        header = request.headers.get("X-Bugzilla-Api-Key", "")
        key = header if self.store.is_new and self.settings["header"] else ""
        for name in ("api_key", "Bugzilla_api_key"):
            key = str(g.params.pop(name, "") or "") or key
        if not key:
            return None
        user = self.store.by_key(key)
        if key in self.store.revoked_keys:
            raise BugzillaError(306, "The API key you specified has been revoked by the user that created it.")
        if user is None:
            if not self.limits.take("api_key_mismatch", "").allowed:
                raise BugzillaError(32000, "You have exceeded the rate limit.")
            raise BugzillaError(306, "The API key you specified is invalid. Please check that you typed it correctly.")
        if user.disabled:
            whom = self.store.params["maintainer"]
            raise BugzillaError(
                301,
                f"{user.disabled} If you believe your account should be restored, please send email to {whom} "
                "explaining why.",
            )
        return user

    def _refusal(self, error: BugzillaError) -> ResponseReturnValue:
        code: int | str = str(error.code) if self.flavour == "5.3" else error.code
        return self.answer({"error": True, "code": code, **self._told(error.message)}, error.status)

    def _crash(self, error: CrashError) -> ResponseReturnValue:
        if self.flavour == "5.3":
            return self.answer({"error": True, **self._told(f"Procedure error: {error.message}")}, 500)
        return self.answer({"error": True, "code": 100500, **self._told(error.message)})

    def _told(self, message: str) -> dict[str, str]:
        return {"message": message, "documentation": DOCUMENTATION[self.flavour]}

    def _missing(self, error: Exception) -> ResponseReturnValue:
        """What the real one does not have either is its own 404; the rest is told as not in the sandbox."""
        path = request.path.removeprefix("/rest.cgi").removeprefix("/rest")
        is_known = path.strip("/").partition("/")[0] in NOT_HERE
        if request.path.startswith(PREFIXES) and not is_known and isinstance(error, NotFound):
            return self._refusal(no_route(request.method, path))
        return super()._missing(error)

    def _tell(self, key: str, bug: Bug, user: User, added: Comment | File | None, changes: list[Change]) -> None:
        if self.flavour != "bmo":
            return
        body = events.payload(self.store, key, bug, user, added, changes)
        for number, target in enumerate(self.webhooks.targets, 1):
            content = json.dumps({**(body or {}), "webhook_id": number, "webhook_name": f"hook {number}"}).encode()
            headers = {"Content-Type": "application/json", "Accept": "application/json"}
            self.webhooks.send(Delivery(str(uuid.uuid4()), target, content, key, headers=headers))


def _nothing(_: EmptyAnswerError) -> ResponseReturnValue:
    return Response("", content_type=JSON)
