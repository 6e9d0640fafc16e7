"""A hard spot of the design: a tracker's search may not know yet what was just created."""

from __future__ import annotations

from datetime import timedelta

from hub.connector import Created, TemporaryError
from hub.testing.world import World
from tests.sync.test_pains import open_failures


def test_a_look_up_that_finds_nothing_is_believed_only_after_the_trackers_lag() -> None:
    """The tracker took the create, but its answer was lost, and its search does not know the new ticket yet."""
    world = World()
    dev = world.connectors["dev"]
    dev.search_lag = timedelta(seconds=60)  # type: ignore[misc]  # a tracker with a lagging index
    found = dev.find_ticket
    known_from = world.clock.time + timedelta(days=1)

    def lose_the_answer(call: str) -> None:
        nonlocal known_from
        if call == "create":
            dev.after_call = lambda call: None
            known_from = world.clock.time + timedelta(seconds=50)
            raise TemporaryError("dev", call, "no answer in time")

    def find_what_the_index_knows(marker: str) -> Created | None:
        return found(marker) if world.clock.time >= known_from else None

    dev.after_call = lose_the_answer
    dev.find_ticket = find_what_the_index_knows  # type: ignore[method-assign]
    world.support.open_ticket(title="Broken", labels=frozenset({"escalate"}))
    world.deliver_all()
    for _ in range(60):
        world.run_due()
        world.clock.pass_by(2)
    world.settle()
    assert dev.calls.count("create") == 1
    assert len(world.dev.tickets) == 1
    assert open_failures(world) == []
