"""Who is who: the same person has another account in each tracker.

A person is known by a key that all trackers share: the name that the settings give them, else their mail address,
else their account in the tracker where they were seen. Nobody is guessed from a display name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.ticket import Person


@dataclass(frozen=True, slots=True)
class People:
    """`named` are the settings' people; `found` maps (tracker, mail address) to an account looked up there."""

    named: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    found: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def key(self, tracker: str, person: Person | None) -> str | None:
        """The shared key of somebody seen in `tracker`; None for nobody."""
        if person is None or not (person.id or person.email):
            return None
        for name, accounts in self.named.items():
            if accounts.get(tracker) == person.id:
                return name
        if person.email:
            return person.email.casefold()
        return f"{tracker}:{person.id}"

    def account(self, tracker: str, key: str) -> str | None:
        """The person's account id in `tracker`, None where nothing says who that is."""
        if key in self.named:
            return self.named[key].get(tracker)
        own, colon, account = key.partition(":")
        if colon and own == tracker:
            return account
        return self.found.get((tracker, key))
