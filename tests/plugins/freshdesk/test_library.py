"""The sandbox is driven by a client that others wrote: `python-freshdesk`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from freshdesk.v2.api import API
from freshdesk.v2.errors import (
    FreshdeskAccessDenied,
    FreshdeskBadRequest,
    FreshdeskNotFound,
    FreshdeskRateLimited,
    FreshdeskUnauthorized,
)

from plugins.freshdesk.sandbox import FreshdeskSandbox
from tests.plugins.clock import Clock
from tests.shared import payload


def client_for(site: FreshdeskSandbox, key: str) -> Any:
    made = API("acme.freshdesk.com", key)
    # The package insists on https and the vendor's domain; only the address is ours.
    made._api_prefix = f"{site.url}/api/v2/"
    return made


@pytest.fixture
def client(site: FreshdeskSandbox) -> Iterator[Any]:
    made = client_for(site, site.credentials()["api_key"])
    yield made
    made._session.close()


def a_ticket(client: Any, **more: Any) -> Any:
    values = {"description": "<p>From a library</p>", "email": "customer1@customers.example", **more}
    return client.tickets.create_ticket("A subject", **values)


def test_it_knows_who_it_is_and_who_the_others_are(client: Any) -> None:
    assert str(client.agents.currently_authenticated_agent()) == "Hub Service"
    assert {str(a) for a in client.agents.list_agents()} == {"Hub Service", "Agent One", "Agent Two", "Agent Three"}
    (found,) = client.contacts.list_contacts(email="customer2@customers.example")
    assert client.contacts.get_contact(found.id).name == "Customer 2"
    assert [str(g) for g in client.groups.list_groups()] == ["Helpdesk", "Experts"]
    assert found.email == "customer2@customers.example"


def test_it_creates_reads_updates_and_deletes_a_ticket(client: Any) -> None:
    ticket = a_ticket(client, priority=3, tags=["a"], custom_fields={"cf_severity": "Major"})
    assert (ticket.status, ticket.priority, ticket.source, ticket.tags) == ("open", "high", "portal", ["a"])
    changed = client.tickets.update_ticket(ticket.id, status=4, priority=4, tags=["b"])
    assert (changed.status, changed.priority, changed.tags) == ("resolved", "urgent", ["b"])
    again = client.tickets.get_ticket(ticket.id, "requester", "stats", "conversations")
    assert (again.subject, again.requester["name"], again.conversations) == ("A subject", "Customer 1", [])
    assert again.custom_fields["cf_severity"] == "Major"
    client.tickets.delete_ticket(ticket.id)
    assert [t.id for t in client.tickets.list_deleted_tickets()] == [ticket.id]
    assert client.tickets.get_ticket(ticket.id).deleted is True


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the package closes no file
def test_it_sends_a_ticket_with_files_as_a_form(client: Any, tmp_path: Path) -> None:
    file = tmp_path / "raport ąę (1).pdf"
    file.write_bytes(b"%PDF")
    ticket = a_ticket(client, attachments=[str(file)], tags=["x", "y"], custom_fields={"cf_environment": "z"})
    (attachment,) = ticket.attachments
    assert (attachment["name"], attachment["size"]) == (file.name, 4)
    assert (ticket.tags, ticket.custom_fields["cf_environment"]) == (["x", "y"], "z")


def test_a_note_is_private_unless_it_says_otherwise_and_a_reply_is_public(client: Any) -> None:
    ticket = a_ticket(client)
    client.comments.create_note(ticket.id, "<b>silent</b>")
    client.comments.create_note(ticket.id, "loud", private=False)
    client.comments.create_reply(ticket.id, "answer")
    comments = client.comments.list_comments(ticket.id)
    assert [(str(c), c.private, c.source) for c in comments] == [
        ("silent", True, "note"),
        ("loud", False, "note"),
        ("answer", False, "reply"),
    ]
    assert comments[0].body == "<div><b>silent</b></div>"


def test_it_turns_pages_and_lists_what_changed_since(client: Any, clock: Clock) -> None:
    made = [a_ticket(client).id for _ in range(5)]
    assert {t.id for t in client.tickets.list_tickets(filter_name=None, per_page=2)} == set(made)
    clock.forward(minutes=10)
    since = clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    client.tickets.update_ticket(made[2], priority=2)
    assert [t.id for t in client.tickets.list_tickets(filter_name=None, updated_since=since)] == [made[2]]


def test_without_a_time_only_tickets_of_the_last_thirty_days_are_listed(client: Any, clock: Clock) -> None:
    old = a_ticket(client).id
    clock.forward(days=31)
    assert client.tickets.list_tickets(filter_name=None) == []
    assert [t.id for t in client.tickets.list_tickets(filter_name=None, updated_since="2020-01-01")] == [old]


def test_it_searches_and_the_index_lags(client: Any, site: FreshdeskSandbox, clock: Clock) -> None:
    site.change_settings(search_lag=60)
    ticket = a_ticket(client, tags=["needle"], priority=3)
    query = "tag:'needle' AND (priority:3 OR priority:4)"
    assert client.tickets.filter_tickets(query) == []
    clock.forward(seconds=61)
    assert [t.id for t in client.tickets.filter_tickets(query)] == [ticket.id]
    assert client.tickets.filter_tickets("tag:'needle' AND priority:1") == []


def test_everything_wrong_is_named_at_once(client: Any) -> None:
    with pytest.raises(FreshdeskBadRequest) as refused:
        client.tickets.create_ticket("x", description="x", priority=9, status=2, nonsense=1)
    for word in ("nonsense", "invalid_field", "priority", "invalid_value", "requester_id", "missing_field"):
        assert word in str(refused.value)


def test_refusals_are_of_the_vendors_kinds(client: Any, site: FreshdeskSandbox) -> None:
    with pytest.raises(FreshdeskNotFound):
        client.tickets.get_ticket(4711)
    with pytest.raises(FreshdeskUnauthorized, match="logged in"):
        client_for(site, "wrong").agents.currently_authenticated_agent()
    with pytest.raises(FreshdeskAccessDenied, match="not authorized"):
        client_for(site, site.people()["agent1"]["api_key"]).agents.list_agents()
    site.limits.set("account", 1, 60)
    client.agents.currently_authenticated_agent()
    with pytest.raises(FreshdeskRateLimited, match="until 60 seconds"):
        client.agents.currently_authenticated_agent()
    site.limits.clear()
    site.change_settings(plan=0)
    with pytest.raises(FreshdeskAccessDenied, match="not supported in your plan"):
        client.agents.currently_authenticated_agent()


def test_ticket_fields_show_the_numbers_of_statuses(client: Any) -> None:
    fields = {f.name: f for f in client.ticket_fields.list_ticket_fields()}
    assert fields["status"].choices["8"][0] == "Waiting on Engineering"
    assert fields["cf_severity"].choices == ["Minor", "Major", "Critical"]


@pytest.mark.parametrize(
    ("sample", "more"),
    [
        # Old samples hold what present answers do not: the priority's word, and an attachment's size by another name.
        ("ticket_1", {"priority_name", "stats", "requester"}),
    ],
)
def test_a_ticket_has_every_field_of_the_published_sample(client: Any, sample: str, more: set[str]) -> None:
    ticket = a_ticket(client)
    shown = client._get(f"tickets/{ticket.id}")
    assert set(payload(f"freshdesk/python-freshdesk-v2/{sample}.json")) - more <= set(shown)


def test_conversations_agents_and_groups_have_every_field_of_the_published_samples(client: Any) -> None:
    ticket = a_ticket(client)
    client.comments.create_note(ticket.id, "x")
    folder = "freshdesk/python-freshdesk-v2"
    (shown,) = client._get(f"tickets/{ticket.id}/conversations")
    assert set(payload(f"{folder}/conversations.json")[0]) <= set(shown)
    me, sample = client._get("agents/me"), payload(f"{folder}/agent_1.json")
    assert set(sample) <= set(me)
    assert set(sample["contact"]) - {"last_login_at"} <= set(me["contact"])
    assert set(payload(f"{folder}/groups.json")[0]) <= set(client._get("groups")[0])
