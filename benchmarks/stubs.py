"""Both trackers as one fast stub: `python -m benchmarks.stubs` prints its port and serves until it is killed.

It knows the routes that the connectors call, keeps just enough state to answer alike, and notes when each write came.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

AT = "2026-03-01T10:00:00Z"
JIRA_AT = "2026-03-01T10:00:00.000+0000"


class State:
    """Tickets and issues by number; `arrived` is the monotonic time of the last write to each."""

    def __init__(self) -> None:
        self.calls = 0
        self.next_id = 1_000_000
        self.issues: dict[int, dict[str, Any]] = {}
        self.issue_of: dict[int, int] = {}
        self.priority: dict[int, str] = {}
        self.notes: dict[int, list[dict[str, Any]]] = {}
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.arrived: dict[str, float] = {}
        self.created = 0
        self.commented = 0

    def new_id(self) -> int:
        self.next_id += 1
        return self.next_id


STATE = State()
HUB = {"id": 1, "name": "Hub", "email": "hub@example.com", "role": "admin"}
CUSTOMER = {"id": 2, "name": "A Customer", "email": "customer@example.com", "role": "end-user"}
JIRA_HUB = {"accountId": "hub", "displayName": "Hub"}
ENGINEER = {"accountId": "engineer", "displayName": "An Engineer"}


def ticket(number: int) -> dict[str, Any]:
    return {
        "id": number, "subject": f"Ticket {number}", "raw_subject": f"Ticket {number}", "status": "open", "type": None,
        "description": "It is broken.", "priority": STATE.priority.get(number, "normal"), "tags": ["escalate"],
        "custom_fields": [], "requester_id": 2, "submitter_id": 2, "assignee_id": None, "group_id": None,
        "organization_id": None, "external_id": None, "via": {"channel": "web"}, "created_at": AT, "updated_at": AT,
        "comment_count": 1 + len(STATE.notes.get(number, [])),
    }  # fmt: skip


def zendesk(method: str, path: str, body: Any) -> tuple[int, Any]:
    if path == "/users/me":
        return 200, {"user": HUB}
    match = re.fullmatch(r"/tickets/(\d+)(/comments)?", path)
    if match is None:
        return 501, {"error": path}
    number = int(match.group(1))
    if match.group(2):
        first = {"id": number * 10, "author_id": 2, "html_body": "<p>It is broken.</p>", "body": "It is broken.",
                 "public": True, "attachments": [], "created_at": AT, "metadata": {"custom": {}}}  # fmt: skip
        comments = [first, *STATE.notes.get(number, [])]
        return 200, {"comments": comments, "users": [CUSTOMER, HUB], "meta": {"has_more": False}}
    if method == "GET":
        return 200, {"ticket": ticket(number), "users": [CUSTOMER], "groups": [], "organizations": []}
    events = []
    comment = body["ticket"].get("comment")
    if comment:
        made = {"id": STATE.new_id(), "author_id": 1, "html_body": comment["html_body"], "public": comment["public"],
                "attachments": [], "created_at": AT,
                "metadata": {"custom": body["ticket"].get("metadata")}}  # fmt: skip
        STATE.notes.setdefault(number, []).append(made)
        STATE.commented += comment["public"]
        events = [{"id": made["id"], "type": "Comment", "public": comment["public"], "attachments": []}]
    STATE.arrived[f"ticket:{number}"] = time.monotonic()
    return 200, {"ticket": ticket(number), "audit": {"id": STATE.new_id(), "events": events}}


def issue(number: int) -> dict[str, Any]:
    fields = STATE.issues[number]
    comments = STATE.comments.get(number, [])
    return {
        "id": str(number), "key": f"OPS-{number}",
        "fields": {
            "summary": fields["summary"], "description": fields["description"], "labels": fields["labels"],
            "status": {"name": "To Do", "statusCategory": {"key": "new"}}, "priority": fields["priority"],
            "issuetype": {"name": "Bug"}, "resolution": None, "assignee": None, "reporter": JIRA_HUB,
            "project": {"key": "OPS", "projectTypeKey": "software"}, "created": JIRA_AT, "updated": JIRA_AT,
            "attachment": [],
            "comment": {"comments": comments, "total": len(comments), "maxResults": 5000, "startAt": 0},
        },
    }  # fmt: skip


def jira(method: str, path: str, body: Any) -> tuple[int, Any]:
    if path == "/myself":
        return 200, JIRA_HUB
    if path == "/issue":
        number = STATE.new_id()
        STATE.issues[number] = {"priority": {"name": "Medium"}, **body["fields"]}
        STATE.issue_of[int(body["fields"]["summary"].split()[-1])] = number
        STATE.created += 1
        return 201, {"id": str(number), "key": f"OPS-{number}", "self": ""}
    match = re.fullmatch(r"/issue/(\d+)(/\w+)?", path)
    if match is None:
        return 501, {"errorMessages": [path]}
    number = int(match.group(1))
    if match.group(2) == "/remotelink":
        return 201, {"id": STATE.new_id(), "self": ""}
    if method == "GET":
        return 200, issue(number)
    STATE.issues[number].update(body.get("fields") or {})
    STATE.arrived[f"issue:{number}"] = time.monotonic()
    return 204, None


def control(path: str, body: Any) -> tuple[int, Any]:
    if path == "/comment":
        for number in body:
            comment = {
                "id": str(STATE.new_id()),
                "author": ENGINEER,
                "body": "Fixed.",
                "created": JIRA_AT,
                "updated": JIRA_AT,
            }
            STATE.comments.setdefault(number, []).append(comment)
        return 200, {str(n): STATE.comments[n][-1]["id"] for n in body}
    if path == "/priority":
        STATE.priority.update({int(n): "urgent" for n in body})
    if path == "/reset":
        STATE.arrived.clear()
        STATE.calls = STATE.created = STATE.commented = 0
    shown = ("calls", "arrived", "issue_of", "created", "commented")
    return 200, {name: getattr(STATE, name) for name in shown}


def answer(method: str, target: str, content: bytes) -> bytes:
    path = target.partition("?")[0]
    body = json.loads(content) if content else None
    if path.startswith("/_bench"):
        status, made = control(path.removeprefix("/_bench"), body)
    else:
        STATE.calls += 1
        if path.startswith("/api/v2"):
            status, made = zendesk(method, path.removeprefix("/api/v2"), body)
        else:
            status, made = jira(method, path.removeprefix("/rest/api/2"), body)
    text = b"" if made is None else json.dumps(made).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    return head.encode() + text


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            method, target, _ = head.split(b" ", 2)
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            content = await reader.readexactly(int(length.group(1))) if length else b""
            writer.write(answer(method.decode(), target.decode(), content))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
