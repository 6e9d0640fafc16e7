"""The API over the real core: what is asked for is stored before the answer, and done once."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hub.testing.world import World
from webhooks.api import api_routes

TOKEN = "api-token-for-tests"
RULES: dict[str, Any] = {
    "lines": {1: {"name": "First"}, 2: {"name": "Experts"}},
    "macros": {"hello": {"visibility": "public", "text": "Hello."}},
}


@pytest.fixture
def world() -> World:
    return World(rules=RULES)


def client(world: World, token: str | None = TOKEN, shown: str = TOKEN) -> FlaskClient:
    app = Flask("test")
    app.register_blueprint(api_routes(context=world.context, token=token, notify=lambda: None))
    made = app.test_client()
    made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {shown}"
    return made


def texts(world: World, ticket_id: str) -> list[str]:
    return [c.text for c in world.support.tickets[ticket_id].comments]


def test_a_macro_is_run_once_with_the_same_idempotency_key(world: World) -> None:
    ticket_id = world.support.open_ticket(title="T")
    world.settle()
    api = client(world)
    url = f"/api/tickets/support/{ticket_id}/macros/hello"
    answers = [api.post(url, headers={"Idempotency-Key": "7"}).status_code for _ in range(2)]
    world.settle()
    assert answers == [202, 200]
    assert texts(world, ticket_id) == ["Hello."]


def test_a_ticket_is_handed_to_another_line_with_the_reason(world: World) -> None:
    ticket_id = world.support.open_ticket(title="T")
    world.settle()
    answer = client(world).post(f"/api/tickets/support/{ticket_id}/line", json={"line": "next", "reason": "too hard"})
    world.settle()
    assert answer.status_code == 202
    assert world.support.tickets[ticket_id].line == 2
    assert texts(world, ticket_id) == ["Handed to line 2 (Experts): too hard"]


def test_what_the_hub_knows_of_a_ticket_is_shown(world: World) -> None:
    ticket_id = world.support.open_ticket(title="T")
    world.settle()
    shown = client(world).get(f"/api/tickets/support/{ticket_id}").get_json()
    assert shown["ticket"] == f"support:{ticket_id}"
    assert shown["line"] == 1
    assert [(o["kind"], o["state"]) for o in shown["orders"]] == [("change", "done")]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/api/tickets/nosuch/1", None, 404, "no tracker 'nosuch'"),
        ("GET", "/api/tickets/support/99", None, 404, "has not looked at support:99"),
        ("POST", "/api/tickets/support/1/macros/helo", None, 404, "Did you mean 'hello'?"),
        ("POST", "/api/tickets/dev/1/macros/hello", None, 404, "which dev is not"),
        ("POST", "/api/tickets/support/1/line", {"line": 9, "reason": "x"}, 404, "no line 9"),
        ("POST", "/api/tickets/support/1/line", {"line": True, "reason": "x"}, 400, "line must be"),
        ("POST", "/api/tickets/support/1/line", {"line": 2}, 400, "reason must say why"),
        ("POST", "/api/tickets/support/1/line", [2], 400, "JSON object"),
    ],
)
def test_what_cannot_be_done_is_told_in_words(
    world: World, method: str, path: str, body: object, status: int, words: str
) -> None:
    answer = client(world).open(path, method=method, json=body)
    assert answer.status_code == status
    assert words in answer.get_json()["error"]


@pytest.mark.parametrize(("token", "shown", "status"), [(TOKEN, "wrong", 401), (TOKEN, "", 401), (None, TOKEN, 404)])
def test_nothing_is_done_without_the_token_of_the_settings(
    world: World, token: str | None, shown: str, status: int
) -> None:
    ticket_id = world.support.open_ticket(title="T")
    world.settle()
    answer = client(world, token, shown).post(f"/api/tickets/support/{ticket_id}/macros/hello")
    world.settle()
    assert answer.status_code == status
    assert texts(world, ticket_id) == []
