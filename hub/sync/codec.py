"""Between the values of a run and the JSON of the journal. Pure; what was written is always read back the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from hub.connector import Changes, Hint
from hub.sync.fields import FieldWrite
from hub.sync.labels import LabelWrite
from hub.sync.operations import (
    AddComment,
    AttachFile,
    CallAction,
    ChangeTicket,
    CreateTicket,
    DeleteComment,
    EditComment,
    Notify,
    Operation,
    Transition,
    WriteFields,
    WriteLink,
)
from hub.sync.state import Overwrite, Shadow
from hub.ticket import Category, Priority, Status, Value

_ENUMS: dict[str, type[Status] | type[Priority] | type[Category]] = {
    "status": Status,
    "priority": Priority,
    "category": Category,
}


def dump_value(value: object) -> Any:
    """A value as JSON. Times and tuples are wrapped so that they come back as they were."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    if isinstance(value, tuple | frozenset | set):
        return {"list": sorted(str(v) for v in value) if not isinstance(value, tuple) else list(value)}
    return value


def load_value(field_name: str, data: Any) -> Value:
    """The value that `dump_value` wrote for this field."""
    if isinstance(data, Mapping):
        if "time" in data:
            return datetime.fromisoformat(data["time"])
        return tuple(data["list"])
    if field_name in _ENUMS and data is not None:
        return _ENUMS[field_name](data)
    return data  # type: ignore[no-any-return]  # JSON scalars are values as they are


def dump_shadow(shadow: Shadow) -> dict[str, Any]:
    return {
        "values": {name: dump_value(value) for name, value in shadow.values.items()},
        "labels": None if shadow.labels is None else sorted(shadow.labels),
        "comment_count": shadow.comment_count,
        "version": shadow.version,
        "updated": shadow.updated.isoformat() if shadow.updated else None,
        "linked": sorted(shadow.linked),
        "is_gone": shadow.is_gone,
        "overwrites": {name: _dump_overwrite(overwrite) for name, overwrite in shadow.overwrites.items()},
    }


def load_shadow(data: Mapping[str, Any]) -> Shadow:
    """A stored shadow; an empty one for a member that was never read."""
    if not data:
        return Shadow()
    return Shadow(
        values={name: load_value(name, value) for name, value in data["values"].items()},
        labels=None if data["labels"] is None else frozenset(data["labels"]),
        comment_count=data["comment_count"],
        version=data["version"],
        updated=datetime.fromisoformat(data["updated"]) if data["updated"] else None,
        linked=frozenset(data["linked"]),
        is_gone=data["is_gone"],
        overwrites={name: _load_overwrite(name, one) for name, one in data.get("overwrites", {}).items()},
    )


def _dump_overwrite(overwrite: Overwrite) -> dict[str, Any]:
    lost = {"lost": dump_value(overwrite.lost)} if overwrite.is_lost else {}
    return {"before": dump_value(overwrite.before), "read_at": overwrite.read_at.isoformat(), **lost}


def _load_overwrite(field_name: str, data: Mapping[str, Any]) -> Overwrite:
    return Overwrite(
        before=load_value(field_name, data["before"]),
        read_at=datetime.fromisoformat(data["read_at"]),
        is_lost="lost" in data,
        lost=load_value(field_name, data.get("lost")),
    )


def dump_hint(hint: Hint) -> dict[str, Any]:
    return {
        "ticket_id": hint.ticket_id,
        "event": hint.event,
        "at": hint.at.isoformat() if hint.at else None,
        "actor_id": hint.actor_id,
        "values": {
            name: {"labels": sorted(value)} if isinstance(value, frozenset) else dump_value(value)
            for name, value in hint.values.items()
        },
        "changed": {name: [dump_value(value) for value in both] for name, both in hint.changed.items()},
        "comment_id": hint.comment_id,
        "is_partial": hint.is_partial,
        "touches_comments": hint.touches_comments,
        "is_deleted": hint.is_deleted,
        "merged_into": hint.merged_into,
    }


def load_hint(data: Mapping[str, Any]) -> Hint:
    values: dict[str, Value | frozenset[str]] = {}
    for name, value in data["values"].items():
        if isinstance(value, Mapping) and "labels" in value:
            values[name] = frozenset(value["labels"])
        else:
            values[name] = load_value(name, value)
    return Hint(
        ticket_id=data["ticket_id"],
        event=data["event"],
        at=datetime.fromisoformat(data["at"]) if data["at"] else None,
        actor_id=data["actor_id"],
        values=values,
        changed={
            name: (load_value(name, before), load_value(name, after))
            for name, (before, after) in data.get("changed", {}).items()
        },
        comment_id=data["comment_id"],
        is_partial=data["is_partial"],
        touches_comments=data["touches_comments"],
        is_deleted=data["is_deleted"],
        merged_into=data.get("merged_into", ""),
    )


def dump_operation(operation: Operation) -> dict[str, Any]:
    """What the journal keeps of an operation: enough to explain it, and to recover it after a crash."""
    data: dict[str, Any] = {"name": operation.name, "does": operation.describe(), "because": operation.because}
    match operation:
        case CreateTicket():
            data |= {
                "source": str(operation.source),
                "marker": operation.draft.marker,
                "held": {name: dump_value(value) for name, value in operation.draft.values.items()},
                "labels": sorted(operation.draft.labels),
            }
        case WriteLink():
            data |= {"global_id": operation.link.global_id}
        case WriteFields():
            data |= {
                "held": {w.field: dump_value(w.held) for w in operation.writes},
                "seen": {w.field: _dump_seen(w) for w in operation.writes},
                "seen_labels": _dump_seen_labels(operation.labels),
                "add": sorted(operation.changes.add_labels),
                "remove": sorted(operation.changes.remove_labels),
            }
        case Transition():
            data |= {
                "held": {"status": dump_value(operation.write.held)},
                "seen": {"status": _dump_seen(operation.write)},
            }
        case AddComment():
            data |= {
                "kind": operation.kind,
                "marker": operation.marker,
                "origin": str(operation.origin),
                "origin_id": operation.origin_id,
                "digest": operation.digest,
                "visibility": operation.visibility.value,
                "files": [
                    {"id": f.attachment.id, "visibility": f.visibility.value, "name": f.attachment.name}
                    for f in operation.files
                ],
                "left_files": list(operation.left_files),
                "is_note_about_copy": operation.is_note_about_copy,
                "ends_copy": operation.ends_copy,
                "orders": list(operation.order_ids),
            }
        case ChangeTicket() | Notify() | CallAction():
            data |= {"mark": operation.mark, "orders": list(operation.order_ids)}
        case EditComment() | DeleteComment():
            data |= {
                "origin": str(operation.origin),
                "origin_id": operation.origin_id,
                "comment_id": operation.comment_id,
            }
        case AttachFile():
            data |= {
                "origin": str(operation.file.origin),
                "file": operation.file.attachment.id,
                "file_name": operation.file.attachment.name,
                "size": operation.file.attachment.size,
            }
    return data


def _dump_seen(write: FieldWrite) -> dict[str, Any]:
    return {str(ref): dump_value(value) for ref, value in write.seen.items()}


def _dump_seen_labels(write: LabelWrite | None) -> dict[str, list[str]]:
    return {str(ref): sorted(labels) for ref, labels in write.seen.items()} if write else {}


def dump_changes(changes: Changes) -> dict[str, Any]:
    """Field and label changes as an order keeps them."""
    return {
        "values": {name: dump_value(value) for name, value in changes.values.items()},
        "add": sorted(changes.add_labels),
        "remove": sorted(changes.remove_labels),
    }


def load_changes(data: Mapping[str, Any]) -> Changes:
    """What `dump_changes` wrote."""
    return Changes(
        values={name: load_value(name, value) for name, value in data["values"].items()},
        add_labels=frozenset(data["add"]),
        remove_labels=frozenset(data["remove"]),
    )
