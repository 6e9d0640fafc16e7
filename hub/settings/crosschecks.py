"""Checks that need several sections: links and people name trackers that exist and fit.

They work on the tree rather than on validated settings, so that they tell their part even when other parts are wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.connector import Role
from hub.settings.problems import Path, Problem, dotted, suggest
from hub.settings.tree import Node

_TRACKER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_LONGEST_SOURCE = 60
_RESERVED = {"link": "links", "alert": "alerts", "hub": "the hub itself"}
"""`link:7` names a link, `alert:…` a group of alerts, and `hub:…` the hub, wherever `support:35436` names a ticket."""


@dataclass(frozen=True, slots=True)
class KnownTrackers:
    """The settings' trackers. `roles` holds those whose kind is known."""

    tree: Node
    roles: Mapping[str, Role]

    @property
    def names(self) -> list[str]:
        return _keys(self.tree.find(("trackers",)))

    def fields(self, name: str) -> list[str]:
        """The neutral names of a tracker's custom fields."""
        return _keys(self.tree.find(("trackers", name, "fields")))

    def problem(self, path: Path, what: str, remedy: str = "") -> Problem:
        node = self.tree.find(path)
        place = self.tree.place_of(path)
        return Problem(place=place, where=dotted(path), what=what, remedy=remedy, value=node.written if node else "")

    def is_missing(self, path: Path, name: str) -> list[Problem]:
        """A problem when there is no tracker of this name."""
        if name in self.names:
            return []
        remedy = suggest(name, self.names, "Trackers are") or "There are no trackers at all."
        return [self.problem(path, f"there is no tracker {name!r}", remedy)]


def check_names(known: KnownTrackers) -> list[Problem]:
    """Tracker names go into webhook addresses and into `support:35436`, so not every name will do."""
    remedy = "Use letters, digits, - and _."
    wrong = [n for n in known.names if not _TRACKER_NAME.fullmatch(n)]
    taken = [n for n in known.names if n in _RESERVED]
    problems = [known.problem(("trackers", n), f"a tracker cannot be called {n!r}", remedy) for n in wrong]
    for name in taken:
        what, why = f"a tracker cannot be called {name!r}", f"The word stands for {_RESERVED[name]}."
        problems.append(known.problem(("trackers", name), what, why))
    return problems


def check_alerts(known: KnownTrackers) -> list[Problem]:
    """Sources of alerts have names that go into an address, and open incidents in a helpdesk that exists."""
    problems: list[Problem] = []
    for name in _keys(known.tree.find(("alerts",))):
        path: Path = ("alerts", name)
        if not _TRACKER_NAME.fullmatch(name) or len(name) > _LONGEST_SOURCE:
            remedy = f"Use letters, digits, - and _; at most {_LONGEST_SOURCE}."
            problems.append(known.problem(path, f"a source of alerts cannot be called {name!r}", remedy))
        for place, tracker in _named(known.tree.find((*path, "tracker")), (*path, "tracker")):
            role = known.roles.get(tracker)
            if role is None:
                problems += known.is_missing(place, tracker)
            elif role is not Role.HELPDESK:
                fitting = ", ".join(n for n, r in known.roles.items() if r is Role.HELPDESK)
                remedy = f"Incidents are opened in a helpdesk: {fitting}." if fitting else "Add a helpdesk to trackers."
                problems.append(known.problem(place, f"the tracker {tracker!r} is no helpdesk", remedy))
    return problems


def check_links(known: KnownTrackers) -> list[Problem]:
    """Links name existing trackers in fitting roles, their custom fields exist on both sides, names are unique."""
    problems: list[Problem] = []
    titles: dict[str, int] = {}
    links = known.tree.find(("links",))
    for index, link in enumerate(links.value if links and isinstance(links.value, list) else []):
        path: Path = ("links", index)
        tickets, issues = _named(link.child("tickets"), (*path, "tickets")), _named(link.child("issues"), ())
        problems += _ticket_problems(known, tickets, issues)
        if issues:
            problems += _issue_problems(known, (*path, "issues"), issues[0][1])
        trackers = list(dict.fromkeys(name for _, name in [*tickets, *issues]))
        problems += _field_problems(known, path, link, [t for t in trackers if t in known.names])
        problems += _condition_problems(known, (*path, "when"), link.child("when"))
        name = link.child("name")
        title = str(name.value) if name and name.value else "+".join(t for _, t in tickets) + f"-{_first(issues)}"
        if title in titles and tickets and issues:
            first = known.tree.place_of(("links", titles[title]))
            what = f"the link at {first} is called {title!r} as well"
            problems.append(known.problem((*path, "name"), what, "Give one of them another name."))
        titles.setdefault(title, index)
    return problems


def check_people(known: KnownTrackers) -> list[Problem]:
    """People have accounts in existing trackers."""
    people = known.tree.find(("people",))
    return [
        problem
        for person in _keys(people)
        for tracker in _keys(known.tree.find(("people", person)))
        for problem in known.is_missing(("people", person, tracker), tracker)
    ]


def _ticket_problems(
    known: KnownTrackers, tickets: Sequence[tuple[Path, str]], issues: Sequence[tuple[Path, str]]
) -> list[Problem]:
    problems: list[Problem] = []
    seen: set[str] = set()
    for path, name in tickets:
        problems += known.is_missing(path, name)
        if known.roles.get(name) is Role.ACTION:
            what = f"the tracker {name!r} has no tickets"
            problems.append(known.problem(path, what, "Name a helpdesk, or a bug tracker."))
        if name in seen:
            problems.append(known.problem(path, f"the tracker {name!r} is named twice", "Remove one of the two."))
        if name == _first(issues):
            what = f"the tracker {name!r} cannot be linked with itself"
            problems.append(known.problem(path, what, "Name another tracker for tickets or for issues."))
        seen.add(name)
    return problems


def _issue_problems(known: KnownTrackers, path: Path, name: str) -> list[Problem]:
    role = known.roles.get(name)
    if role is None or role is Role.BUG_TRACKER:
        return known.is_missing(path, name)
    is_what = "a helpdesk" if role is Role.HELPDESK else "no tracker of tickets"
    fitting = [n for n, r in known.roles.items() if r is Role.BUG_TRACKER]
    remedy = f"Issues must be in a bug tracker: {', '.join(fitting)}." if fitting else "Add a bug tracker to trackers."
    return [known.problem(path, f"the tracker {name!r} is {is_what}", remedy)]


def _field_problems(known: KnownTrackers, path: Path, link: Node, trackers: Sequence[str]) -> list[Problem]:
    problems = []
    for key in _keys(link.child("fields")):
        prefix, _, name = key.partition("custom:")
        lacking = [t for t in trackers if name not in known.fields(t)]
        if not prefix and key.startswith("custom:") and lacking:
            both = sorted({f for t in trackers for f in known.fields(t)})
            remedy = suggest(name, [f for f in both if f != name], "")
            if not remedy.startswith("Did"):
                remedy = f"Add it under trackers.{lacking[0]}.fields."
            what = f"there is no custom field {name!r} in {' and '.join(lacking)}"
            problems.append(known.problem((*path, "fields", key), what, remedy))
    return problems


def _condition_problems(known: KnownTrackers, path: Path, when: Node | None) -> list[Problem]:
    """An empty condition holds for every ticket, and nobody means that."""
    if when is None or not isinstance(when.value, dict):
        return []
    if not any(child.value is not None for child in when.value.values()):
        what = "a condition without parts would hold for every ticket"
        return [known.problem(path, what, "Say which: label, line, priority or category; or remove it.")]
    parts = when.child("any")
    return [
        problem
        for index, part in enumerate(parts.value if parts and isinstance(parts.value, list) else [])
        for problem in _condition_problems(known, (*path, "any", index), part)
    ]


def _named(node: Node | None, path: Path) -> list[tuple[Path, str]]:
    """The tracker names at a place that takes one or several; those that a missing variable holds are left out."""
    if node is None or not node.is_known:
        return []
    if isinstance(node.value, str):
        return [(path, node.value)]
    items = node.value if isinstance(node.value, list) else []
    return [((*path, i), item.value) for i, item in enumerate(items) if item.is_known and isinstance(item.value, str)]


def _first(named: Sequence[tuple[Path, str]]) -> str:
    return named[0][1] if named else ""


def _keys(node: Node | None) -> list[str]:
    return list(node.value) if node and isinstance(node.value, dict) else []
