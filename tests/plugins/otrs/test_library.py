"""The sandbox is driven by a client that others wrote: `pyotrs`, over the stock web service with legacy sessions."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyotrs import Article, Attachment, Client, DynamicField, Ticket
from pyotrs.lib import APIError, HTTPError

from plugins.otrs.sandbox import OtrsSandbox


def made(helpdesk: OtrsSandbox, folder: Path, user: str = "agent1", **more: object) -> Client:
    person = helpdesk.people()[user]
    client = Client(
        baseurl=helpdesk.url,
        username=person["user"],
        password=more.pop("password", person["password"]),
        session_id_file=str(folder / f"session-{user}"),
        use_legacy_sessions=True,
        **more,
    )
    client.session_create()
    return client


@pytest.fixture
def client(helpdesk: OtrsSandbox, tmp_path: Path) -> Client:
    return made(helpdesk, tmp_path)


def a_ticket(client: Client, **more: object) -> str:
    ticket = Ticket.create_basic(
        Title="From a library", Queue="Support::L1", State="new", Priority="3 normal", CustomerUser="customer1",
        Type="Incident",
    )  # fmt: skip
    article = Article({"Subject": "Hello", "Body": "It breaks.", "ContentType": "text/plain; charset=utf8"})
    return str(client.ticket_create(ticket, article, **more)["TicketID"])


def note(text: str, **more: object) -> Article:
    return Article({"Subject": "A note", "Body": text, "ContentType": "text/plain; charset=utf8", **more})


def test_it_signs_in_and_its_session_is_known(client: Client) -> None:
    session_id = client.session_id_store.value
    assert client.session_get(session_id)
    told = {pair["Key"]: pair["Value"] for pair in client.result}
    assert (told["UserLogin"], told["UserType"]) == ("agent1", "User")
    assert client.session_get("no-such-session") is False


def test_a_wrong_password_is_refused(helpdesk: OtrsSandbox, tmp_path: Path) -> None:
    with pytest.raises(APIError, match=r"SessionCreate\.AuthFail"):
        made(helpdesk, tmp_path, password="wrong")


def test_it_creates_and_reads_a_ticket_with_articles_fields_and_files(client: Client) -> None:
    attachment = Attachment.create_basic(base64.b64encode(b"abc").decode(), "text/plain", "a.txt")
    ticket_id = a_ticket(client, attachments=[attachment], dynamic_fields=[DynamicField("ExternalKey", "K-1")])
    ticket = client.ticket_get_by_id(ticket_id, articles=True, attachments=True)
    assert (ticket.field_get("Title"), ticket.field_get("State")) == ("From a library", "new")
    assert ticket.dynamic_field_get("ExternalKey").value == "K-1"
    article = ticket.articles[0]
    assert article.field_get("Body") == "It breaks."
    assert base64.b64decode(article.attachments[0].Content) == b"abc"


def test_it_changes_a_ticket_and_adds_articles(client: Client) -> None:
    ticket_id = a_ticket(client)
    client.ticket_update(ticket_id, Title="Changed", State="open", Priority="4 high")
    client.ticket_update(ticket_id, article=note("for us", IsVisibleForCustomer=0))
    ticket = client.ticket_get_by_id(ticket_id, articles=True)
    assert [ticket.field_get(k) for k in ("Title", "State", "Priority")] == ["Changed", "open", "4 high"]
    assert [a.field_get("IsVisibleForCustomer") for a in ticket.articles] == [1, 0]


def test_it_sets_a_ticket_to_wait(client: Client) -> None:
    ticket_id = a_ticket(client)
    client.ticket_update_set_pending(ticket_id, pending_days=2)
    ticket = client.ticket_get_by_id(ticket_id)
    assert ticket.field_get("State") == "pending reminder"
    until = datetime.fromtimestamp(ticket.field_get("RealTillTimeNotUsed"), UTC)
    assert abs(until - datetime.now(UTC) - timedelta(days=2)) < timedelta(minutes=2)


def test_it_searches_by_number_title_time_and_finds_nothing_as_nothing(client: Client) -> None:
    ticket_id = a_ticket(client)
    number = client.ticket_get_by_id(ticket_id).field_get("TicketNumber")
    assert client.ticket_get_by_number(number).field_get("TicketID") == int(ticket_id)
    assert client.ticket_search(Title="*library*") == [ticket_id]
    assert client.ticket_search(TicketLastChangeTimeNewerDate=datetime.now(UTC) - timedelta(minutes=5)) == [ticket_id]
    assert client.ticket_search(Title="something else") == []
    assert client.ticket_search_full_text("breaks") == [ticket_id]


def test_it_reads_many_tickets_and_a_history(client: Client) -> None:
    ids = [a_ticket(client), a_ticket(client)]
    assert [str(t.field_get("TicketID")) for t in client.ticket_get_by_list(ids)] == ids
    history = client.ticket_history_get_by_id(ids[0])["History"]
    assert history[0]["HistoryType"] == "NewTicket"


def test_a_customer_sees_only_what_is_visible_to_customers(
    client: Client, helpdesk: OtrsSandbox, tmp_path: Path
) -> None:
    ticket_id = a_ticket(client)
    client.ticket_update(ticket_id, article=note("for us", IsVisibleForCustomer=0))
    client.ticket_update(ticket_id, article=note("for all", IsVisibleForCustomer=1))
    customer = made(helpdesk, tmp_path, "customer1", customer_user=True)
    ticket = customer.ticket_get_by_id(ticket_id, articles=True)
    assert [a.field_get("Body") for a in ticket.articles] == ["It breaks.", "for all"]
    other = made(helpdesk, tmp_path, "customer2", customer_user=True)
    with pytest.raises(APIError, match=r"TicketGet\.AccessDenied"):
        other.ticket_get_by_id(ticket_id)


def test_refusals_carry_the_operations_code_and_faults_are_http_errors(client: Client, helpdesk: OtrsSandbox) -> None:
    ticket_id = a_ticket(client)
    with pytest.raises(APIError, match=r"TicketUpdate\.InvalidParameter"):
        client.ticket_update(ticket_id, State="nirvana")
    with pytest.raises(APIError, match=r"TicketGet\.AccessDenied"):
        client.ticket_get_by_id(4711)
    helpdesk.agent("agent1").rights["Restricted"] = frozenset()
    with pytest.raises(HTTPError, match="queue could not be updated"):
        client.ticket_update(ticket_id, Queue="Restricted")
