"""What refusals mean that name single fields, each with a code. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.connector import Changes, Connector, PermanentError, RefusedError
from hub.rest import Reason


def reason_of(body: Mapping[str, Any], neutral: Callable[[str], str], otherwise: str) -> Reason:
    """The reason in a body like `{"description": …, "errors": [{"field": …, "message": …, "code": …}]}` or
    `{"code": …, "message": …}`. `neutral` gives the neutral name of the tracker's field."""
    fields: dict[str, str] = {}
    errors = body.get("errors")
    for problem in errors if isinstance(errors, list) else ():
        if isinstance(problem, dict) and problem.get("field"):
            name = neutral(str(problem["field"]))
            text = f"{problem.get('message') or ''} ({problem.get('code') or 'refused'})".strip()
            fields[name] = "; ".join(filter(None, [fields.get(name), text]))
    text = str(body.get("message") or body.get("description") or otherwise)
    return Reason(f"{body['code']}: {text}" if body.get("code") else text, fields)


def explained(error: RefusedError, changes: Changes, remedy: str, closing_remedy: str) -> PermanentError:
    """What was not asked for is refused only because of the status: fields that are required for closing."""
    asked = {*changes.values, *(["labels"] if changes.add_labels or changes.remove_labels else [])}
    others = {name: why for name, why in error.fields.items() if name not in asked}
    if not others:
        return error
    words = "; ".join(f"{name}: {why}" for name, why in others.items())
    if "status" not in asked:
        return PermanentError(error.tracker, error.doing, words, remedy)
    fields = {name: why for name, why in error.fields.items() if name in asked}
    return RefusedError(error.tracker, error.doing, {**fields, "status": words}, closing_remedy)


def no_group(connector: Connector, doing: str, group: str) -> RefusedError:
    """The settings name a group for a support line that the tracker does not have, or does not show the hub."""
    remedy = f"Correct trackers.{connector.name}.lines, or let the hub's account see the groups; hub check tells which."
    return RefusedError(connector.name, doing, {"line": f"there is no group {group!r}"}, remedy)
