"""Rules over the real core, with model trackers: what they order is done once, whatever is lost, late or killed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.connector import Article, AuthError, TemporaryError
from hub.journal import cases, events, failures
from hub.settings.rules import Condition
from hub.sync.announce import announce, choose_audience
from hub.testing.model import Killed
from hub.testing.world import World
from hub.ticket import Markdown, Person, Priority, TicketRef, Visibility

LINES = {
    1: {"name": "First"},
    2: {"name": "Experts", "takes": {"label": "vip"}},
    3: {"name": "Engineers", "issues": "support-dev"},
}
OUTAGE = {
    "name": "outage",
    "when": {"title": "*outage*"},
    "then": {"set": {"priority": "urgent"}, "add_labels": ["outage"], "note": "Call them: {{ ticket.title }}"},
}


def a_world(**rules: Any) -> World:
    return World(rules={"lines": LINES, **rules})


def texts(world: World, ticket_id: str, visibility: Visibility | None = None) -> list[str]:
    comments = world.support.tickets[ticket_id].comments
    return [c.text for c in comments if visibility in (None, c.visibility)]


def fired(world: World, ticket_id: str) -> list[str]:
    with world.journal.read() as connection:
        timeline = events.timeline(connection, TicketRef("support", ticket_id), [])
    return [entry.data["rule"] for entry in timeline if entry.what == "rule"]


def outcomes(world: World, ticket_id: str) -> dict[str, tuple[str, str]]:
    with world.journal.read() as connection:
        placed = cases.orders_of(connection, TicketRef("support", ticket_id))
    return {order.kind: (state, outcome) for order, state, outcome in placed}


def test_a_rule_does_what_it_says_once() -> None:
    world = a_world(rules=[OUTAGE])
    ticket_id = world.support.open_ticket(title="Total outage in Gdańsk")
    world.settle()
    world.support.say(ticket_id, "Still down")
    world.settle()
    ticket = world.support.tickets[ticket_id]
    assert ticket.priority == "urgent"
    assert "outage" in ticket.labels
    assert [t for t in texts(world, ticket_id) if "Call them" in t] == ["Call them: Total outage in Gdańsk"]
    assert fired(world, ticket_id) == ["outage"]


def test_a_rule_fires_again_when_its_condition_came_to_hold_again() -> None:
    world = a_world(rules=[{"name": "waiting", "when": {"status": "pending"}, "then": {"note": "Remind them."}}])
    ticket_id = world.support.open_ticket(status="pending")
    world.settle()
    world.support.edit(ticket_id, status="open")
    world.settle()
    world.support.edit(ticket_id, status="pending")
    world.settle()
    assert texts(world, ticket_id) == ["Remind them.", "Remind them."]


def test_a_change_that_a_rule_made_travels_to_the_issue_as_a_persons_would() -> None:
    world = a_world(rules=[OUTAGE])
    ticket_id = world.support.open_ticket(title="Slow", labels=frozenset({"escalate"}))
    world.settle()
    (issue,) = world.dev.tickets.values()
    assert issue.priority == "normal"
    world.support.edit(ticket_id, title="An outage")
    world.settle()
    assert world.support.tickets[ticket_id].priority == "urgent"
    assert issue.priority == "urgent"
    writes = world.writes()
    world.settle()
    assert world.writes() == writes


def test_a_new_ticket_goes_to_the_line_that_takes_it() -> None:
    world = a_world()
    plain = world.support.open_ticket(title="Plain")
    important = world.support.open_ticket(title="Important", labels=frozenset({"vip"}))
    world.settle()
    assert world.support.tickets[plain].line == 1
    assert world.support.tickets[important].line == 2


def test_a_ticket_that_came_to_the_line_of_engineers_gets_its_issue() -> None:
    rule = {"name": "to engineers", "when": {"label": "bug"}, "then": {"line": "next", "reason": "it is a bug"}}
    world = a_world(rules=[rule], similar={"mode": "off"})
    ticket_id = world.support.open_ticket(title="Crash", labels=frozenset({"vip"}))
    world.settle()
    assert not world.dev.tickets
    world.support.edit(ticket_id, labels=frozenset({"vip", "bug"}))
    world.settle()
    (issue,) = world.dev.tickets.values()
    assert issue.title == "Crash"
    assert world.support.tickets[ticket_id].line == 3
    assert "Handed to line 3 (Engineers): it is a bug" in texts(world, ticket_id, Visibility.PRIVATE)


SLA: dict[str, Any] = {
    "agreements": {
        "gold": {
            "kind": "SLA",
            "targets": {"resolution": {"urgent": "2h", "any": "4h"}},
            "warnings": {50: {"note": "Half of the time is used up."}},
            "on_breach": {"raise_priority": 1, "notify": [{"to": "oncall", "text": "{{ ticket.key }} is late"}]},
        }
    },
    "notifiers": {"oncall": {"url": "json://nowhere"}},
}


def test_a_warning_and_a_breach_happen_at_their_times_with_nobody_touching_the_ticket() -> None:
    world = a_world(**SLA)
    ticket_id = world.support.open_ticket(title="Late")
    opened = world.support.tickets[ticket_id].created
    world.pass_until(opened + timedelta(hours=1, minutes=59))
    assert texts(world, ticket_id) == []
    world.pass_until(opened + timedelta(hours=2, minutes=1))
    assert texts(world, ticket_id) == ["Half of the time is used up."]
    world.pass_until(opened + timedelta(hours=3, minutes=59))
    assert world.support.tickets[ticket_id].priority == "normal"
    world.pass_until(opened + timedelta(hours=4, minutes=1))
    assert world.support.tickets[ticket_id].priority == "high"
    assert world.sent == [("oncall", f"#{ticket_id} is late")]
    world.pass_until(opened + timedelta(days=3))
    assert len(world.sent) == 1


def test_what_became_due_while_the_hub_was_down_is_done_once_and_in_order() -> None:
    world = a_world(**SLA)
    ticket_id = world.support.open_ticket(title="Late")
    world.settle()
    world.clock.pass_by(24 * 3600)
    world.restart()
    world.settle()
    world.settle()
    assert fired(world, ticket_id) == ["clock gold.resolution 50 %", "clock gold.resolution 100 %"]
    assert texts(world, ticket_id) == ["Half of the time is used up."]
    assert len(world.sent) == 1


def test_a_clock_stands_still_while_the_customer_is_waited_for() -> None:
    world = a_world(**SLA)
    ticket_id = world.support.open_ticket(title="Late")
    opened = world.support.tickets[ticket_id].created
    world.pass_until(opened + timedelta(hours=1))
    world.support.edit(ticket_id, status="pending")
    world.pass_until(opened + timedelta(hours=11))
    world.support.edit(ticket_id, status="open")
    world.pass_until(opened + timedelta(hours=11, minutes=59))
    assert texts(world, ticket_id) == []
    world.pass_until(opened + timedelta(hours=12, minutes=2))
    assert texts(world, ticket_id) == ["Half of the time is used up."]


def test_a_changed_priority_counts_from_the_opening() -> None:
    world = a_world(**SLA)
    ticket_id = world.support.open_ticket(title="Late")
    opened = world.support.tickets[ticket_id].created
    world.pass_until(opened + timedelta(hours=1, minutes=30))
    world.support.edit(ticket_id, priority="urgent")
    world.pass_until(opened + timedelta(hours=1, minutes=31))
    assert texts(world, ticket_id) == ["Half of the time is used up."]
    world.pass_until(opened + timedelta(hours=2, minutes=1))
    assert len(world.sent) == 1


def test_an_echo_does_not_take_the_next_deadline_away() -> None:
    world = a_world(**SLA)
    ticket_id = world.support.open_ticket(title="Late", labels=frozenset({"escalate"}))
    opened = world.support.tickets[ticket_id].created
    world.pass_until(opened + timedelta(minutes=10))
    (issue_id,) = world.dev.tickets
    world.dev.say(issue_id, "Seen")
    world.pass_until(opened + timedelta(minutes=20))
    world.pass_until(opened + timedelta(hours=2, minutes=1))
    assert "Half of the time is used up." in texts(world, ticket_id)


def test_an_agent_runs_a_macro_with_a_label_in_the_requesters_language() -> None:
    macros = {
        "reset": {
            "visibility": "public",
            "text": {"en": "Dear {{ requester.name }}, use the link.", "pl": "{{ requester.name }}, kliknij w link."},
            "then": {"set": {"status": "pending"}},
        }
    }
    world = a_world(macros=macros)
    ticket_id = world.support.open_ticket(
        labels=frozenset({"macro:reset"}), requester=Person("c1", "Ewa", "ewa@example.com", language="pl-pl")
    )
    world.settle()
    ticket = world.support.tickets[ticket_id]
    assert texts(world, ticket_id, Visibility.PUBLIC) == ["Ewa, kliknij w link."]
    assert ticket.status == "pending"
    assert "macro:reset" not in ticket.labels


def test_an_agent_runs_a_macro_with_a_line_in_a_private_note() -> None:
    world = a_world(macros={"hello": {"visibility": "public", "text": "Hello."}})
    ticket_id = world.support.open_ticket()
    world.support.say(ticket_id, "/macro hello", Visibility.PRIVATE)
    world.settle()
    world.support.say(ticket_id, "/macro hello", Visibility.PUBLIC)
    world.settle()
    assert texts(world, ticket_id, Visibility.PUBLIC) == ["Hello.", "/macro hello"]


def test_a_macro_that_does_not_exist_is_answered_privately() -> None:
    world = a_world(macros={"hello": {"visibility": "public", "text": "Hello."}})
    ticket_id = world.support.open_ticket(labels=frozenset({"macro:hallo"}))
    world.settle()
    assert texts(world, ticket_id, Visibility.PRIVATE) == ["There is no macro 'hallo'; there are: hello."]


def test_a_public_reply_with_a_missing_value_is_not_sent_and_named() -> None:
    rule = {"name": "greet", "when": {"title": "*"}, "then": {"reply": "Dear {{ requester.name }}"}}
    world = a_world(rules=[rule])
    ticket_id = world.support.open_ticket(title="Hi")
    world.settle()
    assert texts(world, ticket_id) == []
    with world.journal.read() as connection:
        (failure,) = failures.unresolved_failures(connection)
    assert "requester.name" in failure.why


def test_articles_are_suggested_in_a_private_note() -> None:
    rule = {"name": "help", "when": {"line": 1}, "then": {"suggest_articles": 2}}
    world = a_world(rules=[rule])
    world.support.articles = [Article("Resetting a password", "https://help.example.com/1")]
    ticket_id = world.support.open_ticket(title="Password")
    world.settle()
    (note,) = texts(world, ticket_id, Visibility.PRIVATE)
    assert "[Resetting a password](https://help.example.com/1)" in note
    assert not texts(world, ticket_id, Visibility.PUBLIC)


def test_a_knowledge_base_that_may_not_be_searched_stops_nothing_else() -> None:
    rule = {"name": "help", "when": {"line": 1}, "then": {"suggest_articles": 2, "set": {"priority": "high"}}}
    world = a_world(rules=[rule])

    def forbid(call: str) -> None:
        if call == "find_articles":
            raise AuthError("support", "search articles", "403 Forbidden", "Give the account the permission.")

    world.connectors["support"].before_call = forbid
    ticket_id = world.support.open_ticket(title="Password")
    world.settle()
    assert world.support.tickets[ticket_id].priority == "high"
    with world.journal.read() as connection:
        (failure,) = failures.unresolved_failures(connection)
    assert "403" in failure.why
    assert outcomes(world, ticket_id)["suggest"] == ("dropped", "403 Forbidden")


def test_a_field_that_the_tracker_refuses_is_set_aside_and_the_others_are_written() -> None:
    rule = {"name": "both", "when": {"title": "*"}, "then": {"set": {"priority": "high", "custom:area": "x"}}}
    world = a_world(rules=[rule])
    world.support.refuses = {"custom:area": "no such field"}
    ticket_id = world.support.open_ticket(title="T")
    world.settle()
    assert world.support.tickets[ticket_id].priority == "high"
    with world.journal.read() as connection:
        (failure,) = failures.unresolved_failures(connection)
    assert "no such field" in failure.why
    world.support.refuses = {}
    with world.journal.write() as connection:
        failures.ask_for_retry(connection, failure.id)
    world.wake(f"support:{ticket_id}")
    world.settle()
    assert world.support.tickets[ticket_id].custom["area"] == "x"
    with world.journal.read() as connection:
        assert not failures.unresolved_failures(connection)


def test_a_line_hands_tickets_to_whoever_has_the_fewest_and_never_takes_one_away() -> None:
    lines = {1: {"name": "First", "people": ["ada", "bob"], "assign": True}}
    people = {"ada": {"support": "10"}, "bob": {"support": "11"}}
    world = World(rules={"lines": lines, "people": people})
    ids = [world.support.open_ticket(title=str(number)) for number in range(3)]
    taken = world.support.open_ticket(title="mine", assignee=Person("99", "Somebody"))
    world.settle()
    assignees = [world.support.tickets[ticket_id].assignee for ticket_id in ids]
    assert [a.id for a in assignees if a] == ["10", "11", "10"]
    assert world.support.tickets[taken].assignee == Person("99", "Somebody")


@pytest.mark.parametrize("call", range(1, 9))
@pytest.mark.parametrize("when", ["before_call", "after_call"])
def test_killed_at_any_call_every_effect_happens_once(call: int, when: str) -> None:
    rule = {
        "name": "bug",
        "when": {"label": "bug"},
        "then": {"line": 3, "note": "A note.", "reply": "A reply.", "set": {"priority": "high"}},
    }
    world = a_world(rules=[rule], similar={"mode": "off"})
    seen = 0

    def die(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen == call:
            raise Killed

    ticket_id = world.support.open_ticket(title="Crash", labels=frozenset({"bug"}))
    world.deliver_all()
    for connector in world.connectors.values():
        setattr(connector, when, die)
    try:
        world.run_due()
    except Killed:
        for connector in world.connectors.values():
            setattr(connector, when, lambda _: None)
        world.context.holds.give_back(f"support:{ticket_id}")
        world.restart()
    world.settle()
    world.settle()
    assert sorted(t for t in texts(world, ticket_id) if "kept in step" not in t) == [
        "A note.", "A reply.", "Handed to line 3 (Engineers): it carries the label bug",
    ]  # fmt: skip
    assert len(world.dev.tickets) == 1
    assert world.support.tickets[ticket_id].priority == "high"


def place(world: World, ticket_id: str, mark: str, kind: Any, data: dict[str, Any]) -> None:
    """Something that a person wants done to a ticket."""
    ref = TicketRef("support", ticket_id)
    order = cases.Order(ref=ref, mark=mark, kind=kind, data=data, because="a person asked for it")
    with world.journal.write() as connection:
        cases.place_orders(connection, [order], world.clock())
    world.wake(str(ref))


def test_a_person_hands_a_ticket_on_as_a_rule_does() -> None:
    world = a_world(similar={"mode": "off"})
    ticket_id = world.support.open_ticket(title="Crash")
    world.settle()
    for number, (line, reason) in enumerate([("next", "an expert"), (3, "a fault"), (3, "again"), (9, "no such line")]):
        place(world, ticket_id, f"escalation {number}", "line", {"line": line, "reason": reason})
        world.settle()
    assert world.support.tickets[ticket_id].line == 3
    said = [t for t in texts(world, ticket_id, Visibility.PRIVATE) if "line" in t]
    assert said == [
        "Handed to line 2 (Experts): an expert",
        "Handed to line 3 (Engineers): a fault",
        "There is no line 9; there are: 1, 2, 3.",
    ]
    assert len(world.dev.tickets) == 1
    assert outcomes(world, ticket_id)["line"][0] == "done"


@pytest.mark.parametrize("call", range(1, 6))
@pytest.mark.parametrize("when", ["before_call", "after_call"])
def test_killed_while_it_is_announced_each_ticket_is_told_once(call: int, when: str) -> None:
    world = a_world()
    ids = [world.support.open_ticket(title=f"Outage {number}") for number in range(2)]
    world.settle()
    audience = choose_audience(world.context, [Condition.model_validate({"title": ["outage*"]})])
    assert [ref.id for ref in audience.members] == ids
    said = (Markdown("The network is down."), Visibility.PUBLIC, [*audience.members])
    assert len(announce(world.context, "network", *said)) == 2
    seen = 0

    def die(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen == call:
            raise Killed

    setattr(world.connectors["support"], when, die)
    try:
        world.run_due()
    except Killed:
        for ticket_id in ids:
            world.context.holds.give_back(f"support:{ticket_id}")
    setattr(world.connectors["support"], when, lambda _: None)
    world.restart()
    assert announce(world.context, "network", *said) == []
    world.settle()
    world.settle()
    assert [texts(world, ticket_id, Visibility.PUBLIC) for ticket_id in ids] == [["The network is down."]] * 2


def test_an_announcement_is_nobodys_answer() -> None:
    rule = {"name": "answered", "when": {"replied": "staff"}, "then": {"add_labels": "answered"}}
    world = a_world(rules=[rule])
    ticket_id = world.support.open_ticket(title="Outage")
    world.settle()
    announce(world.context, "x", Markdown("Down."), Visibility.PUBLIC, [TicketRef("support", ticket_id)])
    world.settle()
    assert texts(world, ticket_id) == ["Down."]
    assert "answered" not in world.support.tickets[ticket_id].labels


def test_a_message_that_may_have_gone_out_is_not_sent_again_and_said_so() -> None:
    world = a_world(**SLA)
    ticket_id = world.support.open_ticket(title="Late")
    world.settle()

    def die(title: str, text: str) -> None:
        raise Killed

    world.context.outlets._senders["oncall"] = die
    world.clock.pass_by(5 * 3600)
    with pytest.raises(Killed):
        world.run_due()
    world.restart()
    world.settle()
    assert world.sent == []
    with world.journal.read() as connection:
        (failure,) = failures.unresolved_failures(connection)
    assert "may not have gone out" in failure.why
    assert world.support.tickets[ticket_id].priority == "high"


def test_a_tracker_that_is_away_is_waited_for_and_nothing_is_lost() -> None:
    world = a_world(rules=[OUTAGE])
    connector = world.connectors["support"]

    def away(call: str) -> None:
        if call in ("update", "add_comment"):
            raise TemporaryError("support", call, "no connection")

    connector.before_call = away
    ticket_id = world.support.open_ticket(title="outage")
    world.settle()
    assert texts(world, ticket_id) == []
    connector.before_call = lambda call: None
    world.settle()
    assert texts(world, ticket_id) == ["Call them: outage"]
    assert world.support.tickets[ticket_id].priority == Priority.URGENT


def test_similar_open_issues_are_offered_before_a_new_one_is_made() -> None:
    rule = {"name": "bug", "when": {"label": "bug"}, "then": {"line": 3}}
    world = a_world(rules=[rule])
    first = world.support.open_ticket(
        title="Export to CSV crashes", description="It ends with error 500 after the update", labels=frozenset({"bug"})
    )
    world.settle()
    second = world.support.open_ticket(
        title="Export to CSV crashes again",
        description="It ends with error 500 after update",
        labels=frozenset({"bug"}),
    )
    world.settle()
    assert len(world.dev.tickets) == 1
    (offer,) = [t for t in texts(world, second, Visibility.PRIVATE) if "looks like" in t]
    (issue_id,) = world.dev.tickets
    assert f"link:#{issue_id}" in offer.replace("\\", "")
    world.support.edit(second, labels=frozenset({"bug", f"link:#{issue_id}"}))
    world.settle()
    assert len(world.dev.tickets) == 1
    assert len(world.dev.tickets[issue_id].links) == 2
    assert f"link:#{issue_id}" not in world.support.tickets[second].labels
    assert first != second


def test_an_agent_may_insist_on_an_issue_of_its_own() -> None:
    rule = {"name": "bug", "when": {"label": "bug"}, "then": {"line": 3}}
    world = a_world(rules=[rule])
    for _ in range(2):
        ticket_id = world.support.open_ticket(title="Export crashes", labels=frozenset({"bug"}))
        world.settle()
    assert len(world.dev.tickets) == 1
    world.support.edit(ticket_id, labels=frozenset({"bug", "issue:new"}))
    world.settle()
    assert len(world.dev.tickets) == 2


def test_every_customer_is_told_when_the_issue_is_fixed() -> None:
    rule = {
        "name": "fixed",
        "when": {"changed": {"issue_status": {"to": "solved"}}},
        "then": {"reply": "Good news: this is fixed ({{ issue.key }})."},
    }
    world = World(helpdesks=("support", "partner"), rules={"lines": LINES, "rules": [rule]},
                  policy={"fields": {"status": "none"}, "name": "support-dev"})  # fmt: skip
    ticket_id = world.support.open_ticket(title="Crash", labels=frozenset({"escalate"}))
    world.settle()
    (issue_id,) = world.dev.tickets
    world.dev.edit(issue_id, status="solved")
    world.settle()
    world.settle()
    told = [t.replace("\\", "") for t in texts(world, ticket_id, Visibility.PUBLIC)]
    assert told == [f"Good news: this is fixed (#{issue_id})."]


def test_a_new_issue_says_what_an_engineer_needs_by_the_template_of_the_link() -> None:
    template = (
        "{{ ticket.description }}\n\n{{ customers }} customer(s), due {{ due }}:\n\n"
        "{% for one in tickets %}- [{{ one.key }}]({{ one.url }}) {{ one.title }}{% endfor %}"
    )
    world = World(rules={"lines": LINES, **SLA}, policy={"template": template, "name": "support-dev"})
    ticket_id = world.support.open_ticket(title="Crash", description="It crashes.", labels=frozenset({"escalate"}))
    opened = world.support.tickets[ticket_id].created
    world.settle()
    (issue,) = world.dev.tickets.values()
    assert issue.description.startswith("It crashes.\n\n1 customer(s), due 2026-01-01 04:00 UTC:")
    assert f"](http://support/{ticket_id}) Crash" in issue.description
    assert opened.hour == 0
    world.support.edit(ticket_id, description="It crashes a lot.")
    world.settle()
    assert issue.description.startswith("It crashes.\n\n")


def test_a_changed_rule_book_moves_open_clocks_from_their_history_without_a_call() -> None:
    world = a_world(**SLA)
    ticket_id = world.support.open_ticket(title="Late")
    opened = world.support.tickets[ticket_id].created
    world.pass_until(opened + timedelta(minutes=30))
    calls = len(world.connectors["support"].calls)
    faster = {"gold": {**SLA["agreements"]["gold"], "targets": {"resolution": "1h"}}}
    changed = World(rules={"lines": LINES, **SLA, "agreements": faster}).settings
    world.settings = changed
    world.restart()
    assert len(world.connectors["support"].calls) == calls
    world.pass_until(opened + timedelta(minutes=31))
    assert texts(world, ticket_id) == ["Half of the time is used up."]
    world.pass_until(opened + timedelta(minutes=61))
    assert len(world.sent) == 1


def test_a_label_that_a_rule_took_off_may_be_set_again_before_the_hub_looks() -> None:
    rule = {"name": "on", "when": {"label": "escalate"}, "then": {"line": "next", "remove_labels": "escalate"}}
    world = World(
        rules={"lines": LINES, "rules": [rule], "similar": {"mode": "off"}},
        policy={"when": None, "name": "support-dev"},
    )
    ticket_id = world.support.open_ticket(labels=frozenset({"escalate"}))
    world.deliver_all()
    world.run_due()
    world.pending.clear()
    assert world.support.tickets[ticket_id].line == 2
    world.support.edit(ticket_id, labels=world.support.tickets[ticket_id].labels | {"escalate"})
    world.settle()
    assert world.support.tickets[ticket_id].line == 3


def test_each_reply_of_the_customer_is_news() -> None:
    rule = {"name": "heard", "when": {"replied": "customer"}, "then": {"note": "They wrote."}}
    world = a_world(rules=[rule])
    customer = Person("c1", "Ewa")
    ticket_id = world.support.open_ticket(requester=customer)
    world.settle()
    for number in range(3):
        world.support.say(ticket_id, f"Hello {number}?", author=customer)
        world.settle()
    assert texts(world, ticket_id, Visibility.PRIVATE) == ["They wrote."] * 3


def test_an_earlier_rule_follows_what_a_later_one_brought_about_without_anybody_else() -> None:
    rules = [
        {"name": "tell", "when": {"priority": "urgent"}, "then": {"note": "It is urgent."}},
        {"name": "raise", "when": {"label": "vip"}, "then": {"set": {"priority": "urgent"}}},
    ]
    world = a_world(rules=rules)
    ticket_id = world.support.open_ticket(labels=frozenset({"vip"}))
    world.deliver_all()
    world.run_due()
    world.pending.clear()
    world.clock.pass_by(2)
    world.run_due()
    assert texts(world, ticket_id) == ["It is urgent."]


def test_a_rule_that_something_else_undoes_again_and_again_stops_and_says_so() -> None:
    world = a_world(rules=[{"name": "on", "when": {"label": "off"}, "then": {"remove_labels": "off"}}])
    ticket_id = world.support.open_ticket()
    world.settle()
    for _ in range(20):
        world.support.edit(ticket_id, labels=frozenset({"off"}))
        world.deliver_all()
        world.run_due()
    assert len(fired(world, ticket_id)) == 8
    with world.journal.read() as connection:
        case = cases.case_of(connection, TicketRef("support", ticket_id))
    assert case is not None
    assert "does something else undo what it does?" in case.data["answers"]["on"][1]
