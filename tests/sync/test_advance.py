"""What the hub knows after a run."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.connector import Known
from hub.journal import links
from hub.sync.codec import load_shadow
from hub.testing.world import World
from hub.ticket import Snapshot, TicketRef


@pytest.mark.parametrize(("age", "is_kept"), [(0.0, False), (1.9, False), (2.0, True), (600.0, True)])
def test_a_change_that_may_be_followed_by_one_of_the_same_second_is_looked_at_again(age: float, is_kept: bool) -> None:
    world = World()
    ticket = world.support.open_ticket(title="A", labels=frozenset({"escalate"}))
    connector = world.connectors["support"]
    read = connector.read

    def read_at_this_age(ticket_id: str, known: Known) -> Snapshot:
        snapshot = read(ticket_id, known)
        assert snapshot.ticket.updated is not None
        return replace(snapshot, read_at=snapshot.ticket.updated + timedelta(seconds=age))

    connector.read = read_at_this_age  # type: ignore[method-assign]  # a tracker that answers at this time
    world.settle()
    with world.journal.read() as connection:
        shadow = links.shadow_of(connection, TicketRef("support", ticket))
    assert shadow is not None
    assert (load_shadow(shadow).updated is not None) is is_kept
