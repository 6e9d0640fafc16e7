"""Tickets, comments and files for tests, with good defaults."""

from __future__ import annotations

import io
from typing import Any

from hub.connector import Draft, NewComment, Upload
from hub.text import canonical
from hub.ticket import Markdown, Person, Visibility
from plugins.freshdesk.connector import FreshdeskConnector
from plugins.freshdesk.sandbox import FreshdeskSandbox

MARK = "dev-10001-4f54fba6-7"
CUSTOMER = Person("", "Customer 1", "customer1@customers.example")


def a_draft(**more: Any) -> Draft:
    values = {"marker": MARK, "title": "A fault", "description": canonical("It **breaks**."), "requester": CUSTOMER}
    return Draft(**{**values, **more})


def created(connector: FreshdeskConnector, **more: Any) -> str:
    return connector.create(a_draft(**more)).id


def a_comment(text: str, visibility: Visibility = Visibility.PUBLIC, *uploads: Upload) -> NewComment:
    return NewComment(text=Markdown(text), visibility=visibility, marker=f"hub:mark:{text}", uploads=uploads)


def a_file(name: str, content: bytes, content_type: str = "application/octet-stream") -> Upload:
    return Upload(name=name, content_type=content_type, size=len(content), open=lambda: io.BytesIO(content))


def agent_says(site: FreshdeskSandbox, ticket_id: str, html: str, *, private: bool = False) -> None:
    """An agent writes on the screen: a reply, or a private note."""
    with site.lock:
        ticket = site.store.tickets[int(ticket_id)]
        agent = site.store.by_login("agent1")
        site.changes.converse(agent, ticket, html, (), private=private, is_reply=not private)
