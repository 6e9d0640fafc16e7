"""Files of MantisBT: base64 within JSON, renamed, refused, and without an answer that tells of them."""

from __future__ import annotations

import pytest

from hub.connector import AuthError, Known, NotFoundError, PermanentError, TemporaryError
from hub.sandbox import Fault
from hub.ticket import Attachment, Visibility
from plugins.mantis.connector import MantisConnector
from plugins.mantis.sandbox import MantisSandbox
from tests.plugins.mantis.test_comments import ODD_NAME, a_comment, an_upload
from tests.plugins.mantis.test_connector import created


def content_of(connector: MantisConnector, attachment: Attachment) -> bytes:
    with connector.download(attachment) as chunks:
        return b"".join(chunks)


@pytest.mark.parametrize("size", [1, 2 * 1024 * 1024])
def test_files_go_up_with_a_note_and_come_down_whole(connector: MantisConnector, size: int) -> None:
    issue = created(connector)
    content = (bytes(range(256)) * (size // 256 + 1))[:size]
    written = connector.add_comment(issue, a_comment("see", Visibility.PUBLIC, an_upload(ODD_NAME, content)))
    (comment,) = connector.read(issue, Known()).comments or ()
    (file,) = comment.attachments
    assert (file.id, file.name, file.size) == (written.attachment_ids[0], ODD_NAME, size)
    assert content_of(connector, file) == content


def test_a_file_goes_up_to_the_issue_itself_and_is_recognised_among_others(
    connector: MantisConnector, site: MantisSandbox
) -> None:
    issue = created(connector)
    site.changes.add_files(site.store.user("dev"), site.store.issues[1], [{"name": "a.txt", "content": "YWJj"}])
    attached = connector.attach(issue, an_upload("a.txt", b"other"))
    snapshot = connector.read(issue, Known())
    assert [a.name for a in snapshot.attachments] == ["a.txt", "a-2.txt"]
    assert attached == snapshot.attachments[1]
    assert content_of(connector, attached) == b"other"


def test_a_name_with_folders_loses_them_on_both_ways(connector: MantisConnector, site: MantisSandbox) -> None:
    issue = created(connector)
    body = {"name": "../../etc/passwd", "content": "YWJj"}
    site.changes.add_files(site.store.user("dev"), site.store.issues[1], [body])
    connector.attach(issue, an_upload("C:\\temp\\x.log"))
    assert [a.name for a in connector.read(issue, Known()).attachments] == ["passwd", "x.log"]
    assert site.store.issues[1].files[1].name == "x.log"


@pytest.mark.parametrize(
    ("name", "content", "why"), [("e.txt", b"", "empty"), ("e.svg", b"x", "type"), ("e.bin", b"x" * 6_000_000, "large")]
)
def test_a_file_that_mantis_refuses_is_said_to_be_so(
    connector: MantisConnector, name: str, content: bytes, why: str
) -> None:
    issue = created(connector)
    with pytest.raises(PermanentError, match=why):
        connector.attach(issue, an_upload(name, content))
    assert connector.read(issue, Known()).attachments == ()


def test_a_file_that_is_gone_or_lives_elsewhere_is_not_found(connector: MantisConnector, site: MantisSandbox) -> None:
    issue = created(connector)
    file = connector.attach(issue, an_upload())
    gone = Attachment("99", "x", url=file.url.rpartition("/")[0] + "/99")
    elsewhere = Attachment("1", "x", url="https://evil.example/api/rest/issues/1/files/1")
    calls = len(site.requests)
    for attachment in (gone, elsewhere):
        with pytest.raises(NotFoundError), connector.download(attachment):
            pass
    assert len(site.requests) == calls + 1


@pytest.mark.parametrize("visibility", [Visibility.PUBLIC, Visibility.PRIVATE])
def test_files_do_not_change_who_may_read_the_note_and_go_up_in_its_call(
    connector: MantisConnector, site: MantisSandbox, visibility: Visibility
) -> None:
    issue = created(connector)
    site.requests.clear()
    uploads = (an_upload("one.txt", b"1"), an_upload("two.txt", b"2"))
    written = connector.add_comment(issue, a_comment("two files", visibility, *uploads))
    assert len(site.requests) == 1
    (comment,) = connector.read(issue, Known()).comments or ()
    assert (comment.visibility, written.visibility) == (visibility, visibility)
    assert [(a.id, a.name) for a in comment.attachments] == list(
        zip(written.attachment_ids, ("one.txt", "two.txt"), strict=True)
    )


def test_a_note_whose_file_is_refused_is_not_written(connector: MantisConnector, site: MantisSandbox) -> None:
    issue = created(connector)
    with pytest.raises(PermanentError, match="type"):
        connector.add_comment(issue, a_comment("see", Visibility.PUBLIC, an_upload("picture.svg", b"<svg/>")))
    assert site.store.issues[1].notes == []


def test_a_file_whose_answer_is_lost_is_not_sent_twice(connector: MantisConnector, site: MantisSandbox) -> None:
    issue = created(connector)
    site.faults.add(Fault(method="POST", path="/files", mode="after", drop=True))
    with pytest.raises(TemporaryError):
        connector.attach(issue, an_upload())
    assert len(connector.read(issue, Known()).attachments) == 1


def test_an_error_of_whoever_reads_the_file_stays_what_it_is(connector: MantisConnector) -> None:
    file = connector.attach(created(connector), an_upload())
    with pytest.raises(AuthError, match="another tracker"), connector.download(file):
        raise AuthError("support", "POST /comment", "another tracker said no")


def test_two_files_of_one_name_and_size_come_down_as_they_were(connector: MantisConnector) -> None:
    issue = created(connector)
    first, second = (connector.attach(issue, an_upload("a.txt", content)) for content in (b"one", b"two"))
    assert (first.name, second.name) == ("a.txt", "a-2.txt")
    assert (content_of(connector, first), content_of(connector, second)) == (b"one", b"two")
