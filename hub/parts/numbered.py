"""Statuses and priorities of trackers that speak in numbers <-> the words that people see and settings name. Pure.

Labels are translated and can be renamed, numbers never change: only numbers go to the tracker. A number that an account
made itself has no word here and stands for itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def word_of(table: Mapping[int, str], code: object) -> str:
    """The word for a number; the number itself where the account made it."""
    number = str(code)
    return table.get(int(number), number) if number.isdigit() else ""


def code_of(table: Mapping[int, str], word: str) -> int:
    """The number for a word. Raises ValueError for a word that is neither known nor a number."""
    if word.isdigit():
        return int(word)
    for code, known in table.items():
        if known.casefold() == word.casefold():
            return code
    raise ValueError(f"{word!r} has no number")


def words_of(table: Mapping[int, str], given: Any) -> list[str]:
    """Numbers and words of a setting in the one form that is compared, e.g. `2` -> `Open`.

    Raises ValueError, for the admin, for a word without a number.
    """
    made = []
    for word in map(str, listed(given)):
        try:
            made.append(word_of(table, code_of(table, word)))
        except ValueError as error:
            raise ValueError(
                f"{word!r} is none of {', '.join(table.values())}: give the number of your own, `hub check` lists them"
            ) from error
    return made


def listed(value: Any) -> list[Any]:
    """One value of a setting as a list of one."""
    return list(value) if isinstance(value, (list, tuple)) else [value]
