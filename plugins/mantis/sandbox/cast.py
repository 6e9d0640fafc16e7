"""The engineers of the MantisBT sandbox. They act through its API, and plugins take notice as of its pages."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from hub.sandbox.cast import File, Role
from plugins.mantis.sandbox.server import PAGE_HEADER, MantisSandbox

LOGINS: Mapping[Role, str] = {"engineer": "mgr", "expert": "dev", "agent": "mgr", "customer": "dev"}
"""Engineer and agent are managers: whoever is less cannot open a resolved issue again."""


class MantisActor:
    """One person of the sandbox."""

    def __init__(self, url: str, person: Mapping[str, str], project: str = "Alpha") -> None:
        self.name, self.id, self._project = person["name"], person["id"], project
        headers = {"Authorization": person["api_token"], PAGE_HEADER: "1"}
        self._http = httpx.Client(base_url=f"{url}/api/rest", headers=headers, timeout=30)

    def close(self) -> None:
        self._http.close()

    def open_ticket(self, title: str, text: str) -> str:
        body = {
            "summary": title,
            "description": text,
            "project": {"name": self._project},
            "category": {"name": "General"},
        }
        return str(self._call("POST", "/issues", json=body)["issue"]["id"])

    def say(self, ticket_id: str, text: str, *, public: bool, files: Sequence[File] = ()) -> None:
        body: dict[str, Any] = {"text": text, "view_state": {"name": "public" if public else "private"}}
        if files:
            body["files"] = [{"name": f.name, "content": base64.b64encode(f.content).decode()} for f in files]
        self._call("POST", f"/issues/{ticket_id}/notes", json=body)

    def escalate(self, ticket_id: str) -> None:
        self._call("POST", f"/issues/{ticket_id}/tags", json={"tags": [{"name": "escalate"}]})

    def rename(self, ticket_id: str, title: str) -> None:
        self._patch(ticket_id, summary=title)

    def prioritise(self, ticket_id: str, priority: str) -> None:
        self._patch(ticket_id, priority={"name": priority})

    def start(self, ticket_id: str) -> None:
        self._patch(ticket_id, status={"name": "assigned"}, handler={"id": int(self.id)})

    def resolve(self, ticket_id: str) -> None:
        self._patch(ticket_id, status={"name": "resolved"}, resolution={"name": "fixed"})

    def reopen(self, ticket_id: str) -> None:
        self._patch(ticket_id, status={"name": "feedback"}, resolution={"name": "reopened"})

    def _patch(self, ticket_id: str, **body: Any) -> None:
        self._call("PATCH", f"/issues/{ticket_id}", json=body)

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        response = self._http.request(method, path, **arguments)
        if response.is_error:
            why = response.text[:300] or response.reason_phrase
            raise RuntimeError(f"{self.name}: {response.status_code} on {method} {path}: {why}")
        return response.json() if response.content else {}


def actor(sandbox: MantisSandbox, role: Role) -> MantisActor:
    """The person of the sandbox who plays this role."""
    return MantisActor(sandbox.url, sandbox.people()[LOGINS[role]])


def hub_settings(sandbox: MantisSandbox) -> dict[str, Any]:
    """The hub's settings for this sandbox."""
    return {
        "kind": "mantis",
        "url": sandbox.url,
        "credentials": sandbox.credentials(),
        "webhook": {"secret": sandbox.webhook_secret},
        "project": "Alpha",
        "category": "General",
    }
