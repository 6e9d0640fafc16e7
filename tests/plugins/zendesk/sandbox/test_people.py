"""Users, the account's set-up, and links to Jira issues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from plugins.zendesk.sandbox import ZendeskSandbox

if TYPE_CHECKING:
    from tests.plugins.zendesk.sandbox.conftest import Api


def test_a_user_is_created_or_updated_by_address_or_external_id(api: Api) -> None:
    given = {"name": "Customer Nine", "email": "nine@example.com", "external_id": "n"}
    made = api.post("/users/create_or_update", {"user": given})["user"]
    again = api.post("/users/create_or_update", {"user": {"email": "Nine@example.com", "phone": "1"}}, 200)["user"]
    third = api.post("/users/create_or_update", {"user": {"external_id": "n", "name": "Nine"}}, 200)["user"]
    assert made["id"] == again["id"] == third["id"]
    assert (third["name"], third["phone"], third["role"]) == ("Nine", "1", "end-user")


def test_users_are_found(sandbox: ZendeskSandbox, api: Api) -> None:
    agent = sandbox.logins["agent1"]
    assert [u["id"] for u in api.get("/users/search", query=agent.email)["users"]] == [agent.id]
    assert [u["id"] for u in api.get("/users/search", query=f"email:{agent.email}")["users"]] == [agent.id]
    assert api.get("/users/search", external_id="nobody")["users"] == []
    assert api.get(f"/users/{agent.id}")["user"]["name"] == "Agent One"
    ids = f"{agent.id},{sandbox.logins['customer1'].id},5"
    assert len(api.get("/users/show_many", ids=ids)["users"]) == 2
    assert len(api.get("/users", role="agent")["users"]) == 2
    api.get("/users/5", 404)


def test_an_address_belongs_to_one_user(api: Api) -> None:
    body = {"user": {"name": "Other", "email": "agent1@support.example"}}
    assert api.post("/users", body, 422)["details"]["email"][0]["error"] == "DuplicateValue"
    api.post("/users", {"user": {"email": "x@example.com"}}, 422)
    made = api.post("/users", {"user": {"name": "X", "email": "x@example.com"}})["user"]
    assert api.put(f"/users/{made['id']}", {"user": {"name": "Y"}})["user"]["name"] == "Y"


@pytest.mark.parametrize("table", ["organizations", "groups", "ticket_fields", "ticket_forms", "macros"])
def test_the_set_up_is_listed_and_shown(api: Api, table: str) -> None:
    first = api.get(f"/{table}")[table][0]
    assert api.get(first["url"]) == {table.removesuffix("s"): first}
    api.get(f"/{table}/1", 404)


def test_custom_statuses_belong_to_categories(sandbox: ZendeskSandbox, api: Api) -> None:
    answer = api.get("/custom_statuses")
    assert list(answer) == ["custom_statuses"]
    found = {s["agent_label"]: s["status_category"] for s in answer["custom_statuses"]}
    assert found["With engineering"] == "hold"
    assert api.get(f"/custom_statuses/{sandbox.status_id('Open')}")["custom_status"]["default"] is True


def test_dropdowns_list_their_options(sandbox: ZendeskSandbox, api: Api) -> None:
    field = api.get(f"/ticket_fields/{sandbox.field_id('Product area')}")["ticket_field"]
    assert [o["value"] for o in field["custom_field_options"]] == ["area_billing", "area_login", "area_reports"]


def test_active_macros_have_actions(api: Api) -> None:
    fields = {a["field"] for m in api.get("/macros/active")["macros"] for a in m["actions"]}
    assert {"priority", "comment_value", "comment_value_html", "group_id"} <= fields


def test_a_ticket_is_linked_to_an_issue_once(sandbox: ZendeskSandbox, api: Api) -> None:
    ticket, links = api.create()["id"], f"{sandbox.url}/api/services/jira/links"
    body = {"link": {"ticket_id": ticket, "issue_id": "10001", "issue_key": "DEV-1"}}
    link = api.post(links, body, 200)["link"]
    assert (link["ticket_id"], link["issue_id"], link["issue_key"]) == (str(ticket), "10001", "DEV-1")
    api.post(links, body, 422)
    assert api.get(links, **{"filter[ticket_id]": ticket})["links"] == [link]
    assert api.get(links, **{"filter[issue_id]": "5"})["links"] == []
    assert api.get(link["url"])["link"] == link
    api.call("DELETE", link["url"], 204)
    assert api.get(links)["total"] == 0


def test_the_state_names_the_ids_that_settings_need(sandbox: ZendeskSandbox) -> None:
    state = httpx.get(f"{sandbox.url}/_sandbox/state").json()
    assert state["fields"]["Product area"] == sandbox.field_id("Product area")
    assert state["statuses"]["Open"] == sandbox.status_id("Open")
    assert state["oauth_client"] == sandbox.oauth_client
    assert set(state["people"]) == {"admin", "agent1", "agent2", "customer1", "customer2"}
    assert state["credentials"] == sandbox.credentials()


def test_lookups_by_an_unknown_name_fail(sandbox: ZendeskSandbox) -> None:
    with pytest.raises(KeyError):
        sandbox.field_id("Nothing")
    with pytest.raises(KeyError):
        sandbox.status_id("Nothing")
