"""Zendesk's macros <-> neutral ones.

Source: developer.zendesk.com, "Macros" and "Actions reference"; Zendesk Support placeholders reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hub.connector import Changes, Connector, StoredMacro, Unwritable
from hub.parts.custom_values import field_value, native_value
from hub.parts.placeholders import Placeholders, name_of_macro
from hub.text import canonical, from_html, from_plain, to_html
from hub.ticket import Category, Priority, Status, Value, Visibility
from plugins.zendesk.client import ZendeskClient
from plugins.zendesk.groups import Groups
from plugins.zendesk.settings import ZendeskSettings

PLACEHOLDERS = Placeholders(
    same={
        "ticket.id": "ticket.key",
        "ticket.title": "ticket.title",
        "ticket.description": "ticket.description",
        "ticket.link": "ticket.url",
        "ticket.url": "ticket.url",
        "ticket.status": "ticket.status",
        "ticket.priority": "ticket.priority",
        "ticket.organization.name": "ticket.organisation",
        "ticket.requester.name": "requester.name",
        "ticket.requester.email": "requester.email",
        "ticket.requester.language": "requester.language",
        "ticket.assignee.name": "agent.name",
        "ticket.assignee.email": "agent.email",
    },
    near={
        "ticket.requester.first_name": "requester.name",
        "ticket.assignee.first_name": "agent.name",
        "current_user.name": "agent.name",
        "current_user.first_name": "agent.name",
        "current_user.email": "agent.email",
    },
)
NOT_FOR_MACROS = ("new", "closed")
"""Statuses that a macro cannot set."""
PAGE = 100
_MARK = re.compile(r"\[hub:([^\]]+)\]")
"""What the hub puts into the description of a macro that it keeps."""
_TEXT = ("comment_value", "comment_value_html")
_TABLES = {"status": ("status", Status), "priority": ("priority", Priority), "type": ("category", Category)}


class Macros:
    """The account's macros. `maps` is the connector, for its tables and lines."""

    def __init__(self, settings: ZendeskSettings, maps: Connector, client: ZendeskClient, groups: Groups) -> None:
        self._settings, self._maps, self._client, self._groups = settings, maps, client, groups

    def active(self) -> list[StoredMacro]:
        """Those that agents can use now, personal ones included."""
        return [self._neutral(raw) for raw in self._listed("/macros/active")]

    def publish(self, macro: StoredMacro, key: str) -> str:
        """Makes the macro, or changes the one whose description carries the key. Raises Unwritable."""
        mark = f"[hub:{key}]"
        body = {
            "title": macro.title,
            "active": True,
            "description": f"Kept by the ticket hub; what is changed here is lost. {mark}",
            "actions": list(self._actions(macro)),
        }
        for raw in self._listed("/macros"):
            if mark in str(raw.get("description") or ""):
                return str(self._client.send("PUT", f"/macros/{raw['id']}", {"macro": body})["macro"]["id"])
        return str(self._client.send("POST", "/macros", {"macro": body})["macro"]["id"])

    def _listed(self, path: str) -> Iterator[Mapping[str, Any]]:
        params: dict[str, str | int] = {"page[size]": PAGE}
        while True:
            answer = self._client.get(path, **params)
            yield from answer["macros"]
            meta = answer.get("meta") or {}
            if not meta.get("has_more"):
                return
            params["page[after]"] = meta["after_cursor"]

    # reading

    def _neutral(self, raw: Mapping[str, Any]) -> StoredMacro:
        actions = [(str(action.get("field")), action.get("value")) for action in raw.get("actions") or ()]
        text, notes = self._text(actions)
        values: dict[str, Value] = {}
        add: set[str] = set()
        remove: set[str] = set()
        unmapped = list(notes)
        for name, value in actions:
            if name in _TEXT or name == "comment_mode_is_public":
                continue
            if name in ("current_tags", "remove_tags"):
                (add if name == "current_tags" else remove).update(str(value).split())
            elif (mapped := self._value(name, value)) is not None:
                values[mapped[0]] = mapped[1]
            else:
                unmapped.append(f"{name}: {value}")
        restriction = raw.get("restriction")
        if restriction:
            whose = str(restriction.get("type", "")).lower() or "group"
            unmapped.append(f"only for {whose} {restriction.get('ids') or restriction.get('id')}")
        return StoredMacro(
            name=name_of_macro(str(raw["title"])),
            title=str(raw["title"]),
            text=text,
            visibility=_visibility(dict(actions).get("comment_mode_is_public")),
            changes=Changes(values=values, add_labels=frozenset(add), remove_labels=frozenset(remove)),
            unmapped=tuple(unmapped),
            key=found[1] if (found := _MARK.search(str(raw.get("description") or ""))) else "",
        )

    def _text(self, actions: Sequence[tuple[str, Any]]) -> tuple[Any, tuple[str, ...]]:
        """The comment; where there is a rich form, that one."""
        given = dict(actions)
        for name, convert in (("comment_value_html", from_html), ("comment_value", from_plain)):
            value = given.get(name)
            # Where a comment goes to a channel, its value is that channel and the text.
            text = value[-1] if isinstance(value, list) and value else value
            if text:
                return PLACEHOLDERS.to_hub(_numbers_without_signs(str(text)), convert)
        return canonical(""), ()

    def _value(self, name: str, value: Any) -> tuple[str, Value] | None:
        """The neutral field and value of an action, None where there is none."""
        if name in _TABLES:
            neutral, words = _TABLES[name]
            tables: Mapping[str, Callable[[Any], Value]] = {
                "status": self._maps.statuses.to_neutral,
                "priority": self._maps.priorities.to_neutral,
                "category": self._maps.categories.to_neutral,
            }
            held = tables[neutral](value)
            return None if held == words("unknown") else (neutral, held)
        if name == "group_id" and str(value).isdigit():
            line = self._maps.line_of(self._groups.name_of(int(value)) or "")
            return None if line is None else ("line", line)
        if name.startswith("custom_fields_"):
            field_id = name.removeprefix("custom_fields_")
            for ours, field in self._settings.fields.items():
                if field.id == field_id and field.type != "multiselect":
                    return f"custom:{ours}", field_value(field, value == "true" if field.type == "checkbox" else value)
        return None

    # writing

    def _actions(self, macro: StoredMacro) -> Iterator[dict[str, Any]]:
        for name, value in macro.changes.values.items():
            yield self._action(name, value)
        for field, labels in (("current_tags", macro.changes.add_labels), ("remove_tags", macro.changes.remove_labels)):
            if labels:
                yield {"field": field, "value": " ".join(sorted(map(self._maps.hold_label, labels)))}
        if macro.text:
            if macro.visibility is Visibility.UNKNOWN:
                raise Unwritable("it does not say who may read its text")
            html = PLACEHOLDERS.from_hub(macro.text, lambda text: to_html(canonical(text)))
            yield {"field": "comment_value_html", "value": html.replace("{{ticket.id}}", "#{{ticket.id}}")}
            yield {"field": "comment_mode_is_public", "value": "true" if macro.visibility.is_public else "false"}

    def _action(self, name: str, value: Value) -> dict[str, Any]:
        if value is None:
            raise Unwritable(f"a macro cannot clear {name}")
        if name == "line":
            group = self._maps.group_of(value)
            group_id = self._groups.id_of(group)
            if group_id is None:
                raise Unwritable(f"there is no group {group!r}")
            return {"field": "group_id", "value": str(group_id)}
        if name.startswith("custom:"):
            field = self._settings.fields.get(name.removeprefix("custom:"))
            if field is None or field.type == "multiselect":
                raise Unwritable(f"a macro cannot set {name}")
            native = native_value(field, self._maps.hold(name, value))
            return {
                "field": f"custom_fields_{field.id}",
                "value": str(native).lower() if native in (True, False) else native,
            }
        field_of = {neutral: theirs for theirs, (neutral, _) in _TABLES.items()}
        if name not in field_of:
            raise Unwritable(f"a macro cannot set {name}")
        word = self._maps.native(name, value)
        if name == "status" and word in NOT_FOR_MACROS:
            raise Unwritable(f"a macro cannot set the status {word}")
        return {"field": field_of[name], "value": word}


def _numbers_without_signs(text: str) -> str:
    """`#{{ticket.id}}` is what the hub calls a ticket's key, sign and all."""
    return text.replace("#{{ticket.id}}", "{{ticket.id}}")


def _visibility(value: Any) -> Visibility:
    return {"true": Visibility.PUBLIC, "false": Visibility.PRIVATE}.get(str(value).lower(), Visibility.UNKNOWN)
