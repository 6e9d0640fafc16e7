"""Reads what a request carries: JSON, or a form with files.

Source: developers.freshdesk.com, "Create a Ticket with attachment".
"""

from __future__ import annotations

from typing import Any

from hub.sandbox.forms import NoObjectError, WrongTypeError, fields_and_files
from plugins.freshdesk.sandbox.errors import FreshdeskError, invalid, problem
from plugins.freshdesk.sandbox.state import File, Store

FILES = "attachments[]"
MOST_BYTES = 20 * 1024 * 1024
NUMBERS = {
    "status", "priority", "source", "responder_id", "group_id", "requester_id", "user_id", "company_id", "product_id",
}  # fmt: skip
FLAGS = {"private", "incoming"}


def body_and_files(store: Store) -> tuple[dict[str, Any], list[File]]:
    """The fields and the files of the present request. Raises 400 or 415."""
    try:
        body, sent = fields_and_files(FILES, numbers=NUMBERS, flags=FLAGS)
    except WrongTypeError as error:
        text = f"Content-Type header is set to {error.args[0]}. It should be set to application/json"
        raise FreshdeskError(415, {"code": "invalid_content_type", "message": text}) from error
    except NoObjectError as error:
        text = "Request body has invalid json format"
        raise FreshdeskError(400, {"code": "invalid_json", "message": text}) from error
    if sum(len(one.content) for one in sent) > MOST_BYTES:
        text = "The total size of the attachments exceeds the limit of 20 MB"
        raise invalid(problem("attachments", text, "invalid_size"))
    return body, [store.add_file(one.name, one.content, one.content_type) for one in sent]
