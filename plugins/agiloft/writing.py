"""Writes tickets, and finds out which column it was that Agiloft refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.connector import AuthError, Changes, Connector, Draft, NotFoundError, PermanentError, RefusedError
from hub.ticket import Markdown, Value
from plugins.agiloft import mapping
from plugins.agiloft.client import AgiloftClient
from plugins.agiloft.query import equals
from plugins.agiloft.settings import AgiloftSettings
from plugins.agiloft.times import LocalTimes

Columns = dict[str, tuple[str, Any]]
"""Neutral field -> the column and what is written to it."""


class Writing:
    """`maps` is the connector, for its tables of words; `native_text` gives a text as it is written."""

    def __init__(
        self,
        settings: AgiloftSettings,
        maps: Connector,
        client: AgiloftClient,
        native_text: Callable[[Markdown], str],
    ) -> None:
        self._settings, self._maps, self._client, self._native_text = settings, maps, client, native_text
        self._times = LocalTimes.of(settings)

    def find(self, marker: str) -> str | None:
        """The id of the record with this mark."""
        columns = self._settings.columns
        wanted = [columns.id, columns.marker]
        for row in self._client.search(self._settings.table, equals(columns.marker, marker), wanted):
            if mapping.words_of(row.get(columns.marker)) == marker:
                return str(row[columns.id])
        return None

    def insert(self, draft: Draft, values: Mapping[str, Value]) -> str:
        """A new record; its id. Raises RefusedError where the refusal names a column of the draft."""
        settings, columns = self._settings, self._settings.columns
        asked = self._of(values)
        asked["title"] = (columns.title, mapping.title_of(draft.title, settings.title_limit) or draft.marker)
        asked["description"] = (columns.description, self._native_text(draft.description))
        if draft.labels and columns.labels:
            asked["labels"] = (columns.labels, self._labels(draft.labels))
        if draft.requester is not None and draft.visibility.is_public:
            for name, text in (("requester", draft.requester.label), ("requester_email", draft.requester.email)):
                if (column := getattr(columns, name)) and text:
                    asked[name] = (column, self._linked(column, text))
        body = {**settings.create_values, **dict(asked.values()), columns.marker: draft.marker}
        try:
            return self._client.insert(settings.table, body)
        except RefusedError as error:
            if fields := _about(error, asked):
                raise RefusedError(error.tracker, error.doing, fields, error.remedy) from error
            raise self._unexplained(error) from error
        except (AuthError, NotFoundError):
            raise
        except PermanentError as error:
            raise self._unexplained(error) from error

    def update(self, ticket_id: str, changes: Changes) -> None:
        """One call, and one more for labels, which share a column and are read again just before.

        A refusal that names no column is found out about by writing the columns one by one. Raises RefusedError with
        those that are refused; the others may be written then, and writing them again does no harm.
        """
        asked = self._of(changes.values)
        if changes.add_labels or changes.remove_labels:
            asked["labels"] = self._changed_labels(ticket_id, changes)
        if not asked:
            return
        try:
            self._client.change(self._settings.table, ticket_id, dict(asked.values()))
        except (AuthError, NotFoundError):
            raise
        except RefusedError as error:
            if fields := _about(error, asked):
                raise RefusedError(error.tracker, error.doing, fields, error.remedy) from error
            self._one_by_one(ticket_id, asked, error)
        except PermanentError as error:
            self._one_by_one(ticket_id, asked, error)

    def _one_by_one(self, ticket_id: str, asked: Columns, error: PermanentError) -> None:
        refused = {next(iter(asked)): error.why} if len(asked) == 1 else {}
        for name, (column, value) in asked.items() if not refused else ():
            try:
                self._client.change(self._settings.table, ticket_id, {column: value})
            except (AuthError, NotFoundError):
                raise
            except PermanentError as one:
                refused[name] = one.why
        if refused:
            remedy = error.remedy or "A rule of the knowledge base does not allow it; see the ticket in Agiloft."
            raise RefusedError(error.tracker, error.doing, refused, remedy) from error

    def _unexplained(self, error: PermanentError) -> PermanentError:
        remedy = f"What Agiloft requires of new records gets a value under trackers.{error.tracker}.create_values."
        return PermanentError(error.tracker, error.doing, error.why, error.remedy or remedy)

    def _of(self, values: Mapping[str, Value]) -> Columns:
        settings = self._settings
        made: Columns = {}
        for name, value in values.items():
            if name.startswith("custom:"):
                field = settings.fields[name.removeprefix("custom:")]
                made[name] = (field.id, mapping.native_value(settings, field, value, self._times))
                continue
            if name == "line":
                column = settings.columns.team
                made[name] = (column, self._linked(column, self._maps.group_of(value)))
                continue
            column = getattr(settings.columns, name, "")
            if not column:
                continue
            if name == "title":
                made[name] = (column, mapping.title_of(str(value or ""), settings.title_limit))
            elif name == "description":
                made[name] = (column, self._native_text(Markdown(str(value or ""))))
            elif name in ("status", "priority", "category"):
                made[name] = (column, self._linked(column, self._maps.native(name, value) if value else ""))
            elif name == "assignee":
                made[name] = (column, self._linked(column, str(value or "")))
        return made

    def _linked(self, column: str, text: str) -> str:
        return mapping.linked(text) if column in self._settings.linked_columns else text

    def _labels(self, labels: frozenset[str]) -> str | list[str]:
        kind = self._settings.labels_type
        return mapping.labels_value({mapping.label_of(label, kind) for label in labels}, kind)

    def _changed_labels(self, ticket_id: str, changes: Changes) -> tuple[str, Any]:
        settings, columns = self._settings, self._settings.columns
        if not columns.labels:
            why = f"there is no place for labels; name a column under trackers.{self._client.name}.columns.labels"
            raise RefusedError(self._client.name, f"write to {ticket_id}", {"labels": why})
        raw = self._client.record(settings.table, ticket_id, [columns.id, columns.labels])
        present = mapping.labels_of(raw.get(columns.labels))
        return columns.labels, self._labels((present | changes.add_labels) - changes.remove_labels)


def _about(error: RefusedError, asked: Mapping[str, Any]) -> dict[str, str]:
    return {name: why for name, why in error.fields.items() if name in asked}
