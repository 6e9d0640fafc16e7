"""What a run starts from: a link, or a ticket alone, with everything that the journal knows of it.

It reads the journal and nothing else. It must not ask a tracker, and not know what is done with what it loads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.journal import copies, deliveries, failures, intents, links
from hub.journal.copies import Copy
from hub.journal.deliveries import Delivery, Wake
from hub.journal.failures import Failure
from hub.journal.intents import Intent
from hub.journal.links import LinkRow, MemberRow
from hub.settings.model import LinkSettings
from hub.sync.codec import load_shadow
from hub.sync.context import Context
from hub.sync.keys import link_key
from hub.sync.progress import Progress, failure_name
from hub.sync.state import LinkState, Member
from hub.ticket import Snapshot, TicketRef

NO_LINK = 0
"""The id that stands for no link, where a ticket is worked on alone."""


@dataclass
class Loaded:
    """A run's work: its progress, what woke it, and what it began from. `shadows` are those stored, with their keys."""

    progress: Progress
    taken: list[Wake]
    waiting: list[Delivery]
    intents: list[Intent]
    row: LinkRow
    failures: list[Failure]
    shadows: dict[TicketRef, tuple[Mapping[str, Any], str]]


def load_linked(context: Context, link_id: int) -> Loaded | None:
    """A link with what waits for it; None where there is no such link.

    It has no members where the settings or trackers of the link are gone.
    """
    with context.journal.read() as connection:
        found = links.load_link(connection, link_id)
        if found is None:
            return None
        row, members = found
        refs = [m.ref for m in members]
        keys = [link_key(link_id), *map(str, refs)]
        return assemble(
            context,
            row,
            members,
            taken=deliveries.wakes_of(connection, keys, context.now()),
            waiting=deliveries.waiting_of_link(connection, link_id),
            known_copies=copies.copies_of(connection, refs) if refs else [],
            unfinished=intents.open_intents(connection, link_id),
            # Also those of the time before a ticket was linked.
            known_failures=failures.failures_of(connection, *keys),
        )


def load_alone(
    context: Context, ref: TicketRef, snapshot: Snapshot, taken: Sequence[Wake], waiting: Sequence[Delivery]
) -> Loaded:
    """A ticket in no link, as a link of one: what is written to it goes the same way."""
    now, ticket = context.now(), snapshot.ticket
    row = LinkRow(id=NO_LINK, policy="", origin="joined", created=now, turns={})
    member = MemberRow(
        link_id=NO_LINK, ref=ref, key=ticket.key, url=ticket.url, role="ticket", joined=now, shadow={}
    )  # fmt: skip
    with context.journal.read() as connection:
        return assemble(
            context,
            row,
            [member],
            known_copies=copies.copies_of(connection, [ref]),
            taken=taken,
            waiting=waiting,
            unfinished=[i for i in intents.open_intents(connection, NO_LINK) if i.target == ref],
            known_failures=failures.failures_of(connection, str(ref)),
            policy=LinkSettings(tickets=[ref.tracker], issues=ref.tracker),
        )


def assemble(
    context: Context,
    row: LinkRow,
    members: Sequence[MemberRow],
    *,
    known_copies: Sequence[Copy],
    taken: Sequence[Wake] = (),
    waiting: Sequence[Delivery] = (),
    unfinished: Sequence[Intent] = (),
    known_failures: Sequence[Failure] = (),
    policy: LinkSettings | None = None,
) -> Loaded:
    """A run's work from the journal's rows. `policy` stands for the link settings where the row names none."""
    policy = policy or context.policy(row.policy)
    if policy is None or any(m.ref.tracker not in context.connectors for m in members):
        policy = None
    state = LinkState(
        id=row.id,
        settings=policy or LinkSettings(tickets=["-"], issues="-"),
        was_created=row.origin == "created",
        created=row.created,
        members=tuple(member_of(context, m) for m in members) if policy else (),
        copies=tuple(known_copies),
        turns=row.turns,
        blocked={
            (TicketRef(f.tracker, f.ticket_id), failure_name(f)): f.digest for f in known_failures if f.state == "open"
        },
        install_id=context.journal.install_id,
        custom_fields=_shared_custom_fields(context, policy) if policy else (),
        issue_form=context.connectors[policy.issues] if policy else next(iter(context.connectors.values())),
    )
    return Loaded(
        Progress(context, state, known_failures),
        list(taken),
        list(waiting),
        list(unfinished),
        row,
        list(known_failures),
        {m.ref: (m.shadow, m.key) for m in members},
    )


def member_of(context: Context, row: MemberRow) -> Member:
    """A member as planning sees it, with its tracker's form; nothing is read yet."""
    return Member(
        ref=row.ref,
        key=row.key,
        url=row.url,
        role=row.role,
        joined=row.joined,
        form=context.connectors[row.ref.tracker],
        shadow=load_shadow(row.shadow),
        people=context.people(),
    )


def _shared_custom_fields(context: Context, policy: LinkSettings) -> tuple[str, ...]:
    described = [context.connectors[name].base_settings.fields for name in (*policy.tickets, policy.issues)]
    return tuple(name for name in described[0] if all(name in fields for fields in described))
