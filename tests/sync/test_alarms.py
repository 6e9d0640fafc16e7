"""People are told once of what is new on the failures list, and never of its retries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.connector import TemporaryError
from hub.journal import deliveries, failures
from hub.sync.outlets import Outlets
from hub.testing.model import Killed
from hub.testing.world import World
from tests.monitoring import Monitored, a_notification

NOTIFIERS = {name: {"url": "json://nowhere"} for name in ("oncall", "lead")}


def a_world(*to: str, **more: Any) -> World:
    return World(rules={"notifiers": NOTIFIERS, "failures": {"notify": list(to), **more}})


def fail(world: World, times: int = 1) -> None:
    """Tickets that are to be escalated, to a bug tracker that does not answer."""

    def down(call: str) -> None:
        raise TemporaryError("dev", call, "no answer")

    world.connectors["dev"].before_call = down
    for _ in range(times):
        world.support.open_ticket(title="It *broke*", labels=frozenset({"escalate"}))


def heal(world: World) -> None:
    world.connectors["dev"].before_call = lambda call: None


def pass_by(world: World, minutes: float) -> None:
    world.pass_until(world.clock.time + timedelta(minutes=minutes))


def open_failures(world: World) -> int:
    with world.journal.read() as connection:
        return len(failures.unresolved_failures(connection))


def test_a_new_failure_is_told_once_however_often_it_is_tried_again() -> None:
    world = a_world("oncall", "lead")
    fail(world)
    pass_by(world, 300)
    assert [to for to, _ in world.sent] == ["oncall", "lead"]
    text = world.sent[0][1]
    assert text.startswith("1 new on the failures list:")
    assert "no answer" in text
    assert "hub failures" in text


def test_many_failures_at_once_are_one_message_that_names_a_few() -> None:
    world = a_world("oncall")
    fail(world, 14)
    pass_by(world, 10)
    assert len(world.sent) == 1
    assert "14 new on the failures list" in world.sent[0][1]
    assert "and 4 more" in world.sent[0][1]


def test_what_fails_later_waits_for_the_agreed_time_and_is_told_together() -> None:
    world = a_world("oncall", every="1h")
    fail(world)
    pass_by(world, 10)
    for _ in range(3):
        fail(world)
        pass_by(world, 10)
    assert len(world.sent) == 1
    pass_by(world, 60)
    assert len(world.sent) == 2
    assert "3 new on the failures list" in world.sent[1][1]


def test_a_failure_that_was_over_and_came_back_is_new() -> None:
    world = a_world("oncall")
    fail(world)
    pass_by(world, 20)
    heal(world)
    pass_by(world, 20)
    assert open_failures(world) == 0
    world.support.edit("1", title="Changed")
    fail(world, 0)
    pass_by(world, 30)
    assert len(world.sent) == 2


def test_nobody_is_told_where_the_settings_name_nobody() -> None:
    world = a_world()
    fail(world)
    pass_by(world, 60)
    assert open_failures(world) == 1
    assert world.sent == []


def test_a_notifier_of_alarms_that_is_down_is_tried_again_and_raises_no_alarm_of_its_own() -> None:
    world = a_world("oncall", "lead")
    sent: list[str] = []
    is_down = [True]

    def oncall(title: str, text: str) -> None:
        if is_down[0]:
            raise TemporaryError("hub", "notify oncall", "down")
        sent.append(text)

    lead: list[str] = []
    world.context.outlets = Outlets({}, {}, {"oncall": oncall, "lead": lambda title, text: lead.append(text)})
    fail(world)
    pass_by(world, 60)
    assert (len(sent), len(lead)) == (0, 1)
    with world.journal.read() as connection:
        assert [f.why for f in failures.unresolved_failures(connection) if f.key == "hub:failures"] == [
            "notify oncall: down"
        ]
    is_down[0] = False
    pass_by(world, 60)
    assert (len(sent), len(lead)) == (1, 1)
    assert open_failures(world) == 1


def test_a_hub_that_died_while_it_told_does_not_tell_twice() -> None:
    world = a_world("oncall")
    told: list[str] = []

    def die(title: str, text: str) -> None:
        told.append(text)
        raise Killed

    world.context.outlets = Outlets({}, {}, {"oncall": die})
    fail(world)
    with pytest.raises(Killed):
        pass_by(world, 60)
    world.restart()
    pass_by(world, 60)
    assert (len(told), world.sent) == (1, [])
    with world.journal.read() as connection:
        assert deliveries.find_wake(connection, "hub:failures") is None


def test_an_incident_that_cannot_be_opened_is_told_as_well() -> None:
    source = {"kind": "alertmanager", "secret": "x", "tracker": "support"}
    hub = Monitored(source, rules={"notifiers": NOTIFIERS, "failures": {"notify": "oncall"}})

    def down(call: str) -> None:
        raise TemporaryError("support", call, "no answer")

    hub.world.connectors["support"].before_call = down
    hub.send(a_notification())
    hub.run(60)
    assert len(hub.world.sent) == 1
