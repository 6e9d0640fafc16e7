"""Polling Freshservice: nothing is missed, whatever the workspace, however many, whatever is put away meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hub.connector import Hint, Known
from hub.sandbox import Fault
from hub.ticket import Category
from plugins.freshservice.connector import FreshserviceConnector
from plugins.freshservice.modules import CHANGES, TICKETS
from plugins.freshservice.polling import OVERLAP, PAGE, Position, Stream, streams
from plugins.freshservice.sandbox import FreshserviceSandbox
from tests.plugins.clock import Clock
from tests.plugins.freshservice.builders import a_change, agent_says, created
from tests.plugins.freshservice.conftest import connect

ONE = streams([], with_changes=False)


def look(connector: FreshserviceConnector, cursor: str, clock: Clock) -> tuple[dict[str, Hint], str]:
    """One whole look: all pages of all streams."""
    hints: dict[str, Hint] = {}
    while True:
        page = connector.poll(cursor, clock.now)
        hints |= {hint.ticket_id: hint for hint in page.hints}
        cursor = page.cursor
        if not page.has_more:
            return hints, cursor


def open_tickets(site: FreshserviceSandbox, count: int, workspace: int = 2) -> set[str]:
    with site.lock:
        hub = site.store.by_login("hub")
        body = {"subject": "x", "description": "x", "requester_id": hub.id, "workspace_id": workspace}
        return {str(site.effects.create_ticket(hub, body, (), "Incident").id) for _ in range(count)}


@pytest.fixture
def connector(site: FreshserviceSandbox) -> Iterator[FreshserviceConnector]:
    """Without changes, which are another list."""
    made = connect(site)
    yield made
    made.close()


@pytest.fixture
def start(connector: FreshserviceConnector, clock: Clock) -> str:
    return connector.poll(None, clock.now).cursor


def test_a_first_look_does_not_look_back(connector: FreshserviceConnector, clock: Clock) -> None:
    created(connector)
    clock.forward(minutes=1)
    assert look(connector, connector.poll(None, clock.now).cursor, clock)[0] == {}


def test_what_changes_is_seen_with_its_tags_and_what_it_is(
    connector: FreshserviceConnector, site: FreshserviceSandbox, clock: Clock, start: str
) -> None:
    ticket_id = created(connector, labels=frozenset({"escalate"}))
    hints, cursor = look(connector, start, clock)
    assert "escalate" in hints[ticket_id].values["labels"]  # type: ignore[operator]  # labels are a set
    assert hints[ticket_id].values["category"] is Category.INCIDENT
    assert hints[ticket_id].at == connector.read(ticket_id, Known()).ticket.updated
    clock.forward(minutes=5)
    assert look(connector, cursor, clock)[0].keys() <= {ticket_id}
    agent_says(site, ticket_id, "<p>a note changes the ticket's time</p>", private=True)
    assert set(look(connector, cursor, clock)[0]) == {ticket_id}


def test_an_old_ticket_is_seen_when_it_changes(
    connector: FreshserviceConnector, site: FreshserviceSandbox, clock: Clock
) -> None:
    ticket_id = created(connector)
    clock.forward(days=400)
    cursor = connector.poll(None, clock.now).cursor
    agent_says(site, ticket_id, "<p>still there?</p>")
    assert set(look(connector, cursor, clock)[0]) == {ticket_id}


def test_a_change_in_the_very_second_of_the_last_look_is_seen_by_the_next(
    connector: FreshserviceConnector, site: FreshserviceSandbox, clock: Clock, start: str
) -> None:
    first = open_tickets(site, 1)
    hints, cursor = look(connector, start, clock)
    assert set(hints) == first
    assert open_tickets(site, 1) <= set(look(connector, cursor, clock)[0])


def test_a_change_that_shows_up_with_an_earlier_second_than_one_seen_is_still_found(
    connector: FreshserviceConnector, site: FreshserviceSandbox, clock: Clock, start: str
) -> None:
    clock.forward(seconds=60)
    seen = open_tickets(site, 1)
    hints, cursor = look(connector, start, clock)
    assert set(hints) == seen
    clock.forward(seconds=-3)
    late = open_tickets(site, 1)
    clock.forward(seconds=3)
    assert late <= set(look(connector, cursor, clock)[0])


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 50])
def test_more_tickets_than_fit_on_a_page_are_all_seen_and_then_no_more(
    connector: FreshserviceConnector, site: FreshserviceSandbox, clock: Clock, start: str, count: int
) -> None:
    made = open_tickets(site, count)
    clock.forward(seconds=10)
    last = open_tickets(site, 3)
    hints, cursor = look(connector, start, clock)
    assert set(hints) == made | last
    clock.forward(seconds=60)
    _, cursor = look(connector, cursor, clock)
    assert set(look(connector, cursor, clock)[0]) <= last


def test_tickets_that_change_while_pages_are_turned_are_all_seen(
    connector: FreshserviceConnector, site: FreshserviceSandbox, clock: Clock
) -> None:
    old = sorted(open_tickets(site, 60), key=int)
    clock.forward(minutes=5)
    start = connector.poll(None, clock.now).cursor
    new = open_tickets(site, PAGE + 60)
    page = connector.poll(start, clock.now)
    seen = {hint.ticket_id for hint in page.hints}
    for ticket_id in old:
        agent_says(site, ticket_id, "<p>comes in at the beginning of the list</p>")
    rest, cursor = look(connector, page.cursor, clock)
    assert new <= seen | set(rest)
    assert set(old) <= set(look(connector, cursor, clock)[0])


def test_tickets_that_leave_while_pages_are_turned_make_the_next_look_begin_there_again(
    connector: FreshserviceConnector, site: FreshserviceSandbox, clock: Clock, start: str
) -> None:
    made = open_tickets(site, 2 * PAGE)
    page = connector.poll(start, clock.now)
    seen = sorted((hint.ticket_id for hint in page.hints), key=int)
    clock.forward(seconds=60)
    for ticket_id in seen[:20]:
        site.effects.put_away(site.store.tickets[int(ticket_id)], deleted=True)
    rest, cursor = look(connector, page.cursor, clock)
    missed = made - set(seen) - set(rest)
    assert missed, "the test itself makes some slip through the first look"
    assert missed <= set(look(connector, cursor, clock)[0])


@pytest.mark.parametrize("way", ["deleted", "spam"])
def test_a_ticket_that_is_put_away_is_seen_as_deleted(
    connector: FreshserviceConnector, site: FreshserviceSandbox, clock: Clock, start: str, way: str
) -> None:
    ticket_id = created(connector)
    _, cursor = look(connector, start, clock)
    clock.forward(minutes=1)
    site.effects.put_away(site.store.tickets[int(ticket_id)], **{way: True})
    hints, _ = look(connector, cursor, clock)
    assert hints[ticket_id].is_deleted


def test_each_workspace_that_is_named_is_looked_at_and_no_other(
    connector: FreshserviceConnector, site: FreshserviceSandbox, clock: Clock, start: str
) -> None:
    both = connect(site, workspaces=[2, 3])
    of_both = both.poll(None, clock.now).cursor
    primary, other = open_tickets(site, 2, workspace=2), open_tickets(site, 2, workspace=3)
    assert set(look(both, of_both, clock)[0]) == primary | other
    assert set(look(connector, start, clock)[0]) == primary
    both.close()


def test_a_ticket_that_moves_to_another_workspace_is_seen_there(site: FreshserviceSandbox, clock: Clock) -> None:
    connector = connect(site, workspaces=[2, 3])
    ticket_id = created(connector)
    clock.forward(minutes=1)
    cursor = connector.poll(None, clock.now).cursor
    site.effects.move(site.store.tickets[int(ticket_id)], 3)
    assert set(look(connector, cursor, clock)[0]) == {ticket_id}
    connector.close()


def test_changes_are_looked_at_where_the_settings_say_so(
    connector: FreshserviceConnector, site: FreshserviceSandbox, clock: Clock, start: str
) -> None:
    with_changes = connect(site, changes=True)
    cursor = with_changes.poll(None, clock.now).cursor
    change_id = a_change(site)
    hints, _ = look(with_changes, cursor, clock)
    assert hints[change_id].values["category"] is Category.CHANGE_REQUEST
    assert look(connector, start, clock)[0] == {}
    with_changes.close()


def test_one_look_costs_one_call_for_each_stream_and_none_for_each_ticket(
    connector: FreshserviceConnector, site: FreshserviceSandbox, clock: Clock, start: str
) -> None:
    open_tickets(site, 20)
    site.requests.clear()
    look(connector, start, clock)
    assert len(site.requests) == 3


def test_a_look_that_fails_is_repeated_from_where_it_stood(
    connector: FreshserviceConnector, site: FreshserviceSandbox, clock: Clock, start: str
) -> None:
    made = open_tickets(site, 1)
    site.faults.add(Fault(method="GET", path="/tickets", status=500))
    with pytest.raises(Exception, match="500"):
        connector.poll(start, clock.now)
    assert set(look(connector, start, clock)[0]) == made


def test_a_workspace_that_is_named_later_begins_where_the_others_stand(
    connector: FreshserviceConnector, site: FreshserviceSandbox, clock: Clock
) -> None:
    before = connect(site, workspaces=[2])
    cursor = before.poll(None, clock.now).cursor
    made = open_tickets(site, 1, workspace=3)
    assert look(before, cursor, clock)[0] == {}
    after = connect(site, workspaces=[3, 2])
    assert set(look(after, cursor, clock)[0]) == made
    before.close()
    after.close()


def test_positions_survive_being_stored() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    position = Position.at(moment, ONE)
    for times in ([moment] * PAGE, [moment] * PAGE, [moment], []):
        assert Position.load(position.dump()) == position
        position, _ = position.after(times, ONE)


def test_a_look_without_changes_stays_where_it_is() -> None:
    position = start = Position.at(datetime(2026, 3, 1, 12, tzinfo=UTC), ONE)
    for _ in range(3 * len(ONE)):
        position, _ = position.after([], ONE)
    assert position.since == start.since


def test_a_look_that_turned_pages_is_done_twice_and_not_for_ever() -> None:
    start, late = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 13, tzinfo=UTC)
    (stream,) = all_streams = (Stream(TICKETS),)
    position, begins = Position.at(start, all_streams), []
    for _ in range(3):
        begins.append(position.begin(stream))
        position, _ = position.after([late] * PAGE, all_streams)
        position, has_more = position.after([late], all_streams)
        assert not has_more
    assert begins == [start - OVERLAP, start - OVERLAP, late - OVERLAP]


def test_a_stream_that_the_settings_lose_in_the_middle_of_a_look_gives_way_to_the_first() -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    both = streams([2, 3], with_changes=False)
    position = Position.at(start, both)
    for times in ([], [], [], [start] * PAGE):
        position, _ = position.after(times, both)
    assert (position.turn, position.page) == ("3 ticket", 2)
    position, stream = position.among(both[:3])
    assert (stream, position.page, position.newest) == (both[0], 1, None)


def test_streams_have_names_of_their_own() -> None:
    names = [stream.name for stream in streams([2, 3], with_changes=True)]
    assert len(names) == len(set(names)) == 8
    assert Stream(CHANGES, "", 2).query(datetime(2026, 3, 1, tzinfo=UTC), 1)["include"] is None
