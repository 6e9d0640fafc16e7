"""What `hub check` says of a Freshservice account, in an admin's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hub.connector import AuthError, Connector, Finding
from hub.parts import findings as parts
from plugins.freshservice.client import FreshserviceClient
from plugins.freshservice.directory import GROUPS, FreshserviceDirectory
from plugins.freshservice.settings import FreshserviceSettings
from plugins.freshservice.words import STATUS_WORDS

WHERE_NAMES_STAND = "Its name stands in the API's answer to GET /ticket_form_fields; it need not be like its label."


def findings(
    settings: FreshserviceSettings, maps: Connector, client: FreshserviceClient, directory: FreshserviceDirectory
) -> list[Finding]:
    """Everything that can be wrong beyond the key itself."""
    found = [*_workspaces(settings, client)]
    if all(finding.level != "error" for finding in found):
        # A workspace that cannot be seen has no fields to compare with.
        found += _fields(settings, maps, client)
    found += parts.lines(settings.lines, lambda: directory.names(GROUPS))
    found += [*_changes(settings, client), *_agents(client)]
    found += parts.calls_a_minute("Freshservice", client.limit, client.remaining)
    return found


def _workspaces(settings: FreshserviceSettings, client: FreshserviceClient) -> Iterator[Finding]:
    try:
        names = {int(w["id"]): str(w["name"]) for w in client.get("/workspaces", per_page=100)["workspaces"]}
    except AuthError:
        what = "the hub's agent may not list workspaces: whether it sees those that are named was not checked"
        yield Finding("warning", what, "Give it a role that may, or check them by hand.")
        return
    there = ", ".join(f"{number} {name}" for number, name in sorted(names.items()))
    for number in sorted(set(settings.workspaces) - set(names)):
        what = f"the hub's agent sees no workspace {number}"
        yield Finding("error", what, f"Add the agent to it, or name under workspaces some of {there}.")
    if not settings.workspaces and len(names) > 1:
        what = f"only the primary workspace is polled, and there are {there}"
        yield Finding("warning", what, "Name the numbers of those that matter under workspaces.")


def _fields(settings: FreshserviceSettings, maps: Connector, client: FreshserviceClient) -> Iterator[Finding]:
    workspace = settings.workspaces[0] if settings.workspaces else None
    try:
        rows = client.get("/ticket_form_fields", per_page=100, workspace_id=workspace)["ticket_fields"]
    except AuthError:
        what = "the hub's agent may not read the ticket fields: statuses and custom fields were not checked"
        yield Finding("warning", what, "Give it a role that may, or check them by hand.")
        return
    fields: Mapping[str, Any] = {str(row["name"]): row for row in rows}
    choices = {name: row.get("choices") or [] for name, row in fields.items()}
    labels = {int(choice["id"]): str(choice["value"]) for choice in choices.get("status", [])}
    yield from parts.statuses(maps, STATUS_WORDS, labels)
    names = {name: str(row.get("label") or name) for name, row in fields.items() if not row.get("default_field")}
    words = {name: [str(choice["value"]) for choice in of_field] for name, of_field in choices.items()}
    yield from parts.custom_fields(settings.fields, names, words, WHERE_NAMES_STAND)


def _changes(settings: FreshserviceSettings, client: FreshserviceClient) -> Iterator[Finding]:
    if not settings.changes:
        return
    workspace = settings.workspaces[0] if settings.workspaces else None
    try:
        client.get("/changes", per_page=1, workspace_id=workspace)
    except AuthError as error:
        what = f"the hub's agent may not see changes: {error.why}"
        yield Finding("error", what, "Give it a role that may view and edit changes, or set changes: false.")


def _agents(client: FreshserviceClient) -> Iterator[Finding]:
    try:
        client.get("/agents", per_page=1)
    except AuthError:
        yield Finding(
            "warning",
            "the hub's agent may not list agents: their comments go over without a name, assignees stay as they are",
            "Give it a role that may view agents, e.g. Account Admin.",
        )
