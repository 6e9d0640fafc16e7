"""Append-only text columns: one text, with a line above each entry that says when and by whom. Pure.

How Agiloft words that line is a local choice, so that the settings show it. What does not look like one belongs to the
entry above it.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from plugins.agiloft.times import LocalTimes

_FILE = re.compile(r"\[file: (.+)\]")
_MARK = re.compile(r"\[ref: ([^\]\s]+)\]")
NO_HEADER = "\u2060"
"""Invisible; before a line of somebody's text that would pass for the line above an entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `key` stays the same as long as nobody edits it; `at` is UTC."""

    key: str
    at: datetime
    who: str
    text: str


class Entries:
    """Reads columns whose entries begin with such a line."""

    def __init__(self, header: str, times: LocalTimes, *, newest_first: bool) -> None:
        parts = re.split(r"(\{when\}|\{who\})", header.strip())
        # As many words as a time has: a name may have any number.
        when = r"\s+".join([r"\S+"] * len(times.form.split()))
        named = {"{when}": f"(?P<when>{when})", "{who}": "(?P<who>.+?)"}
        self._header = re.compile("".join(named.get(part, re.escape(part)) for part in parts))
        self._times, self._newest_first = times, newest_first

    def read(self, column: str, text: str) -> list[Entry]:
        """The entries of a column, oldest first. What stands before the first line that names somebody was there
        before the column became append-only, and is no entry."""
        found = list(self._parts(text))
        if self._newest_first:
            found.reverse()
        found.sort(key=lambda part: part[0])
        seen: Counter[str] = Counter()
        entries = []
        for at, who, lines in found:
            words = "\n".join(lines).strip()
            digest = hashlib.sha256(f"{at.isoformat()}\n{who}\n{words}".encode()).hexdigest()[:16]
            seen[digest] += 1
            entries.append(Entry(f"{column}:{digest}:{seen[digest]}", at, who, words))
        return entries

    def harmless(self, text: str) -> str:
        """The text, with nothing in it that passes for the line above an entry."""
        return "\n".join(NO_HEADER + line if self._names(line) else line for line in text.split("\n"))

    def _parts(self, text: str) -> Iterator[tuple[datetime, str, list[str]]]:
        current: tuple[datetime, str, list[str]] | None = None
        for line in text.replace("\r\n", "\n").split("\n"):
            named = self._names(line)
            if named is None:
                if current is not None:
                    current[2].append(line)
                continue
            if current is not None:
                yield current
            current = (*named, [])
        if current is not None:
            yield current

    def _names(self, line: str) -> tuple[datetime, str] | None:
        found = self._header.fullmatch(line.strip())
        at = self._times.utc(found["when"]) if found else None
        return (at, found["who"].strip()) if found and at is not None else None


def marked(text: str, marker: str, files: Sequence[str] = ()) -> str:
    """A text with the names of its files and the hub's mark under it: an entry has no other place for either."""
    named = ["\n".join(f"[file: {name}]" for name in files)] if files else []
    return "\n\n".join([text, *named, f"[ref: {marker}]"])


def named_files(text: str) -> list[str]:
    """The files that the end of an unmarked text names."""
    names: list[str] = []
    for line in reversed(text.rstrip().split("\n")):
        found = _FILE.fullmatch(line.strip())
        if found is None:
            break
        names.insert(0, found.group(1))
    return names


def unmarked(text: str) -> tuple[str, str | None]:
    """The text without the mark, and the mark where there is one."""
    before, _, last = text.rstrip().rpartition("\n")
    found = _MARK.fullmatch(last.strip())
    return (before.rstrip(), found.group(1)) if found else (text, None)
