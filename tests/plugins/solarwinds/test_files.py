"""Files of Service Desk: sent one by one after the comment, fetched from signed addresses that end."""

from __future__ import annotations

import pytest

from hub.connector import AuthError, Known, PermanentError, TemporaryError
from hub.sandbox import Fault
from hub.sandbox.cast import File
from hub.ticket import Attachment, Visibility
from plugins.solarwinds.connector import SolarwindsConnector
from plugins.solarwinds.sandbox import SolarwindsSandbox, actor
from tests.plugins.clock import Clock
from tests.plugins.solarwinds.builders import a_comment, a_file, created

LARGE = bytes(range(256)) * 8192
PUBLIC = Visibility.PUBLIC


def content_of(connector: SolarwindsConnector, attachment: Attachment) -> bytes:
    with connector.download(attachment) as chunks:
        return b"".join(chunks)


@pytest.mark.parametrize("name", ["raport ąę (1).pdf", "plain.txt", 'quote " and & more.txt', "100%.bin", "a;b=c.log"])
def test_a_large_file_with_an_odd_name_goes_up_and_comes_down_whole(connector: SolarwindsConnector, name: str) -> None:
    ticket_id = created(connector)
    written = connector.add_comment(ticket_id, a_comment("see", PUBLIC, a_file(name, LARGE, "application/x-y")))
    (comment,) = connector.read(ticket_id, Known()).comments or ()
    (attachment,) = comment.attachments
    assert written.attachment_ids == (attachment.id,)
    assert (attachment.name, attachment.size, attachment.content_type) == (name, len(LARGE), "application/x-y")
    assert content_of(connector, attachment) == LARGE


@pytest.mark.parametrize("visibility", [PUBLIC, Visibility.PRIVATE])
def test_files_hang_on_the_comment_and_do_not_change_who_may_read_it(
    connector: SolarwindsConnector, visibility: Visibility
) -> None:
    ticket_id = created(connector)
    uploads = (a_file("one.txt", b"1"), a_file("two.txt", b"2"))
    written = connector.add_comment(ticket_id, a_comment("two files", visibility, *uploads))
    snapshot = connector.read(ticket_id, Known())
    (comment,) = snapshot.comments or ()
    assert (comment.visibility, written.visibility) == (visibility, visibility)
    assert (comment.text, comment.marker) == ("two files", "hub:mark:two files")
    assert [(a.id, a.name) for a in comment.attachments] == list(
        zip(written.attachment_ids, ("one.txt", "two.txt"), strict=True)
    )
    assert snapshot.attachments == ()


def test_files_of_comments_that_are_listed_with_the_tickets_own_are_put_where_they_belong(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    site.change_settings(files_above=1)
    ticket_id = created(connector)
    comment = a_comment("see", Visibility.PRIVATE, a_file("secret.txt", b"1"))
    written = connector.add_comment(ticket_id, comment)
    snapshot = connector.read(ticket_id, Known())
    (seen,) = snapshot.comments or ()
    assert ([a.name for a in seen.attachments], snapshot.attachments) == (["secret.txt"], ())
    assert connector.find_comment(ticket_id, comment.marker) == written


def test_a_comment_whose_files_did_not_all_arrive_is_taken_back_and_written_whole(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    ticket_id = created(connector)
    comment = a_comment("two files", PUBLIC, a_file("one.txt", b"1"), a_file("two.txt", b"2"))
    site.faults.add(Fault(method="POST", path="/attachments", skip=1, drop=True))
    with pytest.raises(TemporaryError):
        connector.add_comment(ticket_id, comment)
    assert connector.find_comment(ticket_id, comment.marker) is None
    connector.add_comment(ticket_id, comment)
    (seen,) = connector.read(ticket_id, Known()).comments or ()
    assert [a.name for a in seen.attachments] == ["one.txt", "two.txt"]
    assert connector.find_comment(ticket_id, comment.marker) is not None


def test_a_comment_whose_file_is_refused_is_not_there_either(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    ticket_id = created(connector)
    with pytest.raises(PermanentError, match="too large"):
        connector.add_comment(ticket_id, a_comment("see", PUBLIC, a_file("a.bin", b"x" * (26 * 1024 * 1024))))
    assert site.store.incidents[int(ticket_id)].comments == []


def test_an_edited_comment_with_a_file_is_still_found(connector: SolarwindsConnector) -> None:
    ticket_id = created(connector)
    comment = a_comment("see", PUBLIC, a_file("a.txt", b"a"))
    written = connector.add_comment(ticket_id, comment)
    connector.edit_comment(ticket_id, written.id, comment.text, PUBLIC)
    assert connector.find_comment(ticket_id, comment.marker) == written


def test_the_token_never_goes_to_the_host_that_serves_files(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    customer = actor(site, "customer")
    ticket_id = customer.open_ticket("Broken", "See the log.")
    customer.say(ticket_id, "my log", public=True, files=[File("a.log", b"log")])
    (comment,) = connector.read(ticket_id, Known()).comments or ()
    assert not comment.attachments[0].url.startswith(site.url)
    assert content_of(connector, comment.attachments[0]) == b"log"
    assert site.leaked_authorizations == []
    customer.close()


def test_an_address_that_has_ended_is_tried_again_after_another_read(
    connector: SolarwindsConnector, clock: Clock
) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("see", PUBLIC, a_file("a.txt", b"a")))
    (comment,) = connector.read(ticket_id, Known()).comments or ()
    clock.forward(seconds=301)
    with pytest.raises(TemporaryError, match="has ended"):
        content_of(connector, comment.attachments[0])
    (again,) = connector.read(ticket_id, Known()).comments or ()
    assert content_of(connector, again.attachments[0]) == b"a"


def test_an_error_of_whoever_reads_the_file_stays_what_it_is(connector: SolarwindsConnector) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("see", PUBLIC, a_file("a.txt", b"a")))
    (comment,) = connector.read(ticket_id, Known()).comments or ()
    with pytest.raises(AuthError, match="another tracker"), connector.download(comment.attachments[0]):
        raise AuthError("dev", "POST /comment", "another tracker said no")
