"""Hard spots of looking after tickets: what is deleted, out of sight, late, refused, away, taken back or restarted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.connector import Changes, TemporaryError
from hub.journal import deliveries, events, failures
from hub.rules.case import load_case
from hub.sync.linking import join, leave
from hub.sync.loading import NO_LINK
from hub.testing.world import World
from hub.ticket import Person, TicketRef, Visibility
from tests.rules.worlds import LINES, SLA, a_world, case_of, fired, orders_of, texts, waiting_failures


def strike(world: World, name: str, *calls: str) -> None:
    """From now on these calls to a tracker get no answer."""

    def away(call: str) -> None:
        if not calls or call in calls:
            raise TemporaryError(name, call, "no connection")

    world.connectors[name].before_call = away


def heal(world: World, name: str) -> None:
    world.connectors[name].before_call = lambda call: None


def reads(world: World, name: str = "support") -> int:
    return world.connectors[name].calls.count("read")


# -- tickets that go away ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [frozenset(), frozenset({"escalate"})])
def test_a_deleted_ticket_is_looked_at_once_and_never_again(labels: frozenset[str]) -> None:
    world = a_world(**SLA)
    ticket_id = world.support.open_ticket(title="Late", labels=labels)
    opened = world.support.tickets[ticket_id].created
    world.pass_until(opened + timedelta(minutes=30))
    world.support.tickets[ticket_id].is_deleted = True
    world.pass_until(opened + timedelta(hours=3))
    before = reads(world)
    world.pass_until(opened + timedelta(days=30))
    assert reads(world) - before <= 1
    assert world.sent == []


def test_what_was_ordered_for_a_deleted_ticket_is_dropped_with_the_reason() -> None:
    world = a_world(rules=[{"name": "greet", "when": {"title": "*"}, "then": {"note": "Hello."}}])
    strike(world, "support", "add_comment")
    ticket_id = world.support.open_ticket(title="Hi")
    world.settle()
    world.support.tickets[ticket_id].is_deleted = True
    heal(world, "support")
    world.settle()
    ((_, state, outcome),) = [o for o in orders_of(world, ticket_id) if o[0].kind == "text"]
    assert (state, outcome) == ("dropped", "the ticket is gone")


def test_a_ticket_that_comes_back_into_sight_is_looked_after_again() -> None:
    world = a_world(**SLA)
    ticket_id = world.support.open_ticket(title="Late")
    opened = world.support.tickets[ticket_id].created
    world.pass_until(opened + timedelta(minutes=30))
    world.support.tickets[ticket_id].is_deleted = True
    world.pass_until(opened + timedelta(hours=1))
    world.wake(f"support:{ticket_id}")
    world.run_due()
    world.support.tickets[ticket_id].is_deleted = False
    world.support.edit(ticket_id, title="Back")
    world.pass_until(opened + timedelta(hours=2, minutes=1))
    assert texts(world, ticket_id) == ["Half of the time is used up."]


# -- trackers that are away ----------------------------------------------------------------------------------------


def test_a_bug_tracker_that_is_away_does_not_keep_a_deadline_from_being_told() -> None:
    world = a_world(**SLA)
    ticket_id = world.support.open_ticket(title="Late", labels=frozenset({"escalate"}))
    opened = world.support.tickets[ticket_id].created
    world.pass_until(opened + timedelta(minutes=30))
    strike(world, "dev")
    world.support.edit(ticket_id, priority="high")
    world.support.say(ticket_id, "Anybody there?")
    world.pass_until(opened + timedelta(hours=2, minutes=10))
    assert "Half of the time is used up." in texts(world, ticket_id)
    world.pass_until(opened + timedelta(hours=4, minutes=10))
    assert len(world.sent) == 1
    heal(world, "dev")
    world.settle()
    (issue,) = world.dev.tickets.values()
    (comment,) = [c for c in issue.comments if c.visibility.is_public]
    assert "Anybody there?" in comment.text
    assert issue.priority == world.support.tickets[ticket_id].priority
    assert len(world.sent) == 1


def test_a_helpdesk_that_is_away_over_the_deadlines_is_caught_up_with_in_order() -> None:
    world = a_world(**SLA)
    ticket_id = world.support.open_ticket(title="Late")
    opened = world.support.tickets[ticket_id].created
    world.pass_until(opened + timedelta(minutes=30))
    strike(world, "support")
    world.pass_until(opened + timedelta(hours=6))
    heal(world, "support")
    world.settle()
    world.settle()
    assert fired(world, ticket_id) == ["clock gold.resolution 50 %", "clock gold.resolution 100 %"]
    assert texts(world, ticket_id) == ["Half of the time is used up."]
    assert len(world.sent) == 1


def test_a_notifier_that_takes_no_message_stops_nothing_else_and_is_listed() -> None:
    rule = {
        "name": "tell",
        "when": {"title": "*"},
        "then": {"notify": [{"to": "oncall", "text": "first"}], "note": "A note."},
    }
    world = a_world(rules=[rule], notifiers={"oncall": {"url": "json://nowhere"}})

    def refuse(title: str, text: str) -> None:
        raise TemporaryError("hub", "notify oncall", "the message was not taken")

    sender = world.context.outlets._senders["oncall"]
    world.context.outlets._senders["oncall"] = refuse
    ticket_id = world.support.open_ticket(title="Hi")
    world.settle()
    assert texts(world, ticket_id) == ["A note."]
    (failure,) = waiting_failures(world)
    assert "was not taken" in failure.why
    world.context.outlets._senders["oncall"] = sender
    with world.journal.write() as connection:
        failures.ask_for_retry(connection, failure.id)
    world.wake(f"support:{ticket_id}")
    world.settle()
    assert world.sent == [("oncall", "first")]
    assert not waiting_failures(world)


# -- links that change ---------------------------------------------------------------------------------------------


def test_a_ticket_whose_link_is_not_in_the_settings_any_more_keeps_its_clocks() -> None:
    world = a_world(**SLA)
    ticket_id = world.support.open_ticket(title="Late", labels=frozenset({"escalate"}))
    opened = world.support.tickets[ticket_id].created
    world.pass_until(opened + timedelta(minutes=30))
    world.settings = World(rules={"lines": LINES, **SLA}, policy={"name": "another"}).settings
    world.restart()
    world.support.edit(ticket_id, title="Still late")
    world.pass_until(opened + timedelta(hours=2, minutes=1))
    assert "Half of the time is used up." in texts(world, ticket_id)


def test_what_was_ordered_is_done_after_the_ticket_left_its_link() -> None:
    world = a_world(rules=[{"name": "greet", "when": {"label": "hello"}, "then": {"note": "Hello."}}])
    ticket_id = world.support.open_ticket(title="Hi", labels=frozenset({"escalate"}))
    world.settle()
    strike(world, "support", "add_comment")
    world.support.edit(ticket_id, labels=frozenset({"escalate", "hello"}))
    world.deliver_all()
    world.run_due()
    heal(world, "support")
    leave(world.context, f"support:{ticket_id}")
    world.settle()
    assert "Hello." in texts(world, ticket_id)


def test_a_ticket_that_moves_to_another_link_keeps_its_case_and_its_texts() -> None:
    world = a_world(rules=[{"name": "greet", "when": {"linked": True}, "then": {"note": "Linked."}}], **SLA)
    ticket_id = world.support.open_ticket(title="Hi", labels=frozenset({"escalate"}))
    other = world.dev.open_ticket(title="Another issue")
    world.settle()
    leave(world.context, f"support:{ticket_id}")
    join(world.context, f"support:{ticket_id}", f"dev:{other}")
    world.settle()
    world.settle()
    assert texts(world, ticket_id).count("Linked.") == 1
    assert len(world.dev.tickets) == 2


def test_a_ticket_that_joins_a_similar_one_by_itself_is_brought_in_step() -> None:
    world = a_world(rules=[{"name": "bug", "when": {"label": "bug"}, "then": {"line": 3}}], similar={"mode": "link"})
    world.support.open_ticket(title="Export crashes", labels=frozenset({"bug"}))
    world.settle()
    second = world.support.open_ticket(title="Export crashes", labels=frozenset({"bug"}))
    world.deliver_all()
    world.run_due()
    (issue,) = world.dev.tickets.values()
    assert len(issue.links) == 2
    assert world.support.tickets[second].links


def test_an_offer_is_written_in_the_run_that_makes_it_and_told_once() -> None:
    world = a_world(rules=[{"name": "bug", "when": {"label": "bug"}, "then": {"line": 3}}])
    world.support.open_ticket(title="Export crashes", labels=frozenset({"bug"}))
    world.settle()
    second = world.support.open_ticket(title="Export crashes", labels=frozenset({"bug"}))
    world.wake(f"support:{second}")
    world.run_due()
    assert len([t for t in texts(world, second) if "looks like" in t]) == 1
    for _ in range(3):
        world.support.say(second, "Anything new?")
        world.settle()
    with world.journal.read() as connection:
        timeline = events.timeline(connection, TicketRef("support", second), [])
    assert [entry.what for entry in timeline].count("similar") == 1


def test_an_issue_that_nothing_in_the_settings_can_make_is_dropped_with_the_reason() -> None:
    world = a_world(rules=[{"name": "bug", "when": {"label": "bug"}, "then": {"line": 3}}], similar={"mode": "off"})
    strike(world, "support", "update")
    ticket_id = world.support.open_ticket(title="Crash", labels=frozenset({"bug"}))
    world.deliver_all()
    world.run_due()
    heal(world, "support")
    policy = {"name": "another", "when": None}
    world.settings = World(rules={"lines": {1: {"name": "First"}, 3: {"name": "Third"}}}, policy=policy).settings
    world.restart()
    world.settle()
    ((_, state, outcome),) = [o for o in orders_of(world, ticket_id) if o[0].kind == "issue"]
    assert state == "dropped"
    assert "support-dev" in outcome


def test_a_failure_of_a_ticket_is_settled_after_it_joined_a_link() -> None:
    rule = {"name": "both", "when": {"title": "*"}, "then": {"set": {"custom:area": "x"}}}
    world = a_world(rules=[rule])
    world.support.refuses = {"custom:area": "no such field"}
    ticket_id = world.support.open_ticket(title="T")
    world.settle()
    (failure,) = waiting_failures(world)
    world.support.edit(ticket_id, labels=frozenset({"escalate"}))
    world.settle()
    assert len(waiting_failures(world)) == 1
    world.support.refuses = {}
    with world.journal.write() as connection:
        failures.ask_for_retry(connection, failure.id)
    world.wake(f"support:{ticket_id}")
    world.settle()
    assert world.support.tickets[ticket_id].custom["area"] == "x"
    assert not waiting_failures(world)


def test_every_write_before_an_escalation_has_its_receipt() -> None:
    rule = {"name": "bug", "when": {"label": "bug"}, "then": {"line": 3, "set": {"priority": "high"}}}
    world = a_world(rules=[rule], similar={"mode": "off"})
    ticket_id = world.support.open_ticket(title="Crash", labels=frozenset({"bug"}))
    world.settle()
    with world.journal.read() as connection:
        timeline = events.timeline(connection, TicketRef("support", ticket_id), [NO_LINK])
    writes = [e.data for e in timeline if e.what == "intent"]
    assert writes
    assert [w["state"] for w in writes if w["kind"] == "ChangeTicket"] == ["done"]


# -- people between ------------------------------------------------------------------------------------------------


def between_read_and_write(world: World, act: Any) -> None:
    """Somebody does something after the hub's next read of the helpdesk, before it writes."""
    left = [1]

    def person(call: str) -> None:
        if call == "update" and left[0]:
            left[0] = 0
            act()

    world.connectors["support"].before_call = person


def test_an_order_that_met_a_persons_edit_is_done_in_the_same_run() -> None:
    world = a_world(rules=[{"name": "up", "when": {"title": "*"}, "then": {"set": {"priority": "high"}}}])
    ticket_id = world.support.open_ticket(title="T")
    world.wake(f"support:{ticket_id}")
    between_read_and_write(world, lambda: world.support.edit(ticket_id, description="More"))
    world.pending.clear()
    world.run_due()
    assert world.support.tickets[ticket_id].priority == "high"


def test_a_ticket_that_somebody_takes_meanwhile_is_not_taken_away() -> None:
    lines = {1: {"name": "First", "people": ["ada"], "assign": True}}
    world = World(rules={"lines": lines, "people": {"ada": {"support": "10"}}})
    ticket_id = world.support.open_ticket(title="T")
    world.wake(f"support:{ticket_id}")
    between_read_and_write(world, lambda: world.support.edit(ticket_id, assignee=Person("99", "Somebody")))
    world.settle()
    assert world.support.tickets[ticket_id].assignee == Person("99", "Somebody")


def test_a_person_who_is_not_known_in_the_tracker_yet_is_assigned_on_a_retry() -> None:
    rule = {"name": "ada", "when": {"title": "*"}, "then": {"set": {"assignee": "ada", "priority": "high"}}}
    world = a_world(rules=[rule], people={"ada": {"dev": "1"}})
    ticket_id = world.support.open_ticket(title="T")
    world.settle()
    assert world.support.tickets[ticket_id].priority == "high"
    (failure,) = waiting_failures(world)
    assert "add the account under people" in failure.why
    world.settings = World(rules={"lines": LINES, "rules": [rule], "people": {"ada": {"support": "10"}}}).settings
    world.restart()
    with world.journal.write() as connection:
        failures.ask_for_retry(connection, failure.id)
    world.wake(f"support:{ticket_id}")
    world.settle()
    assert world.support.tickets[ticket_id].assignee == Person("10")
    assert not waiting_failures(world)


# -- once ----------------------------------------------------------------------------------------------------------

HELLO = {"hello": {"visibility": "public", "text": "Hello."}}


def test_a_macro_runs_once_though_its_label_cannot_be_taken_off_for_a_while() -> None:
    world = a_world(macros=HELLO)
    strike(world, "support", "update")
    ticket_id = world.support.open_ticket(labels=frozenset({"macro:hello"}))
    world.settle()
    world.support.say(ticket_id, "Well?")
    world.settle()
    heal(world, "support")
    world.settle()
    world.settle()
    assert texts(world, ticket_id).count("Hello.") == 1
    assert "macro:hello" not in world.support.tickets[ticket_id].labels
    world.support.edit(ticket_id, labels=frozenset({"macro:hello"}))
    world.settle()
    assert texts(world, ticket_id).count("Hello.") == 2


def test_a_macro_runs_once_though_the_tracker_refuses_to_take_its_label_off() -> None:
    world = a_world(macros=HELLO)
    refusing = world.connectors["support"]
    update = refusing.update

    def refuse(ticket_id: str, changes: Changes, basis: Any) -> Any:
        from hub.connector import RefusedError

        if changes.remove_labels:
            raise RefusedError("support", "update", {"labels": "tags are locked"})
        return update(ticket_id, changes, basis)

    refusing.update = refuse  # type: ignore[method-assign]
    ticket_id = world.support.open_ticket(labels=frozenset({"macro:hello"}))
    world.settle()
    for _ in range(3):
        world.support.say(ticket_id, "Well?")
        world.settle()
    assert texts(world, ticket_id).count("Hello.") == 1
    assert any("tags are locked" in failure.why for failure in waiting_failures(world))


def test_a_rule_that_was_taken_out_and_put_back_does_not_fire_twice_nor_fires_without_doing() -> None:
    rule = {"name": "waiting", "when": {"status": "pending"}, "then": {"note": "Remind them."}}
    world = a_world(rules=[rule])
    ticket_id = world.support.open_ticket(status="pending")
    world.settle()
    with_rule, without = world.settings, a_world(rules=[{**rule, "name": "another", "when": {"label": "x"}}]).settings
    world.settings = without
    world.restart()
    world.support.edit(ticket_id, title="x")
    world.settle()
    world.settings = with_rule
    world.restart()
    world.support.edit(ticket_id, title="y")
    world.settle()
    assert texts(world, ticket_id) == ["Remind them."]
    world.support.edit(ticket_id, status="open")
    world.settle()
    world.support.edit(ticket_id, status="pending")
    world.settle()
    assert texts(world, ticket_id) == ["Remind them.", "Remind them."]
    assert fired(world, ticket_id) == ["waiting", "waiting"]


def test_the_hubs_own_late_work_is_no_news_to_rules() -> None:
    rules = [
        {"name": "up", "when": {"label": "vip"}, "then": {"set": {"priority": "urgent"}}},
        {"name": "told", "when": {"changed": {"priority": {}}}, "then": {"note": "The priority changed."}},
    ]
    world = a_world(rules=rules)
    strike(world, "support", "update")
    ticket_id = world.support.open_ticket(title="T", labels=frozenset({"vip"}))
    world.settle()
    heal(world, "support")
    world.settle()
    assert world.support.tickets[ticket_id].priority == "urgent"
    assert texts(world, ticket_id) == []


def test_a_comment_older_than_its_ticket_is_news_only_once() -> None:
    rule = {"name": "answer", "when": {"replied": "customer"}, "then": {"note": "They wrote."}}
    world = a_world(rules=[rule])
    requester = Person("c", "Customer", "c@example.com", is_staff=False)
    ticket_id = world.support.open_ticket(title="T", requester=requester)
    opened = world.support.tickets[ticket_id].created
    world.support.say(ticket_id, "It is broken", author=requester)
    world.support.tickets[ticket_id].created = opened + timedelta(minutes=5)
    world.clock.pass_by(600)
    world.settle()
    world.support.edit(ticket_id, title="U")
    world.settle()
    world.support.say(ticket_id, "Still broken", author=requester)
    world.settle()
    assert texts(world, ticket_id).count("They wrote.") == 2


def test_a_customer_cannot_run_a_macro() -> None:
    world = a_world(macros=HELLO)
    requester = Person("c", "Customer", "c@example.com", is_staff=False)
    ticket_id = world.support.open_ticket(title="T", requester=requester)
    world.support.say(ticket_id, "/macro hello", Visibility.UNKNOWN, author=requester)
    world.settle()
    assert texts(world, ticket_id, Visibility.PUBLIC) == []


# -- what follows from the hub's own work ---------------------------------------------------------------------------


def test_a_deadline_that_a_rule_moved_into_the_past_is_acted_on_with_no_webhook() -> None:
    rule = {"name": "up", "when": {"age": "3h"}, "then": {"set": {"priority": "urgent"}}}
    world = a_world(rules=[rule], **SLA)
    ticket_id = world.support.open_ticket(title="Late")
    opened = world.support.tickets[ticket_id].created
    world.pass_until(opened + timedelta(minutes=1))
    world.support.on_change = lambda ticket_id, actor: None
    world.pass_until(opened + timedelta(hours=3, minutes=1))
    assert world.support.tickets[ticket_id].priority == "urgent"
    assert len(world.sent) == 1


def test_a_rule_that_follows_from_a_later_one_fires_with_no_webhook() -> None:
    rules = [
        {"name": "second", "when": {"label": "outage"}, "then": {"note": "Call them."}},
        {"name": "first", "when": {"title": "*outage*"}, "then": {"add_labels": ["outage"]}},
    ]
    world = a_world(rules=rules)
    ticket_id = world.support.open_ticket(title="An outage")
    world.wake(f"support:{ticket_id}")
    world.pending.clear()
    world.support.on_change = lambda ticket_id, actor: None
    world.run_due()
    world.clock.pass_by(5)
    world.run_due()
    assert texts(world, ticket_id) == ["Call them."]


def test_a_clock_that_is_not_the_tickets_any_more_leaves_the_fields() -> None:
    agreements = {
        "gold": {
            "kind": "SLA", "when": {"label": "gold"}, "targets": {"resolution": "4h"},
            "show": [{"target": "resolution", "due": "due", "state": "sla"}],
        }
    }  # fmt: skip
    world = a_world(agreements=agreements)
    ticket_id = world.support.open_ticket(title="T", labels=frozenset({"gold"}))
    world.settle()
    assert world.support.tickets[ticket_id].custom["sla"] == "running"
    world.support.edit(ticket_id, labels=frozenset())
    world.settle()
    custom = world.support.tickets[ticket_id].custom
    assert (custom["sla"], custom["due"]) == (None, None)


# -- clocks that differ --------------------------------------------------------------------------------------------


def test_an_answer_counts_at_once_though_the_trackers_clock_is_ahead() -> None:
    agreements = {
        "gold": {"kind": "SLA", "targets": {"first_response": "30m"}, "on_breach": {"note": "Nobody answered."}}
    }
    world = a_world(agreements=agreements)
    ticket_id = world.support.open_ticket(title="T")
    opened = world.support.tickets[ticket_id].created
    world.pass_until(opened + timedelta(minutes=26))
    now = world.support.now
    world.support.now = lambda: now() + timedelta(minutes=3)
    world.support.say(ticket_id, "We look at it", author=Person("a", "Agent", is_staff=True))
    world.pass_until(opened + timedelta(minutes=26, seconds=30))
    assert case_of(world, ticket_id).data["clocks"]["gold.first_response"]["state"] == "met"
    world.pass_until(opened + timedelta(hours=3))
    assert "Nobody answered." not in texts(world, ticket_id)


def test_deadlines_of_before_the_hub_had_rules_are_not_acted_on() -> None:
    world = a_world(**SLA)
    ticket_id = world.support.open_ticket(title="Old")
    world.support.tickets[ticket_id].created = world.clock.time - timedelta(days=400)
    world.settle()
    assert (texts(world, ticket_id), world.sent) == ([], [])
    assert case_of(world, ticket_id).data["clocks"]["gold.resolution"]["state"] == "breached"


# -- wakes ---------------------------------------------------------------------------------------------------------


def test_wakes_that_are_not_due_are_no_waiting_work() -> None:
    world = a_world(**SLA)
    world.support.open_ticket(title="Late")
    world.settle()
    with world.journal.read() as connection:
        assert deliveries.count_waiting(connection, world.clock()) == 0
        assert deliveries.next_wakes(connection, 1)


def test_a_long_life_is_kept_small() -> None:
    agreements = {
        "gold": {"kind": "SLA", "targets": {"next_response": "1h"}, "warnings": {50: {"add_labels": ["slow"]}}}
    }
    world = a_world(agreements=agreements)
    requester = Person("c", "Customer", "c@example.com", is_staff=False)
    ticket_id = world.support.open_ticket(title="T", requester=requester)
    agent = Person("a", "Agent", is_staff=True)
    world.support.say(ticket_id, "Hello", author=agent)
    for number in range(20):
        world.support.say(ticket_id, f"Question {number}", author=requester)
        world.pass_until(world.clock.time + timedelta(minutes=90))
        world.support.say(ticket_id, f"Answer {number}", author=agent)
        world.pass_until(world.clock.time + timedelta(minutes=1))
    row = case_of(world, ticket_id)
    assert len(load_case(row.ref, row.key, row.url, row.data).steps) <= 4


@pytest.mark.timeout(60)
def test_a_huge_description_with_thousands_of_lines_does_not_hold_the_hub_up() -> None:
    """Joining the lines of one paragraph one by one took hours for two megabytes."""
    rule = {"name": "end", "when": {"text": ["*nie ma*tego*słowa*", "*koniec"]}, "then": {"note": "Found."}}
    world = a_world(rules=[rule])
    text = "<p>Zażółć gęślą jaźń <b>błąd</b> nie ma tego&nbsp;</p>\n" * 10_000 + "koniec"
    ticket_id = world.support.open_ticket(title="Huge", description=text)
    world.wake(f"support:{ticket_id}")
    world.run_due()
    assert texts(world, ticket_id) == ["Found."]


# -- another rule book ---------------------------------------------------------------------------------------------


def with_rules(world: World, **rules: Any) -> None:
    """The hub begins anew with another rule book."""
    world.settings = a_world(**rules).settings
    world.restart()


def test_a_new_rule_on_time_fires_on_tickets_that_nobody_touches() -> None:
    world = a_world(rules=[{"name": "none", "when": {"label": "never"}, "then": {"note": "Never."}}])
    old, fresh = world.support.open_ticket(title="Old"), world.support.open_ticket(title="Fresh")
    world.settle()
    world.clock.pass_by(3 * 3600)
    world.support.say(fresh, "Hello")
    world.settle()
    with_rules(world, rules=[{"name": "quiet", "when": {"idle": "3h"}, "then": {"note": "Quiet."}}])
    world.pass_until(world.clock.time + timedelta(minutes=1))
    assert (texts(world, old), texts(world, fresh)) == (["Quiet."], ["Hello"])
    world.pass_until(world.clock.time + timedelta(hours=4))
    assert texts(world, fresh) == ["Hello", "Quiet."]


def test_a_shorter_target_that_is_missed_already_is_acted_on_at_once_and_shown() -> None:
    shown = {"show": [{"target": "resolution", "due": "due", "state": "sla"}]}
    gold = {**SLA["agreements"]["gold"], **shown}
    world = a_world(**{**SLA, "agreements": {"gold": gold}})
    ticket_id = world.support.open_ticket(title="Late")
    opened = world.support.tickets[ticket_id].created
    world.pass_until(opened + timedelta(minutes=90))
    assert world.support.tickets[ticket_id].custom["sla"] == "running"
    with_rules(world, **{**SLA, "agreements": {"gold": {**gold, "targets": {"resolution": "1h"}}}})
    world.pass_until(opened + timedelta(minutes=92))
    assert len(world.sent) == 1
    assert world.support.tickets[ticket_id].custom["sla"] == "breached"
