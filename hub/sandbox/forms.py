"""Reads the present request as many trackers take it: JSON, or a multipart form with files whose fields are named in
brackets (`custom_fields[name]`, `tags[]`)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask import request


class WrongTypeError(ValueError):
    """The body is neither JSON nor a form; `args[0]` is its media type."""


class NoObjectError(ValueError):
    """The body is no JSON object."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A file of a form."""

    name: str
    content: bytes
    content_type: str


def fields_and_files(
    files: str, *, numbers: Collection[str], flags: Collection[str]
) -> tuple[dict[str, Any], list[Sent]]:
    """The fields and the files under the name `files`. In forms everything is text: fields in `numbers` become whole
    numbers, those in `flags` booleans. Raises WrongTypeError, NoObjectError."""
    if request.mimetype == "multipart/form-data":
        sent = request.files.getlist(files)
        return _form(numbers, flags), [
            Sent(one.filename or "file", one.read(), one.mimetype or "application/octet-stream") for one in sent
        ]
    if not request.data:
        return {}, []
    if request.mimetype != "application/json":
        raise WrongTypeError(request.mimetype)
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise NoObjectError
    return body, []


def _form(numbers: Collection[str], flags: Collection[str]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, values in request.form.lists():
        inner = re.fullmatch(r"(\w+)\[(\w+)\]", name)
        if inner:
            body.setdefault(inner.group(1), {})[inner.group(2)] = values[-1]
        elif name.endswith("[]"):
            body[name[:-2]] = values
        elif name in numbers and values[-1].isdigit():
            body[name] = int(values[-1])
        elif name in flags:
            body[name] = values[-1] == "true"
        else:
            body[name] = values[-1]
    return body
