"""`SolarwindsSandbox`: one Service Desk account, its API, its portal, its process integrations.

Shares no code with the connector, so that a mistake in one shows against the other.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from flask import g, jsonify, request
from flask.typing import ResponseReturnValue

from hub.sandbox import Delivery, Sandbox, acting_as
from plugins.solarwinds.sandbox import portal
from plugins.solarwinds.sandbox.changes import Changes
from plugins.solarwinds.sandbox.errors import ServiceDeskError
from plugins.solarwinds.sandbox.routes import api_routes
from plugins.solarwinds.sandbox.shapes import Shapes
from plugins.solarwinds.sandbox.state import File, Incident, Store

VERSIONED = "application/vnd.samanage.v2.1+json"
SECRET_HEADER = "X-Hub-Secret"
OPEN_PATHS = ("/_sandbox/", "/portal/", "/files/")


class SolarwindsSandbox(Sandbox):
    """A local Service Desk account.

    Settings: `search_lag` (seconds until `query` knows of a change), `file_life` (seconds that a file's address is
    good), and, 1 for yes: `comments_touch` (a comment changes the ticket's time), `ignores_filters`, `ignores_sort`,
    `ignores_tags`, `ignores_custom_fields`, `ignores_state` (with a 200 and without a word), `takes_strangers` (an
    unknown requester becomes a user), `may_read_audits`, `closed_is_final`, `needs_resolution_code`, `files_above` (the
    long layout lists the files of comments with the incident's own).
    Limit, off until set: `account` (calls of the whole account).
    Options of a webhook's target: none; a process integration is one call to one address.
    """

    kind = "solarwinds"
    webhook_secret = "solarwinds-sandbox-webhook-secret"
    default_settings: ClassVar[Mapping[str, float]] = {
        "search_lag": 0, "file_life": 300, "comments_touch": 1, "ignores_filters": 0, "ignores_sort": 0,
        "ignores_tags": 0, "ignores_custom_fields": 0, "takes_strangers": 1, "may_read_audits": 1,
        "closed_is_final": 0, "needs_resolution_code": 0, "ignores_state": 0, "files_above": 0,
    }  # fmt: skip

    def __init__(self, *, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(clock=clock)
        self.store = Store(self.clock)
        self.shapes = Shapes(self.store, lambda: self.settings, lambda: self.url, self._file_url)
        self.changes = Changes(self.store, lambda: self.settings, self._tell)
        self.leaked_authorizations: list[str] = []
        self.app.register_blueprint(api_routes(self))
        self.app.register_blueprint(portal.portal_routes(self))
        self.app.before_request(self._enter)
        self.app.register_error_handler(ServiceDeskError, _refusal)

    def credentials(self) -> dict[str, str]:
        """The token of the hub's user."""
        return {"token": self.store.by_login("hub").token}

    def people(self) -> dict[str, dict[str, str]]:
        """Agents with tokens and requesters with portal passwords."""
        return {
            user.login: {
                "id": str(user.id),
                "name": user.name,
                "email": user.email,
                **({"token": user.token} if user.token else {"password": user.password}),
            }
            for user in self.store.users.values()
            if user.login and user.login != "hub"
        }

    def counts(self) -> dict[str, int]:
        incidents = self.store.incidents.values()
        return {
            "incidents": len(incidents),
            "comments": sum(len(i.comments) for i in incidents),
            "mails": len(self.store.mails),
            "leaked_authorizations": len(self.leaked_authorizations),
        }

    def sign(self, delivery: Delivery, attempt: int) -> Mapping[str, str]:
        """Nothing is signed: the secret is a header that the admin adds to the call."""
        return {SECRET_HEADER: delivery.target.secret} if delivery.target.secret else {}

    def _enter(self) -> None:
        if request.path.startswith(OPEN_PATHS):
            return
        allowance = self.limits.take("account")
        if not allowance.allowed:
            # No header tells what is left before that.
            raise ServiceDeskError(429, "Rate limit exceeded", {"Retry-After": str(allowance.resets)})
        scheme, _, token = request.headers.get("X-Samanage-Authorization", "").partition(" ")
        user = self.store.by_token(token) if scheme == "Bearer" else None
        if user is None:
            raise ServiceDeskError(401, {"error": "Invalid token"})
        g.user = user
        acting_as(user.login)
        accepted = request.headers.get("Accept", "*/*")
        if not request.path.endswith(".json") and VERSIONED not in accepted and "/comments" not in request.path:
            raise ServiceDeskError(406)

    def _file_url(self, file: File) -> str:
        expires = str(int(self.clock().timestamp() + self.settings["file_life"]))
        # Another host than the API's, as the storage is.
        host = self.url.replace("127.0.0.1", "localhost")
        mark = portal.signature(file.id, expires)
        return f"{host}/files/{file.id}/{quote(file.name, safe='')}?expires={expires}&signature={mark}"

    def _tell(self, incident: Incident, event: str) -> None:
        body = json.dumps({"ticket_id": str(incident.id), "event": event}).encode()
        for target in self.webhooks.targets:
            headers = {"Content-Type": "application/json"}
            self.webhooks.send(Delivery(uuid.uuid4().hex, target, body, event, headers=headers))


def _refusal(error: ServiceDeskError) -> ResponseReturnValue:
    if error.body is None:
        return "", error.status, error.headers
    return jsonify(error.body), error.status, error.headers
