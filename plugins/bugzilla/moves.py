"""From a neutral status to the writes that bring a bug there: which of the words, which resolution, which comments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.connector import Connector
from hub.ticket import Status
from plugins.bugzilla import texts, words
from plugins.bugzilla.facts import Facts
from plugins.bugzilla.settings import BugzillaSettings
from plugins.bugzilla.workflow import hops


class Moves:
    """For one installation. Asks it for its words and its workflow."""

    def __init__(self, connector: Connector, settings: BugzillaSettings, facts: Facts) -> None:
        self._connector, self._settings, self._facts = connector, settings, facts

    def bodies(self, raw: Mapping[str, Any], status: Status) -> list[dict[str, Any]]:
        """The bodies to write one after the other, none where the bug is there already.

        `raw` is the bug with its status and resolution. Raises LookupError with words for an admin when this Bugzilla
        has no such word, or no way there.
        """
        table = self._connector.statuses
        wanted = words.candidates(table, status) or [self._connector.native("status", status).casefold()]
        present, ending = str(raw["status"]), str(raw.get("resolution") or "")
        if words.status_word(table, present, ending).casefold() in wanted:
            return []
        goal = self._facts.word("status", [word.partition("/")[0] for word in wanted])
        if goal is None:
            known = ", ".join(self._facts.words("status"))
            raise LookupError(f"this Bugzilla has no status {' or '.join(wanted).upper()}; there are {known}")
        pairs = [word.partition("/") for word in wanted]
        named = next(resolution for name, _, resolution in pairs if name == goal.casefold())
        resolution = self._facts.word("resolution", [named or self._settings.resolution])
        if resolution is None:
            raise LookupError(f"this Bugzilla has no resolution {named or self._settings.resolution}")
        if self._means_another(goal, resolution, status):
            raise LookupError(f"{goal}/{resolution} means another status; name the resolution that belongs to {status}")
        steps = hops(
            self._facts.statuses(), present, ending, goal, resolution,
            # A resolution that would make it another status is replaced, though an engineer chose it.
            is_named=bool(named) or self._means_another(goal, ending, status),
            comments_on_resolution=self._facts.parameter("commentonchange_resolution") == "1",
        )  # fmt: skip
        comment = {"body": texts.marked(self._settings.transition_comment, texts.OWN_MARK), "is_private": False}
        return [{**hop.body, **({"comment": comment} if hop.needs_comment else {})} for hop in steps]

    def _means_another(self, name: str, resolution: str, status: Status) -> bool:
        return self._connector.statuses.meaning.get(f"{name}/{resolution}".casefold(), status) != status
