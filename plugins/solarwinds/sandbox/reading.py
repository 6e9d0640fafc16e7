"""Reads what a request carries: nested JSON of incidents and comments. Raises Service Desk's own refusals.

Sources: live findings (MCP-SWSD): custom fields as a plain list end in a 500, unknown names are left out in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request

from plugins.solarwinds.sandbox.errors import ServiceDeskError, invalid, not_allowed
from plugins.solarwinds.sandbox.state import CATEGORIES, CUSTOM, GROUPS, PRIORITIES, STATES, Incident, Store, User

FINAL = "Closed"


def wrapped(name: str) -> dict[str, Any]:
    """The object under its name. Without it, everything is missing."""
    body = request.get_json(silent=True)
    inner = body.get(name) if isinstance(body, dict) else None
    if not isinstance(inner, dict):
        raise ServiceDeskError(400, {"error": f"param is missing or the value is empty: {name}"})
    return inner


def incident_values(
    store: Store, body: Mapping[str, Any], incident: Incident | None, settings: Mapping[str, float], actor: User
) -> dict[str, Any]:
    """What a create (no `incident`) or an update changes, by the names of `Incident`. What is not known is left out."""
    values: dict[str, Any] = {}
    if "name" in body:
        values["name"] = body["name"]
    if (incident is None and not body.get("name")) or body.get("name") == "":
        raise invalid(name="can't be blank")
    if len(str(body.get("name") or "")) > 255:
        raise invalid(name="is too long (maximum is 255 characters)")
    for name, known in (("state", STATES), ("priority", PRIORITIES)):
        if name in body:
            if body[name] not in known:
                raise invalid(**{name: "is not included in the list"})
            if not (name == "state" and settings["ignores_state"]):
                values[name] = body[name]
    new_state = values.get("state")
    if (
        incident is not None
        and settings["closed_is_final"]
        and incident.state == FINAL
        and new_state not in (None, FINAL)
    ):
        raise not_allowed(state="transition not allowed")
    has_code = bool(body.get("resolution_code") or (incident and incident.resolution_code))
    if settings["needs_resolution_code"] and new_state in ("Resolved", "Closed") and not has_code:
        raise not_allowed(resolution_code="can't be blank")
    for name in ("description", "resolution_code"):
        if name in body:
            values[name] = str(body[name] or "")
    _people(store, body, incident, values, settings, actor)
    _places(body, values)
    if "custom_fields_values" in body:
        values["custom"] = _custom(body["custom_fields_values"], settings)
    for name, short in (("add_to_tag_list", "add"), ("remove_from_tag_list", "remove")):
        if body.get(name) and not settings["ignores_tags"]:
            values[short] = [tag.strip() for tag in str(body[name]).split(",") if tag.strip()]
    return values


def _people(
    store: Store,
    body: Mapping[str, Any],
    incident: Incident | None,
    values: dict[str, Any],
    settings: Mapping[str, float],
    actor: User,
) -> None:
    given = body.get("requester")
    if isinstance(given, dict):
        email, number = str(given.get("email") or ""), given.get("id")
        user = store.by_email(email) if email else store.users.get(int(number or 0))
        if user is None and email and settings["takes_strangers"]:
            user = store.add_user("", str(given.get("name") or email), email)
        if user is None:
            raise invalid(requester="Please provide a registered requester to get updates")
        values["requester"] = user
    elif incident is None:
        values["requester"] = actor
    if "group_assignee" in body:
        group = body["group_assignee"] or {}
        known = [number for number, name in GROUPS.items() if group.get("id") == number or group.get("name") == name]
        if group and not known:
            raise invalid(group_assignee="is invalid")
        values["group_id"] = known[0] if known else None
    if "assignee" in body:
        given = body["assignee"]
        if given in ("", None):
            values["assignee_id"] = None
        else:
            user = store.by_email(str(given["email"])) if given.get("email") else store.users.get(int(given["id"]))
            if user is None or not user.is_agent:
                raise invalid(assignee="is invalid")
            values["assignee_id"] = user.id


def _places(body: Mapping[str, Any], values: dict[str, Any]) -> None:
    for name in ("category", "site", "department"):
        if name in body:
            given = body[name]
            word = given.get("name") if isinstance(given, dict) else None
            if name == "category" and word and word not in CATEGORIES:
                raise invalid(category="is invalid")
            values[name] = word


def _custom(given: Any, settings: Mapping[str, float]) -> dict[str, str]:
    if not isinstance(given, dict) or not isinstance(given.get("custom_fields_value"), list):
        raise ServiceDeskError(500, {"error": "Internal Server Error"})
    found: dict[str, str] = {}
    for row in given["custom_fields_value"]:
        name, value = str(row.get("name")), str(row.get("value") if row.get("value") is not None else "")
        if name not in CUSTOM or CUSTOM[name][2] != "Incident" or settings["ignores_custom_fields"]:
            continue
        kind, choices, _ = CUSTOM[name]
        if value and kind == "Drop Down Menu" and value not in choices:
            raise invalid(**{name: "is not included in the list"})
        found[name] = value
    return found
