"""The Freshservice connector against the sandbox: tickets, comments, people, workspaces."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from hub.connector import Changes, Known, NotFoundError, PermanentError, RefusedError, RemoteLink, Unwritable
from hub.text import canonical
from hub.ticket import Category, Channel, Markdown, Person, Priority, Status, Visibility
from plugins.freshservice import mapping
from plugins.freshservice.connector import FreshserviceConnector
from plugins.freshservice.modules import TICKETS
from plugins.freshservice.sandbox import FreshserviceSandbox
from tests.plugins.clock import Clock
from tests.plugins.freshservice.builders import CUSTOMER, MARK, a_comment, a_draft, agent_says, created
from tests.plugins.freshservice.conftest import connect

CUSTOM: dict[str, Any] = {
    "severity": "high",
    "environment": "a laptop",
    "affected": 12,
    "regression": True,
    "found": datetime(2026, 2, 3, tzinfo=UTC),
}
LONG_MARK = "a-helpdesk-with-a-long-name-1234567-4f54fba6-12"


def a_service_request(site: FreshserviceSandbox) -> str:
    """A laptop from the catalogue, for the first customer."""
    answer = httpx.post(
        f"{site.url}/api/v2/service_catalog/items/7/place_request",
        json={"quantity": 1, "requested_for": CUSTOMER.email},
        auth=(site.credentials()["api_key"], "X"),
    )
    return str(answer.json()["service_request"]["id"])


def test_what_is_created_is_read_back_field_by_field(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    agent = site.people()["agent1"]["id"]
    values = {
        "priority": Priority.HIGH,
        "category": Category.INCIDENT,
        "assignee": agent,
        "status": Status.PENDING,
        **{f"custom:{name}": value for name, value in CUSTOM.items()},
    }
    made = connector.create(a_draft(values=values, labels=frozenset({"vip"})))
    ticket = connector.read(made.id, Known()).ticket
    assert (ticket.key, ticket.url) == (made.key, made.url) == (f"INC-{made.id}", f"{site.url}/a/tickets/{made.id}")
    assert (ticket.title, ticket.description) == ("A fault", "It **breaks**.")
    assert (ticket.priority, ticket.category, ticket.status) == (Priority.HIGH, Category.INCIDENT, Status.PENDING)
    assert ticket.custom == CUSTOM
    assert ticket.labels == {"vip", MARK}
    assert ticket.assignee == Person(agent, "Agent One", "agent1@helpdesk.example", True, "en")
    customer = site.people()["customer1"]
    assert ticket.requester == Person(customer["id"], "Customer 1", CUSTOMER.email, False, "en")
    assert (ticket.organisation, ticket.channel) == ("Finance", Channel.WEB)
    assert ticket.native == {"status": "Pending", "priority": "High", "type": "Incident"}
    assert ticket.updated is not None


@pytest.mark.parametrize("name", ["7", "#7", "INC-7", "inc-7", "SR-7"])
def test_a_ticket_is_read_by_its_number_or_by_what_people_call_it(
    connector: FreshserviceConnector, site: FreshserviceSandbox, name: str
) -> None:
    for _ in range(7):
        created(connector)
    assert connector.read(name, Known()).ticket.id == "7"


def test_a_service_request_is_told_apart_and_keeps_its_type(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    ticket_id = a_service_request(site)
    ticket = connector.read(ticket_id, Known()).ticket
    assert (ticket.key, ticket.category) == (f"SR-{ticket_id}", Category.SERVICE_REQUEST)
    assert ticket.title == "Request for Customer 1 : Laptop"
    connector.update(ticket_id, Changes(values={"priority": Priority.URGENT}), None)
    assert connector.read(ticket_id, Known()).ticket.priority is Priority.URGENT
    with pytest.raises(RefusedError) as error:
        connector.update(ticket_id, Changes(values={"category": Category.INCIDENT}), None)
    assert set(error.value.fields) == {"category"}


@pytest.mark.parametrize("category", [Category.SERVICE_REQUEST, Category.CHANGE_REQUEST])
def test_what_only_people_can_make_is_refused_beforehand(connector: FreshserviceConnector, category: Category) -> None:
    with pytest.raises(Unwritable, match="made in Freshservice only"):
        connector.hold("category", category)


@pytest.mark.parametrize("category", [Category.INCIDENT, Category.BUG, Category.PROBLEM])
def test_what_is_broken_is_an_incident(connector: FreshserviceConnector, category: Category) -> None:
    assert connector.hold("category", category) is Category.INCIDENT


@pytest.mark.parametrize(("workspaces", "made_in"), [([], 2), ([3], 3), ([3, 2], 3)])
def test_a_ticket_is_made_and_found_in_the_first_workspace(
    site: FreshserviceSandbox, workspaces: list[int], made_in: int
) -> None:
    connector = connect(site, workspaces=workspaces)
    made = connector.create(a_draft())
    assert site.store.tickets[int(made.id)].workspace_id == made_in
    found = connector.find_ticket(MARK)
    assert found == made
    connector.close()


def test_a_ticket_is_read_and_written_in_whatever_workspace_it_is(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    ticket_id = created(connector)
    site.effects.move(site.store.tickets[int(ticket_id)], 3)
    connector.update(ticket_id, Changes(values={"title": "moved"}), None)
    assert connector.read(ticket_id, Known()).ticket.title == "moved"


def test_a_customer_never_seen_becomes_a_requester(connector: FreshserviceConnector) -> None:
    stranger = Person("", "A Stranger", "stranger@customers.example")
    ticket = connector.read(created(connector, requester=stranger), Known()).ticket
    assert ticket.requester is not None
    assert (ticket.requester.name, ticket.requester.email) == ("A Stranger", "stranger@customers.example")


@pytest.mark.parametrize("requester", [None, Person("", "No Address")])
def test_without_an_address_the_hub_itself_asks(connector: FreshserviceConnector, requester: Person | None) -> None:
    ticket = connector.read(created(connector, requester=requester), Known()).ticket
    assert ticket.requester is not None
    assert (ticket.requester.id, ticket.requester.name) == (connector.identify().account_id, "Hub Service")


def test_a_private_description_is_not_asked_by_the_customer_who_could_read_it(connector: FreshserviceConnector) -> None:
    ticket = connector.read(created(connector, visibility=Visibility.PRIVATE), Known()).ticket
    assert ticket.requester is not None
    assert ticket.requester.email != CUSTOMER.email


def test_fields_that_every_ticket_must_have_come_from_the_settings(site: FreshserviceSandbox) -> None:
    connector = connect(site, create_fields={"source": 1001, "custom_fields": {"environment": "hub"}})
    ticket_id = created(connector, values={"custom:affected": 3})
    ticket = connector.read(ticket_id, Known()).ticket
    assert (ticket.custom["environment"], ticket.custom["affected"]) == ("hub", 3)
    assert (site.store.tickets[int(ticket_id)].source, ticket.channel) == (1001, Channel.UNKNOWN)
    connector.close()


@pytest.mark.parametrize("marker", [MARK, LONG_MARK])
def test_a_made_ticket_is_found_by_its_mark_and_by_no_other(connector: FreshserviceConnector, marker: str) -> None:
    made = connector.create(a_draft(marker=marker))
    assert connector.find_ticket(marker) == made
    assert connector.find_ticket(marker + "1") is None


def test_a_mark_too_long_for_a_tag_is_not_taken_for_a_label(connector: FreshserviceConnector) -> None:
    assert connector.read(created(connector, marker=LONG_MARK), Known()).ticket.labels == frozenset()


def test_a_mark_is_found_although_the_filter_lags(connector: FreshserviceConnector, site: FreshserviceSandbox) -> None:
    site.change_settings(search_lag=300)
    made = connector.create(a_draft())
    assert connector.find_ticket(MARK) == made


def test_an_old_ticket_is_found_by_the_filter(connector: FreshserviceConnector, clock: Clock) -> None:
    made = connector.create(a_draft())
    clock.forward(days=40)
    assert connector.find_ticket(MARK) == made


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", "Another title"),
        ("description", "Another *description*"),
        ("priority", Priority.URGENT),
        ("category", Category.INCIDENT),
        ("status", Status.PENDING),
        *((f"custom:{name}", value) for name, value in CUSTOM.items()),
    ],
)
def test_each_field_is_changed_by_one_call(
    connector: FreshserviceConnector, site: FreshserviceSandbox, name: str, value: Any
) -> None:
    ticket_id = created(connector)
    site.requests.clear()
    connector.update(ticket_id, Changes(values={name: value}), None)
    assert len(site.requests) == 1
    ticket = connector.read(ticket_id, Known()).ticket
    assert (ticket.custom[name[7:]] if name.startswith("custom:") else getattr(ticket, name)) == value


@pytest.mark.parametrize("name", ["severity", "environment", "affected", "found"])
def test_a_custom_field_is_cleared(connector: FreshserviceConnector, name: str) -> None:
    ticket_id = created(connector, values={f"custom:{name}": CUSTOM[name]})
    connector.update(ticket_id, Changes(values={f"custom:{name}": None}), None)
    assert connector.read(ticket_id, Known()).ticket.custom[name] is None


@pytest.mark.parametrize(("name", "value"), [("affected", "many"), ("found", "tomorrow")])
def test_a_custom_value_of_another_type_is_unwritable(connector: FreshserviceConnector, name: str, value: str) -> None:
    with pytest.raises(Unwritable, match="support"):
        connector.hold(f"custom:{name}", value)


def test_an_assignee_is_set_and_cleared(connector: FreshserviceConnector) -> None:
    ticket_id = created(connector)
    person = connector.find_person("AGENT2@helpdesk.example")
    assert person is not None
    connector.update(ticket_id, Changes(values={"assignee": person.id}), None)
    assert connector.read(ticket_id, Known()).ticket.assignee == person
    connector.update(ticket_id, Changes(values={"assignee": None}), None)
    assert connector.read(ticket_id, Known()).ticket.assignee is None


def test_labels_are_changed_beside_those_that_somebody_added_since_the_last_look(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    ticket_id = created(connector, labels=frozenset({"old", "stays"}))
    basis = connector.read(ticket_id, Known())
    site.store.tickets[int(ticket_id)].tags.append("by-an-agent")
    changes = Changes(add_labels=frozenset({"new"}), remove_labels=frozenset({"old"}))
    connector.update(ticket_id, changes, basis)
    assert connector.read(ticket_id, Known()).ticket.labels == {"stays", "by-an-agent", "new", MARK}


@pytest.mark.parametrize("priority", [p for p in Priority if p is not Priority.UNKNOWN])
def test_where_the_priority_is_made_of_urgency_and_impact_these_are_written(
    site: FreshserviceSandbox, priority: Priority
) -> None:
    site.change_settings(priority_matrix=1)
    connector = connect(site, priority_matrix=True)
    ticket_id = created(connector)
    connector.update(ticket_id, Changes(values={"priority": priority}), None)
    assert connector.read(ticket_id, Known()).ticket.priority is connector.hold("priority", priority)
    connector.close()


def test_statuses_are_given_by_number_or_by_word(site: FreshserviceSandbox) -> None:
    connector = connect(site, statuses={"on_hold": [8], "solved": "4", "pending": "pending"})
    ticket_id = created(connector, values={"status": Status.ON_HOLD})
    assert site.store.tickets[int(ticket_id)].status == 8
    assert connector.read(ticket_id, Known()).ticket.status is Status.ON_HOLD
    assert connector.native("status", Status.PENDING) == "Pending"
    connector.close()


def test_a_status_word_without_a_number_is_refused_when_the_settings_are_read(site: FreshserviceSandbox) -> None:
    with pytest.raises(ValueError, match="give the number of your own"):
        connect(site, statuses={"on_hold": ["Waiting on Engineering"]})


def test_an_own_status_that_nobody_mapped_is_unknown(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    ticket_id = created(connector)
    site.store.tickets[int(ticket_id)].status = 8
    ticket = connector.read(ticket_id, Known()).ticket
    assert (ticket.status, ticket.native["status"]) == (Status.UNKNOWN, "8")


def test_a_field_that_closing_asks_for_refuses_the_status_with_a_remedy(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    site.change_settings(closure_needs_code=1)
    ticket_id = created(connector)
    with pytest.raises(RefusedError) as error:
        connector.update(ticket_id, Changes(values={"status": Status.SOLVED, "title": "x"}), None)
    assert set(error.value.fields) == {"status"}
    assert "resolution_code" in error.value.fields["status"]
    assert "Field Manager" in error.value.remedy
    assert connector.read(ticket_id, Known()).ticket.title == "A fault"


def test_a_refused_custom_field_is_named_in_neutral_words(connector: FreshserviceConnector) -> None:
    ticket_id = created(connector)
    with pytest.raises(RefusedError) as error:
        connector.update(ticket_id, Changes(values={"custom:severity": "Enormous", "title": "x"}), None)
    assert set(error.value.fields) == {"custom:severity"}


def test_comments_are_read_in_order_with_names_and_with_what_they_were_asked_to_be(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("for all"))
    connector.add_comment(ticket_id, a_comment("for us", Visibility.PRIVATE))
    agent_says(site, ticket_id, "<p>on the screen</p>")
    comments = connector.read(ticket_id, Known()).comments or ()
    assert [(c.text, c.visibility, c.author.name, c.author.is_staff) for c in comments] == [
        ("for all", Visibility.PUBLIC, "Hub Service", True),
        ("for us", Visibility.PRIVATE, "Hub Service", True),
        ("on the screen", Visibility.PUBLIC, "Agent One", True),
    ]


@pytest.mark.parametrize(("public_as", "source"), [("reply", 0), ("note", 2)])
def test_a_public_comment_is_a_reply_or_a_public_note_as_the_settings_say(
    site: FreshserviceSandbox, public_as: str, source: int
) -> None:
    connector = connect(site, public_as=public_as)
    ticket_id = created(connector)
    written = connector.add_comment(ticket_id, a_comment("for all"))
    (kept,) = site.store.tickets[int(ticket_id)].conversations
    assert (kept.source, kept.private, written.visibility) == (source, False, Visibility.PUBLIC)
    connector.close()


def test_a_comment_that_does_not_say_who_may_read_it_is_unknown() -> None:
    raw = {"id": 1, "body": "<div>x</div>", "user_id": 5, "created_at": "2016-05-19T05:36:12Z"}
    comment = mapping.comment(raw, TICKETS, lambda user_id, _: Person(str(user_id)), "1")
    assert comment.visibility is Visibility.UNKNOWN


def test_an_edited_note_tells_when(connector: FreshserviceConnector, site: FreshserviceSandbox, clock: Clock) -> None:
    ticket_id = created(connector)
    agent_says(site, ticket_id, "<p>first</p>", private=True)
    ticket = site.store.tickets[int(ticket_id)]
    (before,) = connector.read(ticket_id, Known()).comments or ()
    edited = clock.forward(minutes=3).replace(microsecond=0)
    site.effects.edit(ticket, ticket.conversations[0], "<p>second</p>")
    (after,) = connector.read(ticket_id, Known()).comments or ()
    assert (before.updated, after.updated, after.text) == (None, edited, "second")


@pytest.mark.parametrize("text", ["**bold** and `code` @agent1", "[ref hub:x]", "a & b < c", "> quoted\n\nanswer", ""])
def test_a_text_is_held_in_the_form_that_is_read_back(connector: FreshserviceConnector, text: str) -> None:
    held = connector.hold_text(canonical(text))
    ticket_id = created(connector, description=canonical(text))
    connector.add_comment(ticket_id, a_comment(canonical(text)))
    snapshot = connector.read(ticket_id, Known())
    (comment,) = snapshot.comments or ()
    assert (snapshot.ticket.description, comment.text) == (held, held)
    assert connector.hold_text(held) == held


@pytest.mark.parametrize("marker", ["hub:4f54fba6:dev:10001:10500", 'odd "<mark>" ] & ą', "hub:a_b:dev:x:1:edited"])
def test_a_comment_is_found_by_its_mark_which_nobody_reads_in_its_text(
    connector: FreshserviceConnector, marker: str
) -> None:
    ticket_id = created(connector)
    comment = a_comment("marked")
    written = connector.add_comment(
        ticket_id, type(comment)(text=comment.text, visibility=comment.visibility, marker=marker)
    )
    assert connector.find_comment(ticket_id, marker) == written
    assert connector.find_comment(ticket_id, marker + "0") is None
    (read,) = connector.read(ticket_id, Known()).comments or ()
    assert (read.marker, read.text) == (marker, "marked")


def test_a_mark_that_somebody_quotes_is_not_the_hubs(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("original"))
    quoted = site.store.tickets[int(ticket_id)].conversations[0].body
    agent_says(site, ticket_id, f"<p>I agree.</p>{quoted}")
    _, answer = connector.read(ticket_id, Known()).comments or ()
    assert answer.marker is None
    assert answer.text.startswith("I agree.")


def test_a_hundred_and_more_comments_are_all_read_without_a_call_for_each_author(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    ticket_id = created(connector, requester=None)
    connector.read(ticket_id, Known())
    for number in range(205):
        agent_says(site, ticket_id, f"<p>number {number}</p>")
    site.requests.clear()
    comments = connector.read(ticket_id, Known()).comments or ()
    assert [c.text for c in comments] == [f"number {n}" for n in range(205)]
    assert len(site.requests) == 1 + 3


def test_a_second_read_asks_for_no_names_and_for_comments_only_where_they_may_have_changed(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    ticket_id = created(connector)
    agent_says(site, ticket_id, "<p>hello</p>")
    count = connector.read(ticket_id, Known()).comment_count
    site.requests.clear()
    connector.read(ticket_id, Known(comment_count=count))
    assert len(site.requests) == 2
    short = connector.read(ticket_id, Known(comment_count=count, must_read_comments=False))
    assert (short.comments, short.comment_count) == (None, 1)
    assert len(site.requests) == 3


def test_who_may_not_list_agents_sees_numbers_and_goes_on(site: FreshserviceSandbox) -> None:
    agent = site.people()["agent1"]
    connector = connect(site, credentials={"api_key": agent["api_key"]})
    ticket_id = created(connector, values={"assignee": agent["id"]})
    agent_says(site, ticket_id, "<p>hello</p>")
    snapshot = connector.read(ticket_id, Known())
    assert snapshot.ticket.assignee == Person(agent["id"], is_staff=True)
    (comment,) = snapshot.comments or ()
    assert comment.text == "hello"
    connector.close()


def test_a_ticket_is_handed_to_the_group_of_the_line_by_name_and_by_number(site: FreshserviceSandbox) -> None:
    names = {group.name: number for number, group in site.store.groups.items()}
    connector = connect(site, lines={1: "Service Desk", 2: [names["Experts"]], 3: "Nobody"})
    ticket_id = created(connector, values={"line": 2})
    assert connector.read(ticket_id, Known()).ticket.line == 2
    connector.update(ticket_id, Changes(values={"line": 1}), None)
    assert connector.read(ticket_id, Known()).ticket.line == 1
    with pytest.raises(RefusedError, match="Nobody") as caught:
        connector.update(ticket_id, Changes(values={"line": 3}), None)
    assert set(caught.value.fields) == {"line"}
    connector.close()


def test_groups_are_support_lines_by_name_or_by_number(site: FreshserviceSandbox) -> None:
    first, second, _ = site.store.groups
    connector = connect(site, lines={1: "Service Desk", 2: [second]})
    ticket_id = created(connector)
    lines = []
    for group in (first, second, None):
        site.store.tickets[int(ticket_id)].group_id = group
        lines.append(connector.read(ticket_id, Known()).ticket.line)
    assert lines == [1, 2, None]
    connector.close()


def test_people_are_found_by_exactly_this_address(connector: FreshserviceConnector) -> None:
    agent = connector.find_person("agent1@helpdesk.example")
    requester = connector.find_person("Customer1@Customers.example")
    assert agent is not None
    assert requester is not None
    assert (agent.name, agent.is_staff, requester.name, requester.is_staff) == ("Agent One", True, "Customer 1", False)
    assert connector.find_person("customer") is None


def test_a_link_is_a_private_note_that_is_found_and_taken_back(connector: FreshserviceConnector) -> None:
    ticket_id = created(connector)
    link = RemoteLink("hub:4f54fba6:dev:1", "http://dev.example/OPS-1", "OPS-1", "A bug", "dev")
    written = connector.write_link(ticket_id, link)
    assert written is not None
    assert connector.find_comment(ticket_id, link.global_id) == written
    (note,) = connector.read(ticket_id, Known()).comments or ()
    assert (note.visibility, note.text) == (Visibility.PRIVATE, "[OPS-1](http://dev.example/OPS-1)")
    connector.remove_link(ticket_id, link.global_id)
    connector.remove_link(ticket_id, link.global_id)
    assert connector.read(ticket_id, Known()).comments == ()


@pytest.mark.parametrize("way", ["deleted", "spam"])
def test_a_ticket_that_is_put_away_reads_as_deleted_and_takes_no_write(
    connector: FreshserviceConnector, site: FreshserviceSandbox, way: str
) -> None:
    ticket_id = created(connector)
    site.effects.put_away(site.store.tickets[int(ticket_id)], **{way: True})
    snapshot = connector.read(ticket_id, Known())
    assert snapshot.is_deleted
    assert snapshot.ticket.title == "A fault"
    with pytest.raises(PermanentError, match="405"):
        connector.update(ticket_id, Changes(values={"title": "x"}), None)
    with pytest.raises(NotFoundError):
        connector.read("999999", Known())


def test_a_mention_in_a_copy_notifies_nobody(connector: FreshserviceConnector, site: FreshserviceSandbox) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment(Markdown("@agent1 look")))
    assert "@agent1" not in site.store.tickets[int(ticket_id)].conversations[0].body
