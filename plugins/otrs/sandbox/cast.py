"""The customers and agents of the OTRS sandbox, acting through its stock web service with their own passwords."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from hub.sandbox.cast import File, Role
from plugins.otrs.sandbox.server import OtrsSandbox

LOGINS: Mapping[Role, str] = {
    "customer": "customer1",
    "agent": "agent1",
    "expert": "agent2",
    "engineer": "agent2",
}
PRIORITIES = {"low": "2 low", "normal": "3 normal", "high": "4 high", "urgent": "5 very high"}
QUEUE = "Support::L1"


class OtrsActor:
    """One person of the sandbox."""

    def __init__(self, url: str, person: Mapping[str, str]) -> None:
        self.name = person["name"]
        self._user = person["user"]
        self._is_customer = person["role"] == "customer"
        self._login = {
            "CustomerUserLogin" if self._is_customer else "UserLogin": self._user,
            "Password": person["password"],
        }
        base = f"{url}/otrs/nph-genericinterface.pl/Webservice/GenericTicketConnectorREST"
        self._http = httpx.Client(base_url=base, timeout=30)

    def close(self) -> None:
        self._http.close()

    def open_ticket(self, title: str, text: str) -> str:
        ticket = {
            "Title": title,
            "Queue": QUEUE,
            "State": "new",
            "Priority": "3 normal",
            "Type": "Incident",
            "CustomerUser": self._user if self._is_customer else "customer1",
        }
        sender = "customer" if self._is_customer else "agent"
        article = self._article(title, text, public=True) | {"SenderType": sender}
        return str(self._call("POST", "/Ticket", Ticket=ticket, Article=article)["TicketID"])

    def say(self, ticket_id: str, text: str, *, public: bool, files: Sequence[File] = ()) -> None:
        attachments = [
            {"Filename": f.name, "ContentType": f.content_type, "Content": base64.b64encode(f.content).decode()}
            for f in files
        ]
        more = {"Attachment": attachments} if attachments else {}
        self._change(ticket_id, Article=self._article("An answer", text, public=public), **more)

    def escalate(self, ticket_id: str) -> None:
        fields = self._call("GET", f"/Ticket/{ticket_id}", DynamicFields=1)["Ticket"][0]["DynamicField"]
        labels = next(f["Value"] for f in fields if f["Name"] == "HubLabels")
        self._change(
            ticket_id, DynamicField={"Name": "HubLabels", "Value": ", ".join(filter(None, [labels, "escalate"]))}
        )

    def rename(self, ticket_id: str, title: str) -> None:
        self._change(ticket_id, Ticket={"Title": title})

    def prioritise(self, ticket_id: str, priority: str) -> None:
        self._change(ticket_id, Ticket={"Priority": PRIORITIES[priority]})

    def start(self, ticket_id: str) -> None:
        self._change(ticket_id, Ticket={"State": "open", "Owner": self._user})

    def resolve(self, ticket_id: str) -> None:
        self._change(ticket_id, Ticket={"State": "closed successful"})

    def reopen(self, ticket_id: str) -> None:
        self._change(ticket_id, Ticket={"State": "open"})

    def read(self, ticket_id: str) -> Any:
        """The ticket as this person sees it, with its articles."""
        return self._call("GET", f"/Ticket/{ticket_id}", AllArticles=1)["Ticket"][0]

    def _article(self, subject: str, text: str, *, public: bool) -> dict[str, Any]:
        return {
            "Subject": subject,
            "Body": text,
            "ContentType": "text/plain; charset=utf-8",
            "IsVisibleForCustomer": int(public),
        }

    def _change(self, ticket_id: str, **body: Any) -> None:
        self._call("PATCH", f"/Ticket/{ticket_id}", **body)

    def _call(self, method: str, path: str, **data: Any) -> Any:
        given = {**self._login, **data}
        if method == "GET":
            response = self._http.request(method, path, params=given)
        else:
            response = self._http.request(method, path, json=given)
        answer = response.json() if response.content else {}
        if response.is_error or "Error" in answer:
            raise RuntimeError(f"{self.name}: {response.status_code} on {method} {path}: {response.text[:300]}")
        return answer


def actor(sandbox: OtrsSandbox, role: Role) -> OtrsActor:
    """The person of the sandbox who plays this role."""
    return OtrsActor(sandbox.url, sandbox.people()[LOGINS[role]])


def hub_settings(sandbox: OtrsSandbox) -> dict[str, Any]:
    """The hub's settings for this sandbox: queues are lines, labels and links stand in dynamic fields."""
    return {
        "kind": "otrs",
        "url": sandbox.url,
        "path": "/otrs",
        "credentials": sandbox.credentials(),
        "webhook": {"secret": sandbox.webhook_secret},
        "queue": "Support::L1",
        "ticket_type": "Incident",
        "customer": "customer1",
        "lines": {1: ["Support::L1"], 2: ["Support::L2"], 3: ["Support::L3"]},
        "link_field": "HubLink",
    }
