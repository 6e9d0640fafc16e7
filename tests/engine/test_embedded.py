"""The engine: what runs when, where and how often."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from hub.engine import EmbeddedEngine
from hub.journal import deliveries
from hub.sync.context import utc_now
from hub.testing.world import World

PATIENCE = 10.0


class Gates:
    """Runs of keys that stand until they are let go; stands in for the line, so that the engine alone is seen."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runs: list[str] = []
        self.running: set[str] = set()
        self.most = 0
        self.overlaps: list[str] = []
        self.open = threading.Event()
        self._lock = threading.Lock()
        monkeypatch.setattr("hub.engine.embedded.run_key", self.run)

    def run(self, context: object, key: str) -> None:
        with self._lock:
            if key in self.running:
                self.overlaps.append(key)
            self.runs.append(key)
            self.running.add(key)
            self.most = max(self.most, len(self.running))
        self.open.wait(PATIENCE)
        assert isinstance(context, type(WORLD[0].context))
        with context.journal.write() as connection:
            deliveries.settle_wakes(connection, deliveries.wakes_of(connection, [key], utc_now()))
        with self._lock:
            self.running.discard(key)

    def wait_for(self, number: int) -> None:
        waited = threading.Event()
        for _ in range(int(PATIENCE / 0.01)):
            if len(self.runs) >= number:
                return
            waited.wait(0.01)
        raise AssertionError(f"{len(self.runs)} of {number} runs began: {self.runs}")


WORLD: list[World] = []


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gates]:
    made = Gates(monkeypatch)
    yield made
    made.open.set()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(journal_url=f"sqlite:///{tmp_path}/hub.sqlite3")
    made.context.now = utc_now
    WORLD[:] = [made]
    yield made
    made.journal.close()


def test_waking_a_waiting_key_again_is_waking_it_once(world: World, gates: Gates) -> None:
    engine = EmbeddedEngine(world.context)
    for _ in range(5):
        engine.wake("support:1", utc_now(), "test")
    gates.open.set()
    engine.start()
    assert engine.wait_idle(PATIENCE)
    engine.stop(PATIENCE)
    assert gates.runs == ["support:1"]


def test_a_key_that_is_woken_while_it_runs_runs_again_and_never_beside_itself(world: World, gates: Gates) -> None:
    engine = EmbeddedEngine(world.context)
    engine.start()
    engine.wake("support:1", utc_now(), "test")
    gates.wait_for(1)
    with world.journal.write() as connection:
        taken = deliveries.wakes_of(connection, ["support:1"], utc_now())
    engine.wake("support:1", utc_now(), "again")
    with world.journal.write() as connection:
        deliveries.settle_wakes(connection, taken)
        left = deliveries.wakes_of(connection, ["support:1"], utc_now())
    assert [wake.reason for wake in left] == ["again"]
    gates.open.set()
    assert engine.wait_idle(PATIENCE)
    engine.stop(PATIENCE)
    assert gates.overlaps == []


def test_different_keys_run_side_by_side_up_to_the_number_of_workers(world: World, gates: Gates) -> None:
    engine = EmbeddedEngine(world.context)
    workers = world.settings.engine.workers
    for number in range(workers + 3):
        engine.wake(f"support:{number}", utc_now(), "test")
    engine.start()
    gates.wait_for(workers)
    assert (len(gates.runs), gates.most) == (workers, workers)
    gates.open.set()
    assert engine.wait_idle(PATIENCE)
    engine.stop(PATIENCE)
    assert len(gates.runs) == workers + 3
    assert gates.most == workers


def test_a_run_has_its_head_start_unless_it_ends_before(
    world: World, gates: Gates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.engine.embedded.HEAD_START", 2 * PATIENCE)
    engine = EmbeddedEngine(world.context)
    engine.start()
    for number in range(3):
        engine.wake(f"support:{number}", utc_now(), "test")
    gates.wait_for(1)
    assert not engine.wait_idle(0.3)
    assert gates.most == 1
    gates.open.set()
    assert engine.wait_idle(PATIENCE)
    engine.stop(PATIENCE)
    assert (len(gates.runs), gates.most) == (3, 1)


def test_a_store_that_fails_during_the_look_holds_no_key(
    world: World, gates: Gates, monkeypatch: pytest.MonkeyPatch
) -> None:
    gates.open.set()
    read, left = world.journal.read, [1]

    @contextmanager
    def failing() -> Iterator[Connection]:
        with read() as connection:
            yield connection
        if left[0] and world.context.holds.all():
            left[0] -= 1
            raise OperationalError("COMMIT", None, Exception("the disk went away"))

    monkeypatch.setattr(world.journal, "read", failing)
    engine = EmbeddedEngine(world.context)
    engine.start()
    engine.wake("support:1", utc_now(), "test")
    gates.wait_for(1)
    assert engine.wait_idle(PATIENCE)
    engine.stop(PATIENCE)
    assert (left, gates.runs) == ([0], ["support:1"])


def test_a_timed_wake_survives_a_restart_and_is_not_early(world: World, gates: Gates) -> None:
    gates.open.set()
    first = EmbeddedEngine(world.context)
    first.start()
    due = utc_now() + timedelta(seconds=1.5)
    first.wake("support:1", due, "a deadline")
    first.stop(PATIENCE)
    assert gates.runs == []
    second = EmbeddedEngine(world.context)
    second.start()
    gates.wait_for(1)
    assert utc_now() >= due
    second.stop(PATIENCE)


def test_stopping_waits_for_what_runs_and_begins_nothing_new(world: World, gates: Gates) -> None:
    engine = EmbeddedEngine(world.context)
    engine.start()
    engine.wake("support:1", utc_now(), "test")
    gates.wait_for(1)
    stopping = threading.Thread(target=engine.stop, args=(PATIENCE,))
    stopping.start()
    engine.wake("support:2", utc_now(), "too late")
    gates.open.set()
    stopping.join(PATIENCE)
    assert not stopping.is_alive()
    assert gates.runs == ["support:1"]
    with world.journal.read() as connection:
        assert deliveries.count_waiting(connection, utc_now()) == 1


def test_a_run_that_breaks_off_is_put_off_and_the_others_go_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[str] = []

    def run(context: object, key: str) -> None:
        runs.append(key)
        if key == "support:1":
            raise ZeroDivisionError("a mistake of the hub's")
        with world.journal.write() as connection:
            deliveries.settle_wakes(connection, deliveries.wakes_of(connection, [key], utc_now()))

    monkeypatch.setattr("hub.engine.embedded.run_key", run)
    engine = EmbeddedEngine(world.context)
    engine.wake("support:1", utc_now(), "test")
    engine.wake("support:2", utc_now(), "test")
    engine.start()
    assert engine.wait_idle(PATIENCE)
    engine.stop(PATIENCE)
    assert set(runs) == {"support:1", "support:2"}
    with world.journal.read() as connection:
        wake = deliveries.find_wake(connection, "support:1")
    assert wake is not None
    assert wake.attempts == 1
