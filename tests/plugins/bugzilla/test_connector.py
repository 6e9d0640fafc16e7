"""The Bugzilla connector against the sandbox, in every flavour."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.connector import Capability, Changes, Known, RefusedError, Unwritable
from hub.ticket import Category, Person, Priority, Value, Visibility
from plugins.bugzilla.connector import BugzillaConnector
from plugins.bugzilla.sandbox import BugzillaSandbox
from plugins.bugzilla.sandbox.cast import BugzillaActor
from tests.plugins.bugzilla.conftest import a_comment, calls, connect, created, seen

FIELDS = {
    "key": {"id": "cf_external_key"},
    "tier": {"id": "cf_tier", "type": "select", "values": {"gold": "Gold", "silver": "Silver"}},
    "where": {"id": "cf_platforms", "type": "multiselect"},
    "due": {"id": "cf_due_at", "type": "date"},
    "day": {"id": "cf_due_date", "type": "date"},
    "hits": {"id": "cf_hits", "type": "number"},
    "severity": {"id": "severity", "type": "select"},
    "version": {"id": "version", "type": "select"},
    "deadline": {"id": "deadline", "type": "date"},
}


def change(connector: BugzillaConnector, bug: str, **more: Any) -> None:
    connector.update(bug, Changes(**more), None)


def test_which_capabilities_there_are_depends_on_the_flavour_and_the_settings(
    connector: BugzillaConnector, site: BugzillaSandbox
) -> None:
    assert (Capability.WEBHOOKS in connector.capabilities) is (site.flavour == "bmo")
    assert Capability.EDIT_COMMENTS not in connector.capabilities
    without = connect(site, private_comments=False)
    assert Capability.PRIVATE_COMMENTS not in without.capabilities
    without.close()


def test_the_hub_is_known_by_its_login(connector: BugzillaConnector) -> None:
    who = connector.identify()
    assert (who.account_id, who.name) == ("hub@example.test", "Integration Hub")
    assert who.version


def test_a_key_goes_in_a_header_where_that_is_read_and_as_a_parameter_else(site: BugzillaSandbox) -> None:
    connector = connect(site)
    connector.identify()
    told = [record.query for record in site.requests.all()]
    assert any("Bugzilla_api_key" in query for query in told) is (site.flavour == "5.2")
    connector.close()


def test_a_bug_takes_its_place_from_the_settings_and_its_name_from_the_ticket(
    connector: BugzillaConnector, site: BugzillaSandbox
) -> None:
    bug = site.store.bugs[int(created(connector))]
    assert (bug.product.name, bug.component.name, bug.values["version"]) == ("Widgets", "Frontend", "unspecified")
    assert bug.alias == ["support-1-0a1b2c3d-1"]
    ticket = seen(connector, str(bug.id)).ticket
    assert (ticket.title, ticket.description) == ("It is broken", "Since yesterday.")
    assert ticket.requester == Person("hub@example.test", "Integration Hub", "hub@example.test")
    assert ticket.url == f"{site.url}/show_bug.cgi?id={bug.id}"


def test_a_bug_that_is_created_again_is_the_same_bug(connector: BugzillaConnector, site: BugzillaSandbox) -> None:
    assert created(connector) == created(connector)
    assert len(site.store.bugs) == 1


def test_a_marker_too_long_for_an_alias_is_found_by_its_short_form(connector: BugzillaConnector) -> None:
    marker = "a-tracker-with-a-very-long-name-4711-0a1b2c3d-12"
    bug = created(connector, marker)
    found = connector.find_ticket(marker)
    assert found is not None
    assert found.id == bug
    assert connector.find_ticket(marker + "3") is None


def test_a_marker_can_stand_in_a_field_of_ones_own_where_case_counts(site: BugzillaSandbox) -> None:
    connector = connect(site, marker_field="cf_external_key")
    bug = created(connector, "Support-1-0a1b2c3d-1")
    assert site.store.bugs[int(bug)].custom["cf_external_key"] == "Support-1-0a1b2c3d-1"
    assert site.store.bugs[int(bug)].alias == []
    assert connector.find_ticket("support-1-0a1b2c3d-1") is None
    found = connector.find_ticket("Support-1-0a1b2c3d-1")
    assert found is not None
    assert found.id == bug
    connector.close()


def test_a_read_costs_two_calls_and_a_third_for_files(connector: BugzillaConnector, site: BugzillaSandbox) -> None:
    bug = created(connector)
    seen(connector, bug)
    site.requests.clear()
    seen(connector, bug)
    assert calls(site) == [f"GET /bug/{bug}", f"GET /bug/{bug}/comment"]


def test_mozilla_saves_the_comments_when_their_number_is_known(mozilla: BugzillaSandbox) -> None:
    connector = connect(mozilla)
    bug = created(connector)
    count = seen(connector, bug).comment_count
    mozilla.requests.clear()
    snapshot = connector.read(bug, Known(comment_count=count, must_read_comments=False))
    assert (snapshot.comments, snapshot.ticket.description) == (None, None)
    assert calls(mozilla) == [f"GET /bug/{bug}"]
    connector.add_comment(bug, a_comment())
    assert connector.read(bug, Known(comment_count=count, must_read_comments=False)).comments is not None
    connector.close()


def test_people_are_asked_for_once(
    connector: BugzillaConnector, site: BugzillaSandbox, engineer: BugzillaActor
) -> None:
    bug = created(connector)
    engineer.say(bug, "I look at it.", public=True)
    (comment,) = seen(connector, bug).comments or ()
    assert comment.author == Person("enid@example.test", "Enid Gineer", "enid@example.test")
    site.requests.clear()
    seen(connector, bug)
    assert "GET /user" not in calls(site)


def test_somebody_is_found_by_address_unless_the_account_is_closed(connector: BugzillaConnector) -> None:
    assert connector.find_person("enid@example.test") == Person("enid@example.test", "Enid Gineer", "enid@example.test")
    assert connector.find_person("gone@example.test") is None
    assert connector.find_person("nobody.at.all@example.test") is None


# -- fields ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key", "ZD-42 zażółć"), ("key", None), ("tier", "gold"), ("tier", None), ("where", ("Web", "iOS")),
        ("where", ()), ("due", datetime(2026, 12, 24, tzinfo=UTC)), ("day", datetime(2026, 12, 24, tzinfo=UTC)),
        ("day", None), ("hits", 7), ("version", "2.0"), ("deadline", datetime(2027, 1, 2, tzinfo=UTC)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("zone", ["UTC", "Europe/Warsaw", "America/New_York"])
def test_a_field_holds_what_was_foretold_in_every_zone_of_the_server(
    site: BugzillaSandbox, name: str, value: Value, zone: str
) -> None:
    site.store.zone = ZoneInfo(zone)
    connector = connect(site, fields=FIELDS, time_zone=zone)
    bug = created(connector, values={"custom:key": "before", "custom:tier": "silver", "custom:where": ("Android",)})
    held = connector.hold(f"custom:{name}", value)
    change(connector, bug, values={f"custom:{name}": held})
    assert seen(connector, bug).ticket.custom[name] == held
    assert held == value
    connector.close()


def test_what_a_field_cannot_hold_is_refused_before_any_call(upstream: BugzillaSandbox) -> None:
    connector = connect(upstream, fields=FIELDS)
    for name, value in (("hits", 1.5), ("hits", None), ("severity", None)):
        with pytest.raises(Unwritable):
            connector.hold(f"custom:{name}", value)
    connector.close()


def test_every_field_that_this_bugzilla_does_not_take_is_named_at_once_and_nothing_is_written(
    upstream: BugzillaSandbox,
) -> None:
    fields = {**FIELDS, "lost": {"id": "cf_lost"}}
    connector = connect(upstream, fields=fields)
    bug = created(connector)
    values: dict[str, Value] = {"title": "New", "custom:lost": "x", "custom:tier": "Platinum", "custom:version": "9"}
    with pytest.raises(RefusedError) as refused:
        change(connector, bug, values=values)
    assert set(refused.value.fields) == {"custom:lost", "custom:tier", "custom:version"}
    assert "Gold" in refused.value.fields["custom:tier"]
    assert seen(connector, bug).ticket.title == "It is broken"
    connector.close()


def test_a_description_stays_as_it_was_written(connector: BugzillaConnector) -> None:
    bug = created(connector)
    with pytest.raises(RefusedError, match="as it was written") as refused:
        change(connector, bug, values={"description": "Another."})
    assert set(refused.value.fields) == {"description"}


def test_a_priority_is_written_in_the_word_that_the_installation_has(
    connector: BugzillaConnector, site: BugzillaSandbox
) -> None:
    bug = created(connector)
    assert seen(connector, bug).ticket.priority is Priority.NORMAL
    change(connector, bug, values={"priority": Priority.URGENT})
    assert site.store.bugs[int(bug)].values["priority"] == ("P1" if site.flavour == "bmo" else "Highest")
    assert seen(connector, bug).ticket.priority is Priority.URGENT


def test_mozilla_keeps_categories_as_types_and_upstream_has_none(
    connector: BugzillaConnector, site: BugzillaSandbox
) -> None:
    if site.flavour != "bmo":
        with pytest.raises(Unwritable, match="no types"):
            connector.hold("category", Category.BUG)
        return
    bug = created(connector, values={"category": Category.CHANGE_REQUEST})
    assert seen(connector, bug).ticket.category is Category.CHANGE_REQUEST
    assert seen(connector, created(connector, "other-1")).ticket.category is Category.BUG


def test_an_assignee_is_a_login_and_can_only_be_taken_off_where_somebody_stands_for_nobody(
    site: BugzillaSandbox,
) -> None:
    connector = connect(site, nobody="nobody@example.test")
    bug = created(connector)
    change(connector, bug, values={"assignee": "enid@example.test"})
    assert seen(connector, bug).ticket.assignee == Person("enid@example.test", "Enid Gineer", "enid@example.test")
    change(connector, bug, values={"assignee": None})
    assert seen(connector, bug).ticket.assignee is None
    assert site.store.bugs[int(bug)].assigned_to.login == "nobody@example.test"
    with pytest.raises(RefusedError) as refused:
        change(connector, bug, values={"assignee": "who@example.test"})
    assert set(refused.value.fields) == {"assignee"}
    connector.close()
    strict = connect(site)
    with pytest.raises(Unwritable, match="has an assignee"):
        strict.hold("assignee", None)
    strict.close()


# -- labels ---------------------------------------------------------------------------------------------------------


def test_a_label_is_a_keyword_where_there_is_one_and_stands_in_the_whiteboard_else(
    connector: BugzillaConnector, site: BugzillaSandbox
) -> None:
    bug = created(connector, labels=frozenset({"regression", "needs docs"}))
    kept = site.store.bugs[int(bug)]
    assert (kept.keywords, kept.values["whiteboard"]) == ({"regression"}, "[needs docs]")
    assert seen(connector, bug).ticket.labels == {"regression", "needs docs"}


def test_a_label_is_taken_off_where_it_stands_whatever_its_case(
    connector: BugzillaConnector, site: BugzillaSandbox
) -> None:
    bug = created(connector, labels=frozenset({"regression"}))
    kept = site.store.bugs[int(bug)]
    kept.values["whiteboard"] = "[Needs Docs][later]"
    change(connector, bug, remove_labels=frozenset({"regression", "needs docs"}))
    assert (kept.keywords, kept.values["whiteboard"]) == (set(), "[later]")


def test_what_people_wrote_in_the_whiteboard_stays(connector: BugzillaConnector, site: BugzillaSandbox) -> None:
    bug = created(connector)
    kept = site.store.bugs[int(bug)]
    kept.values["whiteboard"] = "waiting for [Vendor] until May"
    change(connector, bug, add_labels=frozenset({"urgent one"}), remove_labels=frozenset({"regression"}))
    assert kept.values["whiteboard"] == "waiting for [Vendor] until May [urgent one]"
    assert seen(connector, bug).ticket.labels == {"vendor", "urgent one"}
    change(connector, bug, remove_labels=frozenset({"urgent one"}))
    assert kept.values["whiteboard"].rstrip() == "waiting for [Vendor] until May"


def test_without_the_whiteboard_only_keywords_are_labels(upstream: BugzillaSandbox) -> None:
    connector = connect(upstream, whiteboard_labels=False)
    bug = created(connector)
    upstream.store.bugs[int(bug)].values["whiteboard"] = "[mine]"
    change(connector, bug, add_labels=frozenset({"security"}))
    assert seen(connector, bug).ticket.labels == {"security"}
    with pytest.raises(RefusedError, match="no keyword nonsense") as refused:
        change(connector, bug, add_labels=frozenset({"nonsense"}))
    assert set(refused.value.fields) == {"labels"}
    connector.close()


def test_a_whiteboard_cannot_hold_labels_and_be_a_field(upstream: BugzillaSandbox) -> None:
    with pytest.raises(ValueError, match="whiteboard_labels: false"):
        connect(upstream, fields={"notes": {"id": "whiteboard"}})
    connect(upstream, fields={"notes": {"id": "whiteboard"}}, whiteboard_labels=False).close()


# -- who may read ---------------------------------------------------------------------------------------------------


def test_ordinary_comments_are_private_unless_the_settings_say_otherwise(
    site: BugzillaSandbox, engineer: BugzillaActor
) -> None:
    connector = connect(site, plain_comments="private")
    bug = created(connector)
    engineer.say(bug, "Between us.", public=True)
    assert [c.visibility for c in seen(connector, bug).comments or ()] == [Visibility.PRIVATE]
    connector.close()


def test_what_is_said_in_a_bug_that_people_restrict_is_private(
    connector: BugzillaConnector, site: BugzillaSandbox, engineer: BugzillaActor
) -> None:
    bug = created(connector)
    engineer.say(bug, "A security hole.", public=True)
    site.store.bugs[int(bug)].groups.add("secretteam")
    site.store.users["hub@example.test"].groups.add("secretteam")
    assert [c.visibility for c in seen(connector, bug).comments or ()] == [Visibility.PRIVATE]
    expecting = connect(site, groups=["secretteam"])
    assert [c.visibility for c in seen(expecting, bug).comments or ()] == [Visibility.PUBLIC]
    expecting.close()


def test_a_private_draft_begins_with_a_private_description(connector: BugzillaConnector, site: BugzillaSandbox) -> None:
    bug = created(connector, visibility=Visibility.PRIVATE)
    assert site.store.bugs[int(bug)].comments[0].is_private
    assert seen(connector, bug).ticket.description == "Since yesterday."
