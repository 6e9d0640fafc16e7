"""Files go with the note or mail that they belong to, so that they are as private as it is."""

from __future__ import annotations

import pytest

from hub.connector import AuthError, Known
from hub.sandbox.cast import File
from hub.ticket import Attachment, Visibility
from plugins.servicedesk_plus.connector import ServiceDeskPlusConnector
from plugins.servicedesk_plus.mapping import address
from plugins.servicedesk_plus.sandbox import ServiceDeskPlusSandbox, actor
from tests.plugins.clock import Clock
from tests.plugins.servicedesk_plus.builders import a_comment, a_file, comments_of, created, kept
from tests.plugins.servicedesk_plus.conftest import connect


def content_of(connector: ServiceDeskPlusConnector, attachment: Attachment) -> bytes:
    with connector.download(attachment) as chunks:
        return b"".join(chunks)


@pytest.mark.parametrize("public_as", ["note", "reply"])
def test_files_travel_with_a_comment_in_order(site: ServiceDeskPlusSandbox, public_as: str) -> None:
    connector = connect(site, public_as=public_as)
    ticket_id = created(connector)
    uploads = (a_file("raport ąę (1).pdf", b"%PDF", "application/pdf"), a_file("b.txt", b"b"))
    written = connector.add_comment(ticket_id, a_comment("see", Visibility.PUBLIC, *uploads))
    (comment,) = comments_of(connector, ticket_id)
    assert tuple(a.id for a in comment.attachments) == written.attachment_ids
    assert [(a.name, a.size) for a in comment.attachments] == [("raport ąę (1).pdf", 4), ("b.txt", 1)]
    assert comment.attachments[0].content_type == "application/pdf"
    assert [content_of(connector, a) for a in comment.attachments] == [b"%PDF", b"b"]
    connector.close()


def test_a_private_files_note_is_private_and_the_request_itself_holds_no_file(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("see", Visibility.PRIVATE, a_file("secret.txt", b"s")))
    assert [n.shown for n in kept(site, ticket_id).notes] == [False]
    assert connector.read(ticket_id, Known()).attachments == ()


def test_files_of_customers_and_of_the_request_are_read_and_fetched(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    ticket_id = created(connector)
    customer = actor(site, "customer")
    customer.say(ticket_id, "see", public=True, files=[File("a.log", b"log", "text/plain")])
    hub = site.store.by_login("agent1")
    site.changes.attach(hub, kept(site, ticket_id), site.store.add_file("b.log", b"own", "text/plain", hub))
    snapshot = connector.read(ticket_id, Known())
    (comment,) = snapshot.comments or ()
    assert content_of(connector, comment.attachments[0]) == b"log"
    assert content_of(connector, snapshot.attachments[0]) == b"own"
    assert snapshot.attachments[0].author.name == "Agent One"
    customer.close()


def test_a_token_that_ended_before_a_download_is_replaced(cloud: ServiceDeskPlusSandbox, clock: Clock) -> None:
    connector = connect(cloud)
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("see", Visibility.PUBLIC, a_file("a.txt", b"a")))
    (comment,) = comments_of(connector, ticket_id)
    clock.forward(hours=2)
    assert content_of(connector, comment.attachments[0]) == b"a"
    connector.close()


def test_an_error_of_whoever_reads_the_file_stays_what_it_is(connector: ServiceDeskPlusConnector) -> None:
    ticket_id = created(connector)
    connector.add_comment(ticket_id, a_comment("see", Visibility.PUBLIC, a_file("a.txt", b"a")))
    (comment,) = comments_of(connector, ticket_id)
    with pytest.raises(AuthError, match="another tracker"), connector.download(comment.attachments[0]):
        raise AuthError("dev", "POST /comment", "another tracker said no")


@pytest.mark.parametrize(
    ("content_url", "whole"),
    [
        (
            "/api/v3/requests/1/attachments/2/download",
            "https://sdp.example:8443/api/v3/requests/1/attachments/2/download",
        ),
        ("app/itdesk/x", "https://sdp.example:8443/app/itdesk/x"),
        ("https://files.example/x", "https://files.example/x"),
        ("/attachments/2/download", "https://sdp.example:8443/api/v3/requests/1/attachments/2/download"),
    ],
)
def test_the_address_of_a_file_is_made_whole(content_url: str, whole: str) -> None:
    assert address("https://sdp.example:8443/api/v3/requests/1", content_url) == whole
