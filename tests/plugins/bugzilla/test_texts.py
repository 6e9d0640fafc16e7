"""Texts: how they are held, and what is and is not a person's word."""

from __future__ import annotations

import pytest

from hub.text import canonical
from plugins.bugzilla import labels, texts
from plugins.bugzilla.connector import BugzillaConnector
from plugins.bugzilla.sandbox import BugzillaSandbox
from tests.plugins.bugzilla.conftest import a_comment, created, seen


@pytest.mark.parametrize(
    ("text", "summary", "rest"),
    [
        ("Created attachment 7\nlog.txt", "log.txt", ""),
        ("Created attachment 7\nlog.txt\n\nIt shows 13.", "log.txt", "It shows 13."),
        ("Created attachment 7\nan older name\n\nIt shows 13.", "log.txt", "It shows 13."),
        ("Created attachment 7\ntwo\nlines\n\nIt shows 13.", "two\nlines", "It shows 13."),
        ("Comment on attachment 7\nlog.txt\n\nObsolete.", "log.txt", "Obsolete."),
        ("Anlage 7 angelegt\nlog.txt\n\nEs zeigt 13.", "log.txt", "Es zeigt 13."),
        ("Created attachment 7\nof a file that the hub may not see\n\nHere.", "", "Here."),
    ],
)
def test_bugzillas_own_words_about_a_file_are_no_persons(text: str, summary: str, rest: str) -> None:
    assert texts.without_head(text, summary) == rest


def test_only_a_line_of_bugzillas_own_about_a_duplicate_is_passed_over() -> None:
    assert texts.is_bugzillas_own("*** This bug has been marked as a duplicate of bug 10 ***")
    assert texts.is_bugzillas_own("*** Bug 25 has been marked as a duplicate of this bug. ***\n")
    assert not texts.is_bugzillas_own("Same here.\n\n*** This bug has been marked as a duplicate of bug 10 ***")


def test_a_title_is_one_line_of_at_most_255_characters(connector: BugzillaConnector) -> None:
    title = "Two\nlines " + "ż" * 300
    held = connector.hold("title", title)
    assert isinstance(held, str)
    assert (len(held), "\n" in held, held[-1]) == (255, False, "…")
    assert seen(connector, created(connector, title=title)).ticket.title == held


def test_markdown_is_kept_at_mozilla_and_plain_text_elsewhere(
    connector: BugzillaConnector, site: BugzillaSandbox
) -> None:
    bug = created(connector)
    connector.add_comment(bug, a_comment("It is **bold**, see `x`."))
    kept = site.store.bugs[int(bug)].comments[-1]
    assert kept.text.startswith("It is **bold**, see `x`." if site.flavour == "bmo" else "It is bold, see x.")
    assert kept.is_markdown is (site.flavour == "bmo")


def test_umlauts_and_pictures_arrive_whole_in_every_flavour(connector: BugzillaConnector) -> None:
    bug = created(connector, title="Zażółć gęślą jaźń 🙂", description=canonical("你好 — 🙂"))
    ticket = seen(connector, bug).ticket
    assert (ticket.title, ticket.description) == ("Zażółć gęślą jaźń 🙂", "你好 — 🙂")


@pytest.mark.parametrize(
    ("before", "add", "remove", "after"),
    [
        ("", {"a b"}, set(), "[a b]"),
        ("text", {"x"}, set(), "text [x]"),
        ("[a]", {"b"}, set(), "[a][b]"),
        ("[A] text [b]", set(), {"a"}, " text [b]"),
        ("[a]", {"a"}, set(), "[a]"),
        ("nothing in brackets", set(), {"a"}, "nothing in brackets"),
    ],
)
def test_labels_come_and_go_in_the_whiteboard_and_the_rest_stays(
    before: str, add: set[str], remove: set[str], after: str
) -> None:
    assert labels.changed_whiteboard(before, add, remove) == after


@pytest.mark.parametrize(
    ("label", "held"), [("Red  Hot", "red hot"), ("a[1]", "a(1)"), ("", "label"), ("x" * 99, "x" * 60)]
)
def test_a_label_has_one_form(label: str, held: str) -> None:
    assert labels.held(label) == held
    assert labels.held(held) == held
