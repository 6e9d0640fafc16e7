"""Statuses and priorities of trackers that speak in numbers <-> the words that people see and settings name. Pure.

Labels are translated and can be renamed, numbers never change: only numbers go to the tracker. A number that an account
made itself has no word here and stands for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from hub.settings.trackers import TrackerSettings
from hub.ticket import Priority, Status


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


def _texts(value: Any) -> Any:
    return [str(one) for one in (value if isinstance(value, (list, tuple)) else [value])]


NumbersOrWords = Annotated[list[str], BeforeValidator(_texts, json_schema_input_type=int | str | list[int | str])]
"""One number or word, or a list of them; of several, the first is the one that is written."""


class NumberedSettings(TrackerSettings):
    """Settings of a tracker with numbers: statuses and priorities may be given as numbers or by its English words."""

    tables: ClassVar[Mapping[str, Mapping[int, str]]]
    """The words by number, for `statuses` and `priorities`."""

    statuses: dict[Status, NumbersOrWords] = Field(
        default_factory=dict,
        description="Neutral status -> numbers or words of the statuses that mean it; the first one is written.",
    )
    priorities: dict[Priority, NumbersOrWords] = Field(
        default_factory=dict, description="Neutral priority -> numbers or words; the first one is written."
    )
    lines: dict[int, NumbersOrWords] = Field(
        default_factory=dict, description="Support line -> names or numbers of the groups that are this line."
    )

    def line_of(self, group_id: Any, name_of: Callable[[Any], str]) -> int | None:
        """The support line of a group, None where it is none. `name_of` is asked only where lines are set."""
        if not group_id or not self.lines:
            return None
        names = {str(group_id), name_of(group_id)}
        return next((line for line, groups in self.lines.items() if names & set(groups)), None)

    @field_validator("statuses", "priorities")
    @classmethod
    def _as_compared(cls, value: dict[Any, list[str]], info: ValidationInfo) -> dict[Any, list[str]]:
        """Every word in the one form that is compared, e.g. `2` -> `Open`."""
        table = cls.tables[str(info.field_name)]
        return {neutral: [_known(table, word) for word in words] for neutral, words in value.items()}


def _known(table: Mapping[int, str], word: str) -> str:
    try:
        return word_of(table, code_of(table, word))
    except ValueError as error:
        raise ValueError(
            f"{word!r} is none of {', '.join(table.values())}: give the number of your own, `hub check` lists them"
        ) from error
