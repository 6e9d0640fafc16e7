"""Files: an Agiloft knows them only by their place, which moves; and who may see them is the column's affair."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest

from hub.connector import Capability, Known, NewComment, NotFoundError, NotOfferedError, TemporaryError
from hub.sandbox import Fault
from hub.ticket import Attachment, Visibility
from plugins.agiloft.connector import AgiloftConnector
from plugins.agiloft.sandbox import AgiloftSandbox
from tests.plugins.agiloft.builders import a_comment, a_file, created
from tests.plugins.agiloft.conftest import connect
from tests.plugins.clock import Clock

PUBLIC, PRIVATE = Visibility.PUBLIC, Visibility.PRIVATE


def content(connector: AgiloftConnector, attachment: Attachment) -> bytes:
    with connector.download(attachment) as chunks:
        return b"".join(chunks)


def columns_of(site: AgiloftSandbox, record_id: str, table: str = "case") -> dict[str, list[str]]:
    """Names of the files in each column of a record."""
    with site.lock:
        files = site.kb.tables[table].records[int(record_id)].files
        return {column: [file.name for file in held] for column, held in files.items() if held}


@pytest.fixture
def attaching(appended: AgiloftSandbox) -> Iterator[AgiloftConnector]:
    """The connector of the knowledge base where files hang on tickets."""
    made = connect(appended)
    yield made
    made.close()


def test_two_files_of_one_name_stay_two(attaching: AgiloftConnector) -> None:
    ticket_id = created(attaching)
    first = attaching.attach(ticket_id, a_file("log.txt", b"one"))
    second = attaching.attach(ticket_id, a_file("log.txt", b"two"))
    assert first.id != second.id
    assert [(a.id, a.size) for a in attaching.read(ticket_id, Known()).attachments] == [(first.id, 3), (second.id, 3)]
    assert (content(attaching, first), content(attaching, second)) == (b"one", b"two")


def test_a_file_whose_stream_is_wound_back_each_time_is_sent_whole(attaching: AgiloftConnector) -> None:
    ticket_id = created(attaching)
    attaching.attach(ticket_id, a_file("log.txt", b"one"))
    spool = io.BytesIO(b"two")

    def wound_back() -> io.BytesIO:
        spool.seek(0)
        return spool

    second = attaching.attach(ticket_id, replace(a_file("log.txt", b"two"), open=wound_back))
    assert content(attaching, second) == b"two"
    assert len(attaching.read(ticket_id, Known()).attachments) == 2


def test_a_file_that_got_through_before_the_answer_was_lost_is_not_sent_again(
    attaching: AgiloftConnector, appended: AgiloftSandbox
) -> None:
    ticket_id = created(attaching)
    appended.faults.add(Fault(path="/attach/", drop=True, mode="after"))
    with pytest.raises(TemporaryError):
        attaching.attach(ticket_id, a_file("log.txt", b"one"))
    file = attaching.attach(ticket_id, a_file("log.txt", b"one"))
    assert columns_of(appended, ticket_id) == {"internal_files": ["log.txt"]}
    assert content(attaching, file) == b"one"


def test_a_file_is_still_itself_when_another_was_removed(attaching: AgiloftConnector, appended: AgiloftSandbox) -> None:
    ticket_id = created(attaching)
    attaching.attach(ticket_id, a_file("a.txt", b"a"))
    kept = attaching.attach(ticket_id, a_file("b.txt", b"b"))
    with appended.lock:
        del appended.kb.tables["case"].records[int(ticket_id)].files["internal_files"][0]
    assert attaching.read(ticket_id, Known()).attachments == (kept,)
    assert content(attaching, kept) == b"b"


def test_a_file_that_was_removed_is_not_found(attaching: AgiloftConnector, appended: AgiloftSandbox) -> None:
    ticket_id = created(attaching)
    gone = attaching.attach(ticket_id, a_file("a.txt", b"a"))
    with appended.lock:
        appended.kb.tables["case"].records[int(ticket_id)].files.clear()
    with pytest.raises(NotFoundError, match="not there"):
        content(attaching, gone)
    with pytest.raises(NotFoundError):
        content(attaching, Attachment("nonsense", "x"))


@pytest.mark.parametrize(
    ("name", "kept"), [("../../etc/passwd", "passwd"), ("C:\\logs\\a b.txt", "a b.txt"), ("/", "file")]
)
def test_a_file_is_sent_without_folders(attaching: AgiloftConnector, name: str, kept: str) -> None:
    assert attaching.attach(created(attaching), a_file(name, b"x")).name == kept


@pytest.mark.parametrize(("visibility", "column"), [(PUBLIC, "attached_files"), (PRIVATE, "internal_files")])
def test_the_files_of_an_entry_are_seen_by_those_who_may_read_it(
    attaching: AgiloftConnector, appended: AgiloftSandbox, visibility: Visibility, column: str
) -> None:
    ticket_id = created(attaching)
    comment = replace(a_comment("With files.", visibility), uploads=(a_file("1.txt", b"1"), a_file("2.txt", b"2")))
    receipt = attaching.add_comment(ticket_id, comment)
    assert columns_of(appended, ticket_id) == {column: ["1.txt", "2.txt"]}
    assert receipt.attachment_ids == tuple(a.id for a in attaching.read(ticket_id, Known()).attachments)


def test_an_entry_that_is_found_again_names_its_files(attaching: AgiloftConnector, appended: AgiloftSandbox) -> None:
    ticket_id = created(attaching)
    uploads = (a_file("b, c [1].txt", b"1"), a_file("a.txt", b"2"))
    comment = replace(a_comment("With files."), uploads=uploads)
    receipt = attaching.add_comment(ticket_id, comment)
    assert attaching.find_comment(ticket_id, comment.marker) == receipt
    assert len(receipt.attachment_ids) == 2


def test_a_file_for_nobody_in_particular_is_for_staff(attaching: AgiloftConnector, appended: AgiloftSandbox) -> None:
    ticket_id = created(attaching)
    attaching.attach(ticket_id, a_file("a.txt", b"a"))
    assert columns_of(appended, ticket_id) == {"internal_files": ["a.txt"]}


def test_without_a_place_for_staff_alone_no_files_travel(appended: AgiloftSandbox) -> None:
    connector = connect(appended, columns={"private_attachments": ""})
    assert Capability.ATTACHMENTS not in connector.capabilities
    with pytest.raises(NotOfferedError):
        connector.attach(created(connector), a_file("a.txt", b"a"))
    connector.close()


# -- comments that are records ------------------------------------------------------------------------------------


def with_files() -> NewComment:
    return replace(a_comment("With files.", PUBLIC), uploads=(a_file("1.txt", b"1"), a_file("2.txt", b"2")))


def test_files_stand_with_their_comment(connector: AgiloftConnector, site: AgiloftSandbox) -> None:
    ticket_id = created(connector)
    receipt = connector.add_comment(ticket_id, with_files())
    connector.add_comment(ticket_id, a_comment("Without."))
    assert columns_of(site, receipt.id, "case_comment") == {"files": ["1.txt", "2.txt"]}
    site.requests.clear()
    first, second = connector.read(ticket_id, Known()).comments or ()
    assert (tuple(a.id for a in first.attachments), second.attachments) == (receipt.attachment_ids, ())
    assert site.requests.count("POST", "attachInfo") == 1
    assert content(connector, first.attachments[1]) == b"2"
    with pytest.raises(NotOfferedError):
        connector.attach(ticket_id, a_file("a.txt", b"a"))


def test_a_comment_is_for_staff_and_not_found_until_all_its_files_are_there_and_is_then_finished(
    connector: AgiloftConnector, site: AgiloftSandbox
) -> None:
    ticket_id, comment = created(connector), with_files()
    site.faults.add(Fault(path="/attach/", skip=1, drop=True))
    with pytest.raises(TemporaryError):
        connector.add_comment(ticket_id, comment)
    (half,) = connector.read(ticket_id, Known()).comments or ()
    assert half.visibility is PRIVATE
    assert connector.find_comment(ticket_id, comment.marker) is None
    receipt = connector.add_comment(ticket_id, comment)
    (whole,) = connector.read(ticket_id, Known()).comments or ()
    assert (whole.id, whole.visibility, whole.marker) == (half.id, PUBLIC, comment.marker)
    assert [a.name for a in whole.attachments] == ["1.txt", "2.txt"]
    assert connector.find_comment(ticket_id, comment.marker) == receipt


def test_a_download_begins_with_a_token_that_is_good(connector: AgiloftConnector, clock: Clock) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, with_files())
    (comment,) = connector.read(ticket_id, Known()).comments or ()
    clock.forward(minutes=20)
    assert content(connector, comment.attachments[0]) == b"1"


def test_a_file_is_sent_whole_though_the_token_ended(
    attaching: AgiloftConnector, appended: AgiloftSandbox, clock: Clock
) -> None:
    ticket_id = created(attaching)
    big = bytes(range(256)) * 1000
    appended.faults.add(Fault(path="/attach/", status=400, body={"message": "Token is expired"}))
    file = attaching.attach(ticket_id, a_file("big.bin", big))
    assert content(attaching, file) == big
