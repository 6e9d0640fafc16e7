"""What `hub check` says of a Freshdesk account, in an admin's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hub.connector import AuthError, Connector, Finding
from hub.parts import findings as parts
from plugins.freshdesk.client import FreshdeskClient
from plugins.freshdesk.directory import GROUPS, FreshdeskDirectory
from plugins.freshdesk.settings import FreshdeskSettings
from plugins.freshdesk.words import STATUS_WORDS

WHERE_NAMES_STAND = "Its name begins with cf_; it stands in the API's answer to GET /ticket_fields."


def findings(
    settings: FreshdeskSettings, maps: Connector, client: FreshdeskClient, directory: FreshdeskDirectory, scope: int
) -> list[Finding]:
    """Everything that can be wrong beyond the key itself."""
    found = [_scope(scope)]
    try:
        fields = {str(f["name"]): f for f in client.get("/ticket_fields")}
    except AuthError:
        what = "the hub's agent may not read the ticket fields: statuses and custom fields were not checked"
        found.append(Finding("warning", what, "Give it a role that may, or check them by hand."))
    else:
        found += [*_statuses(maps, fields), *_types(maps, fields), *_custom(settings, fields)]
    found += parts.lines(settings.lines, lambda: directory.names(GROUPS))
    found += _agents(client)
    found += parts.calls_a_minute("Freshdesk", client.limit, client.remaining)
    return found


def _scope(scope: int) -> Finding:
    if scope == 1:
        return Finding("ok", "the hub's agent sees all tickets")
    sees = "those of its groups" if scope == 2 else "those assigned to it"
    return Finding(
        "warning",
        f"the hub's agent sees only {sees}: other tickets are as good as deleted for the hub",
        "Set its scope to Global Access (Admin > Agents).",
    )


def _statuses(maps: Connector, fields: Mapping[str, Any]) -> Iterator[Finding]:
    choices = (fields.get("status") or {}).get("choices") or {}
    labels = {int(code): _label(names) for code, names in choices.items() if str(code).isdigit()}
    yield from parts.statuses(maps, STATUS_WORDS, labels)


def _types(maps: Connector, fields: Mapping[str, Any]) -> Iterator[Finding]:
    known = list((fields.get("ticket_type") or {}).get("choices") or ())
    for category, word in maps.categories.written.items():
        if known and word not in known:
            hint = parts.instead(word, known)
            where = f"trackers.{maps.name}.categories.{category}"
            yield Finding(
                "warning", f"{category} is written as {word!r}, which is no ticket type here", f"{where}: {hint}"
            )


def _custom(settings: FreshdeskSettings, fields: Mapping[str, Any]) -> Iterator[Finding]:
    own = {name: f for name, f in fields.items() if name not in ("status", "ticket_type")}
    labels = {name: str(f.get("label") or name) for name, f in own.items()}
    choices = {name: [str(choice) for choice in f.get("choices") or ()] for name, f in own.items()}
    yield from parts.custom_fields(settings.fields, labels, choices, WHERE_NAMES_STAND)


def _agents(client: FreshdeskClient) -> Iterator[Finding]:
    try:
        client.get("/agents", per_page=1)
    except AuthError:
        yield Finding(
            "warning",
            "the hub's agent may not list agents: their comments go over without a name, assignees stay as they are",
            "Give it a role that may view agents, e.g. Account Administrator.",
        )


def _label(names: Any) -> str:
    return str(names[0]) if isinstance(names, list) and names else str(names)
