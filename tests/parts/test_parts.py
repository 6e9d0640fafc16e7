"""The parts of connectors, each on its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.connector import AuthError, Changes, NotFoundError, RefusedError, Unwritable, WebhookRequest
from hub.parts import custom_values, numbered, refusals, stamps, templates
from hub.parts.directory import PAGE, Directory
from hub.settings.trackers import CustomField
from hub.ticket import Person, Value

WORDS = {2: "Open", 3: "Pending"}


@pytest.mark.parametrize("marker", ["hub:1:dev:7", 'odd "<mark>" ] & ą', "a b"])
@pytest.mark.parametrize("body", ["<p>text</p>", "", "<div><b>x</b></div>"])
def test_a_stamp_is_taken_off_as_it_was_put_on_also_inside_what_a_tracker_puts_around(body: str, marker: str) -> None:
    stamped = stamps.stamped(body, marker)
    assert stamps.unstamped(stamped) == (body, marker)
    assert stamps.unstamped(f"<div>{stamped}</div>") == (f"<div>{body}</div>", marker)


@pytest.mark.parametrize("body", ["<p>[ref x] said the customer</p>", "<p>[ref x]</p><p>more</p>", "[ref x]"])
def test_what_people_write_is_no_stamp(body: str) -> None:
    assert stamps.unstamped(body) == (body, None)


def test_a_mark_is_its_own_tag_unless_it_is_too_long_for_one() -> None:
    assert stamps.mark_tag("support-7", 32) == "support-7"
    long = [stamps.mark_tag("x" * 40 + end, 32) for end in "ab"]
    assert len(set(long)) == 2
    assert all(stamps.is_long_mark(tag) and len(tag) <= 32 for tag in long)
    assert not stamps.is_long_mark("support-7")


@pytest.mark.parametrize(
    ("kind", "native", "neutral"),
    [
        ("text", "a", "a"),
        ("text", "", None),
        ("number", 3.0, 3),
        ("number", "2.5", 2.5),
        ("checkbox", False, False),
        ("date", "2026-02-03T04:05:06Z", datetime(2026, 2, 3, tzinfo=UTC)),
        ("select", "Major", "high"),
        ("multiselect", ["Major", "Other"], ("Other", "high")),
        ("multiselect", [], None),
    ],
)
def test_custom_values_are_read_and_what_is_read_is_written_so_that_it_reads_the_same(
    kind: Any, native: Any, neutral: Any
) -> None:
    field = CustomField(id="f", type=kind, values={"high": "Major"})
    assert custom_values.field_value(field, native) == neutral
    again = custom_values.field_value(field, custom_values.native_value(field, neutral))
    assert again == neutral


def test_a_value_is_held_as_it_would_be_read_again_or_is_unwritable() -> None:
    number = CustomField(id="f", type="number")

    def held(value: Value) -> Value:
        return custom_values.held("support", number, value, custom_values.native_value, custom_values.field_value)

    assert held("3.0") == 3
    with pytest.raises(Unwritable, match="f of support takes no 'many'"):
        held("many")


def test_of_two_neutral_words_for_one_choice_the_last_is_read() -> None:
    field = CustomField(id="f", type="select", values={"high": "Major", "urgent": "Major"})
    assert custom_values.neutral_word(field, "Major") == "urgent"
    assert custom_values.native_words(field, "high") == ["Major"]


def test_words_and_numbers_of_statuses_meet() -> None:
    assert [numbered.word_of(WORDS, code) for code in (2, "3", 9, None)] == ["Open", "Pending", "9", ""]
    assert [numbered.code_of(WORDS, word) for word in ("open", "3", "9")] == [2, 3, 9]
    with pytest.raises(ValueError, match="has no number"):
        numbered.code_of(WORDS, "Waiting")


def test_a_body_that_values_have_broken_keeps_the_first_key_that_is_found() -> None:
    request = WebhookRequest({}, b'{"root": {"ticket": "#7", "subject": "he said "no""}}')
    assert templates.body_of(request, ("change", "ticket"), "root") == {"ticket": "#7"}
    with pytest.raises(ValueError, match="no JSON"):
        templates.body_of(request, ("change",), "root")


def test_only_what_was_asked_for_is_refused_and_the_rest_is_because_of_the_status() -> None:
    error = RefusedError("support", "PUT /tickets/7", {"title": "too long", "code": "is missing"})
    closing = refusals.explained(error, Changes(values={"status": "solved", "title": "x"}), "fill", "close")
    assert isinstance(closing, RefusedError)
    assert closing.fields == {"title": "too long", "status": "code: is missing"}
    assert closing.remedy == "close"
    other = refusals.explained(error, Changes(values={"title": "x"}), "fill", "close")
    assert not isinstance(other, RefusedError)
    assert (other.why, other.remedy) == ("code: is missing", "fill")
    asked = RefusedError("support", "PUT /tickets/7", {"labels": "no"})
    assert refusals.explained(asked, Changes(add_labels=frozenset({"x"})), "fill", "close") is asked


class Names(Directory):
    """Two hundred agents with even numbers; everybody else below 1000 is a customer."""

    def __init__(self, may_list: bool = True) -> None:
        super().__init__()
        self.may_list = may_list
        self.calls: list[str] = []

    def page(self, path: str, number: int) -> Sequence[Mapping[str, Any]]:
        self.calls.append(f"{path} {number}")
        if not self.may_list:
            raise AuthError("support", f"GET {path}", "no")
        rows = [{"id": 2 * n, "name": f"{path} {2 * n}"} for n in range(1, 201)]
        return rows[(number - 1) * PAGE : number * PAGE]

    def agent(self, raw: Mapping[str, Any]) -> Person:
        return Person(str(raw["id"]), raw["name"], None, True)

    def customer(self, key: str) -> Person:
        self.calls.append(key)
        if int(key) > 1000:
            raise NotFoundError("support", f"GET {key}", "no")
        return Person(key, f"customer {key}", None, False)


def test_names_are_looked_up_once() -> None:
    names = Names()
    for _ in range(3):
        assert names.person(400, None) == Person("400", "/agents 400", None, True)
        assert names.person(7, None) == Person("7", "customer 7", None, False)
        assert names.person(8, False).name == "customer 8"
        assert names.person(2001, None) == Person("2001")
        assert names.name_in("/groups", 4) == "/groups 4"
        assert names.name_in("/groups", 5) == ""
    lists = [f"{path} {n}" for path in ("/agents", "/groups") for n in (1, 2, 3)]
    assert sorted(names.calls) == sorted([*lists, "7", "8", "2001"])


def test_what_may_not_be_listed_stays_a_number_and_is_not_asked_for_each_time() -> None:
    names = Names(may_list=False)
    for _ in range(3):
        assert names.person(2002, True) == Person("2002", is_staff=True)
        assert names.name_in("/groups", 4) == ""
    assert names.calls == ["/agents 1", "2002", "/groups 1"]
    with pytest.raises(AuthError):
        names.names("/groups")
