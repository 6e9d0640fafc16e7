"""Does what a plan says: an intent before each outside effect, a receipt after it.

One bad operation stops only itself; a tracker that is down stops only what goes to it. A field that the tracker
refuses is set aside with its reason and the others are written.

It must not know how an operation is done, only what each of its outcomes means for the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.connector import ConflictError, PermanentError, RateLimitedError, TemporaryError
from hub.journal import intents
from hub.sync.calling import OutletError, let_out
from hub.sync.changing import change, transition, write_fields
from hub.sync.codec import dump_operation
from hub.sync.commenting import add_comment, attach_file, delete_comment, edit_comment
from hub.sync.creating import create, write_link
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
    digest_of_operation,
    outlet_of,
)
from hub.sync.progress import Progress

CANNOT_BE_REPEATED = (CreateTicket, AddComment, AttachFile, Notify, CallAction)
"""Doing one of these twice would double something; each gets its receipt before the next begins."""


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
        except OutletError as error:
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


def _do(progress: Progress, operation: Operation) -> dict[str, Any]:
    connector = progress.context.connectors[operation.target.tracker]
    match operation:
        case CreateTicket():
            return create(progress, connector, operation)
        case WriteLink():
            return write_link(progress, connector, operation)
        case WriteFields():
            return write_fields(progress, connector, operation)
        case Transition():
            return transition(progress, connector, operation)
        case AddComment():
            return add_comment(progress, connector, operation)
        case EditComment():
            return edit_comment(progress, connector, operation)
        case DeleteComment():
            return delete_comment(progress, connector, operation)
        case AttachFile():
            return attach_file(progress, connector, operation)
        case ChangeTicket():
            return change(progress, connector, operation)
        case Notify() | CallAction():
            try:
                return let_out(progress, operation)
            except TemporaryError as error:
                raise OutletError(error) from error
