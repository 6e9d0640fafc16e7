"""After a crash or a lost answer: finds out what became of the intents that have no receipt.

A create or a comment is looked up at the tracker by its mark before it is ever tried again. A look-up that finds
nothing is believed only after the tracker's known search lag.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hub.connector import Capability, ConnectorError, Draft, Known, NotFoundError, PermanentError
from hub.journal.intents import Intent
from hub.sync.codec import load_value
from hub.sync.commenting import comment_written, file_written
from hub.sync.creating import link_written, ticket_created
from hub.sync.operations import CreateTicket
from hub.sync.progress import Progress
from hub.sync.state import Member
from hub.ticket import Markdown, TicketRef, Value

FOUND_BY_MARK = ("CreateTicket", "AddComment", "AttachFile")
"""What these wrote is on record as soon as it is found; of the others only the shadows at the end of the run know."""
FIELD_WRITES = ("WriteFields", "Transition")
LAG_MARGIN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class MaybeWritten:
    """A field write without a receipt: where, and the operation as the journal keeps it."""

    target: TicketRef
    record: Mapping[str, Any]


class TooEarlyError(Exception):
    """Nothing was found, but the tracker's search may not know yet; look again at `until`."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(f"a look-up is believed only after {until.isoformat()}")


def recover(progress: Progress, open_intents: list[Intent]) -> list[MaybeWritten]:
    """Settles the open intents of a link; a tracker that does not answer keeps only its own from being settled.

    Returns the field writes that may have had their effect without the hub knowing, oldest first, for
    `adopt_own_writes`. Raises ConnectorError, or TooEarlyError, when all others are settled; the field writes are
    then left for the next time, since this run will not see what became of them.
    """
    trouble: ConnectorError | TooEarlyError | None = None
    for intent in open_intents:
        try:
            if intent.kind not in FIELD_WRITES:
                _settle(progress, intent)
        except NotFoundError:
            # A ticket that cannot be seen is written to by nobody; what became of this one is found out when it can.
            continue
        except (ConnectorError, TooEarlyError) as error:
            trouble = trouble or error
            if isinstance(error, ConnectorError):
                progress.down.setdefault(intent.target.tracker, error)
    if trouble is not None:
        raise trouble
    writes = [intent for intent in open_intents if intent.kind in FIELD_WRITES]
    for intent in writes:
        _void(progress, intent, "done again where it is still wanted")
    return [MaybeWritten(intent.target, intent.operation) for intent in writes]


def _settle(progress: Progress, intent: Intent) -> None:
    record = dict(intent.operation)
    match intent.kind:
        case "CreateTicket":
            _recover_create(progress, intent, record)
        case "AddComment":
            _recover_comment(progress, intent, record)
        case "AttachFile":
            _recover_file(progress, intent, record)
        case "WriteLink":
            _recover_link(progress, intent, record)
        case "Notify":
            _recover_notice(progress, intent, record)
        case _:
            _void(progress, intent, "done again where it is still wanted")


def adopt_own_writes(progress: Progress, maybe: MaybeWritten) -> None:
    """Takes values that a member shows, and that the hub was about to write there, for the hub's own.

    What they came from then counts as known on the other side too, as it would had the run been recorded.
    """
    member = _member(progress, maybe.target)
    if member is None or member.snapshot is None:
        return
    record = maybe.record
    values = dict(member.shadow.values)
    for name, data in record["held"].items():
        held = load_value(name, data)
        if member.current(name) == held:
            values[name] = held
            for source, seen in record["seen"][name].items():
                _know(progress, TicketRef.parse(source), name, load_value(name, seen))
    labels, now = member.shadow.labels, member.snapshot.ticket.labels
    member = replace(member, shadow=replace(member.shadow, values=values))
    add, remove = frozenset(record.get("add", ())), frozenset(record.get("remove", ()))
    if labels is not None and (add & now or remove - now):
        member = replace(member, shadow=replace(member.shadow, labels=(labels | (add & now)) - (remove - now)))
        for source, shown in record["seen_labels"].items():
            other = _member(progress, TicketRef.parse(source))
            if other is not None:
                progress.replace_member(replace(other, shadow=replace(other.shadow, labels=frozenset(shown))))
    progress.replace_member(member)


def _know(progress: Progress, ref: TicketRef, field_name: str, value: Value) -> None:
    member = _member(progress, ref)
    if member is not None:
        values = {**member.shadow.values, field_name: value}
        progress.replace_member(replace(member, shadow=replace(member.shadow, values=values)))


def _member(progress: Progress, ref: TicketRef) -> Member | None:
    return next((m for m in progress.state.members if m.ref == ref), None)


def _recover_create(progress: Progress, intent: Intent, record: Mapping[str, Any]) -> None:
    connector = progress.context.connectors[intent.target.tracker]
    found = connector.find_ticket(intent.marker)
    if found is None:
        believe_only_late(intent, connector.search_lag, progress.context.now())
        _void(progress, intent, "nothing with its mark was found")
        return
    source = progress.state.member(TicketRef.parse(record["source"]))
    # What was written is not known in full any more; the first read of the new ticket shows it.
    values = {name: load_value(name, value) for name, value in record["held"].items()}
    draft = Draft(
        marker=intent.marker,
        title=str(source.current("title") or ""),
        description=Markdown(""),
        values=values,
        labels=frozenset(record["labels"]),
    )
    operation = CreateTicket(target=intent.target, source=source.ref, draft=draft, because="found after a crash")
    unknown = {"title": "not known", "description": "not known"}
    ticket_created(progress, operation, replace(found, refused={**unknown, **found.refused}))
    _done(progress, intent, {"id": found.id, "key": found.key, "found": True})


def _recover_comment(progress: Progress, intent: Intent, record: Mapping[str, Any]) -> None:
    connector = progress.context.connectors[intent.target.tracker]
    found = connector.find_comment(intent.target.id, intent.marker)
    if found is None:
        _void(progress, intent, "nothing with its mark was found")
        return
    files = [file["id"] for file in record["files"]]
    comment_written(
        progress,
        target=intent.target,
        record=dict(record),
        comment_id=found.id,
        # A comment that is found is whole; what its files are called there not every tracker can tell.
        attachment_ids=dict.fromkeys(files, "") | dict(zip(files, found.attachment_ids, strict=False)),
        digests={},
        version=found.version,
    )
    for order_id in record.get("orders", ()):
        progress.order_done(order_id)
    _done(progress, intent, {"comment": found.id, "found": True})


def _recover_file(progress: Progress, intent: Intent, record: Mapping[str, Any]) -> None:
    """Files carry no mark: one of this name and size that no record knows is the one."""
    connector = progress.context.connectors[intent.target.tracker]
    snapshot = connector.read(intent.target.id, Known())
    known = {c.target_id for c in progress.state.copies if c.kind == "attachment" and c.target == intent.target}
    own = progress.context.own_account(intent.target.tracker)
    for file in snapshot.attachments:
        same = file.name == record["file_name"] and record["size"] in (None, file.size)
        if same and file.id not in known and file.author.id in ("", own):
            origin = TicketRef.parse(record["origin"])
            file_written(progress, intent.target, origin, record["file"], file.id, "")
            _done(progress, intent, {"attachment": file.id, "found": True})
            return
    _void(progress, intent, "no such file was found")


def _recover_notice(progress: Progress, intent: Intent, record: Mapping[str, Any]) -> None:
    """Nobody can tell whether a message went out; twice is worse than a line in the failures list."""
    for order_id in record["orders"]:
        progress.order_done(order_id, "the hub was ended while it was being sent; it is not sent again")
    why = f"the hub was ended while it was to {record['does']}; the message may not have gone out"
    remedy = "Tell whom it was for by hand if need be."
    progress.fail(intent.target, record["name"], "", PermanentError("hub", record["does"], why, remedy))
    _void(progress, intent, "it may have gone out, and is not sent again")


def _recover_link(progress: Progress, intent: Intent, record: Mapping[str, Any]) -> None:
    connector = progress.context.connectors[intent.target.tracker]
    found = None
    if Capability.COMMENTS in connector.capabilities:
        try:
            found = connector.find_comment(intent.target.id, intent.marker)
        except NotFoundError:
            found = None
    if found is None:
        _void(progress, intent, "done again: showing a link twice shows it once")
        return
    link_written(progress, intent.target, record["global_id"], found)
    _done(progress, intent, {"comment": found.id, "found": True})


def believe_only_late(intent: Intent, lag: timedelta, now: datetime) -> None:
    """Raises TooEarlyError while a look-up that found nothing proves nothing."""
    until = intent.created + lag + LAG_MARGIN
    if lag and now < until:
        raise TooEarlyError(until)


def _void(progress: Progress, intent: Intent, why: str) -> None:
    progress.finish_intent(intent.id, "void", {"why": why}, at_end=intent.kind not in FOUND_BY_MARK)


def _done(progress: Progress, intent: Intent, receipt: dict[str, Any]) -> None:
    progress.finish_intent(intent.id, "done", receipt, at_end=intent.kind not in FOUND_BY_MARK)
    progress.note("recovered", intent.target, what=intent.kind, **receipt)
