"""Doing operations that make the counterpart: a new ticket, and the link by which each side shows the other.

It must not know when a ticket gets one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hub.connector import Connector, Created, Draft, RefusedError, WrittenComment
from hub.journal import links
from hub.journal.copies import Copy
from hub.sync.advance import shadow_of_created, with_version
from hub.sync.codec import dump_shadow
from hub.sync.commenting import count_comment
from hub.sync.operations import CreateTicket, WriteLink
from hub.sync.progress import Progress
from hub.sync.state import Member
from hub.ticket import Markdown, TicketRef


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


def create(progress: Progress, connector: Connector, operation: CreateTicket) -> dict[str, Any]:
    """Creates the ticket of a link. What the tracker refuses of it stands in the failures list."""
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


def write_link(progress: Progress, connector: Connector, operation: WriteLink) -> dict[str, Any]:
    """Shows the counterpart in the ticket: a remote link, an external id or a note, as its tracker has it."""
    note = connector.write_link(operation.target.id, operation.link)
    link_written(progress, operation.target, operation.link.global_id, note)
    return {"comment": note.id} if note else {}


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
        count_comment(progress, target, note.version)
