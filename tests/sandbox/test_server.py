"""The server itself: answers over real sockets, keeps connections, ends promptly."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from flask import Response

from hub.sandbox import Sandbox


def test_a_connection_is_kept_over_many_requests(sandbox: Sandbox) -> None:
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc)
    connection.connect()
    first = connection.sock
    for _ in range(5):
        connection.request("POST", "/notes", body="hello")
        assert connection.getresponse().read()
        assert connection.sock is first
    connection.close()


def test_a_chunked_body_arrives_whole(sandbox: Sandbox) -> None:
    httpx.post(f"{sandbox.url}/notes", content=iter([b"one ", b"two"]))
    assert httpx.get(f"{sandbox.url}/notes").json() == {"notes": ["one two"]}


def test_a_client_that_asks_first_is_told_to_go_on(sandbox: Sandbox) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(sandbox.url).port or 0), timeout=5) as client:
        client.sendall(b"POST /notes HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 100")
        client.sendall(b"hi")
        assert b"201" in client.recv(1000)


def test_a_client_that_dies_at_a_gate_leaves_no_error_behind(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    gate = sandbox.faults.gate("POST", "/notes", when="after")
    with socket.create_connection(("127.0.0.1", urlsplit(sandbox.url).port or 0)) as client:
        client.sendall(b"POST /notes HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
        assert gate.wait_reached()
    gate.release()
    sandbox.stop()
    assert sandbox.requests.matching("POST")[0].status == 201
    assert capfd.readouterr().err == ""


def test_a_head_request_gets_headers_only(sandbox: Sandbox) -> None:
    with httpx.Client() as client:
        answer = client.head(f"{sandbox.url}/notes")
        assert (answer.status_code, answer.content) == (200, b"")
        assert client.get(f"{sandbox.url}/notes").json() == {"notes": []}


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("DELETE", "/notes")])
def test_a_missing_route_answers_501_and_names_itself(sandbox: Sandbox, method: str, path: str) -> None:
    answer = httpx.request(method, sandbox.url + path)
    assert answer.status_code == 501
    assert answer.json()["description"] == f"the notes sandbox has no {method} {path}"


def test_requests_are_logged_with_their_login_and_status(sandbox: Sandbox) -> None:
    httpx.post(f"{sandbox.url}/notes?x=1", content=b"hi", headers={"X-Login": "ann"})
    httpx.get(f"{sandbox.url}/notes")
    record = sandbox.requests.matching("POST", "^/notes$")[0]
    assert (record.query, record.status, record.login, record.body) == ("x=1", 201, "ann", "hi")
    assert record.at.utcoffset() is not None
    assert (sandbox.requests.count(), sandbox.requests.count("GET"), sandbox.requests.count(path="other")) == (
        2,
        1,
        0,
    )
    sandbox.requests.clear()
    assert sandbox.requests.count() == 0


def test_stopping_cuts_idle_connections_and_leaves_no_thread(sandbox: Sandbox) -> None:
    before = set(threading.enumerate())
    with type(sandbox)() as other, httpx.Client() as client:
        client.get(f"{other.url}/notes")
        assert set(threading.enumerate()) - before
        started = time.monotonic()
        other.stop()
        assert time.monotonic() - started < 2
        assert set(threading.enumerate()) - before == set()


def test_stopping_frees_a_request_that_waits_in_a_fault(sandbox: Sandbox) -> None:
    gate = sandbox.faults.gate("GET", "/notes")
    with socket.create_connection(("127.0.0.1", urlsplit(sandbox.url).port or 0)) as client:
        client.sendall(b"GET /notes HTTP/1.1\r\nHost: x\r\n\r\n")
        assert gate.wait_reached()
        sandbox.stop()
        with contextlib.suppress(ConnectionError):
            assert client.recv(10) in (b"", b"HTTP/1.1 2")


def test_a_stopped_sandbox_starts_again_at_its_address_with_its_state(sandbox: Sandbox) -> None:
    url = sandbox.url
    httpx.post(f"{url}/notes", content=b"kept")
    sandbox.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/notes")
    sandbox.start(urlsplit(url).port or 0)
    assert httpx.get(f"{url}/notes").json() == {"notes": ["kept"]}


def test_a_running_sandbox_does_not_start_twice_and_a_stopped_one_has_no_address(sandbox: Sandbox) -> None:
    with pytest.raises(RuntimeError, match="running already"):
        sandbox.start()
    sandbox.stop()
    sandbox.stop()
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url


def test_a_taken_port_is_told(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match="in use"):
        type(sandbox)().start(urlsplit(sandbox.url).port or 0)


def test_effects_happen_one_at_a_time(sandbox: Sandbox) -> None:
    def add() -> None:
        with httpx.Client() as client:
            ids.extend(client.post(f"{sandbox.url}/notes", content=b"n").json()["id"] for _ in range(10))

    ids: list[str] = []
    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ids, key=int) == [str(n) for n in range(1, 41)]


def test_run_prints_its_state_and_ends_on_a_signal(tmp_path: Path) -> None:
    script = tmp_path / "serve.py"
    script.write_text(
        "from hub.sandbox import Sandbox, run\n"
        "class Empty(Sandbox):\n"
        "    kind = 'empty'\n"
        "    def credentials(self): return {'token': 't'}\n"
        "    def people(self): return {}\n"
        "run(Empty())\n"
    )
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        state = json.loads(process.stdout.readline())
        assert (state["kind"], state["credentials"]) == ("empty", {"token": "t"})
        assert httpx.get(f"{state['url']}/_sandbox/state").json()["kind"] == "empty"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_route_may_word_its_own_reason_and_the_usual_one_stays_as_it_is(sandbox: Sandbox) -> None:
    @sandbox.app.get("/gone-home")
    def gone_home() -> Any:
        return Response("", status="404 Everybody went home")

    assert httpx.get(f"{sandbox.url}/gone-home").reason_phrase == "Everybody went home"
    assert httpx.get(f"{sandbox.url}/notes").reason_phrase == "OK"
    assert httpx.post(f"{sandbox.url}/notes", content="x").reason_phrase == "Created"
