"""What every route needs of the present request: who acts, the wrapped JSON body, side-loads and warnings."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flask import g, request

from plugins.zendesk.sandbox import shapes
from plugins.zendesk.sandbox.comments import Context
from plugins.zendesk.sandbox.errors import ApiError, bad_request, not_found, too_many
from plugins.zendesk.sandbox.state import Store, User


def actor() -> User:
    """Who makes the present request."""
    person: User = g.person
    return person


def context() -> Context:
    """The present request, as an audit tells of it."""
    return Context(actor(), client=request.headers.get("User-Agent", ""))


def json_body() -> dict[str, Any]:
    """The body as a JSON object; 422 for broken JSON, as the real service answers."""
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError as error:
        text = {"error": "Unprocessable Entity", "message": "Server could not parse JSON"}
        raise ApiError(422, text) from error
    if not isinstance(body, dict):
        raise bad_request("InvalidFormat", "a JSON object is needed")
    return body


def wrapped(key: str) -> dict[str, Any]:
    """The object under `key`, in which Zendesk wraps every body; 400 when it is missing."""
    value = json_body().get(key)
    if not isinstance(value, dict):
        raise bad_request("InvalidValue", f"Parameter {key} is required")
    return value


def warn_of(kind: str, keys: Iterable[str]) -> None:
    """Let the answer name the keys that were dropped."""
    g.warnings = [*g.get("warnings", ()), *(f"{kind}.{key}" for key in keys)]


def ids_of(text: str | None) -> list[int]:
    """A comma-separated list of at most 100 ids; 400 for more, or for anything else."""
    words = [word for word in (text or "").split(",") if word]
    if len(words) > 100:
        raise too_many(100)
    if not all(word.isdigit() for word in words):
        raise bad_request("InvalidValue", "ids must be numbers")
    return [int(word) for word in words]


def includes() -> set[str]:
    """The side-loads asked for."""
    return set(request.args.get("include", "").split(","))


def found(table: dict[int, dict[str, Any]], id: int) -> dict[str, Any]:
    """A record by id; 404 when there is none."""
    if id not in table:
        raise not_found()
    return table[id]


def side_loads(store: Store, tickets: list[dict[str, Any]], wanted: set[str]) -> dict[str, Any]:
    """The people, groups and organizations that `tickets` (as JSON) name, as far as asked for."""
    loaded: dict[str, Any] = {}
    if "users" in wanted:
        keys = ("requester_id", "submitter_id", "assignee_id")
        ids = sorted({t[key] for t in tickets for key in keys if t[key]})
        loaded["users"] = [shapes.user(store, store.users[id]) for id in ids]
    for key, name, table in (
        ("groups", "group_id", store.groups),
        ("organizations", "organization_id", store.organizations),
    ):
        if key in wanted:
            ids = sorted({t[name] for t in tickets if t[name] in table})
            loaded[key] = [shapes.plain(store, table[id]) for id in ids]
    if "comment_count" in wanted:
        for t in tickets:
            t["comment_count"] = len(store.tickets[t["id"]].comments)
    return loaded
