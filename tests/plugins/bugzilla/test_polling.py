"""Polling by a time of whole seconds: nothing is missed, and what is settled is told once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from hub.connector import Polled
from hub.testing.site import ShiftedClock
from plugins.bugzilla.connector import BugzillaConnector
from plugins.bugzilla.polling import PAGE, Looker, Rows
from plugins.bugzilla.sandbox import BugzillaSandbox
from plugins.bugzilla.sandbox.cast import BugzillaActor
from tests.plugins.bugzilla.conftest import calls, connect, created

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


class Site:
    """A list of bugs with the times of their last change, as Bugzilla searches it. `most` cuts its pages."""

    def __init__(self, most: int = 10_000) -> None:
        self.bugs: dict[int, datetime] = {}
        self.most, self.listed = most, 0

    def touch(self, numbers: Iterable[int], at: datetime) -> None:
        self.bugs |= dict.fromkeys(numbers, at)

    def list(self, since: datetime, offset: int) -> Rows:
        self.listed += 1
        begin = since.replace(microsecond=0)
        hits = sorted((at, number) for number, at in self.bugs.items() if at >= begin)
        page = hits[offset : offset + min(PAGE, self.most)]
        return [(str(number), at.strftime("%Y-%m-%dT%H:%M:%SZ")) for at, number in page]


def told(polled: Polled) -> set[str]:
    return {hint.ticket_id for hint in polled.hints}


def test_two_changes_of_one_second_are_both_told() -> None:
    site, looker = Site(), Looker()
    cursor = looker.look(None, NOON, site.list).cursor
    site.touch([1], NOON + timedelta(seconds=1))
    first = looker.look(cursor, NOON + timedelta(seconds=1), site.list)
    site.touch([1], NOON + timedelta(seconds=1))
    second = looker.look(first.cursor, NOON + timedelta(seconds=30), site.list)
    third = looker.look(second.cursor, NOON + timedelta(seconds=40), site.list)
    assert (told(first), told(second), told(third)) == ({"1"}, {"1"}, set())


def test_a_bug_is_told_again_until_no_other_change_can_have_its_second() -> None:
    site, looker = Site(), Looker()
    polled = looker.look(None, NOON, site.list)
    site.touch([1], NOON + timedelta(seconds=1))
    seen = []
    for second in (1, 5, 6, 7, 30, 90, 200):
        polled = looker.look(polled.cursor, NOON + timedelta(seconds=second), site.list)
        seen.append(told(polled))
    assert seen == [{"1"}, {"1"}, {"1"}, set(), set(), set(), set()]


def test_a_slow_write_whose_time_is_older_than_the_last_look_is_told() -> None:
    site, looker = Site(), Looker()
    polled = looker.look(None, NOON, site.list)
    polled = looker.look(polled.cursor, NOON + timedelta(seconds=20), site.list)
    site.touch([1], NOON + timedelta(seconds=5))
    assert told(looker.look(polled.cursor, NOON + timedelta(seconds=40), site.list)) == {"1"}


def test_more_than_a_page_within_one_second_and_around_it_is_told_completely() -> None:
    site, looker = Site(), Looker()
    cursor = looker.look(None, NOON, site.list).cursor
    site.touch(range(1, 150), NOON + timedelta(seconds=1))
    site.touch(range(150, 900), NOON + timedelta(seconds=2))
    site.touch(range(900, 1000), NOON + timedelta(seconds=3))
    assert len(told(looker.look(cursor, NOON + timedelta(seconds=60), site.list))) == 999


def test_a_server_that_cuts_its_pages_without_a_word_hides_nothing() -> None:
    site, looker = Site(most=5), Looker()
    cursor = looker.look(None, NOON, site.list).cursor
    site.touch(range(1, 13), NOON + timedelta(seconds=1))
    site.touch(range(13, 30), NOON + timedelta(seconds=2))
    assert len(told(looker.look(cursor, NOON + timedelta(seconds=60), site.list))) == 29


def test_bugs_that_move_to_the_end_while_pages_are_read_hide_no_neighbour() -> None:
    site, looker = Site(), Looker()
    cursor = looker.look(None, NOON, site.list).cursor
    site.touch(range(1, 700), NOON + timedelta(seconds=1))
    moved = iter(range(1, 60))

    def list_while_people_work(since: datetime, offset: int) -> Rows:
        rows = site.list(since, offset)
        site.touch([n for n, _ in zip(moved, range(10), strict=False)], NOON + timedelta(seconds=9))
        return rows

    assert len(told(looker.look(cursor, NOON + timedelta(seconds=60), list_while_people_work))) == 699


def test_a_quiet_site_is_asked_once_for_bugs() -> None:
    site, looker = Site(), Looker()
    polled = looker.look(None, NOON, site.list)
    for minute in range(1, 6):
        polled = looker.look(polled.cursor, NOON + timedelta(minutes=minute), site.list)
    assert site.listed == 5


def test_a_database_whose_clock_was_set_back_loses_nothing() -> None:
    site, looker = Site(), Looker()
    polled = looker.look(None, NOON, site.list)
    polled = looker.look(polled.cursor, NOON - timedelta(seconds=30), site.list)
    site.touch([1], NOON - timedelta(seconds=20))
    assert told(looker.look(polled.cursor, NOON - timedelta(seconds=10), site.list)) == {"1"}


def test_everything_that_people_do_is_told(
    connector: BugzillaConnector, engineer: BugzillaActor, clock: ShiftedClock
) -> None:
    bug = created(connector)
    clock.pass_by(90)
    cursor = connector.poll(None, clock()).cursor
    acts: list[Callable[[], None]] = [
        lambda: engineer.say(bug, "A comment.", public=True),
        lambda: engineer.say(bug, "A note.", public=False),
        lambda: engineer.rename(bug, "Another name"),
        lambda: engineer.resolve(bug),
    ]
    for act in acts:
        act()
        polled = connector.poll(cursor, clock())
        assert told(polled) == {bug}
        clock.pass_by(90)
        cursor = connector.poll(polled.cursor, clock()).cursor
    assert told(connector.poll(cursor, clock())) == set()


def test_a_look_at_a_quiet_site_costs_two_calls(connector: BugzillaConnector, site: BugzillaSandbox) -> None:
    created(connector)
    cursor = connector.poll(None, site.clock()).cursor
    site.store.bugs[1].changed -= timedelta(hours=1)
    site.requests.clear()
    connector.poll(cursor, site.clock())
    assert calls(site) == ["GET /time", "GET /bug"]


def test_a_cursor_outlives_the_process(site: BugzillaSandbox, clock: ShiftedClock) -> None:
    first = connect(site)
    cursor = first.poll(None, clock()).cursor
    bug = created(first)
    first.close()
    clock.pass_by(3600)
    second = connect(site)
    assert told(second.poll(cursor, clock())) == {bug}
    second.close()
