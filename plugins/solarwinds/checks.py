"""What `hub check` says of a Service Desk account, in an admin's words.

The API lists neither states nor priorities: what the newest tickets show is compared with the maps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from hub.connector import AuthError, Connector, ConnectorError, Finding, NotFoundError
from hub.parts.findings import instead, meant
from hub.ticket import Priority, Status
from plugins.solarwinds.client import SolarwindsClient
from plugins.solarwinds.mapping import utc
from plugins.solarwinds.settings import SolarwindsSettings

SAMPLE = 25
"""Tickets that are looked at."""
UNSET = ("", "none")
"""Words for a priority that nobody chose."""
SLACK = timedelta(seconds=5)


def findings(
    settings: SolarwindsSettings, maps: Connector, client: SolarwindsClient, own_account: str
) -> list[Finding]:
    """Everything that can be wrong beyond the token itself."""
    found = [*_role(client, own_account)]
    try:
        tickets = client.page(
            "/incidents.json", size=SAMPLE, layout="long", sort_by="updated_at", sort_order="DESC"
        ).rows
    except AuthError:
        what = "the hub's user may not list incidents"
        return [*found, Finding("error", what, "Give it a role that reads and writes all incidents.")]
    found += [*_words(maps, tickets), *_order(tickets)]
    found += _listed(client, "/custom_fields.json", "custom fields", lambda rows: _custom(settings, rows))
    if settings.lines:
        found += _listed(client, "/groups.json", "groups", lambda rows: _groups(settings, rows))
    if maps.categories.written:
        found += _listed(client, "/categories.json", "categories", lambda rows: _categories(maps, rows))
    return [*found, *_audits(settings, maps, client, tickets)]


def _role(client: SolarwindsClient, own_account: str) -> Iterator[Finding]:
    me = client.get(f"/users/{own_account}.json")
    role = str((me.get("role") or {}).get("name") or "")
    if role.casefold() == "requester":
        yield Finding(
            "error",
            "the hub's user is a requester: it sees its own tickets only and can write no private note",
            "Give it a role of a service agent (Setup > Users).",
        )
    elif role:
        yield Finding("ok", f"the hub's user has the role {role}")


def _words(maps: Connector, tickets: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    bad = 0
    tables: tuple[tuple[str, str, Any, object], ...] = (
        ("state", "statuses", maps.statuses, Status.UNKNOWN),
        ("priority", "priorities", maps.priorities, Priority.UNKNOWN),
    )
    for key, setting, table, unknown in tables:
        shown = dict.fromkeys(str(t.get(key) or "") for t in tickets)
        for word in shown:
            if word.casefold() in UNSET or table.to_neutral(word) is not unknown:
                continue
            bad += 1
            what = f"the {key} {word!r} means nothing to the hub: it does not travel"
            yield Finding("warning", what, f"Name it under trackers.{maps.name}.{setting}.")
    if tickets and not bad:
        yield Finding("ok", f"states and priorities of the newest {len(tickets)} tickets are mapped")


def _order(tickets: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    times = [at for t in tickets if (at := utc(t.get("updated_at"))) is not None]
    if times != sorted(times, reverse=True):
        yield Finding(
            "warning",
            "the list of tickets does not come in the order of their last change: each look for changes reads much",
            "Ask SolarWinds support why sort_by=updated_at is ignored; until then set a longer poll.every.",
        )


def _listed(
    client: SolarwindsClient, path: str, what: str, look: Callable[[list[dict[str, Any]]], Iterable[Finding]]
) -> list[Finding]:
    """What is to be said about a whole list, or that it may not be read."""
    rows: list[dict[str, Any]] = []
    try:
        number, has_more = 1, True
        while has_more:
            page = client.page(path, number)
            rows, number, has_more = rows + page.rows, number + 1, page.has_more
    except (AuthError, NotFoundError):
        return [Finding("warning", f"the hub's user may not list {what}: they were not checked", "Check them by hand.")]
    return list(look(rows))


def _custom(settings: SolarwindsSettings, rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    own = {str(row["name"]): row for row in rows if row.get("name") and row.get("active") is not False}
    for name, field in settings.fields.items():
        known = own.get(field.id)
        if known is None:
            remedy = meant(field.id, own) or "Write its name as Setup > Custom Fields shows it, with its capitals."
            yield Finding("error", f"there is no custom field {field.id!r} (fields.{name})", remedy)
            continue
        scope = str(known.get("scope_string") or known.get("scope") or "Incident")
        if scope.casefold() not in ("incident", "global"):
            what = f"{field.id!r} is a field of {scope}, not of incidents (fields.{name})"
            yield Finding("error", what, "Name a field whose scope is Incident.")
        choices = [str(choice) for choice in known.get("values_array") or ()] if field.type == "select" else []
        for theirs in field.values.values():
            if choices and theirs not in choices:
                remedy = instead(theirs, choices)
                yield Finding("error", f"{field.id!r} has no choice {theirs!r} (fields.{name}.values)", remedy)


def _groups(settings: SolarwindsSettings, rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    known = [str(row[key]) for row in rows for key in ("name", "id") if row.get(key)]
    for group in sorted({g for groups in settings.lines.values() for g in groups} - set(known)):
        names = [str(row.get("name")) for row in rows]
        yield Finding("error", f"there is no group {group!r} (lines)", instead(group, names))


def _categories(maps: Connector, rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    known = [str(row.get("name") or "") for row in rows]
    for category, word in maps.categories.written.items():
        if word not in known:
            what = f"{category} is written as {word!r}, which is no category here"
            hint = instead(word, known)
            yield Finding("error", what, f"trackers.{maps.name}.categories.{category}: {hint}")


def _audits(
    settings: SolarwindsSettings, maps: Connector, client: SolarwindsClient, tickets: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    """Whether polling alone finds comments: by the tickets' own times, else by the audit log."""
    silent = next((t for t in tickets if _is_older_than_its_comments(t)), None)
    is_read = False
    if settings.poll_audits:
        try:
            client.page("/audits.json", size=1)
            is_read = True
        except ConnectorError as error:
            remedy = f"Give its role the audit log, or set trackers.{maps.name}.poll_audits: false."
            yield Finding("warning", f"the hub's user may not read the audit log ({error.why})", remedy)
    if silent is not None and not is_read:
        yield Finding(
            "error",
            f"comments do not change a ticket's time here (#{silent.get('number')}), and the audit log is not read: "
            "polling finds no comments, only webhooks tell of them",
            f"Let the hub read the audit log: trackers.{maps.name}.poll_audits: true, and a role that may.",
        )


def _is_older_than_its_comments(ticket: Mapping[str, Any]) -> bool:
    updated = utc(ticket.get("updated_at"))
    times = [at for c in ticket.get("comments") or () if (at := utc(c.get("created_at"))) is not None]
    return updated is not None and bool(times) and max(times) > updated + SLACK
