"""The straight line of the pair Zendesk and Jira, with real processes and sockets: each step of the demo, both ways."""

from __future__ import annotations

import io
import threading
from functools import partial

import httpx
import pytest

from hub.connector import Known, NewComment, Upload
from hub.sandbox.cast import File
from hub.text import canonical
from hub.ticket import Priority, Status, Visibility
from tests.e2e.conftest import PATIENCE, Play, eventually


def has_reply(play: Play, ticket_id: str, words: str) -> bool:
    return any(words in reply for reply in play.replies(ticket_id))


POLISH = "zażółć gęślą jaźń"


def test_an_escalated_ticket_gets_one_issue_with_links_on_both_sides(play: Play) -> None:
    ticket_id, issue = play.escalated("The sum is wrong", "**Not** bold, and a\nsecond line.")
    assert issue.fields["summary"] == "The sum is wrong"
    assert "second line" in issue.fields["description"]
    play.quiet()
    assert [link["object"]["url"] for link in issue.links.values()] == [f"{play.support.url}/agent/tickets/{ticket_id}"]
    assert sum(issue.key in note for note in play.notes(ticket_id)) == 1
    assert sum(play.issue_of(ticket_id) is other for other in play.issues()) == 1


def test_a_ticket_without_the_label_gets_no_issue(play: Play) -> None:
    ticket_id = play.customer.open_ticket("Only a question", "How do I…?")
    play.agent.say(ticket_id, "Like this.", public=True)
    play.quiet()
    assert play.issue_of(ticket_id) is None


def test_an_engineers_answer_reaches_the_ticket_and_a_customers_reply_the_issue(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.engineer.say(issue.id, f"*Reproduced* {POLISH}.", public=True)
    eventually(lambda: any(POLISH in reply for reply in play.replies(ticket_id)))
    play.customer.say(ticket_id, "Thank you & <b>good luck</b>", public=True)
    eventually(lambda: any("<b>good luck</b>" in body for body in play.bodies(issue)))


def test_a_private_note_stays_private_on_both_sides(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.agent.say(ticket_id, "secret of the agents", public=False)
    play.engineer.say(issue.id, "secret of the engineers", public=False)
    play.agent.say(ticket_id, "a public word", public=True)
    eventually(lambda: any("a public word" in body for body in play.bodies(issue)))
    play.quiet()
    assert not any("secret of the agents" in body for body in play.bodies(issue))
    shown = play.stage.snapshot("support", ticket_id).comments or ()
    assert not any("secret of the engineers" in c.text for c in shown)


def test_a_file_crosses_once_and_whole_in_both_directions(play: Play) -> None:
    ticket_id, issue = play.escalated()
    content = bytes(range(256)) * 8192
    play.customer.say(ticket_id, "my log", public=True, files=[File(f"{POLISH}.bin", content)])
    eventually(lambda: [a.name for a in issue.attachments] == [f"{POLISH}.bin"])
    assert issue.attachments[0].content == content
    play.engineer.say(issue.id, "a patch", public=True, files=[File("fix.patch", b"--- a\n+++ b\n")])
    eventually(lambda: any("a patch" in reply for reply in play.replies(ticket_id)))
    play.quiet()
    comments = play.stage.snapshot("support", ticket_id).comments or ()
    crossed = [a for c in comments for a in c.attachments if a.name == "fix.patch"]
    assert crossed
    with play.stage.connectors["support"].download(crossed[-1]) as chunks:
        assert b"".join(chunks) == b"--- a\n+++ b\n"
    assert len(issue.attachments) == 2


def test_title_priority_and_labels_travel_both_ways(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.agent.rename(ticket_id, "A better title")
    eventually(lambda: issue.fields["summary"] == "A better title")
    play.engineer.rename(issue.id, "The best title")
    eventually(lambda: play.stage.snapshot("support", ticket_id).ticket.title == "The best title")
    play.agent.prioritise(ticket_id, "urgent")
    eventually(lambda: issue.fields["priority"] == "Highest")
    play.engineer.prioritise(issue.id, "low")
    eventually(lambda: play.stage.snapshot("support", ticket_id).ticket.priority is Priority.LOW)
    play.engineer._edit(issue.id, update={"labels": [{"add": "needs-docs"}]})
    eventually(lambda: "needs-docs" in play.stage.snapshot("support", ticket_id).ticket.labels)
    play.quiet()
    assert issue.fields["summary"] == "The best title"


def test_solving_the_ticket_walks_the_issue_through_its_workflow_with_the_resolution_it_asks_for(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.agent.resolve(ticket_id)
    eventually(lambda: issue.fields["status"] == "Done")
    assert issue.fields["resolution"] == "Done"
    visited = [item["toString"] for entry in issue.changelog for item in entry["items"] if item["field"] == "status"]
    assert visited == ["In Progress", "In Review", "Done"]
    play.agent.reopen(ticket_id)
    eventually(lambda: issue.fields["status"] in ("Reopened", "In Progress"))


def test_resolving_the_issue_solves_the_ticket_after_the_answer_has_arrived(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.engineer.say(issue.id, "Fixed.", public=True)
    play.engineer.resolve(issue.id)
    eventually(lambda: play.stage.snapshot("support", ticket_id).ticket.status is Status.SOLVED)
    assert any("Fixed." in reply for reply in play.replies(ticket_id))


def test_an_edited_comment_is_edited_in_jira_and_noted_in_zendesk(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.engineer.say(issue.id, "It is in the parser.", public=True)
    eventually(lambda: any("in the parser" in reply for reply in play.replies(ticket_id)))
    comment = next(c for c in issue.comments if "parser" in c.body)
    play.engineer._call("PUT", f"/issue/{issue.id}/comment/{comment.id}", json={"body": "It is in the lexer."})
    eventually(lambda: any("in the lexer" in reply for reply in play.replies(ticket_id)))
    assert sum("in the parser" in reply for reply in play.replies(ticket_id)) == 1


def test_what_was_there_before_the_link_comes_over_in_order_with_authors(play: Play) -> None:
    ticket_id = play.customer.open_ticket("An old problem", "It began last week.")
    for word in ("first", "second", "third"):
        play.agent.say(ticket_id, f"the {word} answer", public=True)
    play.agent.escalate(ticket_id)
    issue = eventually(lambda: play.issue_of(ticket_id))
    eventually(lambda: len(play.bodies(issue)) == 3)
    assert [word in body for word, body in zip(("first", "second", "third"), play.bodies(issue), strict=True)] == [
        True, True, True,
    ]  # fmt: skip
    assert all(body.startswith(f"*{play.agent.name}*") for body in play.bodies(issue))


def test_two_tickets_on_one_issue_both_hear_from_the_engineer(play: Play) -> None:
    first, issue = play.escalated("The first customer")
    second = play.customer.open_ticket("The second customer", "Me too.")
    linked = play.stage.run_command("link", f"support:{second}", f"dev:{issue.key}")
    assert linked.returncode == 0, linked.stderr
    play.engineer.say(issue.id, "One answer for both.", public=True)
    for ticket_id in (first, second):
        eventually(partial(has_reply, play, ticket_id, "One answer"))
    assert play.stage.snapshot("support", second).ticket.title == "The second customer"
    assert len(issue.links) == 2


def test_an_unlinked_ticket_is_left_alone_and_not_escalated_again_by_itself(play: Play) -> None:
    ticket_id, issue = play.escalated()
    done = play.stage.run_command("unlink", f"support:{ticket_id}")
    assert done.returncode == 0, done.stderr
    play.engineer.say(issue.id, "not for this ticket any more", public=True)
    play.agent.say(ticket_id, "nor for this issue", public=True)
    play.quiet()
    assert not any("not for this ticket" in reply for reply in play.replies(ticket_id))
    assert not any("nor for this issue" in body for body in play.bodies(issue))
    assert not issue.links


def test_a_doubled_webhook_is_answered_and_changes_nothing_twice(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.support.webhooks.double_next(5)
    play.dev.webhooks.double_next(5)
    play.agent.say(ticket_id, "said once", public=True)
    eventually(lambda: any("said once" in body for body in play.bodies(issue)))
    play.quiet()
    assert sum("said once" in body for body in play.bodies(issue)) == 1
    assert "duplicate" in httpx.get(f"{play.stage.hub_url}/metrics").text


def test_a_lost_webhook_is_found_by_the_next_sync(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.quiet()
    play.support.webhooks.drop_next(1)
    play.agent.say(ticket_id, "nobody told the hub", public=True)
    play.quiet()
    assert not any("nobody told" in body for body in play.bodies(issue))
    synced = play.stage.run_command("sync", f"support:{ticket_id}")
    assert synced.returncode == 0, synced.stderr
    assert sum("nobody told" in body for body in play.bodies(issue)) == 1


def test_an_issue_that_moved_to_another_project_stays_linked(play: Play) -> None:
    ticket_id, issue = play.escalated()
    old = issue.key
    httpx.post(f"{play.dev.url}/_sandbox/move", json={"issue": issue.id, "project": "WEB"}).raise_for_status()
    play.engineer.say(issue.id, "moved, not gone", public=True)
    eventually(lambda: any("moved, not gone" in reply for reply in play.replies(ticket_id)))
    listed = play.stage.run_command("links")
    assert issue.key in listed.stdout
    assert issue.key != old


def test_a_deleted_issue_is_shown_in_the_ticket_which_is_left_as_it_is(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.quiet()
    play.engineer._call("DELETE", f"/issue/{issue.id}")
    eventually(lambda: any("was deleted" in note for note in play.notes(ticket_id)))
    play.quiet()
    assert sum("was deleted" in note for note in play.notes(ticket_id)) == 1
    assert play.stage.snapshot("support", ticket_id).ticket.status is Status.OPEN


def test_a_deleted_ticket_is_shown_in_the_issue_once_and_the_issue_goes_on(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.quiet()
    play.agent._call("DELETE", f"/tickets/{ticket_id}")  # type: ignore[attr-defined]  # what Zendesk's page does
    eventually(lambda: any("was deleted" in body for body in play.bodies(issue)))
    play.engineer.say(issue.id, "Nobody hears me now.", public=True)
    play.quiet()
    assert sum("was deleted" in body for body in play.bodies(issue)) == 1
    assert "Nothing has failed" in play.stage.run_command("failures").stdout


@pytest.mark.parametrize("tracker", ["support", "dev"])
def test_a_forged_or_unsigned_webhook_is_refused_and_changes_nothing(play: Play, tracker: str) -> None:
    play.quiet()
    calls = [len(s.requests) for s in play.stage.sandboxes.values()]
    url = f"{play.stage.hub_url}/webhooks/{tracker}"
    forged = httpx.post(url, json={"ticket_id": "1"}, headers={"X-Hub-Signature": "sha256=00"})
    assert forged.status_code == 401
    assert "Traceback" not in forged.text
    play.quiet()
    assert calls == [len(s.requests) for s in play.stage.sandboxes.values()]


def test_explain_names_delivery_decision_and_write(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.quiet()
    shown = play.stage.run_command("explain", f"support:{ticket_id}").stdout
    assert "escalated by rule" in shown
    assert "it carries the label escalate" in shown
    assert f"id {issue.id}" in shown
    assert "webhook" in shown


def test_explain_names_what_brought_an_engineers_comment(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.engineer.say(issue.id, "Where do I come from?", public=True)
    eventually(lambda: play.replies(ticket_id))
    play.quiet()
    comment = issue.comments[-1].id
    lines = play.stage.run_command("explain", f"support:{ticket_id}").stdout.splitlines()
    brought = [n for n, line in enumerate(lines) if f"dev:{issue.id} webhook" in line and "comment_created" in line]
    decided = [n for n, line in enumerate(lines) if f"comment {comment} in dev:{issue.id}" in line]
    written = [n for n, line in enumerate(lines) if f"support:{ticket_id} write" in line and "public comment" in line]
    assert brought[0] < decided[0] < written[0]


def test_a_picture_in_a_text_arrives_as_a_picture_that_refers_to_its_file(play: Play) -> None:
    ticket_id, issue = play.escalated()
    png = b"\x89PNG\r\n\x1a\n" + bytes(64)
    play.engineer.say(issue.id, "See !screen.png|thumbnail! here", public=True, files=[File("screen.png", png)])
    eventually(lambda: play.replies(ticket_id))
    play.quiet()
    comments = play.stage.snapshot("support", ticket_id).comments or ()
    (crossed,) = [a for c in comments for a in c.attachments]
    assert (crossed.name, crossed.size) == ("screen.png", len(png))
    assert "![screen.png](attachment:screen.png)" in play.replies(ticket_id)[-1]
    # And back: the customer's reply shows a picture of its own.
    support = play.stage.connectors["support"]
    answer = NewComment(
        text=canonical("Here ![](attachment:mine.png) it is"), visibility=Visibility.PUBLIC, marker="a person's",
        uploads=(Upload(name="mine.png", content_type="image/png", size=len(png), open=lambda: io.BytesIO(png)),),
    )  # fmt: skip
    support.add_comment(ticket_id, answer)
    eventually(lambda: any("!mine.png!" in body for body in play.bodies(issue)))
    play.quiet()
    assert [a.name for a in issue.attachments] == ["screen.png", "mine.png"]


def test_a_picture_that_is_stored_before_its_comment_crosses_once(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.quiet()
    gate = play.dev.faults.gate("POST", rf"/issue/{issue.id}/comment$")
    file = File("screen.png", b"\x89PNG\r\n\x1a\n" + bytes(64))
    saying = threading.Thread(
        target=play.engineer.say, args=(issue.id, "See !screen.png!"), kwargs={"public": True, "files": [file]}
    )
    saying.start()
    assert gate.wait_reached(PATIENCE)
    play.quiet()
    gate.release()
    saying.join(PATIENCE)
    eventually(lambda: any("See" in reply for reply in play.replies(ticket_id)), "the comment")
    play.quiet()
    comments = play.stage.snapshot("support", ticket_id).comments or ()
    assert [a.name for c in comments for a in c.attachments] == ["screen.png"]


def test_a_mirrored_mention_notifies_nobody(play: Play) -> None:
    ticket_id, issue = play.escalated()
    play.customer.say(ticket_id, "Thanks [~engineer1] and @Engineer One, mail me@example.com", public=True)
    eventually(lambda: any("Thanks" in body for body in play.bodies(issue)))
    body = play.bodies(issue)[-1]
    assert "[~engineer1]" not in body.replace("\\[~", "")
    assert "@Engineer" not in body
    assert "me@example.com" in body


def test_the_figures_of_a_serving_hub_tell_of_all_its_parts(play: Play) -> None:
    play.escalated()
    play.quiet()
    shown = httpx.get(f"{play.stage.hub_url}/metrics").text
    for figure in (
        'hub_wakes{state="waiting"} 0.0',
        "hub_failures_open 0.0",
        'hub_poll_age_seconds{tracker="support"}',
        'hub_journal_work{kind="commits"}',
        'hub_calls_total{method="POST",outcome="2xx",tracker="dev"}',
        'hub_writes_total{kind="CreateTicket",tracker="dev"}',
        'hub_deliveries_total{outcome="accepted",tracker="support"}',
    ):
        assert figure in shown, figure


def test_no_secret_is_in_the_log_the_store_or_the_metrics(play: Play) -> None:
    play.escalated()
    secrets = list(play.stage.environment.values())
    texts = [(play.stage.folder / "hub.log").read_text(), httpx.get(f"{play.stage.hub_url}/metrics").text]
    store = b"".join(p.read_bytes() for p in play.stage.folder.glob("hub.sqlite3*"))
    for secret in secrets:
        assert all(secret not in text for text in texts)
        assert secret.encode() not in store


def test_a_ticket_is_read_the_same_with_and_without_its_comments(play: Play) -> None:
    ticket_id, _ = play.escalated("Rich", "A list:\n- one\n- two")
    full = play.stage.snapshot("support", ticket_id)
    short = play.stage.connectors["support"].read(
        ticket_id, Known(comment_count=full.comment_count, must_read_comments=False)
    )
    assert short.comments is None
    assert short.ticket.description is None
    assert (short.ticket.title, short.ticket.labels) == (full.ticket.title, full.ticket.labels)
