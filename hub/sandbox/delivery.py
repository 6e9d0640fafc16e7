"""Sends a sandbox's webhooks: in order, in the background, with the tracker's signature and retry rules.

It knows neither events nor signatures: the subclass of `Sandbox` makes the bodies, signs each attempt and says after
each attempt whether and when to try again.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx


@dataclass(frozen=True)
class Target:
    """Where webhooks go: `options` are the tracker's own (subscriptions, body template, ...)."""

    id: str
    url: str
    secret: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Delivery:
    """One webhook to be sent; `id` stays the same over all attempts. `topic` names the event for people and tests."""

    id: str
    target: Target
    body: bytes
    topic: str = ""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sent:
    """One attempt, or a delivery dropped on demand.

    `attempt` counts from 1 and is 0 for a dropped delivery; `status` is None when nothing was answered. `at` is UTC.
    """

    delivery: Delivery
    attempt: int
    status: int | None
    at: datetime


Sign = Callable[[Delivery, int], Mapping[str, str]]
"""The headers of one attempt (counted from 1) of a delivery, its signature among them."""

Retry = Callable[[Delivery, int, int | None, Mapping[str, str]], float | None]
"""Called after attempt n with its status (None: no answer in time) and headers: seconds to wait, or None to end."""


class WebhookSender:
    """One tracker's outgoing webhooks.

    `pace` scales the waits between attempts: the tracker's seconds become milliseconds. `timeout` is in seconds and
    not scaled. Safe to use from any thread; after `stop` it keeps its targets and its log, drops what was not yet
    sent, and works again with the next delivery.
    """

    def __init__(self, *, sign: Sign, retry: Retry, clock: Callable[[], datetime], secret: str = "") -> None:
        self.timeout = 10.0
        self.pace = 0.001
        self._sign, self._retry, self._clock, self._secret = sign, retry, clock, secret
        self._changed = threading.Condition()
        self._targets: dict[str, Target] = {}
        self._sent: list[Sent] = []
        self._due: list[tuple[float, int, Delivery, int]] = []
        self._order = itertools.count()
        self._held: list[Delivery] = []
        self._counts = {"drop": 0, "double": 0, "reorder": 0, "late": 0}
        self._late_by = 0.0
        self._is_paused = False
        self._is_busy = False
        self._is_stopping = False
        self._thread: threading.Thread | None = None

    def target(self, url: str, secret: str = "", *, id: str = "", **options: Any) -> Target:
        """Register a target, signed for with `secret` or the sender's own; events from now on go there."""
        target = Target(id or uuid.uuid4().hex, url, secret or self._secret, options)
        with self._changed:
            self._targets[target.id] = target
        return target

    def remove_target(self, id: str) -> None:
        """Send nothing new to the target `id`; unknown ids are ignored."""
        with self._changed:
            self._targets.pop(id, None)

    @property
    def targets(self) -> tuple[Target, ...]:
        """The registered targets, oldest first."""
        with self._changed:
            return tuple(self._targets.values())

    @property
    def sent(self) -> tuple[Sent, ...]:
        """Every attempt so far, and every delivery dropped on demand, in order."""
        with self._changed:
            return tuple(self._sent)

    def send(self, delivery: Delivery) -> None:
        """Queue `delivery`, subject to what `drop_next` and its siblings asked for. Returns at once."""
        with self._changed:
            if self._use("drop"):
                self._sent.append(Sent(delivery, 0, None, self._clock()))
            elif self._counts["reorder"]:
                self._held.append(delivery)
                if self._use("reorder") and not self._counts["reorder"]:
                    self._release_held()
            else:
                delay = self._late_by if self._use("late") else 0.0
                for _ in range(2 if self._use("double") else 1):
                    self._enqueue(delivery, 1, delay)

    def drop_next(self, n: int = 1) -> None:
        """Lose the next `n` deliveries."""
        self._set("drop", n)

    def double_next(self, n: int = 1) -> None:
        """Send the next `n` deliveries twice, with the same id."""
        self._set("double", n)

    def reorder_next(self, n: int = 2) -> None:
        """Hold the next `n` deliveries and then send them in reverse order."""
        self._set("reorder", n)

    def late_next(self, n: int = 1, seconds: float = 1.0) -> None:
        """Send the next `n` deliveries `seconds` later than the others (not scaled by `pace`)."""
        with self._changed:
            self._late_by = seconds
        self._set("late", n)

    def pause(self) -> None:
        """Send nothing until `resume`; deliveries queue up."""
        with self._changed:
            self._is_paused = True

    def resume(self) -> None:
        """Send what has queued up, and what is held for reordering, and go on."""
        with self._changed:
            self._is_paused = False
            self._counts["reorder"] = 0
            self._release_held()
            self._changed.notify_all()

    def idle(self) -> bool:
        """Nothing is queued, late, held or under way."""
        with self._changed:
            return not (self._due or self._held or self._is_busy)

    def wait_idle(self, timeout: float = 10.0) -> bool:
        """Wait up to `timeout` seconds until `idle`; False when it did not come to that."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._due or self._held or self._is_busy), timeout)

    def stop(self) -> None:
        """End the background thread; what was not sent is lost, as with a tracker that goes down."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._is_stopping = True
            self._due.clear()
            self._held.clear()
            self._changed.notify_all()
        if thread is not None:
            thread.join(timeout=self.timeout + 5)
        with self._changed:
            self._is_stopping = False

    def _set(self, name: str, n: int) -> None:
        with self._changed:
            self._counts[name] = n

    def _use(self, name: str) -> bool:
        if self._counts[name] <= 0:
            return False
        self._counts[name] -= 1
        return True

    def _release_held(self) -> None:
        held, self._held = self._held, []
        for delivery in reversed(held):
            self._enqueue(delivery, 1, 0.0)

    def _enqueue(self, delivery: Delivery, attempt: int, delay: float) -> None:
        if self._is_stopping:
            return
        heapq.heappush(self._due, (time.monotonic() + delay, next(self._order), delivery, attempt))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="sandbox-webhooks", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _work(self) -> None:
        me = threading.current_thread()
        with httpx.Client(timeout=self.timeout, trust_env=False, follow_redirects=False) as client:
            while (job := self._next_job(me)) is not None:
                delivery, attempt = job
                status, headers = self._attempt(client, delivery, attempt)
                wait = self._retry(delivery, attempt, status, headers)
                with self._changed:
                    self._sent.append(Sent(delivery, attempt, status, self._clock()))
                    if wait is not None:
                        self._enqueue(delivery, attempt + 1, wait * self.pace)
                    self._is_busy = False
                    self._changed.notify_all()

    def _next_job(self, me: threading.Thread) -> tuple[Delivery, int] | None:
        with self._changed:
            while self._thread is me:
                wait = None
                if self._due and not self._is_paused:
                    wait = self._due[0][0] - time.monotonic()
                    if wait <= 0:
                        _, _, delivery, attempt = heapq.heappop(self._due)
                        self._is_busy = True
                        return delivery, attempt
                self._changed.wait(wait)
        return None

    def _attempt(self, client: httpx.Client, delivery: Delivery, attempt: int) -> tuple[int | None, Mapping[str, str]]:
        headers = {**delivery.headers, **self._sign(delivery, attempt)}
        try:
            answer = client.request(
                delivery.method, delivery.target.url, content=delivery.body, headers=headers, timeout=self.timeout
            )
        except httpx.HTTPError:
            return None, {}
        return answer.status_code, answer.headers
