"""The requesters and technicians of the sandbox: technicians act through the API, requesters through the portal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from hub.sandbox.cast import File, Role
from plugins.servicedesk_plus.sandbox.server import ServiceDeskPlusSandbox

LOGINS: Mapping[Role, str] = {"customer": "customer1", "agent": "agent1", "expert": "agent2", "engineer": "agent2"}
PRIORITIES = {"low": "Low", "normal": "Normal", "high": "High", "urgent": "High"}


class Requester:
    """Somebody who asks. Requesters can write, and nothing else."""

    def __init__(self, url: str, person: Mapping[str, str]) -> None:
        self.name = person["name"]
        self._http = httpx.Client(base_url=f"{url}/portal", auth=(person["email"], person["password"]), timeout=30)

    def close(self) -> None:
        self._http.close()

    def open_ticket(self, title: str, text: str) -> str:
        answer = self._http.post("/requests", data={"subject": title, "description": text})
        return str(_checked(self.name, answer)["id"])

    def say(self, ticket_id: str, text: str, *, public: bool, files: Sequence[File] = ()) -> None:
        if not public:
            raise RuntimeError(f"{self.name}: requesters write no private notes")
        uploads = [("attachments", (f.name, f.content, f.content_type)) for f in files]
        answer = self._http.post(f"/requests/{ticket_id}/replies", data={"text": text}, files=uploads or None)
        _checked(self.name, answer)

    def escalate(self, ticket_id: str) -> None:
        self._cannot("label a request")

    def rename(self, ticket_id: str, title: str) -> None:
        self._cannot("rename a request")

    def prioritise(self, ticket_id: str, priority: str) -> None:
        self._cannot("set a priority")

    def start(self, ticket_id: str) -> None:
        self._cannot("work on a request")

    def resolve(self, ticket_id: str) -> None:
        self._cannot("resolve a request")

    def reopen(self, ticket_id: str) -> None:
        self.say(ticket_id, "It is there again.", public=True)

    def _cannot(self, what: str) -> None:
        raise RuntimeError(f"{self.name}: requesters cannot {what}")


class Technician:
    """A technician with a key or token of their own: answers are mails, what is for the team is a note."""

    def __init__(self, sandbox: ServiceDeskPlusSandbox, person: Mapping[str, str]) -> None:
        self.name, self._id = person["name"], person["id"]
        self._is_cloud, self._labels_field = sandbox.is_cloud, sandbox.store.udf["labels"]
        self._http = httpx.Client(base_url=f"{sandbox.url}{sandbox.root}", timeout=30)
        if sandbox.is_cloud:
            form = {"grant_type": "refresh_token"}
            form |= {k: person[k] for k in ("client_id", "client_secret", "refresh_token")}
            token = _checked(self.name, self._http.post(f"{sandbox.url}/oauth/v2/token", data=form))["access_token"]
            self._http.headers["Authorization"] = f"Zoho-oauthtoken {token}"
        else:
            self._http.headers["authtoken"] = person["technician_key"]

    def close(self) -> None:
        self._http.close()

    def open_ticket(self, title: str, text: str) -> str:
        request = {
            "subject": title,
            "description": text,
            "mode": {"name": "Phone Call"},
            "requester": {"email_id": "customer1@customers.example"},
        }
        return str(self._call("POST", "/requests", {"request": request})["request"]["id"])

    def say(self, ticket_id: str, text: str, *, public: bool, files: Sequence[File] = ()) -> None:
        base = f"/requests/{ticket_id}"
        kind = "notifications" if public else "notes"
        attachments = [{"id": self._upload(f"{base}/{kind}/upload", file)} for file in files]
        if not public:
            note = {"description": text, "show_to_requester": False, "attachments": attachments}
            self._call("POST", f"{base}/notes", {"request_note" if self._is_cloud else "note": note})
            return
        request = self._call("GET", base)["request"]
        mail = {
            "type": "reply",
            "subject": f"Re: {request['subject']}",
            "description": text,
            "to": [{"email_id": request["requester"]["email_id"]}],
            "attachments": attachments,
        }
        self._call("POST", f"{base}/notifications", {"notification": mail})

    def note(self, ticket_id: str, text: str, *, shown: bool) -> None:
        """A note, for the requester as well or not."""
        note = {"description": text, "show_to_requester": shown}
        self._call("POST", f"/requests/{ticket_id}/notes", {"request_note" if self._is_cloud else "note": note})

    def forward(self, ticket_id: str, text: str, to: str) -> None:
        """A mail about the request to somebody else."""
        mail = {"type": "forward", "subject": "Fwd", "description": text, "to": [{"email_id": to}]}
        self._call("POST", f"/requests/{ticket_id}/notifications", {"notification": mail})

    def escalate(self, ticket_id: str) -> None:
        request = self._call("GET", f"/requests/{ticket_id}")["request"]
        if self._is_cloud:
            tags = [{"name": t["name"]} for t in request["tags"]]
            self._change(ticket_id, tags=[*tags, {"name": "escalate"}])
        else:
            present = request["udf_fields"].get(self._labels_field)
            self._change(ticket_id, udf_fields={self._labels_field: f"{present}, escalate" if present else "escalate"})

    def rename(self, ticket_id: str, title: str) -> None:
        self._change(ticket_id, subject=title)

    def prioritise(self, ticket_id: str, priority: str) -> None:
        self._change(ticket_id, priority={"name": PRIORITIES[priority]})

    def start(self, ticket_id: str) -> None:
        self._change(ticket_id, status={"name": "In Progress"}, technician={"id": self._id})

    def resolve(self, ticket_id: str) -> None:
        self._change(ticket_id, status={"name": "Resolved"}, resolution={"content": "Done."})

    def reopen(self, ticket_id: str) -> None:
        self._change(ticket_id, status={"name": "Open"})

    def _change(self, ticket_id: str, **values: Any) -> None:
        self._call("PUT", f"/requests/{ticket_id}", {"request": values})

    def _upload(self, path: str, file: File) -> str:
        answer = self._http.post(path, files={"input_file": (file.name, file.content, file.content_type)})
        return str(_checked(self.name, answer)["attachment"]["id"])

    def _call(self, method: str, path: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        form = {"input_data": json.dumps(given)} if given is not None else None
        return _checked(self.name, self._http.request(method, path, data=form))


def actor(sandbox: ServiceDeskPlusSandbox, role: Role) -> Technician | Requester:
    """The person of the sandbox who plays this role."""
    person = sandbox.people()[LOGINS[role]]
    return Requester(sandbox.url, person) if "password" in person else Technician(sandbox, person)


def hub_settings(sandbox: ServiceDeskPlusSandbox) -> dict[str, Any]:
    """The hub's settings for this sandbox."""
    edition: dict[str, Any] = (
        {"flavour": "cloud", "portal": sandbox.portal, "accounts_url": sandbox.url}
        if sandbox.is_cloud
        else {"flavour": "on_premises", "labels_field": sandbox.store.udf["labels"]}
    )
    return {
        "kind": "servicedesk-plus",
        "url": sandbox.url,
        **edition,
        "account": "hub@helpdesk.example",
        "reference_field": sandbox.store.udf["reference"],
        "credentials": sandbox.credentials(),
        "webhook": {"secret": sandbox.webhook_secret},
        "lines": {1: ["Helpdesk"], 2: ["Experts"]},
    }


def _checked(name: str, response: httpx.Response) -> dict[str, Any]:
    answer: dict[str, Any] = response.json() if response.content else {}
    status = answer.get("response_status")
    has_failed = isinstance(status, dict) and status.get("status") == "failed"
    if response.is_error or has_failed or "error" in answer:
        request = response.request
        said = f"{response.status_code} on {request.method} {request.url.path}: {response.text[:300]}"
        raise RuntimeError(f"{name}: {said}")
    return answer
