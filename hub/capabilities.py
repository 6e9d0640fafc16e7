"""What each tracker can do, as its connector says it: `python -m hub.capabilities` writes docs/trackers.md.

The connectors are asked under the settings that their sandboxes give, which use all that is there; what other settings
give or take away stands in the footnotes, from `Connector.settings_decide`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from hub.connector import Capability, Connector, Role
from hub.registry import BUILT_IN_PACKAGE, Registry

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docs" / "trackers.md"
YES, NO = "yes", "–"
SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

INTRODUCTION = """# What each tracker can do

Made from the connectors by `python -m hub.capabilities`; a test compares it with them. "–" is what a tracker's
interface does not offer, or what the connector leaves alone; the tracker's own page says which, and what else is to be
known. Footnotes name the settings that decide. The hub asks no tracker for what it cannot do: it leaves it out, or does
what comes closest and says so.
"""
ACTIONS = """## Actions

These have no tickets of their own: rules name what they do, as `run: {action: <tracker's name>.<action>}`. *Reports* of
what came of it are written into the ticket by themselves.
"""


@dataclass(frozen=True, slots=True)
class Column:
    """`about` is one line that explains it."""

    title: str
    about: str


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: Mapping[Capability, Column]


TABLES = (
    Table(
        "Tickets",
        {
            Capability.CREATE: Column("opens", "the hub can open tickets there"),
            Capability.UPDATE: Column("fields", "fields and labels can be written"),
            Capability.TRANSITIONS: Column(
                "transitions", "the status goes along a workflow, in as many steps as that takes"
            ),
            Capability.REMOTE_LINKS: Column("links", "the ticket shows its counterpart: a link, a field or a note"),
            Capability.USERS: Column("people", "accounts are found by their mail address, for the assignee"),
            Capability.WEBHOOKS: Column("webhook", "it tells the hub of changes at once"),
            Capability.POLLING: Column("polling", "the hub finds changes by looking, also those that no webhook told"),
        },
    ),
    Table(
        "Comments and files",
        {
            Capability.COMMENTS: Column("comments", "comments travel to it"),
            Capability.PRIVATE_COMMENTS: Column("private", "comments can be kept from customers"),
            Capability.EDIT_COMMENTS: Column("edits", "an edited comment is edited there; else it comes as a new one"),
            Capability.DELETE_COMMENTS: Column("deletions", "the hub can delete its own comments"),
            Capability.COMMENT_AUTHORS: Column(
                "authors", "comments bear their author's name; else the name stands in the text"
            ),
            Capability.ATTACHMENTS: Column("files", "files travel to it"),
            Capability.ATTACHMENTS_IN_COMMENTS: Column(
                "in comments", "files belong to a comment, and are as private as it is; else to the ticket"
            ),
        },
    ),
    Table(
        "For rules",
        {
            Capability.LINES: Column("lines", "tickets are handed to support lines: groups, teams or queues"),
            Capability.KNOWLEDGE_BASE: Column("articles", "articles of its knowledge base are suggested"),
            Capability.RATINGS: Column("ratings", "the customer's rating is read"),
            Capability.MACROS: Column("macros", "its ready answers are read into the catalogue"),
            Capability.PUBLISH_MACROS: Column("published", "macros of the catalogue are stored in it for agents"),
        },
    ),
)
OF_ACTIONS = frozenset({Capability.ACTIONS, Capability.ACTION_REPORTS})
"""Shown apart, with each action's name."""


def sandbox_package(kind: str) -> ModuleType | None:
    """The sandbox of a built-in kind; None where it has none."""
    name = f"{BUILT_IN_PACKAGE}.{kind.replace('-', '_')}.sandbox"
    return importlib.import_module(name) if importlib.util.find_spec(name) else None


def connectors(registry: Registry) -> list[Connector]:
    """One connector of each built-in kind under its sandbox's settings: helpdesks first, by name. They are closed."""
    made = []
    for kind, connector_class in registry.connector_classes().items():
        if not connector_class.__module__.startswith(f"{BUILT_IN_PACKAGE}."):
            continue
        package = sandbox_package(kind)
        if package is None:
            continue
        with package.SANDBOX() as sandbox:
            settings = connector_class.settings_model.model_validate(package.hub_settings(sandbox))
        connector = connector_class(kind, settings)
        connector.close()
        made.append(connector)
    roles = list(Role)
    return sorted(made, key=lambda connector: (roles.index(connector.role), _title(connector.kind).casefold()))


def document(registry: Registry) -> str:
    """The whole of docs/trackers.md."""
    known = connectors(registry)
    trackers = [connector for connector in known if connector.role is not Role.ACTION]
    parts = [INTRODUCTION, *(_table(table, trackers) for table in TABLES)]
    parts.append(_actions([connector for connector in known if Capability.ACTIONS in connector.capabilities]))
    return "\n".join(parts)


def main() -> None:
    """Writes docs/trackers.md anew."""
    FILE.write_text(document(Registry.discover()), encoding="utf-8")
    sys.stdout.write(f"{FILE} is written\n")


def _table(table: Table, trackers: Sequence[Connector]) -> str:
    notes: dict[str, int] = {}
    rows = []
    for tracker in trackers:
        cells = [_cell(tracker, capability, notes) for capability in table.columns]
        rows.append(f"| {_link(tracker.kind)} | {' | '.join(cells)} |")
    explained = [f"- **{column.title}**: {column.about}" for column in table.columns.values()]
    head = [
        f"| | {' | '.join(column.title for column in table.columns.values())} |",
        f"|---|{'---|' * len(table.columns)}",
    ]
    below = [f"{_mark(number)} {note}  " for note, number in notes.items()]
    return "\n".join([f"## {table.title}", "", *explained, "", *head, *rows, "", *([*below, ""] if below else [])])


def _cell(tracker: Connector, capability: Capability, notes: dict[str, int]) -> str:
    offered = YES if capability in tracker.capabilities else NO
    note = tracker.settings_decide.get(capability)
    return offered if note is None else offered + _mark(notes.setdefault(note, len(notes) + 1))


def _mark(number: int) -> str:
    return str(number).translate(SUPERSCRIPT)


def _actions(connectors: Sequence[Connector]) -> str:
    rows = [
        f"| {_link(connector.kind)} | `{name}` | {about} | "
        f"{YES if Capability.ACTION_REPORTS in connector.capabilities else NO} |"
        for connector in connectors
        for name, about in connector.actions.items()
    ]
    return "\n".join([ACTIONS, "| | action | what it does | reports |", "|---|---|---|---|", *rows, ""])


def _link(kind: str) -> str:
    return f"[{_title(kind)}](../{BUILT_IN_PACKAGE}/{kind.replace('-', '_')}/README.md)"


def _title(kind: str) -> str:
    """A tracker's name for people: the heading of its README."""
    readme = ROOT / BUILT_IN_PACKAGE / kind.replace("-", "_") / "README.md"
    return readme.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")


if __name__ == "__main__":
    main()
