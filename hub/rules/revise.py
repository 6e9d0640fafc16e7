"""What a rule book makes of a case that another one ruled on before. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.rules.book import RuleBook, parts_of
from hub.rules.case import Case, Firing
from hub.rules.case_clocks import case_facts, clocks_of, shown, step_name, steps_of
from hub.rules.clocks import Clock
from hub.rules.conditions import TIMED, evaluate, flips


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What another rule book makes of a case: its clocks, and when the ticket is to be looked at because of it."""

    clocks: Mapping[str, Clock]
    next_at: datetime | None


def revise(book: RuleBook, case: Case, now: datetime) -> Revision:
    """The clocks of a case by a rule book that is new to it, and the next look that this asks for.

    It is due now where a warning or breach has passed that was not acted on, where people see a clock that moved, and
    where a rule on time holds. Other rules that are new apply to a ticket when something happens to it.
    """
    facts: dict[str, object] = case_facts(case)
    found = clocks_of(book, case, facts, now)
    facts["clocks"] = {name: clock for name, (_, clock) in found.items()}
    looks = [clock.next_at for _, clock in found.values() if clock.next_at is not None]
    for name, (running, clock) in found.items():
        is_left = (
            actions is not None and step_name(name, clock, percent) not in case.steps
            for _, percent, *_, actions in steps_of(running, clock)
        )
        if clock.state.is_open and any(is_left):
            looks.append(now)
    shown_now = {name: shown(clock) for name, (_, clock) in found.items()}
    moved = {name for name in {*shown_now, *case.clocks} if shown_now.get(name) != case.clocks.get(name)}
    if any(f"{p.name}.{show.target}" in moved for p in book.promises for show in p.agreement.show):
        looks.append(now)
    for rule in book.rules:
        if not any(part.clock or any(getattr(part, name) for name in TIMED) for part in parts_of(rule.when)):
            continue
        looks += flips(rule.when, facts, now)
        if evaluate(rule.when, facts, now).holds and not case.fired.get(rule.name, Firing()).holds:
            looks.append(now)
    return Revision(clocks={name: clock for name, (_, clock) in found.items()}, next_at=min(looks, default=None))
