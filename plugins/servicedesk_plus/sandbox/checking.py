"""What may be written into a request: everything wrong is named at once. Nothing is written then.

Sources: sdpop-v3-api and sdpod-v3-api, "Request": attributes and mandatory fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plugins.servicedesk_plus.sandbox.errors import MANDATORY, WRONG_VALUE, problem, wrong
from plugins.servicedesk_plus.sandbox.state import DONE, PICKS, UDF_KINDS, Request, Store, User

WRITABLE = {
    "subject", "description", "requester", "status", "priority", "request_type", "mode", "group", "technician",
    "udf_fields", "resolution", "closure_info", "status_change_comments", "update_reason", "template", "site",
    "urgency", "impact", "category", "subcategory", "item", "email_ids_to_notify",
}  # fmt: skip
REFERENCES = {
    "status": "statuses",
    "priority": "priorities",
    "request_type": "request_types",
    "mode": "modes",
    "group": "support_groups",
}
SUBJECT_LIMIT, LINE_LIMIT = 250, 250
EXTRA_KEY = "EXTRA_KEY_FOUND_IN_JSON"


def check(store: Store, body: Mapping[str, Any], request: Request | None, settings: Mapping[str, float]) -> None:
    """Raises everything that is wrong with a new request (None) or a change of one."""
    known = WRITABLE | ({"tags"} if store.is_cloud else set())
    found = [problem(WRONG_VALUE, EXTRA_KEY, name) for name in sorted(set(body) - known)]
    found += _subject(body, is_new=request is None)
    for name, kind in REFERENCES.items():
        if body.get(name) is not None and resolve(store, kind, body[name]) is None:
            found.append(problem(WRONG_VALUE, f"Value given for {name} does not exist", name))
    status = body.get("status")
    if isinstance(status, dict) and "id" not in status and settings["statuses_by_id_only"]:
        found.append(problem(WRONG_VALUE, "Unable to process the given status", "status"))
    found += [*_people(store, body, settings), *_tags(body), *_udf(store, body.get("udf_fields"))]
    found += _closing(store, body, request, settings)
    if found:
        raise wrong(*found)


def resolve(store: Store, kind: str, reference: Any) -> str | None:
    """The name of the value that a reference by id or name means, None where there is none."""
    if not isinstance(reference, dict):
        return None
    values = store.ids[kind]
    if reference.get("id") is not None:
        return next((name for name, number in values.items() if str(number) == str(reference["id"])), None)
    wanted = str(reference.get("name") or "").casefold()
    return next((name for name in values if name.casefold() == wanted), None)


def user_of(store: Store, reference: Any) -> User | None:
    """The person that a reference by id, address or name means."""
    if not isinstance(reference, dict):
        return None
    if reference.get("id") is not None:
        return store.users.get(int(reference["id"])) if str(reference["id"]).isdigit() else None
    if reference.get("email_id"):
        return store.by_email(str(reference["email_id"]))
    return next((u for u in store.users.values() if u.name == reference.get("name")), None)


def _subject(body: Mapping[str, Any], *, is_new: bool) -> Iterator[dict[str, Any]]:
    if "subject" not in body and not is_new:
        return
    subject = str(body.get("subject") or "")
    if not subject:
        yield problem(MANDATORY, "Mandatory field is missing", "subject")
    if len(subject) > SUBJECT_LIMIT or "\n" in subject:
        yield problem(WRONG_VALUE, f"Subject is one line of at most {SUBJECT_LIMIT} characters", "subject")


def _people(store: Store, body: Mapping[str, Any], settings: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    requester = body.get("requester")
    can_be_made = isinstance(requester, dict) and bool(requester.get("email_id")) and settings["makes_requesters"]
    if requester is not None and user_of(store, requester) is None and not can_be_made:
        yield problem(WRONG_VALUE, "Value given for requester does not exist", "requester")
    if body.get("technician") is not None:
        technician = user_of(store, body["technician"])
        if technician is None or not technician.is_technician:
            yield problem(WRONG_VALUE, "Value given for technician does not exist", "technician")


def _tags(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    tags = body.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(t, dict) and t.get("name") for t in tags):
        yield problem(WRONG_VALUE, "Tags are references with a name", "tags")


def _udf(store: Store, given: Any) -> Iterator[dict[str, Any]]:
    if given is None:
        return
    if not isinstance(given, dict):
        yield problem(WRONG_VALUE, "udf_fields is an object", "udf_fields")
        return
    purposes = {name: purpose for purpose, name in store.udf.items()}
    for name, value in given.items():
        path = f"udf_fields.{name}"
        if name not in purposes:
            yield problem(WRONG_VALUE, EXTRA_KEY, path)
        elif value is not None and not _fits(purposes[name], value):
            yield problem(WRONG_VALUE, "Value given does not fit the field", path)


def _fits(purpose: str, value: Any) -> bool:
    match UDF_KINDS[purpose]:
        case "text":
            return isinstance(value, str) and len(value) <= LINE_LIMIT and "\n" not in value
        case "pick":
            return value in PICKS[purpose]
        case "multi":
            return isinstance(value, list) and set(value) <= set(PICKS[purpose])
        case "long":
            return not isinstance(value, bool) and str(value).lstrip("-").isdigit()
        case "boolean":
            return isinstance(value, bool)
        case _:
            return isinstance(value, dict) and str(value.get("value")).lstrip("-").isdigit()


def _closing(
    store: Store, body: Mapping[str, Any], request: Request | None, settings: Mapping[str, float]
) -> Iterator[dict[str, Any]]:
    """Request closing rules: what must be filled before a request is resolved or closed."""
    if not settings["closing_needs_resolution"] or resolve(store, "statuses", body.get("status")) not in DONE:
        return
    given = (body.get("resolution") or {}).get("content")
    if not (given or (request is not None and request.resolution)):
        yield problem(MANDATORY, "Mandatory field is missing", "resolution")
