"""The straight line of the pair Freshservice and Jira, with real processes and sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.demo.stage import open_stage
from hub.sandbox.cast import File
from hub.ticket import Priority, Status
from plugins.freshservice.sandbox.cast import FreshserviceAgent
from tests.e2e.conftest import Play, eventually

PAIR = {"support": "freshservice", "dev": "jira"}
OFTEN = {"poll": {"every": 0.5}}
CHANGES_TOO = [
    {
        "tickets": "support",
        "issues": "dev",
        "when": {"category": ["change_request"]},
        "fields": {"status": "to_issue"},
        "labels": "none",
        "comments": {"public": "both", "private": "both"},
    }
]


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    """Freshservice and Jira Cloud with a hub between them; each test uses tickets of its own."""
    with open_stage(PAIR) as stage:
        yield Play(stage)


@pytest.fixture
def polled() -> Iterator[Play]:
    with open_stage(PAIR, with_webhooks=False) as stage:
        yield Play(stage)


@pytest.fixture
def both() -> Iterator[Play]:
    with open_stage(PAIR, tracker_settings={"support": OFTEN}) as stage:
        yield Play(stage)


def test_an_escalated_ticket_gets_one_issue_and_a_private_note_that_names_it(play: Play) -> None:
    ticket_id, issue = play.escalated("The sum is wrong", "Since yesterday.")
    assert issue.fields["summary"] == "The sum is wrong"
    assert "Since yesterday" in issue.fields["description"]
    play.quiet()
    assert [link["object"]["url"] for link in issue.links.values()] == [f"{play.support.url}/a/tickets/{ticket_id}"]
    assert sum(issue.key in note for note in play.notes(ticket_id)) == 1


def test_answers_cross_both_ways_once_without_the_hubs_stamp_and_private_notes_stay(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.agent.say(ticket_id, "secret of the agents", public=False)
    play.engineer.say(issue.id, "secret of the engineers", public=False)
    play.engineer.say(issue.id, "*Reproduced* naïve.", public=True)
    eventually(lambda: any("naïve" in reply for reply in play.replies(ticket_id)))
    play.customer.say(ticket_id, "Thank you & <b>good luck</b>", public=True)
    eventually(lambda: any("<b>good luck</b>" in body for body in play.bodies(issue)))
    play.quiet()
    assert len(play.replies(ticket_id)) == 2
    assert not any("[ref" in text for text in (*play.replies(ticket_id), *play.bodies(issue)))
    assert not any("secret of the agents" in body for body in play.bodies(issue))
    assert not any("engineers" in text for text in (*play.replies(ticket_id), *play.notes(ticket_id)))


def test_a_file_crosses_once_and_whole_in_both_directions(play: Play) -> None:
    ticket_id, issue = play.escalated()
    content = bytes(range(256)) * 8192
    play.customer.say(ticket_id, "my log", public=True, files=[File("raport ąę (1).bin", content)])
    eventually(lambda: [a.name for a in issue.attachments] == ["raport ąę (1).bin"])
    assert issue.attachments[0].content == content
    play.engineer.say(issue.id, "a patch", public=True, files=[File("fix.patch", b"--- a\n+++ b\n")])
    eventually(lambda: any("a patch" in reply for reply in play.replies(ticket_id)))
    play.quiet()
    comments = play.stage.snapshot("support", ticket_id).comments or ()
    (crossed,) = [a for c in comments for a in c.attachments if a.name == "fix.patch"]
    with play.stage.connectors["support"].download(crossed) as chunks:
        assert b"".join(chunks) == b"--- a\n+++ b\n"
    assert len(issue.attachments) == 2


def test_title_priority_labels_and_status_travel_both_ways_and_come_to_rest(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.agent.rename(ticket_id, 'A "better" title')
    eventually(lambda: issue.fields["summary"] == 'A "better" title')
    play.engineer.prioritise(issue.id, "low")
    eventually(lambda: play.stage.snapshot("support", ticket_id).ticket.priority is Priority.LOW)
    play.engineer._edit(issue.id, update={"labels": [{"add": "needs-docs"}]})
    eventually(lambda: "needs-docs" in play.stage.snapshot("support", ticket_id).ticket.labels)
    play.engineer.say(issue.id, "Fixed.", public=True)
    play.engineer.resolve(issue.id)
    eventually(lambda: play.stage.snapshot("support", ticket_id).ticket.status is Status.SOLVED)
    play.quiet()
    assert any("Fixed." in reply for reply in play.replies(ticket_id))
    assert "escalate" in play.stage.snapshot("support", ticket_id).ticket.labels


def test_without_any_webhook_polling_keeps_both_sides_in_step(polled: Play) -> None:
    ticket_id, issue = polled.escalated("Polled only")
    polled.engineer.say(issue.id, "Seen by polling.", public=True)
    eventually(lambda: any("Seen by polling" in r for r in polled.replies(ticket_id)))
    polled.customer.say(ticket_id, "So is this.", public=True)
    eventually(lambda: any("So is this" in b for b in polled.bodies(issue)))
    polled.engineer.resolve(issue.id)
    eventually(lambda: polled.stage.snapshot("support", ticket_id).ticket.status is Status.SOLVED)


def test_a_webhook_that_was_lost_is_found_by_polling(both: Play) -> None:
    ticket_id, issue = both.escalated("Lost on the way")
    both.support.webhooks.drop_next(5)
    both.customer.say(ticket_id, "Nobody told the hub.", public=True)
    eventually(lambda: any("Nobody told the hub" in b for b in both.bodies(issue)))


def test_while_nothing_happens_polling_makes_three_calls_a_look_and_reads_no_ticket(both: Play) -> None:
    ticket_id, _ = both.escalated("Nothing happens")
    both.stage.run_command("sync", f"support:{ticket_id}")

    def counts(path: str) -> int:
        return both.support.requests.count("GET", rf"{path}$")

    looks = counts("/tickets")
    eventually(lambda: counts("/tickets") > looks + 15)
    before, looks, reads = len(both.support.requests), counts("/tickets"), counts(f"/tickets/{ticket_id}")
    eventually(lambda: counts("/tickets") >= looks + 6)
    assert counts(f"/tickets/{ticket_id}") == reads
    assert len(both.support.requests) - before == counts("/tickets") - looks


@pytest.mark.parametrize("with_webhooks", [True, False])
def test_a_change_gets_an_issue_and_notes_and_is_left_to_its_approvals(with_webhooks: bool) -> None:
    settings = {"support": {"changes": True}}
    with open_stage(PAIR, links=CHANGES_TOO, tracker_settings=settings, with_webhooks=with_webhooks) as stage:
        play = Play(stage)
        assert isinstance(play.agent, FreshserviceAgent)
        change_id = play.agent.raise_change("Replace the mail server", "It is old.")
        issue = eventually(lambda: play.issue_of(change_id), "an issue")
        assert issue.fields["summary"] == "Replace the mail server"
        play.agent.note_change(change_id, "Approved by all.", [File("plan.txt", b"step 1")])
        eventually(lambda: any("Approved by all" in body for body in play.bodies(issue)))
        eventually(lambda: [a.content for a in issue.attachments] == [b"step 1"])
        play.engineer.say(issue.id, "Done on Sunday.", public=True)
        eventually(lambda: any("Done on Sunday" in note for note in play.notes(change_id)))
        play.engineer.prioritise(issue.id, "urgent")
        eventually(lambda: stage.snapshot("support", change_id).ticket.priority is Priority.URGENT)
        play.engineer.resolve(issue.id)
        if with_webhooks:
            play.quiet()
        assert stage.snapshot("support", change_id).ticket.native["status"] == "Open"
        assert sum("Done on Sunday" in note for note in play.notes(change_id)) == 1
        assert "Nothing has failed." in stage.run_command("failures", "list").stdout
