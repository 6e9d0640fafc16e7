"""The rule book: the settings' lines, agreements, rules and macros, compiled once for the life of the process. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.rules.calendars import ALWAYS, Calendar, Holidays
from hub.rules.clocks import Again, Measure, Target, usual_pauses
from hub.rules.conditions import Facts, evaluate
from hub.settings.model import Settings
from hub.settings.rules import Agreement, CalendarSettings, Condition, Languages, Line, Macro, PriorityMatrix, Rule
from hub.ticket import Priority, Status


@dataclass(frozen=True)
class Promise:
    """An agreement with its calendar. `name` is the settings' name for it."""

    name: str
    agreement: Agreement
    calendar: Calendar


@dataclass(frozen=True)
class Running:
    """A target that applies to a ticket now. `name` is `<agreement>.<measure>`."""

    name: str
    promise: Promise
    target: Target


@dataclass(frozen=True)
class RuleBook:
    """What `hub.rules.one_pass` works with. `watched` are the percents that conditions ask of clocks, by measure."""

    lines: Mapping[int, Line] = field(default_factory=dict)
    promises: tuple[Promise, ...] = ()
    rules: tuple[Rule, ...] = ()
    macros: Mapping[str, Macro] = field(default_factory=dict)
    languages: Languages = field(default_factory=Languages)
    matrix: PriorityMatrix | None = None
    watched: Mapping[str, frozenset[int]] = field(default_factory=dict)
    digest: str = ""

    def running(self, facts: Facts, now: datetime) -> list[Running]:
        """The targets that apply now: of each kind, and each set of lines, the first agreement that fits."""
        found: list[Running] = []
        taken: set[tuple[str, tuple[int, ...]]] = set()
        priority = str(facts.get("priority") or "")
        for promise in self.promises:
            agreement = promise.agreement
            place = (agreement.kind, tuple(sorted(agreement.lines)))
            if place in taken:
                continue
            if agreement.when is not None and not evaluate(agreement.when, facts, now).holds:
                continue
            taken.add(place)
            for measure, by_priority in agreement.targets.items():
                minutes = by_priority.get(priority, by_priority.get("any"))
                if minutes is not None:
                    target = target_of(agreement, measure, minutes, self.watched)
                    found.append(Running(f"{promise.name}.{measure}", promise, target))
        return found


def compile_book(settings: Settings) -> RuleBook:
    """The rule book of valid settings."""
    calendars = {name: calendar_of(name, given) for name, given in settings.calendars.items()}
    promises = tuple(
        Promise(name, agreement, calendars[agreement.calendar] if agreement.calendar else ALWAYS)
        for name, agreement in settings.agreements.items()
    )
    watched: dict[str, frozenset[int]] = {}
    for condition in conditions_of(settings):
        for part in parts_of(condition):
            if part.clock is not None and part.clock.reached is not None:
                known = watched.get(part.clock.target, frozenset())
                watched[part.clock.target] = known | {part.clock.reached}
    return RuleBook(
        lines=dict(sorted(settings.lines.items())),
        promises=promises,
        rules=tuple(settings.rules),
        macros=settings.macros,
        languages=settings.languages,
        matrix=settings.priority_matrix,
        watched=watched,
        digest=digest_of(settings),
    )


def calendar_of(name: str, given: CalendarSettings) -> Calendar:
    """The calendar that the settings describe. Raises `hub.rules.calendars.CalendarError`."""
    country, _, region = given.holidays.partition("-")
    return Calendar(
        name=name,
        zone=ZoneInfo(given.zone),
        hours=given.by_weekday(),
        holidays=Holidays(((country, region or None),) if country else (), closed=frozenset(given.closed)),
        special={day: tuple(hours) for day, hours in given.open.items()},
    )


def digest_of(settings: Settings) -> str:
    """32 hex digits that change when anything changes by which clocks are computed, or when to look at a ticket."""
    parts = [
        repr((name, value))
        for table in (settings.calendars, settings.agreements, settings.lines)
        for name, value in table.items()
    ]
    parts += [repr((rule.name, rule.when, rule.again_after)) for rule in settings.rules]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def conditions_of(settings: Settings) -> Iterator[Condition]:
    """Every condition of the rule book and of the links."""
    for rule in settings.rules:
        yield rule.when
    for line in settings.lines.values():
        if line.takes is not None:
            yield line.takes
    for agreement in settings.agreements.values():
        if agreement.when is not None:
            yield agreement.when
    for link in settings.links:
        if link.when is not None:
            yield link.when


def parts_of(condition: Condition) -> Iterator[Condition]:
    """The condition and every one inside it."""
    yield condition
    below = [*(condition.all or ()), *(condition.any or ()), *([condition.not_] if condition.not_ else ())]
    for part in below:
        yield from parts_of(part)


PRIORITIES: list[Priority] = [p for p in Priority if p is not Priority.UNKNOWN]


def raised(priority: object, steps: int) -> Priority:
    """The priority so many steps higher; one that is not known counts as normal."""
    known = priority if isinstance(priority, Priority) and priority in PRIORITIES else Priority.NORMAL
    return PRIORITIES[min(PRIORITIES.index(known) + steps, len(PRIORITIES) - 1)]


def target_of(agreement: Agreement, measure: str, minutes: float, watched: Mapping[str, frozenset[int]]) -> Target:
    """What one measure of an agreement promises. Raises ValueError for a combination that cannot be."""
    usual = usual_pauses(Measure(measure)) - frozenset(map(Status, agreement.statuses))
    paused = usual if agreement.paused_in is None else frozenset(map(Status, agreement.paused_in))
    return Target(
        measure=Measure(measure),
        minutes=minutes,
        warn_at=tuple(sorted({*agreement.warnings, *watched.get(measure, ())} - {100})),
        paused_in=paused,
        lines=frozenset(agreement.lines) or None,
        statuses=frozenset(map(Status, agreement.statuses)) or None,
        again=Again(agreement.reopened) if agreement.reopened else None,
    )
