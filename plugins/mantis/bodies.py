"""What is written to an issue, in MantisBT's words, after a look at what it would drop or spoil without a word.

MantisBT stores unknown words as `@0@`, makes an unknown assignee nobody, and drops custom fields that the account may
not write (recorded: create.bad_priority, patch.handler_unknown, create.cf_no_access). All of that is refused here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.connector import AuthError, Changes, Connector, Draft, NotFoundError, RefusedError
from hub.ticket import Markdown, Value
from plugins.mantis import mapping, texts
from plugins.mantis.client import MantisClient
from plugins.mantis.facts import Facts
from plugins.mantis.settings import MantisSettings


class Bodies:
    """The bodies for one site. Methods may call it; they raise RefusedError for single fields."""

    def __init__(self, connector: Connector, client: MantisClient, settings: MantisSettings, facts: Facts) -> None:
        self._name, self._word = connector.name, connector.native
        self._client, self._settings, self._facts = client, settings, facts

    def new_issue(self, draft: Draft) -> dict[str, Any]:
        """The body of a create. A category that the draft does not have comes from the settings."""
        settings = self._settings
        is_public = draft.visibility.is_public and settings.view_state == "public"
        body: dict[str, Any] = {
            "summary": texts.native_title(settings, draft.title) or draft.marker,
            "description": texts.native_description(settings, draft.description),
            "project": {"id": self._facts.project_id()},
            "category": {"name": settings.category},
            "view_state": {"id": mapping.PUBLIC if is_public else mapping.PRIVATE},
            **self.native(draft.values),
        }
        if draft.labels:
            body["tags"] = [{"name": texts.held_label(settings, label)} for label in sorted(draft.labels)]
        if not settings.marker_field:
            return body | {"additional_information": draft.marker}
        mark = {"field": _field_key(settings.marker_field), "value": draft.marker}
        return body | {"custom_fields": [*body.get("custom_fields", ()), mark]}

    def native(self, values: Mapping[str, Value], project_id: int | None = None) -> dict[str, Any]:
        """Neutral values by field name as parts of a body."""
        body: dict[str, Any] = {}
        refused: dict[str, str] = {}
        custom: list[dict[str, Any]] = []
        for name, value in values.items():
            if name == "title":
                body["summary"] = texts.native_title(self._settings, str(value or "")) or texts.NOTHING
            elif name == "description":
                body["description"] = texts.native_description(self._settings, Markdown(str(value or "")))
            elif name == "priority":
                self._enumerated(body, refused, name, "priority", self._word(name, value), project_id)
            elif name == "category":
                body["category"] = {"name": self._word(name, value)}
            elif name == "assignee":
                self._assignee(body, refused, value)
            elif name.startswith("custom:"):
                self._custom(body, refused, custom, name, value, project_id)
        if refused:
            remedy = f"Look at the mapping under trackers.{self._name}."
            raise RefusedError(self._name, "look before writing", refused, remedy)
        return body | ({"custom_fields": custom} if custom else {})

    def tags(self, labels: Iterable[str], changes: Changes) -> list[dict[str, str]]:
        """All tags of an issue after the changes; MantisBT takes no regard to case, and neither does this."""
        gone = {texts.held_label(self._settings, label) for label in changes.remove_labels}
        after = {texts.held_label(self._settings, label): label for label in labels}
        after = {folded: label for folded, label in after.items() if folded not in gone}
        for label in changes.add_labels:
            folded = texts.held_label(self._settings, label)
            after.setdefault(folded, folded)
        return [{"name": after[folded]} for folded in sorted(after)]

    def in_neutral_words(self, error: RefusedError) -> RefusedError:
        """A refusal that speaks of custom fields by their own names, by their neutral ones."""
        names: dict[str, str] = {}
        if any(name.startswith("field:") for name in error.fields):
            for name, field in self._settings.fields.items():
                known = self._facts.field(field.id) or {"id": field.id, "name": field.id}
                names |= {f"field:{known[key]}": f"custom:{name}" for key in ("id", "name")}
        fields = {names.get(name, name): why for name, why in error.fields.items()}
        remedy = error.remedy or f"Look at the project's fields and categories, and at trackers.{self._name}."
        return RefusedError(self._name, error.doing, fields, remedy)

    def _enumerated(
        self,
        body: dict[str, Any],
        refused: dict[str, str],
        name: str,
        kind: str,
        word: str,
        project_id: int | None,
    ) -> None:
        number = self._facts.number(kind, word, project_id)
        if number is None:
            known = ", ".join(self._facts.config(project_id).words.get(kind, ()))
            refused[name] = f"the site has no {kind} {word!r}; there are {known}"
        else:
            body[kind] = {"id": number}

    def _assignee(self, body: dict[str, Any], refused: dict[str, str], value: Value) -> None:
        """By number. Somebody else's account may not be read, but is forbidden then rather than not found."""
        number = str(value or 0)
        if not (number.isascii() and number.isdigit()):
            refused["assignee"] = f"{number!r} is no account's number; it stands in the address of the account's page"
            return
        if int(number) and not self._is_account(number):
            refused["assignee"] = f"there is no account {number}"
            return
        body["handler"] = {"id": int(number)}

    def _is_account(self, number: str) -> bool:
        try:
            self._client.get(f"/users/{number}")
        except NotFoundError:
            return False
        except AuthError as error:
            if not error.why.startswith("403"):
                raise
        return True

    def _custom(
        self,
        body: dict[str, Any],
        refused: dict[str, str],
        custom: list[dict[str, Any]],
        name: str,
        value: Value,
        project_id: int | None,
    ) -> None:
        field = self._settings.fields[name.removeprefix("custom:")]
        zone = mapping.zone(self._facts.me().get("timezone"))
        native = mapping.native_value(self._settings, field, value, zone)
        if field.id in mapping.BUILT_IN:
            self._enumerated(body, refused, name, field.id, native, project_id)
            return
        known = self._facts.field(field.id)
        if known is None:
            refused[name] = f"the project has no custom field {field.id!r} that the account sees"
        elif not self._facts.may_write(int(known["id"])):
            refused[name] = f"the account may not write the custom field {known['name']!r}"
        else:
            custom.append({"field": {"id": int(known["id"])}, "value": native})


def _field_key(given: str) -> dict[str, Any]:
    return {"id": int(given)} if given.isdigit() else {"name": given}
