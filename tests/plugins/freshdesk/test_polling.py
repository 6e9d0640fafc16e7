"""Polling Freshdesk: nothing is missed, whatever shares a second, moves, or is put away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.connector import Hint, Known
from hub.sandbox import Fault
from plugins.freshdesk.connector import FreshdeskConnector
from plugins.freshdesk.polling import OVERLAP, PAGE, STREAMS, Position
from plugins.freshdesk.sandbox import FreshdeskSandbox
from tests.plugins.clock import Clock
from tests.plugins.freshdesk.builders import agent_says, created


def look(connector: FreshdeskConnector, cursor: str, clock: Clock) -> tuple[dict[str, Hint], str]:
    """One whole look: all pages of all streams."""
    hints: dict[str, Hint] = {}
    while True:
        page = connector.poll(cursor, clock.now)
        hints |= {hint.ticket_id: hint for hint in page.hints}
        cursor = page.cursor
        if not page.has_more:
            return hints, cursor


def open_tickets(site: FreshdeskSandbox, count: int) -> set[str]:
    with site.lock:
        hub = site.store.by_login("hub")
        body = {"subject": "x", "description": "x", "status": 2, "priority": 1, "requester_id": hub.id}
        return {str(site.changes.create(hub, body, ()).id) for _ in range(count)}


@pytest.fixture
def start(connector: FreshdeskConnector, clock: Clock) -> str:
    return connector.poll(None, clock.now).cursor


def test_a_first_look_does_not_look_back(connector: FreshdeskConnector, site: FreshdeskSandbox, clock: Clock) -> None:
    created(connector)
    clock.forward(minutes=1)
    cursor = connector.poll(None, clock.now).cursor
    assert look(connector, cursor, clock)[0] == {}


def test_what_changes_is_seen_with_its_values(
    connector: FreshdeskConnector, site: FreshdeskSandbox, clock: Clock, start: str
) -> None:
    ticket_id = created(connector, labels=frozenset({"escalate"}))
    hints, cursor = look(connector, start, clock)
    assert "escalate" in hints[ticket_id].values["labels"]  # type: ignore[operator]  # labels are a set
    clock.forward(minutes=5)
    assert look(connector, cursor, clock)[0].keys() <= {ticket_id}
    agent_says(site, ticket_id, "<p>a note changes the ticket's time</p>", private=True)
    assert set(look(connector, cursor, clock)[0]) == {ticket_id}


def test_a_change_in_the_very_second_of_the_last_look_is_seen_by_the_next(
    connector: FreshdeskConnector, site: FreshdeskSandbox, clock: Clock, start: str
) -> None:
    first = open_tickets(site, 1)
    hints, cursor = look(connector, start, clock)
    assert set(hints) == first
    second = open_tickets(site, 1)
    assert second <= set(look(connector, cursor, clock)[0])


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 50])
def test_more_tickets_of_one_second_than_fit_on_a_page_are_all_seen(
    connector: FreshdeskConnector, site: FreshdeskSandbox, clock: Clock, start: str, count: int
) -> None:
    made = open_tickets(site, count)
    clock.forward(seconds=10)
    made |= open_tickets(site, 3)
    assert set(look(connector, start, clock)[0]) == made


def test_tickets_that_move_while_pages_are_turned_are_all_seen(
    connector: FreshdeskConnector, site: FreshdeskSandbox, clock: Clock, start: str
) -> None:
    made: set[str] = set()
    for _ in range(5):
        made |= open_tickets(site, 60)
        clock.forward(seconds=2)
    page = connector.poll(start, clock.now)
    seen = {hint.ticket_id for hint in page.hints}
    for ticket_id in sorted(seen, key=int)[:40]:
        agent_says(site, ticket_id, "<p>moves to the end</p>")
    rest, _ = look(connector, page.cursor, clock)
    assert seen | set(rest) == made
    assert set(sorted(seen, key=int)[:40]) <= set(rest)


def test_tickets_that_leave_a_crowded_second_make_the_next_look_go_back_to_it(
    connector: FreshdeskConnector, site: FreshdeskSandbox, clock: Clock, start: str
) -> None:
    clock.forward(seconds=30)
    made = open_tickets(site, PAGE + 50)
    first = connector.poll(start, clock.now)
    second = connector.poll(first.cursor, clock.now)
    seen = {hint.ticket_id for page in (first, second) for hint in page.hints}
    clock.forward(seconds=60)
    for ticket_id in sorted(seen, key=int)[:20]:
        agent_says(site, ticket_id, "<p>moves away</p>")
    rest, cursor = look(connector, second.cursor, clock)
    missed = made - seen - set(rest)
    assert missed, "the test itself makes some slip through the first look"
    again, _ = look(connector, cursor, clock)
    assert missed <= set(again)


@pytest.mark.parametrize("way", ["deleted", "spam"])
def test_a_ticket_that_is_put_away_is_seen_as_deleted(
    connector: FreshdeskConnector, site: FreshdeskSandbox, clock: Clock, start: str, way: str
) -> None:
    ticket_id = created(connector)
    _, cursor = look(connector, start, clock)
    clock.forward(minutes=1)
    site.changes.put_away(site.store.tickets[int(ticket_id)], **{way: True})
    hints, _ = look(connector, cursor, clock)
    assert hints[ticket_id].is_deleted


def test_one_look_costs_one_call_for_each_stream_and_none_for_each_ticket(
    connector: FreshdeskConnector, site: FreshdeskSandbox, clock: Clock, start: str
) -> None:
    open_tickets(site, 20)
    site.requests.clear()
    look(connector, start, clock)
    assert len(site.requests) == len(STREAMS)


def test_a_look_that_fails_is_repeated_from_where_it_stood(
    connector: FreshdeskConnector, site: FreshdeskSandbox, clock: Clock, start: str
) -> None:
    made = open_tickets(site, 1)
    site.faults.add(Fault(method="GET", path="/tickets", status=500))
    with pytest.raises(Exception, match="500"):
        connector.poll(start, clock.now)
    assert set(look(connector, start, clock)[0]) == made


def test_a_change_that_is_over_has_one_time_in_polls_and_reads(
    connector: FreshdeskConnector, clock: Clock, site: FreshdeskSandbox
) -> None:
    clock.now -= timedelta(minutes=5)
    start = connector.poll(None, clock.now).cursor
    ticket_id = created(connector)
    hints, _ = look(connector, start, clock)
    assert hints[ticket_id].at is not None
    assert hints[ticket_id].at == connector.read(ticket_id, Known()).ticket.updated


def test_positions_survive_being_stored() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    position = Position.at(moment)
    for times in ([moment] * PAGE, [moment] * PAGE, [moment], []):
        assert Position.load(position.dump()) == position
        position, _ = position.after(times)


def test_a_look_without_changes_stays_where_it_is() -> None:
    position = start = Position.at(datetime(2026, 3, 1, 12, tzinfo=UTC))
    for _ in range(3 * len(STREAMS)):
        position, _ = position.after([])
    assert position == start
    moment = start.since[0] + OVERLAP
    for _ in range(5):
        position, _ = replace_turn(position).after([moment])
        assert position.since[0] == moment - OVERLAP


def replace_turn(position: Position) -> Position:
    return Position(position.since)


def test_a_change_that_shows_up_with_an_earlier_second_than_one_seen_is_still_found(
    connector: FreshdeskConnector, site: FreshdeskSandbox, clock: Clock, start: str
) -> None:
    clock.forward(seconds=60)
    seen = open_tickets(site, 1)
    hints, cursor = look(connector, start, clock)
    assert set(hints) == seen
    clock.forward(seconds=-3)
    late = open_tickets(site, 1)
    clock.forward(seconds=3)
    assert late <= set(look(connector, cursor, clock)[0])
