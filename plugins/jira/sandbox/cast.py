"""The engineers of the Jira sandbox, acting through its API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from hub.sandbox.cast import File, Role
from plugins.jira.sandbox.server import JiraSandbox

LOGINS: Mapping[Role, str] = {
    "engineer": "engineer1",
    "expert": "engineer2",
    "agent": "engineer2",
    "customer": "engineer2",
}
PRIORITIES = {"low": "Low", "normal": "Medium", "high": "High", "urgent": "Highest"}


class JiraActor:
    """One person of the sandbox."""

    def __init__(self, url: str, person: Mapping[str, str], project: str = "OPS") -> None:
        self.name = person["name"]
        self._project = project
        auth = (person["email"], person["api_token"]) if "api_token" in person else None
        headers = {} if auth else {"Authorization": f"Bearer {person['personal_access_token']}"}
        self._http = httpx.Client(base_url=f"{url}/rest/api/2", auth=auth, headers=headers, timeout=30)

    def close(self) -> None:
        self._http.close()

    def open_ticket(self, title: str, text: str) -> str:
        fields = {
            "project": {"key": self._project},
            "issuetype": {"name": "Bug"},
            "summary": title,
            "description": text,
        }
        return str(self._call("POST", "/issue", json={"fields": fields})["id"])

    def say(self, ticket_id: str, text: str, *, public: bool, files: Sequence[File] = ()) -> None:
        for file in files:
            self._call(
                "POST",
                f"/issue/{ticket_id}/attachments",
                files={"file": (file.name, file.content, file.content_type)},
                headers={"X-Atlassian-Token": "no-check"},
            )
        body: dict[str, Any] = {"body": " ".join([text, *(f"[^{f.name}]" for f in files)])}
        if not public:
            body["visibility"] = {"type": "role", "value": "Developers"}
        self._call("POST", f"/issue/{ticket_id}/comment", json=body)

    def escalate(self, ticket_id: str) -> None:
        self._edit(ticket_id, update={"labels": [{"add": "escalate"}]})

    def rename(self, ticket_id: str, title: str) -> None:
        self._edit(ticket_id, fields={"summary": title})

    def prioritise(self, ticket_id: str, priority: str) -> None:
        self._edit(ticket_id, fields={"priority": {"name": PRIORITIES[priority]}})

    def start(self, ticket_id: str) -> None:
        self._move(ticket_id, "Start Progress")

    def resolve(self, ticket_id: str) -> None:
        for name in ("Start Progress", "Ask for Review"):
            self._move(ticket_id, name, if_possible=True)
        self._move(ticket_id, "Finish", resolution="Done")

    def reopen(self, ticket_id: str) -> None:
        self._move(ticket_id, "Reopen")

    def _edit(self, ticket_id: str, **body: Any) -> None:
        self._call("PUT", f"/issue/{ticket_id}", json=body)

    def _move(self, ticket_id: str, name: str, *, resolution: str = "", if_possible: bool = False) -> None:
        moves = self._call("GET", f"/issue/{ticket_id}/transitions")["transitions"]
        found = next((m for m in moves if m["name"] == name), None)
        if found is None:
            if if_possible:
                return
            raise RuntimeError(f"{self.name}: no transition {name!r} from here")
        body: dict[str, Any] = {"transition": {"id": found["id"]}}
        if resolution:
            body["fields"] = {"resolution": {"name": resolution}}
        self._call("POST", f"/issue/{ticket_id}/transitions", json=body)

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        response = self._http.request(method, path, **arguments)
        if response.is_error:
            raise RuntimeError(f"{self.name}: {response.status_code} on {method} {path}: {response.text[:300]}")
        return response.json() if response.content else {}


def actor(sandbox: JiraSandbox, role: Role) -> JiraActor:
    """The person of the sandbox who plays this role."""
    return JiraActor(sandbox.url, sandbox.people()[LOGINS[role]])


def hub_settings(sandbox: JiraSandbox) -> dict[str, Any]:
    """The hub's settings for this sandbox: engineers' plain comments are answers, as the demo's settings say."""
    return {
        "kind": "jira",
        "url": sandbox.url,
        "flavour": "cloud" if sandbox.is_cloud else "datacenter",
        "credentials": sandbox.credentials(),
        "webhook": {"secret": sandbox.webhook_secret},
        "project": "OPS",
        "issue_type": "Bug",
        "plain_comments": "public",
        "private_role": "Developers",
        "transition_fields": {"resolution": "Done"},
        "search_lag": 0,
    }
