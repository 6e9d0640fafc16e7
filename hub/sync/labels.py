"""Three-way merge of label sets, member by member. Pure.

The hub adds on one side what appeared on the other, and removes only what a person removed on the other side since
the last sync while it stood on both. Labels that it never saw being shared are not its to remove.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.sync.marks import is_ticket_mark
from hub.sync.state import LinkState, Member
from hub.ticket import TicketRef


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelWrite:
    """Labels to add and remove at one member, in the form that its tracker keeps.

    `seen` are the labels that the sources showed: what the hub knows of them once the write is done.
    """

    target: TicketRef
    add: frozenset[str]
    remove: frozenset[str]
    sources: tuple[TicketRef, ...]
    seen: Mapping[TicketRef, frozenset[str]]
    because: str


def merge_labels(state: LinkState) -> list[LabelWrite]:
    """What has to be added and removed where."""
    issue = state.issue
    direction = state.settings.labels.direction
    tickets = [m for m in state.tickets if m.is_usable and m.labels() is not None]
    if issue is None or issue.is_gone or issue.labels() is None or not tickets or direction == "none":
        return []
    writes = []
    if direction in ("both", "to_issue"):
        writes.append(_towards(state, issue, tickets))
    if direction in ("both", "to_tickets"):
        writes.extend(_towards(state, ticket, [issue]) for ticket in tickets)
    return [w for w in writes if w is not None]


def _towards(state: LinkState, target: Member, sources: Sequence[Member]) -> LabelWrite | None:
    if all(source.seen_labels() == source.shadow.labels for source in sources):
        return None
    there = _travelling(state, target.labels())
    shared_before = there & _travelling(state, target.shadow.labels)
    add: set[str] = set()
    remove: set[str] = set()
    for source in sources:
        now = _travelling(state, source.seen_labels())
        before = _travelling(state, source.shadow.labels)
        add |= {
            target.form.hold_label(label)
            for label in now - before
            if not any(_is_same(target, source, known, label) for known in there)
        }
        remove |= {
            known for known in shared_before if any(_is_same(target, source, known, label) for label in before - now)
        }
    kept = {
        known
        for known in remove
        for source in sources
        if any(_is_same(target, source, known, label) for label in _travelling(state, source.labels()))
    }
    remove -= kept
    if not add and not remove:
        return None
    return LabelWrite(
        target=target.ref,
        add=frozenset(add),
        remove=frozenset(remove),
        sources=tuple(m.ref for m in sources),
        seen={m.ref: m.seen_labels() or frozenset() for m in sources},
        because=f"labels changed in {', '.join(str(m.ref) for m in sources)}",
    )


def _is_same(target: Member, source: Member, here: str, label: str) -> bool:
    """Whether `here` at the target and `label` at the source are one label, each in its tracker's spelling."""
    return target.form.hold_label(here) == target.form.hold_label(label) or source.form.hold_label(
        here
    ) == source.form.hold_label(label)


def _travelling(state: LinkState, labels: frozenset[str] | None) -> set[str]:
    """The labels that the link carries at all: not ignored by the settings, not one of the hub's own marks."""
    return {
        label
        for label in labels or ()
        if state.settings.labels.travels(label) and not is_ticket_mark(label, state.install_id)
    }
