"""Pages of a list: bare arrays, the counts and the neighbours in headers.

Source: live findings (MCP-SWSD): `X-Total-Count`, `X-Total-Pages`, `X-Per-Page`, `X-Current-Page`, RFC 5988 `Link`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, jsonify, request

T = TypeVar("T")
PER_PAGE = 25
MOST_PER_PAGE = 100


def page_of(rows: Sequence[T]) -> tuple[list[T], dict[str, str]]:
    """The rows that the request asks for, and the headers that go with them. Wrong numbers count as the usual ones."""
    size = min(_number("per_page", PER_PAGE), MOST_PER_PAGE)
    page = _number("page", 1)
    pages = max(1, -(-len(rows) // size))
    shown = list(rows[(page - 1) * size : page * size])
    headers = {
        "X-Total-Count": str(len(rows)),
        "X-Total-Pages": str(pages),
        "X-Per-Page": str(size),
        "X-Current-Page": str(page),
    }
    links = [(page + 1, "next"), (pages, "last")] if page < pages else []
    if links:
        headers["Link"] = ", ".join(f'<{_address(number)}>; rel="{name}"' for number, name in links)
    return shown, headers


def listed(rows: Sequence[Any], headers: dict[str, str]) -> Response:
    """The answer with a page of a list."""
    response = jsonify(list(rows))
    response.headers.update(headers)
    return response


def _address(page: int) -> str:
    return f"{request.base_url}?{urlencode({**request.args.to_dict(), 'page': page})}"


def _number(name: str, default: int) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isdigit() and int(text) > 0 else default
