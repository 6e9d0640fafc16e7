"""Conditions answer yes, no, or "not known", and say what decided."""

from __future__ import annotations

from typing import Any

import pytest

from hub.rules.conditions import evaluate, facts_of
from hub.settings.rules import Condition
from hub.ticket import Category, Priority, Ticket

FACTS = facts_of(
    Ticket(
        id="7", key="#7", url="", labels=frozenset({"VIP"}), line=2, priority=Priority.HIGH, category=Category.INCIDENT
    )
)


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        ({"label": "vip"}, True),
        ({"label": "other"}, False),
        ({"line": 2}, True),
        ({"line": 3}, False),
        ({"priority": ["high", "urgent"]}, True),
        ({"priority": ["low"]}, False),
        ({"category": ["incident"]}, True),
        ({"label": "vip", "line": 3}, False),
        ({"any": [{"line": 3}, {"label": "vip"}]}, True),
        ({"any": [{"line": 3}, {"label": "other"}]}, False),
    ],
)
def test_a_condition_holds_or_not(given: dict[str, Any], holds: bool) -> None:
    assert evaluate(Condition.model_validate(given), FACTS).holds is holds


def test_a_value_that_is_not_at_hand_is_not_known_unless_another_decides() -> None:
    both = Condition.model_validate({"label": "vip", "line": 3})
    assert evaluate(both, {"labels": frozenset({"vip"})}).holds is None
    assert evaluate(both, {"labels": frozenset()}).holds is False
    either = Condition.model_validate({"any": [{"label": "vip"}, {"line": 3}]})
    assert evaluate(either, {"labels": frozenset({"vip"})}).holds is True
    assert evaluate(either, {"labels": frozenset()}).holds is None


def test_the_answer_names_what_decided() -> None:
    assert "does not carry the label other" in evaluate(Condition.model_validate({"label": "other"}), FACTS).because
    assert "its line is 2, not 3" in evaluate(Condition.model_validate({"line": 3}), FACTS).because
