"""Polling MantisBT: nothing is missed or told twice, whatever shares a second, sticks, moves, or differs in clocks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from hub.connector import ConnectorError, Hint, Known
from hub.sandbox import Fault
from plugins.mantis.connector import MantisConnector
from plugins.mantis.polling import FIRST_PAGE, GROWTH, OVERLAP, SETTLED
from plugins.mantis.sandbox import MantisSandbox
from plugins.mantis.sandbox.state import Issue
from tests.plugins.clock import Clock
from tests.plugins.mantis.conftest import connect
from tests.plugins.mantis.test_connector import a_body, created

CLOCKS = 3.0
"""Seconds by which the hub may be wrong about the site's clock: a Date header is cut to seconds, and travels."""


@pytest.fixture
def clock() -> Clock:
    """The site's clock; the answers' Date headers tell the present time, so it begins there."""
    return Clock()


@pytest.fixture
def site(clock: Clock) -> Iterator[MantisSandbox]:
    with MantisSandbox(clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def start(connector: MantisConnector, clock: Clock) -> str:
    return connector.poll(None, clock()).cursor


def look(connector: MantisConnector, cursor: str, clock: Clock) -> tuple[dict[str, Hint], str]:
    """One look, which has everything at once."""
    polled = connector.poll(cursor, clock())
    assert not polled.has_more
    assert len({hint.ticket_id for hint in polled.hints}) == len(polled.hints)
    return {hint.ticket_id: hint for hint in polled.hints}, polled.cursor


def open_issues(site: MantisSandbox, count: int, **more: object) -> set[str]:
    manager = site.store.user("mgr")
    return {str(site.changes.create(manager, {**a_body(f"number {n}"), **more}).id) for n in range(count)}


def touch(site: MantisSandbox, ticket_id: str) -> Issue:
    issue = site.store.issues[int(ticket_id)]
    site.changes.add_note(site.store.user("mgr"), issue, {"text": "a note moves the issue's time"})
    return issue


def test_a_first_look_does_not_look_back_and_asks_for_nothing(
    connector: MantisConnector, site: MantisSandbox, clock: Clock
) -> None:
    open_issues(site, 3)
    clock.forward(seconds=120)
    cursor = connector.poll(None, clock()).cursor
    assert site.requests.count("GET", "/issues") == 0
    assert look(connector, cursor, clock)[0] == {}


def test_a_hint_tells_time_and_tags_so_that_nothing_need_be_read_for_them(
    connector: MantisConnector, site: MantisSandbox, clock: Clock, start: str
) -> None:
    (plain,) = open_issues(site, 1)
    (tagged,) = open_issues(site, 1, tags=[{"name": "escalate"}])
    hints, _ = look(connector, start, clock)
    assert (hints[plain].values, hints[tagged].values) == ({"labels": frozenset()}, {"labels": frozenset({"escalate"})})
    assert hints[plain].at == connector.read(plain, Known()).ticket.updated


@pytest.mark.parametrize("count", [FIRST_PAGE - 1, FIRST_PAGE, FIRST_PAGE + 1, FIRST_PAGE * GROWTH + 1])
def test_more_issues_of_one_second_than_fit_on_a_page_are_all_seen_in_one_look(
    connector: MantisConnector, site: MantisSandbox, clock: Clock, start: str, count: int
) -> None:
    made = open_issues(site, count)
    clock.forward(seconds=10)
    made |= open_issues(site, 3)
    assert set(look(connector, start, clock)[0]) == made


def test_what_was_told_is_told_once_and_what_changes_again_is_told_again(
    connector: MantisConnector, site: MantisSandbox, clock: Clock, start: str
) -> None:
    made = open_issues(site, 5)
    clock.forward(seconds=SETTLED.total_seconds() + CLOCKS)
    hints, cursor = look(connector, start, clock)
    assert set(hints) == made
    for _ in range(3):
        clock.forward(seconds=20)
        hints, cursor = look(connector, cursor, clock)
        assert hints == {}
    touch(site, "3")
    assert set(look(connector, cursor, clock)[0]) == {"3"}


def test_a_second_change_within_the_second_of_the_first_is_seen(
    connector: MantisConnector, site: MantisSandbox, clock: Clock, start: str
) -> None:
    (issue,) = open_issues(site, 1)
    first, cursor = look(connector, start, clock)
    touch(site, issue)
    second, _ = look(connector, cursor, clock)
    assert first[issue].at == second[issue].at


def test_a_change_that_shows_up_with_an_earlier_second_than_one_seen_is_still_found(
    connector: MantisConnector, site: MantisSandbox, clock: Clock, start: str
) -> None:
    clock.forward(seconds=90)
    seen = open_issues(site, 1)
    hints, cursor = look(connector, start, clock)
    assert set(hints) == seen
    clock.forward(seconds=-(OVERLAP.total_seconds() - 10))
    late = open_issues(site, 1)
    clock.forward(seconds=OVERLAP.total_seconds() - 5)
    assert late <= set(look(connector, cursor, clock)[0])


def test_sticky_issues_neither_end_a_look_early_nor_are_told_for_ever(
    connector: MantisConnector, site: MantisSandbox, clock: Clock, start: str
) -> None:
    old = open_issues(site, FIRST_PAGE + 5)
    for issue in site.store.issues.values():
        issue.is_sticky = True
        issue.updated -= timedelta(days=100)
    fresh = open_issues(site, 3)
    hints, cursor = look(connector, start, clock)
    assert set(hints) == fresh
    clock.forward(seconds=60)
    touch(site, min(old))
    assert set(look(connector, cursor, clock)[0]) - fresh == {min(old)}


def test_issues_that_move_while_many_pages_are_looked_at_are_all_seen(
    connector: MantisConnector, site: MantisSandbox, clock: Clock, start: str
) -> None:
    """Between one list and the larger one somebody works: whatever moves, moves to the front."""
    made = set[str]()
    for _ in range(4):
        made |= open_issues(site, FIRST_PAGE)
        clock.forward(seconds=2)
    seen_first = connector._issues.lister("id,updated_at")(FIRST_PAGE)
    for raw in seen_first[:20]:
        touch(site, str(raw["id"]))
    assert set(look(connector, start, clock)[0]) == made


@pytest.mark.parametrize("skew", [-3600.0, -40.0, 40.0, 3600.0])
def test_a_site_whose_clock_is_wrong_is_polled_by_its_own_clock(skew: float) -> None:
    clock = Clock()
    clock.forward(seconds=skew)
    with MantisSandbox(clock=clock) as site:
        connector = connect(site)
        cursor = connector.poll(None, datetime.now(UTC)).cursor
        made = open_issues(site, 2)
        hints, cursor = look_by_our_clock(connector, cursor)
        assert set(hints) == made
        clock.forward(seconds=30)
        touch(site, min(made))
        assert min(made) in look_by_our_clock(connector, cursor)[0]
        read = connector.read(min(made), Known())
        assert read.ticket.updated is not None
        assert abs(read.read_at - read.ticket.updated) < timedelta(seconds=60)
        connector.close()


def look_by_our_clock(connector: MantisConnector, cursor: str) -> tuple[dict[str, Hint], str]:
    polled = connector.poll(cursor, datetime.now(UTC))
    return {hint.ticket_id: hint for hint in polled.hints}, polled.cursor


@pytest.mark.parametrize("zone", ["Europe/Warsaw", "America/Los_Angeles", "Pacific/Auckland"])
def test_the_zone_of_the_hubs_account_changes_nothing(site: MantisSandbox, clock: Clock, zone: str) -> None:
    site.store.user("hub").time_zone = zone
    connector = connect(site)
    cursor = connector.poll(None, clock()).cursor
    made = open_issues(site, 3)
    hints, cursor = look(connector, cursor, clock)
    assert set(hints) == made
    clock.forward(seconds=3 * OVERLAP.total_seconds())
    assert look(connector, look(connector, cursor, clock)[1], clock)[0] == {}
    connector.close()


def test_one_look_costs_one_call_however_many_issues_there_are(
    connector: MantisConnector, site: MantisSandbox, clock: Clock, start: str
) -> None:
    open_issues(site, 3 * FIRST_PAGE)
    clock.forward(seconds=3 * OVERLAP.total_seconds())
    _, cursor = look(connector, start, clock)
    open_issues(site, 20)
    site.requests.clear()
    look(connector, cursor, clock)
    assert len(site.requests) == 1


def test_a_look_that_fails_is_repeated_from_where_it_stood(
    connector: MantisConnector, site: MantisSandbox, clock: Clock, start: str
) -> None:
    made = open_issues(site, 1)
    site.faults.add(Fault(method="GET", path="/issues", status=503))
    with pytest.raises(ConnectorError, match="503"):
        connector.poll(start, clock())
    assert set(look(connector, start, clock)[0]) == made


def test_issues_of_every_project_that_the_account_sees_are_looked_at(
    connector: MantisConnector, site: MantisSandbox, clock: Clock, start: str
) -> None:
    created(connector)
    body = {**a_body("elsewhere"), "project": {"name": "Gamma"}, "category": {"name": "General"}}
    site.changes.create(site.store.user("mgr"), body)
    hidden = {**a_body("hidden"), "project": {"name": "Beta Private"}, "category": {"name": "General"}}
    site.changes.create(site.store.user("dev"), hidden)
    assert set(look(connector, start, clock)[0]) == {"1", "2"}
