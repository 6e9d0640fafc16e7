"""Tickets, comments and files for tests, with good defaults."""

from __future__ import annotations

import io
from typing import Any

from hub.connector import Draft, NewComment, Upload
from hub.text import canonical
from hub.ticket import Markdown, Person, Visibility
from plugins.freshservice.connector import FreshserviceConnector
from plugins.freshservice.sandbox import FreshserviceSandbox

MARK = "dev-10001-4f54fba6-7"
CUSTOMER = Person("", "Customer 1", "customer1@customers.example")


def a_draft(**more: Any) -> Draft:
    values = {"marker": MARK, "title": "A fault", "description": canonical("It **breaks**."), "requester": CUSTOMER}
    return Draft(**{**values, **more})


def created(connector: FreshserviceConnector, **more: Any) -> str:
    return connector.create(a_draft(**more)).id


def a_comment(text: str, visibility: Visibility = Visibility.PUBLIC, *uploads: Upload) -> NewComment:
    return NewComment(text=Markdown(text), visibility=visibility, marker=f"hub:mark:{text}", uploads=uploads)


def a_file(name: str, content: bytes, content_type: str = "application/octet-stream") -> Upload:
    return Upload(name=name, content_type=content_type, size=len(content), open=lambda: io.BytesIO(content))


def a_change(site: FreshserviceSandbox, title: str = "Replace the mail server", **more: Any) -> str:
    """An agent plans a change; its display id."""
    with site.lock:
        agent = site.store.by_login("agent1")
        body = {
            "subject": title, "description": "<p>It is old.</p>", "status": 1, "priority": 2, "requester_id": agent.id,
            "planned_start_date": "2030-01-01T08:00:00Z", "planned_end_date": "2030-01-01T09:00:00Z", **more,
        }  # fmt: skip
        return f"CHN-{site.effects.create_change(agent, body, ()).id}"


def agent_says(site: FreshserviceSandbox, ticket_id: str, html: str, *, private: bool = False) -> None:
    """An agent writes on the screen: a reply, or a private note."""
    with site.lock:
        ticket = site.store.tickets[int(ticket_id)]
        agent = site.store.by_login("agent1")
        site.effects.converse(agent, ticket, html, (), private=private, is_reply=not private)
