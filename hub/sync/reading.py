"""Which members have to be read, and reading them. API calls are the scarce resource.

A delivery about the hub's own write is recognised by value: the account is the hub's, and everything that the payload
shows is what the hub knows already. Only then is nothing read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from hub.connector import Hint, Known, NotFoundError
from hub.journal.cases import CaseRow
from hub.journal.copies import Copy
from hub.journal.deliveries import Delivery
from hub.sync.codec import load_hint
from hub.sync.fields import synced_fields
from hub.sync.progress import Progress
from hub.sync.state import UNREADABLE, Member
from hub.ticket import Snapshot, Ticket, TicketRef


@dataclass(frozen=True, slots=True)
class Request:
    """A member to read. `comments` is False where nothing can have touched comments or files.

    `wants_history` is for what no webhook told of.
    """

    comments: bool
    may_be_deleted: bool = False
    wants_history: bool = False


def is_known_already(
    hint: Hint, member: Member, copies: Iterable[Copy], own_account: str | None, case: CaseRow | None = None
) -> bool:
    """Whether a hint shows nothing but what the hub wrote itself: by its account and by every value. Pure.

    A ticket with a case is looked after: its rules want to see every public comment, and values that only they know.
    """
    if hint.is_partial or hint.is_deleted or own_account is None or hint.actor_id != own_account:
        return False
    kinds = ("comment",) if case is None else ("comment", "note")
    if hint.comment_id is not None and not any(
        c.kind in kinds and c.target == member.ref and c.target_id == hint.comment_id
        and (case is None or not c.visibility.is_public)
        for c in copies
    ):  # fmt: skip
        return False
    if case is not None and not _is_in_case(hint, case, member):
        return False
    for name, value in hint.values.items():
        known = member.shadow.labels if name == "labels" else member.shadow.values.get(name, value)
        if name == "labels" and known is None and case is not None:
            continue
        if value != known:
            return False
    return bool(hint.values) or hint.comment_id is not None


def _is_in_case(hint: Hint, case: CaseRow, member: Member) -> bool:
    """Whether the rules know every value that a hint shows."""
    seen = case.data["seen"]
    for name, shown in hint.values.items():
        value: object = shown
        match name:
            case "title":
                known: object = case.data["title"]
            case "labels":
                known, value = seen.get("labels"), sorted(shown) if isinstance(shown, frozenset) else shown
            case "status" | "priority" | "category" | "channel" | "line" | "organisation":
                known, value = seen.get(name), str(shown) if isinstance(shown, str) else shown
            case _ if name.startswith("custom:"):
                known, value = seen["custom"].get(name.removeprefix("custom:")), None if shown is None else str(shown)
            case _:
                known = member.shadow.values.get(name, UNREADABLE)
        if value != known:
            return False
    return True


def requests_of(
    members: Iterable[Member],
    deliveries: Iterable[Delivery],
    copies: Collection[Copy],
    own_accounts: Mapping[str, str | None],
    known_cases: Mapping[TicketRef, CaseRow],
) -> tuple[dict[TicketRef, Request], list[int]]:
    """What the deliveries make worth reading, and the ids of those that are echoes of the hub's own writes. Pure."""
    by_ref = {m.ref: m for m in members}
    wanted: dict[TicketRef, Request] = {}
    echoes: list[int] = []
    for delivery in deliveries:
        member = by_ref[delivery.ref]
        hints = [load_hint(h) for h in delivery.hints]
        relevant = [h for h in hints if h.ticket_id == member.ref.id]
        own = own_accounts.get(member.ref.tracker)
        case = known_cases.get(member.ref)
        if relevant and all(is_known_already(h, member, copies, own, case) for h in relevant):
            echoes.append(delivery.id)
            continue
        comments = any(h.touches_comments for h in relevant) or not relevant
        deleted = any(h.is_deleted for h in relevant)
        before = wanted.get(member.ref, Request(False))
        wanted[member.ref] = Request(before.comments or comments, before.may_be_deleted or deleted)
    return wanted, echoes


def read_member(progress: Progress, ref: TicketRef, request: Request) -> None:
    """Reads a member into the state. A ticket that was announced as deleted and is not found is gone.

    Raises ConnectorError.
    """
    context = progress.context
    member = progress.state.member(ref)
    written_at = [overwrite.read_at for overwrite in member.shadow.overwrites.values() if not overwrite.is_lost]
    known = Known(
        comment_count=member.shadow.comment_count,
        version=member.shadow.version,
        must_read_comments=request.comments or member.shadow.comment_count is None,
        history_since=min(written_at) if request.wants_history and written_at else None,
    )
    try:
        snapshot = context.connectors[ref.tracker].read(ref.id, known)
    except NotFoundError:
        if not request.may_be_deleted:
            raise
        snapshot = Snapshot(
            ticket=Ticket(id=ref.id, key=member.key, url=member.url), read_at=context.now(), is_deleted=True
        )
    progress.succeeded.add((ref, "read"))
    take_snapshot(progress, ref, snapshot)


def take_snapshot(progress: Progress, ref: TicketRef, snapshot: Snapshot) -> None:
    """Puts a snapshot into the state; follows a ticket that has a new key or address."""
    member = progress.state.member(ref)
    if not snapshot.is_deleted and snapshot.ticket.key != member.key:
        if member.key:
            progress.note("moved", ref, old=member.key, new=snapshot.ticket.key)
        member = replace(member, key=snapshot.ticket.key, url=snapshot.ticket.url or member.url)
    progress.stale.discard(ref)
    progress.replace_member(replace(member, snapshot=snapshot, written={}, written_labels=None))
    _look_up_people(progress, ref)


def _look_up_people(progress: Progress, ref: TicketRef) -> None:
    """Finds the account of a newly assigned person where the other side will need it."""
    state, context = progress.state, progress.context
    member = state.member(ref)
    if "assignee" not in synced_fields(state) or not member.knows("assignee") or not member.has_changed("assignee"):
        return
    key = member.current("assignee")
    if not isinstance(key, str) or "@" not in key:
        return
    for other in state.members:
        if other.role != member.role and other.account(key) is None:
            context.look_up_person(other.ref.tracker, key)
    people = context.people()
    for other in progress.state.members:
        progress.replace_member(replace(other, people=people))
