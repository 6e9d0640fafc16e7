"""The rules of tickets: statuses, tags and fields, conflicts, idempotency, bulk jobs, merge and deletion."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from plugins.zendesk.sandbox import ZendeskSandbox

if TYPE_CHECKING:
    from tests.plugins.zendesk.sandbox.conftest import Api, Clock


def details(answer: Any) -> str:
    assert answer["error"] == "RecordInvalid"
    return str(next(iter(answer["details"].values()))[0]["description"])


def test_a_ticket_is_created_and_shown(api: Api) -> None:
    made = api.create("My screen is black", priority="high", type="problem", external_id="x-1", tags=["Red Hot", "b"])
    shown = api.get(f"/tickets/{made['id']}.json")["ticket"]
    assert shown == made
    assert (shown["description"], shown["status"], shown["priority"]) == ("My screen is black", "new", "high")
    assert shown["tags"] == ["b", "red_hot"]
    assert shown["id"] == 1
    assert shown["requester_id"] > 2**32


def test_a_requester_is_made_or_found_by_address(api: Api) -> None:
    first = api.create(requester={"name": "Customer Nine", "email": "nine@example.com"})
    second = api.create(requester={"email": "NINE@example.com"})
    assert first["requester_id"] == second["requester_id"]
    assert first["submitter_id"] != first["requester_id"]
    body = {"ticket": {"comment": {"body": "x"}, "requester": {"email": "nobody@example.com"}}}
    assert "Requester" in details(api.post("/tickets", body, expect=422))


def test_a_ticket_without_text_is_refused(api: Api) -> None:
    assert details(api.post("/tickets", {"ticket": {"subject": "x"}}, expect=422)) == "Description: cannot be blank"


def test_the_answer_to_an_update_holds_the_ticket_and_the_audit(sandbox: ZendeskSandbox, api: Api) -> None:
    ticket = api.create()
    answer = api.update(ticket["id"], priority="low", comment={"body": "a note", "public": False})
    comment = api.get(f"/tickets/{ticket['id']}/comments")["comments"][-1]
    events = {event["type"]: event for event in answer["audit"]["events"]}
    assert answer["ticket"]["priority"] == "low"
    assert events["Comment"]["id"] == comment["id"]
    assert answer["audit"]["id"] == comment["audit_id"]
    assert answer["audit"]["author_id"] == sandbox.logins["hub"].id
    assert events["Change"] | {"id": 0} == {
        "id": 0,
        "type": "Change",
        "field_name": "priority",
        "value": "low",
        "previous_value": None,
    }


def test_an_update_that_changes_nothing_leaves_no_trace(api: Api, clock: Clock) -> None:
    ticket = api.create(priority="low")
    clock.advance(seconds=5)
    answer = api.update(ticket["id"], priority="low")
    assert answer["ticket"]["updated_at"] == ticket["updated_at"]
    assert answer["audit"]["events"] == []
    assert api.get(f"/tickets/{ticket['id']}/audits")["count"] == 1


def test_updated_at_has_whole_seconds(api: Api, clock: Clock) -> None:
    ticket = api.create()
    again = api.update(ticket["id"], priority="low")["ticket"]
    assert again["updated_at"] == ticket["updated_at"] == "2026-03-01T12:00:00Z"
    clock.advance(seconds=1)
    assert api.update(ticket["id"], priority="high")["ticket"]["updated_at"] == "2026-03-01T12:00:01Z"


def test_a_stale_safe_update_is_refused_with_409(api: Api, clock: Clock) -> None:
    ticket = api.create()
    clock.advance(seconds=2)
    fresh = api.update(ticket["id"], priority="low")["ticket"]
    stale = api.update(ticket["id"], 409, priority="high", safe_update=True, updated_stamp=ticket["updated_at"])
    assert stale["error"] == "UpdateConflict"
    answer = api.update(ticket["id"], priority="high", safe_update="true", updated_stamp=fresh["updated_at"])
    assert answer["ticket"]["priority"] == "high"
    api.update(ticket["id"], 400, priority="low", safe_update=True)


def test_a_closed_ticket_cannot_change_but_be_followed_up(api: Api) -> None:
    ticket = api.create()
    api.update(ticket["id"], status="closed")
    assert "closed" in details(api.update(ticket["id"], 422, comment={"body": "more"}))
    after = api.create(via_followup_source_id=ticket["id"])
    assert after["via"]["source"]["rel"] == "follow_up"
    assert api.get(f"/tickets/{ticket['id']}")["ticket"]["followup_ids"] == [after["id"]]


def test_solving_needs_an_assignee(sandbox: ZendeskSandbox, api: Api) -> None:
    ticket = api.create()
    assert "Assignee" in details(api.update(ticket["id"], 422, status="solved"))
    agent = sandbox.logins["agent1"].id
    assert api.update(ticket["id"], status="solved", assignee_id=agent)["ticket"]["status"] == "solved"


def test_solving_may_need_a_field(sandbox: ZendeskSandbox, api: Api) -> None:
    sandbox.change_settings(area_required_to_solve=1)
    ticket = api.create(assignee_id=sandbox.logins["agent1"].id)
    assert "Product area" in details(api.update(ticket["id"], 422, status="solved"))
    area = [{"id": sandbox.field_id("Product area"), "value": "area_login"}]
    assert api.update(ticket["id"], status="solved", custom_fields=area)["ticket"]["status"] == "solved"


def test_new_cannot_be_restored_and_ends_with_an_assignee(sandbox: ZendeskSandbox, api: Api) -> None:
    ticket = api.create()
    assert ticket["status"] == "new"
    assert api.update(ticket["id"], assignee_id=sandbox.logins["agent2"].id)["ticket"]["status"] == "open"
    assert "new" in details(api.update(ticket["id"], 422, status="new"))


def test_custom_statuses_and_statuses_move_together(sandbox: ZendeskSandbox, api: Api) -> None:
    ticket = api.create()
    engineering = sandbox.status_id("With engineering")
    held = api.update(ticket["id"], custom_status_id=engineering)["ticket"]
    assert (held["status"], held["custom_status_id"]) == ("hold", engineering)
    assert api.update(ticket["id"], status="hold")["ticket"]["custom_status_id"] == engineering
    opened = api.update(ticket["id"], status="open")["ticket"]
    assert opened["custom_status_id"] == sandbox.status_id("Open")
    api.update(ticket["id"], 422, custom_status_id=1)


@pytest.mark.parametrize(
    "wrong", [{"priority": "huge"}, {"type": "wish"}, {"status": "lost"}, {"assignee_id": 1}, {"requester_id": 1}]
)
def test_a_refused_value_changes_nothing(api: Api, wrong: dict[str, Any]) -> None:
    ticket = api.create()
    details(api.update(ticket["id"], 422, subject="other", comment={"body": "lost"}, **wrong))
    assert api.get(f"/tickets/{ticket['id']}")["ticket"] == ticket
    assert len(api.get(f"/tickets/{ticket['id']}/comments")["comments"]) == 1


def test_a_customer_cannot_be_assigned(sandbox: ZendeskSandbox, api: Api) -> None:
    ticket = api.create()
    api.update(ticket["id"], 422, assignee_id=sandbox.logins["customer1"].id)
    email = sandbox.logins["agent1"].email
    assert api.update(ticket["id"], assignee_email=email)["ticket"]["assignee_id"] == sandbox.logins["agent1"].id


def test_dropdowns_and_checkboxes_appear_as_tags(sandbox: ZendeskSandbox, api: Api) -> None:
    area, known = sandbox.field_id("Product area"), sandbox.field_id("Known issue")
    fields = [{"id": area, "value": "area_login"}, {"id": known, "value": True}]
    ticket = api.create(tags=["mine"], custom_fields=fields)
    assert ticket["tags"] == ["area_login", "known_issue", "mine"]
    moved = api.update(ticket["id"], custom_fields=[{"id": area, "value": "area_billing"}])["ticket"]
    assert moved["tags"] == ["area_billing", "known_issue", "mine"]


def test_replacing_the_tags_takes_the_fields_along(sandbox: ZendeskSandbox, api: Api) -> None:
    names = ("Product area", "Known issue", "Affected systems")
    given = dict(zip(names, ("area_login", True, ["systems_web", "systems_api"]), strict=True))
    ticket = api.create(custom_fields=[{"id": sandbox.field_id(n), "value": v} for n, v in given.items()])
    after = api.update(ticket["id"], tags=["systems_api"])["ticket"]
    values = {field["id"]: field["value"] for field in after["custom_fields"]}
    assert [values[sandbox.field_id(n)] for n in names] == [None, False, ["systems_api"]]


@pytest.mark.parametrize(("title", "value"), [("Product area", "area_moon"), ("Promised by", "1.2.2026")])
def test_a_wrong_field_value_is_refused(sandbox: ZendeskSandbox, api: Api, title: str, value: str) -> None:
    ticket = api.create()
    field = [{"id": sandbox.field_id(title), "value": value}]
    assert title in details(api.update(ticket["id"], 422, custom_fields=field))


def test_unknown_keys_are_dropped_and_named(api: Api) -> None:
    ticket = api.create()
    body = {"ticket": {"colour": "red", "additional_tags": ["x"], "priority": "low"}}
    answer = api.call("PUT", f"/tickets/{ticket['id']}", json=body)
    assert answer.headers["x-zendesk-api-warn"] == (
        'Removed restricted keys ["ticket.additional_tags", "ticket.colour"] from parameters'
    )
    assert answer.json()["ticket"]["tags"] == []


def test_an_idempotency_key_makes_one_ticket(api: Api, clock: Clock) -> None:
    body = {"ticket": {"subject": "once", "comment": {"body": "x"}}}
    headers = {"Idempotency-Key": "k1"}
    answers = [api.call("POST", "/tickets", 201, json=body, headers=headers) for _ in range(2)]
    assert [a.headers["x-idempotency-lookup"] for a in answers] == ["miss", "hit"]
    assert answers[0].json() == answers[1].json()
    assert api.get("/tickets")["count"] == 1
    other = api.call("POST", "/tickets", 400, json={"ticket": {"comment": {"body": "y"}}}, headers=headers)
    assert other.json()["error"] == "IdempotentRequestError"
    api.call("POST", "/tickets", 400, json=body, headers={"Idempotency-Key": "k" * 256})
    clock.advance(hours=2)
    late = api.call("POST", "/tickets", 201, json=body, headers=headers)
    assert late.headers["x-idempotency-lookup"] == "miss"


def test_external_ids_are_found_at_once_and_need_not_be_unique(api: Api) -> None:
    for _ in range(2):
        api.create(external_id="hub:7")
    api.create()
    assert api.get("/tickets", external_id="hub:7")["count"] == 2


def test_tags_are_set_added_and_removed(api: Api) -> None:
    path = f"/tickets/{api.create(tags=['a', 'b'])['id']}/tags"
    assert api.put(path, {"tags": ["c"]})["tags"] == ["a", "b", "c"]
    assert api.call("DELETE", path, json={"tags": ["a"]}).json()["tags"] == ["b", "c"]
    assert api.post(path, {"tags": ["z"]})["tags"] == ["z"]
    assert api.get(path)["tags"] == ["z"]


def test_bulk_updates_add_and_remove_tags_and_report_each_item(sandbox: ZendeskSandbox, api: Api, clock: Clock) -> None:
    sandbox.change_settings(job_seconds=10)
    one = api.create(tags=["a", "b"])["id"]
    path = f"/tickets/update_many?ids={one},999"
    job = api.put(path, {"ticket": {"additional_tags": ["c"], "remove_tags": ["a"]}})["job_status"]
    assert job["status"] == "queued"
    assert api.get(f"/job_statuses/{job['id']}")["job_status"]["status"] == "working"
    clock.advance(seconds=11)
    done = api.get(f"/job_statuses/{job['id']}")["job_status"]
    assert done["status"] == "completed"
    assert [(r["index"], r["success"]) for r in done["results"]] == [(0, True), (1, False)]
    assert api.get(f"/tickets/{one}")["ticket"]["tags"] == ["b", "c"]


def test_bulk_requests_take_at_most_100(api: Api) -> None:
    ids = ",".join(map(str, range(1, 102)))
    assert api.put(f"/tickets/update_many?ids={ids}", {"ticket": {}}, 400)["max_count"] == 100
    assert api.get(f"/tickets/show_many?ids={ids}", 400)["error"] == "TooManyValues"
    api.post("/tickets/create_many", {"tickets": [{}] * 101}, 400)


def test_bulk_creation_makes_tickets(api: Api) -> None:
    body = {"tickets": [{"comment": {"body": "a"}}, {"subject": "no text"}]}
    job = api.post("/tickets/create_many", body, 200)["job_status"]
    results = api.get(f"/job_statuses/{job['id']}")["job_status"]["results"]
    assert [r["success"] for r in results] == [True, False]
    assert [t["id"] for t in api.get("/tickets/show_many", ids="1,2")["tickets"]] == [1]


def test_a_merge_closes_the_source_and_comments_on_both(api: Api) -> None:
    target, source = api.create("target")["id"], api.create("source")["id"]
    api.post(f"/tickets/{target}/merge", {"ids": [source], "target_comment": "joined"}, 200)
    closed = api.get(f"/tickets/{source}")["ticket"]
    assert (closed["status"], closed["tags"]) == ("closed", ["closed_by_merge"])
    comments = [api.get(f"/tickets/{id}/comments")["comments"][-1] for id in (target, source)]
    assert [c["public"] for c in comments] == [False, False]
    assert comments[0]["body"] == "joined"


def test_a_deleted_ticket_is_gone_until_restored(api: Api) -> None:
    ticket = api.create()["id"]
    api.call("DELETE", f"/tickets/{ticket}", 204)
    assert api.get(f"/tickets/{ticket}", 404) == {"error": "RecordNotFound", "description": "Not found"}
    assert api.get("/tickets")["count"] == 0
    assert [t["id"] for t in api.get("/deleted_tickets")["deleted_tickets"]] == [ticket]
    api.call("PUT", f"/deleted_tickets/{ticket}/restore")
    assert api.get(f"/tickets/{ticket}")["ticket"]["status"] == "new"


def test_side_loads_come_beside_the_ticket(sandbox: ZendeskSandbox, api: Api) -> None:
    customer = sandbox.logins["customer1"]
    ticket = api.create(requester_id=customer.id)["id"]
    answer = api.get(f"/tickets/{ticket}", include="users,groups,organizations,comment_count")
    assert answer["ticket"]["comment_count"] == 1
    assert customer.email in [u["email"] for u in answer["users"]]
    assert answer["organizations"][0]["id"] == customer.organization_id
    assert answer["groups"][0]["id"] == answer["ticket"]["group_id"]


def test_cursor_pages_do_not_shift_when_tickets_arrive(api: Api) -> None:
    for _ in range(5):
        api.create()
    answer = api.get("/tickets", **{"page[size]": 2, "sort": "-id"})
    seen = [t["id"] for t in answer["tickets"]]
    api.create()
    while answer["meta"]["has_more"]:
        answer = api.get(answer["links"]["next"])
        seen += [t["id"] for t in answer["tickets"]]
    assert seen == [5, 4, 3, 2, 1]
    assert api.get("/tickets", 400, **{"page[after]": "garbage"})["error"] == "InvalidCursor"


def test_offset_pages_end_after_a_hundred(api: Api) -> None:
    for _ in range(3):
        api.create()
    first = api.get("/tickets", per_page=2)
    assert (first["count"], len(first["tickets"]), first["previous_page"]) == (3, 2, None)
    second = api.get(first["next_page"])
    assert (len(second["tickets"]), second["next_page"]) == (1, None)
    assert second["previous_page"]
    assert api.get("/tickets", 400, page=101)["error"] == "InvalidPaginationDepth"


def test_a_problem_knows_of_its_incidents(api: Api) -> None:
    problem = api.create(type="problem")["id"]
    api.create(type="incident", problem_id=problem)
    assert api.get(f"/tickets/{problem}")["ticket"]["has_incidents"] is True


def test_broken_json_is_answered_422(api: Api) -> None:
    answer = api.call("POST", "/tickets", 422, content=b"{")
    assert answer.json()["message"] == "Server could not parse JSON"
    api.post("/tickets", {"wrong": {}}, 400)


def test_what_the_sandbox_lacks_is_said_plainly(login: Callable[[str], Api]) -> None:
    answer = login("hub").get("/views/1/execute", 501)
    assert "GET /api/v2/views/1/execute" in answer["description"]
