"""The customers and agents of the Zendesk sandbox, acting through its API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from hub.sandbox.cast import File, Role
from plugins.zendesk.sandbox.server import ZendeskSandbox

LOGINS: Mapping[Role, str] = {"customer": "customer1", "agent": "agent1", "expert": "agent2"}


class ZendeskActor:
    """One person of the sandbox."""

    def __init__(self, url: str, person: Mapping[str, str]) -> None:
        self.name = person["name"]
        self._id = person["id"]
        self._is_customer = person["role"] == "end-user"
        self._http = httpx.Client(
            base_url=f"{url}/api/v2", auth=(f"{person['email']}/token", person["token"]), timeout=30
        )

    def close(self) -> None:
        self._http.close()

    def open_ticket(self, title: str, text: str) -> str:
        path, key = ("/requests", "request") if self._is_customer else ("/tickets", "ticket")
        body = {key: {"subject": title, "comment": {"body": text}}}
        return str(self._call("POST", path, json=body)[key]["id"])

    def say(self, ticket_id: str, text: str, *, public: bool, files: Sequence[File] = ()) -> None:
        comment: dict[str, Any] = {"body": text, "uploads": [self._upload(file) for file in files]}
        if self._is_customer:
            self._call("PUT", f"/requests/{ticket_id}", json={"request": {"comment": comment}})
        else:
            self._change(ticket_id, comment={**comment, "public": public})

    def escalate(self, ticket_id: str) -> None:
        self._call("PUT", f"/tickets/{ticket_id}/tags", json={"tags": ["escalate"]})

    def rename(self, ticket_id: str, title: str) -> None:
        self._change(ticket_id, subject=title)

    def prioritise(self, ticket_id: str, priority: str) -> None:
        self._change(ticket_id, priority=priority)

    def start(self, ticket_id: str) -> None:
        self._change(ticket_id, status="open", assignee_id=int(self._id))

    def resolve(self, ticket_id: str) -> None:
        self._change(ticket_id, status="solved", assignee_id=int(self._id))

    def reopen(self, ticket_id: str) -> None:
        self._change(ticket_id, status="open")

    def rate(self, ticket_id: str, *, good: bool) -> None:
        rating = {"score": "good" if good else "bad"}
        self._call("POST", f"/tickets/{ticket_id}/satisfaction_rating", json={"satisfaction_rating": rating})

    def _change(self, ticket_id: str, **values: Any) -> None:
        self._call("PUT", f"/tickets/{ticket_id}", json={"ticket": values})

    def _upload(self, file: File) -> str:
        answer = self._call(
            "POST",
            "/uploads",
            params={"filename": file.name},
            content=file.content,
            headers={"Content-Type": file.content_type},
        )
        return str(answer["upload"]["token"])

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        response = self._http.request(method, path, **arguments)
        if response.is_error:
            raise RuntimeError(f"{self.name}: {response.status_code} on {method} {path}: {response.text[:300]}")
        found: dict[str, Any] = response.json() if response.content else {}
        return found


def actor(sandbox: ZendeskSandbox, role: Role) -> ZendeskActor:
    """The person of the sandbox who plays this role."""
    return ZendeskActor(sandbox.url, sandbox.people()[LOGINS[role]])


def hub_settings(sandbox: ZendeskSandbox) -> dict[str, Any]:
    """The hub's settings for this sandbox."""
    login = sandbox.credentials()
    return {
        "kind": "zendesk",
        "url": sandbox.url,
        "credentials": {"email": login["email"], "api_token": login["token"]},
        "webhook": {"secret": sandbox.webhook_secret},
        "lines": {1: ["Support"], 2: ["Second line"], 3: ["Third line"]},
    }
