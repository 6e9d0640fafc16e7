"""Macros of the rule book as trackers can store them, and the other way. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from hub.connector import Changes, StoredMacro, Unwritable
from hub.rules.doing import typed_value
from hub.rules.macros import MACRO_LABEL
from hub.settings.rules import Actions, Macro
from hub.ticket import Markdown, Visibility

_STORABLE = {"set", "add_labels", "remove_labels", "line"}


def stored_form(name: str, macro: Macro) -> StoredMacro:
    """The macro with its text and all of its actions. Raises Unwritable where only the hub can do all of it."""
    others = sorted(_given(macro.then) - _STORABLE)
    if others:
        raise Unwritable(f"only the hub can do this: {', '.join(others)}")
    if len(macro.text) > 1:
        raise Unwritable("the hub chooses among its languages")
    if macro.then.line is not None and not isinstance(macro.then.line, int):
        raise Unwritable(f"only the hub knows which line is the {macro.then.line} one")
    values = {field: typed_value(field, value) for field, value in macro.then.set.items()}
    return StoredMacro(
        name=name,
        title=macro.title or name,
        text=Markdown(next(iter(macro.text.values()), "")),
        visibility=Visibility(macro.visibility) if macro.visibility else Visibility.UNKNOWN,
        changes=Changes(
            values=values | ({"line": macro.then.line} if macro.then.line is not None else {}),
            add_labels=frozenset(macro.then.add_labels),
            remove_labels=frozenset(macro.then.remove_labels),
        ),
    )


def button_form(name: str, macro: Macro) -> StoredMacro:
    """A macro that only sets the label by which the hub runs this one."""
    label = f"{MACRO_LABEL}{name}"
    return StoredMacro(name=name, title=macro.title or name, changes=Changes(add_labels=frozenset({label})))


@dataclass(frozen=True, slots=True)
class Imported:
    """A tracker's macro as an entry of the settings; `entry` is None for one that is left out, and `why` says why.

    `notes` say in words for people what is not the same.
    """

    name: str
    title: str
    entry: Mapping[str, Any] | None
    notes: tuple[str, ...] = ()
    why: str = ""


def imported(macros: Collection[StoredMacro], taken: Collection[str]) -> Iterator[Imported]:
    """The macros under names that are neither taken nor the same in any case."""
    used = {name.casefold() for name in taken}
    for macro in macros:
        if macro.key:
            yield Imported(macro.name, macro.title, None, why="a hub published it there")
            continue
        name, number = macro.name, 2
        while name.casefold() in used:
            name, number = f"{macro.name}-{number}", number + 1
        used.add(name.casefold())
        notes = list(macro.unmapped)
        if name != macro.name:
            notes.append(f"the name {macro.name} is taken")
        entry = _entry(macro, notes)
        why = "" if entry else "nothing of it has an equivalent"
        yield Imported(name, macro.title, entry, tuple(notes), why)


def _entry(macro: StoredMacro, notes: list[str]) -> dict[str, Any] | None:
    entry: dict[str, Any] = {"title": macro.title}
    if macro.text:
        if macro.visibility is Visibility.UNKNOWN:
            notes.append("it does not say who reads the text: private until you write public")
        entry |= {"visibility": "public" if macro.visibility.is_public else "private", "text": str(macro.text)}
    changes = macro.changes
    then: dict[str, Any] = {}
    if values := {name: _plain(value) for name, value in changes.values.items() if name != "line"}:
        then["set"] = values
    for key, labels in (("add_labels", changes.add_labels), ("remove_labels", changes.remove_labels)):
        if labels:
            then[key] = sorted(labels)
    if "line" in changes.values:
        then["line"] = changes.values["line"]
    if then:
        entry["then"] = then
    return entry if macro.text or then else None


def _plain(value: Any) -> Any:
    return (
        str(value.value) if isinstance(value, Enum) else value if isinstance(value, str | int | float) else str(value)
    )


def _given(actions: Actions) -> set[str]:
    """The parts of actions that say something."""
    return {name for name in Actions.model_fields if getattr(actions, name) != getattr(Actions(), name)}
