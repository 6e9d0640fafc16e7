"""The straight line of the pair OTRS and Jira, with real processes and sockets, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest

from hub.connector import Known
from hub.demo.stage import open_stage
from hub.sandbox.cast import File
from hub.ticket import Priority, Status
from plugins.otrs.sandbox.cast import OtrsActor
from tests.e2e.conftest import Play, eventually


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    with open_stage({"support": "otrs", "dev": "jira"}) as stage:
        yield Play(stage)


def test_an_escalated_ticket_gets_one_issue_with_links_on_both_sides(play: Play) -> None:
    ticket_id, issue = play.escalated("The sum is wrong", "It is a zł short,\nand late.")
    assert issue.fields["summary"] == "The sum is wrong"
    assert "a zł short" in issue.fields["description"]
    play.quiet()
    assert any(f"TicketID={ticket_id}" in link["object"]["url"] for link in issue.links.values())
    assert sum(issue.key in note for note in play.notes(ticket_id)) == 1
    shown = play.stage.snapshot("support", ticket_id).ticket
    assert any(issue.key in link.url for link in shown.links)
    assert sum(play.issue_of(ticket_id) is other for other in play.issues()) == 1


def test_answers_go_both_ways_and_the_customer_sees_them(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.engineer.say(issue.id, "*Reproduced*: zażółć gęślą jaźń.", public=True)
    eventually(lambda: any("gęślą" in reply for reply in play.replies(ticket_id)))
    play.customer.say(ticket_id, "Thank you & <b>good luck</b>", public=True)
    eventually(lambda: any("<b>good luck</b>" in body for body in play.bodies(issue)))
    seen = cast(OtrsActor, play.customer).read(ticket_id)
    assert any("gęślą" in article["Body"] for article in seen["Article"])


def test_a_private_note_stays_home_on_both_sides(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.agent.say(ticket_id, "secret of the agents", public=False)
    play.engineer.say(issue.id, "secret of the engineers", public=False)
    play.agent.say(ticket_id, "a public word", public=True)
    eventually(lambda: any("a public word" in body for body in play.bodies(issue)))
    play.quiet()
    assert not any("secret of the agents" in body for body in play.bodies(issue))
    comments = play.stage.snapshot("support", ticket_id).comments or ()
    assert not any("secret of the engineers" in comment.text for comment in comments)
    seen = cast(OtrsActor, play.customer).read(ticket_id)
    assert not any("secret" in a["Body"] or issue.key in a["Subject"] for a in seen["Article"])


def test_a_solved_issue_solves_the_ticket_and_a_reopened_ticket_is_told(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.engineer.resolve(issue.id)
    eventually(lambda: play.stage.snapshot("support", ticket_id).ticket.status is Status.SOLVED)
    assert play.stage.snapshot("support", ticket_id).ticket.native["status"] == "closed successful"


def test_title_and_priority_follow(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.agent.rename(ticket_id, "Renamed in the helpdesk")
    eventually(lambda: issue.fields["summary"] == "Renamed in the helpdesk")
    play.engineer.prioritise(issue.id, "urgent")
    eventually(lambda: play.stage.snapshot("support", ticket_id).ticket.priority is Priority.URGENT)


def test_files_cross_both_ways(play: Play) -> None:
    ticket_id, issue = play.escalated()
    name = "raport ąę (1).pdf"
    play.agent.say(
        ticket_id, "With a file.", public=True, files=[File(name, b"%PDF from the agent", "application/pdf")]
    )
    eventually(lambda: any(a.content == b"%PDF from the agent" for a in issue.attachments))
    play.engineer.say(issue.id, "With another.", public=True, files=[File("log.txt", b"a log", "text/plain")])

    def arrived() -> bytes:
        connector = play.stage.connectors["support"]
        for comment in connector.read(ticket_id, Known()).comments or ():
            for file in comment.attachments:
                if file.name == "log.txt":
                    with connector.download(file) as chunks:
                        return b"".join(chunks)
        return b""

    assert eventually(arrived) == b"a log"


def test_the_hub_comes_to_rest_and_changes_nothing_that_nobody_changed(play: Play) -> None:
    play.escalated("Rich", "- one\n- two\n\nhttps://example.com/?a=1&b=2 and `code` *stars* _lines_ 1. x @someone")
    play.quiet()
    writes = play.support.requests.count("POST", "/(change|open)$")
    assert writes
    synced = play.stage.run_command("sync", "--all")
    assert synced.returncode == 0, synced.stderr
    play.quiet()
    assert play.support.requests.count("POST", "/(change|open)$") == writes
