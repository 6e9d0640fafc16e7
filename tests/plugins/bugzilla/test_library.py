"""The sandbox is driven by a client that others wrote: the `python-bugzilla` package, over REST."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from plugins.bugzilla.sandbox import BugzillaSandbox

bugzilla = pytest.importorskip("bugzilla")
NEW = {
    "product": "Widgets", "component": "Frontend", "version": "1.0", "op_sys": "All", "platform": "All",
    "summary": "It is broken", "description": "Since yesterday.",
}  # fmt: skip


def sign_in(site: BugzillaSandbox, login: str = "enid@example.test") -> Any:
    key = site.people()[login]["api_key"]
    return bugzilla.Bugzilla(
        f"{site.url}/rest", api_key=key, force_rest=True, use_creds=False, configpaths=[], cookiefile=None,
        tokenfile=None,
    )  # fmt: skip


@pytest.fixture
def client(site: BugzillaSandbox) -> Iterator[Any]:
    made = sign_in(site)
    yield made
    made.disconnect()


@pytest.fixture
def bug(client: Any) -> Any:
    return client.createbug(client.build_createbug(**NEW))


def test_it_knows_which_version_it_speaks_to(client: Any, site: BugzillaSandbox) -> None:
    assert client.is_rest()
    assert client.bz_ver_major == {"5.2": 5, "5.3": 5}.get(site.flavour, client.bz_ver_major)


def test_a_bug_is_created_read_and_found_by_its_alias(client: Any, bug: Any, site: BugzillaSandbox) -> None:
    found = client.getbug(bug.id)
    assert (found.summary, found.creator, found.product) == ("It is broken", "enid@example.test", "Widgets")
    client.update_bugs([bug.id], client.build_update(alias="zd-42") | _alias(site))
    assert client.getbug("zd-42").id == bug.id


def _alias(site: BugzillaSandbox) -> dict[str, Any]:
    return {"alias": "zd-42" if site.flavour == "bmo" else {"set": ["zd-42"]}}


def test_a_search_finds_what_was_changed_since(client: Any, bug: Any) -> None:
    query = {"product": "Widgets", "last_change_time": "2026-01-01T00:00:00Z", "order": "changeddate,bug_id",
             "include_fields": ["id", "last_change_time"]}  # fmt: skip
    assert [one.id for one in client.query(query)] == [bug.id]
    assert client.query({**query, "last_change_time": "2100-01-01T00:00:00Z"}) == []


def test_a_bug_is_resolved_opened_again_and_moved_through_its_fields(
    client: Any, bug: Any, site: BugzillaSandbox
) -> None:
    client.update_bugs([bug.id], client.build_update(status="RESOLVED", resolution="FIXED", comment="Done."))
    assert (client.getbug(bug.id).status, client.getbug(bug.id).resolution) == ("RESOLVED", "FIXED")
    again = "REOPENED" if site.flavour == "bmo" else "CONFIRMED"
    client.update_bugs([bug.id], client.build_update(status=again, whiteboard="[x]", keywords_add="regression"))
    found = client.getbug(bug.id)
    assert (found.status, found.resolution, found.whiteboard, found.keywords) == (again, "", "[x]", ["regression"])


def test_comments_are_written_and_private_ones_are_only_for_insiders(
    client: Any, bug: Any, site: BugzillaSandbox
) -> None:
    client.update_bugs([bug.id], client.build_update(comment="Internal.", comment_private=True))
    bug.addcomment("For all.")
    assert [c["text"] for c in client.getbug(bug.id).getcomments()] == ["Since yesterday.", "Internal.", "For all."]
    stranger = sign_in(site, "dev@example.test")
    assert [c["text"] for c in stranger.getbug(bug.id).getcomments()] == ["Since yesterday.", "For all."]
    stranger.disconnect()


def test_a_file_is_attached_listed_and_fetched(client: Any, bug: Any, site: BugzillaSandbox) -> None:
    if site.flavour == "bmo":
        pytest.skip("Mozilla answers with the files instead of their numbers, which this client does not expect")
    number = client.attachfile(bug.id, io.BytesIO(b"line 1\n"), "A log", file_name="log.txt", content_type="text/plain")
    (listed,) = client.get_attachments(bug.id, None)["bugs"][str(bug.id)]
    assert (listed["id"], listed["file_name"], listed["summary"]) == (number, "log.txt", "A log")
    fetched = client.get_attachments(None, number)["attachments"][str(number)]
    assert fetched["size"] == 7


def test_the_history_tells_who_changed_what(client: Any, bug: Any) -> None:
    client.update_bugs([bug.id], client.build_update(priority=client.getbug(bug.id).priority, severity=_other(client)))
    (entry,) = bug.get_history_raw()["bugs"][0]["history"]
    assert entry["who"] == "enid@example.test"
    assert [change["field_name"] for change in entry["changes"]] == ["severity"]


def _other(client: Any) -> str:
    names = [v["name"] for v in client._backend._get("/field/bug/bug_severity")["fields"][0]["values"]]
    return str(names[1])


def test_products_and_components_are_told(client: Any) -> None:
    assert client.getcomponents("Widgets") == ["Backend", "Frontend", "Zażółć gęślą"]


def test_refusals_have_bugzillas_numbers(client: Any, bug: Any, site: BugzillaSandbox) -> None:
    refused: list[tuple[Callable[[], Any], int]] = [
        (lambda: client.getbug(999), 101),
        (lambda: client.getbug("no-such-alias"), 100),
        (lambda: client.update_bugs([bug.id], {"priority": "P77"}), 51),
        (lambda: client.update_bugs([bug.id], {"status": "VERIFIED"}), 123),
        (lambda: client.update_bugs([bug.id], {"status": "RESOLVED"}), 121),
        (lambda: client.update_bugs([bug.id], {"status": "RESOLVED", "resolution": "DUPLICATE"}), 119),
        (lambda: client.createbug({**NEW, "version": "9"}), 51),
    ]
    for call, code in refused:
        with pytest.raises(bugzilla.BugzillaError) as raised:
            call()
        assert int(raised.value.code) == code


def test_a_route_that_the_sandbox_does_not_have_says_so_and_one_that_nobody_has_is_bugzillas_own_404(
    site: BugzillaSandbox,
) -> None:
    missing = httpx.get(f"{site.url}/rest/group")
    assert missing.status_code == 501
    assert "has no GET /rest/group" in missing.json()["description"]
    nobody = httpx.get(f"{site.url}/rest/nonsense")
    assert (nobody.status_code, int(nobody.json()["code"])) == (404, 32614)
    assert httpx.post(f"{site.url}/jsonrpc.cgi", json={}).status_code == 501
