"""Tickets, comments and files for tests, with good defaults."""

from __future__ import annotations

import io
from typing import Any

from hub.connector import Draft, NewComment, Upload
from hub.text import canonical
from hub.ticket import Markdown, Person, Visibility
from plugins.solarwinds.connector import SolarwindsConnector
from plugins.solarwinds.sandbox import SolarwindsSandbox

MARK = "dev-10001-4f54fba6-7"
CUSTOMER = Person("", "Customer 1", "customer1@customers.example")


def a_draft(**more: Any) -> Draft:
    values = {"marker": MARK, "title": "A fault", "description": canonical("It **breaks**."), "requester": CUSTOMER}
    return Draft(**{**values, **more})


def created(connector: SolarwindsConnector, **more: Any) -> str:
    return connector.create(a_draft(**more)).id


def a_comment(text: str, visibility: Visibility = Visibility.PUBLIC, *uploads: Upload) -> NewComment:
    return NewComment(text=Markdown(text), visibility=visibility, marker=f"hub:mark:{text}", uploads=uploads)


def a_file(name: str, content: bytes, content_type: str = "application/octet-stream") -> Upload:
    return Upload(name=name, content_type=content_type, size=len(content), open=lambda: io.BytesIO(content))


def agent_says(site: SolarwindsSandbox, ticket_id: str, html: str, *, private: bool = False) -> None:
    """An agent writes on the screen."""
    with site.lock:
        incident = site.store.incidents[int(ticket_id)]
        site.changes.comment(site.store.by_login("agent1"), incident, html, is_private=private, is_loud=True)


def open_tickets(site: SolarwindsSandbox, count: int) -> set[str]:
    """Tickets that people opened in this very second."""
    with site.lock:
        customer = site.store.by_login("customer1")
        values = {"name": "x", "description": "x", "requester": customer}
        made = [site.changes.create(customer, values, origin="web", is_loud=True) for _ in range(count)]
        return {str(incident.id) for incident in made}
