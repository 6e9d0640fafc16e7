"""A ticket's history: values over time, in whatever order they become known."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.calendars import Interval
from hub.rules.history import By, Change, Field, FieldValue, History, Reply, starting
from hub.ticket import Category, Priority, Status

CREATED = datetime(2024, 6, 3, 8, tzinfo=UTC)
VALUES: dict[Field, list[FieldValue]] = {
    "status": [*Status, None],
    "priority": list(Priority),
    "category": list(Category),
    "line": [1, 2, 3, None],
    "assignee": ["ann", "bob", None],
    "organisation": ["acme", None],
}

moments = st.integers(-5, 300).map(lambda minutes: CREATED + timedelta(minutes=minutes))
changes = st.sampled_from(list(VALUES)).flatmap(
    lambda field: st.builds(Change, moments, st.just(field), st.sampled_from(VALUES[field]))
)
replies = st.builds(Reply, moments, st.sampled_from(["customer", "staff"]))


def after(minutes: float) -> datetime:
    return CREATED + timedelta(minutes=minutes)


@given(st.lists(changes, max_size=12, unique_by=lambda c: (max(c.at, CREATED), c.field)), st.lists(replies), st.data())
def test_the_order_in_which_things_become_known_does_not_matter(
    given_changes: list[Change], given_replies: list[Reply], data: st.DataObject
) -> None:
    whole = History(CREATED, tuple(given_changes), tuple(given_replies))
    shuffled = History(
        CREATED, tuple(data.draw(st.permutations(given_changes))), tuple(data.draw(st.permutations(given_replies)))
    )
    assert shuffled == whole
    for field in VALUES:
        for minute in range(0, 301, 50):
            known = [c for c in given_changes if c.field == field and max(c.at, CREATED) <= after(minute)]
            expected = max(known, key=lambda c: max(c.at, CREATED)).value if known else None
            assert whole.value_at(field, after(minute)) == expected


@given(st.lists(changes, max_size=12), st.lists(replies, max_size=6))
def test_a_history_survives_being_written_down(given_changes: list[Change], given_replies: list[Reply]) -> None:
    history = History(CREATED, tuple(given_changes), tuple(given_replies))
    loaded = History.load(json.loads(json.dumps(history.dump())))
    assert loaded == history
    assert [type(change.value) for change in loaded.changes] == [type(change.value) for change in history.changes]


@given(st.lists(changes, max_size=12), st.integers(1, 400))
def test_segments_cover_the_time_without_gaps_and_agree_with_the_values(given_changes: list[Change], end: int) -> None:
    history = History(CREATED, tuple(given_changes))
    for field in VALUES:
        segments = history.segments(field, after(end))
        assert segments[0][0].start == CREATED
        assert segments[-1][0].end == after(end)
        for (left, left_value), (right, right_value) in pairwise(segments):
            assert left.end == right.start
            assert left_value != right_value
        assert all(history.value_at(field, interval.start) == value for interval, value in segments)


@given(st.lists(changes, max_size=12), st.lists(replies, max_size=6), st.integers(0, 300))
def test_the_history_until_then_knows_nothing_later_and_everything_before(
    given_changes: list[Change], given_replies: list[Reply], minute: int
) -> None:
    history = History(CREATED, tuple(given_changes), tuple(given_replies))
    then = history.until(after(minute))
    assert then == History(
        CREATED,
        tuple(c for c in given_changes if c.at <= after(minute)),
        tuple(r for r in given_replies if r.at <= after(minute)),
    )


def test_a_value_that_is_told_again_is_no_change() -> None:
    history = starting(CREATED, status=Status.OPEN)
    assert history.with_change(after(5), "status", Status.OPEN) == history
    later = history.with_change(after(10), "status", Status.PENDING)
    assert later.with_change(after(7), "status", Status.PENDING).of("status") == (
        Change(CREATED, "status", Status.OPEN),
        Change(after(7), "status", Status.PENDING),
    )


def test_of_two_values_at_one_moment_the_one_told_last_holds() -> None:
    history = starting(CREATED).with_change(after(5), "line", 2).with_change(after(5), "line", 3)
    assert history.line_at(after(5)) == 3
    assert len(history.of("line")) == 1


def test_what_seems_to_be_before_the_creation_counts_as_of_the_creation() -> None:
    history = starting(CREATED).with_change(after(-3), "assignee", "ann").with_reply(after(-1), "customer")
    assert history.value_at("assignee", CREATED) == "ann"
    assert history.replies == (Reply(CREATED, "customer"),)


def test_a_reply_that_is_told_twice_is_one() -> None:
    assert len(starting(CREATED).with_reply(after(1), "staff").with_reply(after(1), "staff").replies) == 1


def test_segments_say_who_had_it_when() -> None:
    history = starting(CREATED, line=1).with_change(after(30), "line", 2)
    assert history.segments("line", after(60)) == [
        (Interval(CREATED, after(30)), 1),
        (Interval(after(30), after(60)), 2),
    ]


def test_entering_a_group_of_values_counts_from_outside_only() -> None:
    history = starting(CREATED, status=Status.OPEN)
    for minute, status in [(10, Status.SOLVED), (20, Status.CLOSED), (30, Status.OPEN), (40, Status.SOLVED)]:
        history = history.with_change(after(minute), "status", status)
    assert history.times_entered("status", {Status.SOLVED, Status.CLOSED}) == (after(10), after(40))
    assert history.times_entered("status", {Status.OPEN}) == (after(30),)


@pytest.mark.parametrize(
    ("dumped", "says"),
    [
        ({}, "no dumped history"),
        ({"created": "soon", "changes": [], "replies": []}, "soon"),
        ({"created": CREATED.isoformat(), "changes": [[CREATED.isoformat(), "mood", "good"]], "replies": []}, "mood"),
        ({"created": CREATED.isoformat(), "changes": [[CREATED.isoformat(), "status", "odd"]], "replies": []}, "odd"),
        ({"created": CREATED.isoformat(), "changes": [[CREATED.isoformat(), "line", "2"]], "replies": []}, "a number"),
        ({"created": CREATED.isoformat(), "changes": [], "replies": [[CREATED.isoformat(), "bot"]]}, "bot"),
    ],
)
def test_what_is_no_dumped_history_is_refused_in_words(dumped: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        History.load(dumped)


def test_moments_without_a_zone_are_refused() -> None:
    by: By = "staff"
    with pytest.raises(ValueError, match="no time zone"):
        History(CREATED).with_reply(datetime(2024, 1, 1), by)  # noqa: DTZ001
