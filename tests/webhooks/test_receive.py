from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.webhooks.stage import (
    NOW,
    SECRET,
    UNAVAILABLE,
    Stage,
    a_body,
    ago,
    signed_like_jira,
    signed_like_zendesk,
    start,
)

REAL = (
    Path(__file__).resolve().parents[2]
    / ".."
    / "shared/payloads/zendesk/webhooks/real-signed-delivery-user.deleted.json"
)


def refused_as(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["description"]
    return answer.status_code, answer.json()["error"]


def test_a_signed_delivery_is_stored_and_answered_with_its_number(stage: Stage) -> None:
    body = a_body("7", "8")
    answer = stage.post("support", body, signed_like_zendesk(body))
    assert (answer.status_code, answer.json()) == (202, {"delivery": 0, "status": "accepted"})
    (kept,) = stage.shelf.kept
    assert (kept.tracker, kept.delivery_key, kept.received, kept.body) == ("support", "id:one", NOW, body)
    assert [hint.ticket_id for hint in kept.hints] == ["7", "8"]
    assert kept.ignored is None
    assert stage.count("support", "accepted") == 1


@pytest.mark.parametrize("tracker", ["dev", "plain"])
def test_every_scheme_gets_through(stage: Stage, tracker: str) -> None:
    body = a_body()
    headers = signed_like_jira(body) if tracker == "dev" else {"X-Api-Pass": SECRET}
    assert stage.post(tracker, body, headers).json()["status"] == "accepted"


def test_a_delivery_that_comes_again_is_a_duplicate(stage: Stage) -> None:
    body = a_body()
    stage.post("support", body, signed_like_zendesk(body))
    again = stage.post("support", body, signed_like_zendesk(body, at=ago(-5)))
    assert (again.status_code, again.json()["status"]) == (202, "duplicate")
    assert len(stage.shelf.kept) == 1
    assert stage.count("support", "duplicate") == 1


def test_the_same_delivery_id_of_two_trackers_is_two_deliveries(stage: Stage) -> None:
    body = a_body()
    stage.post("support", body, signed_like_zendesk(body))
    assert stage.post("dev", body, signed_like_jira(body)).json()["status"] == "accepted"


def test_without_an_id_the_same_body_at_another_time_is_another_delivery(stage: Stage) -> None:
    body = a_body()
    answers = [
        stage.post("anonymous", body, signed_like_zendesk(body, at=at)).json()["status"] for at in (NOW, NOW, ago(9))
    ]
    assert answers == ["accepted", "duplicate", "accepted"]


def test_a_payload_that_needs_nothing_is_stored_with_the_reason(stage: Stage) -> None:
    body = a_body(ignore=True)
    answer = stage.post("support", body, signed_like_zendesk(body))
    assert answer.status_code == 202
    assert answer.json() == {"delivery": 0, "status": "ignored", "reason": "nothing that concerns tickets"}
    assert stage.shelf.kept[0].ignored == "nothing that concerns tickets"


def test_a_payload_that_names_no_ticket_does_not_wait_for_ever(stage: Stage) -> None:
    body = b'{"tickets": []}'
    assert stage.post("support", body, signed_like_zendesk(body)).json()["status"] == "ignored"
    assert stage.shelf.kept[0].ignored == "it speaks of no ticket"


@pytest.mark.parametrize(
    "body", [a_body(crash=True), b'"a text"', b"[1]", b"7", b"null", b'{"tickets": 7}', b"[" * 9000]
)
def test_a_verified_payload_that_crashes_the_connector_is_stored_all_the_same(stage: Stage, body: bytes) -> None:
    answer = stage.post("support", body, signed_like_zendesk(body))
    assert (answer.status_code, answer.json()["status"]) == (202, "ignored")
    (kept,) = stage.shelf.kept
    assert kept.body == body
    assert kept.hints == ()
    assert (kept.ignored or "").startswith("could not be read: ")


@pytest.mark.parametrize("body", [b"", b"not json", b'{"tickets":', b"\xff\xfe\x00", b"<xml/>"])
def test_a_signed_body_that_is_no_payload_is_unparsable(stage: Stage, body: bytes) -> None:
    assert refused_as(stage.post("support", body, signed_like_zendesk(body))) == (400, "unparsable")
    assert stage.shelf.kept == []
    assert stage.shelf.refusals == [("support", "unparsable", 400)]


def test_a_forged_delivery_is_refused_and_leaves_only_a_note(stage: Stage) -> None:
    body = a_body()
    headers = signed_like_zendesk(body, secret="another")
    assert refused_as(stage.post("support", body, headers)) == (401, "forged")
    assert stage.shelf.kept == []
    assert stage.shelf.refusals == [("support", "forged", 401)]
    assert stage.count("support", "forged") == 1


def test_one_changed_bit_of_the_body_is_refused(stage: Stage) -> None:
    body = a_body()
    changed = bytes([body[0] ^ 1]) + body[1:]
    assert refused_as(stage.post("support", changed, signed_like_zendesk(body))) == (401, "forged")


def test_a_delivery_without_signature_is_refused(stage: Stage) -> None:
    assert refused_as(stage.post("support", a_body(), {})) == (401, "unsigned")


@pytest.mark.parametrize("seconds", [301, -301])
def test_an_old_or_early_delivery_is_refused(stage: Stage, seconds: int) -> None:
    body = a_body()
    assert refused_as(stage.post("support", body, signed_like_zendesk(body, at=ago(seconds)))) == (401, "stale")


def test_an_old_delivery_does_not_become_new_by_another_timestamp(stage: Stage) -> None:
    body = a_body()
    headers = signed_like_zendesk(body, at=ago(4000)) | {"X-Sig-Timestamp": "2026-03-04T12:00:00Z"}
    assert refused_as(stage.post("support", body, headers)) == (401, "forged")


def test_the_signature_of_one_tracker_does_not_open_another(stage: Stage) -> None:
    body = a_body()
    assert refused_as(stage.post("dev", body, signed_like_zendesk(body))) == (401, "unsigned")


def test_two_signatures_in_one_request_are_refused(stage: Stage) -> None:
    body = a_body()
    right = list(signed_like_zendesk(body).items())
    request = stage.client.build_request(
        "POST", "/webhooks/support", content=body, headers=[*right, ("X-Sig", dict(right)["X-Sig"])]
    )
    assert refused_as(stage.client.send(request)) == (401, "malformed")


def test_a_header_with_an_underscore_does_not_stand_for_one_with_a_dash(stage: Stage) -> None:
    body = a_body()
    headers = {name.replace("-", "_"): value for name, value in signed_like_zendesk(body).items()}
    assert refused_as(stage.post("support", body, headers)) == (401, "unsigned")


def test_bytes_beyond_ascii_in_headers_are_only_wrong(stage: Stage) -> None:
    body = a_body()
    for name in ("X-Sig", "X-Sig-Timestamp"):
        raw = [(n.encode(), v.encode()) for n, v in signed_like_zendesk(body).items() if n != name]
        request = stage.client.build_request(
            "POST", "/webhooks/support", content=body, headers=[*raw, (name.encode(), "zażółć\x80".encode())]
        )
        assert stage.client.send(request).status_code == 401


def test_an_unknown_tracker_is_told_so_and_counted_under_no_name_of_its_own(stage: Stage) -> None:
    answer = stage.post("supprot", a_body(), {})
    assert refused_as(answer) == (404, "unknown_tracker")
    assert "supprot" in answer.json()["description"]
    assert "supprot" not in stage.client.get("/metrics").text
    assert stage.shelf.refusals == [("unknown", "unknown_tracker", 404)]


def test_a_tracker_without_secret_takes_nothing_and_says_where_to_put_one(stage: Stage) -> None:
    body = a_body()
    answer = stage.post("unset", body, signed_like_zendesk(body, secret=""))
    assert refused_as(answer) == (401, "unsigned")
    assert "trackers.unset.webhook.secret" in answer.json()["description"]


def test_a_tracker_that_sends_no_webhooks_takes_none(stage: Stage) -> None:
    assert refused_as(stage.post("polled", a_body(), {})) == (404, "unknown_tracker")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_webhooks_come_by_post_only(stage: Stage, method: str) -> None:
    answer = stage.client.request(method, "/webhooks/support")
    assert refused_as(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def test_a_tracker_that_asks_for_an_echo_gets_its_code_back_before_and_with_each_delivery(stage: Stage) -> None:
    proof = stage.client.get("/webhooks/echoing", headers={"X-Code": "b1f0-42"})
    assert (proof.status_code, proof.headers["x-code"]) == (200, "b1f0-42")
    assert stage.shelf.kept == []
    answer = stage.post("echoing", a_body(), {"X-Api-Pass": SECRET, "X-Code": "b1f0-43"})
    assert (answer.status_code, answer.headers["x-code"]) == (202, "b1f0-43")


@pytest.mark.parametrize("code", ["", "<script>", "a b", "x" * 201])
def test_nothing_but_a_code_is_repeated(stage: Stage, code: str) -> None:
    answer = stage.client.get("/webhooks/echoing", headers={"X-Code": code})
    assert refused_as(answer) == (405, "method_not_allowed")
    assert "x-code" not in answer.headers


def test_other_trackers_repeat_nothing(stage: Stage) -> None:
    assert stage.client.get("/webhooks/plain", headers={"X-Code": "1"}).status_code == 405
    answer = stage.post("plain", a_body(), {"X-Api-Pass": SECRET, "X-Code": "1"})
    assert "x-code" not in answer.headers


def test_a_slash_at_the_end_of_the_address_does_not_matter(stage: Stage) -> None:
    body = a_body()
    assert stage.post("support/", body, signed_like_zendesk(body)).status_code == 202


def test_a_compressed_body_is_not_taken(stage: Stage) -> None:
    body = a_body()
    headers = signed_like_zendesk(body) | {"Content-Encoding": "gzip"}
    assert refused_as(stage.post("support", body, headers)) == (415, "unparsable")


@pytest.mark.parametrize("trouble", [UNAVAILABLE, OSError(28, "No space left on device")])
def test_what_cannot_be_stored_is_asked_for_again_soon(stage: Stage, trouble: Exception) -> None:
    body = a_body()
    stage.shelf.trouble = trouble
    answer = stage.post("support", body, signed_like_zendesk(body))
    assert refused_as(answer) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) < 60
    assert stage.count("support", "unavailable") == 1
    stage.shelf.trouble = None
    assert stage.post("support", body, signed_like_zendesk(body)).json()["status"] == "accepted"


def test_no_credential_is_kept_and_what_tells_the_event_is(stage: Stage) -> None:
    body = a_body()
    sent = signed_like_zendesk(body) | {
        "Authorization": "Bearer x-very-secret",
        "Cookie": "session=x-very-secret",
        "X-Forwarded-Access-Token": "x-very-secret",
        "X-Proxy-Jwt-Assertion": "x-very-secret",
        "X-Webhook-Token": "x-very-secret",
        "X-Fake-Event": "ticket.changed",
        "X-Fake-Webhook-Retry": "2",
        "Content-Type": "application/json",
        "User-Agent": "Fake",
    }
    stage.post("support", body, sent)
    kept = stage.shelf.kept[0].headers
    assert kept == {
        "content-type": "application/json",
        "user-agent": "Fake",
        "x-delivery-id": "one",
        "x-sig-timestamp": "2026-03-04T12:00:00Z",
        "x-fake-event": "ticket.changed",
        "x-fake-webhook-retry": "2",
    }


def test_the_secret_sent_in_a_header_is_not_kept(stage: Stage) -> None:
    stage.post("plain", a_body(), {"X-Api-Pass": SECRET})
    assert SECRET not in json.dumps(dict(stage.shelf.kept[0].headers))


def test_proxy_headers_change_nothing(stage: Stage) -> None:
    body = a_body()
    headers = signed_like_zendesk(body) | {
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "hub.example",
        "X-Forwarded-Prefix": "/hub",
        "Forwarded": "for=203.0.113.7;proto=https",
        "Host": "hub.example",
    }
    assert stage.post("support", body, headers).status_code == 202


def test_fifty_deliveries_at_once_are_all_stored(stage: Stage) -> None:
    def send(number: int) -> str:
        body = a_body(str(number))
        status: str = stage.post("support", body, signed_like_zendesk(body, delivery=f"d{number % 40}")).json()[
            "status"
        ]
        return status

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(send, range(50)))
    assert (answers.count("accepted"), answers.count("duplicate")) == (40, 10)
    assert len(stage.shelf.kept) == 40
    assert stage.count("support", "accepted") == 40


def test_a_flood_of_refusals_is_counted_in_full_and_noted_in_part(stage: Stage) -> None:
    for _ in range(150):
        stage.post("support", b"{}", {})
    stage.post("dev", b"{}", {})
    assert stage.count("support", "unsigned") == 150
    # Two minutes' worth at most, should the minute end while this runs.
    assert 60 <= stage.shelf.refusals.count(("support", "unsigned", 401)) <= 120
    assert ("dev", "unsigned", 401) in stage.shelf.refusals


def test_a_large_body_in_polish_comes_through_whole() -> None:
    running = start(limit=3_000_000)
    try:
        body = json.dumps(
            {"tickets": ["7"], "html": "<p>Zażółć gęślą jaźń – „cytat”</p>" * 50_000}, ensure_ascii=False
        ).encode()
        assert len(body) > 2_000_000
        assert running.post("support", body, signed_like_zendesk(body)).status_code == 202
        assert running.shelf.kept[0].body == body
    finally:
        running.client.close()
        running.server.stop()


def test_a_really_signed_delivery_is_forged_for_a_hub_with_another_secret(stage: Stage) -> None:
    if not REAL.exists():
        pytest.skip("the recorded delivery is not beside this repository")
    recorded = json.loads(REAL.read_text("utf-8"))
    theirs = recorded["headers"]
    headers = theirs | {
        "X-Sig": theirs["X-Zendesk-Webhook-Signature"],
        "X-Sig-Timestamp": theirs["X-Zendesk-Webhook-Signature-Timestamp"],
    }
    assert refused_as(stage.post("support", recorded["payload"].encode(), headers)) == (401, "forged")
