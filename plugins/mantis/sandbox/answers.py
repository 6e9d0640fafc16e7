"""What comes in and goes out of MantisBT's API: bodies, the tag of the lock, `select`, reason phrases.

Sources: recorded exchanges create.bad_json, create.latin2, get.select, get.if_none_match, list.page_size_negative.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from flask import Response, request

from plugins.mantis.sandbox.errors import bad_body
from plugins.mantis.sandbox.shapes import Json


def answer(body: Any, status: int = 200, phrase: str = "OK", *, etag: bool = False) -> Response:
    """JSON with a reason phrase; `etag` for the routes whose answers carry one."""
    content = json.dumps(body, ensure_ascii=True)
    response = Response(content, status=f"{status} {_line(phrase)}", content_type="application/json")
    if etag:
        response.headers["ETag"] = tag_of(body)
    return response


def tag_of(body: Any) -> str:
    """The tag of an answer: of all that it shows, so that it differs between those who look."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def body_of_request(*, may_be_empty: bool = False) -> Any:
    """The request's body. Refused: no JSON, not sent as JSON, not UTF-8, and mostly an empty object."""
    if request.mimetype != "application/json":
        raise bad_body()
    try:
        body = json.loads(request.get_data().decode())
    except ValueError as error:
        raise bad_body() from error
    if not body and not may_be_empty:
        raise bad_body()
    return body


def selected(shown: Json) -> Any:
    """Only what `select` names; of nothing PHP makes an empty list."""
    if "select" not in request.args:
        return shown
    wanted = request.args["select"].split(",")
    return {name: value for name, value in shown.items() if name in wanted} or []


def positive(text: str | None, usual: int) -> int:
    """A number of a query; anything that is none is the usual one."""
    return int(text) if text and text.isdigit() and int(text) > 0 else usual


def without_color(shown: Mapping[str, Any]) -> Json:
    """A value of an enumeration as the options show it."""
    return {k: v for k, v in shown.items() if k != "color"}


def _line(phrase: str) -> str:
    """One line that a status line can hold."""
    return " ".join(phrase.encode("latin-1", "replace").decode("latin-1").split())
