"""Which labels of a project say a status, a priority or a field's value, and which are labels of people's own.

GitLab has two states and no priority: both are labels, scoped ones (`status::in-progress`) as a rule. Of one scope an
issue has one label, but only the paid tiers see to that. Pure.
Source: docs.gitlab.com, "Labels", "Scoped labels".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.mapping import ValueMap
from hub.settings.trackers import CustomField
from hub.ticket import Priority, Status

OPENED, CLOSED, MOVED = "opened", "closed", "moved"
NO_LABEL = "none"
"""The word for an issue without a label of a family: what a priority is that nobody set."""
NO_LABELS = frozenset({OPENED, CLOSED, MOVED, NO_LABEL})
"""Words of the tables that are no labels."""
LABEL_LIMIT = 255
SEVERAL = ", "
"""Stands between labels that contradict each other; no label can hold a comma."""


@dataclass(frozen=True)
class Family:
    """Labels of which an issue should have one: those of some scopes, and single words."""

    scopes: frozenset[str]
    words: frozenset[str]
    """In lower case."""
    spelled: frozenset[str] = frozenset()
    """Words as they are written."""

    @classmethod
    def of(cls, table: ValueMap[Any]) -> Family:
        """The labels that a table names, with every label of the same scopes."""
        words = frozenset(word for word in table.meaning if word not in NO_LABELS)
        spelled = frozenset(word for word in table.written.values() if word.casefold() in words)
        return cls(frozenset(filter(None, map(scope_of, words))), words, spelled)

    def has(self, label: str) -> bool:
        """Whether a label belongs here."""
        return label.casefold() in self.words or scope_of(label.casefold()) in self.scopes

    def among(self, labels: Iterable[str]) -> list[str]:
        """Those of the labels that belong here, sorted."""
        return sorted(label for label in labels if self.has(label))


class Families:
    """All families of a tracker: statuses, priorities and configured fields."""

    def __init__(
        self, statuses: ValueMap[Status], priorities: ValueMap[Priority], fields: Mapping[str, CustomField]
    ) -> None:
        self.statuses, self.priorities = statuses, priorities
        self.status, self.priority = Family.of(statuses), Family.of(priorities)
        self.fields = {name: Family(frozenset({field.id.casefold()}), frozenset()) for name, field in fields.items()}

    def are_special(self, label: str) -> bool:
        """Whether a label says something that is no label to people."""
        return any(family.has(label) for family in (self.status, self.priority, *self.fields.values()))

    def status_word(self, state: str, labels: Sequence[str], *, is_moved: bool) -> str:
        """The word for an issue's status, which the table of statuses translates.

        A closed issue is done and an open one is not, whatever its labels say; labels say more within that. An issue
        that was moved to another project is closed here without being done. Labels that contradict each other mean
        nothing that is known.
        """
        if is_moved:
            return MOVED
        is_closed = state == CLOSED
        fitting = [label for label in self.status.among(labels) if self.statuses.to_neutral(label).is_done == is_closed]
        if is_closed:
            return fitting[0] if len(fitting) == 1 else CLOSED
        return SEVERAL.join(fitting) or OPENED

    def priority_word(self, labels: Sequence[str]) -> str:
        """The word for an issue's priority, which the table of priorities translates."""
        return SEVERAL.join(self.priority.among(labels)) or NO_LABEL

    def hold(self, label: str) -> str:
        """A label as GitLab keeps it, and such that it does not say a status or a priority."""
        kept = " ".join(label.translate({ord(","): " ", ord("<"): "", ord(">"): ""}).split())[:LABEL_LIMIT].rstrip()
        if self.are_special(kept):
            kept = kept.replace("::", ":")
        return f"tag {kept}" if self.are_special(kept) else kept


def scope_of(label: str) -> str:
    """`status` of `status::open`, `a::b` of `a::b::c`; empty for a label without a scope."""
    return label.rpartition("::")[0]
