"""Laws of incidents: whatever comes, in whatever order and however often, the ticket ends right after few words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.rules.alert_texts import description_of, title_of
from hub.rules.alerts import (
    MOST_ALERTS,
    Alert,
    Decision,
    Incident,
    Signal,
    decide,
    dump_incident,
    dump_signal,
    fold,
    load_incident,
    load_signal,
    opened,
)
from hub.settings.alerts import AlertSource

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WAIT = timedelta(minutes=5)


def a_source(**given: object) -> AlertSource:
    return AlertSource.model_validate({"kind": "alertmanager", "secret": "x", "tracker": "support", **given})


ALERTS = st.builds(
    Alert,
    id=st.sampled_from("abcd"),
    is_firing=st.booleans(),
    severity=st.sampled_from(["critical", "warning", "odd", ""]),
    name=st.sampled_from(["One", "Two", ""]),
    summary=st.sampled_from(["", "it is [down](http://x)"]),
)
SIGNALS = st.builds(
    Signal,
    group=st.just("g"),
    name=st.just("Group"),
    alerts=st.lists(ALERTS, max_size=4).map(tuple),
    url=st.sampled_from(["", "http://alertmanager.example"]),
    is_whole=st.booleans(),
)


@given(st.lists(SIGNALS, max_size=6), st.booleans())
def test_a_signal_that_comes_twice_says_nothing_new(signals: list[Signal], merges: bool) -> None:
    once = fold(Incident(name="x"), signals, merges=merges)
    twice = fold(Incident(name="x"), [s for signal in signals for s in (signal, signal)], merges=merges)
    assert once == twice


@given(st.lists(SIGNALS, max_size=6))
def test_what_is_stored_comes_back_the_same(signals: list[Signal]) -> None:
    incident = opened(fold(Incident(name="x"), signals), a_source(), NOW, told=frozenset("a"))
    assert load_incident(json.loads(json.dumps(dump_incident(incident)))) == incident
    assert [load_signal(json.loads(json.dumps(dump_signal(s)))) for s in signals] == signals


@given(st.lists(st.tuples(SIGNALS, st.integers(0, 12)), max_size=25), st.integers(1, 4))
def test_the_ticket_ends_as_the_alerts_do_after_no_more_words_than_agreed(
    story: list[tuple[Signal, int]], most: int
) -> None:
    source, now = a_source(max_updates=most), NOW
    incident = opened(Incident(name="x", firing={"a": "warning"}), source, now, told=frozenset("a"))
    is_done, told_at, texts = False, NOW, 0

    def take(decision: Decision) -> Incident:
        nonlocal is_done, told_at, texts
        if decision.is_write:
            assert now - told_at >= WAIT
            told_at = now
        texts += bool(decision.text)
        is_done = {"solved": True, "open": False, None: is_done}[decision.status]
        return decision.incident

    for signal, minutes in story:
        incident = take(decide(fold(incident, [signal]), source, now, is_done=is_done))
        now += timedelta(minutes=minutes)
    now += WAIT
    incident = take(decide(incident, source, now, is_done=is_done))
    assert is_done == (not incident.firing)
    assert texts <= most
    now += WAIT
    assert not decide(incident, source, now, is_done=is_done).is_write
    assert decide(incident, source, now, is_done=is_done).look_at is None


def test_of_too_many_alerts_the_same_ones_are_kept_whatever_their_order() -> None:
    alerts = tuple(Alert(id=str(n), is_firing=True) for n in range(MOST_ALERTS + 10))
    first = fold(Incident(name="x"), [Signal(group="g", name="", alerts=alerts, is_whole=True)])
    again = fold(first, [Signal(group="g", name="", alerts=alerts[::-1], is_whole=True)])
    assert first.firing == again.firing
    assert first.count == again.count == MOST_ALERTS + 10


def test_titles_are_one_plain_line_and_descriptions_take_the_senders_words_literally() -> None:
    alert = Alert(
        id="a", is_firing=True, severity="critical", name="Disk_full", summary="*bold* @everyone\n# heading",
        labels={"host": "db_1"},
    )  # fmt: skip
    incident = fold(Incident(name="Disk_full"), [Signal(group="g", name="", alerts=(alert,))])
    source = a_source(
        title="{{ name }} on {{ labels.host }}: {{ summary }}",
        description="{% for a in alerts %}{{ a.summary }}{% endfor %}",
    )
    assert title_of(incident, "prom", source, NOW) == "Disk_full on db_1: *bold* @\u2060everyone # heading"
    said = description_of(incident, "prom", source, NOW)
    assert said.startswith(r"\*bold\*")
    assert "\n# " not in said


def test_a_title_without_any_value_is_the_name_of_the_group() -> None:
    assert title_of(Incident(name="Group"), "prom", a_source(title="{% if summary %}x{% endif %}"), NOW) == "Group"
