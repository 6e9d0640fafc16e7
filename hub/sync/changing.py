"""Doing operations on fields and labels: what the tracker refuses is set aside with its reason, the rest is written.

It must not know why a value is written, only that a link keeps it in step or that it was ordered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy.engine import Connection

from hub.connector import Capability, Changes, Connector, PermanentError, RefusedError
from hub.journal import cases
from hub.sync.advance import after_fields, after_values
from hub.sync.codec import dump_changes
from hub.sync.fields import FieldWrite, digest_of
from hub.sync.operations import ChangeTicket, Transition, WriteFields
from hub.sync.progress import Progress
from hub.ticket import Person, Status


def write_fields(progress: Progress, connector: Connector, operation: WriteFields) -> dict[str, Any]:
    """Writes fields and labels; each that is refused stands in the failures list with its reason."""
    refused: dict[str, str] = {}
    while True:
        member = progress.state.member(operation.target)
        if not operation.changes:
            break
        try:
            written = connector.update(operation.target.id, operation.changes, member.snapshot)
        except RefusedError as error:
            names = set(operation.changes.values)
            if operation.labels:
                names.add("labels")
            new = {name: why for name, why in error.fields.items() if name in names}
            if not new:
                raise
            refused |= new
            operation = _set_aside(progress, operation, new, error.remedy)
        else:
            progress.replace_member(after_fields(member, operation, written))
            progress.fields_done(operation.writes)
            _note_overwritten(progress, operation.writes)
            break
    return {"written": sorted({w.field for w in operation.writes}), "refused": refused}


def transition(progress: Progress, connector: Connector, operation: Transition) -> dict[str, Any]:
    """Moves a ticket to a status; when that is refused nothing else is held up."""
    write = operation.write
    try:
        written = connector.transition(operation.target.id, operation.status)
    except RefusedError as error:
        why = error.fields.get("status", error.why)
        progress.fail_field(write.target, "status", digest_of(write.value), why, error.remedy, write.sources)
        return {"written": [], "refused": {"status": why}}
    member = progress.state.member(operation.target)
    progress.replace_member(after_values(member, (write,), written))
    progress.fields_done((write,))
    _note_overwritten(progress, (write,))
    return {"written": ["status"]}


def _note_overwritten(progress: Progress, writes: Sequence[FieldWrite]) -> None:
    """What the receipts say of changes that these writes met; the next run merges them."""
    for write in writes:
        overwrite = progress.state.member(write.target).shadow.overwrites.get(write.field)
        if overwrite is not None and overwrite.is_lost:
            progress.note_overwritten(write.target, write.field, lost=overwrite.lost, wrote=write.held)
            progress.look_again[write.target] = timedelta()


def change(progress: Progress, connector: Connector, operation: ChangeTicket) -> dict[str, Any]:
    """What a rule changed counts as a change made at the ticket: the snapshot shows it, and not the shadow."""
    refused: dict[str, str] = {}
    changes = operation.changes
    moves = "status" in changes.values and Capability.TRANSITIONS in connector.capabilities
    plain = changes.without(["status"]) if moves else changes
    version = None
    basis = progress.state.member(operation.target).snapshot
    while plain:
        try:
            version = connector.update(operation.target.id, plain, basis).version
            break
        except RefusedError as error:
            names = {*plain.values, *(["labels"] if plain.add_labels or plain.remove_labels else [])}
            new = {name: why for name, why in error.fields.items() if name in names}
            if not new:
                raise
            refused |= new
            plain = plain.without(list(new))
    if moves:
        status = changes.values["status"]
        assert isinstance(status, Status)
        try:
            version = connector.transition(operation.target.id, status).version
        except RefusedError as error:
            refused["status"] = error.fields.get("status", error.why)
    _show_changes(progress, operation, changes.without(list(refused)), version)
    if refused:
        left = changes.only(list(refused))
        progress.later(lambda connection: _keep_refused(connection, operation, left))
        what = ", ".join(f"{name}: {why}" for name, why in refused.items())
        raise PermanentError(operation.target.tracker, operation.describe(), what, "Then: hub failures retry.")
    return {"written": sorted(changes.values)}


def _set_aside(progress: Progress, operation: WriteFields, refused: dict[str, str], remedy: str) -> WriteFields:
    for write in operation.writes:
        if write.field in refused:
            progress.fail_field(
                write.target, write.field, digest_of(write.value), refused[write.field], remedy, write.sources
            )
    labels = operation.labels
    if labels is not None and "labels" in refused:
        digest = digest_of(tuple(sorted(labels.add) + [f"-{label}" for label in sorted(labels.remove)]))
        progress.fail_field(operation.target, "labels", digest, refused["labels"], remedy, labels.sources)
        labels = None
    return replace(
        operation,
        changes=operation.changes.without(list(refused)),
        writes=tuple(w for w in operation.writes if w.field not in refused),
        labels=labels,
    )


def _keep_refused(connection: Connection, operation: ChangeTicket, left: Changes) -> None:
    """What was refused stays ordered; the rest is done."""
    first, *others = operation.order_ids
    cases.change_order(connection, first, dump_changes(left))
    for order_id in others:
        cases.finish_order(connection, order_id, "done", "together with another")


def _show_changes(progress: Progress, operation: ChangeTicket, done: Changes, version: str | None) -> None:
    member = progress.state.member(operation.target)
    if version is None or member.snapshot is None:
        return
    ticket = member.snapshot.ticket
    plain = {name: v for name, v in done.values.items() if not name.startswith("custom:") and name != "assignee"}
    custom = {name.removeprefix("custom:"): v for name, v in done.values.items() if name.startswith("custom:")}
    if "assignee" in done.values:
        account = done.values["assignee"]
        plain["assignee"] = None if account is None else Person(id=str(account))  # type: ignore[assignment]
    labels = (ticket.labels | done.add_labels) - done.remove_labels
    ticket = replace(ticket, **plain, custom={**ticket.custom, **custom}, labels=labels)  # type: ignore[arg-type]
    progress.replace_member(replace(member, snapshot=replace(member.snapshot, ticket=ticket, version=version)))
