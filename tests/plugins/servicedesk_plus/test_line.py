"""The straight line of the pair ServiceDesk Plus and Jira, with real processes and sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.demo.stage import open_stage
from hub.sandbox.cast import File
from hub.ticket import Priority, Status
from tests.e2e.conftest import Play, eventually

PAIR = {"support": "servicedesk-plus", "dev": "jira"}


@pytest.fixture(scope="module", params=["on_premises", "cloud"])
def play(request: pytest.FixtureRequest) -> Iterator[Play]:
    """ServiceDesk Plus of either edition and Jira with a hub between them; each test uses tickets of its own."""
    with open_stage(PAIR, flavour=request.param) as stage:
        yield Play(stage)


def test_an_escalated_request_gets_one_issue_and_a_private_note_that_names_it(play: Play) -> None:
    ticket_id, issue = play.escalated("The sum is wrong", "Since yesterday.")
    assert issue.fields["summary"] == "The sum is wrong"
    assert "Since yesterday" in issue.fields["description"]
    play.quiet()
    (url,) = [link["object"]["url"] for link in issue.links.values()]
    assert url == play.stage.snapshot("support", ticket_id).ticket.url
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
    play.agent.say(ticket_id, "secret of the technicians", public=False)
    play.agent.forward(ticket_id, "secret of a partner", "partner@elsewhere.example")  # type: ignore[attr-defined]  # a technician
    play.engineer.say(issue.id, "secret of the engineers", public=False)
    play.agent.say(ticket_id, "a public word", public=True)
    eventually(lambda: any("a public word" in body for body in play.bodies(issue)))
    play.quiet()
    assert not any("secret of" in body and "engineers" not in body for body in play.bodies(issue))
    assert not any("engineers" in text for text in (*play.replies(ticket_id), *play.notes(ticket_id)))


def test_a_resolved_issue_resolves_the_request_after_the_answer(play: Play) -> None:
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
    play.agent.prioritise(ticket_id, "high")
    eventually(lambda: issue.fields["priority"] == "High")
    play.engineer.prioritise(issue.id, "low")
    eventually(lambda: play.stage.snapshot("support", ticket_id).ticket.priority is Priority.LOW)
    play.engineer._edit(issue.id, update={"labels": [{"add": "needs-docs"}]})
    eventually(lambda: "needs-docs" in play.stage.snapshot("support", ticket_id).ticket.labels)
    play.quiet()
    assert "escalate" in play.stage.snapshot("support", ticket_id).ticket.labels


def polls(play: Play) -> int:
    """How many lists of requests the hub has asked for."""
    return sum(r.method == "GET" and r.path.endswith("/api/v3/requests") for r in play.support.requests)


def test_polling_alone_keeps_the_pair_in_step() -> None:
    with open_stage(PAIR, flavour="on_premises", with_webhooks=False) as stage:
        play = Play(stage)
        # A build in which notes leave the time of their request as it is.
        play.support.change_settings(notes_touch=0)
        ticket_id, issue = play.escalated()
        play.customer.say(ticket_id, "It shows 13.", public=True)
        eventually(lambda: any("It shows 13" in body for body in play.bodies(issue)))
        play.engineer.say(issue.id, "Fixed.", public=True)
        eventually(lambda: any("Fixed." in reply for reply in play.replies(ticket_id)))
        play.agent.rename(ticket_id, "Another title")
        eventually(lambda: issue.fields["summary"] == "Another title")
        assert len(play.bodies(issue)) == 2
        assert play.support.webhooks.sent == ()


def test_a_lost_webhook_is_found_by_polling_and_a_look_is_two_calls() -> None:
    settings = {"support": {"poll": {"every": 1}}}
    with open_stage(PAIR, tracker_settings=settings) as stage:
        play = Play(stage)
        ticket_id, issue = play.escalated()
        play.support.webhooks.drop_next(1)
        play.agent.say(ticket_id, "nobody was told", public=True)
        eventually(lambda: any("nobody was told" in body for body in play.bodies(issue)))
        assert [s.attempt for s in play.support.webhooks.sent].count(0) == 1
        lists = polls(play)
        eventually(lambda: polls(play) > lists)
        reads = [r for r in play.support.requests if r.path.endswith(f"/requests/{ticket_id}") and r.method == "GET"]
        assert len(reads) < 20
