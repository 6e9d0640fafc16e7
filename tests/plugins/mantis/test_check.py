"""`hub check` of a MantisBT site says what is wrong and what there is instead."""

from __future__ import annotations

from typing import Any

import pytest

from hub.connector import AuthError, Finding
from plugins.mantis.connector import MantisConnector
from plugins.mantis.sandbox import MantisSandbox
from tests.plugins.mantis.conftest import connect

MAPPED: dict[str, Any] = {"statuses": {"on_hold": ["confirmed"]}}


def findings(site: MantisSandbox, **more: Any) -> list[Finding]:
    connector = connect(site, **more)
    try:
        return connector.check()
    finally:
        connector.close()


def words(found: list[Finding]) -> str:
    return " ".join(f"{f.level}: {f.what} {f.remedy}" for f in found)


def test_a_good_site_has_nothing_to_remedy_and_says_what_it_is(site: MantisSandbox) -> None:
    found = findings(site, fields={"env": {"id": "Env", "type": "select", "values": {"production": "prod"}}})
    assert [f for f in found if f.level != "ok"] == []
    assert "project Alpha, MantisBT 2.28.4" in words(found)


@pytest.mark.parametrize(("version", "is_too_old"), [("2.25.8", True), ("2.26.0", False), ("3.0.0-dev", False)])
def test_a_version_that_is_too_old_to_assign_issues_is_warned_of(
    connector: MantisConnector, version: str, is_too_old: bool
) -> None:
    connector.identify()
    connector._facts.version = version
    assert ("Update it to assign issues" in words(connector.check())) is is_too_old


def test_the_project_may_be_named_by_its_number(site: MantisSandbox) -> None:
    assert "project Gamma" in words(findings(site, project=3))


def test_a_project_that_is_not_there_gets_a_guess_and_the_list(site: MantisSandbox) -> None:
    said = words(findings(site, project="Alfa"))
    assert "error: there is no project 'Alfa' that the account sees Did you mean 'Alpha'?" in said
    assert "Correct trackers.dev.project" in said
    assert "error: there is no project '2'" in words(findings(site, project="2"))


def test_a_category_that_the_project_does_not_have_gets_a_guess(site: MantisSandbox) -> None:
    assert "error: the project has no category 'Genral' Did you mean 'General'?" in words(
        findings(site, category="Genral")
    )


def test_a_mapped_category_that_the_project_does_not_have_gets_a_guess(site: MantisSandbox) -> None:
    said = words(findings(site, categories={"bug": ["Backend"], "incident": ["Bckend"]}))
    assert "warning: the project has no category 'Bckend' (for incident) Did you mean 'Backend'?" in said
    assert "'Backend' (for bug)" not in said


@pytest.mark.parametrize(
    ("level", "severity", "what"),
    [(70, "ok", "may change resolved issues"), (55, "warning", "update_readonly_bug_threshold"),
     (25, "error", "10 changes an hour")],
)  # fmt: skip
def test_what_the_accounts_level_allows_is_told(site: MantisSandbox, level: int, severity: str, what: str) -> None:
    site.change_settings(hub_level=level)
    (found,) = [f for f in findings(site) if "the account is" in f.what]
    assert found.level == severity
    assert what in found.what + found.remedy


def test_fields_that_are_not_there_not_writable_or_of_another_type_are_named(site: MantisSandbox) -> None:
    site.change_settings(hub_level=55)
    fields = {
        "reference": {"id": "Externl ID"},
        "secret": {"id": "Secret"},
        "when": {"id": "When", "type": "number"},
        "environment": {"id": "Env", "type": "select", "values": {"production": "Prod"}},
        "severity": {"id": "severity", "type": "select", "values": {"high": "majr"}},
    }
    said = words(findings(site, fields=fields, marker_field="Marker"))
    assert "error: the project has no custom field 'Externl ID' Did you mean 'External ID'?" in said
    assert "See trackers.dev.fields.reference." in said
    assert "error: the project has no custom field 'Secret'" in said
    assert "warning: the custom field 'When' is of type date Correct the type under trackers.dev.fields.when." in said
    assert "error: the field 'Env' has no value 'Prod' Did you mean 'prod'?" in said
    assert "error: the field 'severity' has no value 'majr' Did you mean 'major'?" in said
    assert "error: the project has no custom field 'Marker'" in said


def test_a_list_that_mantis_makes_itself_is_not_checked(site: MantisSandbox) -> None:
    project = site.store.projects[1]
    project.fields = tuple(
        type(f)(f.id, f.name, f.type, ("=versions",)) if f.name == "Env" else f for f in project.fields
    )
    fields = {"environment": {"id": "Env", "type": "select", "values": {"old": "1.0"}}}
    assert [f for f in findings(site, fields=fields) if f.level != "ok"] == []


def test_a_field_that_the_account_sees_but_may_not_write_is_named_with_both_remedies(site: MantisSandbox) -> None:
    site.change_settings(hub_level=25)
    project = site.store.projects[1]
    project.fields = tuple(
        type(f)(f.id, f.name, f.type, f.possible, f.read_level, 55) if f.name == "Env" else f for f in project.fields
    )
    said = words(findings(site, fields={"environment": {"id": "Env", "type": "select"}}))
    assert (
        "error: the account may not write the custom field 'Env' Lower the field's write access from developer" in said
    )


def test_words_that_are_not_there_or_not_mapped_are_named_with_a_guess(site: MantisSandbox) -> None:
    said = words(
        findings(
            site,
            statuses={"open": ["confirmd"], "closed": ["resolved/wont fixx", "closed"]},
            priorities={"urgent": ["urgent"], "high": ["hi"]},
            resolution="fixd",
        )
    )
    assert "warning: the site has no status 'confirmd' (for open) Did you mean 'confirmed'?" in said
    assert (
        "warning: status 'acknowledged' is not mapped: it does not travel Put it under trackers.dev.statuses." in said
    )
    assert "warning: the site has no priority 'hi' (for high)" in said
    assert "warning: priority 'immediate' is not mapped" in said
    assert "error: the site has no resolution 'wont fixx' Did you mean 'wont fix'?" in said
    assert "error: the site has no resolution 'fixd' Did you mean 'fixed'?" in said


def test_a_wrong_token_says_where_it_stands_in_the_settings(site: MantisSandbox) -> None:
    with pytest.raises(AuthError) as error:
        findings(site, credentials={"api_token": "wrong"})
    assert "trackers.dev.credentials" in error.value.remedy


def test_a_check_writes_nothing(site: MantisSandbox) -> None:
    findings(site, marker_field="External ID", fields={"count": {"id": "Count", "type": "number"}})
    assert {r.method for r in site.requests.all()} == {"GET"}
