"""What an admin is told of a knowledge base and of the settings that describe it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from hub.connector import Finding
from plugins.agiloft.sandbox import AgiloftSandbox, hub_settings
from plugins.agiloft.sandbox.cast import AgiloftActor, actor
from plugins.agiloft.settings import AgiloftSettings
from tests.plugins.agiloft.conftest import connect


def findings(site: AgiloftSandbox, **more: Any) -> list[Finding]:
    connector = connect(site, **more)
    try:
        return connector.check()
    finally:
        connector.close()


def errors(site: AgiloftSandbox, **more: Any) -> list[str]:
    return [f"{f.what} {f.remedy}" for f in findings(site, **more) if f.level == "error"]


def test_good_settings_are_told_to_be_good(site: AgiloftSandbox, agent: AgiloftActor) -> None:
    agent.open_ticket("x", "y")
    found = findings(site)
    assert [f.what for f in found if f.level == "error"] == []
    told = " ".join(f.what for f in found if f.level == "ok")
    for words in (
        "columns of case are there",
        "columns of case_comment are there",
        "columns of contacts",
        "fit the zone",
    ):
        assert words in told


@pytest.mark.parametrize(
    ("more", "what", "remedy"),
    [
        ({"table": "Case"}, "there is no table 'Case'", "trackers.support.table"),
        (
            {"columns": {"title": "summmary"}},
            "no column 'summmary' (trackers.support.columns.title)",
            "mean 'summary'?",
        ),
        ({"columns": {"marker": "hub_mark"}}, "no column 'hub_mark'", "Make it in Setup > Tables"),
        ({"fields": {"x": {"id": "severty"}}}, "(trackers.support.fields.x)", "mean 'severity'?"),
        ({"create_values": {"nothing": 1}}, "(trackers.support.create_values)", ""),
        ({"comments": {"table": "notes"}}, "there is no table 'notes'", "trackers.support.comments.table"),
        ({"comments": {"text": "comment"}}, "no column 'comment' (trackers.support.comments.text)", "comment_text"),
        ({"people": {"table": "employees"}}, "there is no table 'employees'", "trackers.support.people.table"),
        ({"statuses": {"on_hold": ["Frozen"]}}, "wfstate has no choice 'Frozen'", "trackers.support.statuses"),
        ({"comments": {"private": ["Hidden"]}}, "shown_to of case_comment has no choice 'Hidden'", "comments.public"),
    ],
)
def test_what_the_settings_name_and_is_not_there_is_told_with_its_place(
    site: AgiloftSandbox, more: dict[str, Any], what: str, remedy: str
) -> None:
    told = errors(site, **more)
    assert len(told) == 1, told
    assert what in told[0]
    assert remedy in told[0]


def test_a_word_that_the_hub_only_assumes_is_a_warning(site: AgiloftSandbox) -> None:
    told = [f for f in findings(site) if "has no choice" in f.what]
    assert [(f.level, f.what) for f in told] == [("warning", "the column case_type has no choice 'Change'")]
    assert "Name your own words under trackers.support.categories" in told[0].remedy


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"date_format": "%m/%d/%Y %H:%M:%S"},
            "has not the form '%m/%d/%Y %H:%M:%S' Say under trackers.support.date_format",
        ),
        ({"time_zone": "America/Los_Angeles"}, "in the future, if their times are America/Los_Angeles"),
    ],
)
def test_times_that_mean_something_else_are_seen_in_a_sample(
    site: AgiloftSandbox, agent: AgiloftActor, more: dict[str, Any], words: str
) -> None:
    site.kb.zone = ZoneInfo("UTC")
    agent.open_ticket("x", "y")
    (told,) = errors(site, **more)
    assert words in told


def test_a_header_that_fits_no_entry_is_told(appended: AgiloftSandbox) -> None:
    agent = actor(appended, "agent")
    agent.say(agent.open_ticket("x", "y"), "A note.", public=True)
    assert errors(appended) == []
    (told,) = errors(appended, comments={"header": "[{when} {who}]"})
    assert "no entry can be made out in customer_notes" in told
    assert "comments.header" in told
    agent.close()


def test_no_place_for_comments_and_hasty_polling_are_warned_of(site: AgiloftSandbox) -> None:
    warned = [f.what for f in findings(site, comments=None, poll={"every": 5}) if f.level == "warning"]
    assert any("no comments travel" in what for what in warned)
    assert any("polling every 5 s" in what for what in warned)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"time_zone": "Warsaw"}, "no time zone"),
        ({"date_format": "%Y-%m-%d"}, "loses a part of a time"),
        ({"date_format": "%Q"}, "no format of times|loses a part"),
        ({"comments": {"kind": "append"}}, "append-only column"),
        ({"record_url": "{host}/{id}"}, "only {url}, {kb}, {table} and {id}"),
        ({"columns": {"updated": " "}}, "cannot do without this column"),
        ({"columns": {"team": ""}}, "columns.team"),
        ({"text_format": "html", "comments": {"kind": "append", "public": "customer_notes"}}, "text_format: plain"),
        ({"comments": {"kind": "append", "public": "x", "header": "{when}:"}}, "needs {when} once and {who} once"),
    ],
)
def test_settings_that_cannot_work_are_refused_when_they_are_read(
    site: AgiloftSandbox, more: dict[str, Any], words: str
) -> None:
    entry: dict[str, Any] = {**hub_settings(site), **more}
    entry["columns"] = {**hub_settings(site)["columns"], **more.get("columns", {})}
    with pytest.raises(ValidationError, match=words):
        AgiloftSettings.model_validate(entry)
