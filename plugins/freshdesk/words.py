"""Freshdesk's numbers for statuses and priorities <-> the words that people see and settings name. Pure.

Source: developers.freshdesk.com, "Tickets". Numbers from 6 on belong to the account; new accounts have
6 and 7. Labels are localised and can be renamed, numbers never change: only numbers go to Freshdesk.
"""

from __future__ import annotations

from collections.abc import Mapping

STATUS_WORDS: Mapping[int, str] = {
    2: "Open",
    3: "Pending",
    4: "Resolved",
    5: "Closed",
    6: "Waiting on Customer",
    7: "Waiting on Third Party",
}
PRIORITY_WORDS: Mapping[int, str] = {1: "Low", 2: "Medium", 3: "High", 4: "Urgent"}
TABLES: Mapping[str, Mapping[int, str]] = {"statuses": STATUS_WORDS, "priorities": PRIORITY_WORDS}


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
