"""The customers and agents of the Freshdesk sandbox: agents act through the API, customers through the portal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from hub.sandbox.cast import Customer, File, Role
from plugins.freshdesk.sandbox.server import FreshdeskSandbox

LOGINS: Mapping[Role, str] = {"customer": "customer1", "agent": "agent1", "expert": "agent2", "engineer": "agent2"}
PRIORITIES = {"low": 1, "normal": 2, "high": 3, "urgent": 4}
OPEN, RESOLVED = 2, 4


class FreshdeskCustomer(Customer):
    """A contact. Customers can write, and nothing else."""

    def __init__(self, url: str, person: Mapping[str, str]) -> None:
        self.name = person["name"]
        self._http = httpx.Client(base_url=f"{url}/support", auth=(person["email"], person["password"]), timeout=30)

    def close(self) -> None:
        self._http.close()

    def open_ticket(self, title: str, text: str) -> str:
        form = {
            "helpdesk_ticket[subject]": title,
            "helpdesk_ticket[ticket_body_attributes][description_html]": text,
        }
        return str(_checked(self.name, self._http.post("/tickets", data=form))["id"])

    def say(self, ticket_id: str, text: str, *, public: bool, files: Sequence[File] = ()) -> None:
        if not public:
            raise self._cannot("write private notes")
        uploads = [("helpdesk_note[attachments][][resource]", (f.name, f.content, f.content_type)) for f in files]
        form = {"helpdesk_note[note_body_attributes][body_html]": text}
        _checked(self.name, self._http.post(f"/tickets/{ticket_id}/notes", data=form, files=uploads or None))

    def rate(self, ticket_id: str, *, good: bool) -> None:
        form = {"rating": str(103 if good else -103)}
        _checked(self.name, self._http.post(f"/tickets/{ticket_id}/survey", data=form))


class FreshdeskAgent:
    """An agent with a key of their own."""

    def __init__(self, url: str, person: Mapping[str, str]) -> None:
        self.name = person["name"]
        self._id = int(person["id"])
        self._http = httpx.Client(base_url=f"{url}/api/v2", auth=(person["api_key"], "X"), timeout=30)

    def close(self) -> None:
        self._http.close()

    def open_ticket(self, title: str, text: str) -> str:
        body = {
            "subject": title, "description": text, "status": OPEN, "priority": 1, "source": 3,
            "email": "customer1@customers.example",
        }  # fmt: skip
        return str(self._call("POST", "/tickets", json=body)["id"])

    def say(self, ticket_id: str, text: str, *, public: bool, files: Sequence[File] = ()) -> None:
        path = f"/tickets/{ticket_id}/{'reply' if public else 'notes'}"
        body: dict[str, Any] = {"body": text} if public else {"body": text, "private": True}
        if not files:
            self._call("POST", path, json=body)
            return
        form = {k: str(v).lower() if isinstance(v, bool) else v for k, v in body.items()}
        uploads = [("attachments[]", (f.name, f.content, f.content_type)) for f in files]
        self._call("POST", path, data=form, files=uploads)

    def escalate(self, ticket_id: str) -> None:
        tags = self._call("GET", f"/tickets/{ticket_id}")["tags"]
        self._change(ticket_id, tags=[*tags, "escalate"])

    def rename(self, ticket_id: str, title: str) -> None:
        self._change(ticket_id, subject=title)

    def prioritise(self, ticket_id: str, priority: str) -> None:
        self._change(ticket_id, priority=PRIORITIES[priority])

    def start(self, ticket_id: str) -> None:
        self._change(ticket_id, status=OPEN, responder_id=self._id)

    def resolve(self, ticket_id: str) -> None:
        self._change(ticket_id, status=RESOLVED)

    def reopen(self, ticket_id: str) -> None:
        self._change(ticket_id, status=OPEN)

    def _change(self, ticket_id: str, **values: Any) -> None:
        self._call("PUT", f"/tickets/{ticket_id}", json=values)

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        return _checked(self.name, self._http.request(method, path, **arguments))


def actor(sandbox: FreshdeskSandbox, role: Role) -> FreshdeskAgent | FreshdeskCustomer:
    """The person of the sandbox who plays this role."""
    person = sandbox.people()[LOGINS[role]]
    return FreshdeskAgent(sandbox.url, person) if "api_key" in person else FreshdeskCustomer(sandbox.url, person)


def hub_settings(sandbox: FreshdeskSandbox) -> dict[str, Any]:
    """The hub's settings for this sandbox."""
    return {
        "kind": "freshdesk",
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
