"""Links made and ended by hand. Everything happens in the store; the engine brings the members in step afterwards."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from hub.connector import Capability, Connector, ConnectorError, Known, Role
from hub.journal import deliveries, events, failures, links
from hub.journal.links import AlreadyLinkedError, MemberRole
from hub.settings.model import LinkSettings
from hub.sync.context import Context
from hub.sync.keys import link_key
from hub.sync.marks import link_id_mark
from hub.ticket import Ticket, TicketRef


class LinkingError(Exception):
    """The tickets cannot be linked; the message says why and what to do."""


def resolve(context: Context, text: str) -> tuple[TicketRef, Ticket]:
    """The ticket that a person means by `dev:OPS-12` or `support:35436`, read from its tracker.

    Raises LinkingError for an unknown tracker, ConnectorError when it cannot be read.
    """
    try:
        given = TicketRef.parse(text)
    except ValueError as error:
        raise LinkingError(str(error)) from error
    connector = connector_of(context, given.tracker)
    snapshot = connector.read(given.id, Known(must_read_comments=False, comment_count=0))
    if snapshot.is_deleted:
        raise LinkingError(f"{given} was deleted in {given.tracker}")
    return TicketRef(given.tracker, snapshot.ticket.id), snapshot.ticket


def connector_of(context: Context, tracker: str) -> Connector:
    """The connector of a configured tracker that has tickets. Raises LinkingError."""
    connector = context.connectors.get(tracker)
    if connector is None:
        known = ", ".join(sorted(context.connectors)) or "none"
        raise LinkingError(f"there is no tracker {tracker!r} in the settings; there are: {known}")
    if connector.role is Role.ACTION:
        raise LinkingError(
            f"{tracker!r} is of kind {connector.kind}, which has no tickets; name one of another tracker"
        )
    return connector


def join(context: Context, one: str, other: str) -> int:
    """Links two tickets, one of which is an issue; returns the link's id.

    When the issue is in a link already, the ticket joins it; two links become one when both are in one with the
    same issue tracker and only one issue. Raises LinkingError, ConnectorError.
    """
    pair = [resolve(context, one), resolve(context, other)]
    policy, (ticket_ref, ticket), (issue_ref, issue) = _roles(context, pair)
    now = context.now()
    with context.journal.write() as connection:
        of_ticket, of_issue = links.link_of(connection, ticket_ref), links.link_of(connection, issue_ref)
        if of_ticket is not None and of_ticket == of_issue:
            return of_ticket
        try:
            if of_ticket is not None:
                raise AlreadyLinkedError(ticket_ref, of_ticket)
            link_id = of_issue or links.create_link(connection, policy.title, "joined", now)
            if of_issue is None:
                _add(connection, link_id, issue_ref, issue, "issue", now)
            _add(connection, link_id, ticket_ref, ticket, "ticket", now)
        except AlreadyLinkedError as error:
            raise LinkingError(str(error)) from error
        for ref in (ticket_ref, issue_ref):
            events.record(
                connection,
                [events.Event(at=now, kind="linked", ref=ref, link_id=link_id, data={"why": "by hand"})],
            )
        deliveries.wake(connection, link_key(link_id), now, "linked by hand")
    return link_id


def leave(context: Context, text: str) -> int:
    """Takes a ticket out of its link; returns the link's id. What was copied stays where it is.

    Raises LinkingError when it is in none.
    """
    given = TicketRef.parse(text)
    now = context.now()
    with context.journal.read() as connection:
        ref = links.find_by_key(connection, given.tracker, given.id) or given
        link_id = links.link_of(connection, ref)
        loaded = links.load_link(connection, link_id) if link_id is not None else None
    if link_id is None or loaded is None:
        raise LinkingError(f"{given} is in no link")
    row, members = loaded
    policy = context.policy(row.policy)
    leaving = next(m for m in members if m.ref == ref)
    # Without its issue, or without a ticket, a link holds nothing together.
    is_last = leaving.role == "issue" or sum(m.role == "ticket" for m in members) == 1
    with context.journal.write() as connection:
        for member in members if is_last else [leaving]:
            links.remove_member(connection, member.ref)
            event = events.Event(at=now, kind="unlinked", ref=member.ref, link_id=link_id, data={"why": "by hand"})
            events.record(connection, [event])
            failures.move_failures(connection, link_key(link_id), member.ref)
            if context.looks_after(member.ref.tracker):
                # What was ordered for it goes on under its own key.
                deliveries.wake(connection, str(member.ref), now, "unlinked")
    if policy is None or policy.on_unlink == "remove_links":
        for other in members:
            if other.role != leaving.role:
                _remove_shown(context, ref, other.ref)
                _remove_shown(context, other.ref, ref)
    return link_id


def _remove_shown(context: Context, here: TicketRef, there: TicketRef) -> None:
    connector = context.connectors.get(here.tracker)
    if connector is None or Capability.REMOTE_LINKS not in connector.capabilities:
        return
    try:
        connector.remove_link(here.id, link_id_mark(context.journal.install_id, there))
    except ConnectorError as error:
        raise LinkingError(
            f"{there} is not linked to {here} any more, but {here} still shows it: {error}. Take it out by hand."
        ) from error


def _roles(
    context: Context, pair: list[tuple[TicketRef, Ticket]]
) -> tuple[LinkSettings, tuple[TicketRef, Ticket], tuple[TicketRef, Ticket]]:
    for policy in context.settings.links:
        for first, second in (pair, pair[::-1]):
            if first[0].tracker in policy.tickets and second[0].tracker == policy.issues:
                return policy, first, second
    names = " and ".join(ref.tracker for ref, _ in pair)
    raise LinkingError(f"no entry under links: pairs {names}; add one with tickets and issues of these names")


def _add(connection: Connection, link_id: int, ref: TicketRef, ticket: Ticket, role: MemberRole, now: datetime) -> None:
    links.add_member(connection, link_id, ref, key=ticket.key, url=ticket.url, role=role, now=now)
