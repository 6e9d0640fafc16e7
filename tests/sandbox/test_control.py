"""The control routes: everything that a test in the same process can do, another process can do as well."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from hub.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.sandbox.conftest import Receiver


def control(sandbox: Sandbox, method: str, path: str, /, **body: Any) -> Any:
    answer = httpx.request(method, f"{sandbox.url}/_sandbox/{path}", json=body or None)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.005)


def test_the_state_tells_how_to_use_the_sandbox(sandbox: Sandbox) -> None:
    httpx.post(f"{sandbox.url}/notes", content=b"n")
    state = control(sandbox, "GET", "state")
    assert state["url"] == sandbox.url
    assert state["credentials"] == {"token": "hub"}
    assert state["people"] == {"ann": {"token": "ann"}}
    assert state["counts"] == {"notes": 1, "requests": 1, "webhooks": 0}


def test_control_requests_are_not_counted_and_the_log_can_be_cleared(sandbox: Sandbox) -> None:
    httpx.get(f"{sandbox.url}/notes")
    assert [r["path"] for r in control(sandbox, "GET", "requests?clear=1")["requests"]] == ["/notes"]
    assert control(sandbox, "GET", "requests")["requests"] == []


def test_faults_are_added_listed_and_cleared(sandbox: Sandbox) -> None:
    control(sandbox, "POST", "faults", method="GET", path="/notes", status=503, times=2)
    assert httpx.get(f"{sandbox.url}/notes").status_code == 503
    assert [f["status"] for f in control(sandbox, "GET", "faults")["faults"]] == [503]
    control(sandbox, "DELETE", "faults")
    assert httpx.get(f"{sandbox.url}/notes").status_code == 200


def test_a_gate_is_set_watched_and_released(sandbox: Sandbox) -> None:
    gate = control(sandbox, "POST", "gates", method="GET", path="/notes", when="after")["id"]
    assert control(sandbox, "GET", f"gates/{gate}")["reached"] is False
    thread = threading.Thread(target=lambda: httpx.get(f"{sandbox.url}/notes"))
    thread.start()
    until(lambda: control(sandbox, "GET", f"gates/{gate}")["reached"])
    control(sandbox, "POST", f"gates/{gate}/release")
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_webhooks_are_registered_steered_and_watched(sandbox: Sandbox, receiver: Receiver) -> None:
    target = control(sandbox, "POST", "webhooks", target=receiver.url, secret="s3")
    assert target["secret"] == "s3"
    control(sandbox, "POST", "webhooks", drop=1)
    for text in (b"a", b"b"):
        httpx.post(f"{sandbox.url}/notes", content=text)
    until(lambda: control(sandbox, "GET", "webhooks/sent")["idle"])
    sent = control(sandbox, "GET", "webhooks/sent")["sent"]
    assert [(s["id"], s["attempt"], s["status"], s["topic"]) for s in sent] == [
        ("1", 0, None, "note"),
        ("2", 1, 200, "note"),
    ]
    control(sandbox, "POST", "webhooks", remove=target["id"])
    assert sandbox.webhooks.targets == ()


@pytest.mark.parametrize(
    ("body", "seen"),
    [({"double": 1}, "aabc"), ({"reorder": 2}, "bac"), ({"late": 1, "seconds": 0.2}, "bca")],
)
def test_webhooks_go_astray_as_asked(sandbox: Sandbox, receiver: Receiver, body: dict[str, Any], seen: str) -> None:
    control(sandbox, "POST", "webhooks", target=receiver.url)
    control(sandbox, "POST", "webhooks", pause=True)
    control(sandbox, "POST", "webhooks", resume=True)
    control(sandbox, "POST", "webhooks", **body)
    for text in (b"a", b"b", b"c"):
        httpx.post(f"{sandbox.url}/notes", content=text)
    assert sandbox.webhooks.wait_idle()
    assert "".join(receiver.bodies) == seen


def test_limits_and_settings_are_changed(sandbox: Sandbox) -> None:
    control(sandbox, "POST", "limits", name="all", count=1, seconds=30)
    assert [sandbox.limits.take("all").allowed for _ in range(2)] == [True, False]
    control(sandbox, "DELETE", "limits")
    assert sandbox.limits.take("all").allowed
    assert control(sandbox, "POST", "settings", lag=2.5)["settings"] == {"lag": 2.5}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"colour": "red"}),
        ("gates/77/release", {}),
        ("gates", {"colour": "red"}),
        ("webhooks", {"burn": 1}),
        ("settings", {"colour": 1}),
        ("limits", {"name": "all", "count": -1}),
    ],
)
def test_wrong_control_input_is_answered_400_with_the_reason(sandbox: Sandbox, path: str, body: dict[str, Any]) -> None:
    answer = httpx.post(f"{sandbox.url}/_sandbox/{path}", json=body)
    assert answer.status_code == 400
    assert answer.text.strip()
