"""A run of a link: what something points at is read, then rounds of planning and applying follow.

It must not know how the wake came about, nor which trackers these are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hub.connector import ConnectorError, NotFoundError, PermanentError
from hub.journal import cases, deliveries
from hub.journal.cases import CaseRow
from hub.journal.deliveries import Delivery
from hub.sync.apply import apply_operations
from hub.sync.care import earliest_due, look_after
from hub.sync.codec import dump_value, load_hint
from hub.sync.fields import next_turns
from hub.sync.finishing import Result, finish, finish_failed
from hub.sync.fulfil import lose_sight
from hub.sync.loading import Loaded
from hub.sync.merging import take_place
from hub.sync.operations import AddComment, Operation
from hub.sync.overwritten import told_changes, with_lost_changes
from hub.sync.plan import Decision, decide
from hub.sync.progress import Progress
from hub.sync.reading import Request, read_member, requests_of, take_snapshot
from hub.sync.recover import TooEarlyError, adopt_own_writes, recover
from hub.ticket import Snapshot, TicketRef

MAX_ROUNDS = 8
"""How often one run plans again: after a create, a refusal, a conflict. More is a mistake of the hub."""


def run_linked(loaded: Loaded, at_hand: Mapping[TicketRef, Snapshot]) -> Result:
    """Runs a loaded link to its end. What is `at_hand` was read just now, and is not read again."""
    progress = loaded.progress
    if _has_merged(loaded):
        why = "a ticket was merged into another, which took its place"
        return Result("written", progress.context.now(), why)
    echoes: list[int] = []
    if progress.state.settings.template and progress.state.issue is None:
        progress.end_opening()
        refs = [m.ref for m in progress.state.tickets]
        progress.state = replace(progress.state, due=earliest_due(progress.context, refs))
    trouble: ConnectorError | TooEarlyError | None = None
    try:
        maybe_written = recover(progress, loaded.intents)
        wanted, echoes = _what_to_read(loaded, at_hand)
        for ref, request in wanted.items():
            if ref in at_hand:
                take_snapshot(progress, ref, at_hand[ref])
            else:
                _read(progress, ref, request)
        for write in maybe_written:
            adopt_own_writes(progress, write)
        _find_lost_changes(progress, loaded.waiting)
        _rounds(progress)
    except (TooEarlyError, ConnectorError) as error:
        trouble = error
        if isinstance(error, ConnectorError):
            progress.down.setdefault(error.tracker, error)
    if progress.context.takes_orders:
        # A deadline is kept whatever became of the other side.
        try:
            if look_after(progress) and trouble is None:
                _rounds(progress)
        except ConnectorError as error:
            trouble = trouble or error
    if isinstance(trouble, TooEarlyError):
        return finish(loaded, echoes, Result("postponed", trouble.until, str(trouble)))
    if trouble is not None:
        return finish_failed(loaded, echoes, trouble)
    if progress.down:
        return finish_failed(loaded, echoes, next(iter(progress.down.values())))
    return finish(loaded, echoes, Result("written" if progress.writes else "idle"))


def _has_merged(loaded: Loaded) -> bool:
    """Whether a ticket of the link was merged into another that has its place now; the link is woken again then."""
    context, state = loaded.progress.context, loaded.progress.state
    merged = {
        (delivery.ref, TicketRef(delivery.ref.tracker, hint.merged_into))
        for delivery in loaded.waiting
        for hint in map(load_hint, delivery.hints)
        if hint.merged_into and hint.ticket_id == delivery.ref.id
    }
    if merged:
        loaded.progress.flush()
    has_changed = False
    for gone, heir in sorted(merged, key=str):
        with context.journal.write() as connection:
            why = take_place(connection, state.id, gone, heir, context.now())
            if not why:
                done = [d.id for d in loaded.waiting if d.ref == gone]
                deliveries.settle_deliveries(connection, done, "done", "merged")
                deliveries.settle_wakes(connection, [w for w in loaded.taken if w.key == str(gone)])
                has_changed = True
        if why:
            remedy = f"Unlink one of them, then link {heir} to the issue that is to stay."
            loaded.progress.fail(gone, "merge", str(heir), PermanentError(gone.tracker, "merge", why, remedy))
    return has_changed


def _what_to_read(loaded: Loaded, at_hand: Mapping[TicketRef, Snapshot]) -> tuple[dict[TicketRef, Request], list[int]]:
    progress = loaded.progress
    context, state = progress.context, progress.state
    # What is at hand needs no look at who caused it, which may take a call.
    trackers = {d.ref.tracker for d in loaded.waiting if d.ref not in at_hand}
    own = {tracker: context.own_account(tracker) for tracker in trackers}
    told = {d.ref for d in loaded.waiting if d.ref not in at_hand and context.looks_after(d.ref.tracker)}
    known_cases: Mapping[TicketRef, CaseRow] = {}
    if told:
        with context.journal.read() as connection:
            known_cases = cases.cases_of(connection, sorted(told, key=str))
    wanted, echoes = requests_of(state.members, loaded.waiting, state.copies, own, known_cases)
    everything = (
        bool(loaded.intents)
        or any(f.state == "retry" for f in loaded.failures)
        or any(w.key == progress.key and w.reason != "escalated" for w in loaded.taken)
    )
    asked = {w.key for w in loaded.taken if w.reason != "webhook"}
    for member in state.members:
        # What was never seen here cannot be compared: it would be taken for known once the other side is.
        is_unseen = not member.shadow.values or member.shadow.labels is None
        if everything or is_unseen or str(member.ref) in asked or member.ref in at_hand:
            before = wanted.get(member.ref, Request(False))
            is_deleted = any(
                w.key == str(member.ref) and w.reason == deliveries.POLLED_AS_DELETED for w in loaded.taken
            )
            wanted[member.ref] = Request(True, before.may_be_deleted or is_deleted, wants_history=True)
        if member.shadow.is_gone:
            wanted.pop(member.ref, None)
    return wanted, echoes


def _read(progress: Progress, ref: TicketRef, request: Request) -> None:
    progress.end_opening()
    try:
        read_member(progress, ref, request)
    except NotFoundError as error:
        # One member that is out of sight must not stop the others.
        progress.fail(ref, "read", "", error)
        lose_sight(progress.context, ref, is_gone=False)
        progress.replace_member(
            replace(progress.state.member(ref), shadow=replace(progress.state.member(ref).shadow, comment_count=None))
        )


def _find_lost_changes(progress: Progress, waiting: Sequence[Delivery]) -> None:
    """Looks through what deliveries and histories tell for changes that the hub wrote over."""
    for member in progress.state.members:
        if not member.shadow.overwrites or member.snapshot is None:
            continue
        hints = [hint for d in waiting if d.ref == member.ref for hint in map(load_hint, d.hints)]
        changes = told_changes(hint for hint in hints if hint.ticket_id == member.ref.id)
        if not changes and member.snapshot.changes is None:
            continue
        changes += member.snapshot.changes or ()
        known, lost = with_lost_changes(member, changes, progress.context.own_account(member.ref.tracker))
        progress.replace_member(known)
        for one in lost:
            wrote = member.current(one.field)
            progress.note_overwritten(
                member.ref, one.field, lost=one.after, wrote=wrote, by=one.actor_id, at=one.at.isoformat()
            )


def _rounds(progress: Progress) -> None:
    told: set[str] = set()
    for _ in range(MAX_ROUNDS):
        for ref in list(progress.stale):
            _read(progress, ref, Request(False))
        decision = decide(progress.state, progress.context.now())
        unread = [ref for ref in decision.needs_reading if progress.state.member(ref).snapshot is None]
        if unread:
            for ref in unread:
                _read(progress, ref, Request(False))
            if any(progress.state.member(ref).snapshot is None for ref in unread):
                return
            continue
        _note_decision(progress, decision, told)
        if not decision.operations or progress.down:
            progress.end_opening()
            for operation in decision.operations:
                progress.hold_back(operation)
            _complete(progress, decision)
            return
        before = len(progress.done_writes)
        apply_operations(progress, decision.operations)
        turns = next_turns(progress.state.turns, progress.done_writes[before:], progress.context.now())
        progress.state = replace(progress.state, turns=turns)
        if _are_new_comments(progress, decision.operations):
            # All that a plan would find new is that they are there.
            _complete(progress, decision)
            return


def _complete(progress: Progress, decision: Decision) -> None:
    progress.is_complete = True
    progress.problems = {(p.target, p.field) for p in decision.problems}
    for ref, wait in decision.look_again.items():
        progress.look_again[ref] = min(wait, progress.look_again.get(ref, wait))


def _are_new_comments(progress: Progress, done: Sequence[Operation]) -> bool:
    return all(isinstance(op, AddComment) and (op.target, op.name) in progress.succeeded for op in done)


def _note_decision(progress: Progress, decision: Decision, told: set[str]) -> None:
    for problem in decision.problems:
        progress.fail_field(
            problem.target,
            problem.field,
            problem.digest,
            problem.why,
            "Then: hub failures retry, or change the value.",
            problem.sources,
        )
    for conflict in decision.conflicts:
        text = f"{conflict.field}:{conflict.lost!r}"
        if text not in told:
            told.add(text)
            progress.note(
                "conflict",
                conflict.lost_by,
                field=conflict.field,
                kept=dump_value(conflict.kept),
                lost=dump_value(conflict.lost),
                kept_from=str(conflict.won_by),
                why=conflict.because,
            )
    for copy in decision.copies:
        progress.save_copy(copy)
    if decision.operations:
        progress.note("planned", None, operations=[_line(op) for op in decision.operations])


def _line(operation: Operation) -> dict[str, str]:
    return {"does": operation.describe(), "because": operation.because}
