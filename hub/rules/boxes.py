"""What a condition leaves open, as boxes: enough to tell that it can never hold, or that two may hold together. Pure.

A condition is any one of its boxes; a box allows some values for each field that has few, and wants or forbids single
labels. What cannot be enumerated (texts, times, numbers) constrains nothing here, so a box that looks possible may
still be impossible, and one that is found empty is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from hub.settings.rules import Condition
from hub.ticket import Category, Channel, Priority, Status

OUTSIDE = frozenset(["issue_status", "organisation"])
"""Fields that no rule sets."""
MOST_BOXES = 256
"""A condition with more alternatives is not looked into."""


@dataclass(frozen=True, slots=True)
class Box:
    """`allowed` by field, a field that is missing may be anything; `has` and `lacks` are labels in lower case.

    `needs_event` is whether something must happen that no rule can do: a person writes, an issue changes.
    """

    allowed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    has: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    needs_event: bool = False

    @property
    def conflict(self) -> str:
        """Which part can never hold; empty where the box is possible."""
        for name, values in self.allowed.items():
            if not values:
                return name
        both = sorted(self.has & self.lacks)
        return f"label {both[0]}" if both else ""

    def meet(self, other: Box) -> Box:
        """What both allow."""
        allowed = dict(self.allowed)
        for name, values in other.allowed.items():
            allowed[name] = allowed[name] & values if name in allowed else values
        needs_event = self.needs_event or other.needs_event
        return Box(allowed, self.has | other.has, self.lacks | other.lacks, needs_event)


@dataclass(frozen=True, slots=True)
class Domain:
    """The values that fields with few of them may have in a deployment."""

    values: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, trackers: Iterable[str], lines: Iterable[int]) -> Domain:
        """That of these trackers and lines."""
        return cls(
            {
                "status": frozenset(map(str, Status)),
                "priority": frozenset(map(str, Priority)),
                "category": frozenset(map(str, Category)),
                "channel": frozenset(map(str, Channel)),
                "issue_status": frozenset([*map(str, Status), "None"]),
                "line": frozenset([*map(str, lines), "None"]),
                "tracker": frozenset(trackers),
                "linked": frozenset(["True", "False"]),
                "last_reply": frozenset(["customer", "staff", "nobody"]),
                "rating": frozenset(["good", "bad", "None"]),
            }
        )


def boxes(condition: Condition, domain: Domain) -> list[Box]:
    """The alternatives under which a condition may hold, impossible ones included. One open box when there are many."""
    found = _boxes(condition, domain)
    return found if len(found) <= MOST_BOXES else [Box()]


def impossible(condition: Condition, domain: Domain) -> str:
    """Which part makes the condition one that never holds; empty where it may."""
    conflicts = [box.conflict for box in boxes(condition, domain)]
    return conflicts[0] if all(conflicts) else ""


def _boxes(condition: Condition, domain: Domain) -> list[Box]:
    own = [Box({name: frozenset(values)}) for name, values in _plain(condition)]
    literal = [label.casefold() for label in condition.label or () if "*" not in label]
    parts: list[list[Box]] = [[box] for box in own]
    if condition.label is not None and len(literal) == len(condition.label):
        parts.append([Box(has=frozenset([label])) for label in literal])
    if condition.replied is not None or OUTSIDE & set(condition.changed or ()):
        parts.append([Box(needs_event=True)])
    parts += [_boxes(part, domain) for part in condition.all or ()]
    if condition.any is not None:
        parts.append([box for part in condition.any for box in _boxes(part, domain)])
    if condition.not_ is not None:
        parts.append(_opposite(condition.not_, domain))
    return _all_of(parts)


def _all_of(parts: Iterable[list[Box]]) -> list[Box]:
    """The boxes under which each part holds."""
    found = [Box()]
    for part in parts:
        if len(found) * len(part) > MOST_BOXES:
            return [Box()]
        found = [a.meet(b) for a in found for b in part]
    return found


def _plain(condition: Condition) -> Iterator[tuple[str, list[str]]]:
    for name in ("status", "priority", "category", "channel", "issue_status", "line", "tracker"):
        wanted = getattr(condition, name)
        if wanted is not None:
            yield name, [str(value) for value in wanted]
    for name in ("linked", "last_reply", "rating"):
        wanted = getattr(condition, name)
        if wanted is not None:
            yield name, [str(wanted)]
    if condition.issue_status is not None:
        yield "linked", ["True"]
    for name, change in (condition.changed or {}).items():
        if change.to is not None and not any("*" in word for word in change.to):
            yield name, [str(word) for word in change.to]


def _opposite(condition: Condition, domain: Domain) -> list[Box]:
    """Under which boxes a condition does not hold: one of its parts fails, whichever."""
    found: list[Box] = []
    enumerated = {"all", "any", "not_"}
    changed = set(condition.changed or ())
    for name, values in _plain(condition):
        if name not in changed:
            found.append(Box({name: domain.values[name] - frozenset(values)}))
            enumerated.add(name)
    if condition.label is not None and not any("*" in label for label in condition.label):
        found.append(Box(lacks=frozenset(label.casefold() for label in condition.label)))
        enumerated.add("label")
    for part in condition.all or ():
        found += _opposite(part, domain)
    if condition.any is not None:
        found += _all_of([_opposite(part, domain) for part in condition.any])
    if condition.not_ is not None:
        found += _boxes(condition.not_, domain)
    given = {name for name in type(condition).model_fields if getattr(condition, name) is not None}
    # A part that cannot be enumerated may be the one that fails: then anything is open.
    return found if given <= enumerated else [*found, Box()]
