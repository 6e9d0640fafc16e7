"""Who may do what: API tokens, OAuth with rotation, roles, rate limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from plugins.zendesk.sandbox import ZendeskSandbox

if TYPE_CHECKING:
    from tests.plugins.zendesk.sandbox.conftest import Api, Clock


def ask(sandbox: ZendeskSandbox, expect: int = 200, **given: Any) -> Any:
    answer = httpx.post(f"{sandbox.url}/oauth/tokens", json={**sandbox.oauth_client, **given})
    assert answer.status_code == expect, answer.text
    return answer.json()


def me(sandbox: ZendeskSandbox, token: str) -> httpx.Response:
    return httpx.get(f"{sandbox.url}/api/v2/users/me", headers={"Authorization": f"Bearer {token}"})


def test_the_hubs_own_account_is_an_admin(api: Api) -> None:
    assert api.get("/users/me")["user"]["role"] == "admin"


def test_nobody_is_anonymous_and_may_do_nothing(login: Callable[[str], Api]) -> None:
    assert login("").get("/users/me")["user"]["id"] is None
    assert login("").get("/tickets", 401) == {"error": "Couldn't authenticate you"}


@pytest.mark.parametrize("auth", [("hub@support.example/token", "wrong"), ("hub@support.example", "sandbox-api-token")])
def test_wrong_credentials_are_refused(sandbox: ZendeskSandbox, auth: tuple[str, str]) -> None:
    answer = httpx.get(f"{sandbox.url}/api/v2/users/me", auth=auth)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_deactivated_api_token_is_refused(sandbox: ZendeskSandbox, api: Api) -> None:
    sandbox.tokens.api_token_is_active = False
    api.get("/users/me", 401)


def test_client_credentials_give_a_bearer_token_of_the_hubs_account(sandbox: ZendeskSandbox) -> None:
    pair = ask(sandbox, grant_type="client_credentials", scope="read write")
    assert pair["token_type"] == "bearer"
    assert me(sandbox, pair["access_token"]).json()["user"]["email"] == sandbox.credentials()["email"]


def test_a_refresh_rotates_both_tokens_and_kills_the_old_pair(sandbox: ZendeskSandbox) -> None:
    old = ask(sandbox, grant_type="client_credentials")
    new = ask(sandbox, grant_type="refresh_token", refresh_token=old["refresh_token"])
    assert me(sandbox, new["access_token"]).status_code == 200
    assert me(sandbox, old["access_token"]).json()["error"] == "invalid_token"
    again = ask(sandbox, 400, grant_type="refresh_token", refresh_token=old["refresh_token"])
    assert again["error"] == "invalid_grant"


def test_tokens_expire(sandbox: ZendeskSandbox, clock: Clock) -> None:
    pair = ask(sandbox, grant_type="client_credentials", expires_in=1)
    assert pair["expires_in"] == 300
    clock.advance(seconds=301)
    assert me(sandbox, pair["access_token"]).status_code == 401
    clock.advance(days=31)
    ask(sandbox, 400, grant_type="refresh_token", refresh_token=pair["refresh_token"])


def test_an_authorization_code_works_once_and_for_two_minutes(sandbox: ZendeskSandbox, clock: Clock) -> None:
    code = sandbox.tokens.authorize(sandbox.logins["agent1"])
    pair = ask(sandbox, grant_type="authorization_code", code=code)
    assert me(sandbox, pair["access_token"]).json()["user"]["name"] == "Agent One"
    ask(sandbox, 400, grant_type="authorization_code", code=code)
    late = sandbox.tokens.authorize(sandbox.logins["agent1"])
    clock.advance(seconds=121)
    ask(sandbox, 400, grant_type="authorization_code", code=late)


def test_a_wrong_client_and_an_unknown_grant_are_refused(sandbox: ZendeskSandbox) -> None:
    assert ask(sandbox, 401, client_secret="x", grant_type="client_credentials")["error"] == "invalid_client"
    assert ask(sandbox, 400, grant_type="password")["error"] == "unsupported_grant_type"


def test_a_scope_for_reading_does_not_write(sandbox: ZendeskSandbox) -> None:
    token = ask(sandbox, grant_type="client_credentials", scope="tickets:read")["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{sandbox.url}/api/v2/tickets", headers=headers).status_code == 200
    body = {"ticket": {"comment": {"body": "x"}}}
    assert httpx.post(f"{sandbox.url}/api/v2/tickets", headers=headers, json=body).status_code == 403


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("customer1", "/tickets"),
        ("customer1", "/users"),
        ("customer1", "/search"),
        ("agent1", "/incremental/tickets/cursor?start_time=0"),
        ("agent1", "/webhooks"),
    ],
)
def test_a_role_without_the_right_is_refused(login: Callable[[str], Api], name: str, path: str) -> None:
    assert login(name).get(path, 403)["error"]["title"] == "Forbidden"


def test_the_account_limit_answers_429_with_retry_after(sandbox: ZendeskSandbox, api: Api, clock: Clock) -> None:
    assert api.call("GET", "/users/me").headers["X-Rate-Limit"] == "700"
    sandbox.limits.set("account", 2, 60)
    assert api.call("GET", "/users/me").headers["X-Rate-Limit-Remaining"] == "1"
    api.call("GET", "/users/me")
    refused = api.call("GET", "/users/me", 429)
    assert refused.json()["error"] == "APIRateLimitExceeded"
    clock.advance(seconds=int(refused.headers["Retry-After"]))
    api.call("GET", "/users/me")


def test_one_person_may_update_one_ticket_so_often(
    sandbox: ZendeskSandbox, api: Api, login: Callable[[str], Api]
) -> None:
    ticket = api.create()["id"]
    sandbox.limits.set("ticket_updates", 1, 600)
    answer = api.call("PUT", f"/tickets/{ticket}", json={"ticket": {"subject": "1"}})
    assert answer.headers["zendesk-ratelimit-tickets-update"].startswith("total=1; remaining=0; resets=")
    api.update(ticket, 429, subject="2")
    login("agent1").update(ticket, subject="3")


def test_exports_have_their_own_limit(sandbox: ZendeskSandbox, api: Api) -> None:
    sandbox.limits.set("incremental", 1, 60)
    api.get("/incremental/tickets/cursor?start_time=0")
    api.get("/incremental/tickets/cursor?start_time=0", 429)


def test_the_request_log_knows_who_asked(sandbox: ZendeskSandbox, login: Callable[[str], Api]) -> None:
    login("agent2").get("/tickets")
    assert sandbox.requests.matching("GET", "/tickets")[0].login == "agent2"
