"""A pass and its agreements: warnings and breaches are acted on, and clocks shown in the fields for them. Pure.

It must not know how time is counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from hub.rules.book import Running
from hub.rules.case_clocks import clocks_of, shown, step_name, steps_of
from hub.rules.clocks import Clock
from hub.rules.doing import do_actions
from hub.rules.ruling import CLOCK, Explained
from hub.rules.work import Work


def keep_agreements(work: Work) -> None:
    """Acts on warnings and breaches, in the order of their times; each once, however late it is seen."""
    work.clocks = clocks_of(work.book, work.case, work.facts, work.now)
    passed = [one for running, clock in work.clocks.values() for one in steps_of(running, clock)]
    for at, percent, name, running, clock, actions in sorted(passed, key=lambda one: one[:3]):
        step = step_name(name, clock, percent)
        if step in work.steps:
            continue
        work.steps.add(step)
        what = "is late" if percent == 100 else f"has used up {percent} % of its time"
        local = at.astimezone(running.promise.calendar.zone)
        measure = str(running.target.measure).replace("_", " ")
        kind = running.promise.agreement.kind
        because = f"{kind} {running.promise.name}: the {measure} {what} since {local:%Y-%m-%d %H:%M %Z}"
        but = ""
        if not clock.state.is_open:
            but = ", but it has ended since"
        elif work.situation.since is not None and at < work.situation.since:
            but = ", but the hub had no rules then"
        work.explained.append(
            Explained(rule=f"{CLOCK}{name} {percent} %", fired=not but, holds=True, because=because + but)
        )
        if actions is not None and not but:
            do_actions(work, actions, f"clock {step}", because)
    work.facts["clocks"] = {name: clock for name, (_, clock) in work.clocks.items()}
    _forget_steps(work)


def show_clocks(work: Work, clocks: Mapping[str, tuple[Running, Clock]]) -> None:
    """Writes clocks that moved into the fields where people see them; a field that shows none any more is empty."""
    taken = set(_fields_of(work, clocks))
    for name in work.case.clocks:
        for field_name in _fields_of(work, [name]) if name not in clocks else ():
            if field_name not in taken:
                work.set_value(f"custom:{field_name}", None, f"clock {name}", "the clock is not this ticket's any more")
    for name, (running, clock) in clocks.items():
        if work.case.clocks.get(name) == shown(clock):
            continue
        zone = running.promise.calendar.zone
        due = clock.due.astimezone(zone) if clock.due else None
        for show in running.promise.agreement.show:
            if show.target == running.target.measure:
                for field_name, value in ((show.due, due), (show.state, str(clock.state))):
                    if field_name:
                        work.set_value(f"custom:{field_name}", value, f"clock {name}", "people see the clock there")


def _forget_steps(work: Work) -> None:
    """Those of earlier runs of a clock: a run that another one followed never comes back."""
    started = {name: clock.started.isoformat() for name, (_, clock) in work.clocks.items()}
    for step in list(work.steps):
        name, _, rest = step.rpartition(" ")[0].rpartition(" ")
        if name in started and rest < started[name]:
            work.steps.discard(step)


def _fields_of(work: Work, clocks: Collection[str]) -> Iterator[str]:
    """The custom fields in which people see these clocks."""
    for promise in work.book.promises:
        for show in promise.agreement.show:
            if f"{promise.name}.{show.target}" in clocks:
                yield from (field_name for field_name in (show.due, show.state) if field_name)
