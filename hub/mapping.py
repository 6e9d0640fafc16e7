"""Tables between a tracker's words and the neutral ones. Pure; built once from defaults and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T", bound=StrEnum)


@dataclass(frozen=True)
class ValueMap(Generic[T]):
    """Neutral values <-> native words. Native words are compared without regard to case.

    Several native words may mean one neutral value; the first is the one that is written. A neutral value without
    a word of its own may share another's (`written`), which makes the mapping lossy: see `hold`.
    """

    written: Mapping[T, str]
    meaning: Mapping[str, T]
    unknown: T

    @classmethod
    def build(
        cls, enum: type[T], defaults: Mapping[str, Sequence[str]], overrides: Mapping[T, Sequence[str]]
    ) -> ValueMap[T]:
        """The defaults, with each neutral value that `overrides` names replaced.

        A native word belongs to the first neutral value that lists it; overrides come before defaults. Raises
        ValueError for a neutral value that does not exist.
        """
        written: dict[T, str] = {}
        meaning: dict[str, T] = {}
        usual = {enum(k): v for k, v in defaults.items()}
        for table in (overrides, {k: v for k, v in usual.items() if k not in overrides}):
            for neutral, words in table.items():
                for word in words:
                    written.setdefault(neutral, word)
                    meaning.setdefault(word.casefold(), neutral)
        return cls(written, meaning, enum("unknown"))

    def to_neutral(self, word: str | None) -> T:
        """What a native word means; the enum's `unknown` where nothing is said about it."""
        return self.meaning.get((word or "").casefold(), self.unknown)

    def to_native(self, value: T) -> str | None:
        """The word that is written for a neutral value, None where there is none."""
        return self.written.get(value)

    def hold(self, value: T) -> T | None:
        """The neutral value that is read back after `value` was written, None where it cannot be written."""
        word = self.written.get(value)
        return None if word is None else self.to_neutral(word)
