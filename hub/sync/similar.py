"""Before a ticket gets an issue of its own: is there an open issue about the same thing already?

Compared are the words of title and description with those of every open ticket that has an issue. What is found is
offered to the agent, or joined, as the settings say.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.connector import Known, NotFoundError
from hub.journal import cases, deliveries, events, links
from hub.journal.cases import Order
from hub.rules.case import similarity
from hub.settings.model import LinkSettings
from hub.sync.context import Context
from hub.sync.fulfil import fulfil, labels_leaving
from hub.sync.keys import link_key
from hub.sync.linking import join
from hub.sync.progress import Progress
from hub.ticket import Status, TicketRef, Visibility

MAX_OFFERED = 3
NEW_LABEL = "issue:new"
"""The label by which an agent says that a ticket gets an issue of its own whatever is similar."""
LINK_LABEL = "link:"
"""A label that begins so joins the ticket to the issue that follows, by its key."""


def policies_for(context: Context, ref: TicketRef) -> list[LinkSettings]:
    """The link settings that take tickets of this tracker in."""
    return [p for p in context.settings.links if ref.tracker in p.tickets]


def policy_for(context: Context, ref: TicketRef, title: str) -> LinkSettings | None:
    """The link settings by which a ticket gets its issue: those of this title, else the first for its tracker."""
    fitting = policies_for(context, ref)
    return next((p for p in fitting if p.title == title), None) if title else next(iter(fitting), None)


def similar_issues(context: Context, ref: TicketRef, policy: LinkSettings) -> list[tuple[float, TicketRef, str]]:
    """Issues of open tickets that are like this one: how similar, the issue, and its key; the most similar first."""
    threshold = context.settings.similar.threshold
    best: dict[TicketRef, tuple[float, str]] = {}
    with context.journal.read() as connection:
        own = cases.case_of(connection, ref)
        if own is None:
            return []
        words = own.data["words"]
        for other in cases.with_issues_in(connection, policy.issues):
            is_done = other.issue_status is not None and Status(other.issue_status).is_done
            score = 0.0 if other.ref == ref or is_done else similarity(words, other.words)
            if score >= threshold and score > best.get(other.issue, (0.0, ""))[0]:
                best[other.issue] = (score, other.issue_key)
    found = [(score, issue, key) for issue, (score, key) in best.items()]
    return sorted(found, reverse=True)[:MAX_OFFERED]


def join_by_label(progress: Progress, ref: TicketRef, policies: Sequence[LinkSettings]) -> bool:
    """Joins the ticket to the issue that an agent named with a label, and takes the label off.

    A label that names no issue is answered with a private note. Raises ConnectorError.
    """
    snapshot = progress.state.member(ref).snapshot
    named = sorted(lb for lb in snapshot.ticket.labels if lb.casefold().startswith(LINK_LABEL)) if snapshot else []
    if not named or not policies:
        return False
    label, context = named[0], progress.context
    key = label[len(LINK_LABEL) :]
    why = f"an agent set the label {label}"
    found = _find_issue(context, policies, key)
    now = context.now()
    with context.journal.read() as connection:
        if label in labels_leaving(cases.open_orders(connection, [ref])):
            # Answered already; the tracker does not let the hub take it off yet.
            return False
    orders = [Order(ref=ref, mark=f"{label} off {now.isoformat()}", kind="change",
                    data={"values": {}, "add": [], "remove": [label]}, because=why)]  # fmt: skip
    if found is None:
        text = f"There is no issue {key!r} in {' or '.join(dict.fromkeys(p.issues for p in policies))}."
        orders.append(
            Order(ref=ref, mark=f"{label} unknown {now.isoformat()}", kind="text",
                  data={"text": text, "visibility": Visibility.PRIVATE.value}, because=why)
        )  # fmt: skip
    with context.journal.write() as connection:
        cases.place_orders(connection, orders, now)
    fulfil(progress, [ref])
    if found is None or progress.down:
        return False
    join(context, str(ref), str(found))
    with context.journal.write() as connection:
        for order in cases.open_orders(connection, [ref]):
            if order.kind == "issue":
                cases.finish_order(connection, order.id, "done", f"joined {key} by a label")
    return True


def _find_issue(context: Context, policies: Sequence[LinkSettings], key: str) -> TicketRef | None:
    for tracker in dict.fromkeys(p.issues for p in policies):
        with context.journal.read() as connection:
            known = links.find_by_key(connection, tracker, key)
        if known is not None:
            return known
        try:
            read = context.connectors[tracker].read(key, Known(must_read_comments=False, comment_count=0))
        except NotFoundError:
            continue
        return TicketRef(tracker, read.ticket.id)
    return None


def hold_for_similar(progress: Progress, ref: TicketRef, policy: LinkSettings, order: Order) -> bool:
    """Whether the ticket is to wait for an agent's word, or joins another's issue, instead of getting one of its own.

    Offers are private notes; what was decided is on record.
    """
    context, mode = progress.context, progress.context.settings.similar.mode
    snapshot = progress.state.member(ref).snapshot
    labels = snapshot.ticket.labels if snapshot else frozenset()
    if mode == "off" or NEW_LABEL in labels:
        return False
    found = similar_issues(context, ref, policy)
    if not found:
        return False
    told = ", ".join(f"{key} ({score:.0%})" for score, _, key in found)
    now = context.now()
    event = events.Event(at=now, kind="similar", ref=ref, data={"found": told, "mode": mode})
    with context.journal.write() as connection:
        if mode == "dry":
            events.record(connection, [event])
            return False
        if mode == "link":
            events.record(connection, [event])
            _, issue, key = found[0]
            link_id = links.link_of(connection, issue)
            assert link_id is not None
            member = progress.state.member(ref)
            links.add_member(connection, link_id, ref, key=member.key, url=member.url, role="ticket", now=now)
            linked = events.Event(
                at=now, kind="linked", ref=ref, link_id=link_id, data={"why": f"similar to {key}: {told}"}
            )
            events.record(connection, [linked])
            cases.finish_order(connection, order.id, "done", f"joined {key}, which is similar")
            deliveries.wake(connection, link_key(link_id), now, f"{ref} joined")
            return True
        text = (
            f"Before a new issue is made: this looks like {told}. Set the label {LINK_LABEL}{found[0][2]} to join it, "
            f"or {NEW_LABEL} for an issue of its own."
        )
        offer = Order(
            ref=ref, mark=f"{order.mark} offer", kind="text",
            data={"text": text, "visibility": Visibility.PRIVATE.value}, because=f"similar issues are open: {told}",
        )  # fmt: skip
        if cases.place_orders(connection, [offer], now):
            events.record(connection, [event])
    fulfil(progress, [ref])
    return True
