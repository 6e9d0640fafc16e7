"""What `hub check` says of statuses in numbers, custom fields, groups and calls a minute, in an admin's words."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from hub.connector import AuthError, Connector, Finding
from hub.parts.numbered import code_of, word_of
from hub.settings.trackers import CustomField
from hub.ticket import Status

FEW_CALLS = 100
"""Calls a minute below which a busy line will wait."""


def statuses(maps: Connector, table: Mapping[int, str], labels: Mapping[int, str]) -> Iterator[Finding]:
    """Statuses that are written and not there, and that are there and mean nothing. `labels` are the account's own."""
    if not labels:
        return
    there = ", ".join(f"{code} {label}" for code, label in sorted(labels.items()))
    bad = 0
    for status, word in maps.statuses.written.items():
        if code_of(table, word) not in labels:
            bad += 1
            where = f"trackers.{maps.name}.statuses.{status}"
            what = f"{status} is written as {word}, which is no status here"
            yield Finding("error", what, f"{where}: one of {there}.")
    for code, label in sorted(labels.items()):
        if maps.statuses.to_neutral(word_of(table, code)) is Status.UNKNOWN:
            bad += 1
            yield Finding(
                "warning",
                f"the status {label} ({code}) means nothing to the hub: it does not travel",
                f"Name {code} under trackers.{maps.name}.statuses.",
            )
    if not bad:
        yield Finding("ok", f"all {len(labels)} statuses are mapped")


def custom_fields(
    fields: Mapping[str, CustomField], labels: Mapping[str, str], choices: Mapping[str, Sequence[str]], hint: str
) -> Iterator[Finding]:
    """Fields and choices that are not there. `labels` and `choices` by the field's id; `hint` says where ids stand."""
    for name, field in fields.items():
        if field.id not in labels:
            by_label = next((i for i, label in labels.items() if label.casefold() in (name, field.id.casefold())), "")
            guess = f"Did you mean {by_label!r}?" if by_label else meant(field.id, labels)
            yield Finding("error", f"there is no ticket field {field.id} (fields.{name})", guess or hint)
            continue
        known = choices.get(field.id, ()) if field.type in ("select", "multiselect") else ()
        for theirs in field.values.values():
            if known and theirs not in known:
                what = f"{field.id} has no choice {theirs!r} (fields.{name}.values)"
                yield Finding("error", what, instead(theirs, known))


def lines(of_lines: Mapping[int, Sequence[str]], names: Callable[[], Iterable[str]]) -> Iterator[Finding]:
    """Groups that stand for support lines and are not there. `names` lists them; may raise AuthError."""
    wanted = {group for groups in of_lines.values() for group in groups if not group.isdigit()}
    if not wanted:
        return
    try:
        known = list(names())
    except AuthError:
        what = "the hub's agent may not list groups: support lines by name stay unknown"
        yield Finding("warning", what, "Give it a role that may, or write the groups' numbers under lines.")
        return
    for group in sorted(wanted - set(known)):
        what = f"there is no group {group!r} (lines)"
        yield Finding("error", what, instead(group, known))


def calls_a_minute(vendor: str, limit: int | None, remaining: int | None) -> Iterator[Finding]:
    """How many calls the tracker allows, by the headers of its last answer."""
    if limit is None:
        return
    what = f"{vendor} allows {limit} calls a minute for the whole account, {remaining} are left now"
    if limit < FEW_CALLS:
        yield Finding("warning", what, "That is a trial's or a small plan's share; expect waits, or change the plan.")
    else:
        yield Finding("ok", what)


def meant(word: str, known: Iterable[str], near: float = 0.5) -> str:
    """A question with the nearest known word, empty where none is near; `near` from 0, anything, to 1, the same."""
    close = difflib.get_close_matches(word, list(known), 1, near)
    return f"Did you mean {close[0]!r}?" if close else ""


def instead(word: str, known: Iterable[str], near: float = 0.5) -> str:
    """What to write for a word that is not there: the nearest known one, else all there are."""
    names = list(known)
    return meant(word, names, near) or f"There are {', '.join(names) or 'none'}."
