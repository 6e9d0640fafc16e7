"""Which link settings take a ticket in by their rule, and why or why not. Pure.

It must not know what becomes of the answer: the run escalates, the preview tells.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.journal.deliveries import Delivery, Wake
from hub.rules.conditions import evaluate, facts_of
from hub.settings.model import LinkSettings
from hub.sync.codec import load_hint
from hub.sync.context import Context
from hub.ticket import Snapshot, TicketRef


def escalating_policies(context: Context, ref: TicketRef) -> list[LinkSettings]:
    """The link settings that may take a ticket of this tracker in by a rule."""
    return [p for p in context.settings.links if ref.tracker in p.tickets and p.when is not None]


def wanting_policy(policies: Sequence[LinkSettings], snapshot: Snapshot) -> tuple[LinkSettings | None, str]:
    """The first whose rule holds, and why; None and all reasons where none does."""
    if snapshot.is_deleted:
        return None, "not escalated: it is deleted"
    reasons = []
    for policy in policies:
        assert policy.when is not None
        answer = evaluate(policy.when, facts_of(snapshot.ticket))
        if answer.holds:
            return policy, answer.because
        reasons.append(f"{policy.title}: {answer.because}")
    return None, "not escalated: " + "; ".join(reasons)


def why_not_wanted_as_shown(
    policies: Sequence[LinkSettings], taken: Sequence[Wake], waiting: Sequence[Delivery]
) -> str | None:
    """Why no rule wants the ticket, when the newest payload shows enough to say so without a call.

    A payload may be late; but whatever changed after it has a delivery, or a poll, of its own.
    """
    if any(w.reason != "webhook" for w in taken) or not waiting:
        return None
    hints = [load_hint(h) for d in waiting for h in d.hints]
    reasons = []
    for hint in hints:
        for policy in policies:
            assert policy.when is not None
            answer = evaluate(policy.when, hint.values)
            if answer.holds is not False:
                return None
            reasons.append(f"{policy.title}: {answer.because}")
    return ("not escalated: " + "; ".join(dict.fromkeys(reasons))) if hints else None
