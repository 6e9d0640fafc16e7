"""Polling Service Desk: nothing is missed, whatever shares a second, moves, is commented silently, or is deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.connector import Hint, Known, TemporaryError
from hub.sandbox import Fault
from plugins.solarwinds.client import PAGE, Page
from plugins.solarwinds.connector import SolarwindsConnector
from plugins.solarwinds.polling import OVERLAP, TICKETS, Position
from plugins.solarwinds.sandbox import SolarwindsSandbox
from tests.plugins.clock import Clock
from tests.plugins.solarwinds.builders import agent_says, created, open_tickets
from tests.plugins.solarwinds.conftest import connect


def look(connector: SolarwindsConnector, cursor: str, clock: Clock) -> tuple[dict[str, Hint], str]:
    """One whole look: all pages of the list and of the audit log."""
    hints: dict[str, Hint] = {}
    while True:
        page = connector.poll(cursor, clock.now)
        for hint in page.hints:
            hints.setdefault(hint.ticket_id, hint)
        cursor = page.cursor
        if not page.has_more:
            return hints, cursor


@pytest.fixture
def start(connector: SolarwindsConnector, clock: Clock) -> str:
    return connector.poll(None, clock.now).cursor


def test_a_first_look_does_not_look_back(connector: SolarwindsConnector, site: SolarwindsSandbox, clock: Clock) -> None:
    created(connector)
    clock.forward(minutes=1)
    cursor = connector.poll(None, clock.now).cursor
    assert look(connector, cursor, clock)[0] == {}


def test_what_changes_is_told_once_and_again_when_it_changes_again(
    connector: SolarwindsConnector, site: SolarwindsSandbox, clock: Clock, start: str
) -> None:
    ticket_id = created(connector)
    clock.forward(seconds=10)
    hints, cursor = look(connector, start, clock)
    assert set(hints) == {ticket_id}
    assert hints[ticket_id].at == connector.read(ticket_id, Known()).ticket.updated
    for _ in range(3):
        again, cursor = look(connector, cursor, clock)
        assert again == {}
        clock.forward(seconds=20)
    agent_says(site, ticket_id, "<p>a note</p>", private=True)
    assert set(look(connector, cursor, clock)[0]) == {ticket_id}


def test_a_change_in_the_very_second_of_the_last_look_is_seen_by_the_next(
    connector: SolarwindsConnector, site: SolarwindsSandbox, clock: Clock, start: str
) -> None:
    first = open_tickets(site, 1)
    hints, cursor = look(connector, start, clock)
    assert set(hints) == first
    second = open_tickets(site, 1)
    (ticket_id,) = first
    agent_says(site, ticket_id, "<p>still the same second</p>")
    assert first | second <= set(look(connector, cursor, clock)[0])


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 50])
def test_more_tickets_of_one_second_than_fit_on_a_page_are_all_seen(
    connector: SolarwindsConnector, site: SolarwindsSandbox, clock: Clock, start: str, count: int
) -> None:
    made = open_tickets(site, count)
    clock.forward(seconds=10)
    made |= open_tickets(site, 3)
    assert set(look(connector, start, clock)[0]) == made


def test_tickets_that_move_while_pages_are_turned_are_all_seen(
    connector: SolarwindsConnector, site: SolarwindsSandbox, clock: Clock, start: str
) -> None:
    made: list[str] = []
    for _ in range(5):
        made += sorted(open_tickets(site, 60), key=int)
        clock.forward(seconds=2)
    page = connector.poll(start, clock.now)
    seen = {hint.ticket_id for hint in page.hints}
    clock.forward(seconds=5)
    for ticket_id in made[:40]:
        agent_says(site, ticket_id, "<p>moves to the top</p>")
    rest, cursor = look(connector, page.cursor, clock)
    assert seen | set(rest) >= set(made[40:])
    clock.forward(seconds=5)
    assert set(made[:40]) <= set(rest) | set(look(connector, cursor, clock)[0])


def test_a_ticket_that_a_deletion_moves_up_over_a_page_is_seen(
    connector: SolarwindsConnector, site: SolarwindsSandbox, clock: Clock, start: str
) -> None:
    made = sorted(open_tickets(site, PAGE + 30), key=int)
    clock.forward(seconds=5)
    page = connector.poll(start, clock.now)
    seen = {hint.ticket_id for hint in page.hints}
    with site.lock:
        for ticket_id in sorted(seen, key=int)[:10]:
            site.changes.delete(site.store.by_login("agent2"), site.store.incidents[int(ticket_id)])
    rest, _ = look(connector, page.cursor, clock)
    assert seen | set(rest) == set(made)
    assert sum(hint.is_deleted for hint in rest.values()) == 10


def test_a_comment_that_leaves_the_tickets_time_alone_is_found_in_the_audit_log(
    connector: SolarwindsConnector, site: SolarwindsSandbox, clock: Clock, start: str
) -> None:
    site.change_settings(comments_touch=0)
    (ticket_id,) = open_tickets(site, 1)
    clock.forward(seconds=10)
    _, cursor = look(connector, start, clock)
    clock.forward(minutes=30)
    agent_says(site, ticket_id, "<p>quietly</p>")
    hints, cursor = look(connector, cursor, clock)
    assert [(h.ticket_id, h.event, h.at) for h in hints.values()] == [(ticket_id, "audit", None)]
    clock.forward(seconds=10)
    _, cursor = look(connector, cursor, clock)
    clock.forward(seconds=10)
    assert look(connector, cursor, clock)[0] == {}


def test_what_the_list_told_the_audit_log_does_not_tell_again(
    connector: SolarwindsConnector, site: SolarwindsSandbox, clock: Clock, start: str
) -> None:
    ticket_id = created(connector)
    agent_says(site, ticket_id, "<p>seen by its time</p>")
    clock.forward(seconds=10)
    first = connector.poll(start, clock.now)
    assert first.has_more
    assert [h.ticket_id for h in first.hints] == [ticket_id]
    assert connector.poll(first.cursor, clock.now).hints == ()


def test_a_deleted_ticket_is_told_as_deleted(
    connector: SolarwindsConnector, site: SolarwindsSandbox, clock: Clock, start: str
) -> None:
    (ticket_id,) = open_tickets(site, 1)
    clock.forward(seconds=10)
    _, cursor = look(connector, start, clock)
    with site.lock:
        site.changes.delete(site.store.by_login("agent2"), site.store.incidents[int(ticket_id)])
    hints, _ = look(connector, cursor, clock)
    assert hints[ticket_id].is_deleted


def test_a_quiet_look_costs_two_calls_and_one_without_the_audit_log(
    connector: SolarwindsConnector, site: SolarwindsSandbox, clock: Clock, start: str
) -> None:
    open_tickets(site, 20)
    clock.forward(seconds=10)
    _, cursor = look(connector, start, clock)
    clock.forward(minutes=5)
    site.requests.clear()
    look(connector, cursor, clock)
    assert [r.path for r in site.requests] == ["/incidents.json", "/audits.json"]
    plain = connect(site, poll_audits=False)
    site.requests.clear()
    look(plain, cursor, clock)
    assert [r.path for r in site.requests] == ["/incidents.json"]
    plain.close()


def test_an_audit_log_that_may_not_be_read_is_asked_for_once(
    connector: SolarwindsConnector, site: SolarwindsSandbox, clock: Clock, start: str
) -> None:
    site.change_settings(may_read_audits=0)
    made = open_tickets(site, 1)
    hints, cursor = look(connector, start, clock)
    assert set(hints) == made
    look(connector, cursor, clock)
    assert site.requests.count(path="/audits") == 1


@pytest.mark.parametrize("switches", [("ignores_filters",), ("ignores_sort",), ("ignores_filters", "ignores_sort")])
def test_a_filter_or_an_order_that_is_ignored_without_a_word_hides_nothing(
    connector: SolarwindsConnector, site: SolarwindsSandbox, clock: Clock, switches: tuple[str, ...]
) -> None:
    site.change_settings(**dict.fromkeys(switches, 1.0))
    old = open_tickets(site, 2 * PAGE + 20)
    clock.forward(hours=1)
    cursor = connector.poll(None, clock.now).cursor
    made = open_tickets(site, 30)
    clock.forward(seconds=10)
    seen = set(look(connector, cursor, clock)[0])
    assert made <= seen
    assert not seen & old


def test_a_look_that_fails_is_repeated_from_where_it_stood(
    connector: SolarwindsConnector, site: SolarwindsSandbox, clock: Clock, start: str
) -> None:
    made = open_tickets(site, 1)
    site.faults.add(Fault(method="GET", path="/incidents", status=500))
    with pytest.raises(TemporaryError, match="500"):
        connector.poll(start, clock.now)
    assert set(look(connector, start, clock)[0]) == made


def test_a_change_that_shows_up_with_an_earlier_second_than_one_seen_is_still_found(
    connector: SolarwindsConnector, site: SolarwindsSandbox, clock: Clock, start: str
) -> None:
    clock.forward(minutes=10)
    seen = open_tickets(site, 1)
    hints, cursor = look(connector, start, clock)
    assert set(hints) == seen
    clock.forward(seconds=-30)
    late = open_tickets(site, 1)
    clock.forward(seconds=40)
    assert late <= set(look(connector, cursor, clock)[0])


def test_positions_survive_being_stored() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    rows = [{"id": n, "updated_at": moment.isoformat()} for n in range(3)]
    position = Position.at(moment)
    for page in (
        Page(rows, True, 9),
        Page(rows, False, 9),
        Page([{"uuid": "u", "created_at": moment.isoformat()}], False, 1),
    ):
        position, _, _ = position.after(page, moment + timedelta(seconds=10), with_audits=True)
        assert Position.load(position.dump()) == position
    assert position.stream == TICKETS


def test_what_lies_before_the_overlap_is_forgotten() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    position = Position.at(moment)
    for minute in range(60):
        at = moment + timedelta(minutes=minute)
        rows = [{"id": minute + 1, "updated_at": at.isoformat()}]
        position, hints, _ = position.after(Page(rows, False, 1), at + timedelta(seconds=10), with_audits=False)
        assert [h.ticket_id for h in hints] == [str(minute + 1)]
    assert len(position.told) <= 2 * (OVERLAP / timedelta(minutes=1)) + 1


def test_a_look_ends_where_the_newest_changes_end_and_reads_no_page_more() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    position = Position.at(moment)
    times = [moment + timedelta(seconds=5), moment - timedelta(seconds=5)]
    rows = [{"id": n + 1, "updated_at": at.isoformat()} for n, at in enumerate(times)]
    _, hints, has_more = position.after(Page(rows, True, 500), moment, with_audits=False)
    assert ([h.ticket_id for h in hints], has_more) == (["1"], False)
    _, _, has_more = position.after(Page(rows[::-1], True, 500), moment, with_audits=False)
    assert has_more, "without an order there is no end but the last page's"
