"""The straight line of the pair Service Desk and Jira, with real processes and sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.demo.stage import open_stage
from hub.sandbox.cast import File
from hub.ticket import Priority, Status
from plugins.solarwinds.sandbox import SolarwindsSandbox
from tests.e2e.conftest import Play, eventually


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    """Service Desk and Jira Cloud with a hub between them; each test uses tickets of its own."""
    with open_stage({"support": "solarwinds", "dev": "jira"}) as stage:
        yield Play(stage)


@pytest.fixture(scope="module")
def polled() -> Iterator[Play]:
    """The same without a webhook."""
    with open_stage({"support": "solarwinds", "dev": "jira"}, with_webhooks=False) as stage:
        yield Play(stage)


def desk(play: Play) -> SolarwindsSandbox:
    assert isinstance(play.support, SolarwindsSandbox)
    return play.support


def test_an_escalated_ticket_gets_one_issue_and_a_private_note_that_names_it(play: Play) -> None:
    ticket_id, issue = play.escalated("The sum is wrong", "Since yesterday.")
    assert issue.fields["summary"] == "The sum is wrong"
    assert "Since yesterday" in issue.fields["description"]
    play.quiet()
    (link,) = issue.links.values()
    assert f"/incidents/{ticket_id}" in link["object"]["url"]
    assert sum(issue.key in note for note in play.notes(ticket_id)) == 1


def test_answers_cross_both_ways_once_and_mail_nobody(play: Play) -> None:
    ticket_id, issue = play.escalated()
    mails = len(desk(play).store.mails)
    play.engineer.say(issue.id, "*Reproduced* naïve.", public=True)
    eventually(lambda: any("naïve" in reply for reply in play.replies(ticket_id)))
    play.customer.say(ticket_id, "Thank you & <b>good luck</b>", public=True)
    eventually(lambda: any("<b>good luck</b>" in body for body in play.bodies(issue)))
    play.quiet()
    assert len(play.replies(ticket_id)) == 2
    assert len(play.bodies(issue)) == 2
    assert not any("[hub-ref" in text for text in (*play.replies(ticket_id), *play.bodies(issue)))
    assert len(desk(play).store.mails) == mails


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
    # Jira tells of the file before the comment: it may have come with a private note first.
    public = [c for c in comments if c.visibility.is_public]
    (crossed,) = [a for c in public for a in c.attachments if a.name == "fix.patch"]
    with play.stage.connectors["support"].download(crossed) as chunks:
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


def test_polling_alone_keeps_the_pair_in_step_even_where_comments_leave_no_trace_in_the_list(polled: Play) -> None:
    desk(polled).change_settings(comments_touch=0)
    ticket_id, issue = polled.escalated("Polled")
    polled.customer.say(ticket_id, "Found by looking", public=True)
    eventually(lambda: any("Found by looking" in body for body in polled.bodies(issue)))
    polled.engineer.say(issue.id, "And back.", public=True)
    eventually(lambda: any("And back." in reply for reply in polled.replies(ticket_id)))
    polled.engineer.resolve(issue.id)
    eventually(lambda: polled.stage.snapshot("support", ticket_id).ticket.status is Status.SOLVED)


def test_a_lost_webhook_is_found_by_polling_which_reads_each_changed_ticket_once() -> None:
    every = {"support": {"poll": {"every": 1}}}
    with open_stage({"support": "solarwinds", "dev": "jira"}, tracker_settings=every) as stage:
        play = Play(stage)
        ticket_id, issue = play.escalated("Lost")
        play.support.webhooks.drop_next(1)
        play.customer.say(ticket_id, "Nobody told of this", public=True)
        eventually(lambda: any("Nobody told of this" in body for body in play.bodies(issue)))
        pause = eventually(lambda: play.support.requests.count("GET", "/audits.json") > 1)
        assert pause
        play.support.requests.clear()
        looks = 3
        eventually(lambda: play.support.requests.count("GET", "/audits.json") >= looks)
        reads = play.support.requests.count("GET", rf"/incidents/{ticket_id}\.json")
        assert reads <= 2, "a ticket that nobody changes is not read again and again"
