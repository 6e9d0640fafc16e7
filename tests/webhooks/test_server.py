from __future__ import annotations

import gc
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from flask import Flask
from waitress.server import BaseWSGIServer

from tests.webhooks.stage import Shelf, Stage, a_body, signed_like_zendesk, start
from webhooks.app import Server


def an_app() -> Flask:
    app = Flask("test", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 1000
    return app


def wait_until_unreachable(address: tuple[str, int]) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(address, timeout=1).close()
        except OSError:
            return
    raise AssertionError("the server still takes connections")


def test_slow_senders_do_not_keep_others_waiting(stage: Stage) -> None:
    slow = [socket.create_connection(stage.address, timeout=10) for _ in range(20)]
    try:
        for one in slow:
            one.sendall(b"POST /webhooks/support HTTP/1.1\r\nHost: hub\r\nContent-Length: 5000\r\n\r\n{")
        started = time.monotonic()
        body = a_body()
        assert stage.post("support", body, signed_like_zendesk(body)).status_code == 202
        assert time.monotonic() - started < 5
    finally:
        for one in slow:
            one.close()


def test_a_server_that_stops_lets_running_requests_end_and_takes_no_new_ones() -> None:
    shelf = Shelf(gate=threading.Event())
    stage = start(shelf=shelf)
    body = a_body()
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(stage.post, "support", body, signed_like_zendesk(body))
        assert shelf.waiting.acquire(timeout=10)
        stopping = pool.submit(stage.server.stop)
        wait_until_unreachable(stage.address)
        assert not stopping.done()
        assert shelf.gate is not None
        shelf.gate.set()
        assert running.result(timeout=10).json()["status"] == "accepted"
        stopping.result(timeout=10)
    stage.client.close()


def test_a_server_that_stops_does_not_wait_for_idle_or_half_sent_requests() -> None:
    stage = start()
    stage.client.get("/healthz")  # leaves an idle connection
    with socket.create_connection(stage.address, timeout=10) as half:
        half.sendall(b"POST /webhooks/support HTTP/1.1\r\nHost: hub\r\nContent-Length: 5000\r\n\r\n{")
        stage.client.get("/healthz")
        started = time.monotonic()
        stage.server.stop()
        assert time.monotonic() - started < 5
        assert half.recv(1) == b""
    stage.client.close()


def test_stopping_leaves_no_thread_and_nothing_unclosed() -> None:
    before = set(threading.enumerate())
    for _ in range(3):
        stage = start(limit=5_000_000)
        with socket.create_connection(stage.address, timeout=10) as half:
            # Large enough that the server keeps it in a file.
            half.sendall(b"POST /webhooks/support HTTP/1.1\r\nHost: hub\r\nContent-Length: 4000000\r\n\r\n")
            half.sendall(b"x" * 2_000_000)
            assert stage.client.get("/healthz").status_code == 200
            stage.server.stop()
        stage.client.close()
    gc.collect()  # an unclosed file or socket would be a warning, and a warning fails the test
    deadline = time.monotonic() + 5
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert set(threading.enumerate()) <= before


def test_a_sender_that_hangs_up_half_way_leaves_nothing_unclosed() -> None:
    stage = start(limit=5_000_000)
    with socket.create_connection(stage.address, timeout=10) as half:
        half.sendall(b"POST /webhooks/support HTTP/1.1\r\nHost: hub\r\nContent-Length: 4000000\r\n\r\n")
        half.sendall(b"x" * 2_000_000)
    body = a_body()
    assert stage.post("support", body, signed_like_zendesk(body)).status_code == 202
    stage.server.stop()
    stage.client.close()
    gc.collect()
    assert len(stage.shelf.kept) == 1


def test_a_loop_that_sees_the_end_before_it_is_woken_ends_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    wake = BaseWSGIServer.pull_trigger

    def wake_late(self: BaseWSGIServer) -> None:
        if threading.current_thread() is threading.main_thread():
            for thread in threading.enumerate():
                if thread.name == "hub-web":
                    thread.join(timeout=10)
        wake(self)

    monkeypatch.setattr(BaseWSGIServer, "pull_trigger", wake_late)
    stage = start()
    stage.server.stop()
    stage.client.close()


def test_stopping_twice_or_before_the_start_is_harmless() -> None:
    stage = start()
    stage.server.stop()
    stage.server.stop()
    stage.client.close()
    never_started = Server(an_app(), "127.0.0.1", 0, 2)
    never_started.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(never_started.url, trust_env=False)


def test_a_port_in_use_is_told_with_its_address(stage: Stage) -> None:
    host, port = stage.address
    with pytest.raises(OSError, match=f"cannot listen on {host}:{port}"):
        Server(an_app(), host, port, 2)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", ""])
def test_every_way_to_write_this_machine_gives_an_address_that_answers(host: str) -> None:
    if host == "::1" and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    server = Server(an_app(), host, 0, 2)
    server.start()
    try:
        assert httpx.get(server.url.replace("0.0.0.0", "127.0.0.1"), trust_env=False).status_code == 404
    finally:
        server.stop()


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
