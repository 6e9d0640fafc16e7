"""A hard spot of the design: the same person has another id in each tracker."""

from __future__ import annotations

from dataclasses import replace

from hub.connector import Changes, Known, Written
from hub.testing.world import World
from hub.ticket import Person, Snapshot
from tests.sync.test_pains import linked, open_failures


def assigned_in_dev(world: World, person: Person) -> None:
    """From now on the issues of `dev` show this assignee."""
    read = world.connectors["dev"].read

    def read_with_assignee(ticket_id: str, known: Known) -> Snapshot:
        found = read(ticket_id, known)
        return replace(found, ticket=replace(found.ticket, assignee=person))

    world.connectors["dev"].read = read_with_assignee  # type: ignore[method-assign]
    for issue_id in world.dev.tickets:
        world.dev.touch(issue_id, "person")


def assignees_written_to_support(world: World) -> list[object]:
    """What the hub will have assigned in `support`."""
    written: list[object] = []
    update = world.connectors["support"].update

    def note_assignee(ticket_id: str, changes: Changes, basis: Snapshot | None) -> Written:
        written.extend(value for name, value in changes.values.items() if name == "assignee")
        return update(ticket_id, changes, basis)

    world.connectors["support"].update = note_assignee  # type: ignore[method-assign]
    return written


def test_somebody_whom_nobody_can_place_is_named_in_the_failures_and_not_guessed() -> None:
    world = World(policy={"fields": {"assignee": "both"}})
    linked(world)
    written = assignees_written_to_support(world)
    assigned_in_dev(world, Person("e1", "An Engineer"))
    world.settle()
    assert written == []
    assert any("nobody in support is known as dev:e1" in f.why for f in open_failures(world))


def test_a_known_person_is_assigned_on_the_other_side() -> None:
    world = World(policy={"fields": {"assignee": "both"}})
    world.settings = world.settings.model_copy(update={"people": {"anna": {"support": "a1", "dev": "e1"}}})
    world.restart()
    linked(world)
    written = assignees_written_to_support(world)
    assigned_in_dev(world, Person("e1", "Anna"))
    world.deliver_all()
    world.run_due()
    assert written == ["a1"]
    assert open_failures(world) == []
