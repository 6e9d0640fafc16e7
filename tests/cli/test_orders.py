"""`hub escalate` and `hub announce` on sandboxes."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.ticket import Visibility
from tests.cli.conftest import Desk


def opened(desk: Desk, title: str, tracker: str = "support", *, labels: bool = False) -> str:
    """A ticket of a customer's that the hub has looked at."""
    ticket_id = desk.stage.actor(tracker, "customer").open_ticket(title, "It is broken.")
    if labels:
        desk.stage.actor(tracker, "expert").escalate(ticket_id)
    assert desk.hub("sync", f"{tracker}:{ticket_id}").exit_code == 0
    return ticket_id


# -- escalate ------------------------------------------------------------------------------------------------------


def test_a_ticket_is_handed_to_the_next_line_with_a_private_reason(desk: Desk) -> None:
    ticket_id = opened(desk, "Slow")
    assert desk.see(ticket_id)[0].line == 1
    done = desk.hub("escalate", f"support:{ticket_id}", "--next", "--reason", "needs *an* expert")
    assert (done.exit_code, done.stdout.strip()) == (0, f"support:{ticket_id} is with line 2 (Experts)")
    ticket, comments = desk.see(ticket_id)
    assert ticket.line == 2
    (note,) = [c for c in comments if "Handed to line 2 (Experts)" in c.text]
    assert note.visibility is Visibility.PRIVATE
    assert r"needs \*an\* expert" in note.text


def test_a_line_is_named_by_its_number_and_a_ticket_that_is_there_stays(desk: Desk) -> None:
    ticket_id = opened(desk, "Slow", "desk")
    assert desk.hub("escalate", f"desk:{ticket_id}", "--line", "2", "--reason", "x").exit_code == 0
    assert desk.see(ticket_id, "desk")[0].line == 2
    again = desk.hub("escalate", f"desk:{ticket_id}", "--line", "2", "--reason", "x")
    assert "is with line 2 (Experts) already" in again.output
    assert len(desk.said(ticket_id, "Handed to line", "desk")) == 1


def test_a_ticket_that_the_hub_has_never_seen_is_handed_over_as_well(desk: Desk) -> None:
    ticket_id = desk.stage.actor("support", "customer").open_ticket("New", "It is broken.")
    assert desk.hub("escalate", f"support:{ticket_id}", "--line", "3", "--reason", "a fault").exit_code == 0
    assert desk.see(ticket_id)[0].line == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--reason", "x"), "--next"),
        (("--line", "1", "--next", "--reason", "x"), "--next"),
        (("--next",), "--reason"),
        (("--line", "9", "--reason", "x"), "there is no line 9; there are 1, 2, 3"),
    ],
)
def test_a_wrong_wish_is_told_in_words(desk: Desk, arguments: tuple[str, ...], words: str) -> None:
    done = desk.hub("escalate", "support:1", *arguments)
    assert done.exit_code != 0
    assert words in done.output


def test_an_issue_has_no_line(desk: Desk) -> None:
    key = desk.stage.actor("dev", "expert").open_ticket("A fault", "It breaks.")
    done = desk.hub("escalate", f"dev:{key}", "--next", "--reason", "x")
    assert done.exit_code == 1
    assert "helpdesks" in done.output


# -- announce ------------------------------------------------------------------------------------------------------


def test_every_open_ticket_that_fits_is_told_once_however_often_it_is_typed(desk: Desk) -> None:
    affected = [("support", opened(desk, "Outage in the north")), ("desk", opened(desk, "OUTAGE", "desk"))]
    other, solved = opened(desk, "An invoice"), opened(desk, "Outage, solved")
    desk.stage.actor("support", "agent").resolve(solved)
    desk.hub("sync", f"support:{solved}")
    for expected in ("said in 2 ticket(s)", "said in 0 ticket(s), 2 had it already"):
        done = desk.hub(
            "announce", "--public", "--text", "The **network** is down.", "--where", "title=*outage*", "--yes"
        )
        assert done.exit_code == 0
        assert expected in done.output
    for tracker, ticket_id in affected:
        (comment,) = desk.said(ticket_id, "is down", tracker)
        assert comment.visibility is Visibility.PUBLIC
        assert "The **network** is down." in comment.text
    assert not desk.said(other, "is down")
    assert not desk.said(solved, "is down")


def test_all_conditions_have_to_hold_and_one_may_have_several_values(desk: Desk) -> None:
    ids = {tracker: opened(desk, "Outage", tracker) for tracker in ("support", "desk")}
    done = desk.hub(
        "announce", "--private", "--text", "Wait.", "--yes",
        "--where", "title=nothing,outage", "--where", "tracker=desk",
    )  # fmt: skip
    assert "said in 1 ticket(s)" in done.output
    (note,) = desk.said(ids["desk"], "Wait.", "desk")
    assert note.visibility is Visibility.PRIVATE
    assert not desk.said(ids["support"], "Wait.")


def test_every_customer_who_waits_for_an_issue_is_told(desk: Desk) -> None:
    first, second = opened(desk, "Crash", labels=True), opened(desk, "It crashes", "desk")
    listed = desk.hub("links").stdout
    issue = next(word.strip(",") for word in listed.split() if word.startswith("dev:"))
    assert desk.hub("link", f"desk:{second}", issue).exit_code == 0
    done = desk.hub("announce", "--public", "--text", "It is mended.", "--issue", issue, "--name", "mended", "--yes")
    assert "said in 2 ticket(s)" in done.output
    assert len(desk.said(first, "It is mended.")) == len(desk.said(second, "It is mended.", "desk")) == 1


def test_nothing_goes_out_on_a_dry_run_or_without_a_yes(desk: Desk) -> None:
    ticket_id = opened(desk, "Outage")
    wanted = ("announce", "--public", "--text", "Down.", "--ticket", f"support:{ticket_id}")
    dry = desk.hub(*wanted, "--dry-run")
    assert dry.exit_code == 0
    assert f"support:{ticket_id}" in dry.output
    assert "a public reply, which customers see" in dry.output
    assert desk.hub(*wanted, answer="n\n").exit_code == 1
    assert not desk.said(ticket_id, "Down.")
    assert desk.hub(*wanted, answer="y\n").exit_code == 0
    assert len(desk.said(ticket_id, "Down.")) == 1


def test_a_closed_ticket_that_was_named_is_left_out_and_said_so(desk: Desk) -> None:
    ticket_id = opened(desk, "Outage")
    desk.stage.actor("support", "agent").resolve(ticket_id)
    desk.hub("sync", f"support:{ticket_id}")
    done = desk.hub("announce", "--public", "--text", "Down.", "--ticket", f"support:{ticket_id}", "--yes")
    assert f"left out: support:{ticket_id}: it is not open any more" in done.output
    assert not desk.said(ticket_id, "Down.")


def test_a_text_comes_from_a_file_as_well(desk: Desk, tmp_path: Path) -> None:
    ticket_id = opened(desk, "Outage")
    file = tmp_path / "said.md"
    file.write_text("\ufeffGdańsk jest z powrotem.\n", encoding="utf-8")
    target = ("--ticket", f"support:{ticket_id}")
    assert desk.hub("announce", "--private", "--text-file", str(file), *target, "--yes").exit_code == 0
    assert len(desk.said(ticket_id, "Gdańsk jest z powrotem.")) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--text", "x", "--where", "label=a"), "--public"),
        (("--public", "--where", "label=a"), "--text"),
        (("--public", "--text", " ", "--where", "label=a"), "empty"),
        (("--public", "--text", "Dear {{ requester.name }}", "--where", "label=a"), "placeholders"),
        (("--public", "--text", "x"), "to whom"),
        (("--public", "--text", "x", "--where", "label"), "label=outage"),
        (("--public", "--text", "x", "--where", "colour=red"), "colour"),
        (("--public", "--text", "x", "--where", "priority=hot"), "priority=hot"),
        (("--public", "--text", "x", "--where", "text=hot"), "text"),
        (("--public", "--text", "x", "--issue", "dev:NO-1"), "NO-1"),
    ],
)
def test_a_wrong_announcement_is_refused_in_words(desk: Desk, arguments: tuple[str, ...], words: str) -> None:
    done = desk.hub("announce", *arguments, "--yes")
    assert done.exit_code != 0
    assert words in done.output
