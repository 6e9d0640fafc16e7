"""The Freshdesk connector against the sandbox: tickets, comments, people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.connector import (
    Changes,
    Known,
    NotFoundError,
    PermanentError,
    RefusedError,
    RemoteLink,
    Unwritable,
)
from hub.text import canonical
from hub.ticket import Category, Channel, Markdown, Person, Priority, Status, Visibility
from plugins.freshdesk import mapping
from plugins.freshdesk.connector import FreshdeskConnector
from plugins.freshdesk.sandbox import FreshdeskSandbox
from tests.plugins.freshdesk.builders import CUSTOMER, MARK, a_comment, a_draft, agent_says, created
from tests.plugins.freshdesk.conftest import connect

CUSTOM: dict[str, Any] = {
    "severity": "high",
    "environment": "a laptop",
    "affected": 12,
    "regression": True,
    "found": datetime(2026, 2, 3, tzinfo=UTC),
}


def test_what_is_created_is_read_back_field_by_field(connector: FreshdeskConnector, site: FreshdeskSandbox) -> None:
    agent = site.people()["agent1"]["id"]
    values = {
        "priority": Priority.HIGH,
        "category": Category.PROBLEM,
        "assignee": agent,
        "status": Status.PENDING,
        **{f"custom:{name}": value for name, value in CUSTOM.items()},
    }
    made = connector.create(a_draft(values=values, labels=frozenset({"vip"})))
    ticket = connector.read(made.id, Known()).ticket
    assert (ticket.key, ticket.url) == (made.key, made.url) == (f"#{made.id}", f"{site.url}/a/tickets/{made.id}")
    assert (ticket.title, ticket.description) == ("A fault", "It **breaks**.")
    assert (ticket.priority, ticket.category, ticket.status) == (Priority.HIGH, Category.PROBLEM, Status.PENDING)
    assert ticket.custom == CUSTOM
    assert ticket.labels == {"vip", MARK}
    assert ticket.assignee == Person(agent, "Agent One", "agent1@helpdesk.example", True, "en")
    assert ticket.requester is not None
    assert (ticket.requester.name, ticket.requester.email) == ("Customer 1", CUSTOMER.email)
    assert (ticket.organisation, ticket.channel) == ("Customers Ltd", Channel.WEB)
    assert ticket.native == {"status": "Pending", "priority": "High", "type": "Problem"}
    assert ticket.updated is not None


def test_a_customer_never_seen_becomes_a_contact(connector: FreshdeskConnector) -> None:
    stranger = Person("", "A Stranger", "stranger@customers.example")
    ticket = connector.read(created(connector, requester=stranger), Known()).ticket
    assert ticket.requester is not None
    assert (ticket.requester.name, ticket.requester.email) == ("A Stranger", "stranger@customers.example")


@pytest.mark.parametrize("requester", [None, Person("", "No Address")])
def test_without_an_address_the_hub_itself_asks(connector: FreshdeskConnector, requester: Person | None) -> None:
    ticket = connector.read(created(connector, requester=requester), Known()).ticket
    assert ticket.requester is not None
    assert ticket.requester.id == connector.identify().account_id


def test_a_private_description_is_not_asked_by_the_customer_who_could_read_it(connector: FreshdeskConnector) -> None:
    ticket = connector.read(created(connector, visibility=Visibility.PRIVATE), Known()).ticket
    assert ticket.requester is not None
    assert ticket.requester.email != CUSTOMER.email


def test_fields_that_every_ticket_must_have_come_from_the_settings(site: FreshdeskSandbox) -> None:
    connector = connect(site, create_fields={"source": 3, "custom_fields": {"cf_environment": "hub"}})
    ticket = connector.read(created(connector), Known()).ticket
    assert (ticket.channel, ticket.custom["environment"]) == (Channel.PHONE, "hub")
    connector.close()


@pytest.mark.parametrize("marker", [MARK, "a-helpdesk-with-a-long-name-1234567-4f54fba6-12"])
def test_a_made_ticket_is_found_by_its_mark_and_by_no_other(connector: FreshdeskConnector, marker: str) -> None:
    made = created(connector, marker=marker)
    found = connector.find_ticket(marker)
    assert found is not None
    assert found.id == made
    assert connector.find_ticket(marker + "1") is None


def test_a_mark_too_long_for_a_tag_is_not_taken_for_a_label(connector: FreshdeskConnector) -> None:
    made = created(connector, marker="a-helpdesk-with-a-long-name-1234567-4f54fba6-12")
    assert connector.read(made, Known()).ticket.labels == frozenset()


def test_a_mark_is_found_although_the_search_lags(connector: FreshdeskConnector, site: FreshdeskSandbox) -> None:
    site.change_settings(search_lag=300)
    made = created(connector)
    found = connector.find_ticket(MARK)
    assert found is not None
    assert found.id == made


def test_an_old_ticket_is_found_by_the_search(
    connector: FreshdeskConnector, site: FreshdeskSandbox, clock: Any
) -> None:
    made = created(connector)
    clock.forward(days=40)
    found = connector.find_ticket(MARK)
    assert found is not None
    assert found.id == made


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", "Another title"),
        ("description", "Another *description*"),
        ("priority", Priority.URGENT),
        ("category", Category.CHANGE_REQUEST),
        ("status", Status.ON_HOLD),
        *((f"custom:{name}", value) for name, value in CUSTOM.items()),
    ],
)
def test_each_field_is_changed_by_one_call(
    connector: FreshdeskConnector, site: FreshdeskSandbox, name: str, value: Any
) -> None:
    ticket_id = created(connector)
    site.requests.clear()
    connector.update(ticket_id, Changes(values={name: value}), None)
    assert len(site.requests) == 1
    ticket = connector.read(ticket_id, Known()).ticket
    seen = ticket.custom[name[7:]] if name.startswith("custom:") else getattr(ticket, name)
    assert seen == value


@pytest.mark.parametrize("name", ["severity", "environment", "affected", "found"])
def test_a_custom_field_is_cleared(connector: FreshdeskConnector, name: str) -> None:
    ticket_id = created(connector, values={f"custom:{name}": CUSTOM[name]})
    connector.update(ticket_id, Changes(values={f"custom:{name}": None}), None)
    assert connector.read(ticket_id, Known()).ticket.custom[name] is None


def test_an_assignee_is_set_and_cleared(connector: FreshdeskConnector) -> None:
    ticket_id = created(connector)
    person = connector.find_person("AGENT2@helpdesk.example")
    assert person is not None
    connector.update(ticket_id, Changes(values={"assignee": person.id}), None)
    assert connector.read(ticket_id, Known()).ticket.assignee == person
    connector.update(ticket_id, Changes(values={"assignee": None}), None)
    assert connector.read(ticket_id, Known()).ticket.assignee is None


def test_labels_are_changed_beside_those_that_somebody_added_since_the_last_look(
    connector: FreshdeskConnector, site: FreshdeskSandbox
) -> None:
    ticket_id = created(connector, labels=frozenset({"old", "stays"}))
    basis = connector.read(ticket_id, Known())
    site.store.tickets[int(ticket_id)].tags.append("by-an-agent")
    changes = Changes(add_labels=frozenset({"new"}), remove_labels=frozenset({"old"}))
    connector.update(ticket_id, changes, basis)
    assert connector.read(ticket_id, Known()).ticket.labels == {"stays", "by-an-agent", "new", MARK}


@pytest.mark.parametrize("label", ["a, b", "  two   words ", "x" * 40, "x" * 31 + " y", "zażółć"])
def test_a_label_is_held_in_the_form_that_is_read_back(connector: FreshdeskConnector, label: str) -> None:
    held = connector.hold_label(label)
    ticket_id = created(connector, labels=frozenset({held}))
    assert connector.read(ticket_id, Known()).ticket.labels == {held, MARK}
    assert connector.hold_label(held) == held


@pytest.mark.parametrize("title", ["x" * 300, "two\nlines", " x ", 'quotes " and & <b>'])
def test_a_title_is_held_in_the_form_that_is_read_back(connector: FreshdeskConnector, title: str) -> None:
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
        ("environment", 7),
        ("environment", ""),
        ("severity", "low"),
        ("severity", "Critical"),
    ],
)
def test_a_custom_value_is_held_in_the_form_that_is_read_back(
    connector: FreshdeskConnector, name: str, value: Any
) -> None:
    held = connector.hold(f"custom:{name}", value)
    ticket_id = created(connector, values={f"custom:{name}": held})
    assert connector.read(ticket_id, Known()).ticket.custom[name] == held
    assert connector.hold(f"custom:{name}", held) == held


@pytest.mark.parametrize(("name", "value"), [("affected", "many"), ("found", "tomorrow")])
def test_a_custom_value_of_another_type_is_unwritable(connector: FreshdeskConnector, name: str, value: str) -> None:
    with pytest.raises(Unwritable, match="support"):
        connector.hold(f"custom:{name}", value)


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.UNKNOWN])
def test_a_status_is_held_in_the_form_that_is_read_back(connector: FreshdeskConnector, status: Status) -> None:
    ticket_id = created(connector)
    connector.update(ticket_id, Changes(values={"status": status}), None)
    assert connector.read(ticket_id, Known()).ticket.status is connector.hold("status", status)


def test_statuses_are_given_by_number_or_by_word(site: FreshdeskSandbox) -> None:
    connector = connect(site, statuses={"on_hold": [8, "waiting on third party"], "pending": 6, "solved": "4"})
    ticket_id = created(connector, values={"status": Status.ON_HOLD})
    assert site.store.tickets[int(ticket_id)].status == 8
    assert connector.read(ticket_id, Known()).ticket.status is Status.ON_HOLD
    assert connector.native("status", Status.PENDING) == "Waiting on Customer"
    connector.close()


def test_a_status_word_without_a_number_is_refused_when_the_settings_are_read(site: FreshdeskSandbox) -> None:
    with pytest.raises(ValueError, match="give the number of your own"):
        connect(site, statuses={"on_hold": ["Waiting on Engineering"]})


def test_an_own_status_that_nobody_mapped_is_unknown(connector: FreshdeskConnector, site: FreshdeskSandbox) -> None:
    ticket_id = created(connector)
    site.store.tickets[int(ticket_id)].status = 8
    ticket = connector.read(ticket_id, Known()).ticket
    assert (ticket.status, ticket.native["status"]) == (Status.UNKNOWN, "8")


def test_a_status_that_does_not_exist_is_refused_by_name(site: FreshdeskSandbox) -> None:
    connector = connect(site, statuses={"on_hold": [99]})
    ticket_id = created(connector)
    with pytest.raises(RefusedError) as error:
        connector.update(ticket_id, Changes(values={"status": Status.ON_HOLD, "title": "x"}), None)
    assert set(error.value.fields) == {"status"}
    assert connector.read(ticket_id, Known()).ticket.title == "A fault"
    connector.close()


def test_a_field_that_closing_asks_for_refuses_the_status_with_a_remedy(
    connector: FreshdeskConnector, site: FreshdeskSandbox
) -> None:
    site.change_settings(closure_needs_resolution=1)
    ticket_id = created(connector)
    with pytest.raises(RefusedError) as error:
        connector.update(ticket_id, Changes(values={"status": Status.SOLVED, "title": "x"}), None)
    assert set(error.value.fields) == {"status"}
    assert "cf_resolution" in error.value.fields["status"]
    assert "Admin > Ticket Fields" in error.value.remedy


def test_a_refused_custom_field_is_named_in_neutral_words(connector: FreshdeskConnector) -> None:
    ticket_id = created(connector)
    with pytest.raises(RefusedError) as error:
        connector.update(ticket_id, Changes(values={"custom:severity": "Enormous", "title": "x"}), None)
    assert set(error.value.fields) == {"custom:severity"}


def test_the_subject_of_an_outbound_mail_is_refused(connector: FreshdeskConnector, site: FreshdeskSandbox) -> None:
    ticket_id = created(connector)
    site.store.tickets[int(ticket_id)].source = 10
    with pytest.raises(RefusedError) as error:
        connector.update(ticket_id, Changes(values={"title": "x", "priority": Priority.LOW}), None)
    assert set(error.value.fields) == {"title"}


def test_a_category_without_a_word_is_unwritable(site: FreshdeskSandbox) -> None:
    connector = connect(site, categories={"bug": []})
    with pytest.raises(Unwritable, match="categories"):
        connector.hold("category", Category.BUG)
    connector.close()


def test_comments_are_read_in_order_with_names_and_with_what_they_were_asked_to_be(
    connector: FreshdeskConnector, site: FreshdeskSandbox
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
    site: FreshdeskSandbox, public_as: str, source: int
) -> None:
    connector = connect(site, public_as=public_as)
    ticket_id = created(connector)
    written = connector.add_comment(ticket_id, a_comment("for all"))
    (kept,) = site.store.tickets[int(ticket_id)].conversations
    assert (kept.source, kept.private, written.visibility) == (source, False, Visibility.PUBLIC)
    connector.close()


def test_a_comment_that_does_not_say_who_may_read_it_is_unknown(connector: FreshdeskConnector) -> None:
    raw = {"id": 1, "body": "<div>x</div>", "user_id": 5, "created_at": "2016-05-19T05:36:12Z"}
    assert mapping.comment(raw, lambda user_id, _: Person(str(user_id)), "1").visibility is Visibility.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "**bold** and `code` @agent1",
        "- a list\n- of two",
        "[ref hub:x]",
        "a & b < c",
        "```\ncode\n```",
        "> quoted\n\nanswer",
        "",
    ],
)
def test_a_text_is_held_in_the_form_that_is_read_back(connector: FreshdeskConnector, text: str) -> None:
    held = connector.hold_text(canonical(text))
    ticket_id = created(connector, description=canonical(text))
    connector.add_comment(ticket_id, a_comment(canonical(text)))
    snapshot = connector.read(ticket_id, Known())
    (comment,) = snapshot.comments or ()
    assert (snapshot.ticket.description, comment.text) == (held, held)
    assert connector.hold_text(held) == held


@pytest.mark.parametrize("marker", ["hub:4f54fba6:dev:10001:10500", 'odd "<mark>" ] & ą', "hub:a_b:dev:x:1:edited"])
def test_a_comment_is_found_by_its_mark_which_nobody_reads_in_its_text(
    connector: FreshdeskConnector, marker: str
) -> None:
    ticket_id = created(connector)
    comment = a_comment("marked")
    written = connector.add_comment(
        ticket_id, type(comment)(text=comment.text, visibility=comment.visibility, marker=marker)
    )
    found = connector.find_comment(ticket_id, marker)
    assert found == written
    assert connector.find_comment(ticket_id, marker + "0") is None
    (read,) = connector.read(ticket_id, Known()).comments or ()
    assert (read.marker, read.text) == (marker, "marked")


def test_a_mark_that_somebody_quotes_is_not_the_hubs(connector: FreshdeskConnector, site: FreshdeskSandbox) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("original"))
    quoted = site.store.tickets[int(ticket_id)].conversations[0].body
    agent_says(site, ticket_id, f"<p>I agree.</p>{quoted}")
    _, answer = connector.read(ticket_id, Known()).comments or ()
    assert answer.marker is None
    assert answer.text.startswith("I agree.")


def test_a_hundred_and_more_comments_are_all_read_without_a_call_for_each_author(
    connector: FreshdeskConnector, site: FreshdeskSandbox
) -> None:
    ticket_id = created(connector)
    connector.identify()
    for number in range(205):
        agent_says(site, ticket_id, f"<p>number {number}</p>")
    site.requests.clear()
    comments = connector.read(ticket_id, Known()).comments or ()
    assert [c.text for c in comments] == [f"number {n}" for n in range(205)]
    assert len(site.requests) == 1 + 3 + 1


def test_a_second_read_asks_for_no_names_and_for_comments_only_where_they_may_have_changed(
    connector: FreshdeskConnector, site: FreshdeskSandbox
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


def test_who_may_not_list_agents_sees_numbers_and_goes_on(site: FreshdeskSandbox) -> None:
    agent = site.people()["agent1"]
    connector = connect(site, credentials={"api_key": agent["api_key"]})
    ticket_id = created(connector, values={"assignee": agent["id"]})
    agent_says(site, ticket_id, "<p>hello</p>")
    snapshot = connector.read(ticket_id, Known())
    assert snapshot.ticket.assignee == Person(agent["id"], is_staff=True)
    (comment,) = snapshot.comments or ()
    assert comment.text == "hello"
    connector.close()


def test_groups_are_support_lines_by_name_or_by_number(site: FreshdeskSandbox) -> None:
    first, second = site.store.groups
    connector = connect(site, lines={1: "Helpdesk", 2: [second]})
    ticket_id = created(connector)
    lines = []
    for group in (first, second, None):
        site.store.tickets[int(ticket_id)].group_id = group
        lines.append(connector.read(ticket_id, Known()).ticket.line)
    assert lines == [1, 2, None]
    connector.close()


def test_people_are_found_by_exactly_this_address(connector: FreshdeskConnector) -> None:
    agent = connector.find_person("agent1@helpdesk.example")
    contact = connector.find_person("Customer1@Customers.example")
    assert agent is not None
    assert contact is not None
    assert (agent.name, agent.is_staff, contact.name, contact.is_staff) == ("Agent One", True, "Customer 1", False)
    assert connector.find_person("customer") is None


def test_a_link_is_a_private_note_that_is_found_and_taken_back(
    connector: FreshdeskConnector, site: FreshdeskSandbox
) -> None:
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


@pytest.mark.parametrize("way", ["deleted", "spam"])
def test_a_ticket_that_is_put_away_reads_as_deleted_and_takes_no_write(
    connector: FreshdeskConnector, site: FreshdeskSandbox, way: str
) -> None:
    ticket_id = created(connector)
    site.changes.put_away(site.store.tickets[int(ticket_id)], **{way: True})
    snapshot = connector.read(ticket_id, Known())
    assert snapshot.is_deleted
    assert snapshot.ticket.title == "A fault"
    with pytest.raises(PermanentError, match="405"):
        connector.update(ticket_id, Changes(values={"title": "x"}), None)
    with pytest.raises(NotFoundError):
        connector.read("999999", Known())


def test_a_mention_in_a_copy_notifies_nobody(connector: FreshdeskConnector, site: FreshdeskSandbox) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment(Markdown("@agent1 look")))
    assert "@agent1" not in site.store.tickets[int(ticket_id)].conversations[0].body
