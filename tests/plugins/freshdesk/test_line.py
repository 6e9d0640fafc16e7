"""The straight line of the pair Freshdesk and Jira, with real processes and sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.demo.stage import open_stage
from hub.sandbox.cast import File
from hub.ticket import Priority, Status
from tests.e2e.conftest import Play, eventually


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    """Freshdesk and Jira Cloud with a hub between them; each test uses tickets of its own."""
    with open_stage({"support": "freshdesk", "dev": "jira"}) as stage:
        yield Play(stage)


def test_an_escalated_ticket_gets_one_issue_and_a_private_note_that_names_it(play: Play) -> None:
    ticket_id, issue = play.escalated("The sum is wrong", "Since yesterday.")
    assert issue.fields["summary"] == "The sum is wrong"
    assert "Since yesterday" in issue.fields["description"]
    play.quiet()
    assert [link["object"]["url"] for link in issue.links.values()] == [f"{play.support.url}/a/tickets/{ticket_id}"]
    assert sum(issue.key in note for note in play.notes(ticket_id)) == 1


def test_answers_cross_both_ways_once_without_the_hubs_stamp(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.engineer.say(issue.id, "*Reproduced* naïve.", public=True)
    eventually(lambda: any("naïve" in reply for reply in play.replies(ticket_id)))
    play.customer.say(ticket_id, "Thank you & <b>good luck</b>", public=True)
    eventually(lambda: any("<b>good luck</b>" in body for body in play.bodies(issue)))
    play.quiet()
    assert len(play.replies(ticket_id)) == 2
    assert len(play.bodies(issue)) == 2
    assert not any("[ref" in text for text in (*play.replies(ticket_id), *play.bodies(issue)))


def test_private_notes_stay_on_their_side(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.agent.say(ticket_id, "secret of the agents", public=False)
    play.engineer.say(issue.id, "secret of the engineers", public=False)
    play.agent.say(ticket_id, "a public word", public=True)
    eventually(lambda: any("a public word" in body for body in play.bodies(issue)))
    play.quiet()
    assert not any("secret of the agents" in body for body in play.bodies(issue))
    assert not any("engineers" in text for text in (*play.replies(ticket_id), *play.notes(ticket_id)))


def test_a_resolved_issue_resolves_the_ticket_after_the_answer(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.engineer.say(issue.id, "Fixed.", public=True)
    play.engineer.resolve(issue.id)
    eventually(lambda: play.stage.snapshot("support", ticket_id).ticket.status is Status.SOLVED)
    assert any("Fixed." in reply for reply in play.replies(ticket_id))


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
    crossed = [a for c in comments for a in c.attachments if a.name == "fix.patch"]
    with play.stage.connectors["support"].download(crossed[-1]) as chunks:
        assert b"".join(chunks) == b"--- a\n+++ b\n"
    assert len(issue.attachments) == 2


def test_title_priority_and_labels_travel_both_ways_and_come_to_rest(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.agent.rename(ticket_id, 'A "better" title')
    eventually(lambda: issue.fields["summary"] == 'A "better" title')
    play.agent.prioritise(ticket_id, "urgent")
    eventually(lambda: issue.fields["priority"] == "Highest")
    play.engineer.prioritise(issue.id, "low")
    eventually(lambda: play.stage.snapshot("support", ticket_id).ticket.priority is Priority.LOW)
    play.engineer._edit(issue.id, update={"labels": [{"add": "needs-docs"}]})
    eventually(lambda: "needs-docs" in play.stage.snapshot("support", ticket_id).ticket.labels)
    play.quiet()
    assert "escalate" in play.stage.snapshot("support", ticket_id).ticket.labels
