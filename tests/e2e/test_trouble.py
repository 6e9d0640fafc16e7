"""What goes wrong around the hub: no webhooks, lost ones, no network, a text that is far too long, a restart."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from hub.connector import Known
from hub.demo.stage import Stage, open_stage
from hub.ticket import Status
from plugins.zendesk.sandbox import ZendeskSandbox
from tests.e2e.conftest import PATIENCE, Play, eventually

POLISH_HTML = "<p>Zażółć <b>gęślą</b> jaźń &amp; <a href='https://example.com/ą'>dalej</a>.</p>\n"


def shows_changes_at_once(stage: Stage) -> None:
    """Zendesk keeps the newest minute back from polls; a test need not wait for it."""
    support = stage.sandboxes["support"]
    assert isinstance(support, ZendeskSandbox)
    support.change_settings(withhold_seconds=0)


@pytest.fixture
def polled() -> Iterator[Play]:
    with open_stage({"support": "zendesk", "dev": "jira"}, with_webhooks=False) as stage:
        shows_changes_at_once(stage)
        yield Play(stage)


@pytest.fixture
def both() -> Iterator[Play]:
    often = {"poll": {"every": 0.5}}
    with open_stage({"support": "zendesk", "dev": "jira"}, tracker_settings={"support": often, "dev": often}) as stage:
        shows_changes_at_once(stage)
        yield Play(stage)


@pytest.fixture
def play() -> Iterator[Play]:
    with open_stage({"support": "zendesk", "dev": "jira"}) as stage:
        yield Play(stage)


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
    both.dev.webhooks.drop_next(5)
    both.engineer.say(issue.id, "Nobody told the hub.", public=True)
    eventually(lambda: any("Nobody told the hub" in r for r in both.replies(ticket_id)))


def test_while_nothing_happens_polling_makes_one_call_a_look_and_reads_no_ticket(both: Play) -> None:
    ticket_id, issue = both.escalated("Nothing happens")
    both.stage.run_command("sync", f"support:{ticket_id}")
    # A change of the last two seconds is looked at once more.
    eventually(lambda: _looks(both) > 8)
    before_reads, before_looks = _reads(both, ticket_id, issue.id), _looks(both)
    eventually(lambda: _looks(both) >= before_looks + 4)
    assert _reads(both, ticket_id, issue.id) == before_reads


def _looks(play: Play) -> int:
    return play.support.requests.count("GET", r"/incremental/tickets/cursor") + play.dev.requests.count(path=r"/search")


def _reads(play: Play, ticket_id: str, issue_id: str) -> int:
    return play.support.requests.count("GET", rf"/tickets/{ticket_id}$") + play.dev.requests.count(
        "GET", rf"/issue/{issue_id}$"
    )


def test_a_tracker_that_is_away_gets_everything_once_it_is_back(play: Play) -> None:
    ticket_id, issue = play.escalated("Away")
    port = int(play.dev.url.rpartition(":")[2])
    play.quiet()
    play.dev.stop()
    play.customer.say(ticket_id, "Written while Jira was away.", public=True)
    play.agent.rename(ticket_id, "Renamed while Jira was away")
    eventually(lambda: "hub_wakes" in httpx.get(f"{play.stage.hub_url}/metrics").text)
    assert httpx.get(f"{play.stage.hub_url}/readyz").status_code == 200
    play.dev.start(port)
    eventually(lambda: sum("while Jira was away" in b for b in play.bodies(issue)) == 1)
    eventually(lambda: issue.fields["summary"] == "Renamed while Jira was away")
    play.quiet()
    assert sum("while Jira was away" in b for b in play.bodies(issue)) == 1
    assert play.stage.run_command("failures").returncode == 0


@pytest.mark.parametrize("told_by", ["webhook", "history"])
def test_what_an_engineer_changes_while_the_hub_writes_is_not_lost(play: Play, told_by: str) -> None:
    """Jira has no optimistic lock: what the hub wrote over is put back once something tells of it."""
    ticket_id, issue = play.escalated("Before the race")
    play.quiet()
    if told_by == "history":
        play.dev.webhooks.drop_next(2)
    gate = play.dev.faults.gate("PUT", rf"/issue/{issue.id}$")
    play.agent.rename(ticket_id, "The agent's title")
    assert gate.wait_reached(PATIENCE)
    play.engineer.rename(issue.id, "The engineer's title")
    gate.release()
    if told_by == "history":
        play.quiet()
        assert play.stage.snapshot("dev", issue.id).ticket.title == "The agent's title"
        assert play.stage.run_command("sync", f"dev:{issue.id}").returncode == 0
    eventually(
        lambda: play.stage.snapshot("support", ticket_id).ticket.title == "The engineer's title", "the engineer's title"
    )
    play.quiet()
    assert play.stage.snapshot("dev", issue.id).ticket.title == "The engineer's title"
    told = play.stage.run_command("explain", f"dev:{issue.id}").stdout
    assert "while the hub was about to write" in told
    assert "The agent's title" in told


def test_two_megabytes_of_polish_html_arrive_as_far_as_they_fit_and_the_hub_goes_on(play: Play) -> None:
    ticket_id, issue = play.escalated("Long")
    # More than any comment may hold; what does not fit is cut, and the cut is told.
    text = POLISH_HTML * (2 * 1024 * 1024 // len(POLISH_HTML.encode()))
    body = {"ticket": {"comment": {"html_body": text, "public": True}}}
    login = play.support.people()["agent1"]
    answer = httpx.put(
        f"{play.support.url}/api/v2/tickets/{ticket_id}", json=body, auth=(f"{login['email']}/token", login["token"])
    )
    if answer.status_code == 422:
        # Zendesk itself takes no more than 64 kB: then this is what can come.
        body["ticket"]["comment"]["html_body"] = POLISH_HTML * (60_000 // len(POLISH_HTML.encode()))
        httpx.put(
            f"{play.support.url}/api/v2/tickets/{ticket_id}", json=body,
            auth=(f"{login['email']}/token", login["token"]),
        ).raise_for_status()  # fmt: skip
    eventually(lambda: any("gęślą" in b for b in play.bodies(issue)))
    play.engineer.say(issue.id, "Too long to read.", public=True)
    eventually(lambda: any("Too long to read" in r for r in play.replies(ticket_id)))


def test_what_came_while_the_hub_was_down_is_done_after_its_start(play: Play) -> None:
    ticket_id, issue = play.escalated("Down")
    play.quiet()
    port = int(play.stage.hub_url.rpartition(":")[2])
    play.stage.kill_hub()
    play.customer.say(ticket_id, "Written while the hub was down.", public=True)
    play.stage.start_hub(port)
    # Zendesk sends again what nobody took; a sync finds what it would give up on.
    assert play.stage.run_command("sync", "--all").returncode == 0
    eventually(lambda: sum("while the hub was down" in b for b in play.bodies(issue)) == 1)


def test_a_plan_of_a_ticket_in_no_link_says_what_the_rule_would_do_and_does_nothing(play: Play) -> None:
    ticket_id = play.customer.open_ticket("Planned", "Only planned.")
    nothing = play.stage.run_command("plan", f"support:{ticket_id}")
    assert "does not carry the label escalate" in nothing.stdout
    play.stage.kill_hub()
    play.agent.escalate(ticket_id)
    planned = play.stage.run_command("plan", f"support:{ticket_id}")
    assert "create a ticket in dev: Planned" in " ".join(planned.stdout.split())
    assert "it carries the label escalate" in planned.stdout
    assert play.issues() == []
    assert play.stage.connectors["support"].read(ticket_id, Known()).comments == ()
