"""What rules need of OTRS: queues as lines, and who asks."""

from __future__ import annotations

from contextlib import closing

import pytest

from hub.connector import Capability, Changes, Draft, Known, PermanentError, RefusedError, Unwritable
from hub.text import canonical
from hub.ticket import Channel
from plugins.otrs.connector import OtrsConnector
from plugins.otrs.sandbox import OtrsSandbox, actor
from tests.plugins.otrs.conftest import connect


def created(connector: OtrsConnector, **more: object) -> str:
    wanted = {"marker": "dev-7-mark", "title": "A request", "description": canonical("It breaks."), **more}
    return connector.create(Draft(**wanted)).id  # type: ignore[arg-type]  # the caller names Draft's own fields


def test_a_ticket_is_handed_to_the_queue_of_the_line(helpdesk: OtrsSandbox, connector: OtrsConnector) -> None:
    ticket_id = created(connector, values={"line": 2})
    assert helpdesk.store.tickets[int(ticket_id)].queue.name == "Support::L2"
    connector.update(ticket_id, Changes(values={"line": 3, "title": "Another"}), None)
    ticket = connector.read(ticket_id, Known()).ticket
    assert (ticket.line, ticket.title, ticket.native["queue"]) == (3, "Another", "Support::L3")


def test_a_queue_below_that_of_a_line_belongs_to_it_and_what_is_read_back_is_foretold(helpdesk: OtrsSandbox) -> None:
    with closing(connect(helpdesk, lines={1: ["Support"], 2: ["Support::L2"]})) as connector:
        ticket_id = created(connector)
        assert connector.read(ticket_id, Known()).ticket.line == 1
        assert [connector.hold("line", line) for line in (1, 2)] == [1, 2]


@pytest.mark.parametrize("queue", ["Nowhere", "support::l2"])
def test_a_queue_that_is_not_there_or_is_spelt_otherwise_is_refused(helpdesk: OtrsSandbox, queue: str) -> None:
    with closing(connect(helpdesk, lines={1: [queue]})) as connector:
        ticket_id = created(connector)
        with pytest.raises(RefusedError) as caught:
            connector.update(ticket_id, Changes(values={"line": 1}), None)
        assert set(caught.value.fields) == {"line"}


def test_a_wrong_queue_for_new_tickets_is_no_fault_of_a_line(helpdesk: OtrsSandbox) -> None:
    with closing(connect(helpdesk, queue="Nowhere")) as connector:
        with pytest.raises(PermanentError, match="Queue") as caught:
            created(connector)
        assert not isinstance(caught.value, RefusedError)
        assert "trackers.support.queue" in caught.value.remedy


def test_a_line_whose_queue_is_not_there_is_told_by_the_check(helpdesk: OtrsSandbox) -> None:
    with closing(connect(helpdesk, lines={1: ["Support::L1"], 2: ["Suport::L2"]})) as connector:
        (found,) = [f for f in connector.check() if f.level == "error"]
    assert "'Suport::L2' of line 2" in found.what
    assert "lines.2" in found.remedy


def test_without_lines_in_the_settings_there_are_none(helpdesk: OtrsSandbox) -> None:
    with closing(connect(helpdesk, lines={})) as connector:
        assert Capability.LINES not in connector.capabilities
        with pytest.raises(Unwritable, match=r"trackers\.support\.lines"):
            connector.hold("line", 1)


def test_a_ticket_says_who_asks_of_what_organisation_and_how(helpdesk: OtrsSandbox, connector: OtrsConnector) -> None:
    with closing(actor(helpdesk, "customer")) as customer, closing(actor(helpdesk, "agent")) as agent:
        ticket_id = customer.open_ticket("Help", "Please.")
        agent.say(ticket_id, "We look.", public=True)
        customer.say(ticket_id, "Thanks.", public=True)
    snapshot = connector.read(ticket_id, Known())
    ticket = snapshot.ticket
    assert ticket.requester is not None
    assert (ticket.requester.email, ticket.requester.language) == ("customer1@customer.example", None)
    assert ticket.organisation
    assert ticket.channel is not Channel.UNKNOWN
    assert ticket.created is not None
    assert {str(c.text): c.author.is_staff for c in snapshot.comments or ()} == {"We look.": True, "Thanks.": False}
