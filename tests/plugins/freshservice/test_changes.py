"""Changes as tickets: read, noted, and left to their approvals."""

from __future__ import annotations

import pytest

from hub.connector import Changes, Known, NotFoundError, PermanentError, RefusedError, RemoteLink
from hub.ticket import Category, Person, Priority, Status, Visibility
from plugins.freshservice.connector import FreshserviceConnector
from plugins.freshservice.sandbox import FreshserviceSandbox
from tests.plugins.freshservice.builders import a_change, a_comment, a_file, created
from tests.plugins.freshservice.conftest import connect


def test_a_change_is_a_ticket_of_its_own_category_and_number(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    change_id, ticket_id = a_change(site), created(connector)
    assert (change_id, ticket_id) == ("CHN-1", "1")
    agent = site.people()["agent1"]
    site.store.changes[1].agent_id = int(agent["id"])
    ticket = connector.read(change_id, Known()).ticket
    assert (ticket.id, ticket.key, ticket.url) == ("CHN-1", "CHN-1", f"{site.url}/a/changes/1")
    assert (ticket.title, ticket.description) == ("Replace the mail server", "It is old.")
    assert (ticket.category, ticket.priority, ticket.labels) == (Category.CHANGE_REQUEST, Priority.NORMAL, frozenset())
    assert ticket.assignee == ticket.requester == Person(agent["id"], "Agent One", agent["email"], True, "en")
    assert ticket.native == {"status": "Open", "priority": "Medium", "type": "Change"}
    assert connector.read(ticket_id, Known()).ticket.title == "A fault"


@pytest.mark.parametrize(
    ("code", "status", "word"),
    [
        (1, Status.OPEN, "Open"),
        (2, Status.IN_PROGRESS, "Planning"),
        (3, Status.ON_HOLD, "Approval"),
        (4, Status.IN_PROGRESS, "Pending Release"),
        (5, Status.IN_PROGRESS, "Pending Review"),
        (6, Status.CLOSED, "Closed"),
        (7, Status.UNKNOWN, "7"),
    ],
)
def test_the_life_of_a_change_has_words_of_its_own(
    connector: FreshserviceConnector, site: FreshserviceSandbox, code: int, status: Status, word: str
) -> None:
    change_id = a_change(site)
    site.store.changes[1].status = code
    ticket = connector.read(change_id, Known()).ticket
    assert (ticket.status, ticket.native["status"]) == (status, word)


def test_title_description_priority_assignee_and_custom_fields_are_written(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    change_id, agent = a_change(site), site.people()["agent2"]["id"]
    values = {
        "title": "Another",
        "description": "Why *not*",
        "priority": Priority.URGENT,
        "assignee": agent,
        "custom:environment": "a rack",
    }
    connector.update(change_id, Changes(values=values), None)
    ticket = connector.read(change_id, Known()).ticket
    assert (ticket.title, ticket.description, ticket.priority) == ("Another", "Why *not*", Priority.URGENT)
    assert ticket.assignee is not None
    assert (ticket.assignee.id, ticket.custom["environment"]) == (agent, "a rack")


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        (Changes(values={"status": Status.CLOSED, "title": "x"}), {"status"}),
        (Changes(add_labels=frozenset({"x"}), values={"title": "x"}), {"labels"}),
        (Changes(values={"category": Category.INCIDENT, "title": "x"}), {"category"}),
    ],
)
def test_approvals_are_peoples_and_what_a_change_has_not_is_refused_by_name(
    connector: FreshserviceConnector, site: FreshserviceSandbox, changes: Changes, refused: set[str]
) -> None:
    change_id = a_change(site)
    site.requests.clear()
    with pytest.raises(RefusedError) as error:
        connector.update(change_id, changes, None)
    assert set(error.value.fields) == refused
    assert len(site.requests) == 0
    connector.update(change_id, changes.without(list(refused)), None)
    assert connector.read(change_id, Known()).ticket.title == "x"


@pytest.mark.parametrize("visibility", [Visibility.PUBLIC, Visibility.PRIVATE])
def test_a_comment_is_a_note_for_agents_and_says_so(
    connector: FreshserviceConnector, site: FreshserviceSandbox, visibility: Visibility
) -> None:
    change_id = a_change(site)
    written = connector.add_comment(change_id, a_comment("noted", visibility, a_file("plan.txt", b"step 1")))
    assert written.visibility is Visibility.PRIVATE
    assert connector.find_comment(change_id, "hub:mark:noted") == written
    (comment,) = connector.read(change_id, Known()).comments or ()
    assert (comment.text, comment.visibility, comment.author.name) == ("noted", Visibility.PRIVATE, "Hub Service")
    with connector.download(comment.attachments[0]) as chunks:
        assert b"".join(chunks) == b"step 1"


def test_the_link_of_a_change_is_a_note_that_is_taken_back(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    change_id = a_change(site)
    link = RemoteLink("hub:4f54fba6:dev:1", "http://dev.example/OPS-1", "OPS-1", "A bug", "dev")
    connector.write_link(change_id, link)
    (note,) = connector.read(change_id, Known()).comments or ()
    assert note.text == "[OPS-1](http://dev.example/OPS-1)"
    connector.remove_link(change_id, link.global_id)
    connector.remove_link(change_id, link.global_id)
    assert connector.read(change_id, Known()).comments == ()


def test_where_changes_are_not_kept_in_step_the_setting_is_named(site: FreshserviceSandbox) -> None:
    connector = connect(site)
    with pytest.raises(PermanentError) as error:
        connector.read(a_change(site), Known())
    assert "trackers.support.changes: true" in error.value.remedy
    connector.close()


def test_a_change_that_never_was_is_not_found(connector: FreshserviceConnector) -> None:
    created(connector)
    with pytest.raises(NotFoundError):
        connector.read("CHN-1", Known())
