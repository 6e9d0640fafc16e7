"""The sandbox is driven by a client that others wrote: `ZohoSDPlusAPI`, for servers on-premises.

The package wants an old `requests` and is therefore none of the project's own needs; it works with the present one:
`pip install --no-deps zohosdplusapi`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plugins.servicedesk_plus.sandbox import ServiceDeskPlusSandbox
from tests.shared import payload

library = pytest.importorskip("ZohoSDPlusAPI", reason="not installed: pip install --no-deps zohosdplusapi")


@pytest.fixture
def client(on_premises: ServiceDeskPlusSandbox) -> Any:
    key = on_premises.people()["agent1"]["technician_key"]
    return library.Request(key, f"{on_premises.url}/api/v3")


def a_request(client: Any, **more: Any) -> Any:
    asks = {"email_id": "customer1@customers.example"}
    answer = client.add_request({"request": {"subject": "From a library", "requester": asks, **more}})
    return answer["request"]


def test_it_creates_reads_changes_and_closes_a_request(client: Any) -> None:
    made = a_request(client, description="<b>It</b> breaks", priority={"name": "High"})
    assert (made["status"]["name"], made["priority"]["name"]) == ("Open", "High")
    client.update_request(made["id"], {"request": {"subject": "Changed", "status": {"name": "On Hold"}}})
    seen = client.get_request_data(made["id"])["request"]
    assert (seen["subject"], seen["status"]["internal_name"]) == ("Changed", "Onhold")
    client.add_request_resolution(made["id"], "Restart it.")
    assert client.get_request_resolution(made["id"])["resolution"]["content"] == "Restart it."
    closed = client.close_request(made["id"], True, "", "done", "Success")
    assert closed["response_status"]["status"] == "success"
    assert client.get_request_data(made["id"])["request"]["status"]["name"] == "Closed"


def test_it_adds_changes_and_deletes_notes(client: Any) -> None:
    number = a_request(client)["id"]
    note = client.add_request_note(number, "for us", show_to_requester=False)["note"]
    client.add_request_note(number, "for all", show_to_requester=True)
    client.update_request_note(number, note["id"], "for us, changed", show_to_requester=False)
    notes = client.get_request_all_notes_data(number)["notes"]
    assert [(n["description"], n["show_to_requester"]) for n in notes] == [
        ("for us, changed", False),
        ("for all", True),
    ]
    client.delete_request_note(number, note["id"])
    assert "response_status" in client.get_request_note_data(number, note["id"])
    assert len(client.get_request_all_notes_data(number)["notes"]) == 1


def test_it_replies_to_the_requester_and_reads_the_conversation(client: Any) -> None:
    number = a_request(client)["id"]
    sent = client.add_request_notification(number, "<p>Try again</p>")["notification"]
    (row,) = client.get_request_all_conversations_data(number)["conversations"]
    assert row["content_url"].endswith(f"/notifications/{sent['id']}")
    shown = client.get_request_notification_data(number, sent["id"])["notification"]
    assert (shown["description"], shown["to"]) == ("<p>Try again</p>", [{"email_id": "customer1@customers.example"}])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the package closes no file
def test_it_sends_and_fetches_files_of_requests(
    on_premises: ServiceDeskPlusSandbox, client: Any, tmp_path: Path
) -> None:
    number = a_request(client)["id"]
    file = tmp_path / "raport.txt"
    file.write_bytes(b"content")
    sent = client.add_request_attachment_and_associate(number, str(file))["attachment"]
    (listed,) = client.get_request_attachments_list(number)["attachments"]
    assert (listed["id"], listed["name"], listed["size"]) == (sent["id"], "raport.txt", 7)
    file.unlink()
    client.download_request_attachment(number, sent["id"], str(tmp_path))
    assert file.read_bytes() == b"content"


def test_it_lists_with_criteria_in_pages(client: Any) -> None:
    made = [a_request(client, subject=f"Number {n}")["id"] for n in range(5)]
    info = {
        "row_count": 2, "start_index": 3, "sort_field": "id", "sort_order": "asc", "get_total_count": True,
        "search_criteria": [
            {"field": "subject", "condition": "starts with", "value": "number"},
            {"field": "status.name", "condition": "is not", "value": "Closed", "logical_operator": "AND"},
        ],
    }  # fmt: skip
    answer = client.get_all_requests_data({"list_info": info})
    assert [r["id"] for r in answer["requests"]] == made[2:4]
    assert answer["list_info"]["has_more_rows"] is True
    assert answer["list_info"]["total_count"] == 5
    assert "last_updated_time" not in answer["requests"][0]


def test_it_trashes_restores_deletes_and_merges(client: Any) -> None:
    first, second = a_request(client)["id"], a_request(client)["id"]
    client.delete_request_to_trash(first)
    assert client.get_request_data(first)["request"]["is_trashed"] is True
    assert [r["id"] for r in client.get_all_requests_data()["requests"]] == [second]
    client.restore_request_from_trash(first)
    client.merge_requests(first, [second])
    assert client.get_request_data(second)["response_status"]["status"] == "failed"
    client.delete_request_to_trash(first)
    client.delete_request_from_trash(first)
    assert client.get_request_data(first)["response_status"]["messages"][0]["status_code"] == 4007


def test_everything_wrong_is_named_at_once_and_a_wrong_key_is_refused(
    client: Any, on_premises: ServiceDeskPlusSandbox
) -> None:
    answer = client.add_request({"request": {"nonsense": 1, "priority": {"name": "Huge"}}})
    assert {m["field"] for m in answer["response_status"]["messages"]} == {"nonsense", "subject", "priority"}
    stranger = library.Request("wrong", f"{on_premises.url}/api/v3")
    assert stranger.get_all_requests_data()["response_status"]["messages"][0]["status_code"] == 4009


def test_technicians_are_listed(client: Any, on_premises: ServiceDeskPlusSandbox) -> None:
    admin = library.Admin(client.api_key, client.api_url_base)
    names = {t["name"] for t in admin.get_all_technicians()["technicians"]}
    assert names == {"Hub Service", "Agent One", "Agent Two", "Agent Three"}


@pytest.mark.parametrize("sample", ["request_create", "request_update"])
def test_a_request_has_every_field_of_the_published_samples(client: Any, sample: str) -> None:
    shown = client.get_request_data(a_request(client)["id"])
    published = payload(f"servicedesk-plus/demisto-cloud/{sample}.json")
    assert set(published) == set(shown)
    assert set(published["request"]) <= set(shown["request"])
    assert set(published["request"]["status"]) == set(shown["request"]["status"])


def test_lists_and_resolutions_have_every_field_of_the_published_samples(client: Any) -> None:
    number = a_request(client)["id"]
    listed = payload("servicedesk-plus/demisto-cloud/request_list.json")
    shown = client.get_all_requests_data()
    assert set(listed) == set(shown)
    assert set(listed["requests"][0]) == set(shown["requests"][0])
    assert set(listed["list_info"]) <= set(shown["list_info"])
    client.add_request_resolution(number, "x")
    resolution = payload("servicedesk-plus/demisto-cloud/resolution_get.json")
    assert set(resolution["resolution"]) == set(client.get_request_resolution(number)["resolution"])
