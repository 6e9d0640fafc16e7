"""Reads what a request carries: JSON, or a form with files. Source: api.freshservice.com, "Attachments", "Errors"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.sandbox.forms import NoObjectError, WrongTypeError, fields_and_files
from plugins.freshservice.sandbox.errors import FreshserviceError, invalid, problem
from plugins.freshservice.sandbox.state import File, Store

FILES = "attachments[]"
MOST_BYTES = 40 * 1024 * 1024
"""Of all files of one ticket together."""
NUMBERS = {
    "status", "priority", "urgency", "impact", "source", "responder_id", "agent_id", "group_id", "requester_id",
    "user_id", "department_id", "workspace_id",
}  # fmt: skip
FLAGS = {"private", "incoming"}


def body_and_files(store: Store, present: Sequence[File] = ()) -> tuple[dict[str, Any], list[File]]:
    """The fields and the files of this request; `present` are those that the ticket has. Raises 400 or 415."""
    try:
        body, sent = fields_and_files(FILES, numbers=NUMBERS, flags=FLAGS)
    except WrongTypeError as error:
        text = f"Content-Type header is set to {error.args[0]}. It should be set to application/json"
        raise FreshserviceError(415, {"code": "invalid_content_type", "message": text}) from error
    except NoObjectError as error:
        raise FreshserviceError(
            400, {"code": "invalid_json", "message": "Request body has invalid json format"}
        ) from error
    if sum(len(content) for content in [*(f.content for f in present), *(s.content for s in sent)]) > MOST_BYTES:
        raise invalid(
            problem("attachments", "The total size of the attachments exceeds the limit of 40 MB", "invalid_size")
        )
    return body, [store.add_file(one.name, one.content, one.content_type) for one in sent]
