"""Tickets, comments and files for tests, with good defaults."""

from __future__ import annotations

import io
from typing import Any

from hub.connector import Draft, NewComment, Upload
from hub.text import canonical
from hub.ticket import Person, Visibility
from plugins.agiloft.connector import AgiloftConnector

MARK = "dev-10001-4f54fba6-7"
CUSTOMER = Person("", "Customer One", "customer1@customers.example")


def a_draft(**more: Any) -> Draft:
    values = {"marker": MARK, "title": "A fault", "description": canonical("It **breaks**."), "requester": CUSTOMER}
    return Draft(**{**values, **more})


def created(connector: AgiloftConnector, **more: Any) -> str:
    return connector.create(a_draft(**more)).id


def a_comment(text: str, visibility: Visibility = Visibility.PUBLIC) -> NewComment:
    return NewComment(text=canonical(text), visibility=visibility, marker=f"hub:mark:{len(text)}")


def a_file(name: str, content: bytes, content_type: str = "application/octet-stream") -> Upload:
    return Upload(name=name, content_type=content_type, size=len(content), open=lambda: io.BytesIO(content))
