"""Faults and gates: each thing that can go wrong, before or after the effect."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from hub.sandbox import Fault, Faults, Sandbox


def notes(sandbox: Sandbox) -> list[str]:
    found: list[str] = httpx.get(f"{sandbox.url}/notes").json()["notes"]
    return found


def add(sandbox: Sandbox, text: str = "n") -> httpx.Response:
    return httpx.post(f"{sandbox.url}/notes", content=text.encode())


def test_a_fault_before_the_effect_prevents_it(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("POST", "^/notes$", status=503, headers={"Retry-After": "7"}, body={"error": "down"}))
    answer = add(sandbox)
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()) == (503, "7", {"error": "down"})
    assert notes(sandbox) == []
    assert add(sandbox).status_code == 201


def test_a_fault_after_the_effect_only_spoils_the_answer(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("POST", "/notes", status=500, body="oops", mode="after"))
    answer = add(sandbox)
    assert (answer.status_code, answer.text) == (500, "oops")
    assert notes(sandbox) == ["n"]


@pytest.mark.parametrize(("mode", "left"), [("before", []), ("after", ["n"])])
def test_a_dropped_connection_gives_no_answer(sandbox: Sandbox, mode: str, left: list[str]) -> None:
    sandbox.faults.add(Fault.from_json({"method": "POST", "path": "/notes", "drop": True, "mode": mode}))
    with pytest.raises(httpx.RemoteProtocolError):
        add(sandbox)
    assert notes(sandbox) == left
    assert sandbox.requests.matching("POST")[0].status == 0


def test_skip_and_times_choose_which_requests_fail(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("POST", "/notes", skip=1, times=2, status=429))
    assert [add(sandbox).status_code for _ in range(5)] == [201, 429, 429, 201, 201]


def test_a_request_meets_the_oldest_fault_that_applies(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("POST", "/other", status=400))
    sandbox.faults.add(Fault("POST", "/notes", status=500))
    sandbox.faults.add(Fault("", "", times=None, status=503))
    assert [add(sandbox).status_code for _ in range(3)] == [500, 503, 503]
    sandbox.faults.clear()
    assert add(sandbox).status_code == 201


def test_a_delay_alone_leaves_the_answer_true(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("POST", "/notes", delay=0.2))
    started = time.monotonic()
    assert add(sandbox).status_code == 201
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(("when", "seen"), [("before", []), ("after", ["n"])])
def test_a_gate_holds_a_request_before_or_after_its_effect(sandbox: Sandbox, when: str, seen: list[str]) -> None:
    gate = sandbox.faults.gate("POST", "/notes", when="after" if when == "after" else "before")
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(add(sandbox).status_code))
    thread.start()
    assert gate.wait_reached()
    assert notes(sandbox) == seen
    assert answers == []
    gate.release()
    thread.join(timeout=10)
    assert answers == [201]
    assert add(sandbox).status_code == 201


def test_a_gate_may_let_the_first_requests_pass(sandbox: Sandbox) -> None:
    gate = sandbox.faults.gate("POST", "/notes", skip=1)
    add(sandbox)
    assert not gate.reached
    assert not gate.wait_reached(timeout=0.01)
    gate.release()
    assert add(sandbox).status_code == 201
    assert not gate.reached


@pytest.mark.parametrize(("values", "reason"), [({"mode": "never"}, "mode"), ({"path": "("}, "path"), ({"x": 1}, "x")])
def test_a_wrong_fault_is_refused_with_its_reason(values: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Fault.from_json(values)


def test_pending_lists_what_can_still_happen() -> None:
    faults = Faults()
    faults.add(Fault("GET", "/a"))
    assert len(faults.pending()) == 1
    assert faults.take("GET", "/a") is not None
    assert faults.pending() == ()
