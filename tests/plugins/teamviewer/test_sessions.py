"""Sessions: one for a ticket, whatever is lost or repeated, and closed without a fuss."""

from __future__ import annotations

import pytest

from hub.connector import PermanentError, TemporaryError
from hub.sandbox import Fault
from hub.ticket import Person, TicketRef
from plugins.teamviewer.sandbox import TeamviewerSandbox
from plugins.teamviewer.support import RemoteSupport
from tests.plugins.clock import Clock
from tests.plugins.teamviewer.conftest import REF, SUPPORTER, connect

CUSTOMER = Person("9", "Jane Customer", "jane@example.com")


def test_a_session_is_made_in_the_hubs_group_for_the_requester_and_the_supporter(
    support: RemoteSupport, site: TeamviewerSandbox, clock: Clock
) -> None:
    session = support.create_session(REF, "VPN  drops\n", CUSTOMER, SUPPORTER)
    (kept,) = site.store.meetings.values()
    assert session.code == kept.code
    assert (kept.groupid, kept.assigned_userid) == ("g1234567", "u7654321")
    assert kept.description == "support:35436 VPN drops"
    assert kept.end_customer == {"name": "Jane Customer", "email": "jane@example.com"}
    assert kept.custom_api == '{"hub":"v1","ref":"support:35436"}'
    assert session.end_customer_link == f"https://get.teamviewer.com/{kept.digits}"
    assert session.supporter_link == f"https://start.teamviewer.com/{kept.digits}"
    assert session.valid_until is not None
    assert abs((session.valid_until - clock.now).total_seconds() - 24 * 3600) < 60


def test_the_open_session_of_a_ticket_is_taken_instead_of_making_another(
    support: RemoteSupport, site: TeamviewerSandbox
) -> None:
    first = support.create_session(REF, "VPN drops", CUSTOMER, SUPPORTER)
    again = support.create_session(REF, "VPN drops still", None, None)
    assert (again.code, again.supporter_link) == (first.code, first.supporter_link)
    other = support.create_session(TicketRef("support", "3543"), "Another", CUSTOMER, None)
    assert other.code != first.code
    assert len(site.store.meetings) == 2


def test_a_session_that_is_closed_or_whose_time_is_over_is_followed_by_a_new_one(
    support: RemoteSupport, site: TeamviewerSandbox, clock: Clock
) -> None:
    first = support.create_session(REF, "x", None, None)
    support.close_session(first.code)
    second = support.create_session(REF, "x", None, None)
    clock.forward(hours=25)
    third = support.create_session(REF, "x", None, None)
    assert len({first.code, second.code, third.code}) == 3


def test_a_create_whose_answer_was_lost_is_found_by_its_mark(support: RemoteSupport, site: TeamviewerSandbox) -> None:
    site.faults.add(Fault(method="POST", path="/sessions", mode="after", drop=True))
    with pytest.raises(TemporaryError):
        support.create_session(REF, "x", None, None)
    assert site.requests.count("POST", "/sessions") == 1
    session = support.create_session(REF, "x", None, None)
    assert list(site.store.meetings) == [session.code]


@pytest.mark.parametrize("tells_next_offset", [1, 0])
def test_the_ticket_s_session_is_found_on_whatever_page_it_is(
    support: RemoteSupport, site: TeamviewerSandbox, tells_next_offset: int
) -> None:
    site.change_settings(sessions_page=2, tells_next_offset=tells_next_offset)
    made = [support.create_session(TicketRef("support", str(n)), "x", None, None).code for n in range(7)]
    assert len(set(made)) == 7
    assert [support.create_session(TicketRef("support", str(n)), "x", None, None).code for n in range(7)] == made


@pytest.mark.parametrize("status", [200, 201, 302])
def test_every_answer_that_means_made_is_understood(
    support: RemoteSupport, site: TeamviewerSandbox, status: int
) -> None:
    site.change_settings(create_answer=status)
    session = support.create_session(REF, "x", None, SUPPORTER)
    (kept,) = site.store.meetings.values()
    assert (session.code, session.valid_until, session.supporter_link[-9:]) == (
        kept.code, kept.valid_until, kept.digits,
    )  # fmt: skip


@pytest.mark.parametrize(
    "location", ["/api/v1/sessions/s12-345-678", "https://get.teamviewer.com/s12345678?x=1", "https://x/#s12345678"]
)
def test_a_redirect_may_point_anywhere_as_long_as_it_holds_the_code(
    support: RemoteSupport, site: TeamviewerSandbox, location: str
) -> None:
    made = site.store.open_meeting({"groupid": "g1234567"})
    site.faults.add(Fault(method="POST", path="/sessions", status=302, headers={"Location": location}, body="<html/>"))
    assert made.code == "s12-345-678"
    assert support.create_session(REF, "x", None, None).code == made.code


def test_a_redirect_without_a_code_is_tried_again_and_not_followed(
    support: RemoteSupport, site: TeamviewerSandbox
) -> None:
    site.faults.add(Fault(method="POST", status=302, headers={"Location": f"{site.url}/login"}, body="<html/>"))
    with pytest.raises(TemporaryError, match="without the code"):
        support.create_session(REF, "x", None, None)
    assert site.requests.count(path="/login") == 0


def test_what_others_write_into_their_sessions_is_nobodys_ticket(
    support: RemoteSupport, site: TeamviewerSandbox
) -> None:
    for custom in (
        "",
        "35436",
        "[]",
        "null",
        '{"hub":"v2","ref":"support:35436"}',
        '{"hub":"v1"}',
        '{"hub":"v1","ref":7}',
    ):
        meeting = site.store.open_meeting({"groupid": "g1234567", "custom_api": custom})
        assert support.ticket_of(meeting.code) is None
    session = support.create_session(REF, "x", None, None)
    assert len(site.store.meetings) == 8
    assert support.ticket_of(session.code) == REF
    assert support.ticket_of("s99-999-999") is None


def test_a_session_of_another_group_is_not_taken(support: RemoteSupport, site: TeamviewerSandbox) -> None:
    theirs = site.store.open_meeting({"groupid": "g7654321", "custom_api": '{"hub":"v1","ref":"support:35436"}'})
    assert support.create_session(REF, "x", None, None).code != theirs.code


def test_a_supporter_whom_teamviewer_does_not_know_or_show_leaves_the_session_to_nobody(
    support: RemoteSupport, site: TeamviewerSandbox
) -> None:
    session = support.create_session(REF, "x", None, "stranger@example.com")
    assert session.assignee_id == ""
    site.store.tokens["hub"].permissions.discard("users")
    other = support.create_session(TicketRef("support", "1"), "x", None, SUPPORTER)
    assert site.store.meetings[other.code].assigned_userid == "u0"


def test_long_names_and_titles_are_cut_to_what_teamviewer_takes(
    support: RemoteSupport, site: TeamviewerSandbox
) -> None:
    person = Person("", "J" * 300, "j" * 300 + "@example.com")
    support.create_session(REF, "t" * 5000, person, None)
    (kept,) = site.store.meetings.values()
    assert (len(kept.end_customer["name"]), len(kept.end_customer["email"])) == (100, 254)
    assert len(kept.description) <= 254


@pytest.mark.parametrize("refuses", [1, 0])
def test_a_session_is_closed_once_and_closing_it_again_is_fine(
    support: RemoteSupport, site: TeamviewerSandbox, refuses: int
) -> None:
    site.change_settings(refuses_second_close=refuses)
    session = support.create_session(REF, "x", None, None)
    support.close_session(session.code)
    support.close_session(session.code)
    support.close_session("s99-999-999")
    assert site.store.meetings[session.code].state == "Closed"


def test_a_close_that_is_refused_while_the_session_is_open_is_told(
    support: RemoteSupport, site: TeamviewerSandbox
) -> None:
    session = support.create_session(REF, "x", None, None)
    body = {"error": "invalid_request", "error_description": "Not now.", "error_code": 2}
    site.faults.add(Fault(method="PUT", status=400, body=body))
    with pytest.raises(PermanentError, match="Not now"):
        support.close_session(session.code)


def test_a_group_is_looked_up_by_its_name_once_and_not_at_all_by_its_id(site: TeamviewerSandbox) -> None:
    by_name, by_id = connect(site), connect(site, group="g1234567")
    for number in range(3):
        by_name.support.create_session(TicketRef("support", str(number)), "x", None, None)
    assert site.requests.count(path="/groups") == 1
    by_id.support.create_session(REF, "x", None, None)
    assert site.requests.count(path="/groups") == 1
    assert {m.groupid for m in site.store.meetings.values()} == {"g1234567"}
    by_name.close()
    by_id.close()


def test_a_group_that_is_not_there_is_not_made_by_accident(site: TeamviewerSandbox) -> None:
    connector = connect(site, group="Helpdsk")
    with pytest.raises(PermanentError, match="no group 'Helpdsk'") as error:
        connector.support.create_session(REF, "x", None, None)
    assert "trackers.remote.group" in error.value.remedy
    assert len(site.store.groups) == 2
    connector.close()


def test_an_existing_session_costs_one_call_and_a_new_one_three(
    support: RemoteSupport, site: TeamviewerSandbox
) -> None:
    support.group_id()
    site.requests.clear()
    support.create_session(REF, "x", None, SUPPORTER)
    assert [(r.method, r.path) for r in site.requests] == [
        ("GET", "/api/v1/sessions"),
        ("GET", "/api/v1/users"),
        ("POST", "/api/v1/sessions"),
    ]
    site.requests.clear()
    support.create_session(REF, "x", None, SUPPORTER)
    assert len(site.requests) == 1


def test_links_do_not_show_when_a_session_is_printed(support: RemoteSupport) -> None:
    session = support.create_session(REF, "x", None, None)
    shown = f"{session} {session!r}"
    assert session.code in shown
    assert "teamviewer.com" not in shown
