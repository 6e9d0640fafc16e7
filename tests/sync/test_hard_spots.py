"""The hard spots of the design, each as a test."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.connector import ConflictError, Hint, RateLimitedError
from hub.engine.inbox import JournalInbox
from hub.journal import failures, links
from hub.settings.model import LinkSettings
from hub.sync.linking import join, leave
from hub.testing.model import HUB_ACCOUNT, Killed
from hub.testing.world import World
from hub.ticket import Attachment, Person, TicketRef, Visibility
from tests.sync.test_pains import linked, open_failures, words


def test_two_tickets_linked_to_one_issue_at_the_same_moment_end_in_one_link() -> None:
    world = World(helpdesks=("support", "partner"))
    issue_id = world.dev.open_ticket(title="The bug")
    pairs = [("support", world.support.open_ticket()), ("partner", world.trackers["partner"].open_ticket())]
    threads = [
        threading.Thread(target=join, args=(world.context, f"{name}:{ticket}", f"dev:{issue_id}"))
        for name, ticket in pairs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with world.journal.read() as connection:
        assert list(links.all_links(connection)) == [1]
        found = links.load_link(connection, 1)
    assert found is not None
    assert len(found[1]) == 3


def test_a_person_who_acts_between_read_and_write_is_not_overwritten() -> None:
    world = World(policy={"fields": {"title": {"direction": "both", "conflict": "tickets"}}})
    ticket_id, issue_id = linked(world)
    world.dev.edit(issue_id, title="the engineer's")
    acted: list[str] = []

    def act(call: str) -> None:
        if call == "update" and not acted:
            acted.append(call)
            world.support.edit(ticket_id, title="the agent's")

    world.connectors["support"].before_call = act
    world.settle()
    assert world.support.tickets[ticket_id].title == "the agent's"
    assert world.dev.tickets[issue_id].title == "the agent's"


def test_a_lock_conflict_is_merged_again_and_nobody_has_to_look() -> None:
    world = World()
    ticket_id, issue_id = linked(world)
    left = [2]

    def conflict(call: str) -> None:
        if call == "update" and left[0]:
            left[0] -= 1
            raise ConflictError("support", call, "somebody was faster")

    world.connectors["support"].before_call = conflict
    world.dev.edit(issue_id, priority="high")
    world.settle()
    assert world.support.tickets[ticket_id].priority == "high"
    assert open_failures(world) == []


def test_a_late_echo_does_not_undo_a_persons_next_change() -> None:
    world = World()
    ticket_id, issue_id = linked(world)
    world.support.edit(ticket_id, title="first")
    world.deliver_all()
    world.run_due()
    world.dev.edit(issue_id, title="second")
    # The webhook about the hub's own write comes only now, after the person's change.
    world.wake(f"dev:{issue_id}")
    world.run_due()
    world.settle()
    assert world.support.tickets[ticket_id].title == world.dev.tickets[issue_id].title == "second"


def test_somebody_whom_nobody_can_place_is_named_in_the_failures_and_not_guessed() -> None:
    world = World(policy={"fields": {"assignee": "both"}})
    ticket_id, issue_id = linked(world)
    world.dev.edit(issue_id, assignee=Person("e1", "An Engineer"))
    world.settle()
    assert world.support.tickets[ticket_id].assignee is None
    assert any("nobody in support is known as dev:e1" in f.why for f in open_failures(world))


def test_a_known_person_is_assigned_on_the_other_side() -> None:
    world = World(policy={"fields": {"assignee": "both"}})
    world.settings = world.settings.model_copy(update={"people": {"anna": {"support": "a1", "dev": "e1"}}})
    world.restart()
    ticket_id, issue_id = linked(world)
    world.dev.edit(issue_id, assignee=Person("e1", "Anna"))
    world.settle()
    assert world.support.tickets[ticket_id].assignee == Person("a1")
    world.support.edit(ticket_id, assignee=None)
    world.settle()
    assert world.dev.tickets[issue_id].assignee is None


def test_a_deleted_ticket_is_shown_on_the_other_side_and_nothing_is_deleted_there() -> None:
    world = World()
    ticket_id, issue_id = linked(world)
    world.poll_all()
    world.support.tickets[ticket_id].is_deleted = True
    world.support.touch(ticket_id, "person")
    # A webhook that comes after the poll says nothing of the deletion.
    world.poll_all()
    world.settle()
    world.dev.say(issue_id, "into the void")
    world.settle()
    assert issue_id in world.dev.tickets
    assert words(world, "dev", issue_id).count("was deleted") == 1
    assert open_failures(world) == []


def test_a_file_crosses_once_however_often_it_is_looked_at() -> None:
    world = World()
    ticket_id, issue_id = linked(world)
    file = world.dev.new_file("trace.txt", b"trace")
    world.dev.tickets[issue_id].files.append(file)
    for _ in range(3):
        world.dev.touch(issue_id, "person")
        world.settle()
    names = [a.name for c in world.support.tickets[ticket_id].comments for a in c.attachments]
    assert names == ["trace.txt"]
    assert world.connectors["dev"].calls.count("download") == 1


@pytest.mark.parametrize("has_comment", [True, False])
def test_a_file_waits_a_moment_for_the_comment_that_shows_it_and_crosses_once(
    has_comment: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The clock of this world goes on by a second with every look at it.
    monkeypatch.setattr("hub.sync.crossing.FILE_ALONE", timedelta(minutes=1))
    world = World()
    ticket_id, issue_id = linked(world)
    file = world.dev.new_file("screen.png", b"pixels")
    world.dev.tickets[issue_id].files.append(file)
    world.dev.touch(issue_id, "person")
    world.deliver_all()
    world.run_due()
    crossed = [c for c in world.support.tickets[ticket_id].comments if c.attachments]
    assert crossed == []
    if has_comment:
        world.dev.say(issue_id, "See ![screen.png](attachment:screen.png)", files=[file])
        world.deliver_all()
        world.run_due()
    world.settle()
    (crossed_with,) = [c for c in world.support.tickets[ticket_id].comments if c.attachments]
    assert crossed_with.visibility.is_public is has_comment
    assert ("See" in crossed_with.text) is has_comment


def add_file(world: World, tracker: str, ticket_id: str, words: str, name: str) -> None:
    """A person adds a file to a comment that is there already."""
    model = world.trackers[tracker]
    ticket = model.tickets[ticket_id]
    file = model.new_file(name, name.encode())
    ticket.comments = [
        replace(c, attachments=(*c.attachments, file)) if words in c.text else c for c in ticket.comments
    ]
    model.touch(ticket_id, "person")


def test_a_file_that_comes_to_a_comment_later_crosses_once_to_those_who_may_read_the_comment() -> None:
    world = World(policy={"comments": {"private": "both"}})
    ticket_id, issue_id = linked(world)
    world.dev.say(issue_id, "for all", Visibility.PUBLIC)
    world.dev.say(issue_id, "for us", Visibility.PRIVATE)
    world.support.say(ticket_id, "see this", Visibility.PUBLIC)
    world.settle()
    add_file(world, "dev", issue_id, "for all", "open.txt")
    add_file(world, "dev", issue_id, "for us", "secret.txt")
    add_file(world, "support", ticket_id, "see this", "shot.png")
    world.settle()
    world.settle()
    seen = [
        (a.name, c.visibility) for c in world.support.tickets[ticket_id].comments for a in c.attachments
        if a.name != "shot.png"
    ]  # fmt: skip
    assert sorted(seen) == [("open.txt", Visibility.PUBLIC), ("secret.txt", Visibility.PRIVATE)]
    issue = world.dev.tickets[issue_id]
    assert [a.name for a in issue.files] == ["shot.png"]
    writes = world.writes()
    world.wake(f"dev:{issue_id}")
    world.settle()
    assert world.writes() == writes


def test_a_file_of_a_private_comment_that_stays_home_stays_home_when_it_comes_later() -> None:
    world = World()
    ticket_id, issue_id = linked(world)
    world.support.say(ticket_id, "for us", Visibility.PRIVATE)
    world.settle()
    add_file(world, "support", ticket_id, "for us", "secret.txt")
    world.settle()
    assert world.dev.tickets[issue_id].files == []
    assert not any(c.attachments for c in world.dev.tickets[issue_id].comments)


def test_a_file_that_the_tracker_lost_leaves_a_word_and_the_comment_arrives() -> None:
    world = World()
    ticket_id, issue_id = linked(world)
    world.support.say(ticket_id, "see the file", files=[Attachment("999", "lost.txt", size=3)])
    world.settle()
    assert "see the file" in words(world, "dev", issue_id)
    assert "lost.txt did not travel" in words(world, "dev", issue_id)


def test_unlinking_and_linking_again_doubles_nothing() -> None:
    world = World()
    ticket_id, issue_id = linked(world)
    world.support.say(ticket_id, "said before")
    world.settle()
    leave(world.context, f"support:{ticket_id}")
    join(world.context, f"support:{ticket_id}", f"dev:{issue_id}")
    world.settle()
    assert words(world, "dev", issue_id).count("said before") == 1
    assert len(world.dev.tickets) == 1


def test_a_value_without_a_word_in_the_other_tracker_waits_with_its_cause() -> None:
    world = World()
    ticket_id, issue_id = linked(world)
    world.connectors["dev"].statuses.written.pop("pending")  # type: ignore[attr-defined]
    world.support.edit(ticket_id, status="pending")
    world.settle()
    assert world.dev.tickets[issue_id].status == "open"
    assert any("no status for pending" in f.why for f in open_failures(world))


def test_a_link_whose_settings_are_gone_is_left_alone() -> None:
    world = World()
    ticket_id, _ = linked(world)
    before = world.writes()
    world.settings = world.settings.model_copy(
        update={"links": [LinkSettings(name="other", tickets=["x"], issues="dev")]}
    )
    world.restart()
    world.support.edit(ticket_id, title="nobody listens")
    world.settle()
    assert world.writes() == before


def test_a_failed_link_alarms_once_and_recovers_by_itself() -> None:
    from hub.connector import TemporaryError

    world = World()
    ticket_id, issue_id = linked(world)
    connector = world.connectors["dev"]
    connector.before_call = lambda call: (_ for _ in ()).throw(TemporaryError("dev", call, "no answer"))
    world.support.edit(ticket_id, title="waits")
    for _ in range(6):
        world.deliver_all()
        world.run_due()
        world.clock.pass_by(400)
    assert len(open_failures(world)) == 1
    connector.before_call = lambda call: None
    world.settle()
    assert open_failures(world) == []
    assert world.dev.tickets[issue_id].title == "waits"


def test_the_hubs_own_account_used_by_a_person_is_told_apart_by_value() -> None:
    world = World()
    ticket_id, issue_id = linked(world)
    world.dev.edit(issue_id, actor=HUB_ACCOUNT, title="typed by a person in the hub's account")
    world.settle()
    assert world.support.tickets[ticket_id].title == "typed by a person in the hub's account"


def test_nothing_is_called_for_a_link_that_nothing_points_at() -> None:
    world = World()
    linked(world)
    for connector in world.connectors.values():
        connector.calls.clear()
    world.clock.pass_by(3600)
    world.settle()
    assert all(not connector.calls for connector in world.connectors.values())
    assert failures is not None


def test_a_description_that_no_tracker_takes_is_cut_and_the_two_sides_stay_in_step() -> None:
    world = World()
    ticket = world.support.open_ticket(
        title="Long", description="Łącznie za dużo. " * 20_000, labels=frozenset({"escalate"})
    )
    world.settle()
    (issue,) = world.dev.tickets.values()
    assert len(issue.description) < 32_000
    assert "shortened" in issue.description
    writes = world.writes()
    world.support.touch(ticket, "person")
    world.settle()
    assert world.writes() == writes


def merge(world: World, gone: str, heir: str) -> None:
    """The helpdesk merges one ticket into another and says so by webhook."""
    hint = Hint(ticket_id=gone, event="merged", merged_into=heir)
    inbox = JournalInbox(world.journal, lambda: None)
    inbox.store(
        tracker="support", delivery_key=f"merge-{gone}", received=world.clock(), headers={}, body=b"", hints=[hint],
        ignored=None,
    )  # fmt: skip
    world.run_due()
    world.settle()


def test_a_ticket_that_another_was_merged_into_takes_its_place_in_the_link() -> None:
    world = World()
    gone = world.support.open_ticket(title="First", labels=frozenset({"escalate"}))
    world.settle()
    (issue,) = world.dev.tickets
    heir = world.support.open_ticket(title="Second")
    merge(world, gone, heir)
    world.support.say(heir, "It is still broken.")
    world.settle()
    with world.journal.read() as connection:
        assert links.link_of(connection, TicketRef("support", gone)) is None
        assert links.link_of(connection, TicketRef("support", heir)) == 1
    assert sum("still broken" in c.text for c in world.dev.tickets[issue].comments) == 1
    assert len(world.dev.tickets) == 1


def test_two_issues_do_not_become_one_because_two_tickets_did() -> None:
    world = World()
    gone, heir = (world.support.open_ticket(title=t, labels=frozenset({"escalate"})) for t in ("First", "Second"))
    world.settle()
    merge(world, gone, heir)
    with world.journal.read() as connection:
        (failure,) = failures.unresolved_failures(connection)
        assert links.link_of(connection, TicketRef("support", gone)) == 1
    assert "an issue of its own" in failure.why
    assert "Unlink one of them" in failure.remedy


def test_labels_of_an_issue_arrive_though_the_tickets_own_were_never_seen_before() -> None:
    world = World()
    support = world.connectors["support"]

    def killed(call: str) -> None:
        if call == "write_link":
            raise Killed

    def limited(call: str) -> None:
        if call == "update":
            raise RateLimitedError("support", call, "slow down", 600)

    support.before_call = killed
    ticket_id = world.support.open_ticket(title="Broken", labels=frozenset({"escalate"}))
    world.deliver_all()
    with pytest.raises(Killed):
        world.run_due()
    (issue_id,) = world.dev.tickets
    world.dev.edit(issue_id, labels=world.dev.tickets[issue_id].labels | {"blue"})
    support.before_call = limited
    world.restart()
    world.run_due()
    world.pending.clear()  # the webhooks about the hub's own writes are lost
    world.dev.edit(issue_id, labels=world.dev.tickets[issue_id].labels | {"red"})
    world.deliver_all()
    world.run_due()
    support.before_call = lambda call: None
    world.settle()
    assert {"blue", "red"} <= world.support.tickets[ticket_id].labels
