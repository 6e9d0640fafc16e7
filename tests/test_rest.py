"""`RestClient` over real sockets: what it sends, what it repeats, and which way it goes."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hub.connector import TemporaryError
from hub.rest import RestClient
from plugins.mantis.connector import MantisConnector
from plugins.mantis.settings import MantisSettings
from tests.scripted import Reply, scripted

pytestmark = pytest.mark.usefixtures("without_proxies")


@contextmanager
def a_client(url: str) -> Iterator[RestClient]:
    settings = MantisSettings.model_validate(
        {"kind": "mantis", "url": url, "credentials": {"api_token": "t"}, "project": "P", "timeout": 5}
    )
    connector = MantisConnector("dev", settings)
    client = RestClient(connector)
    try:
        yield client
    finally:
        client.close()
        connector.close()


def test_a_call_says_what_it_wants_and_what_it_sends() -> None:
    with scripted(Reply(b'{"id": 1}')) as server, a_client(server.url) as client:
        assert client.send("POST", "/things", {"name": "é"}, params={"page[size]": 2}) == {"id": 1}
    (asked,) = server.asked
    assert asked.method == "POST"
    assert asked.target == "/things?page%5Bsize%5D=2"
    assert asked.headers["Accept"] == "application/json"
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["User-Agent"] == "ticket-hub"
    assert asked.body.decode() == '{"name":"é"}'


def test_a_packed_answer_is_unpacked() -> None:
    packed = Reply(gzip.compress(b'{"id": 2}'), headers={"Content-Encoding": "gzip"})
    with scripted(packed) as server, a_client(server.url) as client:
        assert client.get("/things") == {"id": 2}
    assert "gzip" in server.asked[0].headers["Accept-Encoding"]


def test_a_read_is_tried_again_when_its_connection_breaks() -> None:
    with scripted(Reply(is_cut_off=True), Reply(b'{"id": 3}')) as server, a_client(server.url) as client:
        assert client.get("/things") == {"id": 3}
    assert len(server.asked) == 2


def test_a_write_is_never_repeated() -> None:
    with (
        scripted(Reply(is_cut_off=True), Reply()) as server,
        a_client(server.url) as client,
        pytest.raises(TemporaryError, match="no connection"),
    ):
        client.send("POST", "/things", {})
    assert len(server.asked) == 1


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_tracker_that_has_moved_is_told_and_not_followed(method: str) -> None:
    """An answer without a body must not pass for a write that was done."""
    away = Reply(b"", 302, {"Location": "https://user:secret@new.example/login?next=secret"})
    with (
        scripted(away) as server,
        a_client(server.url) as client,
        pytest.raises(TemporaryError, match=r"sends the hub to https://new\.example/login") as caught,
    ):
        client.call(method, "/things")
    assert len(server.asked) == 1
    assert "trackers.dev.url" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("no answer in time", "dev: GET /x: no answer in time. Wait."),
        ("It is closed.", "dev: GET /x: It is closed. Wait."),
    ],
)
def test_an_error_is_told_in_sentences(why: str, said: str) -> None:
    assert str(TemporaryError("dev", "GET /x", why, "Wait.")) == said
    assert str(TemporaryError("dev", "GET /x", why)) == said.removesuffix(". Wait." if why[-1] != "." else " Wait.")


def test_calls_go_through_the_proxy_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(Reply(b'{"id": 4}')) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with a_client("http://tracker.example") as client:
            assert client.get("/things") == {"id": 4}
    assert proxy.asked[0].target == "http://tracker.example/things"


def test_a_proxy_may_be_named_without_a_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(Reply(b'{"id": 6}')) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removeprefix("http://"))
        with a_client("http://tracker.example") as client:
            assert client.get("/things") == {"id": 6}


def test_an_address_that_is_none_is_told_in_words() -> None:
    with (
        scripted(Reply(b"", 302, {"Location": "http://[x/"})) as server,
        a_client(server.url) as client,
        pytest.raises(TemporaryError, match="an address that is none"),
    ):
        client.get("/things")


def test_a_tracker_that_the_environment_excepts_is_called_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted() as proxy, scripted(Reply(b'{"id": 5}')) as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with a_client(server.url) as client:
            assert client.get("/things") == {"id": 5}
    assert proxy.asked == []


def test_the_trackers_clock_is_learned_from_any_answer() -> None:
    ahead = Reply(headers={"Date": "Fri, 01 Jan 2100 00:00:00 GMT"}, status=404)
    with scripted(ahead) as server, a_client(server.url) as client:
        with pytest.raises(Exception, match="404"):
            client.get("/things")
        assert client.clock_skew is not None
        assert client.clock_skew > 1e9
