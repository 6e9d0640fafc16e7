"""Tickets of a knowledge base: whatever its columns are called, and whatever its rules refuse."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hub.connector import (
    Capability,
    Changes,
    Known,
    NotFoundError,
    PermanentError,
    RefusedError,
    RemoteLink,
    Unwritable,
)
from hub.text import canonical
from hub.ticket import Category, Priority, Status, Visibility
from plugins.agiloft.connector import AgiloftConnector
from plugins.agiloft.sandbox import AgiloftSandbox
from plugins.agiloft.sandbox.cast import AgiloftActor
from tests.plugins.agiloft.builders import MARK, a_comment, created
from tests.plugins.agiloft.conftest import connect, values_of, writes
from tests.plugins.clock import Clock


def test_a_ticket_is_read_from_the_columns_that_the_settings_name(
    connector: AgiloftConnector, site: AgiloftSandbox, customer: AgiloftActor, agent: AgiloftActor, clock: Clock
) -> None:
    ticket_id = customer.open_ticket("VPN drops", "Every\nhour.")
    agent.start(ticket_id)
    agent._change(
        ticket_id, tags="vpn, Needs Work", case_type="Incident", assigned_team="Experts", issue_url="https://x/1"
    )
    ticket = connector.read(f"#{ticket_id}", Known()).ticket
    assert (ticket.id, ticket.key, ticket.title, ticket.description) == (
        ticket_id, f"#{ticket_id}", "VPN drops", "Every\\\nhour.",
    )  # fmt: skip
    assert (ticket.status, ticket.priority, ticket.category, ticket.line) == (
        Status.OPEN, Priority.NORMAL, Category.INCIDENT, 2,
    )  # fmt: skip
    assert ticket.native == {"status": "Assigned", "priority": "Medium", "category": "Incident", "team": "Experts"}
    assert ticket.assignee is not None
    assert ticket.assignee.id == "Agent One"
    assert ticket.requester is not None
    assert ticket.requester.email == "customer1@customers.example"
    assert ticket.labels == {"vpn", "Needs Work"}
    assert [link.url for link in ticket.links] == ["https://x/1"]
    assert ticket.updated == clock.now
    assert f"record={ticket_id}" in ticket.url


def test_a_read_costs_one_call_for_the_ticket_and_one_for_its_comments(
    connector: AgiloftConnector, site: AgiloftSandbox, agent: AgiloftActor
) -> None:
    ticket_id = agent.open_ticket("Quick", "Read me.")
    connector.identify()
    site.requests.clear()
    snapshot = connector.read(ticket_id, Known())
    assert [r.path.rpartition("Demo")[2] for r in site.requests] == [f"/case/{ticket_id}", "/case_comment/search"]
    site.requests.clear()
    known = Known(comment_count=snapshot.comment_count, must_read_comments=False)
    assert connector.read(ticket_id, known).comments is None
    assert len(site.requests) == 1


def test_what_the_hub_makes_carries_its_mark_and_the_settings_values(site: AgiloftSandbox) -> None:
    connector = connect(site, create_values={"assigned_team": "Service Desk", "assigned_person": ":Agent Two"})
    ticket_id = created(connector, labels=frozenset({"b", "a"}), values={"priority": Priority.URGENT})
    values = values_of(site, ticket_id)
    assert values["external_ref"] == MARK
    assert (values["assigned_team"], values["assigned_person"]) == ("Service Desk", "Agent Two")
    assert (values["wfstate"], values["priority"], values["tags"]) == ("New", "Urgent", "a, b")
    assert (values["submitter_name"], values["submitter_email"]) == ("Customer One", "customer1@customers.example")
    connector.close()


def test_who_asked_stays_unnamed_where_the_ticket_is_private(site: AgiloftSandbox, connector: AgiloftConnector) -> None:
    ticket_id = created(connector, visibility=Visibility.PRIVATE)
    assert "submitter_email" not in values_of(site, ticket_id)


def test_a_mark_is_found_whole_or_not_at_all(connector: AgiloftConnector) -> None:
    ticket_id = created(connector)
    found = connector.find_ticket(MARK)
    assert found is not None
    assert found.id == ticket_id
    assert connector.find_ticket(MARK.upper()) is None
    assert connector.find_ticket(MARK[:-1]) is None


def test_linked_columns_are_written_by_what_they_show(connector: AgiloftConnector, site: AgiloftSandbox) -> None:
    ticket_id = created(connector)
    with site.lock:
        site.kb.tables["contacts"].records[3].values["full_name"] = "Who: me? \\ you"
    connector.update(ticket_id, Changes(values={"assignee": "Who: me? \\ you"}), None)
    assert values_of(site, ticket_id)["assigned_person"] == "Who: me? \\ you"
    connector.update(ticket_id, Changes(values={"assignee": None}), None)
    assert values_of(site, ticket_id)["assigned_person"] is None


def test_labels_share_a_column_that_is_read_again_just_before(
    connector: AgiloftConnector, site: AgiloftSandbox, agent: AgiloftActor
) -> None:
    ticket_id = created(connector, labels=frozenset({"one"}))
    basis = connector.read(ticket_id, Known())
    agent._change(ticket_id, tags="one, by a person")
    connector.update(ticket_id, Changes(add_labels=frozenset({"two"}), remove_labels=frozenset({"one"})), basis)
    assert values_of(site, ticket_id)["tags"] == "by a person, two"


def test_labels_may_stand_in_a_multi_choice(site: AgiloftSandbox) -> None:
    connector = connect(site, columns={"labels": "products"}, labels_type="multichoice")
    ticket_id = created(connector, labels=frozenset({"Mail"}))
    connector.update(ticket_id, Changes(add_labels=frozenset({"VPN"})), None)
    assert connector.read(ticket_id, Known()).ticket.labels == {"Mail", "VPN"}
    with pytest.raises(RefusedError) as refused:
        connector.update(ticket_id, Changes(add_labels=frozenset({"unheard of"})), None)
    assert set(refused.value.fields) == {"labels"}
    connector.close()


def test_without_a_column_for_labels_they_are_refused_with_what_to_do(site: AgiloftSandbox) -> None:
    connector = connect(site, columns={"labels": ""})
    with pytest.raises(RefusedError, match=r"columns\.labels"):
        connector.update(created(connector), Changes(add_labels=frozenset({"x"})), None)
    connector.close()


@pytest.mark.parametrize(
    ("name", "value", "held"),
    [
        ("severity", "high", "Major"),
        ("severity", "Critical", "Critical"),
        ("found_in", "1.2", "1.2"),
        ("affected", 12, 12),
        ("products", ("mail", "VPN"), ["Mail", "VPN"]),
    ],
)
def test_custom_columns_are_written_and_read_in_their_own_form(
    connector: AgiloftConnector, site: AgiloftSandbox, name: str, value: object, held: object
) -> None:
    column = {"severity": "severity", "found_in": "found_in", "affected": "users_affected", "products": "products"}[
        name
    ]
    ticket_id = created(connector)
    foretold = connector.hold(f"custom:{name}", value)  # type: ignore[arg-type]  # each is one of Value's
    connector.update(ticket_id, Changes(values={f"custom:{name}": value}), None)  # type: ignore[dict-item]
    assert values_of(site, ticket_id)[column] == held
    assert connector.read(ticket_id, Known()).ticket.custom[name] == foretold
    connector.update(ticket_id, Changes(values={f"custom:{name}": None}), None)
    assert connector.read(ticket_id, Known()).ticket.custom[name] is None


def test_what_is_no_number_has_no_form_in_a_column_of_numbers(connector: AgiloftConnector) -> None:
    with pytest.raises(Unwritable, match="users_affected of support takes no 'many'"):
        connector.hold("custom:affected", "many")


def test_what_has_no_column_is_never_written(site: AgiloftSandbox) -> None:
    connector = connect(site, columns={"category": "", "assignee": ""})
    with pytest.raises(Unwritable, match=r"columns\.category"):
        connector.hold("category", Category.BUG)
    ticket_id = created(connector, values={"category": Category.BUG})
    assert values_of(site, ticket_id).get("case_type") is None
    connector.close()


# -- refusals -----------------------------------------------------------------------------------------------------


def test_a_wrong_word_is_blamed_on_its_own_field(site: AgiloftSandbox) -> None:
    connector = connect(site, priorities={"low": ["Tiny"]})
    ticket_id = created(connector)
    changes = Changes(values={"priority": Priority.LOW, "title": "Renamed"})
    with pytest.raises(RefusedError) as refused:
        connector.update(ticket_id, changes, None)
    assert set(refused.value.fields) == {"priority"}
    connector.update(ticket_id, changes.without(["priority"]), None)
    assert values_of(site, ticket_id)["summary"] == "Renamed"
    connector.close()


def test_a_rule_that_names_no_column_is_found_out_about_and_the_rest_is_written(
    connector: AgiloftConnector, site: AgiloftSandbox, agent: AgiloftActor
) -> None:
    ticket_id = created(connector)
    connector.update(ticket_id, Changes(values={"status": Status.OPEN}), None)
    agent._change(ticket_id, wfstate="Closed")
    with pytest.raises(RefusedError) as refused:
        connector.update(ticket_id, Changes(values={"status": Status.PENDING, "title": "Renamed"}), None)
    assert set(refused.value.fields) == {"status"}
    assert "A case that is Closed cannot become Pending" in refused.value.fields["status"]
    assert (values_of(site, ticket_id)["summary"], values_of(site, ticket_id)["wfstate"]) == ("Renamed", "Closed")


def test_a_single_field_needs_no_finding_out(connector: AgiloftConnector, site: AgiloftSandbox) -> None:
    ticket_id = created(connector)
    site.requests.clear()
    with pytest.raises(RefusedError) as refused:
        connector.update(ticket_id, Changes(values={"status": Status.CLOSED}), None)
    assert set(refused.value.fields) == {"status"}
    assert writes(site) == [f"PUT /case/{ticket_id}"]


def test_what_new_records_need_is_told_with_the_setting_that_gives_it(site: AgiloftSandbox) -> None:
    connector = connect(site, columns={"title": "found_in"})
    with pytest.raises(PermanentError, match="create_values") as refused:
        created(connector)
    assert "The required field Summary is empty" in refused.value.why
    assert not isinstance(refused.value, RefusedError)
    connector.close()


def test_a_deleted_ticket_is_not_found(connector: AgiloftConnector, site: AgiloftSandbox) -> None:
    ticket_id = created(connector)
    with site.lock:
        del site.kb.tables["case"].records[int(ticket_id)]
    with pytest.raises(NotFoundError):
        connector.read(ticket_id, Known())
    with pytest.raises(NotFoundError):
        connector.update(ticket_id, Changes(values={"title": "x"}), None)


def test_an_id_that_is_no_number_is_asked_for_nowhere(connector: AgiloftConnector, site: AgiloftSandbox) -> None:
    with pytest.raises(NotFoundError):
        connector.read("../login", Known())
    assert len(site.requests) == 0


# -- people, links, capabilities ----------------------------------------------------------------------------------


def test_people_are_found_by_their_address_and_known_by_what_columns_show(connector: AgiloftConnector) -> None:
    found = connector.find_person("AGENT1@helpdesk.example")
    assert found is not None
    assert (found.id, found.email) == ("Agent One", "agent1@helpdesk.example")
    assert connector.find_person("o'hara@example.com") is None


def test_a_link_stands_in_its_column_and_in_a_private_note(connector: AgiloftConnector, site: AgiloftSandbox) -> None:
    ticket_id = created(connector)
    link = RemoteLink(
        "g:1", "https://jira.example/browse/OPS_1", "OPS_1", "x", "dev", note=canonical("Issue **OPS_1**.")
    )
    note = connector.write_link(ticket_id, link)
    assert note is not None
    assert note.visibility is Visibility.PRIVATE
    assert values_of(site, ticket_id)["issue_url"] == link.url
    assert link.url in values_of(site, note.id, "case_comment")["comment_text"]
    connector.remove_link(ticket_id, "g:2")
    assert values_of(site, ticket_id)["issue_url"] == link.url
    connector.remove_link(ticket_id, "g:1")
    assert values_of(site, ticket_id)["issue_url"] is None
    assert connector.find_comment(ticket_id, "g:1") is None


def test_an_address_that_a_person_wrote_stays_when_the_link_goes(
    connector: AgiloftConnector, site: AgiloftSandbox, agent: AgiloftActor
) -> None:
    ticket_id = created(connector)
    connector.write_link(ticket_id, RemoteLink("g:1", "https://jira.example/1", "OPS-1", "x", "dev"))
    agent._change(ticket_id, issue_url="https://elsewhere.example/9")
    connector.remove_link(ticket_id, "g:1")
    assert values_of(site, ticket_id)["issue_url"] == "https://elsewhere.example/9"


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        (
            {"comments": None},
            {
                "comments",
                "private_comments",
                "edit_comments",
                "delete_comments",
                "remote_links",
                "attachments_in_comments",
            },
        ),
        ({"comments": {"attachments": ""}}, {"attachments_in_comments"}),
        (
            {"comments": {"attachments": ""}, "columns": {"private_attachments": ""}},
            {"attachments", "attachments_in_comments"},
        ),
        ({"people": None}, {"users"}),
        ({"comments": {"visibility": "", "all_are": "public"}}, {"private_comments", "remote_links"}),
        ({"comments": {"visibility": "", "all_are": "private"}}, set()),
    ],
)
def test_what_has_no_place_in_the_settings_is_not_offered(
    site: AgiloftSandbox, more: dict[str, object], missing: set[str]
) -> None:
    full = connect(site)
    connector = connect(site, **more)
    assert full.capabilities - connector.capabilities == {Capability(name) for name in missing}
    connector.close()
    full.close()


def test_comments_that_are_all_private_are_read_and_written_as_such(site: AgiloftSandbox, agent: AgiloftActor) -> None:
    connector = connect(site, comments={"visibility": "", "all_are": "private"})
    ticket_id = created(connector)
    agent.say(ticket_id, "Anybody?", public=True)
    assert connector.add_comment(ticket_id, a_comment("Here.")).visibility is Visibility.PRIVATE
    assert {c.visibility for c in connector.read(ticket_id, Known()).comments or ()} == {Visibility.PRIVATE}
    connector.close()


def test_times_are_read_in_the_zone_of_the_settings(site: AgiloftSandbox, clock: Clock, agent: AgiloftActor) -> None:
    site.kb.zone = ZoneInfo("America/New_York")
    clock.now = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    connector = connect(site, time_zone="America/New_York")
    ticket = connector.read(agent.open_ticket("When", "x"), Known()).ticket
    assert (ticket.created, ticket.updated) == (clock.now, clock.now)
    connector.close()
