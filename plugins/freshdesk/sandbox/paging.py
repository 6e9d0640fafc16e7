"""Pages of a list: bare arrays, with a `Link` header while there is more.

Source: developers.freshdesk.com, "Pagination".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import urlencode

from flask import Response, jsonify, request

from plugins.freshdesk.sandbox.errors import invalid, problem

T = TypeVar("T")
PER_PAGE = 30
MOST_PER_PAGE = 100
LAST_PAGE = 300


def page_of(rows: Sequence[T]) -> tuple[list[T], dict[str, str]]:
    """The rows that the request asks for, and the headers that go with them. Raises 400."""
    size = _number("per_page", PER_PAGE, MOST_PER_PAGE)
    page = _number("page", 1, LAST_PAGE)
    shown = list(rows[(page - 1) * size : page * size])
    if page * size >= len(rows):
        return shown, {}
    query = urlencode({**request.args.to_dict(), "page": page + 1})
    return shown, {"Link": f'<{request.base_url}?{query}>; rel="next"'}


def listed(rows: Sequence[object], headers: dict[str, str]) -> Response:
    """The answer with a page of a list."""
    response = jsonify(list(rows))
    response.headers.update(headers)
    return response


def _number(name: str, default: int, most: int) -> int:
    text = request.args.get(name, str(default))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise invalid(problem(name, f"It should be a Positive Integer less than or equal to {most}"))
    return int(text)
