"""What `hub check` says of a ServiceDesk Plus, in an admin's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hub.connector import AuthError, Connector, Finding, NotFoundError, PermanentError
from hub.parts.findings import instead, meant
from hub.ticket import Status
from plugins.servicedesk_plus.client import ServiceDeskPlusClient
from plugins.servicedesk_plus.directory import Directory
from plugins.servicedesk_plus.mapping import status_of
from plugins.servicedesk_plus.polling import COUNTED_FIELDS, OPEN_REQUESTS
from plugins.servicedesk_plus.settings import RESOLUTION, TAGS, ServiceDeskPlusSettings

BAD_CLOCK = 60.0
"""Seconds of difference between the clocks that an admin should know of."""
METAINFO = ("/requests/_metainfo", "/requests/metainfo")
"""The editions name it differently."""


def findings(
    settings: ServiceDeskPlusSettings, maps: Connector, client: ServiceDeskPlusClient, directory: Directory
) -> list[Finding]:
    """Everything that can be wrong beyond the key or token itself."""
    found = [*_clock(client), *_statuses(maps, directory)]
    found += _words(maps, client, "priorities", maps.priorities.written, "/priorities")
    found += _words(maps, client, "categories", maps.categories.written, "/request_types")
    found += [*_fields(settings, maps, client), *_groups(settings, client), *_counts(settings, maps, client)]
    return found


def _clock(client: ServiceDeskPlusClient) -> Iterator[Finding]:
    skew = client.clock_skew
    if skew is not None and abs(skew) > BAD_CLOCK:
        yield Finding(
            "warning",
            f"the server's clock differs from the hub's by {skew:.0f} seconds",
            "Set both by the same time server (NTP).",
        )


def _statuses(maps: Connector, directory: Directory) -> Iterator[Finding]:
    where = f"trackers.{maps.name}.statuses"
    try:
        rows = directory.statuses()
    except AuthError:
        what = "the hub's technician may not list statuses: they were not checked, and are written by name"
        yield Finding("warning", what, "Give it a role that may, in the cloud the scope SDPOnDemand.setup.READ.")
        return
    known = {str(row.get(key) or "").casefold() for row in rows for key in ("name", "internal_name")}
    names = [str(row.get("name")) for row in rows]
    bad = 0
    for status, word in maps.statuses.written.items():
        if word.casefold() not in known:
            bad += 1
            hint = instead(word, names)
            yield Finding("error", f"{status} is written as {word!r}, which is no status here", f"{where}: {hint}")
    for row in rows:
        if status_of(maps, row) is Status.UNKNOWN:
            bad += 1
            what = f"the status {row.get('name')!r} means nothing to the hub: it does not travel"
            yield Finding("warning", what, f"Name it under {where}.")
    if not bad:
        yield Finding("ok", f"all {len(names)} statuses are mapped")


def _words(
    maps: Connector, client: ServiceDeskPlusClient, setting: str, written: Mapping[Any, str], path: str
) -> Iterator[Finding]:
    try:
        known = [str(row.get("name")) for row in client.rows(path, path.strip("/"))]
    except PermanentError as error:
        yield Finding("warning", f"{setting} could not be checked: {error.why}", "Check them by hand.")
        return
    folded = {word.casefold() for word in known}
    for neutral, word in written.items():
        if word.casefold() not in folded:
            hint = instead(word, known)
            where = f"trackers.{maps.name}.{setting}.{neutral}"
            yield Finding(
                "warning", f"{neutral} is written as {word!r}, which is none of them here", f"{where}: {hint}"
            )


def _fields(settings: ServiceDeskPlusSettings, maps: Connector, client: ServiceDeskPlusClient) -> Iterator[Finding]:
    where = f"trackers.{maps.name}"
    if not settings.reference_field:
        yield Finding(
            "warning",
            "there is no reference_field: the hub opens no requests here, it only follows those that exist",
            f"Add a single-line additional field for requests and name it under {where}.reference_field.",
        )
    if not settings.labels_field:
        yield Finding("warning", "there is no labels_field: labels do not travel", f"Name one under {where}.")
    try:
        names = _metainfo(client)
    except PermanentError as error:
        what = f"the fields of requests could not be checked: {error.why}"
        yield Finding("warning", what, "Check the names of additional fields by hand.")
        return
    fields, udf = names
    if settings.labels_field == TAGS and TAGS not in fields:
        yield Finding(
            "error",
            "this ServiceDesk Plus has no tags: labels have no place",
            f"Name an additional field (text) under {where}.labels_field.",
        )
    wanted = {f"fields.{name}": field.id for name, field in settings.fields.items() if field.id != RESOLUTION}
    wanted |= {"reference_field": settings.reference_field}
    wanted |= {"labels_field": settings.labels_field if settings.labels_field != TAGS else ""}
    for setting, name in wanted.items():
        if name and name not in udf:
            by_title = next((i for i, title in udf.items() if title.casefold() == name.casefold()), "")
            hint = f"Did you mean {by_title!r}?" if by_title else meant(name, udf)
            there = ", ".join(f"{i} ({title})" for i, title in udf.items())
            yield Finding(
                "error", f"there is no additional field {name!r} ({setting})", hint or f"There are {there or 'none'}."
            )


def _metainfo(client: ServiceDeskPlusClient) -> tuple[set[str], dict[str, str]]:
    """The names of all fields of requests, and the titles of additional ones by their names."""
    for path in METAINFO:
        try:
            fields = (client.show(path).get("metainfo") or {}).get("fields") or {}
        except NotFoundError:
            continue
        inner = (fields.get("udf_fields") or {}).get("fields") or {}
        return set(fields), {str(k): str((v or {}).get("display_name") or k) for k, v in inner.items()}
    raise NotFoundError(client.name, f"GET {METAINFO[0]}", "it is not there in this build")


def _groups(settings: ServiceDeskPlusSettings, client: ServiceDeskPlusClient) -> Iterator[Finding]:
    wanted = {group for groups in settings.lines.values() for group in groups}
    if not wanted:
        return
    try:
        known = [str(row.get("name")) for row in client.rows("/support_groups", "support_groups")]
    except PermanentError as error:
        yield Finding("warning", f"groups could not be checked: {error.why}", "Check the names under lines by hand.")
        return
    folded = {name.casefold() for name in known}
    for group in sorted(g for g in wanted if g.casefold() not in folded):
        hint = instead(group, known)
        yield Finding("error", f"there is no group {group!r} (lines)", hint)


def _counts(settings: ServiceDeskPlusSettings, maps: Connector, client: ServiceDeskPlusClient) -> Iterator[Finding]:
    if not settings.watch_counts:
        return
    asked = {"row_count": 1, "filter_by": {"name": OPEN_REQUESTS}, "fields_required": COUNTED_FIELDS}
    remedy = (
        f"If notes change the time of a request here (write one and look), set trackers.{maps.name}.watch_counts to "
        "false; else have the trigger of the README send a webhook for each note."
    )
    try:
        rows = client.show("/requests", list_info=asked).get("requests") or []
    except PermanentError as error:
        yield Finding("warning", f"the numbers of notes cannot be listed: {error.why}", remedy)
        return
    if rows and not rows[0].get("summary"):
        yield Finding("warning", "lists of requests show no numbers of notes and mails in this build", remedy)
