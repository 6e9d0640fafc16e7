"""Plain calls to Jira over real sockets: signed in, cookies kept, nothing followed and no write repeated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hub.connector import NotFoundError, TemporaryError
from plugins.jira.client import JiraClient
from plugins.jira.connector import JiraConnector
from plugins.jira.settings import JiraSettings
from tests.scripted import Reply, scripted

pytestmark = pytest.mark.usefixtures("without_proxies")


@contextmanager
def a_client(url: str, timeout: float = 5) -> Iterator[JiraClient]:
    settings = JiraSettings.model_validate(
        {
            "kind": "jira",
            "flavour": "cloud",
            "url": url,
            "credentials": {"email": "hub@example.com", "api_token": "t"},
            "project": "OPS",
            "plain_comments": "public",
            "timeout": timeout,
        }
    )
    connector = JiraConnector("dev", settings)
    client = JiraClient(connector, settings)
    try:
        yield client
    finally:
        client.close()
        connector.close()


def test_a_call_is_signed_in_and_keeps_the_sites_own_path() -> None:
    with scripted(Reply(b'{"id": "1"}')) as server, a_client(f"{server.url}/jira") as client:
        assert client.send("POST", "/issue", {"fields": {"summary": "é"}}, params={"a": "b c", "none": None}) == {
            "id": "1"
        }
    (asked,) = server.asked
    assert asked.target == "/jira/rest/api/2/issue?a=b+c"
    assert asked.headers["Authorization"].startswith("Basic ")
    assert asked.headers["Content-Type"] == "application/json"
    assert json.loads(asked.body) == {"fields": {"summary": "é"}}


def test_an_odd_id_stays_inside_its_part_of_the_address() -> None:
    with scripted(Reply(b"{}", 404)) as server, a_client(server.url) as client, pytest.raises(NotFoundError):
        client.get("/issue/OPS 1\r\nX: y")
    assert server.asked[0].target.startswith("/rest/api/2/issue/OPS%201%0D%0A")
    assert "X" not in server.asked[0].headers


def test_the_sites_session_is_kept() -> None:
    welcome = Reply(headers={"Set-Cookie": "JSESSIONID=abc; Path=/rest; HttpOnly"})
    with scripted(welcome, Reply()) as server, a_client(server.url) as client:
        client.get("/myself")
        client.get("/myself")
    assert "Cookie" not in server.asked[0].headers
    assert server.asked[1].headers["Cookie"] == "JSESSIONID=abc"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_site_that_has_moved_is_told_and_not_followed(method: str) -> None:
    """A write that followed would arrive as a read, and be taken for done."""
    moved = Reply(b"", 302, {"Location": "https://new.example/login.jsp?os_destination=secret"})
    with (
        scripted(moved) as server,
        a_client(server.url) as client,
        pytest.raises(TemporaryError, match=r"the tracker sends the hub to https://new\.example/login\.jsp") as caught,
    ):
        client.send(method, "/issue")
    assert len(server.asked) == 1
    assert "trackers.dev.url" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_read_is_tried_again_when_its_connection_breaks() -> None:
    with scripted(Reply(is_cut_off=True), Reply(b'{"id": "3"}')) as server, a_client(server.url) as client:
        assert client.get("/issue/3") == {"id": "3"}
    assert len(server.asked) == 2


def test_a_write_is_never_repeated() -> None:
    with (
        scripted(Reply(is_cut_off=True), Reply()) as server,
        a_client(server.url) as client,
        pytest.raises(TemporaryError, match="no connection"),
    ):
        client.send("POST", "/issue", {})
    assert len(server.asked) == 1


def test_an_address_where_nobody_listens_is_temporary() -> None:
    with scripted() as server:
        url = server.url
    with a_client(url) as client, pytest.raises(TemporaryError, match="no connection"):
        client.get("/myself")


def test_calls_go_through_the_proxy_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(Reply(b'{"id": "4"}')) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with a_client("http://jira.example/jira") as client:
            assert client.get("/issue/4") == {"id": "4"}
    assert proxy.asked[0].target == "http://jira.example/jira/rest/api/2/issue/4"


def test_a_site_that_the_environment_excepts_is_called_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted() as proxy, scripted(Reply(b'{"id": "5"}')) as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with a_client(server.url) as client:
            assert client.get("/issue/5") == {"id": "5"}
    assert proxy.asked == []
