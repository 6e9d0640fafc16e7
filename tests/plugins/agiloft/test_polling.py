"""Polling: nothing is missed, whatever shares a second, changes late or stands in a table of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.connector import Hint, Known
from hub.sandbox import Fault
from plugins.agiloft.connector import AgiloftConnector
from plugins.agiloft.polling import GRAIN, OVERLAP, WINDOW, Position
from plugins.agiloft.sandbox import AgiloftSandbox
from plugins.agiloft.sandbox.cast import AgiloftActor
from plugins.agiloft.times import LocalTimes
from tests.plugins.agiloft.builders import created
from tests.plugins.agiloft.conftest import connect
from tests.plugins.clock import Clock

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def look(connector: AgiloftConnector, cursor: str, clock: Clock) -> tuple[list[Hint], str]:
    """One whole look: all windows."""
    learn_time(connector)
    hints: list[Hint] = []
    while True:
        page = connector.poll(cursor, clock.now)
        hints += page.hints
        cursor = page.cursor
        if not page.has_more:
            return hints, cursor


def learn_time(connector: AgiloftConnector) -> None:
    """The connector knows Agiloft's clock by its last answer, and a test's clock jumps."""
    connector.find_person("nobody@example.com")


def ids(hints: list[Hint]) -> list[str]:
    return sorted((hint.ticket_id for hint in hints), key=int)


def open_tickets(site: AgiloftSandbox, count: int) -> list[str]:
    with site.lock:
        user, table = site.kb.users["agent1"], site.kb.tables["case"]
        return [str(site.records.create(table, {"summary": "x"}, user).id) for _ in range(count)]


@pytest.fixture
def start(connector: AgiloftConnector, clock: Clock) -> str:
    return connector.poll(None, clock.now).cursor


def test_a_first_look_does_not_look_back(connector: AgiloftConnector, site: AgiloftSandbox, clock: Clock) -> None:
    open_tickets(site, 3)
    clock.forward(minutes=1)
    cursor = connector.poll(None, clock.now).cursor
    assert look(connector, cursor, clock)[0] == []


def test_a_change_is_told_with_what_conditions_ask_for(
    connector: AgiloftConnector, agent: AgiloftActor, clock: Clock, start: str
) -> None:
    ticket_id = agent.open_ticket("x", "y")
    agent.escalate(ticket_id)
    agent.prioritise(ticket_id, "high")
    clock.forward(seconds=10)
    (hint,) = look(connector, start, clock)[0]
    assert (hint.ticket_id, hint.actor_id) == (ticket_id, "agent1")
    assert hint.values["labels"] == {"escalate"}
    assert hint.values["priority"] == "high"
    assert hint.at == connector.read(ticket_id, Known()).ticket.updated


def test_hundreds_of_tickets_of_one_second_are_all_told_once(
    connector: AgiloftConnector, site: AgiloftSandbox, clock: Clock, start: str
) -> None:
    made = open_tickets(site, 700)
    clock.forward(seconds=30)
    hints, cursor = look(connector, start, clock)
    assert ids(hints) == made
    clock.forward(seconds=30)
    assert look(connector, cursor, clock)[0] == []


def test_a_second_change_of_the_very_second_of_the_look_is_told_too(
    connector: AgiloftConnector, site: AgiloftSandbox, agent: AgiloftActor, clock: Clock, start: str
) -> None:
    ticket_id = agent.open_ticket("x", "y")
    hints, cursor = look(connector, start, clock)
    assert ids(hints) == [ticket_id]
    agent.rename(ticket_id, "in the same second")
    hints, cursor = look(connector, cursor, clock)
    assert ids(hints) == [ticket_id]
    clock.forward(seconds=10)
    assert ids(look(connector, cursor, clock)[0]) == [ticket_id], "it may have changed again in that second"


def test_a_change_that_shows_up_late_under_an_earlier_time_is_told(
    connector: AgiloftConnector, site: AgiloftSandbox, clock: Clock, start: str
) -> None:
    clock.forward(seconds=200)
    open_tickets(site, 1)
    _, cursor = look(connector, start, clock)
    clock.forward(seconds=-60)
    late = open_tickets(site, 1)
    clock.forward(seconds=61)
    hints, _ = look(connector, cursor, clock)
    assert set(late) <= set(ids(hints))


def test_a_comment_wakes_its_ticket_whose_own_time_stays(
    connector: AgiloftConnector, agent: AgiloftActor, clock: Clock, start: str
) -> None:
    ticket_id = agent.open_ticket("x", "y")
    clock.forward(minutes=10)
    _, cursor = look(connector, start, clock)
    clock.forward(minutes=10)
    agent.say(ticket_id, "Anything new?", public=True)
    clock.forward(seconds=10)
    hints, cursor = look(connector, cursor, clock)
    assert [(hint.ticket_id, hint.at) for hint in hints] == [(ticket_id, None)]
    clock.forward(seconds=10)
    assert look(connector, cursor, clock)[0] == []


def test_a_long_silence_is_made_up_for_window_by_window(
    connector: AgiloftConnector, site: AgiloftSandbox, clock: Clock, start: str
) -> None:
    made = []
    for _ in range(5):
        made += open_tickets(site, 2)
        clock.forward(hours=5)
    site.requests.clear()
    hints, cursor = look(connector, start, clock)
    assert ids(hints) == made
    assert len([r for r in site.requests if r.path.endswith("/case/search") and r.status == 200]) == 5
    assert abs(clock.now - OVERLAP - Position.load(cursor).since) < timedelta(seconds=5)


def test_a_record_that_moves_out_of_a_window_is_told_by_a_later_one(
    connector: AgiloftConnector, site: AgiloftSandbox, agent: AgiloftActor, clock: Clock, start: str
) -> None:
    (ticket_id,) = open_tickets(site, 1)
    clock.forward(hours=20)
    agent.rename(ticket_id, "moved to the present")
    learn_time(connector)
    first = connector.poll(start, clock.now)
    assert (list(first.hints), first.has_more) == ([], True)
    assert ids(look(connector, first.cursor, clock)[0]) == [ticket_id]


def test_a_look_costs_two_calls_and_none_for_each_ticket(
    connector: AgiloftConnector, site: AgiloftSandbox, clock: Clock, start: str
) -> None:
    open_tickets(site, 20)
    site.requests.clear()
    look(connector, start, clock)
    assert [r.path.rpartition("Demo/")[2] for r in site.requests if "contacts" not in r.path] == [
        "case/search", "case_comment/search",
    ]  # fmt: skip


def test_a_look_that_fails_is_repeated_from_where_it_stood(
    connector: AgiloftConnector, site: AgiloftSandbox, clock: Clock, start: str
) -> None:
    made = open_tickets(site, 1)
    site.faults.add(Fault(path="case_comment/search", status=500))
    with pytest.raises(Exception, match="500"):
        connector.poll(start, clock.now)
    assert ids(look(connector, start, clock)[0]) == made


@pytest.mark.parametrize("skew", [-600, 600])
def test_clocks_may_differ(connector: AgiloftConnector, site: AgiloftSandbox, clock: Clock, skew: float) -> None:
    clock.forward(seconds=skew)

    def ours() -> datetime:
        return clock.now - timedelta(seconds=skew)

    cursor = connector.poll(None, ours()).cursor
    made = open_tickets(site, 2)
    clock.forward(seconds=5)
    page = connector.poll(cursor, ours())
    assert ids(list(page.hints)) == made


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu", "Europe/Warsaw"])
def test_the_zone_in_which_agiloft_tells_times_does_not_matter(
    site: AgiloftSandbox, clock: Clock, agent: AgiloftActor, zone: str
) -> None:
    site.kb.zone = ZoneInfo(zone)
    connector = connect(site, time_zone=zone)
    cursor = connector.poll(None, clock.now).cursor
    ticket_id = agent.open_ticket("x", "y")
    clock.forward(seconds=5)
    (hint,) = look(connector, cursor, clock)[0]
    assert (hint.ticket_id, hint.at) == (ticket_id, clock.now - timedelta(seconds=5))
    connector.close()


# -- pure ---------------------------------------------------------------------------------------------------------


def test_no_reading_of_a_time_that_comes_twice_is_later_than_it() -> None:
    times = LocalTimes("%Y-%m-%d %H:%M:%S", ZoneInfo("Europe/Warsaw"))
    at = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    while at < datetime(2026, 10, 25, 3, 0, tzinfo=UTC):
        local = datetime.strptime(times.text_not_after(at), times.form)  # noqa: DTZ007 - local by intent
        readings = [local.replace(tzinfo=times.zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        assert max(readings) <= at
        assert at - min(readings) <= timedelta(hours=2)
        at += timedelta(minutes=7)


def test_what_has_not_the_form_of_a_time_is_none() -> None:
    times = LocalTimes("%m/%d/%Y %H:%M:%S", ZoneInfo("UTC"))
    assert times.utc("03/01/2026 10:05:00") == datetime(2026, 3, 1, 10, 5, tzinfo=UTC)
    assert times.utc("2026-03-01 10:05:00") is None
    assert times.utc(None) is None


def test_positions_survive_being_stored() -> None:
    position = Position.at(NOW).after([("7", NOW + timedelta(minutes=1))], NOW + timedelta(minutes=2))
    assert position.shown
    assert Position.load(position.dump()) == position


def test_a_position_never_goes_back_and_keeps_only_what_the_next_look_sees_again() -> None:
    position = Position.at(NOW)
    assert position.after([], NOW - timedelta(hours=1)).since == NOW
    later = NOW + timedelta(hours=1)
    changed = [("old", later - OVERLAP * 2), ("seen", later - OVERLAP / 2), ("fresh", later - GRAIN / 2)]
    assert set(position.after(changed, later).shown) == {"seen"}
    assert position.until(NOW + WINDOW) is None
    assert position.until(NOW + WINDOW * 2) == NOW + WINDOW


def test_a_ticket_that_the_hub_made_is_polled_with_the_hub_as_its_author(
    connector: AgiloftConnector, clock: Clock, start: str
) -> None:
    created(connector)
    clock.forward(seconds=5)
    (hint,) = look(connector, start, clock)[0]
    assert hint.actor_id == connector.identify().account_id
