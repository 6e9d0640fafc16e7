"""What rules need of Zendesk: lines, languages, articles."""

from __future__ import annotations

from contextlib import closing

import pytest

from hub.connector import Capability, Changes, Known, RefusedError, Unwritable
from hub.testing.site import ShiftedClock
from hub.ticket import Channel, Status
from plugins.zendesk import mapping
from plugins.zendesk.connector import ZendeskConnector
from plugins.zendesk.sandbox import ZendeskSandbox, actor
from tests.plugins.zendesk.conftest import connect, created


def group_of(account: ZendeskSandbox, ticket_id: str) -> str:
    ticket = account.store.tickets[int(ticket_id)]
    return str(account.store.groups[ticket.values["group_id"]]["name"])


def test_a_ticket_is_handed_to_the_first_group_of_the_line(account: ZendeskSandbox) -> None:
    with closing(connect(account, lines={1: ["Support"], 2: ["Third line", "Second line"]})) as connector:
        ticket_id = created(connector)
        assert group_of(account, ticket_id) == "Support"
        connector.update(ticket_id, Changes(values={"line": 2}), connector.read(ticket_id, Known()))
        assert group_of(account, ticket_id) == "Third line"
        assert connector.read(ticket_id, Known()).ticket.line == 2


def test_the_line_goes_with_the_other_fields_in_one_call_and_groups_are_looked_up_once(
    account: ZendeskSandbox, connector: ZendeskConnector
) -> None:
    ticket_id = created(connector)
    for line, status in ((2, Status.OPEN), (3, Status.PENDING)):
        connector.update(ticket_id, Changes(values={"line": line, "status": status}), None)
    assert sum(r.method == "PUT" for r in account.requests) == 2
    assert sum(r.path == "/api/v2/groups" for r in account.requests) == 1
    assert connector.read(ticket_id, Known()).ticket.line == 3


def test_lines_that_share_a_group_are_read_as_the_first_and_that_is_foretold(account: ZendeskSandbox) -> None:
    with closing(connect(account, lines={1: ["Support"], 2: ["Support"]})) as connector:
        assert connector.hold("line", 2) == 1
        ticket_id = created(connector, values={"line": 2})
        assert connector.read(ticket_id, Known()).ticket.line == 1


def test_a_group_that_is_not_there_is_refused_with_what_to_do(account: ZendeskSandbox) -> None:
    with closing(connect(account, lines={1: ["No Such Group"]})) as connector:
        ticket_id = created(connector)
        with pytest.raises(RefusedError, match="No Such Group") as caught:
            connector.update(ticket_id, Changes(values={"line": 1}), None)
    assert set(caught.value.fields) == {"line"}
    assert "trackers.support.lines" in caught.value.remedy


def test_without_lines_in_the_settings_there_are_none(account: ZendeskSandbox) -> None:
    with closing(connect(account, lines={})) as connector:
        assert Capability.LINES not in connector.capabilities
        with pytest.raises(Unwritable, match=r"trackers\.support\.lines"):
            connector.hold("line", 1)


def test_a_ticket_says_who_asks_in_which_language_of_what_organisation_and_how(
    account: ZendeskSandbox, connector: ZendeskConnector
) -> None:
    person = account.people()["customer2"]
    with closing(actor(account, "customer")) as customer:
        ticket_id = customer.open_ticket("Faktura", "Zla suma.")
    account.store.tickets[int(ticket_id)].values["requester_id"] = int(person["id"])
    ticket = connector.read(ticket_id, Known()).ticket
    assert ticket.requester is not None
    assert (ticket.requester.email, ticket.requester.language) == (person["email"], "pl")
    assert ticket.organisation == "Example Customer"
    assert ticket.channel is Channel.API
    assert ticket.created is not None


def test_comments_say_who_of_support_wrote_them(account: ZendeskSandbox, connector: ZendeskConnector) -> None:
    with closing(actor(account, "customer")) as customer, closing(actor(account, "agent")) as agent:
        ticket_id = customer.open_ticket("Help", "Please.")
        agent.say(ticket_id, "We look.", public=True)
        customer.say(ticket_id, "Thanks.", public=True)
    said = {str(c.text): c.author.is_staff for c in connector.read(ticket_id, Known()).comments or ()}
    assert said == {"We look.": True, "Thanks.": False}


def test_only_articles_that_everybody_may_read_are_found_the_best_first(connector: ZendeskConnector) -> None:
    found = connector.find_articles("My invoice is wrong!", 5)
    assert [article.title for article in found] == ["Why an invoice is wrong", "Reading an invoice"]
    assert all("/hc/en-us/articles/" in article.url for article in found)


def test_words_that_are_none_cost_no_call(account: ZendeskSandbox, connector: ZendeskConnector) -> None:
    assert connector.find_articles(" ?! ", 5) == ()
    assert not account.requests


@pytest.mark.parametrize(
    ("raw", "rating"),
    [
        (None, None), ({}, None), ({"score": "unoffered"}, None), ({"score": "offered"}, None),
        ({"score": "good"}, "good"), ({"score": "good_with_comment"}, "good"), ({"score": "goodwithcomment"}, "good"),
        ({"score": "bad", "comment": "Slow."}, "bad"), ({"score": "badwithcomment"}, "bad"), ({"score": None}, None),
    ],
)  # fmt: skip
def test_a_satisfaction_score_is_good_or_bad_or_none(raw: dict[str, str] | None, rating: str | None) -> None:
    assert mapping.rating_of(raw) == rating


def test_a_rating_costs_no_call_and_is_told_by_polling(
    account: ZendeskSandbox, connector: ZendeskConnector, clock: ShiftedClock
) -> None:
    with closing(actor(account, "customer")) as customer, closing(actor(account, "agent")) as agent:
        ticket_id = customer.open_ticket("Help", "Please.")
        agent.resolve(ticket_id)
        clock.pass_by(120)
        cursor = connector.poll(None, clock()).cursor
        clock.pass_by(120)
        customer.rate(ticket_id, good=False)
    clock.pass_by(120)
    assert ticket_id in {hint.ticket_id for hint in connector.poll(cursor, clock()).hints}
    before = len(account.requests)
    assert connector.read(ticket_id, Known(must_read_comments=False, comment_count=1)).ticket.rating == "bad"
    assert len(account.requests) == before + 1
