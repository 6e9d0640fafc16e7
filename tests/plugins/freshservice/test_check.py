"""`hub check` of a Freshservice account says what is wrong and what there is instead."""

from __future__ import annotations

from typing import Any

from hub.connector import Finding
from hub.sandbox import Fault
from plugins.freshservice.sandbox import FreshserviceSandbox
from tests.plugins.freshservice.conftest import connect

GOOD: dict[str, Any] = {"statuses": {"on_hold": [8]}, "lines": {1: "Service Desk"}, "workspaces": [2, 3]}


def findings(site: FreshserviceSandbox, **more: Any) -> list[Finding]:
    connector = connect(site, **{**GOOD, **more})
    found = connector.check()
    connector.close()
    return found


def words(found: list[Finding]) -> str:
    return " ".join(f"{f.level}: {f.what} {f.remedy}" for f in found)


def test_a_good_account_has_nothing_to_remedy(site: FreshserviceSandbox) -> None:
    assert [f for f in findings(site, changes=True) if f.level != "ok"] == []


def test_several_workspaces_of_which_none_is_named_are_warned_of(site: FreshserviceSandbox) -> None:
    said = words(findings(site, workspaces=[]))
    assert "warning: only the primary workspace is polled, and there are 2 IT, 3 Facilities" in said


def test_a_workspace_that_the_agent_does_not_see_is_an_error_with_those_that_it_sees(
    site: FreshserviceSandbox,
) -> None:
    said = words(findings(site, workspaces=[9, 2]))
    assert "error: the hub's agent sees no workspace 9" in said
    assert "some of 2 IT, 3 Facilities" in said
    restricted = words(findings(site, credentials={"api_key": site.people()["agent3"]["api_key"]}))
    assert "error: the hub's agent sees no workspace 3" in restricted


def test_statuses_that_are_not_there_or_not_mapped_are_named_with_their_numbers(site: FreshserviceSandbox) -> None:
    said = words(findings(site, statuses={"on_hold": [9]}))
    assert "error: on_hold is written as 9, which is no status here" in said
    assert "8 Waiting on Engineering" in said
    assert "Name 8 under trackers.support.statuses." in said


def test_fields_choices_and_groups_that_are_not_there_get_a_guess(site: FreshserviceSandbox) -> None:
    fields = {
        "severity": {"id": "Severity", "type": "select"},
        "other": {"id": "severty"},
        "third": {"id": "severity", "type": "select", "values": {"high": "Majr"}},
        "fourth": {"id": "cf_unlike_anything"},
    }
    said = words(findings(site, fields=fields, lines={1: "Service Dsk"}))
    assert "no ticket field Severity (fields.severity) Did you mean 'severity'?" in said
    assert "no ticket field severty (fields.other) Did you mean 'severity'?" in said
    assert "no choice 'Majr' (fields.third.values) Did you mean 'Major'?" in said
    assert "no ticket field cf_unlike_anything (fields.fourth) Its name stands in the API's answer" in said
    assert "no group 'Service Dsk' (lines) Did you mean 'Service Desk'?" in said


def test_an_agent_who_may_not_list_agents_or_see_changes_is_told(site: FreshserviceSandbox) -> None:
    site.faults.add(Fault(path="/changes", status=403, body={"code": "access_denied", "message": "no"}))
    agent = {"api_key": site.people()["agent1"]["api_key"]}
    said = words(findings(site, credentials=agent, changes=True))
    assert "warning: the hub's agent may not list agents" in said
    assert "error: the hub's agent may not see changes" in said


def test_the_share_of_calls_that_the_plan_gives_is_told_by_freshservices_own_headers(
    site: FreshserviceSandbox,
) -> None:
    site.change_settings(plan=3)
    assert "ok: Freshservice allows 400 calls a minute for the whole account" in words(findings(site))
    site.limits.set("account", 50, 60)
    assert "warning: Freshservice allows 50 calls a minute for the whole account" in words(findings(site))
