"""The sandbox beside answers of real accounts and the vendor's rules, over plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from plugins.freshservice.sandbox import FreshserviceSandbox
from tests.plugins.clock import Clock
from tests.plugins.freshservice.builders import a_change
from tests.shared import payload

ANSWERS = "freshservice/demisto"


@pytest.fixture
def http(site: FreshserviceSandbox) -> Iterator[httpx.Client]:
    with client_of(site, site.credentials()["api_key"]) as made:
        yield made


def client_of(site: FreshserviceSandbox, key: str) -> httpx.Client:
    return httpx.Client(base_url=f"{site.url}/api/v2", auth=(key, "X"))


def a_ticket(http: httpx.Client, **more: Any) -> Any:
    body = {"subject": "A subject", "description": "<p>x</p>", "status": 2, "priority": 1, **more}
    answer = http.post("/tickets", json={"email": "customer1@customers.example", **body})
    assert answer.status_code == 201, answer.text
    return answer.json()["ticket"]


def ids(answer: httpx.Response) -> list[int]:
    return [ticket["id"] for ticket in answer.json()["tickets"]]


def test_answers_have_every_field_of_a_real_accounts(http: httpx.Client) -> None:
    made = a_ticket(http)
    note = http.post(f"/tickets/{made['id']}/notes", json={"body": "x"}).json()
    http.post(f"/tickets/{made['id']}/reply", json={"body": "x"})
    talk = http.get(f"/tickets/{made['id']}/conversations").json()
    assert set(payload(f"{ANSWERS}/ticket_create_update.json")["ticket"]) <= set(made)
    assert set(payload(f"{ANSWERS}/ticket_conversation_note_create.json")["conversation"]) == set(note["conversation"])
    real = payload(f"{ANSWERS}/ticket_conversation_list.json")
    assert set(real["conversations"][0]) | {"source"} == set(talk["conversations"][0])
    assert talk["meta"] == {"count": 2}
    assert set(real) == set(talk)
    shown = http.get(f"/tickets/{made['id']}").json()["ticket"]
    assert set(payload(f"{ANSWERS}/ticket_get.json")["ticket"]) <= set(shown)
    (listed,) = http.get("/tickets").json()["tickets"]
    assert set(payload(f"{ANSWERS}/ticket_list.json")["tickets"][0]) == set(listed)


def test_tags_are_shown_only_where_they_are_asked_for_and_cost_credits(http: httpx.Client) -> None:
    number = a_ticket(http, tags=["vip"])["id"]
    plain, asked = http.get(f"/tickets/{number}"), http.get(f"/tickets/{number}", params={"include": "tags"})
    assert "tags" not in plain.json()["ticket"]
    assert asked.json()["ticket"]["tags"] == ["vip"]
    listed = http.get("/tickets", params={"include": "tags"})
    used = [answer.headers["X-Ratelimit-Used-CurrentRequest"] for answer in (plain, asked, listed)]
    assert used == ["1", "2", "3"]


def test_lists_show_one_workspace_and_all_of_them_only_in_global_fields(
    http: httpx.Client, site: FreshserviceSandbox
) -> None:
    first = a_ticket(http, custom_fields={"environment": "x"})["id"]
    second = a_ticket(http, workspace_id=3)["id"]
    assert ids(http.get("/tickets")) == ids(http.get("/tickets", params={"workspace_id": 2})) == [first]
    assert ids(http.get("/tickets", params={"workspace_id": 3})) == [second]
    every = http.get("/tickets", params={"workspace_id": 0, "order_type": "asc"})
    assert ids(every) == [first, second]
    assert every.json()["tickets"][0]["custom_fields"] == {}
    with client_of(site, site.people()["agent3"]["api_key"]) as restricted:
        assert restricted.get("/tickets", params={"workspace_id": 3}).status_code == 403
        assert restricted.get(f"/tickets/{second}").status_code == 403
        assert ids(restricted.get("/tickets", params={"workspace_id": 0})) == [first]


def test_lists_are_in_the_order_of_creation_whatever_changed_last(http: httpx.Client, clock: Clock) -> None:
    made = []
    for _ in range(5):
        made.append(a_ticket(http)["id"])
        clock.forward(seconds=10)
    http.put(f"/tickets/{made[0]}", json={"priority": 4})
    since: dict[str, int | str] = {"updated_since": "2020-01-01T00:00:00Z", "order_type": "asc", "per_page": 2}
    page = http.get("/tickets", params=since)
    found = ids(page)
    while "next" in page.links:
        page = http.get(page.links["next"]["url"])
        found += ids(page)
    assert found == made
    assert ids(http.get("/tickets")) == made[::-1]


def test_without_a_time_only_tickets_of_the_last_thirty_days_are_listed(http: httpx.Client, clock: Clock) -> None:
    old = a_ticket(http)["id"]
    clock.forward(days=31)
    assert ids(http.get("/tickets")) == []
    assert ids(http.get("/tickets", params={"updated_since": "2020-01-01"})) == [old]


def test_the_filter_knows_conditions_and_lags(http: httpx.Client, site: FreshserviceSandbox, clock: Clock) -> None:
    site.change_settings(search_lag=60)
    number = a_ticket(http, tags=["needle"], priority=3)["id"]

    def found(query: str) -> httpx.Response:
        return http.get("/tickets/filter", params={"query": f'"{query}"'})

    assert ids(found("tag:'needle'")) == []
    clock.forward(seconds=61)
    assert ids(found("tag:'needle' AND (priority:3 OR priority:4)")) == [number]
    assert ids(found("priority:>3 AND group_id:null")) == [number]
    assert ids(found("priority:<2 OR tag:'straw'")) == []
    assert ids(found("agent_id:>1")) == []
    assert http.get("/tickets/filter", params={"query": "priority:3"}).status_code == 400
    for wrong in ("priority:", "(priority:3", "nonsense:1", "priority:3 priority:4"):
        assert found(wrong).status_code == 400


def test_a_note_is_private_unless_it_says_otherwise_and_a_reply_is_public(http: httpx.Client) -> None:
    number = a_ticket(http)["id"]
    for kind, body in (("notes", {"body": "silent"}), ("notes", {"body": "loud", "private": False})):
        http.post(f"/tickets/{number}/{kind}", json=body)
    reply = http.post(f"/tickets/{number}/reply", json={"body": "answer"}).json()["conversation"]
    assert "private" not in reply
    talk = http.get(f"/tickets/{number}/conversations").json()["conversations"]
    assert [(c["body_text"], c["private"], c["source"]) for c in talk] == [
        ("silent", True, 2),
        ("loud", False, 2),
        ("answer", False, 0),
    ]
    edited = http.put(f"/conversations/{talk[0]['id']}", json={"body": "still silent"}).json()["conversation"]
    assert (edited["body_text"], edited["private"]) == ("still silent", True)
    assert http.put(f"/conversations/{talk[2]['id']}", json={"body": "x"}).status_code == 405


def test_everything_wrong_is_named_at_once(http: httpx.Client) -> None:
    body = {
        "subject": "x",
        "description": "x",
        "priority": 9,
        "status": "open",
        "nonsense": 1,
        "type": "Service Request",
    }
    answer = http.post("/tickets", json=body)
    assert answer.status_code == 400
    told = {(problem["field"], problem["code"]) for problem in answer.json()["errors"]}
    assert told == {
        ("nonsense", "invalid_field"),
        ("priority", "invalid_value"),
        ("status", "datatype_mismatch"),
        ("requester_id", "missing_field"),
        ("type", "invalid_value"),
    }


def test_refusals_are_of_the_vendors_kinds(http: httpx.Client, site: FreshserviceSandbox) -> None:
    assert (http.get("/tickets/4711").status_code, http.get("/tickets/4711").content) == (404, b"")
    with client_of(site, "wrong") as stranger:
        assert stranger.get("/agents/me").json()["code"] == "invalid_credentials"
    assert http.post("/tickets", content=b"x", headers={"Content-Type": "text/plain"}).status_code == 415
    assert http.post("/tickets", content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert http.get("/tickets", params={"per_page": 101}).status_code == 400
    taken = http.post("/requesters", json={"first_name": "A", "primary_email": "customer1@customers.example"})
    assert (taken.status_code, taken.json()["errors"][0]["code"]) == (409, "duplicate_value")
    missing = http.get("/problems")
    assert missing.status_code == 501
    assert "freshservice sandbox has no GET" in missing.json()["description"]


def test_each_plan_limits_lists_harder_than_the_account(http: httpx.Client, site: FreshserviceSandbox) -> None:
    site.change_settings(plan=1)
    answers = [http.get("/tickets") for _ in range(41)]
    assert [answer.status_code for answer in answers] == [200] * 40 + [429]
    assert answers[0].headers["X-Ratelimit-Total"] == "100"
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert http.get("/agents/me").status_code == 200
    with pytest.raises(ValueError, match="no plan 9"):
        site.change_settings(plan=9)


def test_the_priority_matrix_has_the_last_word(http: httpx.Client, site: FreshserviceSandbox) -> None:
    site.change_settings(priority_matrix=1)
    made = a_ticket(http, priority=4)
    assert made["priority"] == 1
    assert http.put(f"/tickets/{made['id']}", json={"urgency": 3, "impact": 3}).json()["ticket"]["priority"] == 4


def test_a_ticket_moves_is_deleted_and_restored(http: httpx.Client) -> None:
    number = a_ticket(http)["id"]
    assert http.put(f"/tickets/{number}/move_workspace", json={"workspace_id": 3}).json()["ticket"]["workspace_id"] == 3
    assert http.delete(f"/tickets/{number}").status_code == 204
    of_other: dict[str, int | str] = {"workspace_id": 3}
    assert ids(http.get("/tickets", params=of_other)) == []
    assert ids(http.get("/tickets", params={**of_other, "filter": "deleted"})) == [number]
    assert http.put(f"/tickets/{number}", json={"priority": 2}).status_code == 405
    assert http.put(f"/tickets/{number}/restore").status_code == 204
    assert ids(http.get("/tickets", params=of_other)) == [number]


def test_changes_have_numbers_and_notes_of_their_own(http: httpx.Client, site: FreshserviceSandbox) -> None:
    a_change(site)
    assert http.post("/changes", json={"subject": "x"}).status_code == 400
    note = http.post("/changes/1/notes", json={"body": "x"}).json()["note"]
    assert "private" not in note
    assert [n["id"] for n in http.get("/changes/1/notes").json()["notes"]] == [note["id"]]
    assert http.post("/changes/1/notes", json={"body": "x", "private": False}).status_code == 400
    assert http.put("/changes/1", json={"tags": ["x"]}).status_code == 400
    assert [c["id"] for c in http.get("/changes").json()["changes"]] == [1]
