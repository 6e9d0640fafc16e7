"""The ServiceDesk Plus connector against the sandbox, in both editions: requests and people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.connector import (
    AuthError,
    Capability,
    Changes,
    Known,
    NotFoundError,
    NotOfferedError,
    RefusedError,
    Unwritable,
)
from hub.text import canonical
from hub.ticket import Category, Channel, Person, Priority, Status, Visibility
from plugins.servicedesk_plus.connector import ServiceDeskPlusConnector
from plugins.servicedesk_plus.sandbox import ServiceDeskPlusSandbox, actor
from tests.plugins.servicedesk_plus.builders import CUSTOMER, MARK, a_draft, created, kept
from tests.plugins.servicedesk_plus.conftest import connect

CUSTOM: dict[str, Any] = {
    "severity": "high",
    "environment": "a laptop",
    "affected": 12,
    "regression": True,
    "found": datetime(2026, 2, 3, tzinfo=UTC),
    "areas": ("Login", "money"),
    "answer": "Restart **it**.",
}


def test_what_is_created_is_read_back_field_by_field(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    agent = site.people()["agent1"]["id"]
    values = {
        "priority": Priority.HIGH,
        "category": Category.SERVICE_REQUEST,
        "assignee": agent,
        "status": Status.ON_HOLD,
        **{f"custom:{name}": value for name, value in CUSTOM.items()},
    }
    made = connector.create(a_draft(values=values, labels=frozenset({"vip", "late"})))
    ticket = connector.read(made.id, Known()).ticket
    assert (ticket.key, ticket.url) == (made.key, made.url)
    assert (ticket.title, ticket.description) == ("A fault", "It **breaks**.")
    assert (ticket.priority, ticket.category) == (Priority.HIGH, Category.SERVICE_REQUEST)
    assert ticket.status is Status.ON_HOLD
    assert ticket.custom == CUSTOM
    assert ticket.labels == {"vip", "late"}
    assert ticket.assignee == Person(agent, "Agent One", "agent1@helpdesk.example", True)
    assert ticket.requester is not None
    assert (ticket.requester.name, ticket.requester.email) == ("Customer 1", CUSTOMER.email)
    assert ticket.channel is Channel.WEB
    assert ticket.native == {"status": "On Hold", "priority": "High", "request_type": "Request For Information"}
    assert ticket.updated is not None


def test_a_request_is_read_by_what_people_call_it(connector: ServiceDeskPlusConnector) -> None:
    made = connector.create(a_draft())
    assert connector.read(made.key, Known()).ticket.id == made.id
    with pytest.raises(NotFoundError, match="no request with this number"):
        connector.read("#4711", Known())


def test_an_id_is_another_number_than_what_people_say_in_the_cloud(cloud: ServiceDeskPlusSandbox) -> None:
    connector = connect(cloud)
    made = connector.create(a_draft())
    assert (made.key, len(made.id)) == ("#101", 18)
    assert made.url == f"{cloud.url}/app/itdesk/ui/requests/{made.id}/details"
    connector.close()


def test_a_customer_never_seen_becomes_a_requester(connector: ServiceDeskPlusConnector) -> None:
    stranger = Person("", "A Stranger", "stranger@customers.example")
    ticket = connector.read(created(connector, requester=stranger), Known()).ticket
    assert ticket.requester is not None
    assert (ticket.requester.name, ticket.requester.email) == ("A Stranger", "stranger@customers.example")


def test_a_requester_who_is_refused_is_set_aside_and_the_hub_asks(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    site.change_settings(makes_requesters=0)
    made = connector.create(a_draft(requester=Person("", "A Stranger", "stranger@customers.example")))
    assert set(made.refused) == {"requester"}
    assert kept(site, made.id).requester.login == "hub"
    assert len(site.store.requests) == 1


@pytest.mark.parametrize(
    "more", [{"requester": None}, {"requester": Person("", "No Address")}, {"visibility": Visibility.PRIVATE}]
)
def test_the_hub_itself_asks_where_the_customer_cannot_or_must_not(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, more: dict[str, Any]
) -> None:
    assert kept(site, created(connector, **more)).requester.login == "hub"


def test_fields_that_every_request_must_have_come_from_the_settings(site: ServiceDeskPlusSandbox) -> None:
    fields = {"mode": {"name": "Chat"}, "udf_fields": {site.store.udf["environment"]: "hub"}}
    connector = connect(site, create_fields=fields)
    ticket = connector.read(created(connector, values={"custom:severity": "low"}), Known()).ticket
    assert (ticket.channel, ticket.custom["environment"], ticket.custom["severity"]) == (Channel.CHAT, "hub", "low")
    connector.close()


def test_a_made_request_is_found_by_its_mark_and_by_no_other(connector: ServiceDeskPlusConnector) -> None:
    made = connector.create(a_draft())
    created(connector, marker=MARK + "0")
    assert connector.find_ticket(MARK) == made
    assert connector.find_ticket(MARK[:-1]) is None


def test_without_a_place_for_the_mark_the_hub_makes_no_requests(site: ServiceDeskPlusSandbox) -> None:
    connector = connect(site, reference_field="")
    assert Capability.CREATE not in connector.capabilities
    with pytest.raises(NotOfferedError):
        connector.create(a_draft())
    connector.close()


CHANGES: list[tuple[str, Any]] = [
    ("title", "Another title"),
    ("description", "Another *description*"),
    ("priority", Priority.LOW),
    ("category", Category.SERVICE_REQUEST),
    *((f"custom:{name}", value) for name, value in CUSTOM.items()),
]


@pytest.mark.parametrize(("name", "value"), CHANGES)
def test_each_field_is_changed_by_one_call(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, name: str, value: Any
) -> None:
    ticket_id = created(connector)
    site.requests.clear()
    connector.update(ticket_id, Changes(values={name: value}), None)
    assert len(site.requests) == 1
    ticket = connector.read(ticket_id, Known()).ticket
    seen = ticket.custom[name[7:]] if name.startswith("custom:") else getattr(ticket, name)
    assert seen == value == connector.hold(name, value)


@pytest.mark.parametrize("name", ["severity", "environment", "affected", "found", "areas", "answer"])
def test_a_custom_field_is_cleared(connector: ServiceDeskPlusConnector, name: str) -> None:
    ticket_id = created(connector, values={f"custom:{name}": CUSTOM[name]})
    connector.update(ticket_id, Changes(values={f"custom:{name}": None}), None)
    assert connector.read(ticket_id, Known()).ticket.custom[name] is None


def test_an_assignee_is_set_and_cleared(connector: ServiceDeskPlusConnector) -> None:
    ticket_id = created(connector)
    person = connector.find_person("AGENT2@helpdesk.example")
    assert person is not None
    connector.update(ticket_id, Changes(values={"assignee": person.id}), None)
    assert connector.read(ticket_id, Known()).ticket.assignee == person
    connector.update(ticket_id, Changes(values={"assignee": None}), None)
    assert connector.read(ticket_id, Known()).ticket.assignee is None


def test_people_are_found_by_address_technicians_first(connector: ServiceDeskPlusConnector) -> None:
    customer, agent = (connector.find_person(a) for a in ("customer1@customers.example", "agent1@helpdesk.example"))
    assert customer is not None
    assert agent is not None
    assert (customer.is_staff, agent.is_staff) == (False, True)


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.UNKNOWN])
def test_a_status_is_held_in_the_form_that_is_read_back(connector: ServiceDeskPlusConnector, status: Status) -> None:
    ticket_id = created(connector)
    connector.update(ticket_id, Changes(values={"status": status}), None)
    assert connector.read(ticket_id, Known()).ticket.status is connector.hold("status", status)


def test_statuses_are_written_by_id_because_some_servers_refuse_names(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    site.change_settings(statuses_by_id_only=1)
    ticket_id = created(connector)
    connector.update(ticket_id, Changes(values={"status": Status.SOLVED}), None)
    assert kept(site, ticket_id).status == "Resolved"


def test_a_technician_who_may_list_no_statuses_writes_them_by_name(site: ServiceDeskPlusSandbox) -> None:
    person = site.people()["agent3"]
    keys = ("technician_key", "client_id", "client_secret", "refresh_token")
    connector = connect(site, account=person["email"], credentials={k: person[k] for k in keys if k in person})
    ticket_id = created(connector)
    connector.update(ticket_id, Changes(values={"status": Status.SOLVED}), None)
    assert kept(site, ticket_id).status == "Resolved"
    connector.close()


def test_a_renamed_status_is_known_by_its_internal_name(site: ServiceDeskPlusSandbox) -> None:
    # A table of before the renaming: the word for on hold is the internal one.
    connector = connect(site, statuses={"on_hold": ["Onhold"]})
    ticket_id = created(connector)
    connector.update(ticket_id, Changes(values={"status": Status.ON_HOLD}), None)
    assert kept(site, ticket_id).status == "On Hold"
    connector.close()


def test_a_status_that_is_not_there_is_refused_with_those_that_are(site: ServiceDeskPlusSandbox) -> None:
    connector = connect(site, statuses={"on_hold": ["Waiting for Godot"]})
    ticket_id = created(connector)
    with pytest.raises(RefusedError) as error:
        connector.update(ticket_id, Changes(values={"status": Status.ON_HOLD, "title": "x"}), None)
    assert set(error.value.fields) == {"status"}
    assert "there are Open, In Progress, On Hold, Resolved" in error.value.fields["status"]
    assert kept(site, ticket_id).subject == "A fault"
    connector.close()


def test_closing_rules_refuse_the_status_with_a_remedy(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    site.change_settings(closing_needs_resolution=1)
    unmapped = connect(site, fields={})
    ticket_id = created(unmapped)
    with pytest.raises(RefusedError) as error:
        unmapped.update(ticket_id, Changes(values={"status": Status.SOLVED, "title": "x"}), None)
    assert set(error.value.fields) == {"status"}
    assert "resolution" in error.value.fields["status"]
    assert "trackers.support.closing_fields or default_resolution" in error.value.remedy
    unmapped.close()


def test_a_default_resolution_is_written_where_there_is_none_and_only_there(site: ServiceDeskPlusSandbox) -> None:
    site.change_settings(closing_needs_resolution=1)
    connector = connect(site, default_resolution="Solved by the engineers.", closing_fields={"update_reason": "hub"})
    first, second = (
        created(connector),
        created(connector, values={"custom:answer": "Words of a person"}, marker="other"),
    )
    for ticket_id in (first, second):
        connector.update(ticket_id, Changes(values={"status": Status.SOLVED}), None)
    assert kept(site, first).resolution == "<p>Solved by the engineers.</p>"
    assert kept(site, second).resolution == "<p>Words of a person</p>"
    connector.close()


def test_what_is_sent_along_on_closing_comes_from_the_settings(site: ServiceDeskPlusSandbox) -> None:
    info = {"closure_comments": "by the hub"}
    connector = connect(site, closing_fields={"closure_info": info})
    ticket_id = created(connector)
    connector.update(ticket_id, Changes(values={"status": Status.OPEN}), None)
    assert kept(site, ticket_id).closure == {}
    connector.update(ticket_id, Changes(values={"status": Status.CLOSED}), None)
    assert kept(site, ticket_id).closure == info
    connector.close()


def test_labels_are_changed_beside_those_that_somebody_added_since_the_last_look(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    ticket_id = created(connector, labels=frozenset({"old", "stays"}))
    basis = connector.read(ticket_id, Known())
    person = actor(site, "agent")
    person.escalate(ticket_id)
    person.close()
    changes = Changes(add_labels=frozenset({"new"}), remove_labels=frozenset({"old"}))
    connector.update(ticket_id, changes, basis)
    assert connector.read(ticket_id, Known()).ticket.labels == {"stays", "escalate", "new"}


def test_labels_without_a_place_are_refused_with_the_setting(site: ServiceDeskPlusSandbox) -> None:
    connector = connect(site, labels_field="")
    with pytest.raises(RefusedError) as error:
        connector.update(created(connector), Changes(add_labels=frozenset({"x"})), None)
    assert "trackers.support.labels_field" in error.value.fields["labels"]
    connector.close()


def test_labels_that_do_not_fit_the_field_are_refused_by_name(on_premises: ServiceDeskPlusSandbox) -> None:
    connector = connect(on_premises)
    labels = frozenset(f"{n:>050}" for n in range(6))
    with pytest.raises(RefusedError) as error:
        connector.update(created(connector), Changes(add_labels=labels), None)
    assert set(error.value.fields) == {"labels"}
    connector.close()


@pytest.mark.parametrize("label", ["a, b", "  two   words ", "x" * 140, "zażółć"])
def test_a_label_is_held_in_the_form_that_is_read_back(connector: ServiceDeskPlusConnector, label: str) -> None:
    held = connector.hold_label(label)
    ticket_id = created(connector, labels=frozenset({held}))
    assert connector.read(ticket_id, Known()).ticket.labels == {held}
    assert connector.hold_label(held) == held


@pytest.mark.parametrize("title", ["x" * 300, "two\nlines", " x ", 'quotes " and & <b>'])
def test_a_title_is_held_in_the_form_that_is_read_back(connector: ServiceDeskPlusConnector, title: str) -> None:
    held = connector.hold("title", title)
    ticket_id = created(connector, title=held)
    assert connector.read(ticket_id, Known()).ticket.title == held


@pytest.mark.parametrize(("name", "value"), [("affected", "many"), ("found", "tomorrow")])
def test_a_custom_value_of_another_type_is_unwritable(
    connector: ServiceDeskPlusConnector, name: str, value: str
) -> None:
    with pytest.raises(Unwritable, match="support"):
        connector.hold(f"custom:{name}", value)


def test_a_refused_custom_field_is_named_in_neutral_words_and_nothing_is_written(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    ticket_id = created(connector)
    with pytest.raises(RefusedError) as error:
        connector.update(ticket_id, Changes(values={"custom:severity": "Enormous", "title": "x"}), None)
    assert set(error.value.fields) == {"custom:severity"}
    assert kept(site, ticket_id).subject == "A fault"


def test_a_request_in_the_trash_is_read_as_deleted(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    ticket_id = created(connector)
    site.changes.trash(site.store.by_login("agent1"), kept(site, ticket_id), is_trashed=True)
    snapshot = connector.read(ticket_id, Known())
    assert snapshot.is_deleted
    assert snapshot.comments is None


def test_a_request_that_was_merged_into_another_is_not_found(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    parent, child = created(connector), created(connector, marker="other")
    site.changes.merge(site.store.by_login("agent1"), kept(site, parent), [kept(site, child)])
    with pytest.raises(NotFoundError):
        connector.read(child, Known())


def test_a_line_is_a_group(site: ServiceDeskPlusSandbox) -> None:
    connector = connect(site, lines={1: "helpdesk", 2: ["Experts"]})
    ticket_id = created(connector)
    for group, line in ((None, None), ("Helpdesk", 1), ("Experts", 2)):
        kept(site, ticket_id).group = group
        assert connector.read(ticket_id, Known()).ticket.line == line
    connector.close()


def test_an_account_that_is_no_technician_is_told_with_the_setting(site: ServiceDeskPlusSandbox) -> None:
    connector = connect(site, account="customer1@customers.example")
    with pytest.raises(AuthError) as error:
        connector.identify()
    assert "trackers.support.account" in error.value.remedy
    connector.close()


def test_a_text_of_a_description_is_held_in_the_form_that_is_read_back(connector: ServiceDeskPlusConnector) -> None:
    for text in ("- a list\n- of two", "a & b < c", "", "[ref hub:x]", "**bold** @agent1"):
        held = connector.hold_text(canonical(text))
        ticket_id = created(connector, description=canonical(text), marker=f"m{len(text)}")
        assert connector.read(ticket_id, Known()).ticket.description == held
        assert connector.hold_text(held) == held
