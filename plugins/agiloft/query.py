"""Conditions of a search. Pure.

Source: help.agiloft.com, "REST - Search": `column=value` with = != ~= < <= > >=, joined by && and ||, values in single
quotes. Nothing says how a quote inside of a value is written, so that no such value is ever sent.
"""

from __future__ import annotations


class Unquotable(ValueError):  # noqa: N818 - an answer of a pure function, not an error of a call
    """A value that cannot stand in a query."""


def compare(column: str, operator: str, value: str) -> str:
    """One condition. Raises Unquotable."""
    if "'" in value or "\n" in value:
        raise Unquotable(value)
    return f"{column}{operator}'{value}'"


def equals(column: str, value: str) -> str:
    """Raises Unquotable."""
    return compare(column, "=", value)
