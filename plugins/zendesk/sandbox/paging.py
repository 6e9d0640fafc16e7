"""Zendesk's two ways of listing: by cursor (`page[size]`, `page[after]`) and by offset (`page`, `per_page`)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import request

from plugins.zendesk.sandbox.errors import bad_request

T = TypeVar("T")
MAX_OFFSET_PAGES = 100


def page(
    name: str,
    items: Sequence[T],
    *,
    key: Callable[[T], Any],
    show: Callable[[T], Any],
    base_url: str,
    size: int = 100,
    descending: bool = False,
) -> dict[str, Any]:
    """One page of `items` as asked for by the present request, under `name`.

    `key` orders the items and must be unique and JSON; a cursor remembers the key of the last item, so that new items
    do not shift pages. 400 beyond 100 offset pages and for an unknown cursor.
    """
    ordered = sorted(items, key=key, reverse=descending)
    if any(k.startswith("page[") for k in request.args):
        return _by_cursor(name, ordered, key, show, base_url, size, descending)
    return _by_offset(name, ordered, show, base_url, size)


def encode(value: Any) -> str:
    """A cursor for `value`."""
    return base64.b64encode(json.dumps(value).encode()).decode()


def decode(cursor: str) -> Any:
    """The value in a cursor; 400 for anything else."""
    try:
        return json.loads(base64.b64decode(cursor, validate=True))
    except (binascii.Error, ValueError) as error:
        raise bad_request("InvalidCursor", "Invalid cursor") from error


def number(name: str, default: int, most: int) -> int:
    """A whole number of the query string, at most `most`; 400 for anything else."""
    text = request.args.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        raise bad_request("InvalidValue", f"{name} must be a positive number")
    return min(int(text), most)


def with_query(url: str, **changes: Any) -> str:
    """`url` with the present query string, some parameters changed."""
    return f"{url}?{urlencode({**request.args.to_dict(), **changes})}"


def _by_cursor(
    name: str,
    ordered: list[T],
    key: Callable[[T], Any],
    show: Callable[[T], Any],
    base_url: str,
    size: int,
    descending: bool,
) -> dict[str, Any]:
    size = number("page[size]", size, 100)
    after = request.args.get("page[after]")
    rest = ordered
    if after:
        last = decode(after)
        rest = [
            item for item in ordered if (_jsonable(key(item)) < last if descending else _jsonable(key(item)) > last)
        ]
    shown = rest[:size]
    has_more = len(rest) > size
    cursor = encode(key(shown[-1])) if shown else None
    before = encode(key(shown[0])) if shown else None
    following = with_query(base_url + request.path, **{"page[after]": cursor}) if has_more else None
    return {
        name: [show(item) for item in shown],
        "meta": {"has_more": has_more, "after_cursor": cursor, "before_cursor": before},
        "links": {"prev": None, "next": following},
    }


def _by_offset(name: str, ordered: list[T], show: Callable[[T], Any], base_url: str, size: int) -> dict[str, Any]:
    size, current = number("per_page", size, 100), number("page", 1, 10**9)
    if current > MAX_OFFSET_PAGES:
        raise bad_request(
            "InvalidPaginationDepth", f"Limit of {MAX_OFFSET_PAGES} pages exceeded; use cursor pagination"
        )
    start = (current - 1) * size
    path = base_url + request.path + ".json"
    return {
        name: [show(item) for item in ordered[start : start + size]],
        "next_page": with_query(path, page=current + 1) if start + size < len(ordered) else None,
        "previous_page": with_query(path, page=current - 1) if current > 1 else None,
        "count": len(ordered),
    }


def _jsonable(key: Any) -> Any:
    return list(key) if isinstance(key, tuple) else key
