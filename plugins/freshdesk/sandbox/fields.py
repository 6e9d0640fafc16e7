"""What may be written into a ticket: Freshdesk refuses unknown fields, and names every wrong one at once.

Source: developers.freshdesk.com, "Create a Ticket", "Update a Ticket", "Errors".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from plugins.freshdesk.sandbox.errors import invalid, problem
from plugins.freshdesk.sandbox.state import CUSTOM, DONE, PRIORITIES, SOURCES, STATUSES, TYPES, Store, Ticket

WRITABLE = {
    "subject", "description", "status", "priority", "source", "type", "responder_id", "group_id", "tags",
    "custom_fields", "requester_id", "email", "name", "phone", "unique_external_id", "cc_emails", "company_id",
    "product_id", "email_config_id", "due_by", "fr_due_by", "attachments",
}  # fmt: skip
OUTBOUND = 10


def check(store: Store, body: Mapping[str, Any], ticket: Ticket | None, *, closure_needs_resolution: bool) -> None:
    """Raises the list of everything that is wrong with a create (no `ticket`) or an update."""
    problems = [
        problem(name, "Unexpected/invalid field in request", "invalid_field") for name in sorted(set(body) - WRITABLE)
    ]
    if ticket is None:
        problems += _mandatory(body)
    problems += [*_codes(body), *_texts(body), *_people(store, body), *_custom(body.get("custom_fields"))]
    if ticket is not None and ticket.source == OUTBOUND:
        problems += [
            problem(name, "Can't be updated for outbound email tickets", "incompatible_field")
            for name in ("subject", "description")
            if name in body
        ]
    if closure_needs_resolution and body.get("status") in DONE:
        present = {**(ticket.custom_fields if ticket else {}), **(body.get("custom_fields") or {})}
        if not present.get("cf_resolution"):
            text = "It should not be blank as this is a mandatory field"
            problems.append(problem("cf_resolution", text, "missing_field"))
    if problems:
        raise invalid(*problems)


def _mandatory(body: Mapping[str, Any]) -> list[dict[str, str]]:
    text = "It should be a/an String"
    found = [problem(n, text, "missing_field") for n in ("subject", "description") if not body.get(n)]
    found += [problem(n, "It should be a/an Integer", "missing_field") for n in ("status", "priority") if n not in body]
    if not any(body.get(n) for n in ("requester_id", "email", "phone", "unique_external_id")):
        words = (
            "Please fill at least 1 of requester_id, phone, email, twitter_id, facebook_id, unique_external_id fields."
        )
        found.append(problem("requester_id", words, "missing_field"))
    return found


def _codes(body: Mapping[str, Any]) -> list[dict[str, str]]:
    found = []
    tables: dict[str, list[Any]] = {
        "status": list(STATUSES), "priority": list(PRIORITIES), "source": sorted(SOURCES), "type": [*TYPES, None],
    }  # fmt: skip
    for name, known in tables.items():
        if name not in body:
            continue
        value = body[name]
        if name != "type" and (not isinstance(value, int) or isinstance(value, bool)):
            found.append(
                problem(
                    name, f"Value set is of type {type(value).__name__}. It should be an Integer", "datatype_mismatch"
                )
            )
        elif value not in known:
            listed = ",".join(str(k) for k in known if k is not None)
            found.append(problem(name, f"It should be one of these values: '{listed}'"))
    return found


def _texts(body: Mapping[str, Any]) -> list[dict[str, str]]:
    found = []
    if "subject" in body and (not body["subject"] or len(body["subject"]) > 255):
        found.append(problem("subject", "It should be a/an String of at most 255 characters"))
    if "description" in body and not body["description"]:
        found.append(problem("description", "It should not be blank as this is a mandatory field"))
    tags = body.get("tags")
    if tags is not None:
        if not isinstance(tags, list):
            found.append(problem("tags", "Value set is of type String. It should be a/an Array", "datatype_mismatch"))
        elif any(len(t) > 32 for t in tags):
            found.append(problem("tags", "It should contain elements that have maximum of 32 characters"))
        elif any("," in t for t in tags):
            found.append(problem("tags", "It should contain elements without special characters ','"))
    return found


def _people(store: Store, body: Mapping[str, Any]) -> list[dict[str, str]]:
    found = []
    responder = body.get("responder_id")
    if responder is not None and not (responder in store.users and store.users[responder].is_agent):
        found.append(problem("responder_id", "There is no agent matching the given responder_id"))
    if body.get("group_id") is not None and body["group_id"] not in store.groups:
        found.append(problem("group_id", "There is no group matching the given group_id"))
    if body.get("requester_id") is not None and body["requester_id"] not in store.users:
        found.append(problem("requester_id", "There is no contact matching the given requester_id"))
    email = body.get("email")
    if email is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+", str(email)):
        found.append(problem("email", "It should be in the 'valid email address' format"))
    return found


def _custom(values: Any) -> list[dict[str, str]]:
    found = []
    for name, value in (values or {}).items():
        if name not in CUSTOM:
            found.append(problem(name, "Unexpected/invalid field in request", "invalid_field"))
            continue
        _, kind, choices = CUSTOM[name]
        if value is None:
            continue
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
