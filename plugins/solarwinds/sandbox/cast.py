"""The people of the Service Desk sandbox: agents on the screen, requesters in the portal.

Agents act through the API with `add_callbacks`, which does what their screen does: mails go out and automations run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from hub.sandbox.cast import File, Role
from plugins.solarwinds.sandbox.server import VERSIONED, SolarwindsSandbox

LOGINS: Mapping[Role, str] = {"customer": "customer1", "agent": "agent1", "expert": "agent2", "engineer": "agent2"}
PRIORITIES = {"low": "Low", "normal": "Medium", "high": "High", "urgent": "Critical"}
ON_SCREEN = {"add_callbacks": "true"}


class SolarwindsCustomer:
    """A requester. Requesters can write, and nothing else."""

    def __init__(self, url: str, person: Mapping[str, str]) -> None:
        self.name = person["name"]
        self._http = httpx.Client(base_url=f"{url}/portal", auth=(person["email"], person["password"]), timeout=30)

    def close(self) -> None:
        self._http.close()

    def open_ticket(self, title: str, text: str) -> str:
        form = {"name": title, "description": text}
        return str(_checked(self.name, self._http.post("/incidents", data=form))["id"])

    def say(self, ticket_id: str, text: str, *, public: bool, files: Sequence[File] = ()) -> None:
        if not public:
            raise RuntimeError(f"{self.name}: requesters write no private notes")
        uploads = [("attachments", (f.name, f.content, f.content_type)) for f in files]
        path = f"/incidents/{ticket_id}/comments"
        _checked(self.name, self._http.post(path, data={"body": text}, files=uploads or None))

    def read(self, ticket_id: str) -> dict[str, Any]:
        """What the portal shows of the ticket."""
        return _checked(self.name, self._http.get(f"/incidents/{ticket_id}"))

    def rate(self, ticket_id: str, *, good: bool) -> None:
        answer = {"satisfied": str(good).lower()}
        _checked(self.name, self._http.post(f"/incidents/{ticket_id}/survey", data=answer))

    def escalate(self, ticket_id: str) -> None:
        self._cannot("tag a ticket")

    def rename(self, ticket_id: str, title: str) -> None:
        self._cannot("rename a ticket")

    def prioritise(self, ticket_id: str, priority: str) -> None:
        self._cannot("set a priority")

    def start(self, ticket_id: str) -> None:
        self._cannot("work on a ticket")

    def resolve(self, ticket_id: str) -> None:
        self._cannot("resolve a ticket")

    def reopen(self, ticket_id: str) -> None:
        self.say(ticket_id, "It is there again.", public=True)

    def _cannot(self, what: str) -> None:
        raise RuntimeError(f"{self.name}: requesters cannot {what}")


class SolarwindsAgent:
    """An agent with a token of their own."""

    def __init__(self, url: str, person: Mapping[str, str]) -> None:
        self.name = person["name"]
        self._email = person["email"]
        headers = {"X-Samanage-Authorization": f"Bearer {person['token']}", "Accept": VERSIONED}
        self._http = httpx.Client(base_url=url, headers=headers, params=ON_SCREEN, timeout=30)

    def close(self) -> None:
        self._http.close()

    def open_ticket(self, title: str, text: str) -> str:
        asks = {"email": "customer1@customers.example"}
        body = {"name": title, "description": f"<p>{text}</p>", "requester": asks}
        return str(self._call("POST", "/incidents.json", json={"incident": body})["id"])

    def say(self, ticket_id: str, text: str, *, public: bool, files: Sequence[File] = ()) -> None:
        body = {"comment": {"body": text, "is_private": not public}}
        note = self._call("POST", f"/incidents/{ticket_id}/comments.json", json=body)
        for file in files:
            form = {"file[attachable_type]": "Comment", "file[attachable_id]": str(note["id"])}
            upload = {"file[attachment]": (file.name, file.content, file.content_type)}
            self._call("POST", "/attachments.json", data=form, files=upload)

    def escalate(self, ticket_id: str) -> None:
        self._change(ticket_id, add_to_tag_list="escalate")

    def rename(self, ticket_id: str, title: str) -> None:
        self._change(ticket_id, name=title)

    def prioritise(self, ticket_id: str, priority: str) -> None:
        self._change(ticket_id, priority=PRIORITIES[priority])

    def start(self, ticket_id: str) -> None:
        self._change(ticket_id, state="Assigned", assignee={"email": self._email})

    def resolve(self, ticket_id: str) -> None:
        self._change(ticket_id, state="Resolved")

    def reopen(self, ticket_id: str) -> None:
        self._change(ticket_id, state="Assigned")

    def _change(self, ticket_id: str, **values: Any) -> None:
        self._call("PUT", f"/incidents/{ticket_id}.json", json={"incident": values})

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        return _checked(self.name, self._http.request(method, path, **arguments))


def actor(sandbox: SolarwindsSandbox, role: Role) -> SolarwindsAgent | SolarwindsCustomer:
    """The person of the sandbox who plays this role."""
    person = sandbox.people()[LOGINS[role]]
    return SolarwindsAgent(sandbox.url, person) if "token" in person else SolarwindsCustomer(sandbox.url, person)


def hub_settings(sandbox: SolarwindsSandbox) -> dict[str, Any]:
    """The hub's settings for this sandbox."""
    return {
        "kind": "solarwinds",
        "url": sandbox.url,
        "credentials": sandbox.credentials(),
        "webhook": {"secret": sandbox.webhook_secret},
        "lines": {1: ["Helpdesk"], 2: ["Experts"]},
    }


def _checked(name: str, response: httpx.Response) -> dict[str, Any]:
    if response.is_error:
        request = response.request
        said = f"{response.status_code} on {request.method} {request.url.path}: {response.text[:300]}"
        raise RuntimeError(f"{name}: {said}")
    found: dict[str, Any] = response.json() if response.content else {}
    return found
