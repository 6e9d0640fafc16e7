"""Polling ServiceDesk Plus: nothing is missed, whatever shares a moment, moves, or leaves the time as it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.connector import Hint, Known
from hub.sandbox import Fault
from plugins.servicedesk_plus.client import PAGE
from plugins.servicedesk_plus.connector import ServiceDeskPlusConnector
from plugins.servicedesk_plus.fields import milliseconds
from plugins.servicedesk_plus.polling import OVERLAP, Position
from plugins.servicedesk_plus.sandbox import ServiceDeskPlusSandbox, actor
from tests.plugins.clock import Clock
from tests.plugins.servicedesk_plus.builders import agent_notes, created, kept
from tests.plugins.servicedesk_plus.conftest import connect


def look(connector: ServiceDeskPlusConnector, cursor: str, clock: Clock) -> tuple[list[Hint], str]:
    """One whole look: all pages."""
    hints: list[Hint] = []
    while True:
        page = connector.poll(cursor, clock.now)
        hints += page.hints
        cursor = page.cursor
        if not page.has_more:
            return hints, cursor


def ids(hints: list[Hint]) -> list[str]:
    return sorted(hint.ticket_id for hint in hints)


def begun(connector: ServiceDeskPlusConnector, clock: Clock) -> str:
    """The cursor after the first looks, which show nothing."""
    first = connector.poll(None, clock.now)
    hints, cursor = look(connector, first.cursor, clock)
    assert hints == []
    return cursor


def open_requests(site: ServiceDeskPlusSandbox, count: int) -> set[str]:
    with site.lock:
        hub = site.store.by_login("hub")
        return {str(site.changes.create(hub, {"subject": "x"}).id) for _ in range(count)}


@pytest.fixture
def start(connector: ServiceDeskPlusConnector, clock: Clock) -> str:
    return begun(connector, clock)


def test_a_first_look_does_not_look_back(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, clock: Clock
) -> None:
    open_requests(site, 3)
    clock.forward(minutes=1)
    assert look(connector, begun(connector, clock), clock)[0] == []


def test_what_changes_is_told_once_with_its_values(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, clock: Clock, start: str
) -> None:
    ticket_id = created(connector, labels=frozenset({"escalate"}))
    clock.forward(seconds=2)
    hints, cursor = look(connector, start, clock)
    assert ids(hints) == [ticket_id]
    assert "escalate" in hints[0].values["labels"]  # type: ignore[operator]  # labels are a set
    assert hints[0].at == connector.read(ticket_id, Known()).ticket.updated
    for _ in range(3):
        hints, cursor = look(connector, cursor, clock)
        assert hints == []
    agent_notes(site, ticket_id, "<p>a note</p>")
    assert set(ids(look(connector, cursor, clock)[0])) == {ticket_id}


def test_a_change_in_the_very_moment_of_the_last_look_is_seen_by_the_next(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, clock: Clock, start: str
) -> None:
    first = open_requests(site, 1)
    hints, cursor = look(connector, start, clock)
    assert set(ids(hints)) == first
    agent = site.store.by_login("agent1")
    site.changes.update(agent, kept(site, next(iter(first))), {"subject": "in the same millisecond"})
    second = open_requests(site, 1)
    assert first | second <= set(ids(look(connector, cursor, clock)[0]))


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 50])
def test_more_requests_of_one_moment_than_fit_on_a_page_are_all_seen(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, clock: Clock, start: str, count: int
) -> None:
    made = open_requests(site, count)
    clock.forward(seconds=10)
    made |= open_requests(site, 3)
    clock.forward(seconds=10)
    hints, cursor = look(connector, start, clock)
    assert set(ids(hints)) == made
    assert len(hints) == len(made)
    assert set(ids(look(connector, cursor, clock)[0])) <= made


def test_requests_that_move_while_pages_are_turned_are_all_seen(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, clock: Clock, start: str
) -> None:
    made: set[str] = set()
    for _ in range(5):
        made |= open_requests(site, 60)
        clock.forward(seconds=2)
    page = connector.poll(start, clock.now)
    seen = {hint.ticket_id for hint in page.hints}
    moved = sorted(seen, key=int)[:40]
    for ticket_id in moved:
        agent_notes(site, ticket_id, "<p>moves to the end</p>")
    rest, _ = look(connector, page.cursor, clock)
    assert seen | set(ids(rest)) == made
    assert set(moved) <= set(ids(rest))


def test_requests_that_leave_a_crowded_moment_make_the_next_look_go_back_to_it(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, clock: Clock, start: str
) -> None:
    clock.forward(seconds=30)
    made = open_requests(site, PAGE + 50)
    first = connector.poll(start, clock.now)
    second = connector.poll(first.cursor, clock.now)
    seen = {hint.ticket_id for page in (first, second) for hint in page.hints}
    clock.forward(seconds=60)
    for ticket_id in sorted(seen, key=int)[:20]:
        agent_notes(site, ticket_id, "<p>moves away</p>")
    rest, cursor = look(connector, second.cursor, clock)
    missed = made - seen - set(ids(rest))
    assert missed, "the test itself makes some slip through the first look"
    assert missed <= set(ids(look(connector, cursor, clock)[0]))


def test_a_change_that_shows_up_with_an_earlier_time_than_one_seen_is_still_found(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, clock: Clock, start: str
) -> None:
    clock.forward(seconds=60)
    seen = open_requests(site, 1)
    hints, cursor = look(connector, start, clock)
    assert set(ids(hints)) == seen
    clock.forward(seconds=-3)
    late = open_requests(site, 1)
    clock.forward(seconds=3)
    assert late <= set(ids(look(connector, cursor, clock)[0]))


@pytest.mark.parametrize("what", ["note", "mail", "file"])
def test_what_leaves_the_time_of_a_request_as_it_is_is_found_by_its_count(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, clock: Clock, what: str
) -> None:
    site.change_settings(notes_touch=0)
    made = open_requests(site, PAGE + 20)
    ticket_id = created(connector)
    clock.forward(minutes=5)
    cursor = begun(connector, clock)
    customer = actor(site, "customer")
    if what == "note":
        agent_notes(site, ticket_id, "<p>quiet</p>")
    elif what == "mail":
        customer.say(ticket_id, "quiet", public=True)
    else:
        hub = site.store.by_login("agent1")
        kept(site, ticket_id).files.append(site.store.add_file("a", b"a", "text/plain", hub))
    hints, cursor = look(connector, cursor, clock)
    assert ids(hints) == [ticket_id]
    assert look(connector, cursor, clock)[0] == []
    assert made
    customer.close()


def test_a_request_that_a_page_of_counts_skipped_is_compared_with_what_was_known_of_it() -> None:
    def row(number: int, notes: int) -> dict[str, Any]:
        return {"id": str(number), "summary": {"note_count": str(notes)}}

    position = Position.at(datetime(2026, 3, 1, tzinfo=UTC), counts=True)
    position, _, differ = position.after_counts([row(1, 0), row(2, 0)])
    assert differ == []
    position, _, differ = position.after_counts([row(1, 0)])
    assert differ == []
    position, _, differ = position.after_counts([row(1, 0), row(2, 1)])
    assert differ == ["2"]
    for _ in range(2):
        position, _, differ = position.after_counts([row(1, 0)])
    assert set(position.known or {}) == {"1"}


def test_a_build_that_knows_no_counts_is_polled_for_changes(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, clock: Clock
) -> None:
    site.change_settings(has_summary=0)
    cursor = begun(connector, clock)
    made = open_requests(site, 1)
    assert set(ids(look(connector, cursor, clock)[0])) == made


def test_one_look_costs_two_calls_and_none_for_each_request(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, clock: Clock, start: str
) -> None:
    open_requests(site, 20)
    site.requests.clear()
    look(connector, start, clock)
    assert len(site.requests) == 2


def test_without_counts_a_look_is_one_call(site: ServiceDeskPlusSandbox, clock: Clock) -> None:
    connector = connect(site, watch_counts=False)
    first = connector.poll(None, clock.now)
    assert not first.has_more
    site.requests.clear()
    look(connector, first.cursor, clock)
    assert len(site.requests) == 1
    connector.close()


def test_a_look_that_fails_is_repeated_from_where_it_stood(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, clock: Clock, start: str
) -> None:
    made = open_requests(site, 1)
    site.faults.add(Fault(method="GET", path="/requests", status=500))
    with pytest.raises(Exception, match="500"):
        connector.poll(start, clock.now)
    assert set(ids(look(connector, start, clock)[0])) == made


def test_a_server_whose_clock_is_behind_or_ahead_of_ours_is_polled_well(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, clock: Clock
) -> None:
    ours = clock.now
    for skew in (-300, 600):
        clock.forward(seconds=skew)
        connector.find_person("nobody@example.com")
        first = connector.poll(None, ours)
        _, cursor = look(connector, first.cursor, clock)
        made = open_requests(site, 1)
        assert made <= set(ids(look(connector, cursor, clock)[0]))


def test_positions_survive_being_stored() -> None:
    moment = datetime(2026, 3, 1, 12, 0, 0, 123000, tzinfo=UTC)
    rows = [{"id": str(n), "last_updated_time": {"value": milliseconds(moment)}} for n in range(PAGE)]
    position = Position.at(moment, counts=True)
    position = position.after_counts(rows)[0]
    for page in (rows, rows, rows[:1], []):
        assert Position.load(position.dump()) == position
        position = position.after_changes(page, moment + timedelta(minutes=1), counts=False)[0]


def test_a_look_without_changes_stays_where_it_is() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    position = Position.at(moment, counts=False)
    assert position.after_changes([], moment, counts=False)[0].since == moment - OVERLAP
