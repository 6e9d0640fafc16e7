"""What `hub check` finds out about a knowledge base, in an admin's words.

EWTable tells the columns, but neither choices nor rules; a choice is asked for by its words. Sources: help.agiloft.com,
"REST - Table", "REST - GetChoiceLineId".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from hub.connector import AuthError, Connector, Finding, PermanentError, RefusedError, TemporaryError
from hub.parts.findings import meant
from plugins.agiloft import mapping
from plugins.agiloft.client import AgiloftClient
from plugins.agiloft.comments import AppendedEntries, CommentRecords
from plugins.agiloft.query import compare
from plugins.agiloft.settings import AgiloftSettings, TableComments
from plugins.agiloft.times import LocalTimes

SAMPLE = 20
"""Records that are looked at for the forms of times and entries."""
LATELY = timedelta(days=30)
AHEAD = timedelta(minutes=10)
"""A record changed later than this after now was changed in another zone than the settings say."""
FAST_POLL = 60.0
"""Seconds; polling more often takes a good part of the calls that Agiloft makes in that time."""


def findings(
    settings: AgiloftSettings,
    maps: Connector,
    client: AgiloftClient,
    comments: CommentRecords | AppendedEntries | None,
) -> list[Finding]:
    """Everything that can be wrong beyond the sign-in. Changes nothing."""
    where = f"trackers.{maps.name}"
    found: list[Finding] = []
    tables = _tables(settings, client, where, found)
    if settings.table in tables:
        found += _words(settings, maps, client, where, tables)
    if not any(f.level == "error" for f in found):
        found += _samples(settings, client, where, comments)
    if settings.comments is None:
        what = "no comments travel: the settings say nowhere where they stand"
        found.append(Finding("warning", what, f"Name a table or append-only columns under {where}.comments."))
    if 0 < settings.poll.every < FAST_POLL:
        what = f"polling every {settings.poll.every:g} s takes much of the one call a second that Agiloft does"
        found.append(Finding("warning", what, f"{where}.poll.every: 300 will do beside webhooks."))
    return found


def _tables(settings: AgiloftSettings, client: AgiloftClient, where: str, found: list[Finding]) -> set[str]:
    """The tables that are there; what is missing in any goes to `found`."""
    there: set[str] = set()
    wanted: list[tuple[str, str, list[tuple[str, str]]]] = [("table", settings.table, list(settings.used_columns()))]
    at, people = settings.comments, settings.people
    if isinstance(at, TableComments):
        named = ("id", "ticket", "text", "author", "created", "updated", "marker", "visibility", "attachments")
        wanted.append(("comments.table", at.table, [(f"comments.{n}", c) for n in named if (c := getattr(at, n))]))
    if people is not None:
        wanted.append(("people.table", people.table, [("people.name", people.name), ("people.email", people.email)]))
    for setting, table, places in wanted:
        columns = _columns_of(client, table)
        if columns is None:
            remedy = f"Correct {where}.{setting}: the logical name, upper and lower case as in Setup > Tables."
            found.append(Finding("error", f"there is no table {table!r}, or the hub's user may not see it", remedy))
            continue
        there.add(table)
        missing = [(place, column) for place, column in places if column not in columns]
        for place, column in missing:
            hint = meant(column, columns, 0.6) or "Make it in Setup > Tables, or allow the hub's group to see it."
            found.append(Finding("error", f"the table {table} has no column {column!r} ({where}.{place})", hint))
        if not missing:
            found.append(Finding("ok", f"all {len(places)} columns of {table} are there"))
    return there


def _columns_of(client: AgiloftClient, table: str) -> list[str] | None:
    """The names of a table's columns, None where there is no such table."""
    try:
        answer = client.ask_classic("EWTable", table=table)
    except (TemporaryError, AuthError):
        raise
    except PermanentError:
        return None
    result = answer.get("result") if isinstance(answer, dict) else None
    for one in (result or {}).get("tables") or () if isinstance(result, dict) else ():
        if one.get("logicalName") == table:
            return [str(column.get("columnName")) for column in one.get("fields") or ()]
    return None


def _words(
    settings: AgiloftSettings, maps: Connector, client: AgiloftClient, where: str, tables: set[str]
) -> Iterator[Finding]:
    """Whether each word that the hub would write is a choice."""
    bad = asked = 0
    for name, setting, table in (
        ("status", "statuses", maps.statuses),
        ("priority", "priorities", maps.priorities),
        ("category", "categories", maps.categories),
    ):
        column = getattr(settings.columns, name)
        for word in dict.fromkeys(table.written.values()) if column else ():
            asked += 1
            if _is_choice(client, settings.table, column, word):
                continue
            bad += 1
            is_named = setting in settings.model_fields_set
            remedy = f"Correct {where}.{setting}." if is_named else f"Name your own words under {where}.{setting}."
            level: Any = "error" if is_named else "warning"
            yield Finding(level, f"the column {column} has no choice {word!r}", remedy)
    at = settings.comments
    if isinstance(at, TableComments) and at.visibility and at.table in tables:
        for word in (at.public[0], at.private[0]):
            asked += 1
            if not _is_choice(client, at.table, at.visibility, word):
                bad += 1
                remedy = f"Correct {where}.comments.public and private: what is written there must never be guessed."
                yield Finding("error", f"the column {at.visibility} of {at.table} has no choice {word!r}", remedy)
    if asked and not bad:
        yield Finding("ok", f"all {asked} words of statuses, priorities and the like are choices")


def _is_choice(client: AgiloftClient, table: str, column: str, word: str) -> bool:
    try:
        client.ask_classic("EWGetChoiceLineId", **{"$table": table, "field": column, "value": word})
    except RefusedError:
        return False
    except (TemporaryError, AuthError):
        raise
    except PermanentError:
        return False
    return True


def _samples(
    settings: AgiloftSettings, client: AgiloftClient, where: str, comments: CommentRecords | AppendedEntries | None
) -> Iterator[Finding]:
    """Whether times and entries look as the settings say, by what was changed lately."""
    times, now, columns = LocalTimes.of(settings), client.now(), settings.columns
    extra = comments.columns if isinstance(comments, AppendedEntries) else []
    rows = client.search(
        settings.table,
        compare(columns.updated, ">=", times.text_not_after(now - LATELY)),
        [columns.id, columns.updated, *extra],
        limit=SAMPLE,
    )
    stamps = {
        mapping.words_of(row.get(columns.updated)): times.utc(mapping.words_of(row.get(columns.updated)))
        for row in rows
    }
    if not stamps:
        what = "no ticket was changed lately, so that the form of times could not be checked"
        yield Finding("warning", what, "Change one, then check again.")
        return
    odd = next((text for text, at in stamps.items() if at is None), None)
    if odd is not None:
        remedy = f"Say under {where}.date_format how the hub's user sees times."
        yield Finding("error", f"the time {odd!r} has not the form {settings.date_format!r}", remedy)
        return
    if any(at - now > AHEAD for at in stamps.values() if at):
        remedy = f"Say under {where}.time_zone in which zone the hub's user sees times."
        yield Finding(
            "error", f"some tickets were changed in the future, if their times are {settings.time_zone}", remedy
        )
        return
    yield Finding("ok", f"times have the form {settings.date_format} and fit the zone {settings.time_zone}")
    if isinstance(comments, AppendedEntries) and (bad := {c for row in rows for c in comments.reads_nothing_from(row)}):
        remedy = f"Write under {where}.comments.header what stands above each entry, with {{when}} and {{who}} in it."
        yield Finding("error", f"no entry can be made out in {', '.join(sorted(bad))}", remedy)
