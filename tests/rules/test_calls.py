"""Calls are the scarce resource: what the rules cost at a tracker, and what wakes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hub.connector import Hint, Polled
from hub.engine.polling import periodics, poll
from hub.testing.world import World
from tests.rules.worlds import LINES, Webhooks, a_world, case_of, texts

RULE = {
    "name": "outage",
    "when": {"title": "*outage*"},
    "then": {"set": {"priority": "urgent"}, "add_labels": ["outage"], "note": "Call them."},
}


def test_a_rule_on_a_ticket_in_no_link_costs_one_read_and_its_writes() -> None:
    world = a_world(rules=[RULE])
    webhooks = Webhooks(world)
    ticket_id = world.support.open_ticket(title="An outage")
    webhooks.deliver()
    assert texts(world, ticket_id) == ["Call them."]
    assert world.support.tickets[ticket_id].priority == "urgent"
    assert world.connectors["support"].calls == ["read", "update", "add_comment"]


def test_the_echo_of_what_a_rule_wrote_to_a_linked_ticket_is_not_read() -> None:
    world = a_world(rules=[{**RULE, "when": {"label": "down"}}])
    ticket_id = world.support.open_ticket(title="Crash", labels=frozenset({"escalate"}))
    world.settle()
    webhooks = Webhooks(world)
    calls = world.connectors["support"].calls
    calls.clear()
    world.support.edit(ticket_id, labels=frozenset({"escalate", "down"}))
    webhooks.deliver()
    assert "Call them." in texts(world, ticket_id)
    assert calls == ["read", "update", "add_comment"]


def test_what_the_sync_wrote_is_seen_by_rules_without_a_read_of_its_own() -> None:
    rule = {"name": "waiting", "when": {"status": "pending"}, "then": {"note": "Remind them."}}
    world = a_world(rules=[rule])
    ticket_id = world.support.open_ticket(title="Crash", labels=frozenset({"escalate"}))
    world.settle()
    webhooks = Webhooks(world)
    (issue_id,) = world.dev.tickets
    calls = world.connectors["support"].calls
    calls.clear()
    world.dev.edit(issue_id, status="pending")
    world.wake(f"dev:{issue_id}")
    world.run_due()
    webhooks.deliver()
    assert "Remind them." in texts(world, ticket_id)
    assert calls.count("read") == 1


def test_a_public_reply_of_a_macro_is_read_because_it_stops_clocks() -> None:
    agreements = {"gold": {"kind": "SLA", "targets": {"first_response": "1h"}}}
    world = a_world(agreements=agreements, macros={"hello": {"visibility": "public", "text": "Hello."}})
    webhooks = Webhooks(world)
    ticket_id = world.support.open_ticket(title="T", labels=frozenset({"macro:hello"}))
    webhooks.deliver()
    assert case_of(world, ticket_id).data["clocks"]["gold.first_response"]["state"] == "met"


def test_a_persons_change_right_after_the_hubs_write_is_read() -> None:
    world = a_world(rules=[RULE])
    webhooks = Webhooks(world)
    ticket_id = world.support.open_ticket(title="An outage")
    webhooks.deliver()
    world.support.edit(ticket_id, status="pending")
    webhooks.deliver()
    assert case_of(world, ticket_id).data["seen"]["status"] == "pending"


def test_a_wake_of_a_poll_is_not_hidden_by_an_echo() -> None:
    world = a_world(rules=[RULE])
    webhooks = Webhooks(world)
    ticket_id = world.support.open_ticket(title="An outage")
    world.wake(f"support:{ticket_id}")
    world.run_due()
    echoes, webhooks.waiting = webhooks.waiting, []
    world.support.edit(ticket_id, organisation="ACME")
    webhooks.waiting = echoes[-1:]
    world.wake(f"support:{ticket_id}")
    webhooks.deliver()
    assert case_of(world, ticket_id).data["seen"]["organisation"] == "ACME"


def test_comments_are_not_read_for_a_change_that_touches_none() -> None:
    world = a_world(rules=[RULE])
    webhooks = Webhooks(world)
    seen: list[bool] = []
    read = world.connectors["support"].read

    def counting(ticket_id: str, known: Any) -> Any:
        seen.append(known.must_read_comments)
        snapshot = read(ticket_id, known)
        return snapshot if known.must_read_comments else replace(snapshot, comments=None)

    world.connectors["support"].read = counting  # type: ignore[method-assign]
    ticket_id = world.support.open_ticket(title="T")
    webhooks.deliver()
    world.support.edit(ticket_id, status="pending")
    webhooks.deliver()
    world.support.say(ticket_id, "Hello")
    webhooks.deliver()
    assert seen == [True, False, True]


# -- polling -------------------------------------------------------------------------------------------------------


def test_a_helpdesk_in_no_link_is_polled_when_rules_look_after_it() -> None:
    world = World(
        helpdesks=("support", "partner"), rules={"lines": LINES, "rules": [RULE]}, policy={"tickets": ["support"]}
    )
    assert "partner" in {periodic.name for periodic in periodics(world.context)}
    poll(world.context, "partner")
    world.clock.pass_by(60)
    ticket_id = world.trackers["partner"].open_ticket(title="An outage")
    poll(world.context, "partner")
    world.run_due()
    assert texts(world, ticket_id, tracker="partner") == ["Call them."]


def test_a_poll_that_tells_what_the_rules_have_seen_wakes_nobody() -> None:
    world = World(rules={"rules": [RULE]})
    poll(world.context, "support")
    ticket_id = world.support.open_ticket(title="T")
    world.clock.pass_by(60)
    world.deliver_all()
    world.run_due()
    assert poll(world.context, "support") == 0
    world.support.edit(ticket_id, title="U")
    assert poll(world.context, "support") == 1


def test_a_second_change_within_the_stamp_of_the_first_is_not_missed() -> None:
    world = World(rules={"rules": [RULE]})
    ticket_id = world.support.open_ticket(title="T")
    stamp = world.clock.time + timedelta(seconds=4)
    world.support.tickets[ticket_id].updated = stamp
    world.deliver_all()
    world.run_due()
    assert case_of(world, ticket_id).data["seen"]["status"] == "open"
    world.support.edit(ticket_id, title="An outage")
    world.support.tickets[ticket_id].updated = stamp
    world.pending.clear()
    world.clock.pass_by(60)
    connector = world.connectors["support"]
    connector.poll = lambda cursor, now: Polled((Hint(ticket_id=ticket_id, event="poll", at=stamp),), "c")  # type: ignore[method-assign]
    poll(world.context, "support")
    world.run_due()
    assert texts(world, ticket_id) == ["Call them."]
