"""Uploads, attachments and their downloads from another host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from plugins.zendesk.sandbox import ZendeskSandbox

if TYPE_CHECKING:
    from tests.plugins.zendesk.sandbox.conftest import Api, Clock


def test_an_uploaded_file_becomes_part_of_a_comment(api: Api) -> None:
    upload = api.upload("crash.log", b"boom")
    ticket = api.create()["id"]
    api.update(ticket, comment={"body": "see file", "public": False, "uploads": [upload["token"]]})
    file = api.get(f"/tickets/{ticket}/comments")["comments"][-1]["attachments"][0]
    assert (file["file_name"], file["size"], file["content_type"]) == ("crash.log", 4, "text/plain")
    assert api.get(f"/attachments/{file['id']}")["attachment"] == file
    assert httpx.get(file["content_url"], follow_redirects=True).content == b"boom"


def test_one_token_may_gather_several_files(api: Api) -> None:
    first = api.upload("a.txt", b"a")
    both = api.upload("b.txt", b"b", token=first["token"])
    assert both["token"] == first["token"]
    assert [a["file_name"] for a in both["attachments"]] == ["a.txt", "b.txt"]
    assert both["attachment"]["file_name"] == "b.txt"


def test_a_token_is_used_up_and_expires(api: Api, clock: Clock) -> None:
    ticket = api.create()["id"]
    used = api.upload("a.txt", b"a")["token"]
    api.update(ticket, comment={"body": "1", "uploads": [used]})
    api.update(ticket, 422, comment={"body": "2", "uploads": [used]})
    old = api.upload("b.txt", b"b")["token"]
    clock.advance(days=3, seconds=1)
    api.update(ticket, 422, comment={"body": "3", "uploads": [old]})
    assert len(api.get(f"/tickets/{ticket}/comments")["comments"]) == 2


def test_a_deleted_upload_is_gone(api: Api) -> None:
    token = api.upload("a.txt", b"a")["token"]
    api.call("DELETE", f"/uploads/{token}", 204)
    api.call("DELETE", f"/uploads/{token}", 404)


def test_an_upload_needs_a_name_and_a_limit(sandbox: ZendeskSandbox, api: Api) -> None:
    api.call("POST", "/uploads", 400, content=b"x")
    sandbox.change_settings(max_upload_bytes=3)
    api.call("POST", "/uploads?filename=a", 400, content=b"1234")


def test_forwarded_credentials_are_noticed(sandbox: ZendeskSandbox, api: Api) -> None:
    url = api.upload("a.txt", b"a")["attachment"]["content_url"]
    known = sandbox.credentials()
    with httpx.Client(auth=(f"{known['email']}/token", known["token"])) as client:
        redirect = client.get(url)
        assert redirect.status_code == 302
        assert httpx.get(redirect.headers["Location"]).content == b"a"
        assert sandbox.leaked_authorizations == []
        client.get(redirect.headers["Location"])
    assert len(sandbox.leaked_authorizations) == 1
    assert sandbox.state()["counts"]["leaked_authorizations"] == 1


def test_private_attachments_need_credentials(sandbox: ZendeskSandbox, api: Api) -> None:
    sandbox.change_settings(private_attachments=1)
    url = api.upload("a.txt", b"a")["attachment"]["content_url"]
    assert httpx.get(url).status_code == 403
    assert api.call("GET", url, 302).headers["Location"].startswith("http://localhost:")
