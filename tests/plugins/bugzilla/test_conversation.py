"""Comments and files: who may read them, and that nothing is doubled or lost when an answer is."""

from __future__ import annotations

import io

import pytest

from hub.connector import AuthError, NotFoundError, PermanentError, TemporaryError, Upload
from hub.sandbox import Fault
from hub.sandbox.cast import File
from hub.ticket import Attachment, Visibility
from plugins.bugzilla.connector import BugzillaConnector
from plugins.bugzilla.sandbox import BugzillaSandbox
from plugins.bugzilla.sandbox.cast import BugzillaActor
from tests.plugins.bugzilla.conftest import a_comment, connect, created, seen


def a_file(name: str = "log.txt", content: bytes = b"line 1\n", content_type: str = "text/plain") -> Upload:
    return Upload(name=name, content_type=content_type, size=len(content), open=lambda: io.BytesIO(content))


def test_every_comment_states_whether_it_is_private(connector: BugzillaConnector, site: BugzillaSandbox) -> None:
    bug = created(connector)
    connector.add_comment(bug, a_comment("Internal.", Visibility.PRIVATE))
    connector.add_comment(bug, a_comment("For all.", marker="hub:0a1b2c3d:support:1:8"))
    kept = site.store.bugs[int(bug)].comments
    assert [c.is_private for c in kept] == [False, True, False]
    bodies = [r.body for r in site.requests.all() if r.method == "POST" and r.path.endswith("/comment")]
    assert all('"is_private": ' in body for body in bodies)


def test_the_mark_stands_under_the_text_and_is_taken_off_again(
    connector: BugzillaConnector, site: BugzillaSandbox
) -> None:
    bug = created(connector)
    connector.add_comment(bug, a_comment("Hello."))
    assert site.store.bugs[int(bug)].comments[-1].text == "Hello.\n\n[ref: hub:0a1b2c3d:support:1:7]"
    (comment,) = seen(connector, bug).comments or ()
    assert (comment.text, comment.marker) == ("Hello.", "hub:0a1b2c3d:support:1:7")


def test_a_mark_in_somebody_elses_comment_is_only_text(connector: BugzillaConnector, engineer: BugzillaActor) -> None:
    bug = created(connector)
    engineer.say(bug, "Hello.\n\n[ref: hub:0a1b2c3d:support:1:7]", public=True)
    (comment,) = seen(connector, bug).comments or ()
    assert comment.marker is None
    assert connector.find_comment(bug, "hub:0a1b2c3d:support:1:7") is None


def test_where_nobody_may_write_private_comments_none_is_written_publicly(
    connector: BugzillaConnector, site: BugzillaSandbox
) -> None:
    bug = created(connector)
    site.store.params["insidergroup"] = ""
    with pytest.raises(AuthError, match="private_comments"):
        connector.add_comment(bug, a_comment("Internal.", Visibility.PRIVATE))
    assert len(site.store.bugs[int(bug)].comments) == 1


def test_a_comment_that_was_made_private_later_is_private(
    connector: BugzillaConnector, engineer: BugzillaActor, site: BugzillaSandbox
) -> None:
    bug = created(connector)
    engineer.say(bug, "Too much said.", public=True)
    number = site.store.bugs[int(bug)].comments[-1].id
    engineer._put(bug, comment_is_private={str(number): True})
    assert [c.visibility for c in seen(connector, bug).comments or ()] == [Visibility.PRIVATE]


def test_a_private_description_that_the_hub_may_not_see_is_none(site: BugzillaSandbox, engineer: BugzillaActor) -> None:
    bug = engineer._call("POST", "/bug", {**_NEW, "description": "Secret.", "comment_is_private": True})["id"]
    site.store.users["hub@example.test"].groups.discard("insiders")
    connector = connect(site)
    snapshot = seen(connector, str(bug))
    assert (snapshot.ticket.description, snapshot.comments) == ("", ())
    connector.close()


_NEW = {
    "product": "Widgets", "component": "Frontend", "version": "1.0", "op_sys": "All", "platform": "All", "summary": "x",
}  # fmt: skip


# -- files ----------------------------------------------------------------------------------------------------------


def test_a_comment_with_files_comes_after_them_and_its_receipt_names_them(
    connector: BugzillaConnector, site: BugzillaSandbox
) -> None:
    bug = created(connector)
    receipt = connector.add_comment(bug, a_comment("See both.", uploads=(a_file("a.txt"), a_file("b.txt"))))
    assert receipt.attachment_ids == ("1", "2")
    snapshot = seen(connector, bug)
    assert [c.text for c in snapshot.comments or ()] == ["See both."]
    assert [a.name for a in snapshot.attachments] == ["a.txt", "b.txt"]
    found = connector.find_comment(bug, "hub:0a1b2c3d:support:1:7")
    assert found is not None
    assert (found.id, found.attachment_ids) == (receipt.id, ("1", "2"))


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_what_was_written_before_an_answer_was_lost_is_not_written_again(
    connector: BugzillaConnector, site: BugzillaSandbox, lost: int
) -> None:
    bug = created(connector)
    comment = a_comment("See both.", uploads=(a_file("a.txt"), a_file("b.txt", b"other")))
    path = r"/attachment$" if lost < 3 else r"/comment$"
    for _ in range(lost - 1 if lost < 3 else 0):
        site.faults.add(Fault(method="POST", path=path, mode="after"))
    site.faults.add(Fault(method="POST", path=path, drop=True, mode="after"))
    with pytest.raises(TemporaryError):
        connector.add_comment(bug, comment)
    site.faults.clear()
    if connector.find_comment(bug, comment.marker) is None:
        connector.add_comment(bug, comment)
    kept = site.store.bugs[int(bug)]
    assert [f.name for f in kept.files] == ["a.txt", "b.txt"]
    assert sum("See both." in c.text for c in kept.comments) == 1


def test_a_private_comments_file_is_private_and_stays_with_a_private_comment(
    connector: BugzillaConnector, site: BugzillaSandbox, engineer: BugzillaActor
) -> None:
    bug = created(connector)
    connector.add_comment(bug, a_comment("Internal.", Visibility.PRIVATE, uploads=(a_file(),)))
    assert site.store.bugs[int(bug)].files[0].is_private
    engineer.say(bug, "", public=False, files=[File("dump.txt", b"secret", "text/plain")])
    snapshot = seen(connector, bug)
    assert snapshot.attachments == ()
    with_files = [c for c in snapshot.comments or () if c.attachments]
    assert [c.visibility for c in with_files] == [Visibility.PRIVATE, Visibility.PRIVATE]


def test_what_a_person_says_beside_a_file_comes_without_bugzillas_own_words(
    connector: BugzillaConnector, engineer: BugzillaActor
) -> None:
    bug = created(connector)
    engineer.say(bug, "It shows 13.\n\nSee line 7.", public=True, files=[File("log.txt", b"13", "text/plain")])
    (comment,) = seen(connector, bug).comments or ()
    assert comment.text == "It shows 13.\n\nSee line 7."
    assert [(a.name, a.size) for a in comment.attachments] == [("log.txt", 2)]


def test_a_file_that_was_renamed_later_changes_no_words(
    connector: BugzillaConnector, engineer: BugzillaActor, site: BugzillaSandbox
) -> None:
    bug = created(connector)
    engineer.say(bug, "Here.", public=True, files=[File("log.txt", b"13", "text/plain")])
    engineer._call("PUT", "/bug/attachment/1", {"summary": "another\nname", "comment": "Obsolete now."})
    assert [c.text for c in seen(connector, bug).comments or ()] == ["Here.", "Obsolete now."]


def test_a_file_without_words_is_the_bugs_own_only_where_everybody_may_see_it(
    site: BugzillaSandbox, engineer: BugzillaActor
) -> None:
    connector, reserved = connect(site), connect(site, plain_comments="private")
    bug = created(connector)
    engineer.say(bug, "", public=True, files=[File("log.txt", b"13", "text/plain")])
    reserved.attach(bug, a_file("own.txt"))
    assert [a.name for a in seen(connector, bug).attachments] == ["log.txt", "own.txt"]
    snapshot = seen(reserved, bug)
    assert [a.name for a in snapshot.attachments] == ["own.txt"]
    (comment,) = snapshot.comments or ()
    assert (comment.visibility, [a.name for a in comment.attachments]) == (Visibility.PRIVATE, ["log.txt"])
    connector.close()
    reserved.close()


def test_the_words_beside_a_file_that_the_hub_may_not_see_still_travel(
    upstream: BugzillaSandbox, engineer_upstream: BugzillaActor
) -> None:
    connector = connect(upstream)
    bug = created(connector)
    engineer_upstream.say(bug, "See the log.", public=True, files=[File("log.txt", b"13", "text/plain")])
    upstream.store.bugs[int(bug)].files.clear()
    (comment,) = seen(connector, bug).comments or ()
    assert (comment.text, comment.attachments) == ("See the log.", ())
    connector.close()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("text/plain; charset=utf-8", "text/plain"), ("image/png", "image/png"), ("", "application/octet-stream"),
        ("x-own/thing", "application/octet-stream"), ("application/vnd.ms-excel", "application/vnd.ms-excel"),
    ],
)  # fmt: skip
def test_a_files_type_is_one_that_bugzilla_takes(
    connector: BugzillaConnector, site: BugzillaSandbox, given: str, kept: str
) -> None:
    connector.attach(created(connector), a_file(content_type=given))
    assert site.store.bugs[1].files[0].content_type == kept


def test_a_file_that_bugzilla_does_not_take_is_told_with_its_reason(
    connector: BugzillaConnector, site: BugzillaSandbox
) -> None:
    bug = created(connector)
    site.store.params["maxattachmentsize"] = "1"
    with pytest.raises(PermanentError, match="cannot be more than 1 KB"):
        connector.attach(bug, a_file(content=b"x" * 2000))
    with pytest.raises(PermanentError, match="empty"):
        connector.attach(bug, a_file(content=b""))


def test_a_file_that_is_not_there_is_not_found(connector: BugzillaConnector) -> None:
    with pytest.raises(NotFoundError), connector.download(Attachment("99", "x")) as chunks:
        list(chunks)


def test_a_long_name_keeps_its_end(connector: BugzillaConnector, site: BugzillaSandbox) -> None:
    attached = connector.attach(created(connector), a_file("C:\\logs\\" + "n" * 300 + ".txt"))
    assert attached.name == site.store.bugs[1].files[0].name
    assert attached.name.endswith("n.txt")
    assert len(attached.name) == 255
