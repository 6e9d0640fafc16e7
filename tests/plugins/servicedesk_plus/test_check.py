"""`hub check` of a ServiceDesk Plus says what is wrong and what there is instead."""

from __future__ import annotations

from typing import Any

from hub.connector import Finding
from plugins.servicedesk_plus.sandbox import ServiceDeskPlusSandbox
from tests.plugins.clock import Clock
from tests.plugins.servicedesk_plus.builders import created
from tests.plugins.servicedesk_plus.conftest import connect


def findings(site: ServiceDeskPlusSandbox, **more: Any) -> list[Finding]:
    connector = connect(site, **more)
    found = connector.check()
    connector.close()
    return found


def words(found: list[Finding]) -> str:
    return " ".join(f"{f.level}: {f.what} {f.remedy}" for f in found)


def test_a_good_installation_has_nothing_to_remedy(site: ServiceDeskPlusSandbox) -> None:
    connector = connect(site)
    created(connector)
    connector.close()
    assert [f for f in findings(site, lines={1: ["Helpdesk"]}) if f.level != "ok"] == []


def test_words_that_are_not_there_get_a_guess(site: ServiceDeskPlusSandbox) -> None:
    said = words(
        findings(
            site,
            statuses={"on_hold": ["On Hld"]},
            priorities={"urgent": ["Hihg"]},
            categories={"incident": ["Incidnt"]},
            lines={1: ["Helpdsk"]},
        )
    )
    assert "error: on_hold is written as 'On Hld', which is no status here" in said
    assert "trackers.support.statuses: Did you mean 'On Hold'?" in said
    assert "trackers.support.priorities.urgent: Did you mean 'High'?" in said
    assert "trackers.support.categories.incident: Did you mean 'Incident'?" in said
    assert "no group 'Helpdsk' (lines) Did you mean 'Helpdesk'?" in said


def test_a_status_that_nobody_mapped_is_named(site: ServiceDeskPlusSandbox) -> None:
    said = words(findings(site, statuses={"closed": ["Closed"]}))
    assert "warning: the status 'Cancelled' means nothing to the hub" in said
    assert "Name it under trackers.support.statuses." in said


def test_fields_that_are_not_there_get_a_guess_by_title_or_name(site: ServiceDeskPlusSandbox) -> None:
    severity = site.store.udf["severity"]
    fields = {"severity": {"id": "Severity"}, "other": {"id": severity + "x"}}
    said = words(findings(site, fields=fields, reference_field="udf_nothing", labels_field=severity))
    assert f"no additional field 'Severity' (fields.severity) Did you mean {severity!r}?" in said
    assert f"(fields.other) Did you mean {severity!r}?" in said
    assert "no additional field 'udf_nothing' (reference_field)" in said


def test_an_installation_without_tags_needs_a_field_for_labels(on_premises: ServiceDeskPlusSandbox) -> None:
    said = words(findings(on_premises, labels_field="tags"))
    assert "error: this ServiceDesk Plus has no tags" in said
    assert "trackers.support.labels_field" in said


def test_what_the_hub_cannot_do_without_fields_of_its_own_is_said(site: ServiceDeskPlusSandbox) -> None:
    said = words(findings(site, reference_field="", labels_field=""))
    assert "the hub opens no requests here" in said
    assert "labels do not travel" in said


def test_a_technician_who_may_not_see_the_setup_is_warned_of(site: ServiceDeskPlusSandbox) -> None:
    person = site.people()["agent3"]
    keys = ("technician_key", "client_id", "client_secret", "refresh_token")
    said = words(
        findings(
            site,
            account=person["email"],
            credentials={k: person[k] for k in keys if k in person},
            lines={1: ["Helpdesk"]},
        )
    )
    assert "may not list statuses" in said
    assert "SDPOnDemand.setup.READ" in said
    assert "groups could not be checked" in said


def test_a_build_without_counts_is_warned_of(site: ServiceDeskPlusSandbox) -> None:
    site.change_settings(has_summary=0)
    said = words(findings(site))
    assert "warning: the numbers of notes cannot be listed" in said
    assert "trackers.support.watch_counts" in said


def test_a_wrong_clock_is_warned_of(site: ServiceDeskPlusSandbox, clock: Clock) -> None:
    clock.forward(minutes=-5)
    said = words(findings(site))
    assert "warning: the server's clock differs from the hub's by -" in said
    assert "time server (NTP)" in said
