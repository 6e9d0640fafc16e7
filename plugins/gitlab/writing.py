"""Making and changing issues. Status, priority and custom fields are labels, and the state. Source: docs.gitlab.com,
"Issues API"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.connector import Changes, Connector, Draft
from hub.ticket import Markdown, Value, Visibility
from plugins.gitlab import mapping, text
from plugins.gitlab.client import GitlabClient
from plugins.gitlab.issues import Issues
from plugins.gitlab.labels import CLOSED, NO_LABEL, NO_LABELS, SEVERAL, Families
from plugins.gitlab.settings import GitlabSettings


class Writing:
    """Writes to the issues of one project."""

    def __init__(
        self,
        connector: Connector,
        client: GitlabClient,
        settings: GitlabSettings,
        families: Families,
        issues: Issues,
    ) -> None:
        self._connector, self._client, self._settings = connector, client, settings
        self._families, self._issues = families, issues

    def create(self, draft: Draft) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        """The new issue and what was refused of it. One call. Whether the issue is confidential is always said. An
        issue is made open, so a status that means closed is left to a later update."""
        refused = {}
        values = {name: value for name, value in draft.values.items() if value is not None}
        if "status" in values and self._state_of(values["status"]) == "close":
            refused["status"] = "GitLab makes every issue open"
            del values["status"]
        body, add, _ = self._native(values, {})
        body.pop("state_event", None)
        raw = self._client.send(
            "POST",
            "~/issues",
            {
                "title": text.safe_title(draft.title or draft.marker),
                "description": text.stamped(text.written(draft.description), draft.marker),
                "labels": sorted({self._families.hold(label) for label in draft.labels} | add),
                "confidential": self._settings.confidential or draft.visibility is not Visibility.PUBLIC,
                **body,
            },
        )
        return raw, refused

    def find(self, marker: str, own_id: str) -> Mapping[str, Any] | None:
        """Among the hub's own issues, the newest first. GitLab's search does not know what stands in a comment of
        Markdown's; the list does, and lags behind nothing."""
        for page in self._client.pages(
            "~/issues", author_id=int(own_id), scope="all", order_by="created_at", sort="desc"
        ):
            for raw in page:
                if text.stamp_of(raw.get("description") or "") == marker:
                    return raw
        return None

    def update(self, ticket_id: str, changes: Changes, shown: Mapping[str, str]) -> None:
        """One PUT; labels by their verbs, so that a label that somebody adds meanwhile stays. `shown` are the native
        words that the issue shows."""
        body, add, remove = self._native(changes.values, shown)
        add |= changes.add_labels
        remove = (remove | changes.remove_labels) - add
        body |= {"add_labels": sorted(add)} if add else {}
        body |= {"remove_labels": sorted(remove)} if remove else {}
        if body:
            self._client.send("PUT", self._issues.path(ticket_id), body)

    def _native(
        self, values: Mapping[str, Value], shown: Mapping[str, str]
    ) -> tuple[dict[str, Any], set[str], set[str]]:
        """The body, and labels to add and to remove. Labels of a scope push each other out on paid tiers only, so the
        others are taken off by name."""
        body: dict[str, Any] = {}
        add: set[str] = set()
        remove: set[str] = set()
        for name, value in values.items():
            if name == "title":
                body["title"] = value
            elif name == "description":
                body["description"] = text.written(Markdown(str(value or "")))
            elif name == "assignee":
                body["assignee_ids"] = [int(str(value))] if value else []
            elif name == "category" and value is not None:
                body["issue_type"] = self._connector.native(name, value)
            elif name == "status":
                body["state_event"] = self._state_of(value)
                self._swap(name, value, shown.get("status_labels", ""), add, remove)
            elif name == "priority":
                self._swap(name, value, shown.get("priority", ""), add, remove)
            elif name.startswith("custom:"):
                if value is not None:
                    add.add(mapping.field_label(self._settings, name.removeprefix("custom:"), value))
                remove |= {label for label in shown.get(name, "").split(SEVERAL) if label} - add
        return body, add, remove - add

    def _swap(self, name: str, value: Value, shown: str, add: set[str], remove: set[str]) -> None:
        family = self._families.status if name == "status" else self._families.priority
        word = None if value is None else self._connector.native(name, value)
        if word is not None and word not in NO_LABELS:
            add.add(word)
        standing = (*family.spelled, *family.words, *shown.split(SEVERAL))
        remove |= {label for label in standing if label and label != NO_LABEL} - add

    def _state_of(self, value: Value) -> str:
        """The event that brings an issue to where a status has it: by what its word means when it is read again."""
        word = self._connector.native("status", value)
        is_done = self._connector.statuses.to_neutral(word).is_done
        return "close" if word == CLOSED or is_done else "reopen"
