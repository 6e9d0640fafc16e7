"""Does what a plan says: an intent before each outside effect, a receipt after it.

One bad operation stops only itself; a tracker that is down stops only what goes to it. A field that the tracker
refuses is set aside with its reason and the others are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from hub.connector import (
    ActionRequest,
    Capability,
    Changes,
    ConflictError,
    Connector,
    ConnectorError,
    Created,
    Draft,
    NewComment,
    PermanentError,
    RateLimitedError,
    RefusedError,
    TemporaryError,
    WrittenComment,
)
from hub.journal import cases, intents, links
from hub.journal.copies import Copy
from hub.sync.advance import after_fields, shadow_of_created, with_version
from hub.sync.codec import dump_changes, dump_operation, dump_shadow
from hub.sync.fields import digest_of
from hub.sync.files import Fetched, TooLargeError, fetched
from hub.sync.operations import (
    AddComment,
    AttachFile,
    CallAction,
    ChangeTicket,
    CreateTicket,
    DeleteComment,
    EditComment,
    FileCopy,
    Notify,
    Operation,
    Transition,
    WriteFields,
    WriteLink,
    digest_of_operation,
    outlet_of,
)
from hub.sync.progress import Progress
from hub.sync.state import Member
from hub.ticket import Markdown, Person, Status, TicketRef, Visibility

CANNOT_BE_REPEATED = (CreateTicket, AddComment, AttachFile, Notify, CallAction)
"""Doing one of these twice would double something; each gets its receipt before the next begins."""


class _OutletError(Exception):
    """A notifier or an action cannot do its part now; the ticket's tracker has nothing to do with it."""

    def __init__(self, cause: TemporaryError) -> None:
        self.cause = cause
        super().__init__(str(cause))


def apply_operations(progress: Progress, operations: Sequence[Operation]) -> None:
    """Does the operations in order, and leaves in `progress` what became of them."""
    stored = _store_intents(progress, operations)
    for index, (operation, intent_id) in enumerate(zip(operations, stored, strict=True)):
        tracker, outlet = operation.target.tracker, outlet_of(operation)
        if outlet and outlet in progress.closed:
            progress.leave_unsent(operation, progress.closed[outlet])
            progress.finish_intent(intent_id, "void", {"why": "not tried: it did not answer a moment ago"})
            continue
        if not outlet and (tracker in progress.down or operation.target in progress.stale):
            progress.finish_intent(intent_id, "void", {"why": "not tried: an earlier operation did not get through"})
            progress.hold_back(operation)
            continue
        try:
            receipt = _do(progress, operation)
        except ConflictError as error:
            progress.stale.add(operation.target)
            progress.finish_intent(intent_id, "void", {"why": error.why})
            progress.hold_back(operation)
        except _OutletError as error:
            # A message may have arrived all the same; the other way round it would never arrive.
            progress.closed[outlet] = error.cause
            progress.leave_unsent(operation, error.cause)
            progress.finish_intent(intent_id, "void", {"why": error.cause.why})
        except RateLimitedError as error:
            progress.postpone(tracker, error, error.retry_after)
            progress.finish_intent(intent_id, "void", {"why": error.why})
            progress.hold_back(operation)
        except TemporaryError as error:
            # Whether it had its effect is not known: the intent stays open and is looked up before the next try.
            progress.postpone(tracker, error)
            progress.hold_back(operation)
        except PermanentError as error:
            progress.finish_intent(intent_id, "refused", {"why": error.why})
            progress.fail(operation.target, operation.name, digest_of_operation(operation), error)
            progress.hold_back(operation)
        else:
            # What only the shadows would remember is receipted with them: at the end of the run.
            at_end = not isinstance(operation, CANNOT_BE_REPEATED)
            progress.finish_intent(intent_id, "done", receipt, at_end=at_end)
            progress.succeed(operation)
            more = any(isinstance(o, CANNOT_BE_REPEATED) for o in operations[index + 1 :])
            # After the last one the caller plans again, or ends, and writes the receipt with what comes of that.
            if isinstance(operation, CANNOT_BE_REPEATED) and more:
                progress.flush()


def _store_intents(progress: Progress, operations: Sequence[Operation]) -> list[int]:
    now = progress.context.now()
    plans = [
        intents.Plan(
            target=operation.target,
            kind=type(operation).__name__,
            marker=marker_of(operation),
            operation=dump_operation(operation),
        )
        for operation in operations
    ]
    with progress.transaction() as connection:
        progress.flush_into(connection)
        return intents.store_intents(connection, progress.state.id, plans, now)


def marker_of(operation: Operation) -> str:
    """By what the effect of an operation can be found at the tracker; empty where doing it again does no harm."""
    match operation:
        case CreateTicket():
            return operation.draft.marker
        case AddComment():
            return operation.marker
        case WriteLink():
            return operation.link.global_id
        case ChangeTicket() | Notify() | CallAction():
            return operation.mark
        case _:
            return ""


def _do(progress: Progress, operation: Operation) -> dict[str, Any]:
    connector = progress.context.connectors[operation.target.tracker]
    match operation:
        case CreateTicket():
            return _create(progress, connector, operation)
        case WriteLink():
            note = connector.write_link(operation.target.id, operation.link)
            link_written(progress, operation.target, operation.link.global_id, note)
            return {"comment": note.id} if note else {}
        case WriteFields():
            return _write_fields(progress, connector, operation)
        case Transition():
            return _transition(progress, connector, operation)
        case AddComment():
            return _add_comment(progress, connector, operation)
        case EditComment():
            connector.edit_comment(operation.target.id, operation.comment_id, operation.text, operation.visibility)
            _lose_version(progress, operation.target)
            known = progress.copy("comment", operation.origin, operation.origin_id, operation.target)
            progress.save_copy(replace(known, digest=operation.digest, visibility=operation.visibility))
            return {"comment": operation.comment_id}
        case DeleteComment():
            connector.delete_comment(operation.target.id, operation.comment_id)
            _lose_version(progress, operation.target)
            known = progress.copy("comment", operation.origin, operation.origin_id, operation.target)
            progress.save_copy(replace(known, state="gone"))
            return {"comment": operation.comment_id}
        case AttachFile():
            return _attach(progress, connector, operation)
        case ChangeTicket():
            return _change(progress, connector, operation)
        case Notify() | CallAction():
            try:
                return _let_out(progress, operation)
            except TemporaryError as error:
                raise _OutletError(error) from error


def _let_out(progress: Progress, operation: Notify | CallAction) -> dict[str, Any]:
    if isinstance(operation, CallAction):
        return _call(progress, operation)
    progress.context.outlets.notify(operation.notifier, operation.text)
    return {"notifier": operation.notifier}


def create_without_refused(connector: Connector, draft: Draft) -> tuple[Created, Draft]:
    """Creates a ticket; what its tracker refuses is left out and named in the receipt. Returns what was written.

    Raises ConnectorError; RefusedError where it does not take the title, or says nothing new.
    """
    refused: dict[str, str] = {}
    while True:
        try:
            created = connector.create(draft)
        except RefusedError as error:
            new = {name: why for name, why in error.fields.items() if name not in refused and name != "title"}
            if not new:
                raise
            refused |= new
            draft = replace(
                draft,
                values={name: v for name, v in draft.values.items() if name not in refused},
                labels=frozenset() if "labels" in refused else draft.labels,
                description=Markdown("") if "description" in refused else draft.description,
            )
        else:
            return replace(created, refused={**refused, **created.refused}), draft


def _create(progress: Progress, connector: Connector, operation: CreateTicket) -> dict[str, Any]:
    created, draft = create_without_refused(connector, operation.draft)
    operation = replace(operation, draft=draft)
    ref = TicketRef(operation.target.tracker, created.id)
    ticket_created(progress, operation, created)
    for name, why in created.refused.items():
        progress.fail_field(ref, name, "", why, f"Look at field {name} in {ref.tracker}", (operation.source,))
    return {"id": created.id, "key": created.key, "url": created.url, "refused": dict(created.refused)}


def ticket_created(progress: Progress, operation: CreateTicket, created: Created) -> None:
    """Takes a new ticket into the link; also when it is found after a crash."""
    ref = TicketRef(operation.target.tracker, created.id)
    shadow = shadow_of_created(progress.state, operation, created)
    progress.add_member(
        Member(
            ref=ref,
            key=created.key,
            url=created.url,
            role="issue",
            joined=progress.context.now(),
            form=progress.state.issue_form,
            shadow=shadow,
            people=progress.state.tickets[0].people,
        )
    )
    progress.later(
        lambda connection: links.add_member(
            connection,
            progress.state.id,
            ref,
            key=created.key,
            url=created.url,
            role="issue",
            now=progress.context.now(),
            shadow=dump_shadow(shadow),
        )
    )


def link_written(progress: Progress, target: TicketRef, global_id: str, note: WrittenComment | None) -> None:
    """The counterpart is shown in the ticket now, with a note or without; also when it is found after a crash."""
    member = progress.state.member(target)
    shadow = replace(member.shadow, linked=member.shadow.linked | {global_id})
    progress.replace_member(with_version(replace(member, shadow=shadow), ""))
    if note is not None:
        progress.save_copy(
            Copy(
                kind="note",
                origin=target,
                origin_id=f"note:{note.id}",
                target=target,
                target_id=note.id,
                visibility=note.visibility,
                digest="",
            )
        )
        _count_comment(progress, target, note.version)


def _write_fields(progress: Progress, connector: Connector, operation: WriteFields) -> dict[str, Any]:
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
            progress.replace_member(after_fields(member, operation, written.version))
            progress.fields_done(operation.writes)
            break
    return {"written": sorted({w.field for w in operation.writes}), "refused": refused}


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


def _transition(progress: Progress, connector: Connector, operation: Transition) -> dict[str, Any]:
    write = operation.write
    try:
        written = connector.transition(operation.target.id, operation.status)
    except RefusedError as error:
        why = error.fields.get("status", error.why)
        progress.fail_field(write.target, "status", digest_of(write.value), why, error.remedy, write.sources)
        return {"written": [], "refused": {"status": why}}
    member = progress.state.member(operation.target)
    progress.replace_member(
        with_version(replace(member, written={**member.written, "status": write.held}), written.version)
    )
    progress.fields_done((write,))
    return {"written": ["status"]}


def _add_comment(progress: Progress, connector: Connector, operation: AddComment) -> dict[str, Any]:
    with ExitStack() as stack:
        files, text = _fetch_files(progress, stack, operation)
        written = connector.add_comment(
            operation.target.id,
            NewComment(
                text=text,
                visibility=operation.visibility,
                marker=operation.marker,
                author=operation.author,
                uploads=tuple(f.upload for _, f in files),
            ),
        )
    digests = {copy.attachment.id: f.digest for copy, f in files}
    comment_written(
        progress,
        target=operation.target,
        record=dump_operation(operation),
        comment_id=written.id,
        attachment_ids=dict(zip((copy.attachment.id for copy, _ in files), written.attachment_ids, strict=False)),
        digests=digests,
        version=written.version,
    )
    if written.visibility.is_public and not operation.visibility.is_public:
        raise PermanentError(
            operation.target.tracker,
            f"write a private comment in {operation.target}",
            f"it was written, but as a public one ({written.id}).",
            "Make it private by hand, and keep the hub's account from commenting there until this is clear.",
        )
    return {"comment": written.id, "visibility": written.visibility.value}


def comment_written(
    progress: Progress,
    *,
    target: TicketRef,
    record: dict[str, Any],
    comment_id: str,
    attachment_ids: dict[str, str],
    digests: dict[str, str],
    version: str,
) -> None:
    """Takes a written comment into account; also when it is found after a crash.

    `record` is the operation as the journal keeps it; `attachment_ids` and `digests` by the origin's file id.
    """
    origin, visibility = TicketRef.parse(record["origin"]), Visibility(record["visibility"])
    kept_id = comment_id
    if record["is_note_about_copy"]:
        kept_id = progress.copy("comment", origin, record["origin_id"], target).target_id
        progress.save_copy(
            Copy(
                kind="note",
                origin=target,
                origin_id=f"note:{comment_id}",
                target=target,
                target_id=comment_id,
                visibility=visibility,
                digest="",
            )
        )
    progress.save_copy(
        Copy(
            kind=record["kind"],
            origin=origin,
            origin_id=record["origin_id"],
            target=target,
            target_id=kept_id,
            visibility=visibility,
            digest=record["digest"],
            state="gone" if record["ends_copy"] else "copied",
        )
    )
    for file in record["files"]:
        if file["id"] in attachment_ids:
            progress.save_copy(
                Copy(
                    kind="attachment",
                    origin=origin,
                    origin_id=file["id"],
                    target=target,
                    target_id=attachment_ids[file["id"]],
                    visibility=Visibility(file["visibility"]),
                    digest=digests.get(file["id"], ""),
                )
            )
    for file_id in record["left_files"]:
        progress.save_copy(_left_file(origin, file_id, target))
    _count_comment(progress, target, version)


def _count_comment(progress: Progress, target: TicketRef, version: str) -> None:
    """The hub's own comment is no reason to read all comments the next time."""
    member = progress.state.member(target)
    shadow, snapshot = member.shadow, member.snapshot
    if shadow.comment_count is not None:
        shadow = replace(shadow, comment_count=shadow.comment_count + 1)
    if snapshot is not None and snapshot.comment_count is not None:
        snapshot = replace(snapshot, comment_count=snapshot.comment_count + 1)
    progress.replace_member(with_version(replace(member, shadow=shadow, snapshot=snapshot), version))


def _fetch_files(
    progress: Progress, stack: ExitStack, operation: AddComment
) -> tuple[list[tuple[FileCopy, Fetched]], Markdown]:
    """The files at hand, and the text with a line for each that could not be had."""
    files: list[tuple[FileCopy, Fetched]] = []
    text = operation.text
    limit = progress.state.settings.attachments.max_bytes
    for copy in operation.files:
        source = progress.context.connectors[copy.origin.tracker]
        try:
            files.append((copy, stack.enter_context(fetched(source, copy.attachment, limit))))
        except (PermanentError, TooLargeError) as error:
            why = error.why if isinstance(error, ConnectorError) else "it is too large"
            text = Markdown(f"{text}\n\n*The file {copy.attachment.name} did not travel: {why}*")
            progress.save_copy(_left_file(copy.origin, copy.attachment.id, operation.target))
    return files, text


def _left_file(origin: TicketRef, file_id: str, target: TicketRef) -> Copy:
    return Copy(
        kind="attachment",
        origin=origin,
        origin_id=file_id,
        target=target,
        target_id="",
        visibility=Visibility.PRIVATE,
        digest="",
        state="left",
    )


def _attach(progress: Progress, connector: Connector, operation: AttachFile) -> dict[str, Any]:
    file = operation.file
    source = progress.context.connectors[file.origin.tracker]
    limit = progress.state.settings.attachments.max_bytes
    try:
        with fetched(source, file.attachment, limit) as content:
            twin = next(
                (
                    c
                    for c in progress.state.copies
                    if c.kind == "attachment" and c.target == operation.target and c.digest == content.digest
                ),
                None,
            )
            attached = twin.target_id if twin else connector.attach(operation.target.id, content.upload).id
            digest = content.digest
    except TooLargeError:
        progress.save_copy(_left_file(file.origin, file.attachment.id, operation.target))
        raise PermanentError(
            file.origin.tracker,
            f"copy the file {file.attachment.name}",
            f"it is larger than {limit} bytes.",
            "Raise attachments.max_bytes of the link, then retry.",
        ) from None
    file_written(progress, operation.target, file.origin, file.attachment.id, attached, digest)
    return {"attachment": attached}


def file_written(
    progress: Progress, target: TicketRef, origin: TicketRef, file_id: str, attached: str, digest: str
) -> None:
    """Takes an attached file into account; also when it is found after a crash."""
    progress.save_copy(
        Copy(
            kind="attachment",
            origin=origin,
            origin_id=file_id,
            target=target,
            target_id=attached,
            visibility=Visibility.PUBLIC,
            digest=digest,
        )
    )
    _lose_version(progress, target)


def _lose_version(progress: Progress, target: TicketRef) -> None:
    progress.replace_member(with_version(progress.state.member(target), ""))


def _change(progress: Progress, connector: Connector, operation: ChangeTicket) -> dict[str, Any]:
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


def _place(connection: Connection, orders: Sequence[cases.Order], now: datetime) -> None:
    cases.place_orders(connection, orders, now)


def _call(progress: Progress, operation: CallAction) -> dict[str, Any]:
    """The action says what is to be told; that is ordered, and written like every other text."""
    member = progress.state.member(operation.target)
    assert member.snapshot is not None
    request = ActionRequest(
        ref=operation.target, ticket=member.snapshot.ticket, arguments=operation.arguments, mark=operation.mark
    )
    said = progress.context.outlets.call(operation.action, request)
    orders = [
        cases.Order(
            ref=operation.target,
            mark=f"{operation.mark} says {index}",
            kind="text",
            data={"text": text.text, "visibility": text.visibility.value},
            because=f"{operation.action}: {operation.because}",
        )
        for index, text in enumerate(said.texts)
    ]
    now = progress.context.now()
    progress.later(lambda connection: _place(connection, orders, now))
    return {"action": operation.action, "said": len(orders), **said.receipt}
