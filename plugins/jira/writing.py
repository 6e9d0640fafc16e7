"""Making and changing issues, and moving them through their workflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.connector import Changes, Connector, Draft, RefusedError, Written
from hub.ticket import Markdown, Status, Value
from plugins.jira import mapping
from plugins.jira.client import JiraClient
from plugins.jira.settings import JiraSettings
from plugins.jira.site import Site
from plugins.jira.texts import wiki
from plugins.jira.workflow import Hop, Workflow, walk

NEUTRAL = {"summary": "title", "issuetype": "category"}
"""Jira's field ids in errors -> neutral names, where they differ."""


class Writing:
    """Writes to the issues of one site. Raises RefusedError for single fields, by their neutral names."""

    def __init__(self, connector: Connector, client: JiraClient, settings: JiraSettings, site: Site) -> None:
        self._connector, self._client, self._settings, self._site = connector, client, settings, site
        self._workflows: dict[tuple[str, str], Workflow] = {}

    def create(self, draft: Draft) -> Mapping[str, Any]:
        """One call; returns id and key. The mark is a label, because Jira's search finds labels, and a property that
        people do not see."""
        hold_label = self._connector.hold_label
        fields: dict[str, Any] = {
            "project": {"key": self._settings.project},
            "issuetype": {"name": self._settings.issue_type},
            "summary": draft.title or draft.marker,
            "description": wiki(draft.description),
            "labels": sorted({hold_label(label) for label in draft.labels} | {draft.marker}),
            **self._settings.create_fields,
            **self._native(draft.values),
        }
        body = {"fields": fields, "properties": [{"key": mapping.ORIGIN, "value": {"marker": draft.marker}}]}
        try:
            made: Mapping[str, Any] = self._client.send("POST", "/issue", body)
        except RefusedError as error:
            raise self._in_neutral_words(error) from error
        return made

    def update(self, ticket_id: str, changes: Changes) -> None:
        """One PUT; labels by their verbs, so that a label that somebody adds meanwhile stays."""
        labels = [{"add": label} for label in sorted(changes.add_labels)]
        labels += [{"remove": label} for label in sorted(changes.remove_labels)]
        body: dict[str, Any] = {"fields": self._native(changes.values)}
        if labels:
            body["update"] = {"labels": labels}
        params = {"notifyUsers": "false"} if self._settings.quiet else {}
        try:
            self._client.send("PUT", f"/issue/{ticket_id}", body, params=params)
        except RefusedError as error:
            raise self._in_neutral_words(error) from error

    def transition(self, ticket_id: str, status: Status) -> Written:
        """Step by step; what is learned of a workflow is kept by project and issue type."""
        raw = self._client.get(f"/issue/{ticket_id}", fields="status,project,issuetype")
        fields = raw["fields"]
        key, stood = (str(fields["project"]["key"]), str(fields["issuetype"]["name"])), str(fields["status"]["name"])
        walk(
            tracker=self._client.name,
            issue=str(raw["key"]),
            status=stood,
            wanted=self._words_for(status, key[0]),
            defaults=self._settings.transition_fields,
            workflow=self._workflows.setdefault(key, Workflow()),
            hops_from_here=lambda: self._hops(ticket_id),
            take=lambda hop, values: self._take(ticket_id, hop, values),
        )
        return Written(replaced={"status": self._connector.statuses.to_neutral(stood)})

    def _words_for(self, status: Status, project: str) -> list[str]:
        """The statuses to go to, the best first: of all words for it those that this project's workflows have.

        Of finished ones only the best: others that mean the same (`Won't Do` beside `Done`) say something else to
        people. Of the others each will do, e.g. `Reopened` for `To Do`, where one step leads there. Raises
        RefusedError when the project has none of them: to look for the way would only move the issue about.
        """
        name, statuses = self._client.name, self._connector.statuses
        first = self._connector.native("status", status)
        known = self._site.statuses_of(project)
        same = [word for word, meaning in statuses.meaning.items() if meaning is statuses.to_neutral(first)]
        words = [first, *(word for word in same if word != first.casefold())]
        there = [word for word in words if word.casefold() in known]
        if not there:
            why = f"{project} has no status {' or '.join(words)}; it has {', '.join(known.values())}"
            remedy = f"Map one of them: trackers.{name}.statuses: {{{status}: …}}"
            raise RefusedError(name, f"move to {first}", {"status": why}, remedy)
        return there[:1] if status.is_done else there

    def _hops(self, issue_id: str) -> list[Hop]:
        answer = self._client.get(f"/issue/{issue_id}/transitions", expand="transitions.fields")
        return [
            Hop(
                str(t["id"]),
                t["name"],
                t["to"]["name"],
                (t["to"].get("statusCategory") or {}).get("key", ""),
                t.get("fields") or {},
            )
            for t in answer["transitions"]
        ]

    def _take(self, issue_id: str, hop: Hop, values: Mapping[str, Any]) -> None:
        body: dict[str, Any] = {"transition": {"id": hop.id}} | ({"fields": dict(values)} if values else {})
        try:
            self._client.send("POST", f"/issue/{issue_id}/transitions", body)
        except RefusedError as error:
            why = f"the transition {hop.name!r} was refused: {error.why}"
            remedy = f"Look at trackers.{self._client.name}.transition_fields."
            raise RefusedError(self._client.name, error.doing, {"status": why}, remedy) from error

    def _native(self, values: Mapping[str, Value]) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        ids = self._site.custom_ids()
        for name, value in values.items():
            if name.startswith("custom:"):
                custom = name.removeprefix("custom:")
                fields[ids[custom]] = mapping.native_value(self._settings.fields[custom], value)
            elif name == "title":
                fields["summary"] = value
            elif name == "description":
                fields["description"] = wiki(Markdown(str(value or "")))
            elif name == "priority":
                fields["priority"] = {"name": self._connector.native(name, value)}
            elif name == "category":
                fields["issuetype"] = {"name": self._connector.native(name, value)}
            elif name == "assignee":
                fields["assignee"] = {"accountId" if self._site.is_cloud() else "name": value} if value else None
        return fields

    def _in_neutral_words(self, error: RefusedError) -> RefusedError:
        names = {field_id: f"custom:{name}" for name, field_id in self._site.custom_ids().items()} | NEUTRAL
        fields = {names.get(name, name): why for name, why in error.fields.items()}
        remedy = (
            f"Look at the screen of {self._settings.issue_type} in {self._settings.project}, and at the mapping; what "
            f"new issues need beyond it stands under trackers.{self._client.name}.create_fields."
        )
        return RefusedError(self._client.name, error.doing, fields, remedy)
