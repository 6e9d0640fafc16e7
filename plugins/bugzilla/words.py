"""Status words, and which of several an installation has. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from hub.mapping import ValueMap

STATUSES = {
    "new": ["UNCONFIRMED"],
    "open": ["CONFIRMED", "NEW", "REOPENED"],
    "in_progress": ["IN_PROGRESS", "ASSIGNED"],
    "solved": ["RESOLVED"],
    "closed": ["VERIFIED", "CLOSED"],
}
"""Of a fresh 5.x, of older installations, and of Mozilla's."""
PRIORITIES = {
    "lowest": ["Lowest", "P5"],
    "low": ["Low", "P4"],
    "normal": ["Normal", "P3", "---", "--"],
    "high": ["High", "P2"],
    "urgent": ["Highest", "P1"],
}
CATEGORIES = {"bug": ["defect"], "change_request": ["enhancement"], "service_request": ["task"]}
"""Mozilla's types of bugs."""


def candidates(table: ValueMap[Any], value: object) -> list[str]:
    """The words that mean a value, in the order in which they are tried, in lower case."""
    first = table.written.get(value)
    found = [word for word, meaning in table.meaning.items() if meaning == value]
    return sorted(found, key=lambda word: first is None or word != first.casefold())


def status_word(table: ValueMap[Any], status: str, resolution: str) -> str:
    """A bug's status, with its resolution where the settings name that pair."""
    both = f"{status}/{resolution}"
    return both if both.casefold() in table.meaning else status


def pick(wanted: Iterable[str], known: Collection[str]) -> str | None:
    """The first wanted word that the installation has, in its own spelling."""
    spelt: Mapping[str, str] = {word.casefold(): word for word in known}
    return next((spelt[word.casefold()] for word in wanted if word.casefold() in spelt), None)
