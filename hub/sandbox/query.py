"""A search language that several trackers have: `field:value`, `field:>value`, AND, OR, parentheses."""

from __future__ import annotations

import re
from collections.abc import Callable

Fits = Callable[[str, str, str], bool]
"""Whether a condition holds: the field, `>` or `<` (both include the value itself) or nothing, the value."""

_TOKEN = re.compile(r"\s*(?:(\()|(\))|(AND|OR)\b|(\w+):\s*(>|<)?\s*('(?:[^'\\]|\\.)*'|[\w-]+))")


class NoQueryError(ValueError):
    """The text is no query."""


class Query:
    """A query that can be asked of many objects. `fields` are those that it names. Raises NoQueryError."""

    def __init__(self, text: str) -> None:
        self._tokens: list[re.Match[str]] = []
        at = 0
        while at < len(text.rstrip()):
            token = _TOKEN.match(text, at)
            if token is None:
                raise NoQueryError(text)
            self._tokens.append(token)
            at = token.end()
        self.fields = [token.group(4) for token in self._tokens if token.group(4)]
        self.holds(lambda *_: False)

    def holds(self, fits: Fits) -> bool:
        """Whether the query holds for an object whose conditions `fits` answers."""
        return _Reader(self._tokens, fits).whole()


class _Reader:
    """Recursive descent, evaluated at once."""

    def __init__(self, tokens: list[re.Match[str]], fits: Fits) -> None:
        self._tokens, self._fits, self._at = tokens, fits, 0

    def whole(self) -> bool:
        value = self._either()
        if self._at != len(self._tokens):
            raise NoQueryError("something follows the end")
        return value

    def _either(self) -> bool:
        value = self._both()
        while self._takes("OR"):
            value = self._both() or value
        return value

    def _both(self) -> bool:
        value = self._one()
        while self._takes("AND"):
            value = self._one() and value
        return value

    def _takes(self, word: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at].group(3) == word:
            self._at += 1
            return True
        return False

    def _one(self) -> bool:
        token = self._next()
        if token.group(1):
            value = self._either()
            if not self._next().group(2):
                raise NoQueryError("a parenthesis is not closed")
            return value
        if not token.group(4):
            raise NoQueryError("a condition is missing")
        given = token.group(6)
        wanted = re.sub(r"\\(.)", r"\1", given[1:-1]) if given.startswith("'") else given
        return self._fits(token.group(4), token.group(5) or "", wanted)

    def _next(self) -> re.Match[str]:
        if self._at >= len(self._tokens):
            raise NoQueryError("the end is missing")
        self._at += 1
        return self._tokens[self._at - 1]
