"""What may be written into a ticket or a change: every wrong field is named at once.

Source: api.freshservice.com, "Create a Ticket", "Update a Ticket", "Create a Change", "Errors".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from plugins.freshservice.sandbox import seed
from plugins.freshservice.sandbox.errors import invalid, problem, unknown_fields
from plugins.freshservice.sandbox.state import Store, Ticket

SHARED = {
    "subject", "description", "status", "priority", "impact", "group_id", "department_id", "category", "sub_category",
    "item_category", "custom_fields", "requester_id", "email", "attachments", "assets",
}  # fmt: skip
OF_TICKETS = SHARED | {
    "name", "phone", "type", "urgency", "source", "responder_id", "tags", "cc_emails", "email_config_id", "due_by",
    "fr_due_by", "problem", "change_initiating_ticket", "resolution_notes", "workspace_id",
}  # fmt: skip
OF_CHANGES = SHARED | {
    "agent_id", "change_type", "risk", "planned_start_date", "planned_end_date", "change_window_id", "workspace_id",
}  # fmt: skip
LONGEST_TAG = 32

Problems = list[dict[str, str]]


def check_ticket(store: Store, body: Mapping[str, Any], ticket: Ticket | None, *, closure_needs_code: bool) -> None:
    """Raises the list of everything that is wrong with a create (no `ticket`) or an update."""
    problems = [*unknown_fields(body, OF_TICKETS), *_shared(store, body, is_new=ticket is None)]
    codes: dict[str, Collection[int]] = {
        "status": seed.STATUSES, "source": seed.SOURCES, "urgency": seed.LEVELS,
    }  # fmt: skip
    problems += [*_codes(body, codes), *_tags(body.get("tags")), *_agent(store, body, "responder_id")]
    known_type = ticket.type if ticket else "Incident"
    if body.get("type", known_type) != known_type:
        text = f"It should be one of these values: '{known_type}'"
        problems.append(problem("type", text))
    if closure_needs_code and body.get("status") in seed.DONE:
        present = {**(ticket.custom_fields if ticket else {}), **(body.get("custom_fields") or {})}
        if not present.get("resolution_code"):
            text = "It should not be blank as this is a mandatory field"
            problems.append(problem("resolution_code", text, "missing_field"))
    _raise(problems)


def check_change(store: Store, body: Mapping[str, Any], *, is_new: bool) -> None:
    """The same for a change."""
    problems = [*unknown_fields(body, OF_CHANGES), *_shared(store, body, is_new=is_new)]
    codes: dict[str, Collection[int]] = {
        "status": seed.CHANGE_STATUSES, "change_type": seed.CHANGE_TYPES, "risk": {1, 2, 3, 4},
    }  # fmt: skip
    problems += [*_codes(body, codes), *_agent(store, body, "agent_id")]
    if is_new:
        wanted = ("planned_start_date", "planned_end_date")
        problems += [
            problem(name, "It should be a/an DateTime", "missing_field") for name in wanted if not body.get(name)
        ]
    _raise(problems)


def _raise(problems: Problems) -> None:
    if problems:
        raise invalid(*problems)


def _shared(store: Store, body: Mapping[str, Any], *, is_new: bool) -> Problems:
    found: Problems = []
    if is_new:
        text = "It should be a/an String"
        found += [problem(n, text, "missing_field") for n in ("subject", "description") if not body.get(n)]
        found += [
            problem(n, "It should be a/an Integer", "missing_field") for n in ("status", "priority") if n not in body
        ]
        if not any(body.get(n) for n in ("requester_id", "email", "phone")):
            text = "Please fill at least 1 of requester_id, phone, email fields."
            found.append(problem("requester_id", text, "missing_field"))
    found += [*_codes(body, {"priority": seed.PRIORITIES, "impact": seed.LEVELS}), *_texts(body)]
    for name, rows in (("group_id", store.groups), ("requester_id", store.users), ("department_id", store.departments)):
        if body.get(name) is not None and body[name] not in rows:
            found.append(problem(name, f"There is no object matching the given {name}"))
    if body.get("workspace_id", seed.PRIMARY) not in seed.WORKSPACES:
        found.append(problem("workspace_id", "There is no workspace matching the given workspace_id"))
    email = body.get("email")
    if email is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+", str(email)):
        found.append(problem("email", "It should be in the 'valid email address' format"))
    return found + _custom(body.get("custom_fields"))


def _codes(body: Mapping[str, Any], tables: Mapping[str, Collection[int]]) -> Problems:
    found = []
    for name, known in tables.items():
        if name not in body:
            continue
        value = body[name]
        if not isinstance(value, int) or isinstance(value, bool):
            text = f"Value set is of type {type(value).__name__}. It should be an Integer"
            found.append(problem(name, text, "datatype_mismatch"))
        elif value not in known:
            found.append(problem(name, f"It should be one of these values: '{','.join(map(str, sorted(known)))}'"))
    return found


def _texts(body: Mapping[str, Any]) -> Problems:
    found = []
    if "subject" in body and (not body["subject"] or len(body["subject"]) > 255):
        found.append(problem("subject", "It should be a/an String of at most 255 characters"))
    if "description" in body and not body["description"]:
        found.append(problem("description", "It should not be blank as this is a mandatory field"))
    return found


def _tags(tags: Any) -> Problems:
    if tags is None:
        return []
    if not isinstance(tags, list):
        return [problem("tags", "Value set is of type String. It should be a/an Array", "datatype_mismatch")]
    if any(len(tag) > LONGEST_TAG for tag in tags):
        return [problem("tags", f"It should contain elements that have maximum of {LONGEST_TAG} characters")]
    if any("," in tag for tag in tags):
        return [problem("tags", "It should contain elements without special characters ','")]
    return []


def _agent(store: Store, body: Mapping[str, Any], name: str) -> Problems:
    agent = body.get(name)
    if agent is None or (agent in store.users and store.users[agent].is_agent):
        return []
    return [problem(name, f"There is no agent matching the given {name}")]


def _custom(values: Any) -> Problems:
    found = unknown_fields(values or {}, set(seed.CUSTOM))
    for name, value in (values or {}).items():
        if name not in seed.CUSTOM or value is None:
            continue
        _, kind, choices = seed.CUSTOM[name]
        fits = {
            "custom_dropdown": value in choices,
            "custom_text": isinstance(value, str) and len(value) <= 255,
            "custom_number": isinstance(value, int) and not isinstance(value, bool),
            "custom_checkbox": isinstance(value, bool),
            "custom_date": isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None,
        }[kind]
        if not fits:
            wanted = (
                f"one of these values: '{','.join(choices)}'" if choices else f"a/an {kind.removeprefix('custom_')}"
            )
            found.append(problem(name, f"It should be {wanted}", "invalid_value" if choices else "datatype_mismatch"))
    return found
