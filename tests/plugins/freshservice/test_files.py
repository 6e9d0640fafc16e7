"""Files of Freshservice: multipart on the way up, signed addresses that end on the way down."""

from __future__ import annotations

import pytest

from hub.connector import AuthError, Known, RefusedError, TemporaryError
from hub.sandbox.cast import File
from hub.ticket import Attachment, Visibility
from plugins.freshservice.connector import FreshserviceConnector
from plugins.freshservice.sandbox import FreshserviceSandbox, actor
from tests.plugins.clock import Clock
from tests.plugins.freshservice.builders import a_comment, a_file, created


def content_of(connector: FreshserviceConnector, attachment: Attachment) -> bytes:
    with connector.download(attachment) as chunks:
        return b"".join(chunks)


@pytest.mark.parametrize("visibility", [Visibility.PUBLIC, Visibility.PRIVATE])
def test_files_do_not_change_who_may_read_the_comment(connector: FreshserviceConnector, visibility: Visibility) -> None:
    ticket_id = created(connector)
    uploads = (a_file("one.txt", b"1"), a_file("two.txt", b"2"))
    written = connector.add_comment(ticket_id, a_comment("two files", visibility, *uploads))
    (comment,) = connector.read(ticket_id, Known()).comments or ()
    assert (comment.visibility, written.visibility) == (visibility, visibility)
    assert (comment.text, comment.marker) == ("two files", "hub:mark:two files")
    assert [(a.id, a.name) for a in comment.attachments] == list(
        zip(written.attachment_ids, ("one.txt", "two.txt"), strict=True)
    )


def test_the_key_never_goes_to_the_host_that_serves_files(
    connector: FreshserviceConnector, site: FreshserviceSandbox
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
    connector: FreshserviceConnector, clock: Clock
) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("see", Visibility.PUBLIC, a_file("a.txt", b"a")))
    (comment,) = connector.read(ticket_id, Known()).comments or ()
    clock.forward(seconds=301)
    with pytest.raises(TemporaryError, match="has ended"):
        content_of(connector, comment.attachments[0])
    (again,) = connector.read(ticket_id, Known()).comments or ()
    assert content_of(connector, again.attachments[0]) == b"a"


def test_an_error_of_whoever_reads_the_file_stays_what_it_is(connector: FreshserviceConnector) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("see", Visibility.PUBLIC, a_file("a.txt", b"a")))
    (comment,) = connector.read(ticket_id, Known()).comments or ()
    with pytest.raises(AuthError, match="another tracker"), connector.download(comment.attachments[0]):
        raise AuthError("dev", "POST /comment", "another tracker said no")


def test_more_than_forty_megabytes_are_refused_and_nothing_is_written(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    ticket_id = created(connector)
    half = b"x" * (21 * 1024 * 1024)
    with pytest.raises(RefusedError, match="40 MB"):
        connector.add_comment(
            ticket_id, a_comment("see", Visibility.PUBLIC, a_file("a.bin", half), a_file("b.bin", half))
        )
    assert site.store.tickets[int(ticket_id)].conversations == []


def test_the_apis_own_address_of_a_file_leads_to_it_without_the_key(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("see", Visibility.PUBLIC, a_file("a.txt", b"a")))
    (comment,) = connector.read(ticket_id, Known()).comments or ()
    (attachment,) = comment.attachments
    by_api = Attachment(attachment.id, attachment.name, f"{site.url}/api/v2/attachments/{attachment.id}")
    assert content_of(connector, by_api) == b"a"
    assert site.leaked_authorizations == []
