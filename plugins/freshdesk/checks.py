"""What `hub check` says of a Freshdesk account, in an admin's words."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hub.connector import AuthError, Connector, Finding
from hub.ticket import Status
from plugins.freshdesk.client import FreshdeskClient
from plugins.freshdesk.directory import Directory
from plugins.freshdesk.settings import FreshdeskSettings
from plugins.freshdesk.words import STATUS_WORDS, code_of, word_of

FEW_CALLS = 100
"""Calls a minute below which a busy line will wait."""


def findings(
    settings: FreshdeskSettings, maps: Connector, client: FreshdeskClient, directory: Directory, scope: int
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
    found += [*_groups(settings, directory), *_agents(client), *_limit(client)]
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
    if not labels:
        return
    listed = ", ".join(f"{code} {label}" for code, label in sorted(labels.items()))
    bad = 0
    for status, word in maps.statuses.written.items():
        if code_of(STATUS_WORDS, word) not in labels:
            bad += 1
            where = f"trackers.{maps.name}.statuses.{status}"
            yield Finding(
                "error", f"{status} is written as {word}, which is no status here", f"{where}: one of {listed}."
            )
    for code, label in sorted(labels.items()):
        if maps.statuses.to_neutral(word_of(STATUS_WORDS, code)) is Status.UNKNOWN:
            bad += 1
            yield Finding(
                "warning",
                f"the status {label} ({code}) means nothing to the hub: it does not travel",
                f"Name {code} under trackers.{maps.name}.statuses.",
            )
    if not bad:
        yield Finding("ok", f"all {len(labels)} statuses are mapped")


def _types(maps: Connector, fields: Mapping[str, Any]) -> Iterator[Finding]:
    known = list((fields.get("ticket_type") or {}).get("choices") or ())
    for category, word in maps.categories.written.items():
        if known and word not in known:
            hint = _meant(word, known) or f"There are {', '.join(known)}."
            where = f"trackers.{maps.name}.categories.{category}"
            yield Finding(
                "warning", f"{category} is written as {word!r}, which is no ticket type here", f"{where}: {hint}"
            )


def _custom(settings: FreshdeskSettings, fields: Mapping[str, Any]) -> Iterator[Finding]:
    own = {name: str(f.get("label") or name) for name, f in fields.items() if name not in ("status", "ticket_type")}
    for name, field in settings.fields.items():
        if field.id not in own:
            by_label = next((i for i, label in own.items() if label.casefold() in (name, field.id.casefold())), "")
            hint = f"Did you mean {by_label}?" if by_label else _meant(field.id, own)
            yield Finding(
                "error",
                f"there is no ticket field {field.id} (fields.{name})",
                hint or "Its name begins with cf_; it stands in the API's answer to GET /ticket_fields.",
            )
            continue
        choices = (fields[field.id].get("choices") if field.type in ("select", "multiselect") else None) or ()
        for theirs in field.values.values():
            if choices and theirs not in choices:
                yield Finding(
                    "error",
                    f"{field.id} has no choice {theirs!r} (fields.{name}.values)",
                    _meant(theirs, choices) or f"There are {', '.join(map(str, choices))}.",
                )


def _groups(settings: FreshdeskSettings, directory: Directory) -> Iterator[Finding]:
    wanted = {g for groups in settings.lines.values() for g in groups if not g.isdigit()}
    if not wanted:
        return
    try:
        known = directory.groups()
    except AuthError:
        what = "the hub's agent may not list groups: support lines by name stay unknown"
        yield Finding("warning", what, "Give it a role that may, or write the groups' numbers under lines.")
        return
    for group in sorted(wanted - set(known)):
        hint = _meant(group, known) or f"There are {', '.join(known)}."
        yield Finding("error", f"there is no group {group!r} (lines)", hint)


def _agents(client: FreshdeskClient) -> Iterator[Finding]:
    try:
        client.get("/agents", per_page=1)
    except AuthError:
        yield Finding(
            "warning",
            "the hub's agent may not list agents: their comments go over without a name, assignees stay as they are",
            "Give it a role that may view agents, e.g. Account Administrator.",
        )


def _limit(client: FreshdeskClient) -> Iterator[Finding]:
    if client.limit is None:
        return
    what = f"Freshdesk allows {client.limit} calls a minute for the whole account, {client.remaining} are left now"
    if client.limit < FEW_CALLS:
        yield Finding("warning", what, "That is a trial's or a small plan's share; expect waits, or change the plan.")
    else:
        yield Finding("ok", what)


def _label(names: Any) -> str:
    return str(names[0]) if isinstance(names, list) and names else str(names)


def _meant(word: str, known: Iterable[Any]) -> str:
    close = difflib.get_close_matches(word, [str(k) for k in known], 1, 0.5)
    return f"Did you mean {close[0]}?" if close else ""
