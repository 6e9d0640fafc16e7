"""Reads what a request carries: JSON, or a form whose fields are named in brackets, with files.

Source: developers.freshdesk.com, "Create a Ticket with attachment".
"""

from __future__ import annotations

import re
from typing import Any

from flask import request

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
    if request.mimetype == "multipart/form-data":
        uploads = request.files.getlist(FILES)
        contents = [(u.filename or "file", u.read(), u.mimetype or "application/octet-stream") for u in uploads]
        if sum(len(content) for _, content, _ in contents) > MOST_BYTES:
            text = "The total size of the attachments exceeds the limit of 20 MB"
            raise invalid(problem("attachments", text, "invalid_size"))
        return _form(), [store.add_file(*content) for content in contents]
    if not request.data:
        return {}, []
    if request.mimetype != "application/json":
        text = f"Content-Type header is set to {request.mimetype}. It should be set to application/json"
        raise FreshdeskError(415, {"code": "invalid_content_type", "message": text})
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        text = "Request body has invalid json format"
        raise FreshdeskError(400, {"code": "invalid_json", "message": text})
    return body, []


def _form() -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, values in request.form.lists():
        inner = re.fullmatch(r"custom_fields\[(\w+)\]", name)
        if inner:
            body.setdefault("custom_fields", {})[inner.group(1)] = values[-1]
        elif name.endswith("[]"):
            body[name[:-2]] = values
        elif name in NUMBERS and values[-1].isdigit():
            body[name] = int(values[-1])
        elif name in FLAGS:
            body[name] = values[-1] == "true"
        else:
            body[name] = values[-1]
    return body
