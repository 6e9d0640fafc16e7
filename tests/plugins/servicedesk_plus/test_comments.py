"""Notes and mails: order, who may read them, marks, files' owners."""

from __future__ import annotations

import logging

import pytest

from hub.connector import Capability, Known, NewComment, PermanentError, RemoteLink
from hub.sandbox import Fault
from hub.ticket import Markdown, Visibility
from plugins.servicedesk_plus import mapping
from plugins.servicedesk_plus.connector import ServiceDeskPlusConnector
from plugins.servicedesk_plus.conversations import is_mail_of_people
from plugins.servicedesk_plus.sandbox import ServiceDeskPlusSandbox, actor
from plugins.servicedesk_plus.sandbox.cast import Technician
from tests.plugins.clock import Clock
from tests.plugins.servicedesk_plus.builders import a_comment, agent_notes, comments_of, created, kept
from tests.plugins.servicedesk_plus.conftest import connect

PUBLIC, PRIVATE, UNKNOWN = Visibility.PUBLIC, Visibility.PRIVATE, Visibility.UNKNOWN


def test_notes_and_mails_are_read_as_one_line_in_the_order_they_were_written(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, clock: Clock
) -> None:
    ticket_id = created(connector)
    customer, agent = actor(site, "customer"), actor(site, "agent")
    for speak in (
        lambda: agent.say(ticket_id, "a mail to the customer", public=True),
        lambda: agent.say(ticket_id, "for us", public=False),
        lambda: customer.say(ticket_id, "an answer", public=True),
        lambda: connector.add_comment(ticket_id, a_comment("for all")),
    ):
        clock.forward(seconds=1)
        speak()
    assert [
        (str(c.text), c.visibility, c.author.name, c.author.is_staff) for c in comments_of(connector, ticket_id)
    ] == [
        ("a mail to the customer", PUBLIC, "Agent One", True),
        ("for us", PRIVATE, "Agent One", True),
        ("an answer", PUBLIC, "Customer 1", False),
        ("for all", PUBLIC, "Hub Service", True),
    ]
    customer.close()
    agent.close()


def test_a_note_and_a_mail_of_one_number_are_two_comments(on_premises: ServiceDeskPlusSandbox) -> None:
    connector = connect(on_premises)
    ticket_id = created(connector)
    agent = actor(on_premises, "agent")
    agent.say(ticket_id, "a mail", public=True)
    agent.say(ticket_id, "a note", public=False)
    assert {c.id for c in comments_of(connector, ticket_id)} == {"mail-1", "note-1"}
    agent.close()
    connector.close()


def test_a_mail_to_somebody_else_is_not_public(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    ticket_id = created(connector)
    agent = actor(site, "agent")
    assert isinstance(agent, Technician)
    agent.forward(ticket_id, "What do you think of this customer?", "partner@elsewhere.example")
    (comment,) = comments_of(connector, ticket_id)
    assert comment.visibility is (PRIVATE if site.is_cloud else UNKNOWN)
    assert not comment.visibility.is_public
    agent.close()


def test_mails_that_the_server_writes_by_itself_are_no_comments(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    ticket_id = created(connector)
    site.changes.mail(None, kept(site, ticket_id), "Your request was logged.", (), kind="SYSTEM", to=["x@y.example"])
    assert comments_of(connector, ticket_id) == ()


def test_notes_that_stand_in_the_list_of_mails_as_well_are_read_once() -> None:
    row = {
        "id": "5",
        "type": "NOTES",
        "content_url": "/api/v3/requests/1/notes/5",
        "created_by": {"id": "2", "name": "A"},
    }
    assert not is_mail_of_people(row)
    assert is_mail_of_people({**row, "type": "REPLY", "content_url": "/api/v3/requests/1/notifications/5"})


@pytest.mark.parametrize(
    ("row", "visibility"),
    [
        ({"show_to_requester": True, "type": "FORWARD"}, PUBLIC),
        ({"show_to_requester": "false", "type": "REPLY"}, PRIVATE),
        ({"type": "REPLY"}, PUBLIC),
        ({"type": "ESCALATION"}, UNKNOWN),
        ({}, UNKNOWN),
        ({"created_by": {"id": "9", "is_technician": False}}, PUBLIC),
    ],
)
def test_a_mail_is_public_only_where_something_says_so(row: dict[str, object], visibility: Visibility) -> None:
    whole = {"id": "1", "created_by": {"id": "2", "is_technician": True}, "created_time": {"value": "1"}, **row}
    assert mapping.mail(whole, {"description": "x"}, frozenset(), "http://x").visibility is visibility


def test_a_note_that_does_not_say_who_may_read_it_is_unknown() -> None:
    raw = {"id": "1", "description": "x", "added_time": {"value": "1593000300533"}}
    assert mapping.note(raw, frozenset(), "http://x").visibility is UNKNOWN


def test_a_list_that_leaves_out_who_may_read_a_note_makes_each_note_be_read(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    site.change_settings(notes_list_is_partial=1)
    ticket_id = created(connector)
    agent_notes(site, ticket_id, "<p>for us</p>")
    agent_notes(site, ticket_id, "<p>for all</p>", shown=True)
    assert [c.visibility for c in comments_of(connector, ticket_id)] == [PRIVATE, PUBLIC]


def test_what_is_deleted_while_it_is_read_does_not_make_the_request_look_gone(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    site.change_settings(notes_list_is_partial=1)
    ticket_id = created(connector)
    agent = actor(site, "agent")
    agent.say(ticket_id, "a mail", public=True)
    agent.say(ticket_id, "a note", public=False)
    agent.say(ticket_id, "another note", public=False)
    for path in (r"/notifications/\d+$", r"/notes/\d+$"):
        site.faults.add(Fault(method="GET", path=path, status=404))
    assert [c.text for c in comments_of(connector, ticket_id)] == ["another note"]
    agent.close()


def test_a_mail_is_fetched_once_and_a_request_without_notes_costs_no_look_for_them(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    ticket_id = created(connector)
    agent = actor(site, "agent")
    agent.say(ticket_id, "a mail", public=True)
    connector.read(ticket_id, Known())
    site.requests.clear()
    connector.read(ticket_id, Known())
    assert [r.path.rpartition("/")[2] for r in site.requests] == [ticket_id, "conversations"]
    site.requests.clear()
    connector.read(ticket_id, Known(comment_count=1, must_read_comments=False))
    assert len(site.requests) == 1
    agent.close()


def test_more_notes_than_fit_on_a_page_are_all_read(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    ticket_id = created(connector)
    for number in range(205):
        agent_notes(site, ticket_id, f"<p>{number}</p>")
    assert [str(c.text) for c in comments_of(connector, ticket_id)] == [str(n) for n in range(205)]


@pytest.mark.parametrize(("public_as", "notes", "mails"), [("note", 1, 0), ("reply", 0, 1)])
def test_a_public_comment_is_a_note_or_a_mail_to_the_requester_as_the_settings_say(
    site: ServiceDeskPlusSandbox, public_as: str, notes: int, mails: int
) -> None:
    connector = connect(site, public_as=public_as)
    ticket_id = created(connector)
    written = connector.add_comment(ticket_id, a_comment("for all"))
    request = kept(site, ticket_id)
    assert (len(request.notes), len(request.mails), written.visibility) == (notes, mails, PUBLIC)
    assert all(m.to == ["customer1@customers.example"] and m.kind == "REPLY" for m in request.mails)
    connector.add_comment(ticket_id, a_comment("for us", PRIVATE))
    assert [n.shown for n in request.notes][-1] is False
    assert len(request.mails) == mails
    connector.close()


def test_a_reply_to_somebody_without_an_address_is_a_note(site: ServiceDeskPlusSandbox) -> None:
    connector = connect(site, public_as="reply")
    ticket_id = created(connector)
    kept(site, ticket_id).requester = site.store.add_requester("No Address", None)
    connector.add_comment(ticket_id, a_comment("for all"))
    assert [n.shown for n in kept(site, ticket_id).notes] == [True]
    connector.close()


def test_what_was_mailed_is_never_changed(site: ServiceDeskPlusSandbox) -> None:
    connector = connect(site, public_as="reply")
    assert not connector.capabilities & {Capability.EDIT_COMMENTS, Capability.DELETE_COMMENTS}
    connector.close()
    noting = connect(site)
    with pytest.raises(PermanentError, match="cannot be changed once it was sent"):
        noting.edit_comment("1", "mail-7", Markdown("x"), PUBLIC)
    noting.close()


@pytest.mark.parametrize("visibility", [PUBLIC, PRIVATE])
def test_an_edited_note_stays_for_whom_it_was_and_keeps_its_mark(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox, visibility: Visibility
) -> None:
    ticket_id = created(connector)
    comment = a_comment("before", visibility)
    written = connector.add_comment(ticket_id, comment)
    connector.edit_comment(ticket_id, written.id, Markdown("after"), visibility)
    (seen,) = comments_of(connector, ticket_id)
    assert (seen.text, seen.visibility, seen.marker) == ("after", visibility, comment.marker)


@pytest.mark.parametrize("marker", ["hub:4f54fba6:dev:10001:10500", 'odd "<mark>" ] & ą', "hub:a_b:dev:x:1:edited"])
def test_a_comment_is_found_by_its_mark_and_shows_none(connector: ServiceDeskPlusConnector, marker: str) -> None:
    ticket_id = created(connector)
    comment = NewComment(text=Markdown("found"), visibility=PRIVATE, marker=marker)
    written = connector.add_comment(ticket_id, comment)
    found = connector.find_comment(ticket_id, marker)
    assert found is not None
    assert (found.id, found.visibility) == (written.id, PRIVATE)
    assert connector.find_comment(ticket_id, marker + "1") is None
    assert [c.text for c in comments_of(connector, ticket_id)] == ["found"]


def test_a_mark_that_somebody_quotes_is_not_the_hubs(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    ticket_id = created(connector)
    comment = a_comment("original")
    connector.add_comment(ticket_id, comment)
    quoted = kept(site, ticket_id).notes[0].description
    agent_notes(site, ticket_id, f"I agree.{quoted}", shown=True)
    found = connector.find_comment(ticket_id, comment.marker)
    assert found is not None
    assert found.id == f"note-{kept(site, ticket_id).notes[0].id}"


def test_a_key_of_another_technician_than_the_settings_name_is_noticed_and_its_marks_count(
    site: ServiceDeskPlusSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    connector = connect(site, account="agent1@helpdesk.example")
    ticket_id = created(connector)
    comment = a_comment("whose?")
    with caplog.at_level(logging.WARNING):
        connector.add_comment(ticket_id, comment)
    assert "the key belongs to Hub Service, not to the technician of trackers.support.account" in caplog.text
    assert connector.find_comment(ticket_id, comment.marker) is not None
    connector.close()


def test_a_link_is_a_private_note_that_goes_when_the_link_goes(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    ticket_id = created(connector)
    link = RemoteLink("hub:x:dev:1", "https://jira.example/browse/OPS-1", "OPS-1", "A fault", "dev")
    connector.write_link(ticket_id, link)
    (note,) = kept(site, ticket_id).notes
    assert not note.shown
    assert "https://jira.example/browse/OPS-1" in note.description
    connector.remove_link(ticket_id, link.global_id)
    assert kept(site, ticket_id).notes == []
