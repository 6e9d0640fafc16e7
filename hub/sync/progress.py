"""How far a run has come: the state as it changes, what waits to be recorded, and what went wrong.

Receipts and records are gathered and written together: with the next intents, after something that must not be done
twice, and at the end of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.engine import Connection

from hub.connector import ConnectorError, PermanentError, TemporaryError
from hub.journal import cases, copies, events, failures, intents
from hub.journal.copies import Copy
from hub.journal.failures import Failure
from hub.journal.intents import IntentEnd, Receipt
from hub.sync.codec import dump_value
from hub.sync.context import Context
from hub.sync.failing import note_failure
from hub.sync.fields import FieldWrite, synced_fields
from hub.sync.keys import link_key
from hub.sync.operations import AddComment, AttachFile, CreateTicket, EditComment, Operation, Transition, WriteFields
from hub.sync.state import LinkState, Member
from hub.ticket import TicketRef, Value

log = structlog.get_logger("hub.sync")


STILL_TRIED = "tried again"
"""Stands where a refused attempt is recognised by: no attempt is like it, so the next one is made."""


class Progress:
    """The life of one run of one link. Used by one thread."""

    def __init__(self, context: Context, state: LinkState, known_failures: Iterable[Failure] = ()) -> None:
        self.context = context
        self.state = state
        self.down: dict[str, ConnectorError] = {}
        """Trackers that did not answer, and why."""
        self.closed: dict[str, TemporaryError] = {}
        """Notifiers and actions that did not answer, and why."""
        self.unsent: dict[tuple[TicketRef, str], TemporaryError] = {}
        """What they were to do: it is tried again, and nothing else waits for it."""
        self.stale: set[TicketRef] = set()
        """Members that changed since they were read."""
        self.held_back: set[tuple[TicketRef, str]] = set()
        self.unfinished: set[TicketRef] = set()
        """Tickets for which there was more to do than one run does."""
        self.look_again: dict[TicketRef, timedelta] = {}
        """Tickets about which more can be decided after this time."""
        self.is_complete = False
        """Everything that was seen has been decided about; before that, nothing that was seen may count as known."""
        self.retry_after: float | None = None
        self.failed: set[tuple[TicketRef, str]] = set()
        self.succeeded: set[tuple[TicketRef, str]] = set()
        self.problems: set[tuple[TicketRef, str]] | None = None
        """What could not travel when the run was done; None before that."""
        self.writes = 0
        self.done_writes: list[FieldWrite] = []
        self._known_failures = list(known_failures)
        self._later: list[Callable[[Connection], None]] = []
        self._opening: tuple[Connection, ExitStack] | None = None
        self._events: list[events.Event] = []
        self._receipts: list[Receipt] = []
        self._receipts_at_end: list[Receipt] = []

    @property
    def key(self) -> str:
        return link_key(self.state.id) if self.state.id else str(self.state.members[0].ref)

    @property
    def _about(self) -> dict[str, int]:
        """The link in a log line; a ticket that is in none has its own name there."""
        return {"link": self.state.id} if self.state.id else {}

    # the state

    def replace_member(self, member: Member) -> None:
        self.state = self.state.with_member(member)

    def add_member(self, member: Member) -> None:
        self.state = replace(self.state, members=(*self.state.members, member))

    def copy(self, kind: str, origin: TicketRef, origin_id: str, target: TicketRef) -> Copy:
        """The record of a copy. Raises LookupError when there is none."""
        for one in self.state.copies:
            if (one.kind, one.origin, one.origin_id, one.target) == (kind, origin, origin_id, target):
                return one
        raise LookupError(f"no copy of {kind} {origin_id} of {origin} in {target}")

    def save_copy(self, copy: Copy) -> None:
        identity = (copy.kind, copy.origin, copy.origin_id, copy.target)
        others = tuple(c for c in self.state.copies if (c.kind, c.origin, c.origin_id, c.target) != identity)
        self.state = replace(self.state, copies=(*others, copy))
        self.later(lambda connection: copies.save_copy(connection, copy))

    # what waits to be recorded

    def later(self, record: Callable[[Connection], None]) -> None:
        self._later.append(record)

    def flush_into(self, connection: Connection) -> None:
        waiting, self._later = self._later, []
        for record in waiting:
            record(connection)
        noted, self._events = self._events, []
        events.record(connection, noted)
        receipts, self._receipts = self._receipts, []
        intents.finish_intents(connection, receipts)

    def flush_all_into(self, connection: Connection) -> None:
        """The end of the run: what was gathered, and the receipts that belong to the shadows."""
        self._receipts += self._receipts_at_end
        self._receipts_at_end = []
        self.flush_into(connection)

    def flush(self) -> None:
        """Makes durable what was gathered."""
        with self.transaction() as connection:
            self.flush_into(connection)

    def open_with(self, connection: Connection, end: ExitStack) -> None:
        """Lets the next transaction of this run go on with one that has begun already; `end` ends that one.

        So a new link and its first intents become durable together. It has to end before anything else waits for
        a turn to write, and before any call.
        """
        self._opening = (connection, end)

    def end_opening(self) -> None:
        """Makes what `open_with` began durable, if it has not ended yet."""
        if self._opening is not None:
            self.flush()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction that writes; durable when the block ends without an error."""
        if self._opening is None:
            with self.context.journal.write() as connection:
                yield connection
        else:
            (connection, end), self._opening = self._opening, None
            with end:
                yield connection

    def note(self, kind: str, ref: TicketRef | None = None, **data: Any) -> None:
        """An entry in the record of this link."""
        link_id = self.state.id or None
        self._events.append(events.Event(at=self.context.now(), kind=kind, ref=ref, link_id=link_id, data=data))

    def note_overwritten(
        self, ref: TicketRef, field_name: str, *, lost: Value, wrote: Value, by: str | None = None, at: str = ""
    ) -> None:
        """The hub wrote over what a person had put there meanwhile; `by` and `at` where that is told."""
        self.note(
            "overwritten", ref, field=field_name, lost=dump_value(lost), wrote=dump_value(wrote), by=by, changed_at=at
        )

    def finish_intent(self, intent_id: int, end: IntentEnd, receipt: dict[str, Any], *, at_end: bool = False) -> None:
        """Writes a receipt with the next transaction, or `at_end` with the shadows."""
        where = self._receipts_at_end if at_end else self._receipts
        where.append(Receipt(intent_id, end, receipt, self.context.now()))

    # what became of operations

    def succeed(self, operation: Operation) -> None:
        self.writes += 1
        self.succeeded.add((operation.target, operation.name))
        for order_id in getattr(operation, "order_ids", ()):
            self.order_done(order_id)
        self.context.count_write(operation.target.tracker, type(operation).__name__)
        log.info("written", **self._about, ticket=str(operation.target), what=type(operation).__name__)

    def order_done(self, order_id: int, outcome: str = "") -> None:
        self.later(lambda connection: cases.finish_order(connection, order_id, "done", outcome))

    def order_dropped(self, order_id: int, why: str) -> None:
        self.later(lambda connection: cases.finish_order(connection, order_id, "dropped", why))

    def fields_done(self, writes: Iterable[FieldWrite]) -> None:
        for write in writes:
            self.done_writes.append(write)
            self.succeeded.add((write.target, write.field))

    def hold_back(self, operation: Operation) -> None:
        """What the operation was to carry stays a change where it came from."""
        match operation:
            case WriteFields():
                for write in operation.writes:
                    self._hold_back_write(write)
                if operation.labels:
                    self.held_back.add((operation.target, "labels"))
                    self.held_back |= {(source, "labels") for source in operation.labels.sources}
            case Transition():
                self._hold_back_write(operation.write)
            case AddComment() | EditComment():
                self.held_back.add((operation.origin, "comments"))
            case AttachFile():
                self.held_back.add((operation.file.origin, "comments"))
            case CreateTicket():
                self.held_back.add((operation.source, "comments"))
            case _:
                pass

    def _hold_back_write(self, write: FieldWrite) -> None:
        self.held_back.add((write.target, write.field))
        self.held_back |= {(source, write.field) for source in write.sources}

    def fail(self, ref: TicketRef, what: str, digest: str, error: PermanentError) -> None:
        """Puts something into the failures list; it is not tried again until it changes or somebody asks."""
        self._fail(ref, what, digest, error.why, error.remedy)

    def fail_field(
        self,
        ref: TicketRef,
        field_name: str,
        digest: str,
        why: str,
        remedy: str,
        sources: Iterable[TicketRef],
    ) -> None:
        """A field that cannot be written; whose change it carries stays a change."""
        self.held_back.add((ref, field_name))
        self.held_back |= {(source, field_name) for source in sources}
        self._fail(ref, field_name, digest, why, remedy)

    def _fail(self, ref: TicketRef, what: str, digest: str, why: str, remedy: str) -> None:
        self.failed.add((ref, what))
        is_known = self.state.blocked.get((ref, what)) == digest
        self.state = replace(self.state, blocked={**self.state.blocked, (ref, what): digest})
        if is_known:
            return
        log.warning("failed", **self._about, ticket=str(ref), what=what, why=why)
        self.note("failed", ref, what=what, why=why, remedy=remedy)
        self._put_on_list(ref, what, digest, why, remedy)

    def leave_unsent(self, operation: Operation, error: TemporaryError) -> None:
        """What goes out of the hub by another way than a tracker could not; its order stays open."""
        self.unsent[operation.target, operation.name] = error
        self.failed.add((operation.target, operation.name))
        log.warning("not sent", **self._about, ticket=str(operation.target), doing=error.doing, why=error.why)
        self.note("postponed", operation.target, where=error.tracker, doing=error.doing, why=error.why)

    def record_unsent(self) -> None:
        """Puts what could not go out into the failures list; unlike a refusal it is tried again by itself."""
        for (ref, name), error in self.unsent.items():
            remedy = error.remedy or "It is tried again by itself."
            self._put_on_list(ref, name, STILL_TRIED, f"{error.doing}: {error.why}", remedy)

    def _put_on_list(self, ref: TicketRef, what: str, digest: str, why: str, remedy: str) -> None:
        context, now = self.context, self.context.now()
        # One that was opened under the ticket's own key, before it was linked, stays the same one.
        key = next((f.key for f in self._known_failures if f.what == f"{ref} {what}"), self.key)
        self.later(
            lambda connection: note_failure(
                connection, context, key=key, ref=ref, what=what, digest=digest, why=why, remedy=remedy, now=now
            )
        )

    def postpone(self, tracker: str, error: ConnectorError, retry_after: float | None = None) -> None:
        """The tracker does not answer now: nothing more goes to it in this run."""
        self.down[tracker] = error
        if retry_after is not None:
            self.retry_after = max(self.retry_after or 0.0, retry_after)
        log.warning("postponed", **self._about, tracker=tracker, why=error.why, doing=error.doing)
        self.note("postponed", None, where=tracker, doing=error.doing, why=error.why)

    def settle_failures(self, connection: Connection) -> None:
        """Closes the failures whose cause is gone: it worked now, or it was asked for again and nothing was left."""
        for failure in self._known_failures:
            ref, what = TicketRef(failure.tracker, failure.ticket_id), failure_name(failure)
            is_over = (ref, what) in self.succeeded or failure.state == "retry" or what == "run"
            if what in synced_fields(self.state) and self._has_read_all() and self.problems is not None:
                is_over = is_over or (ref, what) not in self.problems
            if is_over and (ref, what) not in self.failed:
                failures.resolve_failure(connection, failure.key, failure.what)

    def _has_read_all(self) -> bool:
        return all(m.snapshot is not None for m in self.state.members)


def failure_name(failure: Failure) -> str:
    """The field or operation that a failure is about."""
    return failure.what.partition(" ")[2]


def backoff(attempts: int, first: float, most: float) -> timedelta:
    """How long to wait before the next try after this many failed ones: doubles each time, up to `most` seconds."""
    return timedelta(seconds=min(first * 2.0 ** min(attempts, 30), most))
