"""`hub check` of a Service Desk account says what is wrong and what there is instead."""

from __future__ import annotations

from typing import Any

from hub.connector import Finding
from plugins.solarwinds.sandbox import SolarwindsSandbox
from tests.plugins.clock import Clock
from tests.plugins.solarwinds.builders import agent_says, open_tickets
from tests.plugins.solarwinds.conftest import connect

MAPPED: dict[str, Any] = {"lines": {1: "Helpdesk"}, "categories": {"change_request": ["Change"]}}


def findings(site: SolarwindsSandbox, **more: Any) -> list[Finding]:
    connector = connect(site, **{**MAPPED, **more})
    found = connector.check()
    connector.close()
    return found


def words(found: list[Finding]) -> str:
    return " ".join(f"{f.level}: {f.what} {f.remedy}" for f in found)


def test_a_good_account_has_nothing_to_remedy(site: SolarwindsSandbox) -> None:
    open_tickets(site, 3)
    found = findings(site)
    assert [f for f in found if f.level != "ok"] == []
    assert "states and priorities of the newest 3 tickets are mapped" in words(found)


def test_states_and_priorities_that_tickets_show_and_nobody_named_are_told(site: SolarwindsSandbox) -> None:
    (ticket_id,) = open_tickets(site, 1)
    incident = site.store.incidents[int(ticket_id)]
    incident.state, incident.priority = "Waiting for parts", "Very high"
    said = words(findings(site))
    assert "state 'Waiting for parts' means nothing to the hub" in said
    assert "Name it under trackers.support.priorities" in said


def test_fields_choices_groups_and_categories_that_are_not_there_get_a_guess(site: SolarwindsSandbox) -> None:
    fields = {
        "severity": {"id": "severity", "type": "select"},
        "renewal": {"id": "Renewal date", "type": "date"},
        "third": {"id": "Severity", "type": "select", "values": {"high": "Majr"}},
    }
    said = words(findings(site, fields=fields, lines={1: "Helpdsk"}, categories={"change_request": ["Chang"]}))
    assert "no custom field 'severity' (fields.severity) Did you mean 'Severity'?" in said
    assert "'Renewal date' is a field of Solution, not of incidents" in said
    assert "no choice 'Majr' (fields.third.values) Did you mean 'Major'?" in said
    assert "no group 'Helpdsk' (lines) Did you mean 'Helpdesk'?" in said
    assert "trackers.support.categories.change_request: Did you mean 'Change'?" in said


def test_a_requester_is_no_user_for_the_hub(site: SolarwindsSandbox) -> None:
    customer = site.store.by_login("customer1")
    said = words(findings(site, credentials={"token": site.store.renew_token(customer)}))
    assert "error: the hub's user is a requester" in said


def test_comments_that_neither_the_list_nor_the_audit_log_shows_are_an_error(
    site: SolarwindsSandbox, clock: Clock
) -> None:
    site.change_settings(comments_touch=0)
    (ticket_id,) = open_tickets(site, 1)
    clock.forward(minutes=1)
    agent_says(site, ticket_id, "<p>unseen</p>")
    assert "comments do not change" not in words(findings(site))
    assert "error: comments do not change a ticket's time here" in words(findings(site, poll_audits=False))
    site.change_settings(may_read_audits=0)
    said = words(findings(site))
    assert "may not read the audit log" in said
    assert "error: comments do not change a ticket's time here" in said


def test_a_list_out_of_order_is_warned_of(site: SolarwindsSandbox, clock: Clock) -> None:
    site.change_settings(ignores_sort=1)
    for _ in range(9):
        open_tickets(site, 1)
        clock.forward(seconds=5)
    assert "does not come in the order of their last change" in words(findings(site))
