"""The requesters and agents of the Freshservice sandbox: agents act through the API, requesters through the portal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from hub.sandbox.cast import Customer, File, Role
from plugins.freshservice.sandbox.server import FreshserviceSandbox

LOGINS: Mapping[Role, str] = {"customer": "customer1", "agent": "agent1", "expert": "agent2", "engineer": "agent2"}
PRIORITIES = {"low": 1, "normal": 2, "high": 3, "urgent": 4}
OPEN, RESOLVED = 2, 4


class FreshserviceRequester(Customer):
    """Somebody with a login for the portal."""

    def __init__(self, url: str, person: Mapping[str, str]) -> None:
        self.name = person["name"]
        self._http = httpx.Client(base_url=f"{url}/support", auth=(person["email"], person["password"]), timeout=30)

    def close(self) -> None:
        self._http.close()

    def open_ticket(self, title: str, text: str) -> str:
        form = {"subject": title, "description": text}
        return str(_checked(self.name, self._http.post("/tickets", data=form))["id"])

    def say(self, ticket_id: str, text: str, *, public: bool, files: Sequence[File] = ()) -> None:
        if not public:
            raise self._cannot("write private notes")
        answer = self._http.post(f"/tickets/{ticket_id}/notes", data={"body": text}, files=_form_files(files))
        _checked(self.name, answer)


class FreshserviceAgent:
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
        return str(self._call("POST", "/tickets", json=body)["ticket"]["id"])

    def say(self, ticket_id: str, text: str, *, public: bool, files: Sequence[File] = ()) -> None:
        kind, body = ("reply", {"body": text}) if public else ("notes", {"body": text, "private": "true"})
        self._call("POST", f"/tickets/{ticket_id}/{kind}", **_sent(body, files))

    def escalate(self, ticket_id: str) -> None:
        tags = self._call("GET", f"/tickets/{ticket_id}", params={"include": "tags"})["ticket"]["tags"]
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

    def raise_change(self, title: str, text: str) -> str:
        """A new change; its display id, e.g. CHN-7."""
        body = {
            "subject": title, "description": text, "status": 1, "priority": 2, "requester_id": self._id,
            "planned_start_date": "2030-01-01T08:00:00Z", "planned_end_date": "2030-01-01T09:00:00Z",
        }  # fmt: skip
        return f"CHN-{self._call('POST', '/changes', json=body)['change']['id']}"

    def note_change(self, change_id: str, text: str, files: Sequence[File] = ()) -> None:
        self._call("POST", f"/changes/{change_id.removeprefix('CHN-')}/notes", **_sent({"body": text}, files))

    def _change(self, ticket_id: str, **values: Any) -> None:
        self._call("PUT", f"/tickets/{ticket_id}", json=values)

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        return _checked(self.name, self._http.request(method, path, **arguments))


def actor(sandbox: FreshserviceSandbox, role: Role) -> FreshserviceAgent | FreshserviceRequester:
    """The person of the sandbox who plays this role."""
    person = sandbox.people()[LOGINS[role]]
    return FreshserviceAgent(sandbox.url, person) if "api_key" in person else FreshserviceRequester(sandbox.url, person)


def hub_settings(sandbox: FreshserviceSandbox) -> dict[str, Any]:
    """The hub's settings for this sandbox."""
    return {
        "kind": "freshservice",
        "url": sandbox.url,
        "credentials": sandbox.credentials(),
        "webhook": {"secret": sandbox.webhook_secret},
        "lines": {1: ["Service Desk"], 2: ["Experts"]},
    }


def _sent(body: Mapping[str, str], files: Sequence[File]) -> dict[str, Any]:
    """The arguments of a request: JSON, or a form where there are files. In JSON flags are real ones."""
    if files:
        return {"data": dict(body), "files": _form_files(files)}
    return {"json": {name: True if value == "true" else value for name, value in body.items()}}


def _form_files(files: Sequence[File]) -> list[tuple[str, tuple[str, bytes, str]]] | None:
    return [("attachments[]", (f.name, f.content, f.content_type)) for f in files] or None


def _checked(name: str, response: httpx.Response) -> dict[str, Any]:
    if response.is_error:
        request = response.request
        said = f"{response.status_code} on {request.method} {request.url.path}: {response.text[:300]}"
        raise RuntimeError(f"{name}: {said}")
    found: dict[str, Any] = response.json() if response.content else {}
    return found
