"""The texts about sessions: what may be public is public, what is for staff is not, and names mean nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.text import canonical, to_html
from hub.ticket import Visibility
from plugins.teamviewer.model import Report, Session
from plugins.teamviewer.texts import invitation, report_note, supporter_note

START = datetime(2026, 3, 1, 10, 5, tzinfo=UTC)
SESSION = Session(
    "s12-345-678",
    "https://get.teamviewer.com/s12345678",
    "https://start.teamviewer.com/s12345678",
    datetime(2026, 3, 2, 10, tzinfo=UTC),
)


def a_report(**more: object) -> Report:
    values: dict[str, object] = {
        "id": "r-1", "started": START, "ended": START + timedelta(minutes=17), "session_code": SESSION.code,
        "supporter": "Support Tech", "device": "JANE-LAPTOP", "notes": "Reinstalled VPN client",
    }  # fmt: skip
    return Report(**{**values, **more})  # type: ignore[arg-type]  # the caller names Report's own fields


def test_the_requester_reads_their_own_link_and_code_and_never_the_supporters() -> None:
    comment = invitation(SESSION)
    assert comment.visibility is Visibility.PUBLIC
    assert SESSION.end_customer_link in comment.text
    assert SESSION.code in comment.text
    assert "2026-03-02 10:00 UTC" in comment.text
    assert "start.teamviewer.com" not in comment.text
    assert "web.teamviewer.com" not in comment.text


def test_the_supporters_link_stands_in_a_private_note_alone() -> None:
    comment = supporter_note(SESSION)
    assert comment.visibility is Visibility.PRIVATE
    assert SESSION.supporter_link in comment.text


def test_a_finished_connection_is_a_private_note_with_who_where_and_how_long() -> None:
    comment = report_note(a_report())
    assert comment.visibility is Visibility.PRIVATE
    assert "2026-03-01 10:05 to 10:22 UTC, 17 min" in comment.text
    for word in ("Support Tech", "JANE-LAPTOP", "s12-345-678", "> Reinstalled VPN client"):
        assert word in comment.text


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (timedelta(seconds=11), "1 min"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(minutes=61), "1 h 01 min"),
        (timedelta(hours=20), "to 2026-03-02 06:05 UTC, 20 h 00 min"),
    ],
)
def test_how_long_it_took_is_told_in_minutes_and_hours(length: timedelta, shown: str) -> None:
    assert shown in report_note(a_report(ended=START + length)).text


def test_what_is_not_told_is_said_and_what_is_missing_is_left_out() -> None:
    text = report_note(a_report(supporter="", device="", session_code="", notes=" ")).text
    assert text.count("not told") == 2
    assert "session" not in text
    assert ">" not in text


def test_names_and_notes_mean_nothing_as_markup() -> None:
    evil = "**x** [a](http://evil.example) <script>alert(1)</script>\n# head\n- item"
    comment = report_note(a_report(device=evil, notes=evil))
    html = to_html(comment.text)
    assert "<script" not in html
    assert "href" not in html
    assert "<h1" not in html
    assert html.count("<li>") == 3
    assert canonical(comment.text) == comment.text


def test_a_session_without_an_end_is_invited_to_without_one() -> None:
    text = invitation(Session("s1", "https://get.teamviewer.com/s1", "https://start.teamviewer.com/s1")).text
    assert "good until" not in text
