"""Search and the incremental exports: lag, limits, cursors, withheld minutes, deleted tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from plugins.zendesk.sandbox import ZendeskSandbox

if TYPE_CHECKING:
    from tests.plugins.zendesk.sandbox.conftest import Api, Clock


def search(api: Api, query: str, **params: Any) -> list[int]:
    answer = api.get("/search", query=query, **params)
    return sorted(row["id"] for row in answer["results"])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("type:ticket", [1, 2]),
        ("type:ticket banana", [1]),
        ('type:ticket "ripe banana"', [1]),
        ("type:ticket status<open", [2]),
        ("type:ticket status:open priority>=high", [1]),
        ("type:ticket priority:none", [2]),
        ("type:ticket tags:fruit", [1]),
        ("type:ticket -tags:fruit", [2]),
        ("type:ticket external_id:x-1", [1]),
        ("type:ticket requester:customer1@example.com", [2]),
        ("type:ticket assignee:none", [2]),
        ("type:ticket fieldvalue:windows", [1]),
        ("type:ticket created>2026-02-28", [1, 2]),
        ("type:ticket updated<2026-02-28", []),
        ("type:ticket created:2026-03-01", [1, 2]),
        ("type:ticket subject:broke", [2]),
    ],
)
def test_the_search_language(sandbox: ZendeskSandbox, api: Api, query: str, found: list[int]) -> None:
    environment = sandbox.field_id("Environment")
    api.create(
        "a ripe banana",
        subject="Fruit",
        priority="high",
        tags=["fruit"],
        external_id="x-1",
        assignee_id=sandbox.logins["agent1"].id,
        custom_fields=[{"id": environment, "value": "Windows"}],
    )
    api.create("nothing", requester_id=sandbox.logins["customer1"].id)
    assert search(api, query) == found


def test_people_are_found_by_search(sandbox: ZendeskSandbox, api: Api) -> None:
    assert search(api, "type:user agent1@support.example") == [sandbox.logins["agent1"].id]
    assert api.get("/search/count", query="type:user role:admin")["count"] == 2


def test_the_index_lags_but_direct_reads_do_not(sandbox: ZendeskSandbox, api: Api, clock: Clock) -> None:
    sandbox.change_settings(search_lag=30)
    ticket = api.create(external_id="k")
    assert search(api, "external_id:k") == []
    assert api.get("/tickets", external_id="k")["count"] == 1
    clock.advance(seconds=31)
    assert search(api, "external_id:k") == [ticket["id"]]
    api.update(ticket["id"], external_id="other")
    assert search(api, "external_id:k") == [ticket["id"]]
    clock.advance(seconds=31)
    assert search(api, "external_id:k") == []


def test_search_shows_no_deleted_ticket(api: Api) -> None:
    ticket = api.create()["id"]
    api.call("DELETE", f"/tickets/{ticket}", 204)
    assert search(api, "type:ticket") == []


def test_search_ends_after_a_thousand_results(api: Api) -> None:
    answer = api.get("/search", 422, query="type:ticket", page=11)
    assert "Search Response Limits" in answer["description"]
    assert api.get("/search", query="type:ticket", page=10)["results"] == []


def test_search_export_wants_its_type_apart(api: Api) -> None:
    for _ in range(3):
        api.create()
    api.get("/search/export", 400, query="type:ticket")
    page = api.get("/search/export", query="broke", **{"filter[type]": "ticket", "page[size]": 2})
    assert len(page["results"]) == 2
    assert len(api.get(page["links"]["next"])["results"]) == 1


def export(api: Api, cursor: str | None = None, **params: Any) -> Any:
    start = {"cursor": cursor} if cursor else {"start_time": 0}
    return api.get("/incremental/tickets/cursor", **start, **params)


def test_the_export_goes_on_where_the_cursor_stands(api: Api) -> None:
    for _ in range(3):
        api.create()
    first = export(api, per_page=2)
    assert ([t["id"] for t in first["tickets"]], first["end_of_stream"]) == ([1, 2], False)
    second = api.get(first["after_url"])
    assert ([t["id"] for t in second["tickets"]], second["end_of_stream"]) == ([3], True)
    assert export(api, second["after_cursor"])["tickets"] == []


def test_a_ticket_that_changed_again_is_exported_again_even_in_the_same_second(api: Api) -> None:
    ticket = api.create()["id"]
    cursor = export(api)["after_cursor"]
    api.update(ticket, priority="low")
    page = export(api, cursor)
    assert [t["priority"] for t in page["tickets"]] == ["low"]
    assert page["tickets"][0]["generated_timestamp"] == 1772366400


def test_an_empty_page_still_gives_a_cursor_that_works(api: Api) -> None:
    cursor = export(api)["after_cursor"]
    api.create()
    assert len(export(api, cursor)["tickets"]) == 1


def test_deleted_tickets_are_exported_as_such(api: Api) -> None:
    ticket = api.create()["id"]
    api.call("DELETE", f"/tickets/{ticket}", 204)
    assert [t["status"] for t in export(api)["tickets"]] == ["deleted"]
    assert export(api, exclude_deleted="true")["tickets"] == []


def test_the_newest_minute_is_withheld(sandbox: ZendeskSandbox, api: Api, clock: Clock) -> None:
    sandbox.change_settings(withhold_seconds=60)
    api.create()
    assert export(api)["tickets"] == []
    recent = int(clock.now.timestamp()) - 30
    assert "Too recent" in api.get("/incremental/tickets/cursor", 400, start_time=recent)["description"]
    clock.advance(seconds=61)
    assert len(export(api)["tickets"]) == 1


def test_exports_take_side_loads(api: Api) -> None:
    api.create()
    page = export(api, include="users,comment_count")
    assert page["tickets"][0]["comment_count"] == 1
    assert page["users"]


def test_a_wrong_start_is_refused(api: Api) -> None:
    api.get("/incremental/tickets/cursor", 400)
    api.get("/incremental/tickets/cursor", 400, cursor="???")


def test_the_event_export_tells_who_changed_what(sandbox: ZendeskSandbox, api: Api) -> None:
    ticket = api.create("first")["id"]
    api.update(ticket, priority="low", comment={"body": "note", "public": False}, metadata={"custom": {"hub": "1"}})
    page = api.get("/incremental/ticket_events", start_time=0, include="comment_events")
    update = page["ticket_events"][-1]
    assert (update["ticket_id"], update["updater_id"]) == (ticket, sandbox.logins["hub"].id)
    assert update["metadata"] == {"custom": {"hub": "1"}}
    assert [(e["event_type"], e.get("body"), e.get("priority")) for e in update["child_events"]] == [
        ("Comment", "note", None),
        ("Change", None, "low"),
    ]
    assert page["end_of_stream"] is True


def test_without_the_side_load_comments_are_only_hinted_at(api: Api) -> None:
    api.create("secret")
    child = api.get("/incremental/ticket_events", start_time=0)["ticket_events"][0]["child_events"][0]
    assert (child["comment_present"], child["comment_public"]) == (True, True)
    assert "body" not in child


def test_event_pages_end_between_seconds(api: Api, clock: Clock) -> None:
    for _ in range(3):
        api.create()
    clock.advance(seconds=1)
    api.create()
    first = api.get("/incremental/ticket_events", start_time=0, per_page=2)
    assert (first["count"], first["end_of_stream"]) == (3, False)
    second = api.get(first["next_page"])
    assert (second["count"], second["end_of_stream"]) == (1, True)
