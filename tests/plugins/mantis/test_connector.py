"""The MantisBT connector against the sandbox: reading and writing issues."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from hub.connector import (
    Changes,
    ConflictError,
    Draft,
    Known,
    NotFoundError,
    RefusedError,
    Unwritable,
)
from hub.text import canonical
from hub.ticket import Markdown, Priority, Status, Value, Visibility
from plugins.mantis.connector import MantisConnector
from plugins.mantis.sandbox import MantisSandbox
from tests.plugins.clock import Clock
from tests.plugins.mantis.conftest import connect

MARK = "support-7-0a1b2c3d-1"
FIELDS = {
    "reference": {"id": "External ID"},
    "environment": {"id": "2", "type": "select", "values": {"production": "prod"}},
    "count": {"id": "Count", "type": "number"},
    "options": {"id": "Opts", "type": "multiselect"},
    "when": {"id": "When", "type": "date"},
    "severity": {"id": "severity", "type": "select"},
}


def created(connector: MantisConnector, **more: object) -> str:
    draft = {"marker": MARK, "title": "A bug", "description": canonical("It breaks."), **more}
    return connector.create(Draft(**draft)).id  # type: ignore[arg-type]


def test_what_is_created_with_every_field_is_read_back(site: MantisSandbox) -> None:
    connector = connect(site, fields=FIELDS)
    values: dict[str, Value] = {
        "priority": Priority.HIGH,
        "assignee": "3",
        "custom:reference": "support:7",
        "custom:environment": "production",
        "custom:count": 7,
        "custom:options": ("a", "c"),
        "custom:when": datetime(2026, 3, 29, tzinfo=UTC),
        "custom:severity": "crash",
    }
    ticket = connector.read(created(connector, values=values, labels=frozenset({"vip"})), Known()).ticket
    assert (ticket.title, str(ticket.description), set(ticket.labels)) == ("A bug", "It breaks.", {"vip"})
    assert ticket.priority is Priority.HIGH
    assert {f"custom:{k}": v for k, v in ticket.custom.items()} == {k: v for k, v in values.items() if "custom" in k}
    assert ticket.assignee is not None
    assert ticket.assignee.name == "dev"
    assert (ticket.key, ticket.url) == ("#1", f"{site.url}/view.php?id=1")
    connector.close()


def test_an_issue_is_read_by_number_or_by_what_people_call_it_in_one_call(
    connector: MantisConnector, site: MantisSandbox
) -> None:
    issue = created(connector)
    connector.identify()
    site.requests.clear()
    assert connector.read(f"#{issue}", Known()).ticket.id == issue
    assert len(site.requests) == 1
    with pytest.raises(NotFoundError):
        connector.read("../users/1", Known())


def test_a_made_issue_is_found_by_its_mark_and_by_no_other(connector: MantisConnector) -> None:
    issue = created(connector)
    found = connector.find_ticket(MARK)
    assert found is not None
    assert found.id == issue
    assert connector.find_ticket(MARK + "1") is None
    assert connector.find_ticket(MARK[:-1]) is None


def test_an_issue_is_found_among_many_newer_ones(connector: MantisConnector, site: MantisSandbox) -> None:
    issue = created(connector)
    for number in range(120):
        site.changes.create(site.store.user("mgr"), a_body(f"number {number}"))
    found = connector.find_ticket(MARK)
    assert found is not None
    assert found.id == issue


def a_body(summary: str) -> dict[str, object]:
    return {"summary": summary, "description": "d", "project": {"name": "Alpha"}, "category": {"name": "UI"}}


def test_the_mark_may_stand_in_a_custom_field_beside_others(site: MantisSandbox) -> None:
    connector = connect(site, marker_field="External ID", fields={"count": FIELDS["count"]})
    issue = created(connector, values={"custom:count": 3})
    assert "additional_information" not in site.store.issues[int(issue)].texts
    found = connector.find_ticket(MARK)
    assert found is not None
    assert found.id == issue
    assert connector.read(issue, Known()).ticket.custom == {"count": 3}
    connector.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", "Better"),
        ("description", Markdown("Quite different.")),
        ("priority", Priority.URGENT),
        ("custom:environment", "production"),
        ("custom:environment", None),
        ("custom:severity", "block"),
        ("custom:when", datetime(2026, 10, 25, tzinfo=UTC)),
    ],
)
def test_each_field_is_changed_and_read_back_as_held(site: MantisSandbox, name: str, value: Value) -> None:
    connector = connect(site, fields=FIELDS)
    issue = created(connector, values={"custom:environment": "dev"})
    connector.update(issue, Changes(values={name: value}), None)
    ticket = connector.read(issue, Known()).ticket
    read = ticket.custom[name[7:]] if name.startswith("custom:") else getattr(ticket, name)
    assert read == connector.hold(name, value) == value
    connector.close()


def test_fields_and_labels_are_changed_in_one_call_where_the_lock_is_known(
    connector: MantisConnector, site: MantisSandbox
) -> None:
    issue = created(connector, labels=frozenset({"old", "kept"}))
    basis = connector.read(issue, Known())
    site.requests.clear()
    changes = Changes(values={"title": "Better"}, add_labels=frozenset({"new"}), remove_labels=frozenset({"old"}))
    written = connector.update(issue, changes, basis)
    assert [r.method for r in site.requests.all()] == ["PATCH"]
    snapshot = connector.read(issue, Known())
    assert (snapshot.ticket.title, set(snapshot.ticket.labels)) == ("Better", {"new", "kept"})
    assert snapshot.version == written.version != basis.version


def test_labels_are_changed_without_a_basis_and_leave_the_others_alone(connector: MantisConnector) -> None:
    issue = created(connector, labels=frozenset({"old", "kept"}))
    connector.update(issue, Changes(add_labels=frozenset({"new"}), remove_labels=frozenset({"old"})), None)
    assert connector.read(issue, Known()).ticket.labels == {"new", "kept"}


def test_a_write_on_an_issue_that_changed_since_is_a_conflict_and_writes_nothing(
    connector: MantisConnector, site: MantisSandbox
) -> None:
    issue = created(connector)
    basis = connector.read(issue, Known())
    site.changes.patch(site.store.user("mgr"), site.store.issues[1], {"summary": "Meanwhile"})
    with pytest.raises(ConflictError):
        connector.update(issue, Changes(values={"priority": Priority.HIGH}), basis)
    ticket = connector.read(issue, Known()).ticket
    assert (ticket.title, ticket.priority) == ("Meanwhile", Priority.NORMAL)


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.UNKNOWN])
def test_every_status_is_reached_and_read_back_as_held(connector: MantisConnector, status: Status) -> None:
    issue = created(connector)
    connector.transition(issue, status)
    assert connector.read(issue, Known()).ticket.status is connector.hold("status", status)


@pytest.mark.parametrize(
    ("first", "second"), list(itertools.permutations([Status.OPEN, Status.PENDING, Status.SOLVED], 2))
)
def test_a_status_is_reached_from_every_other(connector: MantisConnector, first: Status, second: Status) -> None:
    issue = created(connector)
    for status in (Status.SOLVED, first, second):
        connector.transition(issue, status)
    assert connector.read(issue, Known()).ticket.status is second


def test_resolving_and_opening_again_write_the_resolution_that_belongs_to_it(
    connector: MantisConnector, site: MantisSandbox
) -> None:
    issue = created(connector)
    connector.transition(issue, Status.SOLVED)
    assert site.store.issues[1].numbers["resolution"] == 20
    connector.transition(issue, Status.OPEN)
    assert site.store.issues[1].numbers["resolution"] == 30


def test_the_resolution_that_an_engineer_chose_stays(connector: MantisConnector, site: MantisSandbox) -> None:
    issue = created(connector)
    site.changes.patch(
        site.store.user("mgr"),
        site.store.issues[1],
        {"status": {"name": "resolved"}, "resolution": {"name": "wont fix"}},
    )
    connector.transition(issue, Status.CLOSED)
    assert site.store.issues[1].numbers["resolution"] == 90


def test_a_status_may_be_one_together_with_its_resolution(site: MantisSandbox) -> None:
    connector = connect(site, statuses={"closed": ["resolved/wont fix", "closed"]})
    issue = created(connector)
    connector.transition(issue, Status.CLOSED)
    assert (site.store.issues[1].numbers["status"], site.store.issues[1].numbers["resolution"]) == (80, 90)
    assert connector.read(issue, Known()).ticket.status is Status.CLOSED
    connector.transition(issue, Status.SOLVED)
    connector.close()


def test_the_hub_keeps_to_the_projects_workflow_hop_by_hop(site: MantisSandbox) -> None:
    connector = connect(site, project="Gamma")
    issue = created(connector)
    connector.transition(issue, Status.CLOSED)
    moves = [e["new_value"]["name"] for e in site.store.issues[1].history if e.get("message") == "Status"]
    assert moves == ["assigned", "resolved", "closed"]
    connector.close()


def test_a_status_that_no_way_leads_to_is_refused_with_where_one_leads(site: MantisSandbox) -> None:
    connector = connect(site, project="Gamma")
    issue = created(connector)
    with pytest.raises(RefusedError) as error:
        connector.transition(issue, Status.OPEN)
    assert "leads from new to assigned" in error.value.fields["status"]
    assert site.store.issues[1].numbers["status"] == 10
    connector.close()


def test_a_workflow_and_a_right_that_an_admin_has_changed_meanwhile_are_asked_for_again(site: MantisSandbox) -> None:
    connector = connect(site, project="Gamma")
    issue = created(connector)
    with pytest.raises(RefusedError):
        connector.transition(issue, Status.OPEN)
    site.store.projects[3].workflow["10"] += ",30:acknowledged"
    connector.transition(issue, Status.OPEN)
    assert site.store.issues[1].numbers["status"] == 30
    connector.close()

    site.change_settings(hub_level=55)
    connector = connect(site, fields={"secret": {"id": "Secret"}})
    issue, change = created(connector), Changes(values={"custom:secret": "x"})
    with pytest.raises(RefusedError):
        connector.update(issue, change, None)
    site.change_settings(hub_level=70)
    connector.update(issue, change, None)
    assert connector.read(issue, Known()).ticket.custom == {"secret": "x"}
    connector.close()


def test_a_status_that_the_site_does_not_have_is_refused_instead_of_stored_as_nothing(site: MantisSandbox) -> None:
    connector = connect(site, statuses={"pending": ["waiting"]})
    issue = created(connector)
    with pytest.raises(RefusedError) as error:
        connector.transition(issue, Status.PENDING)
    assert "waiting" in error.value.fields["status"]
    assert site.store.issues[1].numbers["status"] == 10
    connector.close()


def test_a_neutral_value_without_a_word_is_unwritable(connector: MantisConnector) -> None:
    with pytest.raises(Unwritable, match=r"trackers\.dev\.categories"):
        connector.hold("category", "bug")


def test_a_resolved_issue_is_read_only_for_who_is_no_manager_and_the_refusal_says_so(
    connector: MantisConnector, site: MantisSandbox
) -> None:
    issue = created(connector)
    connector.transition(issue, Status.SOLVED)
    site.change_settings(hub_level=55)
    with pytest.raises(RefusedError) as error:
        connector.update(issue, Changes(values={"title": "x", "priority": Priority.LOW}), None)
    assert set(error.value.fields) == {"title", "priority"}
    assert "update_readonly_bug_threshold" in error.value.remedy
    with pytest.raises(RefusedError) as error:
        connector.transition(issue, Status.OPEN)
    assert set(error.value.fields) == {"status"}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"assignee": "ghost"}, "assignee"),
        ({"assignee": "4711"}, "assignee"),
        ({"assignee": "4"}, "assignee"),
        ({"priority": Priority.HIGH}, "priority"),
        ({"custom:environment": "moon"}, "custom:environment"),
        ({"custom:secret": "x"}, "custom:secret"),
        ({"custom:unlinked": "x"}, "custom:unlinked"),
        ({"custom:severity": "enormous"}, "custom:severity"),
    ],
)
def test_what_mantis_would_drop_or_spoil_without_a_word_is_refused_and_nothing_is_written(
    site: MantisSandbox, values: dict[str, Value], field: str
) -> None:
    site.change_settings(hub_level=55)
    more = {"secret": {"id": "Secret"}, "unlinked": {"id": "Unlinked"}}
    connector = connect(site, fields={**FIELDS, **more}, priorities={"high": ["hoch"]})
    issue = created(connector)
    for attempt in (
        lambda: connector.update(issue, Changes(values={"title": "x", **values}), None),
        lambda: connector.create(Draft(marker="m", title="x", description=Markdown("x"), values=values)),
    ):
        with pytest.raises(RefusedError) as error:
            attempt()
        assert set(error.value.fields) == {field}
    assert [i.texts["summary"] for i in site.store.issues.values()] == ["A bug"]
    connector.close()


def test_an_assignee_is_taken_away(connector: MantisConnector, site: MantisSandbox) -> None:
    issue = created(connector, values={"assignee": "3"})
    assert site.store.issues[1].handler is site.store.user("dev")
    connector.update(issue, Changes(values={"assignee": None}), None)
    assert connector.read(issue, Known()).ticket.assignee is None


def test_a_wrong_category_of_the_settings_is_named(site: MantisSandbox) -> None:
    connector = connect(site, category="Only Gamma")
    with pytest.raises(RefusedError) as error:
        created(connector)
    assert "Only Gamma" in error.value.fields["category"]
    connector.close()


def test_a_new_issue_is_as_private_as_ticket_and_settings_want(site: MantisSandbox) -> None:
    connector, careful = connect(site), connect(site, view_state="private")
    created(connector)
    created(connector, visibility=Visibility.PRIVATE)
    created(careful)
    assert [i.numbers["view_state"] for i in site.store.issues.values()] == [10, 50, 50]
    connector.close()
    careful.close()


def test_an_issue_that_was_read_before_and_is_gone_was_deleted_and_another_number_is_not_found(
    connector: MantisConnector, site: MantisSandbox
) -> None:
    issue = created(connector)
    known = Known(version=connector.read(issue, Known()).version)
    site.changes.delete(site.store.user("mgr"), site.store.issues[1])
    gone = connector.read(issue, known)
    assert (gone.is_deleted, gone.ticket.id, gone.ticket.key) == (True, issue, "#1")
    with pytest.raises(NotFoundError):
        connector.read(issue, Known())


def test_an_issue_that_became_private_is_not_taken_for_deleted(connector: MantisConnector, site: MantisSandbox) -> None:
    site.changes.create(site.store.user("mgr"), a_body("seen by all"))
    known = Known(version=connector.read("1", Known()).version)
    site.store.issues[1].numbers["view_state"] = 50
    site.change_settings(hub_level=25)
    with pytest.raises(NotFoundError, match="private"):
        connector.read("1", known)


def test_a_private_issue_that_the_account_may_not_see_is_not_found(
    connector: MantisConnector, site: MantisSandbox
) -> None:
    site.changes.create(site.store.user("mgr"), {**a_body("hidden"), "view_state": {"name": "private"}})
    site.change_settings(hub_level=25)
    with pytest.raises(NotFoundError, match="private"):
        connector.read("1", Known())


@pytest.mark.parametrize("zone", ["UTC", "Europe/Warsaw", "America/Los_Angeles", "Pacific/Auckland"])
def test_times_are_utc_and_dates_stay_the_same_day_in_every_zone_of_the_account(site: MantisSandbox, zone: str) -> None:
    site.store.user("hub").time_zone = zone
    connector = connect(site, fields=FIELDS)
    day = datetime(2026, 10, 25, tzinfo=UTC)
    before = datetime.now(UTC).replace(microsecond=0)
    ticket = connector.read(created(connector, values={"custom:when": day}), Known()).ticket
    assert ticket.custom["when"] == day
    assert ticket.created is not None
    assert ticket.updated is not None
    assert before <= ticket.created <= ticket.updated <= datetime.now(UTC)
    assert ticket.updated.utcoffset() == UTC.utcoffset(None)
    connector.close()


def test_a_date_that_somebody_in_another_zone_wrote_is_the_day_they_meant(site: MantisSandbox) -> None:
    site.store.user("hub").time_zone = "Europe/Warsaw"
    connector = connect(site, fields=FIELDS)
    issue = created(connector)
    for midnight in ("2026-05-04T00:00:00+09:00", "2026-05-04T00:00:00-07:00", "2026-05-04T00:00:00+00:00"):
        seconds = int(datetime.fromisoformat(midnight).timestamp())
        site.store.issues[1].custom[3] = str(seconds)
        assert connector.read(issue, Known()).ticket.custom["when"] == datetime(2026, 5, 4, tzinfo=UTC)
    connector.close()


def test_times_within_a_second_are_told_apart_by_the_lock(site: MantisSandbox) -> None:
    clock = Clock()
    with MantisSandbox(clock=clock) as still:
        connector = connect(still)
        issue = created(connector)
        first = connector.read(issue, Known())
        connector.update(issue, Changes(values={"title": "x"}), first)
        second = connector.read(issue, Known())
        assert first.ticket.updated == second.ticket.updated
        assert first.version != second.version
        connector.close()
