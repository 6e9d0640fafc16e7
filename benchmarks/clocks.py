"""What a tick costs with many open clocks: in proportion to what is due, not to what is open.

`python -m benchmarks.clocks` fills stores with 1 000, 10 000 and 100 000 open tickets under an agreement, lets the same
few come due in each, and prints what looking and doing cost.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hub.journal import cases, deliveries
from hub.journal.cases import CaseRow
from hub.logs import configure_logs
from hub.sync.keys import lock_key
from hub.sync.run import run_key
from hub.testing.world import World
from hub.ticket import TicketRef

RULES = {
    "agreements": {
        "gold": {"kind": "SLA", "targets": {"resolution": "4h"}, "warnings": {50: {"note": "Half is gone."}}}
    }
}
DUE = 50
LOOKS = 200
BATCH = 5000


def fill(world: World, number: int) -> None:
    """Open tickets of which all but DUE are due in a year."""
    first = world.support.open_ticket(title="One of many")
    world.settle()
    with world.journal.read() as connection:
        pattern = cases.case_of(connection, TicketRef("support", first))
    assert pattern is not None
    later = world.clock() + timedelta(days=365)
    for start in range(0, number, BATCH):
        with world.journal.write() as connection:
            for index in range(start, min(start + BATCH, number)):
                ref = TicketRef("support", f"x{index}")
                row: CaseRow = replace(pattern, ref=ref, key=f"#x{index}", next_at=later)
                cases.save_case(connection, row)
                deliveries.wake(connection, str(ref), later, "clock")


def measure(number: int) -> tuple[float, float]:
    """Milliseconds of a look with nothing due, and of one due ticket from the look to the record of its warning."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(rules=RULES, journal_url=f"sqlite:///{Path(folder) / 'hub.sqlite3'}")
        fill(world, number)
        for _ in range(DUE):
            world.support.open_ticket(title="Due soon")
        world.deliver_all()
        world.run_due()
        started = time.perf_counter()
        for _ in range(LOOKS):
            with world.journal.read() as connection:
                deliveries.next_wakes(connection, 16)
        look = (time.perf_counter() - started) / LOOKS
        world.clock.pass_by(2 * 3600 + 60)
        done = 0
        started = time.perf_counter()
        while True:
            with world.journal.read() as connection:
                due = [key for key, at in deliveries.next_wakes(connection, 16) if at <= world.clock.time]
            if not due:
                break
            for key in due:
                run_key(world.context, lock_key(world.context, key))
                done += 1
        each = (time.perf_counter() - started) / max(done, 1)
        world.journal.close()
        return look * 1000, each * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--open", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    options = parser.parse_args()
    configure_logs("error", "text")
    print(f"{'open clocks':>12}  {'a look, nothing due':>20}  {'a due clock, look to record':>28}")
    for number in options.open:
        look, each = measure(number)
        print(f"{number:>12}  {look:>17.3f} ms  {each:>25.2f} ms")


if __name__ == "__main__":
    main()
