"""Webhooks: order, retries, and every way in which they go astray on demand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

from hub.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.sandbox.conftest import Receiver


@pytest.fixture(autouse=True)
def _registered(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.add_webhook_target(receiver.url)


def add(sandbox: Sandbox, *texts: str) -> None:
    for text in texts:
        httpx.post(f"{sandbox.url}/notes", content=text.encode())


def test_webhooks_arrive_signed_and_in_order(sandbox: Sandbox, receiver: Receiver) -> None:
    add(sandbox, "a", "b", "c")
    assert sandbox.webhooks.wait_idle()
    assert receiver.bodies == ["a", "b", "c"]
    assert receiver.received[0][2]["X-Secret"] == sandbox.webhook_secret
    assert [(s.delivery.id, s.attempt, s.status) for s in sandbox.webhooks.sent] == [
        ("1", 1, 200),
        ("2", 1, 200),
        ("3", 1, 200),
    ]


def test_a_refused_webhook_is_tried_again_with_the_same_id(sandbox: Sandbox, receiver: Receiver) -> None:
    receiver.answers = [503, 503]
    add(sandbox, "a")
    assert sandbox.webhooks.wait_idle()
    assert [(h["X-Delivery"], h["X-Attempt"]) for _, _, h in receiver.received] == [
        ("1", "1"),
        ("1", "2"),
        ("1", "3"),
    ]


def test_retries_end_when_the_rule_says_so(sandbox: Sandbox, receiver: Receiver) -> None:
    receiver.answers = [503] * 9
    add(sandbox, "a")
    assert sandbox.webhooks.wait_idle()
    assert len(receiver.received) == 3


def test_a_target_that_does_not_answer_is_logged_without_status(sandbox: Sandbox) -> None:
    sandbox.webhooks.remove_target(sandbox.webhooks.targets[0].id)
    sandbox.add_webhook_target("http://127.0.0.1:9/nobody")
    add(sandbox, "a")
    assert sandbox.webhooks.wait_idle()
    assert [s.status for s in sandbox.webhooks.sent] == [None, None, None]


def test_dropped_webhooks_never_arrive(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks.drop_next(2)
    add(sandbox, "a", "b", "c")
    assert sandbox.webhooks.wait_idle()
    assert receiver.bodies == ["c"]
    assert [s.attempt for s in sandbox.webhooks.sent] == [0, 0, 1]


def test_doubled_webhooks_arrive_twice_with_one_id(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks.double_next()
    add(sandbox, "a", "b")
    assert sandbox.webhooks.wait_idle()
    assert receiver.bodies == ["a", "a", "b"]
    assert receiver.received[0][2]["X-Delivery"] == receiver.received[1][2]["X-Delivery"]


def test_reordered_webhooks_arrive_backwards(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks.reorder_next(3)
    add(sandbox, "a", "b")
    assert not sandbox.webhooks.idle()
    add(sandbox, "c", "d")
    assert sandbox.webhooks.wait_idle()
    assert receiver.bodies == ["c", "b", "a", "d"]


def test_late_webhooks_are_overtaken(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks.late_next(1, seconds=0.2)
    started = time.monotonic()
    add(sandbox, "a", "b")
    assert sandbox.webhooks.wait_idle()
    assert receiver.bodies == ["b", "a"]
    assert time.monotonic() - started >= 0.2


def test_paused_webhooks_wait_for_resume(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks.pause()
    add(sandbox, "a")
    assert not sandbox.webhooks.wait_idle(timeout=0.05)
    assert receiver.bodies == []
    sandbox.webhooks.resume()
    assert sandbox.webhooks.wait_idle()
    assert receiver.bodies == ["a"]


def test_resume_frees_what_is_held_for_reordering(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks.reorder_next(5)
    add(sandbox, "a", "b")
    sandbox.webhooks.resume()
    add(sandbox, "c")
    assert sandbox.webhooks.wait_idle()
    assert receiver.bodies == ["b", "a", "c"]


def test_a_restarted_sandbox_sends_again(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks.pause()
    add(sandbox, "lost")
    sandbox.stop()
    sandbox.start()
    sandbox.webhooks.resume()
    add(sandbox, "sent")
    assert sandbox.webhooks.wait_idle()
    assert receiver.bodies == ["sent"]
