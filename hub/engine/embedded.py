"""The embedded engine: worker threads over the wakes in the store.

Wakes live in the database and nowhere else, so a restart forgets none, timed ones included. A key runs in one place
at a time; different keys run side by side. While nothing is due all of them sleep.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from hub.journal import deliveries
from hub.sync.context import Context
from hub.sync.finishing import Result
from hub.sync.keys import lock_key_in
from hub.sync.run import run_broke_off, run_key, wake_unfinished

log = structlog.get_logger("hub.engine")

HEAD_START = 0.02
"""Seconds that a run has before the next may begin beside it.

By then it waits for a tracker, or it is over. Two that compute at the same time in one Python process only hinder each
other: each statement and each call hands the interpreter back and forth, and both take longer than one after the other.
"""
LOOK_AGAIN = 1.0
"""Seconds between two looks at the store for what another process has put there (`hub sync`, `hub link`)."""


class Engine(Protocol):
    """What the rest of the hub knows of an engine."""

    def start(self) -> None:
        """Begins to run what is due, what an earlier process left included."""

    def wake(self, key: str, due: datetime, reason: str) -> None:
        """Makes a key run at `due` (UTC) or soon after. Durable when it returns; waking twice is waking once."""

    def notify(self) -> None:
        """Says that wakes were stored by somebody else; they are looked at now rather than soon."""

    def stop(self, drain: float) -> None:
        """Takes no new work, and waits up to `drain` seconds for what runs."""

    def counts(self) -> dict[str, int]:
        """`waiting` and `running` keys, for people who watch."""

    @property
    def is_running(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Periodic:
    """Something to do every so many seconds; `run` must not raise. It never overlaps with itself."""

    name: str
    every: float
    run: Callable[[], None]


class EmbeddedEngine:
    """The engine for one process. `periodics` (polling) run on the same threads.

    The workers look for work themselves, one at a time: it becomes the lookout, and what it finds it does, while the
    next one looks out. So nothing is handed from thread to thread, and nobody looks while all have work.
    """

    def __init__(
        self,
        context: Context,
        *,
        periodics: Sequence[Periodic] = (),
        on_run: Callable[[Result, float], None] | None = None,
    ) -> None:
        self._context = context
        self._periodics = {p.name: p for p in periodics}
        self._next_time = {p.name: 0.0 for p in periodics}
        self._on_run = on_run
        self._changed = threading.Condition()
        self._news = False
        self._stopping = False
        self._holds = context.holds
        self._workers = context.settings.engine.workers
        self._threads: list[threading.Thread] = []
        # Of the lookout:
        self._lookout = threading.Lock()
        self._look_at = 0.0
        # Under `_changed`:
        self._running = 0
        self._begun_at = 0.0
        """When the last run began."""
        self._ended = 0
        """How many runs have ended, counted before their keys are free: it tells whether one did during a look."""
        self._something_waits = False
        """There is work that could not begin: its key runs, or all workers do, or a run has its head start."""
        self._is_held_up = False
        """The lookout waits for the end of a head start: it need not be told of more."""

    @property
    def is_running(self) -> bool:
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def start(self) -> None:
        wake_unfinished(self._context)
        for number in range(self._workers + (1 if self._periodics else 0)):
            thread = threading.Thread(target=self._work, name=f"hub-worker-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def wake(self, key: str, due: datetime, reason: str) -> None:
        with self._context.journal.write() as connection:
            deliveries.wake(connection, key, due, reason)
        self.notify()

    def notify(self) -> None:
        with self._changed:
            self._news = True
            if self._running >= self._workers or self._is_held_up:
                # Nothing can begin before a run ends or has had its head start, and then there is a look.
                self._something_waits = True
            else:
                self._changed.notify_all()

    def stop(self, drain: float) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        deadline = time.monotonic() + drain
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        left = self._holds.all()
        if left:
            log.warning("stopped before the work was done; it goes on after the next start", keys=left)

    def counts(self) -> dict[str, int]:
        with self._context.journal.read() as connection:
            waiting = deliveries.count_waiting(connection, self._context.now())
        return {"waiting": waiting, "running": len(self._holds.all())}

    def wait_idle(self, timeout: float) -> bool:
        """Waits until nothing is due and nothing runs; False when that takes longer than `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while time.monotonic() < deadline:
                if not self._holds.all() and not self._is_anything_due():
                    return True
                self._changed.wait(timeout=min(0.05, max(0.0, deadline - time.monotonic())))
        return False

    def _is_anything_due(self) -> bool:
        with self._context.journal.read() as connection:
            now = self._context.now()
            return any(due <= now for _, due in deliveries.next_wakes(connection, 1))

    # a worker's thread

    def _work(self) -> None:
        while True:
            with self._lookout:
                task = self._next_task()
            if task is None:
                return
            task()

    def _next_task(self) -> Callable[[], None] | None:
        """What to do next, as soon as there is something; None when the engine stops."""
        while True:
            with self._changed:
                if not self._news and not self._stopping:
                    self._changed.wait(timeout=max(0.0, self._look_at - time.monotonic()))
                if self._stopping:
                    return None
                self._news = False
            try:
                task = self._find_task()
            except Exception:
                # A worker that ends here would never be replaced; the store may be back at the next look.
                log.exception("the engine could not look for work; it looks again")
                self._look_again_in(LOOK_AGAIN)
                continue
            if task is not None:
                return task

    def _look_again_in(self, seconds: float) -> None:
        self._look_at = time.monotonic() + min(seconds, LOOK_AGAIN)

    def _find_task(self) -> Callable[[], None] | None:
        """Takes something that is due and may run now, and says when to look again."""
        self._look_again_in(LOOK_AGAIN)
        for name, periodic in self._periodics.items():
            if time.monotonic() >= self._next_time[name] and self._holds.take(f"poll:{name}"):
                self._next_time[name] = time.monotonic() + periodic.every
                self._look_again_in(0)
                return functools.partial(self._run_periodic, periodic)
        with self._changed:
            head_start = self._begun_at + HEAD_START - time.monotonic() if self._running else 0.0
            self._is_held_up = head_start > 0
            self._something_waits = self._is_held_up or self._running >= self._workers
            if self._is_held_up:
                self._look_again_in(head_start)
            if self._something_waits:
                return None
        return self._find_run()

    def _find_run(self) -> Callable[[], None] | None:
        now, ended, key = self._context.now(), self._ended, ""
        try:
            with self._context.journal.read() as connection:
                upcoming = deliveries.next_wakes(connection, self._workers * 4)
                for index, (wake_key, due) in enumerate(upcoming):
                    if due > now:
                        self._look_again_in((due - now).total_seconds())
                        break
                    candidate = lock_key_in(connection, wake_key)
                    if not self._take(candidate):
                        continue
                    key = candidate
                    if self._ended == ended or self._is_still_due(wake_key, now):
                        if upcoming[index + 1 :]:
                            self._look_again_in((upcoming[index + 1][1] - now).total_seconds())
                        break
                    self._give_back(key)
                    key = ""
        except Exception:
            # A key that is held and not run would stand still until the next start.
            if key:
                self._give_back(key)
            raise
        return functools.partial(self._run, key) if key else None

    def _is_still_due(self, wake_key: str, now: datetime) -> bool:
        """A run that ended between the look and the taking of its key may have answered the wake."""
        with self._context.journal.read() as connection:
            return bool(deliveries.wakes_of(connection, [wake_key], now))

    def _give_back(self, key: str) -> None:
        self._holds.give_back(key)
        with self._changed:
            self._running -= 1
            self._news = self._news or self._something_waits

    def _take(self, key: str) -> bool:
        if not self._holds.take(key):
            with self._changed:
                self._something_waits = True
            # Its run may have ended just before that was written down.
            if not self._holds.take(key):
                return False
        with self._changed:
            self._running += 1
            self._begun_at = time.monotonic()
        return True

    def _run(self, key: str) -> None:
        started = time.perf_counter()
        result = None
        try:
            result = run_key(self._context, key)
        except Exception:
            # A fault of the hub or of a plugin in one ticket must not keep the others waiting.
            log.exception("a run broke off", key=key)
            self._put_off(key)
        finally:
            with self._changed:
                self._ended += 1
            self._holds.give_back(key)
            with self._changed:
                self._running -= 1
                if self._something_waits or result is None or result.due is not None:
                    self._news = True
                    self._changed.notify_all()
        if result is not None and self._on_run is not None:
            self._on_run(result, time.perf_counter() - started)

    def _put_off(self, key: str) -> None:
        """A run that broke off would be due again at once, and break off again."""
        try:
            run_broke_off(self._context, key)
        except Exception:
            # What broke the run off, a store that is away, may break this off too; the worker lives on.
            log.exception("could not put a broken run off", key=key)
            with self._changed:
                self._changed.wait(timeout=LOOK_AGAIN)

    # polling

    def _run_periodic(self, periodic: Periodic) -> None:
        try:
            periodic.run()
        except Exception:
            # A poll or a clean-up that fails is called again at its next time, and the worker lives on.
            log.exception("a periodic task broke off", task=periodic.name)
        finally:
            self._holds.give_back(f"poll:{periodic.name}")
            self.notify()
