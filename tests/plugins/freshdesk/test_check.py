"""`hub check` of a Freshdesk account says what is wrong and what there is instead."""

from __future__ import annotations

from typing import Any

from hub.connector import Finding
from plugins.freshdesk.sandbox import FreshdeskSandbox
from tests.plugins.freshdesk.conftest import connect

MAPPED: dict[str, Any] = {"statuses": {"on_hold": [7, 8]}, "lines": {1: "Helpdesk"}}


def findings(site: FreshdeskSandbox, **more: Any) -> list[Finding]:
    connector = connect(site, **{**MAPPED, **more})
    found = connector.check()
    connector.close()
    return found


def words(found: list[Finding]) -> str:
    return " ".join(f"{f.level}: {f.what} {f.remedy}" for f in found)


def test_a_good_account_has_nothing_to_remedy(site: FreshdeskSandbox) -> None:
    assert [f for f in findings(site) if f.level != "ok"] == []


def test_statuses_that_are_not_there_or_not_mapped_are_named_with_their_numbers(site: FreshdeskSandbox) -> None:
    said = words(findings(site, statuses={"on_hold": [9]}))
    assert "error: on_hold is written as 9, which is no status here" in said
    assert "8 Waiting on Engineering" in said
    assert "Name 8 under trackers.support.statuses." in said


def test_fields_choices_types_and_groups_that_are_not_there_get_a_guess(site: FreshdeskSandbox) -> None:
    fields = {
        "severity": {"id": "Severity", "type": "select"},
        "other": {"id": "cf_severty"},
        "third": {"id": "cf_severity", "type": "select", "values": {"high": "Majr"}},
    }
    said = words(findings(site, fields=fields, categories={"bug": "Incidnt"}, lines={1: "Helpdsk"}))
    assert "no ticket field Severity (fields.severity) Did you mean 'cf_severity'?" in said
    assert "no ticket field cf_severty (fields.other) Did you mean 'cf_severity'?" in said
    assert "no choice 'Majr' (fields.third.values) Did you mean 'Major'?" in said
    assert "'Incidnt', which is no ticket type here trackers.support.categories.bug: Did you mean 'Incident'?" in said
    assert "no group 'Helpdsk' (lines) Did you mean 'Helpdesk'?" in said


def test_an_agent_who_sees_only_some_tickets_and_no_agents_is_warned_of(site: FreshdeskSandbox) -> None:
    said = words(findings(site, credentials={"api_key": site.people()["agent3"]["api_key"]}))
    assert "sees only those assigned to it" in said
    assert "may not list agents" in said


def test_a_small_share_of_calls_is_warned_of_by_freshdesks_own_headers(site: FreshdeskSandbox) -> None:
    site.limits.set("account", 50, 60)
    said = words(findings(site))
    assert "warning: Freshdesk allows 50 calls a minute for the whole account" in said
