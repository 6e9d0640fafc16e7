"""A client that others wrote talks to the sandbox over real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from zenpy import Zenpy
from zenpy.lib.api_objects import Comment, CustomField, Request, Ticket, User, Webhook
from zenpy.lib.exception import APIException, RecordNotFoundException

from plugins.zendesk.sandbox import ZendeskSandbox

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugins.zendesk.sandbox.conftest import Api


class ToSandbox(HTTPAdapter):
    """Sends what is meant for https://{subdomain}.zendesk.com to the sandbox."""

    def __init__(self, url: str) -> None:
        self._url = url
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        there = request.copy()
        there.url = str(request.url).replace("https://sandbox.zendesk.com", self._url)
        answer = super().send(there, *args, **more)
        # zenpy tells answers apart by the address that it asked.
        answer.request = request
        return answer


@pytest.fixture
def client_of(sandbox: ZendeskSandbox) -> Iterator[Callable[..., Any]]:
    """A zenpy client with the given credentials."""
    sessions: list[requests.Session] = []

    def client(**credentials: str) -> Any:
        session = requests.Session()
        session.mount("https://", ToSandbox(sandbox.url))
        sessions.append(session)
        return Zenpy(subdomain="sandbox", session=session, disable_cache=True, **credentials)

    yield client
    for session in sessions:
        session.close()


@pytest.fixture
def zenpy(sandbox: ZendeskSandbox, client_of: Callable[..., Any]) -> Any:
    return client_of(**sandbox.credentials())


def test_it_knows_itself(sandbox: ZendeskSandbox, zenpy: Any) -> None:
    assert zenpy.users.me().id == sandbox.logins["hub"].id


def test_it_speaks_oauth(sandbox: ZendeskSandbox, client_of: Callable[..., Any]) -> None:
    token = sandbox.tokens.issue({**sandbox.oauth_client, "grant_type": "client_credentials"})["access_token"]
    assert client_of(oauth_token=token).users.me().role == "admin"


def test_it_creates_and_updates_a_ticket(sandbox: ZendeskSandbox, zenpy: Any) -> None:
    area = sandbox.field_id("Product area")
    made = zenpy.tickets.create(
        Ticket(
            subject="Hello",
            comment=Comment(body="first", public=True),
            requester=User(name="Customer Nine", email="nine@example.com"),
            custom_fields=[CustomField(id=area, value="area_login")],
            external_id="x-9",
        )
    )
    assert (made.ticket.subject, made.audit.events[0]["type"]) == ("Hello", "Comment")
    ticket = zenpy.tickets(id=made.ticket.id)
    ticket.status, ticket.comment = "open", Comment(body="note", public=False)
    updated = zenpy.tickets.update(ticket)
    assert updated.ticket.status == "open"
    assert updated.ticket.requester.email == "nine@example.com"
    assert [(c.body, c.public) for c in zenpy.tickets.comments(ticket)] == [("first", True), ("note", False)]
    assert [a.ticket_id for a in zenpy.tickets.audits(ticket)] == [ticket.id] * 2
    assert [t.id for t in zenpy.tickets(external_id="x-9")] == [ticket.id]


def test_it_sets_adds_and_removes_tags(api: Api, zenpy: Any) -> None:
    ticket = api.create()["id"]
    tickets = zenpy.tickets
    assert list(tickets.set_tags(ticket, ["a", "b"])) == ["a", "b"]
    assert list(tickets.add_tags(ticket, ["c"])) == ["a", "b", "c"]
    assert list(tickets.delete_tags(ticket, ["a"])) == ["b", "c"]


def test_it_uploads_a_file(api: Api, zenpy: Any, tmp_path: Path) -> None:
    file = tmp_path / "crash.log"
    file.write_bytes(b"boom")
    upload = zenpy.attachments.upload(str(file), target_name="crash.log", content_type="text/plain")
    ticket = zenpy.tickets(id=api.create()["id"])
    ticket.comment = Comment(body="see file", public=False, uploads=[upload.token])
    zenpy.tickets.update(ticket)
    attachment = list(zenpy.tickets.comments(ticket))[-1].attachments[0]
    assert (attachment.file_name, attachment.size) == ("crash.log", 4)


def test_it_searches_tickets_and_people(api: Api, zenpy: Any) -> None:
    ticket = api.create("a ripe banana")["id"]
    assert [t.id for t in zenpy.search("banana", type="ticket")] == [ticket]
    assert [u.name for u in zenpy.users.search(query="agent1@support.example")] == ["Agent One"]
    assert zenpy.users.create_or_update(User(name="Agent 1", email="agent1@support.example")).name == "Agent 1"


def test_it_walks_pages(api: Api, zenpy: Any) -> None:
    for _ in range(5):
        api.create()
    assert [t.id for t in zenpy.tickets(cursor_pagination=2)] == [1, 2, 3, 4, 5]
    assert [t.id for t in zenpy.tickets(cursor_pagination=False)] == [1, 2, 3, 4, 5]


def test_it_polls_the_exports(api: Api, zenpy: Any) -> None:
    for _ in range(3):
        api.create()
    pages = zenpy.tickets.incremental(start_time=1, per_page=2)
    assert [t.id for t in pages] == [1, 2, 3]
    assert [e.ticket_id for e in zenpy.tickets.events(start_time=1, include=["comment_events"])] == [1, 2, 3]


def test_it_updates_many_and_watches_the_job(api: Api, zenpy: Any) -> None:
    tickets = [zenpy.tickets(id=api.create()["id"]) for _ in range(2)]
    for ticket in tickets:
        ticket.priority = "low"
    job = zenpy.tickets.update(tickets)
    assert zenpy.job_status(id=job.id).status == "completed"
    assert api.get("/tickets/1")["ticket"]["priority"] == "low"


def test_it_sets_up_webhooks(zenpy: Any) -> None:
    made = zenpy.webhooks.create(
        Webhook(
            name="hub",
            endpoint="http://127.0.0.1:9/",
            http_method="POST",
            request_format="json",
            status="active",
            subscriptions=["conditional_ticket_events"],
        )
    )
    assert zenpy.webhooks.show_secret(made).secret
    assert [w.id for w in zenpy.webhooks.list()] == [made.id]


def test_it_merges_and_deletes(api: Api, zenpy: Any) -> None:
    target, source = (zenpy.tickets(id=api.create()["id"]) for _ in range(2))
    zenpy.tickets.merge(target=target, source=source, target_comment="t", source_comment="s")
    assert zenpy.tickets(id=source.id).status == "closed"
    zenpy.tickets.delete(target)
    with pytest.raises(RecordNotFoundException):
        zenpy.tickets(id=target.id)


def test_it_understands_the_errors(api: Api, zenpy: Any) -> None:
    ticket = zenpy.tickets(id=api.create()["id"])
    ticket.status = "solved"
    with pytest.raises(APIException, match="Assignee"):
        zenpy.tickets.update(ticket)


def test_it_reads_the_set_up(zenpy: Any) -> None:
    assert "Product area" in [f.title for f in zenpy.ticket_fields()]
    assert "Support" in [g.name for g in zenpy.groups()]
    assert "With engineering" in [s.agent_label for s in zenpy.custom_statuses()]
    assert list(zenpy.macros())


def test_a_customer_writes_requests(sandbox: ZendeskSandbox, client_of: Callable[..., Any]) -> None:
    person = sandbox.people()["customer1"]
    customer = client_of(email=person["email"], token=person["token"])
    made = customer.requests.create(Request(subject="Mine", comment=Comment(body="help")))
    assert [c.body for c in customer.requests.comments(made.id)] == ["help"]
