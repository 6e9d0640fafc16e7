"""TeamViewer as an action of rules: invited in public, supported in private, closed with the ticket, reported once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.engine.reporting import collect_reports
from hub.testing.world import World
from hub.ticket import Person, Visibility
from plugins.teamviewer.sandbox import TeamviewerSandbox
from tests.plugins.clock import Clock
from tests.plugins.teamviewer.conftest import connect

RULES = [
    {"name": "show me", "when": {"label": "remote"}, "then": {"run": {"action": "remote.create_session"}}},
    {"name": "over", "when": {"status": "solved"}, "then": {"run": {"action": "remote.close_session"}}},
]


@pytest.fixture
def world(site: TeamviewerSandbox, clock: Clock) -> Iterator[World]:
    made = World(rules={"rules": RULES})
    made.clock.time = clock.now
    connector = connect(site)
    made.connectors["remote"] = connector  # type: ignore[assignment]  # a connector of another kind beside the models
    yield made
    connector.close()


def texts(world: World, ticket_id: str, visibility: Visibility) -> list[str]:
    return [c.text for c in world.support.tickets[ticket_id].comments if c.visibility is visibility]


def test_a_session_is_opened_for_a_ticket_reported_once_and_closed_with_it(
    world: World, site: TeamviewerSandbox, clock: Clock
) -> None:
    customer = Person("c1", "Customer One", "customer@example.com")
    ticket_id = world.support.open_ticket(title="VPN", labels=frozenset({"remote"}), requester=customer)
    world.settle()
    (invitation,) = texts(world, ticket_id, Visibility.PUBLIC)
    (note,) = texts(world, ticket_id, Visibility.PRIVATE)
    (meeting,) = site.store.meetings.values()
    assert meeting.code in invitation.replace("\\", "")
    assert "whoever has this link can join" in note
    assert "supporter" not in invitation

    collect_reports(world.context, "remote")
    connection = site.connect(meeting.code)
    clock.forward(minutes=12)
    site.end(connection, "Reinstalled the client")
    for _ in range(2):
        collect_reports(world.context, "remote")
        world.settle()
    told = [t for t in texts(world, ticket_id, Visibility.PRIVATE) if "Remote support" in t]
    assert len(told) == 1
    assert "Reinstalled the client" in told[0]

    world.support.edit(ticket_id, status="solved")
    world.settle()
    assert meeting.state.casefold() == "closed"
    assert len(texts(world, ticket_id, Visibility.PUBLIC)) == 1
