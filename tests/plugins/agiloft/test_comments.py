"""Comments in a table of their own, and entries of append-only columns."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.connector import Capability, Known, NotOfferedError, TemporaryError
from hub.text import canonical
from hub.ticket import Markdown, Visibility
from plugins.agiloft.connector import AgiloftConnector
from plugins.agiloft.entries import Entries, marked, unmarked
from plugins.agiloft.sandbox import AgiloftSandbox
from plugins.agiloft.sandbox.cast import AgiloftActor, actor
from plugins.agiloft.times import LocalTimes
from tests.plugins.agiloft.builders import a_comment, created
from tests.plugins.agiloft.conftest import connect, values_of
from tests.plugins.clock import Clock

PUBLIC, PRIVATE = Visibility.PUBLIC, Visibility.PRIVATE
TIMES = LocalTimes("%Y-%m-%d %H:%M:%S", ZoneInfo("UTC"))
ENTRIES = Entries("{when} {who}:", TIMES, newest_first=True)

# -- a table of their own -----------------------------------------------------------------------------------------


def test_a_comment_of_the_table_names_its_author_time_and_who_may_read_it(
    connector: AgiloftConnector, agent: AgiloftActor, clock: Clock
) -> None:
    ticket_id = agent.open_ticket("x", "y")
    agent.say(ticket_id, "For all.", public=True)
    agent.say(ticket_id, "For us.", public=False)
    first, second = connector.read(ticket_id, Known()).comments or ()
    assert (first.author.id, first.text, first.visibility, first.created) == ("agent1", "For all.", PUBLIC, clock.now)
    assert (second.text, second.visibility, second.updated) == ("For us.", PRIVATE, None)


def test_a_word_that_the_settings_do_not_name_counts_as_private(site: AgiloftSandbox, agent: AgiloftActor) -> None:
    connector = connect(site, comments={"public": ["Everybody"], "private": ["Internal"]})
    ticket_id = agent.open_ticket("x", "y")
    agent.say(ticket_id, "Who may read this?", public=True)
    (comment,) = connector.read(ticket_id, Known()).comments or ()
    assert comment.visibility is Visibility.UNKNOWN
    assert not comment.visibility.is_public
    connector.close()


def test_comments_of_other_tickets_are_not_this_ones(connector: AgiloftConnector, agent: AgiloftActor) -> None:
    one, other = agent.open_ticket("1", "x"), agent.open_ticket("2", "x")
    for number in range(12):
        agent.open_ticket(str(number), "x")
    agent.say(other, "Of the other.", public=True)
    agent.say("12", "Of a longer number.", public=True)
    assert connector.read(one, Known()).comments == ()


def test_an_edit_states_the_visibility_again(connector: AgiloftConnector, site: AgiloftSandbox) -> None:
    ticket_id = created(connector)
    receipt = connector.add_comment(ticket_id, a_comment("Secret.", PRIVATE))
    with site.lock:
        site.kb.tables["case_comment"].records[int(receipt.id)].values["shown_to"] = "Public"
    connector.edit_comment(ticket_id, receipt.id, canonical("Secret still."), PRIVATE)
    assert values_of(site, receipt.id, "case_comment")["shown_to"] == "Internal"


def test_markup_is_kept_where_the_columns_hold_html(site: AgiloftSandbox) -> None:
    connector = connect(site, text_format="html")
    ticket_id = created(connector, description=canonical("It **breaks** at `x < y`."))
    receipt = connector.add_comment(ticket_id, a_comment("See [the log](https://example.com/log)."))
    assert values_of(site, ticket_id)["problem_description"] == (
        "<p>It <strong>breaks</strong> at <code>x &lt; y</code>.</p>"
    )
    snapshot = connector.read(ticket_id, Known())
    assert snapshot.ticket.description == "It **breaks** at `x < y`."
    assert {c.id: c.text for c in snapshot.comments or ()}[receipt.id] == "See [the log](https://example.com/log)."
    connector.close()


# -- append-only columns ------------------------------------------------------------------------------------------


def test_entries_are_read_oldest_first_with_their_authors_and_cost_no_call(
    appended: AgiloftSandbox, clock: Clock
) -> None:
    connector, agent, customer = connect(appended), actor(appended, "agent"), actor(appended, "customer")
    ticket_id = customer.open_ticket("x", "y")
    agent.say(ticket_id, "One,\n\nin two parts.", public=True)
    clock.forward(seconds=5)
    agent.say(ticket_id, "For us.", public=False)
    clock.forward(seconds=5)
    customer.say(ticket_id, "Three.", public=True)
    connector.identify()
    appended.requests.clear()
    comments = connector.read(ticket_id, Known()).comments or ()
    assert [(c.author.id, c.text, c.visibility) for c in comments] == [
        ("agent1", "One,\n\nin two parts.", PUBLIC),
        ("agent1", "For us.", PRIVATE),
        ("customer1", "Three.", PUBLIC),
    ]
    assert len(appended.requests) == 1
    assert "entry" not in customer.read(ticket_id)
    for one in (connector, agent, customer):
        one.close()


def test_an_entry_keeps_its_id_when_others_come(appended: AgiloftSandbox, clock: Clock) -> None:
    connector, agent = connect(appended), actor(appended, "agent")
    ticket_id = created(connector)
    receipt = connector.add_comment(ticket_id, a_comment("From the hub."))
    for text in ("Same.", "Same.", "Same."):
        agent.say(ticket_id, text, public=True)
    clock.forward(seconds=60)
    agent.say(ticket_id, "Later.", public=True)
    comments = connector.read(ticket_id, Known()).comments or ()
    assert comments[0].id == receipt.id
    assert len({c.id for c in comments}) == 5
    connector.close()
    agent.close()


def test_a_mark_counts_only_in_the_hubs_own_entries(appended: AgiloftSandbox) -> None:
    connector, agent = connect(appended), actor(appended, "agent")
    ticket_id = created(connector)
    agent.say(ticket_id, "Quoted:\n[ref: hub:mark:7]", public=True)
    assert connector.find_comment(ticket_id, "hub:mark:7") is None
    (comment,) = connector.read(ticket_id, Known()).comments or ()
    assert comment.marker is None
    assert "ref: hub:mark:7" in comment.text
    connector.close()
    agent.close()


def test_a_text_that_imitates_an_entry_stays_one_comment_and_says_what_it_said(appended: AgiloftSandbox) -> None:
    connector = connect(appended)
    ticket_id = created(connector)
    text = Markdown("Look:\n\n2026-01-01 00:00:00 agent1:\n\nall is well")
    receipt = connector.add_comment(ticket_id, a_comment(text))
    (comment,) = connector.read(ticket_id, Known()).comments or ()
    assert (comment.id, comment.author.id) == (receipt.id, "hub_service")
    assert comment.text == connector.hold_text(canonical(text))
    assert "all is well" in comment.text
    connector.close()


def test_entries_are_neither_edited_nor_deleted(appended: AgiloftSandbox) -> None:
    connector = connect(appended)
    assert not {Capability.EDIT_COMMENTS, Capability.DELETE_COMMENTS} & connector.capabilities
    with pytest.raises(NotOfferedError):
        connector.delete_comment("1", "x")
    connector.close()


@pytest.mark.parametrize(("column", "visibility"), [("public", PUBLIC), ("private", PRIVATE)])
def test_with_one_column_all_comments_are_of_its_sort(
    appended: AgiloftSandbox, column: str, visibility: Visibility
) -> None:
    other = "private" if column == "public" else "public"
    connector = connect(appended, comments={other: ""})
    assert (Capability.PRIVATE_COMMENTS in connector.capabilities) == (column == "private")
    ticket_id = created(connector)
    assert connector.add_comment(ticket_id, a_comment("Where to?", PUBLIC)).visibility is visibility
    connector.close()


def test_a_header_that_fits_nothing_is_told_rather_than_written_against(appended: AgiloftSandbox) -> None:
    connector = connect(appended, comments={"header": "-- {who} at {when} --"})
    ticket_id = created(connector)
    with pytest.raises(TemporaryError, match=r"comments\.header"):
        connector.add_comment(ticket_id, a_comment("Lost?"))
    connector.close()


# -- pure ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "form", "line", "who"),
    [
        ("{when} {who}:", "%Y-%m-%d %H:%M:%S", "2026-03-01 10:05:00 Anna Maria Nowak:", "Anna Maria Nowak"),
        ("[{who} - {when}]", "%m/%d/%Y %H:%M:%S", "[admin - 03/01/2026 10:05:00]", "admin"),
        ("{when} by {who}", "%b %d %Y %H:%M:%S", "Mar 01 2026 10:05:00 by o'hara (L2)", "o'hara (L2)"),
    ],
)
def test_the_line_above_an_entry_may_look_as_it_likes(header: str, form: str, line: str, who: str) -> None:
    entries = Entries(header, LocalTimes(form, ZoneInfo("UTC")), newest_first=False)
    (entry,) = entries.read("notes", f"from before\n{line}\nHello\n2026 is no header:")
    assert (entry.at, entry.who, entry.text) == (
        datetime(2026, 3, 1, 10, 5, tzinfo=UTC), who, "Hello\n2026 is no header:",
    )  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["agent1", "hub"]), st.text(max_size=40)), max_size=6))
def test_every_entry_that_is_written_harmlessly_is_read_back(written: list[tuple[int, str, str]]) -> None:
    written = sorted(written, key=lambda one: one[0])
    kept = [
        (f"2026-03-01 10:00:0{second}", who, ENTRIES.harmless(text.replace("\r", ""))) for second, who, text in written
    ]
    column = "\n\n".join(f"{when} {who}:\n{text}" for when, who, text in reversed(kept))
    read = ENTRIES.read("notes", column)
    assert [(e.who, e.text.strip()) for e in read] == [(who, text.strip()) for _, who, text in kept]
    assert len({entry.key for entry in read}) == len(read)


@given(st.text())
def test_a_mark_comes_off_as_it_went_on(text: str) -> None:
    assert unmarked(marked(text.rstrip(), "hub:1:2")) == (text.rstrip(), "hub:1:2")
