"""Bodies beyond the limit, sent over bare sockets, because clients are too polite."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.webhooks.stage import LIMIT, Stage, a_body, signed_like_zendesk


@pytest.fixture
def wire(stage: Stage) -> Iterator[socket.socket]:
    with socket.create_connection(stage.address, timeout=10) as connection:
        yield connection


def answer_of(wire: socket.socket) -> tuple[int, dict[str, str], dict[str, object]]:
    with wire.makefile("rb") as reader:
        status = int(reader.readline().split()[1])
        headers = {}
        while line := reader.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name.lower()] = value
        return status, headers, json.loads(reader.read(int(headers["content-length"])))


def head(*lines: str) -> bytes:
    return "\r\n".join(["POST /webhooks/support HTTP/1.1", "Host: hub", *lines, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def padded(size: int) -> bytes:
    body = a_body(pad="")
    return a_body(pad="x" * (size - len(body)))


def test_a_body_of_exactly_the_limit_is_taken(stage: Stage) -> None:
    body = padded(LIMIT)
    assert len(body) == LIMIT
    assert stage.post("support", body, signed_like_zendesk(body)).status_code == 202


@pytest.mark.parametrize("size", [LIMIT + 1, 2 * LIMIT])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_over_the_limit_is_refused_and_the_connection_goes_on(
    stage: Stage, wire: socket.socket, size: int, is_chunked: bool
) -> None:
    body = padded(size)
    if is_chunked:
        wire.sendall(head("Transfer-Encoding: chunked") + chunk(body[:999]) + chunk(body[999:]) + chunk(b""))
    else:
        wire.sendall(head(f"Content-Length: {size}") + body)
    status, headers, answer = answer_of(wire)
    assert (status, answer["error"]) == (413, "oversized")
    assert "server.max_body_bytes" in str(answer["description"])
    assert headers.get("connection") != "close"
    assert stage.count("support", "oversized") == 1
    wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n")
    assert answer_of(wire)[0] == 200


def test_a_body_far_over_the_limit_is_refused_before_it_is_sent(stage: Stage, wire: socket.socket) -> None:
    wire.sendall(head("Content-Length: 9999999999"))
    status, headers, answer = answer_of(wire)
    assert (status, answer["error"], headers["connection"]) == (413, "oversized", "close")
    assert wire.recv(1) == b""
    assert stage.count("support", "oversized") == 1


def test_a_sender_that_asks_first_is_not_told_to_go_on(wire: socket.socket) -> None:
    wire.sendall(head("Content-Length: 9999999999", "Expect: 100-continue"))
    assert answer_of(wire)[0] == 413


def test_a_sender_that_asks_first_may_send_what_is_within_the_limit(wire: socket.socket) -> None:
    body = a_body()
    signature = [f"{name}: {value}" for name, value in signed_like_zendesk(body).items()]
    wire.sendall(head(f"Content-Length: {len(body)}", "Expect: 100-continue", *signature))
    assert wire.recv(100).startswith(b"HTTP/1.1 100")
    wire.sendall(body)
    assert answer_of(wire)[0] == 202


def test_endless_chunks_are_cut_off(stage: Stage, wire: socket.socket) -> None:
    wire.sendall(head("Transfer-Encoding: chunked"))
    sent = 0
    # The server hangs up, which is what is asked for.
    with contextlib.suppress(OSError):
        while sent < 100_000_000:
            sent += wire.send(chunk(b"x" * 8000))
    assert sent < 50_000_000
    assert httpx.get(f"{stage.server.url}/healthz", trust_env=False).status_code == 200
    assert stage.count("support", "oversized") == 1


def test_a_sender_that_reads_only_after_sending_all_still_sees_the_refusal(stage: Stage) -> None:
    answer = stage.post("support", b"x" * (50 * LIMIT), {})
    assert (answer.status_code, answer.json()["error"]) == (413, "oversized")


def test_a_delivery_in_chunks_is_taken_like_any_other(stage: Stage, wire: socket.socket) -> None:
    body = a_body()
    signature = [f"{name}: {value}" for name, value in signed_like_zendesk(body).items()]
    wire.sendall(head("Transfer-Encoding: chunked", *signature))
    for at in range(len(body)):
        wire.sendall(chunk(body[at : at + 1]))
    wire.sendall(chunk(b""))
    assert answer_of(wire)[0] == 202
    assert stage.shelf.kept[0].body == body


def test_a_request_without_a_length_has_an_empty_body(wire: socket.socket) -> None:
    body = b""
    wire.sendall(head(*(f"{name}: {value}" for name, value in signed_like_zendesk(body).items())))
    status, _, answer = answer_of(wire)
    assert (status, answer["error"]) == (400, "unparsable")


@pytest.mark.parametrize("line", ["X-Sig: a\nX-Other: b", "X-Sig: a\rb", "X-Sig : a", "X-Sig: \x00", "no colon"])
def test_a_broken_header_line_breaks_nothing_but_its_request(stage: Stage, wire: socket.socket, line: str) -> None:
    body = a_body()
    wire.sendall(head(f"Content-Length: {len(body)}", line) + body)
    assert wire.recv(100).split()[1] in {b"400", b"401"}
    assert stage.client.get("/healthz").status_code == 200
