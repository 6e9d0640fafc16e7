"""The engineers of the Bugzilla sandbox, acting through its API."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from hub.sandbox.cast import File, Role
from plugins.bugzilla.sandbox.server import BugzillaSandbox

LOGINS: Mapping[Role, str] = {
    "engineer": "enid@example.test",
    "agent": "enid@example.test",
    "expert": "dev@example.test",
    "customer": "reporter@example.test",
}
PRIORITIES = {
    "upstream": {"low": "Low", "normal": "Normal", "high": "High", "urgent": "Highest"},
    "bmo": {"low": "P4", "normal": "P3", "high": "P2", "urgent": "P1"},
}
STATUSES = {"upstream": ("IN_PROGRESS", "CONFIRMED"), "bmo": ("ASSIGNED", "REOPENED")}


class BugzillaActor:
    """One person of the sandbox. Ids of bugs are their numbers."""

    def __init__(self, sandbox: BugzillaSandbox, login: str) -> None:
        person = sandbox.people()[login]
        self.name, self.id = person["name"], login
        self._key, self._words = person["api_key"], "bmo" if sandbox.flavour == "bmo" else "upstream"
        self._http = httpx.Client(base_url=f"{sandbox.url}/rest", timeout=30)

    def close(self) -> None:
        self._http.close()

    def open_ticket(self, title: str, text: str) -> str:
        body = {
            "product": "Widgets", "component": "Frontend", "version": "unspecified", "op_sys": "All",
            "platform": "All", "summary": title, "description": text,
        }  # fmt: skip
        return str(self._call("POST", "/bug", body)["id"])

    def say(self, ticket_id: str, text: str, *, public: bool, files: Sequence[File] = ()) -> None:
        for at, file in enumerate(files):
            body = {
                "data": base64.b64encode(file.content).decode(), "file_name": file.name, "summary": file.name,
                "content_type": file.content_type, "is_private": not public, "comment": "" if at else text,
            }  # fmt: skip
            self._call("POST", f"/bug/{ticket_id}/attachment", body)
        if not files:
            self._call("POST", f"/bug/{ticket_id}/comment", {"comment": text, "is_private": not public})

    def escalate(self, ticket_id: str) -> None:
        seen = self._call("GET", f"/bug/{ticket_id}")["bugs"][0]["whiteboard"]
        self._put(ticket_id, whiteboard=f"{seen}[escalate]")

    def rename(self, ticket_id: str, title: str) -> None:
        self._put(ticket_id, summary=title)

    def prioritise(self, ticket_id: str, priority: str) -> None:
        self._put(ticket_id, priority=PRIORITIES[self._words][priority])

    def start(self, ticket_id: str) -> None:
        self._put(ticket_id, status=STATUSES[self._words][0], assigned_to=self.id)

    def resolve(self, ticket_id: str) -> None:
        self._put(ticket_id, status="RESOLVED", resolution="FIXED")

    def reopen(self, ticket_id: str) -> None:
        self._put(ticket_id, status=STATUSES[self._words][1])

    def _put(self, ticket_id: str, **body: Any) -> None:
        self._call("PUT", f"/bug/{ticket_id}", body)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        content = json.dumps(body) if body is not None else None
        headers = {"Content-Type": "application/json"} if content else {}
        response = self._http.request(method, path, params={"api_key": self._key}, content=content, headers=headers)
        if response.is_error or not response.content or "error" in response.json():
            raise RuntimeError(f"{self.name}: {response.status_code} on {method} {path}: {response.text[:300]}")
        return response.json()


def actor(sandbox: BugzillaSandbox, role: Role) -> BugzillaActor:
    """The person of the sandbox who plays this role."""
    return BugzillaActor(sandbox, LOGINS[role])


def hub_settings(sandbox: BugzillaSandbox) -> dict[str, Any]:
    """The hub's settings for this sandbox. Upstream sends no webhooks, so it is polled often."""
    is_mozilla = sandbox.flavour == "bmo"
    return {
        "kind": "bugzilla",
        "url": sandbox.url,
        "flavour": "bmo" if is_mozilla else "upstream",
        "credentials": sandbox.credentials(),
        "webhook": {"secret": sandbox.webhook_secret},
        "product": "Widgets",
        "component": "Frontend",
        "plain_comments": "public",
        **({} if is_mozilla else {"poll": {"every": 0.5}}),
    }
