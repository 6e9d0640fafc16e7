"""Placeholders of helpdesks' macros and of the hub's texts, there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.connector import Unwritable
from hub.parts.placeholders import Placeholders, name_of_macro
from hub.rules.placeholders import check_text, render
from hub.text import canonical, from_html, from_plain, to_html

TABLE = Placeholders(
    same={"ticket.title": "ticket.title", "ticket.subject": "ticket.title", "ticket.asker_name": "requester.name"},
    near={"ticket.first_name": "requester.name"},
)


def test_what_is_the_same_becomes_the_hubs_and_comes_back() -> None:
    text, notes = TABLE.to_hub("<p>Dear {{ticket.asker_name}}, <b>{{ticket.subject}}</b></p>", from_html)
    assert text == "Dear {{ requester.name }}, **{{ ticket.title }}**"
    assert notes == ()
    back = TABLE.from_hub(text, lambda t: to_html(canonical(t)))
    assert back == "<p>Dear {{ticket.asker_name}}, <strong>{{ticket.title}}</strong></p>"


def test_what_is_only_near_is_said() -> None:
    text, (note,) = TABLE.to_hub("Hi {{ ticket.first_name }}", from_plain)
    assert text == "Hi {{ requester.name }}"
    assert "not quite the same" in note


def test_what_has_no_equivalent_is_named_and_leaves_no_placeholder_behind() -> None:
    text, notes = TABLE.to_hub("{{dc.signature}} {% if x %}a{% endif %} {{ x | y }} {{ open", from_plain)
    assert len(notes) == 5
    assert "dc.signature" in text
    assert "{" not in text
    check_text(text)


def test_a_text_with_more_than_plain_placeholders_has_no_form() -> None:
    for text in ("{{ due }}", "{{ requester.name | default('x') }}", "{% if due %}x{% endif %}", "{{ open"):
        with pytest.raises(Unwritable):
            TABLE.from_hub(text, str)


@given(st.text(alphabet="ab {}%#._*<>&|\n", max_size=60))
def test_whatever_an_account_holds_becomes_a_text_that_the_rule_book_takes(given_text: str) -> None:
    text, _ = TABLE.to_hub(given_text, from_plain)
    check_text(text)
    render(text, {})


@pytest.mark.parametrize(
    ("title", "name"),
    [("Ask for details", "ask-for-details"), ("Ósma linia::B", "ósma-linia-b"), ("!!", "macro"), ("a_b", "a_b")],
)
def test_a_macro_is_called_so_that_a_label_can_say_it(title: str, name: str) -> None:
    assert name_of_macro(title) == name
