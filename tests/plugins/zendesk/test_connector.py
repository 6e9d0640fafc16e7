"""The Zendesk connector against its sandbox: what is Zendesk's own, beside the conformance kit."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from hub.connector import (
    AuthError,
    Changes,
    ConflictError,
    Known,
    NewComment,
    NotFoundError,
    PermanentError,
    RefusedError,
    RemoteLink,
    Unwritable,
)
from hub.sandbox import Fault
from hub.testing.site import ShiftedClock
from hub.ticket import Markdown, Priority, Status, Visibility
from plugins.zendesk.connector import ZendeskConnector
from plugins.zendesk.sandbox import ZendeskSandbox, actor, hub_settings
from tests.plugins.zendesk.conftest import connect, created

LINK = RemoteLink("hub:x:dev:7", "http://dev.example/OPS-7", "OPS-7", "A bug", "dev", note=Markdown("Linked to OPS-7."))


def a_comment(text: str, visibility: Visibility = Visibility.PUBLIC) -> NewComment:
    return NewComment(text=Markdown(text), visibility=visibility, marker=f"hub:mark:{text}")


def test_an_oauth_client_signs_in_once_for_many_calls(account: ZendeskSandbox) -> None:
    connector = connect(account, credentials=oauth(account))
    ticket = created(connector)
    for _ in range(3):
        connector.read(ticket, Known())
    assert sum(r.path == "/oauth/tokens" for r in account.requests) == 1
    connector.close()


def test_a_token_that_has_ended_is_renewed_and_the_call_made_again(
    account: ZendeskSandbox, clock: ShiftedClock
) -> None:
    connector = connect(account, credentials=oauth(account))
    ticket = created(connector)
    clock.pass_by(3 * 24 * 3600)
    assert connector.read(ticket, Known()).ticket.title == "A ticket"
    assert sum(r.path == "/oauth/tokens" for r in account.requests) == 2
    connector.close()


def test_a_wrong_oauth_secret_is_an_auth_error_that_does_not_show_it(account: ZendeskSandbox) -> None:
    connector = connect(account, credentials={**oauth(account), "oauth_client_secret": "very-wrong-secret"})
    with pytest.raises(AuthError) as error:
        connector.identify()
    assert "very-wrong-secret" not in str(error.value)
    connector.close()


def test_two_ways_to_sign_in_at_once_are_refused_by_the_settings(account: ZendeskSandbox) -> None:
    both = {**hub_settings(account)["credentials"], **oauth(account)}
    with pytest.raises(ValueError, match="give exactly one"):
        connect(account, credentials=both)


def test_an_anonymous_account_is_not_signed_in(account: ZendeskSandbox, connector: ZendeskConnector) -> None:
    # Zendesk answers 200 with a user without an id when it takes nobody's credentials.
    account.faults.add(Fault(path="/users/me", status=200, body={"user": {"id": None, "name": "Anonymous user"}}))
    with pytest.raises(AuthError, match="anonymous"):
        connector.identify()


def test_a_custom_value_is_held_as_zendesk_shows_it_so_that_a_text_for_a_number_is_not_written_for_ever(
    account: ZendeskSandbox,
) -> None:
    connector = connect(account, fields={"affected": {"id": "360000000001", "type": "number"}})
    assert connector.hold("custom:affected", "12") == 12
    with pytest.raises(Unwritable, match="takes no 'many'"):
        connector.hold("custom:affected", "many")
    connector.close()


def test_a_change_by_somebody_else_since_the_read_is_a_conflict(
    account: ZendeskSandbox, connector: ZendeskConnector, clock: ShiftedClock
) -> None:
    ticket = created(connector)
    basis = connector.read(ticket, Known())
    clock.pass_by(2)
    agent = actor(account, "agent")
    agent.rename(ticket, "Renamed by an agent")
    agent.close()
    with pytest.raises(ConflictError):
        connector.update(ticket, Changes(values={"title": "Renamed by the hub"}), basis)
    assert connector.read(ticket, Known()).ticket.title == "Renamed by an agent"


def test_tags_that_others_add_meanwhile_stay(account: ZendeskSandbox, connector: ZendeskConnector) -> None:
    ticket = created(connector)
    basis = connector.read(ticket, Known())
    agent = actor(account, "agent")
    agent.escalate(ticket)
    agent.close()
    connector.update(ticket, Changes(add_labels=frozenset({"from_hub"})), basis)
    assert {"escalate", "from_hub"} <= connector.read(ticket, Known()).ticket.labels


def test_a_description_is_never_rewritten(connector: ZendeskConnector) -> None:
    with pytest.raises(RefusedError) as error:
        connector.update(created(connector), Changes(values={"description": "x"}), None)
    assert set(error.value.fields) == {"description"}


def test_solving_without_an_assignee_says_what_to_do(connector: ZendeskConnector) -> None:
    with pytest.raises(RefusedError) as error:
        connector.update(created(connector), Changes(values={"status": Status.SOLVED}), None)
    assert set(error.value.fields) == {"status"}
    assert "assign it" in error.value.remedy


def test_a_closed_ticket_says_that_it_cannot_be_changed(account: ZendeskSandbox, connector: ZendeskConnector) -> None:
    ticket = created(connector)
    with account.lock:
        account.store.tickets[int(ticket)].values["status"] = "closed"
    with pytest.raises(RefusedError) as error:
        connector.update(ticket, Changes(values={"priority": Priority.HIGH}), None)
    assert "follow-up" in error.value.remedy
    with pytest.raises(PermanentError):
        connector.add_comment(ticket, a_comment("too late"))


def test_a_deleted_ticket_is_not_found_any_more_and_polling_says_that_it_is_deleted(
    account: ZendeskSandbox, connector: ZendeskConnector, clock: ShiftedClock
) -> None:
    cursor, ticket = connector.poll(None, clock()).cursor, created(connector)
    admin = account.credentials()
    url = f"{account.url}/api/v2/tickets/{ticket}"
    httpx.delete(url, auth=(f"{admin['email']}/token", admin["token"])).raise_for_status()
    with pytest.raises(NotFoundError):
        connector.read(ticket, Known())
    clock.pass_by(90)
    assert {(h.ticket_id, h.is_deleted) for h in connector.poll(cursor, clock()).hints} == {(ticket, True)}


def test_more_comments_than_fit_on_a_page_are_all_read_in_order(connector: ZendeskConnector) -> None:
    ticket = created(connector)
    for number in range(105):
        connector.add_comment(ticket, a_comment(f"number {number}"))
    comments = connector.read(ticket, Known()).comments or ()
    assert [c.text for c in comments] == [f"number {n}" for n in range(105)]


def test_comments_are_left_out_when_their_number_says_that_nothing_is_new(
    account: ZendeskSandbox, connector: ZendeskConnector
) -> None:
    ticket = created(connector)
    connector.add_comment(ticket, a_comment("one"))
    count = connector.read(ticket, Known()).comment_count
    account.requests.clear()
    snapshot = connector.read(ticket, Known(comment_count=count, must_read_comments=False))
    assert (snapshot.comments, len(account.requests)) == (None, 1)
    connector.add_comment(ticket, a_comment("two"))
    newer = connector.read(ticket, Known(comment_count=count, must_read_comments=False))
    assert [c.text for c in newer.comments or ()] == ["one", "two"]


def test_a_link_is_an_external_id_and_an_internal_note_in_one_call(
    account: ZendeskSandbox, connector: ZendeskConnector
) -> None:
    ticket = created(connector)
    account.requests.clear()
    note = connector.write_link(ticket, LINK)
    assert note is not None
    assert (note.visibility, len(account.requests)) == (Visibility.PRIVATE, 1)
    assert account.store.tickets[int(ticket)].values["external_id"] == LINK.global_id
    connector.remove_link(ticket, LINK.global_id)
    assert account.store.tickets[int(ticket)].values["external_id"] is None


def test_an_external_id_of_somebody_elses_is_left_alone_when_a_link_goes(
    account: ZendeskSandbox, connector: ZendeskConnector
) -> None:
    ticket = created(connector)
    connector.write_link(ticket, LINK)
    with account.lock:
        account.store.tickets[int(ticket)].values["external_id"] = "crm-17"
    connector.remove_link(ticket, LINK.global_id)
    assert account.store.tickets[int(ticket)].values["external_id"] == "crm-17"


def test_polling_goes_on_from_its_cursor_and_repeats_nothing(connector: ZendeskConnector, clock: ShiftedClock) -> None:
    cursor = connector.poll(None, clock()).cursor
    made = {created(connector) for _ in range(3)}
    clock.pass_by(90)
    first = connector.poll(cursor, clock())
    assert {h.ticket_id for h in first.hints} == made
    assert connector.poll(first.cursor, clock()).hints == ()


def test_polling_needs_an_admin_and_the_check_says_so(account: ZendeskSandbox) -> None:
    person = account.people()["agent1"]
    agent = connect(account, credentials={"email": person["email"], "api_token": person["token"]})
    findings = agent.check()
    assert any(f.level == "warning" and "no admin" in f.what for f in findings)
    with pytest.raises(AuthError):
        agent.poll(None, datetime.now(UTC))
    agent.close()


def test_the_check_names_a_field_that_does_not_exist_and_the_one_that_was_meant(account: ZendeskSandbox) -> None:
    number = str(account.field_id("Product area"))
    connector = connect(account, fields={"product area": {"id": "4711"}}, lines={1: ["No Such Group"]})
    texts = [f"{f.level}: {f.what} {f.remedy}" for f in connector.check()]
    assert any("no ticket field 4711" in t and number in t for t in texts)
    assert any("no group 'No Such Group'" in t for t in texts)
    connector.close()


def test_a_person_is_found_by_exactly_this_address(account: ZendeskSandbox, connector: ZendeskConnector) -> None:
    person = account.people()["agent1"]
    found = connector.find_person(person["email"].upper())
    assert found is not None
    assert found.name == person["name"]
    assert connector.find_person(person["email"][1:]) is None


def test_a_file_is_fetched_without_showing_the_credentials_to_another_host(
    account: ZendeskSandbox, connector: ZendeskConnector
) -> None:
    ticket = created(connector)
    connector.add_comment(ticket, a_comment("see"))
    seen: list[str] = []
    other = ZendeskSandbox()

    @other.app.get("/elsewhere")
    def elsewhere() -> str:
        from flask import request

        seen.append(request.headers.get("Authorization", ""))
        return "content"

    with other:
        account.faults.add(Fault(path="/moved", status=302, headers={"Location": f"{other.url}/elsewhere"}))
        with connector._client.stream(f"{account.url}/moved") as chunks:
            assert b"".join(chunks) == b"content"
    assert seen == [""]


def oauth(account: ZendeskSandbox) -> dict[str, str]:
    client = account.oauth_client
    return {"oauth_client_id": client["client_id"], "oauth_client_secret": client["client_secret"]}
