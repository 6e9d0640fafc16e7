"""The search language that sandboxes share."""

from __future__ import annotations

import pytest

from hub.sandbox.query import NoQueryError, Query

TICKET = {"priority": "3", "tag": "it's here", "group": "null"}


def fits(name: str, sign: str, wanted: str) -> bool:
    value = TICKET[name]
    return value >= wanted if sign == ">" else value <= wanted if sign == "<" else value == wanted


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("priority:3", True),
        ("priority:>4", False),
        ("priority:<3 AND group:null", True),
        (r"tag:'it\'s here'", True),
        ("priority:1 OR priority:3 AND group:null", True),
        ("(priority:1 OR priority:3) AND group:7", False),
        ("priority:3 OR (priority:1 AND (group:7))", True),
    ],
)
def test_conditions_are_joined_as_they_are_written(text: str, holds: bool) -> None:
    assert Query(text).holds(fits) is holds


def test_a_query_tells_its_fields() -> None:
    assert Query("priority:3 AND (tag:'x' OR group:1)").fields == ["priority", "tag", "group"]


@pytest.mark.parametrize(
    "text", ["", "priority", "priority:", "priority:3 group:1", "(priority:3", "priority:3)", "AND"]
)
def test_what_is_no_query_is_refused_before_it_is_asked(text: str) -> None:
    with pytest.raises(NoQueryError):
        Query(text)
