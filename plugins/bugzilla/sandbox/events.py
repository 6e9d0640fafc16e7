"""Mozilla's webhooks: what the extensions Push and Webhooks send.

Source: mozilla-bteam/bmo, `extensions/Push/lib/Serialize.pm`, `extensions/Push/Extension.pm` and
`extensions/Push/lib/Connector/Webhook.pm`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from plugins.bugzilla.sandbox.shapes import Json
from plugins.bugzilla.sandbox.state import Bug, Change, Comment, Field, File, Store, User

NOTHING = ("---", "--")


def payload(
    store: Store, key: str, bug: Bug, user: User, added: Comment | File | None, changes: list[Change]
) -> Json | None:
    """The body of one webhook without the webhook's own name; None for what is not told.

    `key` is the routing key's beginning: `bug.create`, `bug.modify`, `comment.create` or `attachment.create`.
    """
    target, action = key.split(".")
    event: Json = {
        "action": action, "time": stamp(store.now()), "user": person(user), "target": target, "routing_key": key,
    }  # fmt: skip
    if changes:
        told = [_change(store, c) for c in sorted(changes, key=lambda c: c.field)]
        event |= {"changes": told, "routing_key": f"{key}:{','.join(c['field'] for c in told)}"}
    is_private = bug.is_private or (added is not None and added.is_private)
    if is_private:
        event.pop("changes", None)
        shown: Json = {"id": bug.id, "is_private": bug.is_private if added else True}
        return {"event": event, "bug": shown | ({target: {"id": added.id, "is_private": True}} if added else {})}
    return {"event": event, "bug": _bug(store, bug) | ({target: _added(added)} if added else {})}


def person(user: User) -> Json:
    return {"id": user.id, "login": user.login, "real_name": user.real_name}


def stamp(at: datetime) -> str:
    """UTC, without saying so."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _change(store: Store, change: Change) -> Json:
    removed, added = change.removed, change.added
    field = store.fields.get(change.field)
    if change.field in ("priority", "target_milestone") or (field and field.is_custom and field.type == 2):
        removed, added = (_chosen(v) for v in (removed, added))
    return {"field": change.field, "removed": removed, "added": added}


def _chosen(value: str) -> str:
    return "" if value in NOTHING else value


def _bug(store: Store, bug: Bug) -> Json:
    values = bug.values
    shown: Json = {
        "id": bug.id, "alias": bug.alias[0] if bug.alias else "", "is_private": False,
        "product": bug.product.name, "component": bug.component.name, "classification": "Unclassified",
        "operating_system": values["op_sys"], "priority": _chosen(values["priority"]), "flags": [],
        "keywords": sorted(bug.keywords), "see_also": list(bug.see_also),
        "assigned_to": bug.assigned_to.login, "assigned_to_detail": person(bug.assigned_to),
        "creator": bug.creator.login, "creator_detail": person(bug.creator), "qa_contact": "",
        "creation_time": stamp(bug.created), "last_change_time": stamp(bug.changed),
    }  # fmt: skip
    for name in ("platform", "resolution", "severity", "status", "summary", "target_milestone", "type", "url",
                 "version", "whiteboard"):  # fmt: skip
        shown[name] = values[name]
    for name, field in store.fields.items():
        if field.is_custom:
            shown[name] = _custom(field, bug.custom.get(name))
    return shown


def _custom(field: Field, value: Any) -> Any:
    match field.type:
        case 2:
            return _chosen(value or "")
        case 3:
            return list(value or ())
        case 5:
            return str(value).replace(" ", "T") if value else None
        case _:
            return "" if value is None else value


def _added(added: Comment | File) -> Json:
    if isinstance(added, Comment):
        return {
            "id": added.id, "number": added.number, "body": added.text, "creation_time": stamp(added.created),
            "is_private": False,
        }  # fmt: skip
    return {
        "id": added.id, "content_type": added.content_type, "creation_time": stamp(added.created),
        "last_change_time": stamp(added.changed), "description": added.summary, "file_name": added.name, "flags": [],
        "is_obsolete": added.is_obsolete, "is_patch": added.is_patch, "is_private": False,
    }  # fmt: skip
