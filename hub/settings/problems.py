"""What is wrong with the settings, told so that the reader can mend it: where, what, and what to do.

It must not know YAML or pydantic. A `Problem` never holds a secret; whoever makes one sees to that.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""The way to a place in the settings: keys, and indexes of lists counted from 0."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file; `line` and `column` count from 1. Line 0 is the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake. `where` is the dotted key, `value` what stands there as written (empty for secrets)."""

    place: Place
    where: str = ""
    what: str
    remedy: str = ""
    value: str = ""

    @property
    def file(self) -> str:
        return self.place.file

    @property
    def line(self) -> int:
        return self.place.line

    @property
    def column(self) -> int:
        return self.place.column

    def __str__(self) -> str:
        start = f"{self.place}: " + (f"{self.where}: " if self.where else "")
        return f"{start}{self.what}. {self.remedy}".rstrip()


class SettingsError(Exception):
    """The settings cannot be used. `problems` are all that were found, in the order of files and lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.place, p.where)))
        super().__init__("\n".join(map(str, self.problems)))


def dotted(path: Path) -> str:
    """`("links", 0, "fields")` -> `links[0].fields`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def suggest(name: str, known: Sequence[str], otherwise: str = "Known are") -> str:
    """A remedy for a name that does not exist: the one that was meant, else all there are."""
    by_lower_case = {k.casefold(): k for k in known}
    close = difflib.get_close_matches(name.casefold(), by_lower_case, n=1)
    if close:
        return f"Did you mean {by_lower_case[close[0]]!r}?"
    return f"{otherwise} {', '.join(known)}." if known else ""
