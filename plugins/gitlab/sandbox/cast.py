"""The engineers of the GitLab sandbox, acting through its API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from hub.sandbox.cast import File, Role
from plugins.gitlab.sandbox.server import GitlabSandbox

LOGINS: Mapping[Role, str] = {
    "engineer": "engineer1",
    "expert": "engineer2",
    "agent": "engineer2",
    "customer": "engineer2",
}
PRIORITIES = ("low", "normal", "high", "urgent")


class GitlabActor:
    """One person of the sandbox, in one project."""

    def __init__(self, url: str, person: Mapping[str, str], project: int = 42) -> None:
        self.name = person["name"]
        base = f"{url}/api/v4/projects/{project}"
        self._http = httpx.Client(base_url=base, headers={"PRIVATE-TOKEN": person["token"]}, timeout=30)

    def close(self) -> None:
        self._http.close()

    def open_ticket(self, title: str, text: str) -> str:
        return str(self._call("POST", "/issues", json={"title": title, "description": text})["iid"])

    def say(self, ticket_id: str, text: str, *, public: bool, files: Sequence[File] = ()) -> None:
        links = [
            self._call("POST", "/uploads", files={"file": (f.name, f.content, f.content_type)})["markdown"]
            for f in files
        ]
        body = "\n\n".join([text, *links])
        self._call("POST", f"/issues/{ticket_id}/notes", json={"body": body, "internal": not public})

    def escalate(self, ticket_id: str) -> None:
        self._edit(ticket_id, add_labels="escalate")

    def rename(self, ticket_id: str, title: str) -> None:
        self._edit(ticket_id, title=title)

    def prioritise(self, ticket_id: str, priority: str) -> None:
        others = ",".join(f"priority::{one}" for one in PRIORITIES if one != priority)
        self._edit(ticket_id, add_labels=f"priority::{priority}", remove_labels=others)

    def start(self, ticket_id: str) -> None:
        self._edit(ticket_id, add_labels="status::in-progress")

    def resolve(self, ticket_id: str) -> None:
        self._edit(ticket_id, state_event="close")

    def reopen(self, ticket_id: str) -> None:
        self._edit(ticket_id, state_event="reopen", remove_labels="status::in-progress")

    def edit_note(self, ticket_id: str, note_id: int, text: str) -> None:
        """Changes a note of one's own."""
        self._call("PUT", f"/issues/{ticket_id}/notes/{note_id}", json={"body": text})

    def _edit(self, ticket_id: str, **body: Any) -> None:
        self._call("PUT", f"/issues/{ticket_id}", json=body)

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        response = self._http.request(method, path, **arguments)
        if response.is_error:
            raise RuntimeError(f"{self.name}: {response.status_code} on {method} {path}: {response.text[:300]}")
        return response.json() if response.content else {}


def actor(sandbox: GitlabSandbox, role: Role) -> GitlabActor:
    """The person of the sandbox who plays this role."""
    return GitlabActor(sandbox.url, sandbox.people()[LOGINS[role]])


def hub_settings(sandbox: GitlabSandbox) -> dict[str, Any]:
    """The hub's settings for this sandbox: what engineers write openly is an answer, as the demo's settings say."""
    return {
        "kind": "gitlab",
        "url": sandbox.url,
        "credentials": sandbox.credentials(),
        "webhook": {"secret": sandbox.webhook_secret},
        "project": "acme/website",
        "plain_comments": "public",
    }
