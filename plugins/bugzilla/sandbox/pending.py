"""What one call is to change of one bug, as far as it has been looked at: steps to be done when all of it is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from plugins.bugzilla.sandbox.creation import Creation
from plugins.bugzilla.sandbox.state import Bug, Store, User

Step = Callable[[], None]
Changed = dict[str, tuple[str, str]]
"""By REST's name: what was removed and what was added."""


@dataclass
class Pending:
    """`base` is the installation's address, for links to its own bugs."""

    store: Store
    creation: Creation
    base: str
    user: User
    bug: Bug
    changed: Changed = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def note(self, name: str, before: object, after: object, step: Step) -> None:
        """A change that the history keeps and the answer tells."""
        self.changed[name] = ("" if before is None else str(before), "" if after is None else str(after))
        self.steps.append(step)

    def value(self, name: str, value: str) -> None:
        """A plain value, where it is another than before."""
        before = self.bug.values.get(name, "")
        if value != before:
            self.note(name, before, value, lambda: self.bug.values.update({name: value}))
