"""Comments: visibility, authors, both forms of text, redaction, audits; and what a customer may see of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from plugins.zendesk.sandbox import ZendeskSandbox

if TYPE_CHECKING:
    from tests.plugins.zendesk.sandbox.conftest import Api


def comments(api: Api, ticket_id: int, **params: Any) -> Any:
    return api.get(f"/tickets/{ticket_id}/comments", **params)["comments"]


@pytest.mark.parametrize("first", [True, False])
def test_without_a_word_on_visibility_a_comment_follows_the_first(api: Api, first: bool) -> None:
    ticket = api.create("first", public=first)["id"]
    api.update(ticket, comment={"body": "second"})
    assert [c["public"] for c in comments(api, ticket)] == [first, first]


def test_a_stated_visibility_holds(api: Api) -> None:
    ticket = api.create(public=False)
    assert ticket["is_public"] is False
    assert api.update(ticket["id"], comment={"body": "out", "public": True})["ticket"]["is_public"] is True
    api.update(ticket["id"], comment={"body": "in", "public": False})
    assert [c["public"] for c in comments(api, ticket["id"])] == [False, True, False]


def test_an_agent_may_write_in_anothers_name_and_the_audit_tells(sandbox: ZendeskSandbox, api: Api) -> None:
    ticket, agent = api.create()["id"], sandbox.logins["agent1"].id
    audit = api.update(ticket, comment={"body": "as another", "public": True, "author_id": agent})["audit"]
    assert comments(api, ticket)[-1]["author_id"] == agent
    assert audit["author_id"] == sandbox.logins["hub"].id
    api.update(ticket, 422, comment={"body": "as nobody", "author_id": 5})


def test_text_and_html_come_in_both_forms(api: Api) -> None:
    ticket = api.create("one < two\nthree\n\nfour")["id"]
    api.update(ticket, comment={"html_body": "<p>Hello <b>you</b></p><script>x()</script><ul><li>a</li></ul>"})
    plain, rich = comments(api, ticket)
    assert plain["html_body"] == (
        '<div class="zd-comment" dir="auto"><p dir="auto">one &lt; two<br>three</p><p dir="auto">four</p></div>'
    )
    assert (rich["body"], rich["plain_body"]) == ("Hello you\n\na", "Hello you\n\na")
    assert rich["html_body"] == '<div class="zd-comment" dir="auto"><p>Hello <b>you</b></p><ul><li>a</li></ul></div>'


def test_our_own_stamp_comes_back_in_audit_and_comment(api: Api) -> None:
    ticket = api.create()["id"]
    stamp = {"custom": {"hub": "op-17"}}
    audit = api.update(ticket, comment={"body": "x"}, metadata=stamp)["audit"]
    assert audit["metadata"]["custom"] == {"hub": "op-17"}
    assert comments(api, ticket)[-1]["metadata"]["custom"] == {"hub": "op-17"}
    assert api.get(f"/tickets/{ticket}/audits/{audit['id']}")["audit"] == audit


def test_comments_are_sorted_paged_and_come_with_their_authors(sandbox: ZendeskSandbox, api: Api) -> None:
    ticket = api.create("1")["id"]
    for text in ("2", "3"):
        api.update(ticket, comment={"body": text})
    assert [c["body"] for c in comments(api, ticket, sort="-created_at", **{"page[size]": 2})] == ["3", "2"]
    assert [c["body"] for c in comments(api, ticket, sort_order="desc")] == ["3", "2", "1"]
    page = api.get(f"/tickets/{ticket}/comments", **{"page[size]": 2, "include": "users"})
    assert [u["id"] for u in page["users"]] == [sandbox.logins["hub"].id]
    assert [c["body"] for c in api.get(page["links"]["next"])["comments"]] == ["3"]


def test_a_ticket_takes_at_most_5000_comments(sandbox: ZendeskSandbox, api: Api) -> None:
    ticket = api.create()["id"]
    with sandbox.lock:
        kept = sandbox.store.tickets[ticket].comments
        kept.extend(kept * 4999)
    assert "5000" in str(api.update(ticket, 422, comment={"body": "one more"}))


def test_a_comment_is_made_private_for_good(api: Api, login: Callable[[str], Api]) -> None:
    ticket = login("customer1").post("/requests", {"request": {"subject": "s", "comment": {"body": "secret"}}})
    id = ticket["request"]["id"]
    comment = comments(api, id)[0]["id"]
    api.put(f"/tickets/{id}/comments/{comment}/make_private", {})
    assert comments(api, id)[0]["public"] is False
    assert login("customer1").get(f"/requests/{id}/comments")["comments"] == []
    assert api.get(f"/tickets/{id}/audits")["audits"][-1]["events"][0]["type"] == "CommentPrivacyChange"
    api.put(f"/tickets/{id}/comments/1/make_private", {}, 404)


def test_a_word_is_redacted(api: Api) -> None:
    ticket = api.create("my number is 4711")["id"]
    comment = comments(api, ticket)[0]["id"]
    path = f"/tickets/{ticket}/comments/{comment}/redact"
    assert api.put(path, {"text": "4711"})["comment"]["body"] == "my number is ▇▇▇▇"
    assert "4711" not in str(comments(api, ticket))
    api.put(path, {"text": "4711"}, 422)
    api.update(ticket, status="closed")
    api.put(path, {"text": "my"}, 422)


def test_a_customer_sees_only_public_comments_of_own_tickets(login: Callable[[str], Api]) -> None:
    agent, one, two = login("agent1"), login("customer1"), login("customer2")
    id = one.post("/requests", {"request": {"subject": "Mine", "comment": {"body": "help"}}})["request"]["id"]
    agent.update(id, comment={"body": "internal", "public": False})
    agent.update(id, comment={"body": "hello", "public": True})
    assert [c["body"] for c in one.get(f"/requests/{id}/comments")["comments"]] == ["help", "hello"]
    assert [r["id"] for r in one.get("/requests")["requests"]] == [id]
    two.get(f"/requests/{id}", 404)
    one.get(f"/tickets/{id}/comments", 403)


def test_a_customer_always_writes_publicly_as_oneself(sandbox: ZendeskSandbox, login: Callable[[str], Api]) -> None:
    one, agent = login("customer1"), sandbox.logins["agent1"].id
    id = one.post("/requests", {"request": {"comment": {"body": "a", "public": False, "author_id": agent}}})["request"][
        "id"
    ]
    one.put(f"/requests/{id}", {"request": {"comment": {"body": "b", "public": False, "author_id": agent}}})
    seen = comments(login("agent1"), id)
    assert [(c["public"], c["author_id"]) for c in seen] == [(True, sandbox.logins["customer1"].id)] * 2


@pytest.mark.parametrize("status", ["pending", "hold", "solved"])
def test_a_customers_answer_opens_the_ticket_again(
    sandbox: ZendeskSandbox, login: Callable[[str], Api], status: str
) -> None:
    one, agent = login("customer1"), login("agent1")
    id = one.post("/requests", {"request": {"comment": {"body": "a"}}})["request"]["id"]
    agent.update(id, status=status, assignee_id=sandbox.logins["agent1"].id)
    answer = one.put(f"/requests/{id}", {"request": {"comment": {"body": "still broken"}}})
    assert answer["request"]["status"] == "open"


def test_a_customer_may_solve_an_assigned_request(sandbox: ZendeskSandbox, login: Callable[[str], Api]) -> None:
    one = login("customer1")
    id = one.post("/requests", {"request": {"comment": {"body": "a"}}})["request"]["id"]
    assert one.put(f"/requests/{id}", {"request": {"solved": True}})["request"]["status"] == "new"
    login("agent1").update(id, assignee_id=sandbox.logins["agent1"].id)
    assert one.put(f"/requests/{id}", {"request": {"solved": True}})["request"]["solved"] is True
