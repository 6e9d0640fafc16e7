"""Connection reports: each connection that has ended is told once, however the pages lie."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.connector import AuthError
from plugins.teamviewer.sandbox import TeamviewerSandbox
from plugins.teamviewer.support import OVERLAP, RemoteSupport
from tests.plugins.clock import Clock
from tests.plugins.teamviewer.conftest import REF


def test_a_connection_is_told_when_it_has_ended_and_not_before(
    support: RemoteSupport, site: TeamviewerSandbox, clock: Clock
) -> None:
    session = support.create_session(REF, "x", None, None)
    since = clock.now
    connection = site.connect(session.code)
    assert support.reports(since) == ()
    started = clock.now
    clock.forward(minutes=17)
    site.end(connection, "Reinstalled VPN client")
    (report,) = support.reports(since)
    assert (report.id, report.session_code, report.supporter) == (connection.id, session.code, "Support Tech")
    assert (report.device, report.notes, report.group) == ("JANE-LAPTOP", "Reinstalled VPN client", "Helpdesk")
    assert (report.started, report.ended) == (started, started + timedelta(minutes=17))
    assert support.ticket_of(report.session_code) == REF


def test_what_is_known_is_left_out(support: RemoteSupport, site: TeamviewerSandbox, clock: Clock) -> None:
    session = support.create_session(REF, "x", None, None)
    connection = site.connect(session.code)
    clock.forward(minutes=1)
    site.end(connection)
    assert [r.id for r in support.reports(clock.now)] == [connection.id]
    assert support.reports(clock.now, {connection.id}) == ()


def test_a_connection_that_was_under_way_at_the_last_look_is_found(
    support: RemoteSupport, site: TeamviewerSandbox, clock: Clock
) -> None:
    session = support.create_session(REF, "x", None, None)
    connection = site.connect(session.code)
    last_look = clock.forward(hours=20)
    clock.forward(hours=2)
    site.end(connection)
    assert [r.id for r in support.reports(last_look)] == [connection.id]
    assert support.reports(last_look + OVERLAP) == ()


@pytest.mark.parametrize("tells_next_offset", [1, 0])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 9])
def test_each_report_is_told_once_over_all_pages(
    support: RemoteSupport, site: TeamviewerSandbox, clock: Clock, count: int, tells_next_offset: int
) -> None:
    site.change_settings(reports_page=2, tells_next_offset=tells_next_offset)
    session = support.create_session(REF, "x", None, None)
    made = []
    for _ in range(count):
        made.append(site.connect(session.code))
        clock.forward(minutes=1)
        site.end(made[-1])
    assert [r.id for r in support.reports(clock.now)] == [c.id for c in made]


def test_reports_come_in_the_order_in_which_connections_ended(
    support: RemoteSupport, site: TeamviewerSandbox, clock: Clock
) -> None:
    session = support.create_session(REF, "x", None, None)
    long, short = site.connect(session.code), site.connect(session.code)
    clock.forward(minutes=5)
    site.end(short)
    clock.forward(minutes=5)
    site.end(long)
    assert [r.id for r in support.reports(clock.now)] == [short.id, long.id]


def test_connections_of_other_groups_are_not_the_hubs_affair(
    support: RemoteSupport, site: TeamviewerSandbox, clock: Clock
) -> None:
    theirs = site.store.open_meeting({"groupid": "g7654321"})
    site.end(site.connect(theirs.code))
    assert support.reports(clock.now) == ()


def test_a_token_without_connection_reporting_is_told_which_permission_is_missing(
    support: RemoteSupport, site: TeamviewerSandbox, clock: Clock
) -> None:
    site.store.tokens["hub"].permissions.discard("reports")
    with pytest.raises(AuthError) as error:
        support.reports(clock.now)
    assert "connection reporting (view)" in error.value.remedy
