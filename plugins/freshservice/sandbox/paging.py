"""Pages of a list: wrapped arrays, and a `Link` header while there is more.

Source: api.freshservice.com, "Pagination".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, jsonify, request

from plugins.freshservice.sandbox import seed
from plugins.freshservice.sandbox.errors import denied, invalid, problem
from plugins.freshservice.sandbox.state import Item, User

T = TypeVar("T")
I = TypeVar("I", bound=Item)  # noqa: E741 - a ticket or a change
PER_PAGE = 30
MOST_PER_PAGE = 100
EVERY_WORKSPACE = 0


def listed(name: str, rows: Sequence[T], show: Callable[[T], Any], **beside: Any) -> Response:
    """The answer with the page that the request asks for, under `name`. Raises 400."""
    size = _number("per_page", PER_PAGE, MOST_PER_PAGE)
    page = _number("page", 1, 1_000_000)
    response = jsonify({name: [show(row) for row in rows[(page - 1) * size : page * size]], **beside})
    if page * size < len(rows):
        query = urlencode({**request.args.to_dict(), "page": page + 1})
        response.headers["Link"] = f'<{request.base_url}?{query}>; rel="next"'
    return response


def of_workspace(items: Iterable[I], user: User) -> list[I]:
    """Those of the workspace that is asked for: the primary one where none is; 0 stands for all of the agent's."""
    asked = _number("workspace_id", seed.PRIMARY, 1_000_000, EVERY_WORKSPACE)
    if asked != EVERY_WORKSPACE and asked not in user.workspaces:
        raise denied()
    wanted = user.workspaces if asked == EVERY_WORKSPACE else (asked,)
    return [item for item in items if item.workspace_id in wanted]


def shows_all_workspaces() -> bool:
    """Lists over all workspaces have global fields only."""
    return request.args.get("workspace_id") == str(EVERY_WORKSPACE)


def _number(name: str, default: int, most: int, least: int = 1) -> int:
    text = request.args.get(name, str(default))
    if not text.isdigit() or not least <= int(text) <= most:
        raise invalid(problem(name, f"It should be a Positive Integer less than or equal to {most}"))
    return int(text)
