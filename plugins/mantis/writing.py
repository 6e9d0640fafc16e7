"""Making, changing and moving issues. Source: recorded exchanges create.*, patch.*, workflow.*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.connector import Changes, Connector, Draft, RefusedError
from hub.ticket import Snapshot, Status
from plugins.mantis.bodies import Bodies
from plugins.mantis.client import MantisClient
from plugins.mantis.facts import Facts
from plugins.mantis.issues import Issues
from plugins.mantis.moves import moves
from plugins.mantis.settings import MantisSettings


class Writing:
    """Writes to the issues of one site. Raises RefusedError for single fields, ConflictError by the lock."""

    def __init__(
        self, connector: Connector, client: MantisClient, settings: MantisSettings, facts: Facts, issues: Issues
    ) -> None:
        self._connector, self._client, self._settings = connector, client, settings
        self._facts, self._issues = facts, issues
        self._bodies = Bodies(connector, client, settings, facts)

    def create(self, draft: Draft) -> int:
        """One call, after what MantisBT would take without a word and drop has been looked at; returns the number."""
        body = self._bodies.new_issue(draft)
        try:
            return int(self._client.send("POST", "/issues", body)["issue"]["id"])
        except RefusedError as error:
            raise self._bodies.in_neutral_words(error) from error

    def update(self, ticket_id: str, changes: Changes, basis: Snapshot | None) -> str:
        """One PATCH, none where nothing changes; returns the version after it.

        Tags can only be replaced as a whole, so they need the lock, and a look where there is none.
        """
        native = basis.ticket.native if basis else {}
        body = self._bodies.native(changes.values, int(native.get("project") or 0) or None)
        version = basis.version if basis else ""
        if changes.add_labels or changes.remove_labels:
            labels = basis.ticket.labels if basis else frozenset[str]()
            if not version:
                raw, version = self._issues.get(ticket_id)
                labels = frozenset(str(tag["name"]) for tag in raw.get("tags") or ())
            body["tags"] = self._bodies.tags(labels, changes)
        names = [*changes.values, *(["labels"] if "tags" in body else [])]
        return self._patch(ticket_id, body, version, names) if body else version

    def transition(self, ticket_id: str, status: Status) -> str:
        """Hop by hop along the project's workflow, which MantisBT's API itself does not keep to."""
        raw, version = self._issues.get(ticket_id)
        wanted = self._connector.native("status", status)
        try:
            bodies = self._moves(raw, wanted)
        except LookupError as error:
            name = self._connector.name
            remedy = f"Look at trackers.{name}.statuses and resolution, and at the project's workflow."
            raise RefusedError(name, f"move {ticket_id} to {wanted}", {"status": str(error)}, remedy) from error
        for body in bodies:
            version = self._patch(ticket_id, body, version, ["status"])
        return version

    def _moves(self, raw: Mapping[str, Any], wanted: str) -> list[dict[str, Any]]:
        """The writes that bring an issue there. Raises LookupError only after the site was asked afresh."""
        project_id, meaning = int(raw["project"]["id"]), self._connector.statuses.meaning
        try:
            return moves(self._facts.config(project_id), self._settings, raw, wanted, meaning)
        except LookupError:
            return moves(self._facts.config(project_id, afresh=True), self._settings, raw, wanted, meaning)

    def _patch(self, ticket_id: str, body: Mapping[str, Any], version: str, names: Sequence[str]) -> str:
        try:
            return self._issues.patch(ticket_id, body, version, names)
        except RefusedError as error:
            raise self._bodies.in_neutral_words(error) from error
