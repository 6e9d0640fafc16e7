"""Tickets, comments and files for tests, with good defaults."""

from __future__ import annotations

import io
from typing import Any

from hub.connector import Draft, Known, NewComment, Upload
from hub.text import canonical
from hub.ticket import Comment, Markdown, Person, Visibility
from plugins.servicedesk_plus.connector import ServiceDeskPlusConnector
from plugins.servicedesk_plus.sandbox import ServiceDeskPlusSandbox
from plugins.servicedesk_plus.sandbox.state import Request

MARK = "dev-10001-4f54fba6-7"
CUSTOMER = Person("", "Customer 1", "customer1@customers.example")


def a_draft(**more: Any) -> Draft:
    values = {"marker": MARK, "title": "A fault", "description": canonical("It **breaks**."), "requester": CUSTOMER}
    return Draft(**{**values, **more})


def created(connector: ServiceDeskPlusConnector, **more: Any) -> str:
    return connector.create(a_draft(**more)).id


def kept(site: ServiceDeskPlusSandbox, ticket_id: str) -> Request:
    """The request as the sandbox keeps it."""
    return site.store.requests[int(ticket_id)]


def a_comment(text: str, visibility: Visibility = Visibility.PUBLIC, *uploads: Upload) -> NewComment:
    return NewComment(text=Markdown(text), visibility=visibility, marker=f"hub:mark:{text}", uploads=uploads)


def a_file(name: str, content: bytes, content_type: str = "application/octet-stream") -> Upload:
    return Upload(name=name, content_type=content_type, size=len(content), open=lambda: io.BytesIO(content))


def comments_of(connector: ServiceDeskPlusConnector, ticket_id: str) -> tuple[Comment, ...]:
    return connector.read(ticket_id, Known()).comments or ()


def agent_notes(site: ServiceDeskPlusSandbox, ticket_id: str, text: str, *, shown: bool = False) -> None:
    """A technician writes a note on the screen."""
    with site.lock:
        site.changes.add_note(site.store.by_login("agent1"), kept(site, ticket_id), text, (), shown=shown)
