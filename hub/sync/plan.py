"""From the state of a link to the list of operations. Pure: no I/O, no clock, no randomness.

`decide` is the one place where merge results become a plan, in the order in which it is to be done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.connector import Capability, Changes, Draft, RemoteLink, Unwritable
from hub.journal.copies import Copy
from hub.rules.placeholders import render
from hub.rules.values import Neighbour, ticket_values
from hub.sync.comments import plan_comments
from hub.sync.fields import FieldMerge, FieldWrite, Problem, digest_of, merge_fields, synced_fields
from hub.sync.labels import LabelWrite, merge_labels
from hub.sync.marks import comment_mark, is_ticket_mark, link_id_mark, ticket_mark
from hub.sync.operations import (
    AddComment,
    CreateTicket,
    Operation,
    Transition,
    WriteFields,
    WriteLink,
    digest_of_operation,
)
from hub.sync.shorten import shortened
from hub.sync.sides import Conflict
from hub.sync.state import LinkState, Member
from hub.ticket import Markdown, Status, Ticket, TicketRef, Value, Visibility


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be done about a link now.

    `needs_reading` are members that would be written to without having been read in this run: read them and decide
    again. `copies` are records to change without any call. `look_again` says for members what time it takes until more
    can be decided about them.
    """

    operations: tuple[Operation, ...] = ()
    problems: tuple[Problem, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    copies: tuple[Copy, ...] = ()
    needs_reading: frozenset[TicketRef] = frozenset()
    look_again: Mapping[TicketRef, timedelta] = field(default_factory=dict)


def decide(state: LinkState, now: datetime) -> Decision:
    """The plan for a link as it stands."""
    if state.issue is None:
        return _decide_create(state, now)
    merge = merge_fields(state, now)
    labels = [w for w in merge_labels(state) if not _is_blocked(state, w.target, "labels", digest_of_labels(w))]
    targets = [w.target for w in merge.writes] + [w.target for w in labels]
    needs_reading = frozenset(ref for ref in targets if state.member(ref).snapshot is None)
    if needs_reading:
        return Decision(needs_reading=needs_reading)
    early, late = _field_operations(state, merge, labels)
    comments = plan_comments(state)
    operations = [*_link_operations(state), *early, *_gone_operations(state), *comments.operations, *late]
    return Decision(
        operations=tuple(
            op for op in operations if not _is_blocked(state, op.target, op.name, digest_of_operation(op))
        ),
        problems=merge.problems,
        conflicts=merge.conflicts,
        copies=comments.copies,
        look_again=comments.look_again,
    )


def digest_of_labels(write: LabelWrite) -> str:
    return digest_of(tuple(sorted(write.add) + [f"-{label}" for label in sorted(write.remove)]))


def draft_values(state: LinkState, source: Member) -> tuple[dict[str, Value], list[Problem]]:
    """The field values a new issue starts with, in the form its tracker holds, and what it has no form for."""
    values: dict[str, Value] = {}
    problems: list[Problem] = []
    target = TicketRef(state.issue_form.name, "")
    for name in synced_fields(state):
        if name in ("title", "description", "status") or state.settings.policy(name).direction == "to_tickets":
            continue
        raw = source.raw(name)
        if raw is None or raw == "unknown":
            continue
        try:
            if name == "assignee":
                account = source.people.account(state.issue_form.name, str(raw))
                if account is None:
                    raise Unwritable(f"nobody in {state.issue_form.name} is known as {raw}")
                values[name] = account
            else:
                values[name] = state.issue_form.hold(name, raw)
        except Unwritable as error:
            problems.append(
                Problem(target=target, field=name, digest=digest_of(raw), why=str(error), sources=(source.ref,))
            )
    return values, problems


def _issue_text(state: LinkState, source: TicketRef, ticket: Ticket, now: datetime) -> str:
    """The description of a new issue: by the template of the link, else the ticket's own."""
    template = state.settings.template
    if not template:
        return ticket.description or ""
    tickets = [
        Neighbour(key=m.key, url=m.url, title=str(m.current("title") or ""), tracker=m.ref.tracker)
        for m in state.tickets
    ]
    return render(template, ticket_values(ticket, source.tracker, tickets=tickets, due=state.due, now=now)).text


def _decide_create(state: LinkState, now: datetime) -> Decision:
    source = next((m for m in state.tickets if m.is_usable), None)
    target = TicketRef(state.issue_form.name, "")
    if source is None or not state.was_created or _is_blocked(state, target, "create", ""):
        return Decision()
    if source.snapshot is None:
        return Decision(needs_reading=frozenset({source.ref}))
    ticket = source.snapshot.ticket
    values, problems = draft_values(state, source)
    labels = frozenset(
        state.issue_form.hold_label(label)
        for label in ticket.labels
        if state.settings.labels.direction in ("both", "to_issue")
        and state.settings.labels.travels(label)
        and not is_ticket_mark(label, state.install_id)
    )
    draft = Draft(
        marker=ticket_mark(source.ref, state.install_id, state.id),
        title=str(state.issue_form.hold("title", ticket.title)),
        description=shortened(_issue_text(state, source.ref, ticket, now)),
        values=values,
        labels=labels,
        requester=ticket.requester,
    )
    create = CreateTicket(
        target=target, source=source.ref, draft=draft, because=f"{source.ref} is escalated and has no issue yet"
    )
    return Decision(operations=(create,), problems=tuple(problems))


def _is_blocked(state: LinkState, target: TicketRef, what: str, digest: str) -> bool:
    return state.blocked.get((target, what)) == digest


def _link_operations(state: LinkState) -> list[Operation]:
    issue = state.issue
    assert issue is not None
    operations: list[Operation] = []
    for ticket in state.tickets:
        if ticket.is_gone or issue.is_gone:
            continue
        for here, there in ((issue, ticket), (ticket, issue)):
            global_id = link_id_mark(state.install_id, there.ref)
            if global_id in here.shadow.linked or not here.can(Capability.REMOTE_LINKS):
                continue
            operations.append(
                WriteLink(
                    target=here.ref,
                    link=RemoteLink(
                        global_id=global_id,
                        url=there.url,
                        key=there.key,
                        title=str(there.current("title") or here.current("title") or there.key),
                        tracker=there.ref.tracker,
                        note=_link_note(there),
                    ),
                    because=f"{here.ref} does not show {there.ref} yet",
                )
            )
    return operations


def _link_note(other: Member) -> Markdown:
    where = f"[{other.key}]({other.url})" if other.url else other.key
    return Markdown(f"This ticket is kept in step with {where} ({other.ref.tracker}).")


def _gone_operations(state: LinkState) -> list[Operation]:
    """A deletion is shown on the other side; nothing is deleted there."""
    issue = state.issue
    assert issue is not None
    operations: list[Operation] = []
    for member in state.members:
        if member.shadow.is_gone or not member.is_gone:
            continue
        others = [issue] if member.role == "ticket" else state.tickets
        for other in others:
            if other.is_gone or not other.can(Capability.PRIVATE_COMMENTS) or _is_told(state, member, other):
                continue
            operations.append(
                AddComment(
                    target=other.ref,
                    origin=member.ref,
                    origin_id="deleted",
                    kind="note",
                    text=Markdown(f"*{member.key} was deleted in {member.ref.tracker}; this ticket is left as it is.*"),
                    visibility=Visibility.PRIVATE,
                    digest="deleted",
                    marker=comment_mark(member.ref, "deleted", state.install_id),
                    because=f"{member.ref} was deleted",
                )
            )
    return operations


def _is_told(state: LinkState, gone: Member, other: Member) -> bool:
    return any(
        (c.kind, c.origin, c.origin_id, c.target) == ("note", gone.ref, "deleted", other.ref) for c in state.copies
    )


def _field_operations(
    state: LinkState, merge: FieldMerge, labels: list[LabelWrite]
) -> tuple[list[Operation], list[Operation]]:
    """Field operations to do before the comments, and those that end a ticket, to do after them."""
    early: list[Operation] = []
    late: list[Operation] = []
    for member in state.members:
        writes = [w for w in merge.writes if w.target == member.ref]
        label_write = next((w for w in labels if w.target == member.ref), None)
        moves = [w for w in writes if w.field == "status" and member.can(Capability.TRANSITIONS)]
        plain = [w for w in writes if w not in moves]
        ending = [w for w in plain if w.field == "status" and _ends(w)]
        if ending and not label_write and len(plain) == len(ending):
            late.append(_write_fields(member, ending, None))
        else:
            rest = [w for w in plain if w not in ending]
            if rest or label_write:
                early.append(_write_fields(member, rest, label_write))
            if ending:
                late.append(_write_fields(member, ending, None))
        for move in moves:
            assert isinstance(move.held, Status)
            operation = Transition(target=member.ref, status=move.held, write=move, because=move.because)
            (late if _ends(move) else early).append(operation)
    return early, late


def _ends(write: FieldWrite) -> bool:
    return isinstance(write.held, Status) and write.held.is_done


def _write_fields(member: Member, writes: list[FieldWrite], labels: LabelWrite | None) -> WriteFields:
    values: Mapping[str, Value] = {
        w.field: (member.account(str(w.value)) if w.field == "assignee" and w.value is not None else _wanted(w))
        for w in writes
    }
    reasons = [w.because for w in writes] + ([labels.because] if labels else [])
    return WriteFields(
        target=member.ref,
        changes=Changes(
            values=values,
            add_labels=labels.add if labels else frozenset(),
            remove_labels=labels.remove if labels else frozenset(),
        ),
        writes=tuple(writes),
        labels=labels,
        because="; ".join(dict.fromkeys(reasons)),
    )


def _wanted(write: FieldWrite) -> Value:
    """What is handed to the connector: a text in full, everything else in the form that the tracker holds."""
    return shortened(str(write.value or "")) if write.field == "description" else write.held
