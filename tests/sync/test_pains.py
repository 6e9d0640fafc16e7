"""What people suffer with today's tools, each as a test: over the real core, with model trackers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.connector import NewComment, RateLimitedError, TemporaryError
from hub.journal import failures
from hub.sync.fields import FIGHT_TURNS
from hub.sync.linking import join
from hub.testing.world import World
from hub.ticket import Markdown, TicketRef, Visibility


def linked(world: World, **values: Any) -> tuple[str, str]:
    """An escalated ticket with its issue: their ids."""
    ticket_id = world.support.open_ticket(labels=frozenset({"escalate"}), **({"title": "Broken"} | values))
    world.settle()
    return ticket_id, next(i for i, t in world.dev.tickets.items() if t.marker.startswith(f"support-{ticket_id}-"))


def open_failures(world: World) -> list[failures.Failure]:
    with world.journal.read() as connection:
        return failures.unresolved_failures(connection)


def words(world: World, tracker: str, ticket_id: str) -> str:
    return "\n".join(c.text for c in world.trackers[tracker].tickets[ticket_id].comments)


def test_labels_that_people_made_by_hand_on_one_side_are_never_removed() -> None:
    world = World(policy={"labels": {"direction": "to_issue", "ignore": ["escalate"]}})
    ticket_id, issue_id = linked(world, custom={})
    world.dev.edit(issue_id, labels=world.dev.tickets[issue_id].labels | {"by-hand"})
    world.support.edit(ticket_id, labels=frozenset({"escalate", "vip"}))
    world.settle()
    world.support.edit(ticket_id, labels=frozenset({"escalate"}))
    world.settle()
    assert "by-hand" in world.dev.tickets[issue_id].labels
    assert "vip" not in world.dev.tickets[issue_id].labels


def test_one_bad_ticket_stops_only_itself() -> None:
    world = World()
    bad, bad_issue = linked(world)
    good, good_issue = linked(world)
    del world.dev.tickets[bad_issue]
    world.support.edit(bad, title="nobody is there")
    world.support.edit(good, title="somebody is there")
    world.settle()
    assert world.dev.tickets[good_issue].title == "somebody is there"
    assert [f.key for f in open_failures(world)] == ["link:1"]


def test_two_automations_that_correct_each_other_are_noticed_and_stopped() -> None:
    world = World(policy={"fields": {"title": {"direction": "both"}}})
    ticket_id, issue_id = linked(world)
    before = world.writes()
    world.support.edit(ticket_id, title="A")
    for _ in range(3 * FIGHT_TURNS):
        world.deliver_all()
        world.run_due()
        # Each side's automation puts its own title back whenever it finds another one.
        if world.dev.tickets[issue_id].title != "B":
            world.dev.edit(issue_id, title="B")
        elif world.support.tickets[ticket_id].title != "A":
            world.support.edit(ticket_id, title="A")
    assert world.writes() - before <= FIGHT_TURNS + 1
    assert any("back and forth" in f.why for f in open_failures(world))


@pytest.mark.parametrize("visibility", [Visibility.PRIVATE, Visibility.UNKNOWN])
def test_a_text_that_is_not_public_in_as_many_words_stays_where_it_is(visibility: Visibility) -> None:
    world = World()
    ticket_id, issue_id = linked(world)
    world.support.say(ticket_id, "internal", visibility)
    world.dev.say(issue_id, "intern", visibility)
    world.settle()
    assert "internal" not in words(world, "dev", issue_id)
    assert "intern" not in words(world, "support", ticket_id).replace("internal", "")


def test_a_private_note_that_may_travel_arrives_as_a_private_note() -> None:
    world = World(policy={"comments": {"private": "both"}})
    ticket_id, issue_id = linked(world)
    world.support.say(ticket_id, "for the engineers", Visibility.UNKNOWN)
    world.settle()
    arrived = [c for c in world.dev.tickets[issue_id].comments if "for the engineers" in c.text]
    assert [c.visibility for c in arrived] == [Visibility.PRIVATE]


def test_a_copy_of_a_private_note_stays_private_when_the_note_is_edited_or_made_public() -> None:
    world = World(policy={"comments": {"private": "both", "edits": "mirror"}})
    ticket_id, issue_id = linked(world)
    note = world.support.say(ticket_id, "not for customers", Visibility.PRIVATE)
    world.settle()
    ticket = world.support.tickets[ticket_id]
    ticket.comments = [replace(c, visibility=Visibility.PUBLIC) if c.id == note else c for c in ticket.comments]
    world.support.edit_comment(ticket_id, note, "not for customers, edited")
    world.settle()
    arrived = [c for c in world.dev.tickets[issue_id].comments if "not for customers" in c.text]
    assert [c.visibility for c in arrived] == [Visibility.PRIVATE]
    assert "edited" in arrived[0].text


def test_two_webhooks_for_one_action_make_one_issue() -> None:
    world = World()
    ticket_id = world.support.open_ticket(labels=frozenset({"escalate"}))
    for _ in range(3):
        world.wake(f"support:{ticket_id}")
        world.run_due()
    world.settle()
    assert len(world.dev.tickets) == 1


def test_an_issue_is_created_at_once_without_waiting_for_more_events() -> None:
    world = World()
    ticket_id = world.support.open_ticket(labels=frozenset({"escalate"}))
    world.wake(f"support:{ticket_id}")
    world.run_due()
    assert len(world.dev.tickets) == 1


def test_links_live_in_the_store_and_survive_a_restart_with_an_empty_memory() -> None:
    world = World()
    ticket_id, issue_id = linked(world)
    world.restart()
    world.support.edit(ticket_id, title="after the restart")
    world.settle()
    assert len(world.dev.tickets) == 1
    assert world.dev.tickets[issue_id].title == "after the restart"


def test_linked_later_earlier_comments_come_over_in_order_and_how_many_is_a_setting() -> None:
    world = World(policy={"comments": {"history": 2}})
    ticket_id = world.support.open_ticket(title="old")
    for number in range(5):
        world.support.say(ticket_id, f"number{number}")
    world.support.edit(ticket_id, labels=frozenset({"escalate"}))
    world.settle()
    issue = next(iter(world.dev.tickets.values()))
    assert [c.text.split()[-1] for c in issue.comments] == ["number3", "number4"]
    world.support.say(ticket_id, "number5")
    world.settle()
    assert len(issue.comments) == 3


def test_what_failed_stands_in_the_failures_list_once_with_its_cause_and_is_retried_on_demand() -> None:
    world = World()
    ticket_id, issue_id = linked(world)
    world.dev.refuses["priority"] = "Field 'priority' is not on the screen"
    for _ in range(3):
        world.support.edit(ticket_id, priority="urgent", title="the others are written")
        world.settle()
    (failure,) = open_failures(world)
    assert "not on the screen" in failure.why
    assert world.dev.tickets[issue_id].title == "the others are written"
    del world.dev.refuses["priority"]
    with world.journal.write() as connection:
        failures.ask_for_retry(connection, failure.id)
    world.wake(failure.key)
    world.settle()
    assert world.dev.tickets[issue_id].priority == "urgent"
    assert open_failures(world) == []


def test_one_refused_field_does_not_keep_a_new_issue_from_being_made() -> None:
    world = World()
    world.dev.refuses["priority"] = "no such priority"
    _, issue_id = linked(world, priority="high")
    assert world.dev.tickets[issue_id].title == "Broken"
    assert ["priority" in f.what for f in open_failures(world)] == [True]


@pytest.mark.parametrize(("policy", "expected"), [("mirror", "now right"), ("ignore", "at first wrong")])
def test_an_edited_comment_follows_the_policy_and_is_never_posted_again(policy: str, expected: str) -> None:
    world = World(policy={"comments": {"edits": policy}})
    ticket_id, issue_id = linked(world)
    comment = world.support.say(ticket_id, "at first wrong")
    world.settle()
    world.support.edit_comment(ticket_id, comment, "now right")
    world.settle()
    assert len(world.dev.tickets[issue_id].comments) == 1
    assert expected in words(world, "dev", issue_id)


@pytest.mark.parametrize(("policy", "left"), [("mirror", 0), ("note", 2), ("ignore", 1)])
def test_a_deleted_comment_follows_the_policy(policy: str, left: int) -> None:
    world = World(policy={"comments": {"deletes": policy}})
    ticket_id, issue_id = linked(world)
    comment = world.support.say(ticket_id, "a slip")
    world.settle()
    world.support.delete_comment(ticket_id, comment)
    world.settle()
    assert len(world.dev.tickets[issue_id].comments) == left


def test_four_priorities_onto_five_never_ping_pong() -> None:
    world = World()
    ticket_id, issue_id = linked(world)
    world.dev.edit(issue_id, priority="low")
    world.settle()
    before = world.writes()
    world.wake("link:1")
    world.settle()
    assert (world.support.tickets[ticket_id].priority, world.writes()) == ("low", before)


def test_many_tickets_to_one_issue_is_the_normal_case_and_the_highest_priority_counts() -> None:
    world = World(helpdesks=("support", "partner"))
    ticket_id, issue_id = linked(world, priority="low")
    other = world.trackers["partner"].open_ticket(title="Same here", priority="urgent")
    join(world.context, f"partner:{other}", f"dev:{issue_id}")
    world.settle()
    assert world.dev.tickets[issue_id].priority == "urgent"
    assert world.support.tickets[ticket_id].priority == "low"
    assert world.trackers["partner"].tickets[other].title == "Same here"


def test_the_issue_is_solved_when_the_last_of_its_tickets_is() -> None:
    world = World(helpdesks=("support", "partner"))
    ticket_id, issue_id = linked(world)
    other = world.trackers["partner"].open_ticket(title="Same here")
    join(world.context, f"partner:{other}", f"dev:{issue_id}")
    world.settle()
    world.support.edit(ticket_id, status="solved")
    world.settle()
    assert world.dev.tickets[issue_id].status == "open"
    world.trackers["partner"].edit(other, status="solved")
    world.settle()
    assert world.dev.tickets[issue_id].status == "solved"


def test_a_file_that_is_too_large_leaves_a_note_that_says_so_with_a_link() -> None:
    world = World(policy={"attachments": {"max_bytes": 10}})
    ticket_id, issue_id = linked(world)
    world.support.say(ticket_id, "see this", files=[world.support.new_file("big.zip", b"x" * 11)])
    world.settle()
    assert "big.zip" in words(world, "dev", issue_id)
    assert "too large" in words(world, "dev", issue_id)
    assert "model:big.zip" in words(world, "dev", issue_id)
    assert not any(c.attachments for c in world.dev.tickets[issue_id].comments)


def test_a_description_is_not_rewritten_when_only_its_form_differs() -> None:
    world = World()
    ticket_id, _ = linked(world, description="one *two*")
    before = world.writes()
    world.support.edit(ticket_id, description="one _two_  \n")
    world.settle()
    assert world.writes() == before


def test_a_sender_that_is_limited_is_asked_again_only_after_its_pause() -> None:
    world = World()
    ticket_id, issue_id = linked(world)
    world.support.edit(ticket_id, title="later")
    connector = world.connectors["dev"]
    connector.before_call = lambda call: (_ for _ in ()).throw(RateLimitedError("dev", call, "slow down", 120.0))
    world.deliver_all()
    world.run_due()
    calls = len(connector.calls)
    world.clock.pass_by(60)
    world.run_due()
    assert len(connector.calls) == calls
    connector.before_call = lambda call: None
    world.clock.pass_by(60)
    world.run_due()
    assert world.dev.tickets[issue_id].title == "later"


def test_a_tracker_that_is_down_stops_only_what_goes_to_it() -> None:
    world = World(helpdesks=("support", "partner"))
    ticket_id, issue_id = linked(world)
    other = world.trackers["partner"].open_ticket(title="Same here")
    join(world.context, f"partner:{other}", f"dev:{issue_id}")
    world.settle()
    down = world.connectors["support"]
    down.before_call = lambda call: (_ for _ in ()).throw(TemporaryError("support", call, "no answer"))
    world.dev.say(issue_id, "for everybody")
    world.deliver_all()
    world.run_due()
    assert "for everybody" in words(world, "partner", other)
    down.before_call = lambda call: None
    world.settle()
    assert words(world, "support", ticket_id).count("for everybody") == 1
    assert words(world, "partner", other).count("for everybody") == 1


def test_a_comment_cannot_be_written_without_its_visibility() -> None:
    """A default would be a public reply one day, mailed to the customer."""
    with pytest.raises(TypeError, match="visibility"):
        NewComment(text=Markdown("x"), marker="x")  # type: ignore[call-arg]  # the point of the test
    with pytest.raises(TypeError, match="visibility"):
        World().connectors["dev"].edit_comment("1", "2", Markdown("x"))  # type: ignore[call-arg]  # the same


def test_custom_fields_travel_both_ways_and_words_are_understood_in_any_case() -> None:
    world = World(policy={"fields": {"custom:product": "both"}})
    ticket_id, issue_id = linked(world, custom={"product": "billing"})
    assert world.dev.tickets[issue_id].custom == {"product": "billing"}
    world.dev.edit(issue_id, custom={"product": "shipping"}, priority="URGENT")
    world.settle()
    assert world.support.tickets[ticket_id].custom == {"product": "shipping"}
    assert world.support.tickets[ticket_id].priority == "urgent"
    assert open_failures(world) == []


def test_an_alarm_is_raised_once_and_counted_until_it_is_resolved() -> None:
    world = World()
    ticket_id, _ = linked(world)
    world.dev.refuses["title"] = "the title is locked"
    for title in ("one", "two", "two"):
        world.support.edit(ticket_id, title=title)
        world.settle()
    with world.journal.read() as connection:
        assert failures.count_open(connection) == 1
    del world.dev.refuses["title"]
    world.support.edit(ticket_id, title="three")
    world.settle()
    with world.journal.read() as connection:
        assert failures.count_open(connection) == 0


def test_every_comment_can_be_traced_to_its_delivery_decision_and_write() -> None:
    from hub.journal import events

    world = World()
    ticket_id, _ = linked(world)
    world.support.say(ticket_id, "where did this come from?")
    world.settle()
    with world.journal.read() as connection:
        timeline = events.timeline(connection, TicketRef("support", ticket_id), [1])
    writes = [e for e in timeline if e.what == "intent" and e.data["kind"] == "AddComment"]
    assert len(writes) == 1
    assert writes[0].data["state"] == "done"
    assert any(
        "is not there yet" in o["because"] for e in timeline if e.what == "planned" for o in e.data["operations"]
    )
