"""The constructed samples of TeamViewer's answers are read as they are, and the sandbox shows every field of them."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx

from hub.ticket import TicketRef
from plugins.teamviewer import model
from plugins.teamviewer.sandbox import TeamviewerSandbox
from plugins.teamviewer.sandbox.state import record, shown
from tests.plugins.clock import Clock
from tests.shared import payload

FOLDER = "teamviewer/constructed"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_session_is_read_with_its_ticket_and_its_time() -> None:
    raw = payload(f"{FOLDER}/session_get.json")
    session = model.session(raw)
    assert (session.code, session.assignee_id) == ("s12-345-678", "u7654321")
    assert session.valid_until == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert model.ref_of(raw) == TicketRef("zendesk", "35436")
    assert model.is_open(raw, NOW)
    assert not model.is_open(raw, datetime(2026, 3, 2, 10, tzinfo=UTC))
    assert not model.is_open({**raw, "state": "closed"}, NOW)
    assert model.is_open({**raw, "state": "open", "valid_until": None}, NOW)


def test_the_answer_to_a_create_and_a_row_of_the_list_are_sessions_too() -> None:
    made = model.session(payload(f"{FOLDER}/session_create_response.json"))
    (row,) = payload(f"{FOLDER}/session_list_full.json")["sessions"]
    listed = model.session(row)
    assert (made.code, made.end_customer_link) == (listed.code, listed.end_customer_link)
    assert made.supporter_link == "https://start.teamviewer.com/s12345678"


def test_a_report_is_read_once_it_has_an_end() -> None:
    (raw,) = payload(f"{FOLDER}/connection_reports_by_code.json")["records"]
    report = model.report(raw)
    assert report is not None
    assert (report.session_code, report.supporter, report.device) == ("s12-345-678", "Support Tech", "JANE-LAPTOP")
    assert (report.ended - report.started).total_seconds() == 17 * 60 + 31
    assert model.report({**raw, "end_date": None}) is None


def test_the_sandbox_shows_every_field_of_the_samples(site: TeamviewerSandbox, clock: Clock) -> None:
    meeting = site.store.open_meeting({"groupid": "g1234567"})
    assert set(payload(f"{FOLDER}/session_get.json")) == set(shown(meeting))
    connection = site.connect(meeting.code)
    site.end(connection)
    (raw,) = payload(f"{FOLDER}/connection_reports_by_code.json")["records"]
    assert set(raw) == set(record(connection, "Helpdesk"))


def test_a_routeless_call_says_that_the_sandbox_does_not_have_it(site: TeamviewerSandbox) -> None:
    headers = {"Authorization": f"Bearer {site.credentials()['token']}"}
    answer = httpx.get(f"{site.url}/api/v1/devices", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (501, "NotInSandbox")
