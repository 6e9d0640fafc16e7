"""The MantisBT connector against the sandbox: notes, files and the link's note."""

from __future__ import annotations

import io

import pytest

from hub.connector import (
    AuthError,
    Known,
    NewComment,
    NotFoundError,
    RemoteLink,
    TemporaryError,
    Upload,
)
from hub.sandbox import Fault
from hub.ticket import Markdown, Status, Visibility
from plugins.mantis.connector import MantisConnector
from plugins.mantis.sandbox import MantisSandbox
from tests.plugins.mantis.conftest import connect
from tests.plugins.mantis.test_connector import created

ODD_NAME = "raport ąę (1).pdf"


def a_comment(text: str, visibility: Visibility = Visibility.PUBLIC, *uploads: Upload) -> NewComment:
    marker = f"hub:mark:{''.join(filter(str.isalnum, text))}"
    return NewComment(text=Markdown(text), visibility=visibility, marker=marker, uploads=uploads)


def an_upload(name: str = ODD_NAME, content: bytes = b"abc") -> Upload:
    return Upload(name=name, content_type="text/plain", size=len(content), open=lambda: io.BytesIO(content))


def test_comments_come_back_in_order_as_public_or_private_as_they_were_asked_to_be(connector: MantisConnector) -> None:
    issue = created(connector)
    wanted = [("one", Visibility.PUBLIC), ("two", Visibility.PRIVATE), ("three", Visibility.PUBLIC)]
    for text, visibility in wanted:
        assert connector.add_comment(issue, a_comment(text, visibility)).visibility is visibility
    snapshot = connector.read(issue, Known())
    assert [(c.text, c.visibility) for c in snapshot.comments or ()] == wanted
    assert snapshot.comment_count == 3


@pytest.mark.parametrize("visibility", [Visibility.PUBLIC, Visibility.PRIVATE])
def test_every_note_states_its_view_state(
    connector: MantisConnector, site: MantisSandbox, visibility: Visibility
) -> None:
    issue = created(connector)
    written = connector.add_comment(issue, a_comment("x", visibility))
    connector.edit_comment(issue, written.id, Markdown("y"), visibility)
    bodies = [r.body for r in site.requests.all() if '"text"' in r.body]
    assert len(bodies) == 2
    assert all('"view_state"' in body for body in bodies)


def test_a_note_of_an_unknown_view_state_is_of_unknown_visibility(
    connector: MantisConnector, site: MantisSandbox
) -> None:
    issue = created(connector)
    connector.add_comment(issue, a_comment("x"))
    site.store.issues[1].notes[0].view_state = 30
    (comment,) = connector.read(issue, Known()).comments or ()
    assert comment.visibility is Visibility.UNKNOWN


@pytest.mark.parametrize(
    ("of_new_issues", "expected"), [("public", Visibility.PRIVATE), ("private", Visibility.PUBLIC)]
)
def test_what_is_said_in_an_issue_that_people_made_private_is_private_unless_all_issues_are(
    site: MantisSandbox, of_new_issues: str, expected: Visibility
) -> None:
    connector = connect(site, view_state=of_new_issues)
    issue = created(connector)
    site.changes.add_note(site.store.user("dev"), site.store.issues[1], {"text": "a plain note"})
    site.changes.patch(site.store.user("mgr"), site.store.issues[1], {"view_state": {"name": "private"}})
    (comment,) = connector.read(issue, Known()).comments or ()
    assert comment.visibility is expected
    connector.close()


def test_an_edit_keeps_a_private_note_private_and_its_mark_under_it(
    connector: MantisConnector, site: MantisSandbox
) -> None:
    issue = created(connector)
    written = connector.add_comment(issue, a_comment("for us", Visibility.PRIVATE))
    connector.edit_comment(issue, written.id, Markdown("still for us"), Visibility.PRIVATE)
    (comment,) = connector.read(issue, Known()).comments or ()
    assert (comment.text, comment.visibility) == ("still for us", Visibility.PRIVATE)
    assert comment.marker == "hub:mark:forus"
    assert site.store.issues[1].notes[0].view_state == 50


def test_an_edit_on_a_resolved_issue_needs_a_manager(connector: MantisConnector, site: MantisSandbox) -> None:
    issue = created(connector)
    written = connector.add_comment(issue, a_comment("x"))
    connector.transition(issue, Status.SOLVED)
    site.change_settings(hub_level=55)
    with pytest.raises(AuthError, match="readonly"):
        connector.edit_comment(issue, written.id, Markdown("y"), Visibility.PUBLIC)
    assert connector.add_comment(issue, a_comment("a note can still be added")).id


def test_a_note_is_found_by_its_mark_and_by_no_other(connector: MantisConnector) -> None:
    issue = created(connector)
    written = connector.add_comment(issue, a_comment("marked", Visibility.PRIVATE, an_upload()))
    found = connector.find_comment(issue, "hub:mark:marked")
    assert found == written
    assert connector.find_comment(issue, "hub:mark:mark") is None


def test_a_mark_in_somebody_elses_note_is_only_text(connector: MantisConnector, site: MantisSandbox) -> None:
    issue = created(connector)
    site.changes.add_note(site.store.user("dev"), site.store.issues[1], {"text": "mine\n\n[ref: hub:mark:forged]"})
    (comment,) = connector.read(issue, Known()).comments or ()
    assert comment.marker is None
    assert "forged" in comment.text
    assert connector.find_comment(issue, "hub:mark:forged") is None


def test_a_deleted_note_is_gone_and_deleting_it_again_is_fine(connector: MantisConnector) -> None:
    issue = created(connector)
    written = connector.add_comment(issue, a_comment("x"))
    connector.delete_comment(issue, written.id)
    connector.delete_comment(issue, written.id)
    assert connector.read(issue, Known()).comments == ()
    with pytest.raises(NotFoundError):
        connector.edit_comment(issue, written.id, Markdown("y"), Visibility.PUBLIC)


def test_a_note_whose_answer_is_lost_is_not_sent_twice(connector: MantisConnector, site: MantisSandbox) -> None:
    issue = created(connector)
    site.faults.add(Fault(method="POST", path="/notes", mode="after", drop=True))
    with pytest.raises(TemporaryError):
        connector.add_comment(issue, a_comment("once"))
    assert len(site.store.issues[1].notes) == 1
    assert connector.find_comment(issue, "hub:mark:once") is not None


def test_the_link_is_a_private_note_with_the_address_and_can_be_taken_back(
    connector: MantisConnector, site: MantisSandbox
) -> None:
    issue = created(connector)
    link = RemoteLink("hub:x:support:7", "http://support.example/7", "#7", "A ticket", "support")
    receipt = connector.write_link(issue, link)
    assert receipt is not None
    assert receipt.visibility is Visibility.PRIVATE
    assert "http://support.example/7" in site.store.issues[1].notes[0].text
    assert connector.find_comment(issue, "hub:x:support:7") == receipt
    connector.remove_link(issue, "hub:x:support:7")
    connector.remove_link(issue, "hub:x:support:7")
    assert site.store.issues[1].notes == []


def test_a_copied_mention_notifies_nobody(connector: MantisConnector, site: MantisSandbox) -> None:
    issue = created(connector, description=Markdown("ask @dev"))
    connector.add_comment(issue, a_comment("@dev look"))
    shown = site.store.issues[1]
    assert "@dev" not in shown.texts["description"] + shown.notes[0].text


def test_with_markdown_on_the_site_texts_keep_their_form(site: MantisSandbox) -> None:
    connector = connect(site, markdown=True)
    text = Markdown("It **breaks**:\n\n- one\n- two")
    issue = created(connector, description=text)
    connector.add_comment(issue, a_comment(text))
    snapshot = connector.read(issue, Known())
    assert snapshot.ticket.description == text == connector.hold_text(text)
    assert [c.text for c in snapshot.comments or ()] == [text]
    connector.close()
