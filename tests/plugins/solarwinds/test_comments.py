"""Comments of Service Desk: who may read them, who is told of them, and how the hub finds its own."""

from __future__ import annotations

import pytest

from hub.connector import Changes, Known, NewComment, NotFoundError, PermanentError
from hub.sandbox import Fault
from hub.text import canonical
from hub.ticket import Markdown, Person, Status, Visibility
from plugins.solarwinds import mapping
from plugins.solarwinds.connector import SolarwindsConnector
from plugins.solarwinds.sandbox import SolarwindsSandbox
from plugins.solarwinds.sandbox.cast import SolarwindsCustomer, actor
from tests.plugins.solarwinds.builders import a_comment, agent_says, created
from tests.plugins.solarwinds.conftest import connect

PRIVATE = Visibility.PRIVATE


def test_comments_are_read_in_order_with_names_and_with_what_they_were_asked_to_be(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("for all"))
    connector.add_comment(ticket_id, a_comment("for us", PRIVATE))
    agent_says(site, ticket_id, "<p>on the screen</p>")
    customer = actor(site, "customer")
    customer.say(ticket_id, "from me", public=True)
    comments = connector.read(ticket_id, Known()).comments or ()
    assert [(c.text, c.visibility, c.author.name, c.author.is_staff) for c in comments] == [
        ("for all", Visibility.PUBLIC, "Hub Service", None),
        ("for us", PRIVATE, "Hub Service", None),
        ("on the screen", Visibility.PUBLIC, "Agent One", None),
        ("from me", Visibility.PUBLIC, "Customer 1", False),
    ]
    assert isinstance(customer, SolarwindsCustomer)
    assert "for us" not in " ".join(customer.read(ticket_id)["comments"])
    customer.close()


def test_nothing_that_the_hub_writes_mails_anybody_or_runs_automations(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    site.add_webhook_target("http://127.0.0.1:9/")
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("for all"))
    connector.add_comment(ticket_id, a_comment("for us", PRIVATE))
    connector.update(ticket_id, Changes(values={"status": Status.SOLVED}, add_labels=frozenset({"x"})), None)
    assert site.webhooks.wait_idle()
    assert (site.store.mails, site.webhooks.sent) == ([], ())


@pytest.mark.parametrize(
    ("notify", "mails"),
    [
        (["create"], ["created"]),
        (["public_comment"], ["comment"]),
        (["create", "public_comment", "update"], ["created", "comment"]),
    ],
)
def test_people_are_told_of_what_the_settings_name_and_never_of_private_notes(
    site: SolarwindsSandbox, notify: list[str], mails: list[str]
) -> None:
    connector = connect(site, notify=notify)
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("for all"))
    connector.add_comment(ticket_id, a_comment("for us", PRIVATE))
    connector.update(ticket_id, Changes(values={"title": "x"}), None)
    assert site.store.mails == [("customer1@customers.example", what) for what in mails]
    loud = [r for r in site.requests if "add_callbacks" in r.query]
    assert not any('is_private":true' in r.body.replace(" ", "") for r in loud)
    assert any(r.method == "PUT" for r in loud) is ("update" in notify)
    connector.close()


def test_a_comment_that_does_not_say_who_may_read_it_is_unknown() -> None:
    raw = {"id": 1, "body": "<p>x</p>", "user": {"id": 5}, "created_at": "2026-05-03T10:00:00Z"}
    assert mapping.comment(raw, "1", None).visibility is Visibility.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "**bold** and `code` @agent1",
        "- a list\n- of two",
        "[hub-ref hub:x]",
        "a & b < c",
        "```\ncode\n```",
        "> quoted\n\nanswer",
        "",
    ],
)
def test_a_text_is_held_in_the_form_that_is_read_back(connector: SolarwindsConnector, text: str) -> None:
    held = connector.hold_text(canonical(text))
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment(canonical(text)))
    (comment,) = connector.read(ticket_id, Known()).comments or ()
    assert comment.text == held
    assert connector.hold_text(held) == held


@pytest.mark.parametrize("marker", ["hub:4f54fba6:dev:10001:10500", 'odd "<mark>" ] & ą', "hub:a_b:dev:x:1:edited"])
def test_a_comment_is_found_by_its_mark_which_nobody_reads_in_its_text(
    connector: SolarwindsConnector, marker: str
) -> None:
    ticket_id = created(connector)
    comment = NewComment(text=Markdown("marked"), visibility=PRIVATE, marker=marker)
    written = connector.add_comment(ticket_id, comment)
    assert connector.find_comment(ticket_id, marker) == written
    assert connector.find_comment(ticket_id, marker + "0") is None
    (read,) = connector.read(ticket_id, Known()).comments or ()
    assert (read.marker, read.text) == (marker, "marked")


def test_a_mark_that_somebody_quotes_is_not_the_hubs(connector: SolarwindsConnector, site: SolarwindsSandbox) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("original"))
    quoted = site.store.incidents[int(ticket_id)].comments[0].body
    agent_says(site, ticket_id, f"<p>I agree.</p>{quoted}")
    _, answer = connector.read(ticket_id, Known()).comments or ()
    assert answer.marker is None
    assert answer.text.startswith("I agree.")


@pytest.mark.parametrize("visibility", [Visibility.PUBLIC, PRIVATE])
def test_an_edited_comment_keeps_its_mark_and_who_may_read_it(
    connector: SolarwindsConnector, visibility: Visibility
) -> None:
    ticket_id = created(connector)
    written = connector.add_comment(ticket_id, a_comment("before", visibility))
    connector.edit_comment(ticket_id, written.id, Markdown("after"), visibility)
    (comment,) = connector.read(ticket_id, Known()).comments or ()
    assert (comment.text, comment.visibility, comment.marker) == ("after", visibility, "hub:mark:before")


def test_a_public_comment_that_is_to_become_private_is_not_given_the_private_text(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    ticket_id = created(connector)
    written = connector.add_comment(ticket_id, a_comment("public"))
    with pytest.raises(PermanentError, match="Nothing was written"):
        connector.edit_comment(ticket_id, written.id, Markdown("a secret"), PRIVATE)
    (comment,) = site.store.incidents[int(ticket_id)].comments
    assert "a secret" not in comment.body


def test_an_edit_that_makes_a_note_public_is_an_alarm(connector: SolarwindsConnector, site: SolarwindsSandbox) -> None:
    ticket_id = created(connector)
    written = connector.add_comment(ticket_id, a_comment("private", PRIVATE))
    body = {"id": int(written.id), "body": "<p>x</p>", "is_private": False}
    site.faults.add(Fault(method="PUT", path="/comments/", mode="after", status=200, body=body))
    with pytest.raises(PermanentError, match="made it public") as error:
        connector.edit_comment(ticket_id, written.id, Markdown("x"), PRIVATE)
    assert "at once" in error.value.remedy


def test_a_comment_that_is_gone_cannot_be_edited_and_may_be_deleted_again(connector: SolarwindsConnector) -> None:
    ticket_id = created(connector)
    written = connector.add_comment(ticket_id, a_comment("x"))
    connector.delete_comment(ticket_id, written.id)
    connector.delete_comment(ticket_id, written.id)
    with pytest.raises(NotFoundError, match="not there any more"):
        connector.edit_comment(ticket_id, written.id, Markdown("y"), Visibility.PUBLIC)


def test_a_mention_in_a_copy_notifies_nobody(connector: SolarwindsConnector, site: SolarwindsSandbox) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("@agent1 look"))
    assert "@agent1" not in site.store.incidents[int(ticket_id)].comments[0].body


def test_a_comment_of_the_system_has_a_name_and_no_account() -> None:
    raw = {"id": 5002, "body": "x", "is_private": True, "commenter": {"email": "sys@example.com", "name": "System"}}
    seen = mapping.comment(raw, "1", None)
    assert seen.author == Person("", "System", "sys@example.com")
