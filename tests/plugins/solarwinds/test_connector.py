"""The Service Desk connector against the sandbox: tickets, fields, people, links."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.connector import Changes, Known, NotFoundError, PermanentError, RefusedError, RemoteLink, Unwritable
from hub.text import canonical
from hub.ticket import Category, Channel, Person, Priority, Status, Visibility
from plugins.solarwinds.connector import SolarwindsConnector
from plugins.solarwinds.sandbox import SolarwindsSandbox
from tests.plugins.clock import Clock
from tests.plugins.solarwinds.builders import CUSTOMER, MARK, a_draft, created, open_tickets
from tests.plugins.solarwinds.conftest import connect

CUSTOM: dict[str, Any] = {
    "severity": "high",
    "environment": "a laptop",
    "affected": 12,
    "regression": True,
    "found": datetime(2026, 2, 3, tzinfo=UTC),
}


def test_what_is_created_is_read_back_field_by_field(connector: SolarwindsConnector, site: SolarwindsSandbox) -> None:
    agent = site.people()["agent1"]["id"]
    values = {
        "priority": Priority.HIGH,
        "assignee": agent,
        "status": Status.PENDING,
        **{f"custom:{name}": value for name, value in CUSTOM.items()},
    }
    made = connector.create(a_draft(values=values, labels=frozenset({"vip", "two words"})))
    ticket = connector.read(made.id, Known()).ticket
    assert (ticket.key, ticket.url) == (made.key, made.url)
    assert ticket.key == f"#{site.store.incidents[int(made.id)].number}"
    assert (ticket.title, ticket.description) == ("A fault", "It **breaks**.")
    assert (ticket.priority, ticket.status, ticket.category) == (Priority.HIGH, Status.PENDING, Category.INCIDENT)
    assert ticket.custom == CUSTOM
    assert ticket.labels == {"vip", "two words"}
    assert ticket.assignee == Person(agent, "Agent One", "agent1@helpdesk.example", True)
    assert ticket.requester is not None
    assert (ticket.requester.name, ticket.requester.email) == ("Customer 1", CUSTOMER.email)
    assert (ticket.organisation, ticket.channel) == ("Headquarters", Channel.API)
    assert ticket.native == {"status": "Awaiting Input", "priority": "High"}
    assert ticket.updated is not None
    assert ticket.updated.tzinfo is UTC


def test_one_call_reads_a_ticket_with_its_comments_and_files(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    ticket_id = created(connector)
    connector.read(ticket_id, Known())
    site.requests.clear()
    connector.read(ticket_id, Known(comment_count=0))
    assert [r.path for r in site.requests] == [f"/incidents/{ticket_id}.json"]


def test_a_ticket_is_read_by_its_number_too(connector: SolarwindsConnector, site: SolarwindsSandbox) -> None:
    made = connector.create(a_draft())
    assert connector.read(made.key, Known()).ticket.id == made.id
    assert connector.read(made.key.removeprefix("#"), Known()).ticket.id == made.id
    site.store.incidents[int(made.id)].name = "about #60999"
    with pytest.raises(NotFoundError, match="no ticket #60999"):
        connector.read("#60999", Known())


@pytest.mark.parametrize("requester", [None, Person("", "No Address")])
def test_without_an_address_the_hub_itself_asks(connector: SolarwindsConnector, requester: Person | None) -> None:
    ticket = connector.read(created(connector, requester=requester), Known()).ticket
    assert ticket.requester is not None
    assert ticket.requester.id == connector.identify().account_id


def test_a_private_description_is_not_asked_by_the_customer_who_could_read_it(connector: SolarwindsConnector) -> None:
    ticket = connector.read(created(connector, visibility=Visibility.PRIVATE), Known()).ticket
    assert ticket.requester is not None
    assert ticket.requester.email != CUSTOMER.email


def test_a_requester_whom_the_account_does_not_take_is_told_with_what_to_do(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    stranger = Person("", "A Stranger", "stranger@customers.example")
    site.change_settings(takes_strangers=0)
    with pytest.raises(PermanentError, match="registered requester") as error:
        created(connector, requester=stranger)
    assert "Setup > Users" in error.value.remedy
    site.change_settings(takes_strangers=1)
    ticket = connector.read(created(connector, requester=stranger), Known()).ticket
    assert ticket.requester is not None
    assert ticket.requester.email == stranger.email


def test_fields_that_every_ticket_must_have_come_from_the_settings(site: SolarwindsSandbox) -> None:
    connector = connect(site, create_fields={"site": {"name": "Boston"}, "priority": "Low"})
    ticket = connector.read(created(connector), Known()).ticket
    assert (ticket.organisation, ticket.priority) == ("Boston", Priority.LOW)
    connector.close()


@pytest.mark.parametrize("marker", [MARK, 'odd "mark" & <ą>', "hub:a_b:dev:x:1"])
def test_a_made_ticket_is_found_by_its_mark_which_nobody_reads_in_its_text(
    connector: SolarwindsConnector, marker: str
) -> None:
    made = created(connector, marker=marker)
    found = connector.find_ticket(marker)
    assert found is not None
    assert found.id == made
    assert connector.find_ticket(marker + "1") is None
    assert connector.read(made, Known()).ticket.description == "It **breaks**."


def test_a_mark_is_found_although_the_search_lags_and_by_the_search_once_the_ticket_is_old(
    connector: SolarwindsConnector, site: SolarwindsSandbox, clock: Clock
) -> None:
    site.change_settings(search_lag=300)
    made = created(connector)
    found = connector.find_ticket(MARK)
    assert found is not None
    clock.forward(minutes=6)
    open_tickets(site, 100)
    again = connector.find_ticket(MARK)
    assert again is not None
    assert (found.id, again.id) == (made, made)


def test_of_two_tickets_with_one_mark_the_older_counts(connector: SolarwindsConnector, site: SolarwindsSandbox) -> None:
    made = created(connector)
    (quoting,) = open_tickets(site, 1)
    site.store.incidents[int(quoting)].description = site.store.incidents[int(made)].description
    found = connector.find_ticket(MARK)
    assert found is not None
    assert found.id == made


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", "Another title"),
        ("description", "Another *description*"),
        ("priority", Priority.URGENT),
        ("status", Status.ON_HOLD),
        *((f"custom:{name}", value) for name, value in CUSTOM.items()),
    ],
)
def test_each_field_is_changed_by_one_call(
    connector: SolarwindsConnector, site: SolarwindsSandbox, name: str, value: Any
) -> None:
    ticket_id = created(connector)
    site.requests.clear()
    connector.update(ticket_id, Changes(values={name: value}), None)
    assert len(site.requests) == 1
    ticket = connector.read(ticket_id, Known()).ticket
    seen = ticket.custom[name[7:]] if name.startswith("custom:") else getattr(ticket, name)
    assert seen == value


@pytest.mark.parametrize("name", ["severity", "environment", "affected", "found", "regression"])
def test_a_custom_field_is_cleared(connector: SolarwindsConnector, name: str) -> None:
    ticket_id = created(connector, values={f"custom:{name}": CUSTOM[name]})
    connector.update(ticket_id, Changes(values={f"custom:{name}": None}), None)
    assert connector.read(ticket_id, Known()).ticket.custom[name] is None


def test_an_assignee_is_set_and_cleared(connector: SolarwindsConnector) -> None:
    ticket_id = created(connector)
    person = connector.find_person("AGENT2@helpdesk.example")
    assert person is not None
    connector.update(ticket_id, Changes(values={"assignee": person.id}), None)
    seen = connector.read(ticket_id, Known()).ticket.assignee
    assert seen is not None
    assert (seen.id, seen.email) == (person.id, person.email)
    connector.update(ticket_id, Changes(values={"assignee": None}), None)
    assert connector.read(ticket_id, Known()).ticket.assignee is None


def test_labels_are_changed_beside_those_that_somebody_added_since_the_last_look(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    ticket_id = created(connector, labels=frozenset({"old", "stays"}))
    basis = connector.read(ticket_id, Known())
    site.store.incidents[int(ticket_id)].tags.append("by-an-agent")
    changes = Changes(add_labels=frozenset({"new"}), remove_labels=frozenset({"old"}))
    connector.update(ticket_id, changes, basis)
    assert connector.read(ticket_id, Known()).ticket.labels == {"stays", "by-an-agent", "new"}


def test_tags_that_are_left_out_without_a_word_are_refused_by_name(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    ticket_id = created(connector)
    site.change_settings(ignores_tags=1)
    with pytest.raises(RefusedError) as error:
        connector.update(ticket_id, Changes(values={"title": "kept"}, add_labels=frozenset({"new"})), None)
    assert set(error.value.fields) == {"labels"}
    assert connector.read(ticket_id, Known()).ticket.title == "kept"


def test_custom_values_that_are_left_out_without_a_word_are_refused_by_name(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    ticket_id = created(connector)
    site.change_settings(ignores_custom_fields=1)
    values: dict[str, Any] = {"custom:affected": 3, "custom:regression": False, "title": "kept"}
    with pytest.raises(RefusedError) as error:
        connector.update(ticket_id, Changes(values=values), None)
    assert set(error.value.fields) == {"custom:affected"}


def test_a_state_that_is_left_out_without_a_word_is_refused_and_does_not_come_back_as_a_persons_change(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    ticket_id = created(connector)
    site.change_settings(ignores_state=1)
    with pytest.raises(RefusedError) as error:
        connector.update(ticket_id, Changes(values={"status": Status.SOLVED, "title": "kept"}), None)
    assert set(error.value.fields) == {"status"}
    assert "kept new instead of solved" in error.value.fields["status"]


@pytest.mark.parametrize("label", ["a, b", "  two   words ", "x" * 300, 'a "quoted" one', "zażółć"])
def test_a_label_is_held_in_the_form_that_is_read_back(connector: SolarwindsConnector, label: str) -> None:
    held = connector.hold_label(label)
    ticket_id = created(connector, labels=frozenset({held}))
    assert connector.read(ticket_id, Known()).ticket.labels == {held}
    assert connector.hold_label(held) == held


@pytest.mark.parametrize("title", ["x" * 300, "two\nlines", " x ", 'quotes " and & <b>'])
def test_a_title_is_held_in_the_form_that_is_read_back(connector: SolarwindsConnector, title: str) -> None:
    held = connector.hold("title", title)
    ticket_id = created(connector, title=held)
    assert connector.read(ticket_id, Known()).ticket.title == held


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("found", datetime(2026, 2, 3, 17, 45, tzinfo=UTC)),
        ("affected", 3.0),
        ("affected", "12"),
        ("regression", None),
        ("regression", False),
        ("environment", 7),
        ("environment", ""),
        ("environment", "two\n lines "),
        ("severity", "low"),
        ("severity", "Critical"),
    ],
)
def test_a_custom_value_is_held_in_the_form_that_is_read_back(
    connector: SolarwindsConnector, name: str, value: Any
) -> None:
    held = connector.hold(f"custom:{name}", value)
    ticket_id = created(connector, values={f"custom:{name}": held})
    assert connector.read(ticket_id, Known()).ticket.custom[name] == held
    assert connector.hold(f"custom:{name}", held) == held


@pytest.mark.parametrize(("name", "value"), [("affected", "many"), ("found", "tomorrow")])
def test_a_custom_value_of_another_type_is_unwritable(connector: SolarwindsConnector, name: str, value: str) -> None:
    with pytest.raises(Unwritable, match="support"):
        connector.hold(f"custom:{name}", value)


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.UNKNOWN])
def test_a_status_is_held_in_the_form_that_is_read_back(connector: SolarwindsConnector, status: Status) -> None:
    ticket_id = created(connector)
    connector.update(ticket_id, Changes(values={"status": status}), None)
    assert connector.read(ticket_id, Known()).ticket.status is connector.hold("status", status)


def test_a_state_of_the_accounts_own_is_unknown_until_it_is_named(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    ticket_id = created(connector)
    site.store.incidents[int(ticket_id)].state = "Waiting for parts"
    ticket = connector.read(ticket_id, Known()).ticket
    assert (ticket.status, ticket.native["status"]) == (Status.UNKNOWN, "Waiting for parts")
    named = connect(site, statuses={"on_hold": ["On Hold", "waiting for parts"]})
    assert named.read(ticket_id, Known()).ticket.status is Status.ON_HOLD
    named.close()


def test_a_priority_that_nobody_chose_does_not_travel(connector: SolarwindsConnector) -> None:
    assert connector.read(created(connector), Known()).ticket.priority is Priority.UNKNOWN


def test_a_change_of_state_that_the_account_forbids_is_refused_by_name(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    site.change_settings(closed_is_final=1)
    ticket_id = created(connector, values={"status": Status.CLOSED})
    with pytest.raises(RefusedError) as error:
        connector.update(ticket_id, Changes(values={"status": Status.OPEN, "title": "x"}), None)
    assert error.value.fields == {"status": "transition not allowed"}


def test_what_solving_asks_for_comes_from_the_settings(site: SolarwindsSandbox) -> None:
    site.change_settings(needs_resolution_code=1)
    connector = connect(site, solve_fields={"resolution_code": "Solved"})
    ticket_id = created(connector)
    connector.update(ticket_id, Changes(values={"status": Status.PENDING}), None)
    assert site.store.incidents[int(ticket_id)].resolution_code is None
    connector.update(ticket_id, Changes(values={"status": Status.SOLVED}), None)
    assert site.store.incidents[int(ticket_id)].resolution_code == "Solved"
    connector.close()


def test_a_service_request_and_the_accounts_own_categories_are_known(site: SolarwindsSandbox) -> None:
    connector = connect(site, categories={"change_request": ["Change"]})
    ticket_id = created(connector)
    incident = site.store.incidents[int(ticket_id)]
    seen = []
    for is_request, category in ((False, None), (True, "Hardware"), (True, "Change"), (False, "Change")):
        incident.is_service_request, incident.category = is_request, category
        seen.append(connector.read(ticket_id, Known()).ticket.category)
    assert seen == [
        Category.INCIDENT, Category.SERVICE_REQUEST, Category.CHANGE_REQUEST, Category.CHANGE_REQUEST,
    ]  # fmt: skip
    other = created(connector)
    connector.update(other, Changes(values={"category": Category.CHANGE_REQUEST}), None)
    assert site.store.incidents[int(other)].category == "Change"
    with pytest.raises(Unwritable, match="categories"):
        connector.hold("category", Category.SERVICE_REQUEST)
    connector.close()


def test_changes_that_an_incident_hangs_on_are_shown_as_links(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    ticket_id = created(connector)
    site.store.incidents[int(ticket_id)].changes = [77]
    (link,) = connector.read(ticket_id, Known()).ticket.links
    assert (link.url, link.title) == (f"{site.url}/changes/77", "change 77")


def test_groups_are_support_lines_by_name_or_by_number(site: SolarwindsSandbox) -> None:
    connector = connect(site, lines={1: "Helpdesk", 2: [91_002]})
    ticket_id = created(connector)
    lines = []
    for group in (91_001, 91_002, None):
        site.store.incidents[int(ticket_id)].group_id = group
        lines.append(connector.read(ticket_id, Known()).ticket.line)
    assert lines == [1, 2, None]
    connector.close()


def test_people_are_found_by_exactly_this_address_unless_they_are_disabled(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    found = connector.find_person("Customer1@Customers.example")
    assert found is not None
    assert found.name == "Customer 1"
    assert connector.find_person("customer") is None
    site.store.by_login("customer1").disabled = True
    assert connector.find_person("customer1@customers.example") is None


@pytest.mark.parametrize("claim", ["user_id", "user_ic"])
def test_the_token_itself_tells_whose_it_is(site: SolarwindsSandbox, claim: str) -> None:
    hub = site.store.by_login("hub")
    connector = connect(site, credentials={"token": site.store.renew_token(hub, claim)})
    assert connector.identify().account_id == str(hub.id)
    assert [r.path for r in site.requests] == [f"/users/{hub.id}.json"]
    connector.close()


def test_a_token_that_tells_nothing_is_asked_about(site: SolarwindsSandbox) -> None:
    hub = site.store.by_login("hub")
    hub.token = "not-a-json-web-token"
    connector = connect(site, credentials={"token": hub.token})
    assert connector.identify().account_id == str(hub.id)
    connector.close()


def test_a_link_is_a_private_note_that_is_found_and_taken_back(connector: SolarwindsConnector) -> None:
    ticket_id = created(connector)
    link = RemoteLink("hub:4f54fba6:dev:1", "http://dev.example/OPS-1", "OPS-1", "A bug", "dev")
    written = connector.write_link(ticket_id, link)
    assert written is not None
    assert written.visibility is Visibility.PRIVATE
    assert connector.find_comment(ticket_id, link.global_id) == written
    (note,) = connector.read(ticket_id, Known()).comments or ()
    assert (note.visibility, note.text) == (Visibility.PRIVATE, "[OPS-1](http://dev.example/OPS-1)")
    connector.remove_link(ticket_id, link.global_id)
    connector.remove_link(ticket_id, link.global_id)
    assert connector.read(ticket_id, Known()).comments == ()


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "**bold** and `code` @agent1",
        "- a list\n- of two",
        "[hub-ref hub:x]",
        "a & b < c",
        "```\ncode\n```",
        "",
    ],
)
def test_a_description_is_held_in_the_form_that_is_read_back(connector: SolarwindsConnector, text: str) -> None:
    held = connector.hold_text(canonical(text))
    ticket_id = created(connector, description=canonical(text))
    assert connector.read(ticket_id, Known()).ticket.description == held
    connector.update(ticket_id, Changes(values={"description": held}), None)
    assert connector.read(ticket_id, Known()).ticket.description == held
