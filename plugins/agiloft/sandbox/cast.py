"""The customers and agents of the Agiloft sandbox, acting through its JSON interface with their own logins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from hub.sandbox.cast import File, Role
from plugins.agiloft.sandbox.seed import KB
from plugins.agiloft.sandbox.server import AgiloftSandbox

LOGINS: Mapping[Role, str] = {"customer": "customer1", "agent": "agent1", "expert": "agent2", "engineer": "agent2"}
PRIORITIES = {"low": "Low", "normal": "Medium", "high": "High", "urgent": "Urgent"}


class AgiloftActor:
    """One person of the sandbox."""

    def __init__(self, url: str, person: Mapping[str, str], *, has_comment_table: bool) -> None:
        self.name = person["name"]
        self._person, self._has_comment_table = person, has_comment_table
        self._is_customer = person["role"] == "customers"
        self._http = httpx.Client(base_url=f"{url}/ewws/alrest/{KB}", timeout=30)
        self._token = ""

    def close(self) -> None:
        self._http.close()

    def open_ticket(self, title: str, text: str) -> str:
        values = {"summary": title, "problem_description": text}
        if not self._is_customer:
            values |= {"submitter_name": "Customer One", "submitter_email": "customer1@customers.example"}
        return str(self._call("POST", "/case", json=values)["id"])

    def say(self, ticket_id: str, text: str, *, public: bool, files: Sequence[File] = ()) -> None:
        if self._has_comment_table:
            shown_to = "Public" if public else "Internal"
            values = {"case_id": f":{ticket_id}", "comment_text": text, "shown_to": shown_to}
            comment = self._call("POST", "/case_comment", json=values)
            place, column = f"/case_comment/attach/{comment['id']}", "files"
        else:
            self._change(ticket_id, **{"customer_notes" if public else "working_notes": text})
            place, column = f"/case/attach/{ticket_id}", "attached_files" if public else "internal_files"
        for file in files:
            self._call(
                "POST",
                place,
                params={"field": column, "fileName": file.name},
                files={"uploadFile": (file.name, file.content, file.content_type)},
            )

    def escalate(self, ticket_id: str) -> None:
        tags = self._call("GET", f"/case/{ticket_id}", params={"fields": "tags"})["tags"]
        self._change(ticket_id, tags=", ".join(filter(None, [tags, "escalate"])))

    def rename(self, ticket_id: str, title: str) -> None:
        self._change(ticket_id, summary=title)

    def prioritise(self, ticket_id: str, priority: str) -> None:
        self._change(ticket_id, priority=PRIORITIES[priority])

    def start(self, ticket_id: str) -> None:
        self._change(ticket_id, wfstate="Assigned", assigned_person=f":{self.name}")

    def resolve(self, ticket_id: str) -> None:
        self._change(ticket_id, wfstate="Resolved")

    def reopen(self, ticket_id: str) -> None:
        if self._is_customer:
            self.say(ticket_id, "It is there again.", public=True)
        else:
            self._change(ticket_id, wfstate="Assigned")

    def read(self, ticket_id: str) -> dict[str, Any]:
        """The ticket as this person sees it."""
        found: dict[str, Any] = self._call("GET", f"/case/{ticket_id}")
        return found

    def _change(self, ticket_id: str, **values: Any) -> None:
        self._call("PUT", f"/case/{ticket_id}", json=values)

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        if not self._token:
            login = {"login": self._person["login"], "password": self._person["password"], "KB": KB, "lang": "en"}
            self._token = self._checked(self._http.post("/login", json=login))["access_token"]
        headers = {"Authorization": f"Bearer {self._token}"}
        response = self._http.request(method, path, headers=headers, **arguments)
        if response.status_code == 400 and "Token is expired" in response.text:
            self._token = ""
            return self._call(method, path, **arguments)
        return self._checked(response)

    def _checked(self, response: httpx.Response) -> Any:
        body = response.json() if response.content else {}
        if response.is_error or not body.get("success"):
            request = response.request
            said = f"{response.status_code} on {request.method} {request.url.path}: {response.text[:300]}"
            raise RuntimeError(f"{self.name}: {said}")
        return body["result"]


def actor(sandbox: AgiloftSandbox, role: Role) -> AgiloftActor:
    """The person of the sandbox who plays this role."""
    return AgiloftActor(sandbox.url, sandbox.people()[LOGINS[role]], has_comment_table=sandbox.has_comment_table)


def hub_settings(sandbox: AgiloftSandbox) -> dict[str, Any]:
    """The hub's settings for this sandbox. It holds no call up, so that the hub need not save calls either."""
    table = {
        "kind": "table", "table": "case_comment", "ticket": "case_id", "text": "comment_text", "author": "created_by",
        "created": "date_created", "updated": "date_updated", "marker": "external_ref", "visibility": "shown_to",
        "attachments": "files",
    }  # fmt: skip
    columns = {"kind": "append", "public": "customer_notes", "private": "working_notes"}
    return {
        "kind": "agiloft",
        "url": sandbox.url,
        "credentials": sandbox.credentials(),
        "webhook": {"secret": sandbox.webhook_secret},
        "kb": KB,
        "columns": {
            "description": "problem_description", "category": "case_type", "team": "assigned_team", "labels": "tags",
            "assignee": "assigned_person", "requester": "submitter_name", "requester_email": "submitter_email",
            "updated_by": "updated_by", "link": "issue_url", "attachments": "attached_files",
            "private_attachments": "internal_files",
        },
        "linked_columns": ["assigned_person", "case_id"],
        "comments": table if sandbox.has_comment_table else columns,
        "people": {"table": "contacts", "name": "full_name", "email": "email"},
        "lines": {1: ["Service Desk"], 2: ["Experts"], 3: ["Engineering"]},
        "calls_per_second": 1000,
        "burst": 1000,
    }  # fmt: skip
