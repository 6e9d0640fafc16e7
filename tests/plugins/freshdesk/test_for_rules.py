"""What rules need of Freshdesk: lines, languages, articles."""

from __future__ import annotations

from contextlib import closing

import pytest

from hub.connector import Capability, Changes, Known, NotOfferedError, RefusedError, StoredMacro, Unwritable
from hub.sandbox.cast import Rater
from hub.ticket import Channel, Visibility
from plugins.freshdesk import mapping
from plugins.freshdesk.connector import FreshdeskConnector
from plugins.freshdesk.sandbox import FreshdeskSandbox, actor
from tests.plugins.freshdesk.builders import created
from tests.plugins.freshdesk.conftest import connect


def test_a_ticket_is_handed_to_the_group_of_the_line_by_name_and_by_number(site: FreshdeskSandbox) -> None:
    helpdesk, experts = site.store.groups
    with closing(connect(site, lines={1: "Helpdesk", 2: [experts]})) as connector:
        ticket_id = created(connector)
        for line, group in ((2, experts), (1, helpdesk)):
            connector.update(ticket_id, Changes(values={"line": line}), None)
            assert site.store.tickets[int(ticket_id)].group_id == group
            assert connector.read(ticket_id, Known()).ticket.line == line
        assert sum(r.path == "/api/v2/groups" for r in site.requests) == 1


def test_a_new_ticket_can_begin_at_a_line(site: FreshdeskSandbox, connector: FreshdeskConnector) -> None:
    ticket_id = created(connector, values={"line": 2})
    assert connector.read(ticket_id, Known()).ticket.line == 2


def test_a_group_that_is_not_there_is_refused_with_what_to_do(site: FreshdeskSandbox) -> None:
    with closing(connect(site, lines={1: "Helpdsk"})) as connector:
        ticket_id = created(connector)
        with pytest.raises(RefusedError, match="Helpdsk") as caught:
            connector.update(ticket_id, Changes(values={"line": 1}), None)
        assert set(caught.value.fields) == {"line"}
        assert "trackers.support.lines" in caught.value.remedy
    with closing(connect(site, lines={1: "4711"})) as connector, pytest.raises(RefusedError) as caught:
        connector.update(ticket_id, Changes(values={"line": 1}), None)
    assert set(caught.value.fields) == {"line"}


def test_without_lines_in_the_settings_there_are_none(site: FreshdeskSandbox) -> None:
    with closing(connect(site, lines={})) as connector:
        assert Capability.LINES not in connector.capabilities
        with pytest.raises(Unwritable, match=r"trackers\.support\.lines"):
            connector.hold("line", 1)


def test_the_requesters_language_is_asked_for_only_where_the_settings_say_so(site: FreshdeskSandbox) -> None:
    ticket = site.changes.create(
        site.store.by_login("customer2"),
        {"subject": "Faktura", "description": "Suma", "email": "customer2@customers.example", "source": 1},
        [],
    )
    with closing(connect(site)) as connector, closing(connect(site, read_language=True)) as asking:
        plain, told = (c.read(str(ticket.id), Known()).ticket for c in (connector, asking))
        asking.read(str(ticket.id), Known())
    assert plain.requester is not None
    assert told.requester is not None
    assert (plain.requester.language, told.requester.language) == (None, "pl")
    assert told.requester.email == plain.requester.email == "customer2@customers.example"
    assert (plain.organisation, plain.channel) == ("Customers Ltd", Channel.EMAIL)
    assert sum(r.path.startswith("/api/v2/contacts/") for r in site.requests) == 1


def test_comments_say_who_of_support_wrote_them(site: FreshdeskSandbox, connector: FreshdeskConnector) -> None:
    with closing(actor(site, "customer")) as customer, closing(actor(site, "agent")) as agent:
        ticket_id = customer.open_ticket("Help", "Please.")
        agent.say(ticket_id, "We look.", public=True)
        customer.say(ticket_id, "Thanks.", public=True)
    said = {str(c.text): c.author.is_staff for c in connector.read(ticket_id, Known()).comments or ()}
    assert said == {"We look.": True, "Thanks.": False}


def test_only_published_articles_for_customers_are_found_the_best_first(connector: FreshdeskConnector) -> None:
    found = connector.find_articles("My invoice is wrong!", 5)
    assert [article.title for article in found] == ["Why an invoice is wrong", "Reading an invoice"]
    assert all("/support/solutions/articles/" in article.url for article in found)


def test_words_that_are_none_cost_no_call(site: FreshdeskSandbox, connector: FreshdeskConnector) -> None:
    assert connector.find_articles(" ?! ", 5) == ()
    assert not site.requests


def test_ratings_are_asked_for_only_of_done_tickets_and_only_where_the_settings_say_so(site: FreshdeskSandbox) -> None:
    with closing(actor(site, "customer")) as customer, closing(actor(site, "agent")) as agent:
        ticket_id = customer.open_ticket("Help", "Please.")
        with closing(connect(site, read_ratings=True)) as asking, closing(connect(site)) as plain:
            assert Capability.RATINGS in asking.capabilities
            assert Capability.RATINGS not in plain.capabilities
            asking.read(ticket_id, Known())
            assert not [r for r in site.requests if r.path.endswith("/satisfaction_ratings")]
            agent.resolve(ticket_id)
            assert isinstance(customer, Rater)
            customer.rate(ticket_id, good=True)
            assert asking.read(ticket_id, Known()).ticket.rating == "good"
            assert plain.read(ticket_id, Known()).ticket.rating is None
    assert sum(r.path.endswith("/satisfaction_ratings") for r in site.requests) == 1


@pytest.mark.parametrize(
    ("answers", "rating"),
    [([], None), ([103], "good"), ([101], "good"), ([100], None), ([-101], "bad"), ([103, -103], "bad")],
)
def test_the_latest_answer_to_a_survey_is_good_or_bad_or_none(answers: list[int], rating: str | None) -> None:
    rows = [
        {"created_at": f"2026-01-0{day}T00:00:00Z", "ratings": {"default_question": answer}}
        for day, answer in enumerate(answers, 1)
    ]
    assert mapping.rating_of(rows[::-1]) == rating


def test_canned_responses_are_macros_that_do_not_say_who_reads_them(connector: FreshdeskConnector) -> None:
    macros = {macro.title: macro for macro in connector.macros()}
    assert set(macros) == {"Ask for details", "Known issue", "Invoice sent"}
    assert macros["Invoice sent"].text == "The invoice was sent again by {{ agent.name }}."
    assert macros["Known issue"].text == "We know of **{{ ticket.key }}** and tell (ticket.requester.phone)."
    assert "ticket.requester.phone" in macros["Known issue"].unmapped[0]
    assert {macro.visibility for macro in macros.values()} == {Visibility.UNKNOWN}


def test_canned_responses_cannot_be_published(connector: FreshdeskConnector) -> None:
    with pytest.raises(NotOfferedError):
        connector.publish_macro(StoredMacro(name="x", title="x"), "hub:x")
