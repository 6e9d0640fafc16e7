"""The embedded engine: one dispatcher and a pool of worker threads over the wakes in the store.

Wakes live in the database and nowhere else, so a restart forgets none, timed ones included. A key runs in one place
at a time; different keys run side by side. While nothing is due the dispatcher sleeps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from hub.journal import deliveries
from hub.sync.context import Context
from hub.sync.keys import lock_key_in
from hub.sync.run import Result, run_broke_off, run_key, wake_unfinished

log = structlog.get_logger("hub.engine")

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
    """The engine for one process. `periodics` (polling) run on the same pool."""

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
        self._pool: ThreadPoolExecutor | None = None
        self._dispatcher: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        return self._dispatcher is not None and self._dispatcher.is_alive()

    def start(self) -> None:
        wake_unfinished(self._context)
        self._pool = ThreadPoolExecutor(self._workers + (1 if self._periodics else 0), thread_name_prefix="hub-worker")
        self._dispatcher = threading.Thread(target=self._dispatch, name="hub-dispatcher", daemon=True)
        self._dispatcher.start()

    def wake(self, key: str, due: datetime, reason: str) -> None:
        with self._context.journal.write() as connection:
            deliveries.wake(connection, key, due, reason)
        self.notify()

    def notify(self) -> None:
        with self._changed:
            self._news = True
            self._changed.notify_all()

    def stop(self, drain: float) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        deadline = time.monotonic() + drain
        if self._dispatcher is not None:
            self._dispatcher.join(timeout=drain)
        with self._changed:
            while self._holds.all() and time.monotonic() < deadline:
                self._changed.wait(timeout=max(0.0, deadline - time.monotonic()))
            left = self._holds.all()
        if left:
            log.warning("stopped before the work was done; it goes on after the next start", keys=left)
        if self._pool is not None:
            self._pool.shutdown(wait=not left, cancel_futures=True)

    def counts(self) -> dict[str, int]:
        with self._context.journal.read() as connection:
            waiting = deliveries.count_waiting(connection)
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

    # the dispatcher's thread

    def _dispatch(self) -> None:
        while not self._is_stopping():
            try:
                self._start_periodics()
                pause = self._start_due()
            except Exception:
                log.exception("the engine could not look for work; it looks again")
                pause = LOOK_AGAIN
            with self._changed:
                if not self._news and not self._stopping:
                    self._changed.wait(timeout=pause)
                self._news = False

    def _is_stopping(self) -> bool:
        with self._changed:
            return self._stopping

    def _start_due(self) -> float:
        """Starts what is due and may run now; returns after how many seconds to look again."""
        now = self._context.now()
        with self._context.journal.read() as connection:
            for wake_key, due in deliveries.next_wakes(connection, self._workers * 4):
                if due > now:
                    return min(LOOK_AGAIN, (due - now).total_seconds())
                if len(self._holds.all()) >= self._workers:
                    break
                key = lock_key_in(connection, wake_key)
                if self._holds.take(key):
                    self._submit(key)
        return LOOK_AGAIN

    def _submit(self, key: str) -> None:
        assert self._pool is not None
        self._pool.submit(self._run, key)

    def _run(self, key: str) -> None:
        started = time.perf_counter()
        result = None
        try:
            result = run_key(self._context, key)
        except Exception:
            log.exception("a run broke off", key=key)
            self._put_off(key)
        finally:
            self._holds.give_back(key)
            self.notify()
        if result is not None and self._on_run is not None:
            self._on_run(result, time.perf_counter() - started)

    def _put_off(self, key: str) -> None:
        """A run that broke off would be due again at once, and break off again."""
        try:
            run_broke_off(self._context, key)
        except Exception:
            log.exception("could not put a broken run off", key=key)
            with self._changed:
                self._changed.wait(timeout=LOOK_AGAIN)

    # polling

    def _start_periodics(self) -> None:
        assert self._pool is not None
        for name, periodic in self._periodics.items():
            key = f"poll:{name}"
            if time.monotonic() < self._next_time[name] or not self._holds.take(key):
                continue
            self._next_time[name] = time.monotonic() + periodic.every
            self._pool.submit(self._run_periodic, key, periodic)

    def _run_periodic(self, key: str, periodic: Periodic) -> None:
        try:
            periodic.run()
        except Exception:
            log.exception("a periodic task broke off", task=periodic.name)
        finally:
            self._holds.give_back(key)
            self.notify()
