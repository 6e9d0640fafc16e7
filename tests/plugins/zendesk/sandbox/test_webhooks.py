"""Webhooks in both modes: bodies, signatures, retries, and the API that sets them up."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from plugins.zendesk.sandbox import ZendeskSandbox

if TYPE_CHECKING:
    from tests.plugins.zendesk.sandbox.conftest import Api, Receiver

TRIGGERED = "conditional_ticket_events"


def names(sandbox: ZendeskSandbox, receiver: Receiver) -> list[str]:
    assert sandbox.webhooks.wait_idle()
    return [event["type"].removeprefix("zen:event-type:ticket.") for event in receiver.events()]


def signature(secret: str, headers: dict[str, str], body: bytes) -> str:
    signed = headers["X-Zendesk-Webhook-Signature-Timestamp"].encode() + body
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def webhook(receiver: Receiver, *subscriptions: str) -> dict[str, Any]:
    return {
        "webhook": {
            "name": "hub",
            "endpoint": receiver.url,
            "http_method": "POST",
            "request_format": "json",
            "status": "active",
            "subscriptions": list(subscriptions),
        }
    }


def test_a_delivery_is_signed_as_the_real_ones_are(
    sandbox: ZendeskSandbox, api: Api, receiver: Receiver, sample: Callable[[str], Any]
) -> None:
    target = sandbox.add_webhook_target(receiver.url)
    api.create()
    assert sandbox.webhooks.wait_idle()
    headers, body = receiver.received[0]
    real = sample("webhooks/real-signed-delivery-user.deleted.json")["headers"]
    assert set(real) <= set(headers)
    assert headers["Content-Type"] == real["Content-Type"]
    assert headers["User-Agent"] == real["User-Agent"]
    for name in ("X-Zendesk-Webhook-Id", "X-Zendesk-Webhook-Invocation-Id", "X-Zendesk-Webhook-Signature-Timestamp"):
        assert len(headers[name]) == len(real[name])
    assert headers["X-Zendesk-Webhook-Id"] == target.id
    assert headers["X-Zendesk-Webhook-Signature"] == signature(sandbox.webhook_secret, headers, body)


def test_each_change_of_one_action_is_an_event_of_its_own(
    sandbox: ZendeskSandbox, api: Api, receiver: Receiver
) -> None:
    ticket = api.create()["id"]
    sandbox.add_webhook_target(receiver.url)
    api.update(
        ticket,
        comment={"body": "hi", "public": False},
        subject="s",
        priority="high",
        type="problem",
        status="pending",
        assignee_id=sandbox.logins["agent1"].id,
        external_id="e",
        custom_fields=[{"id": sandbox.field_id("Product area"), "value": "area_login"}],
    )
    assert sorted(names(sandbox, receiver)) == [
        "agent_assignment_changed",
        "comment_added",
        "custom_field_changed",
        "custom_status_changed",
        "external_id_changed",
        "priority_changed",
        "status_changed",
        "subject_changed",
        "tags_changed",
        "type_changed",
    ]
    events = receiver.events()
    assert len({e["event"]["meta"]["sequence"]["id"] for e in events}) == 1
    assert [e["event"]["meta"]["sequence"]["position"] for e in events] == list(range(1, 11))
    assert len({e["id"] for e in events}) == 10


def test_ids_are_texts_and_enumerations_upper_case(sandbox: ZendeskSandbox, api: Api, receiver: Receiver) -> None:
    ticket = api.create(priority="high", type="problem")
    sandbox.add_webhook_target(receiver.url)
    api.update(ticket["id"], priority="low")
    assert sandbox.webhooks.wait_idle()
    (event,) = receiver.events()
    assert event["event"] == {"current": "LOW", "previous": "HIGH"}
    assert event["subject"] == f"zen:ticket:{ticket['id']}"
    detail = event["detail"]
    assert (detail["id"], detail["status"], detail["type"]) == (str(ticket["id"]), "NEW", "PROBLEM")
    assert detail["actor_id"] == str(sandbox.logins["hub"].id)
    assert "custom_fields" not in detail


def test_the_hubs_own_writes_echo(sandbox: ZendeskSandbox, api: Api, receiver: Receiver) -> None:
    sandbox.add_webhook_target(receiver.url)
    ticket = api.create()["id"]
    api.update(ticket, comment={"body": "mine", "public": True})
    assert names(sandbox, receiver) == ["created", "comment_added"]
    assert receiver.events()[1]["event"]["comment"]["author"]["id"] == str(sandbox.logins["hub"].id)


def test_files_merges_and_deletions_are_told(sandbox: ZendeskSandbox, api: Api, receiver: Receiver) -> None:
    token = api.upload("a.txt", b"a")["token"]
    target, source = api.create()["id"], api.create()["id"]
    sandbox.add_webhook_target(receiver.url)
    api.update(source, comment={"body": "x", "uploads": [token]})
    api.post(f"/tickets/{target}/merge", {"ids": [source]}, 200)
    api.call("DELETE", f"/tickets/{target}", 204)
    api.call("PUT", f"/deleted_tickets/{target}/restore")
    seen = names(sandbox, receiver)
    assert seen[:2] == ["comment_added", "attachment_linked_to_comment"]
    assert "merged" in seen
    assert seen[-2:] == ["soft_deleted", "undeleted"]


def test_privacy_and_redaction_are_told(sandbox: ZendeskSandbox, api: Api, receiver: Receiver) -> None:
    ticket = api.create("abc")["id"]
    comment = api.get(f"/tickets/{ticket}/comments")["comments"][0]["id"]
    sandbox.add_webhook_target(receiver.url)
    api.put(f"/tickets/{ticket}/comments/{comment}/make_private", {})
    api.put(f"/tickets/{ticket}/comments/{comment}/redact", {"text": "b"})
    assert names(sandbox, receiver) == ["comment_made_private", "comment_redacted"]


def test_an_update_without_change_tells_nothing(sandbox: ZendeskSandbox, api: Api, receiver: Receiver) -> None:
    ticket = api.create(priority="low")["id"]
    sandbox.add_webhook_target(receiver.url)
    api.update(ticket, priority="low")
    assert names(sandbox, receiver) == []


@pytest.mark.parametrize(
    ("answers", "attempts"),
    [
        ([(409, {})] * 9, 4),
        ([(503, {"Retry-After": "5"})], 2),
        ([(429, {"Retry-After": "59"})], 2),
        ([(429, {"Retry-After": "60"})], 1),
        ([(503, {})], 1),
        ([(500, {})], 1),
        ([(403, {})], 1),
    ],
)
def test_only_some_answers_are_tried_again(
    sandbox: ZendeskSandbox, api: Api, receiver: Receiver, answers: list[tuple[int, dict[str, str]]], attempts: int
) -> None:
    sandbox.add_webhook_target(receiver.url)
    receiver.answers = answers
    api.create()
    assert sandbox.webhooks.wait_idle()
    assert len(receiver.received) == attempts
    assert len({headers["X-Zendesk-Webhook-Invocation-Id"] for headers, _ in receiver.received}) == 1


def test_no_answer_is_tried_five_times_more(sandbox: ZendeskSandbox, api: Api) -> None:
    sandbox.add_webhook_target("http://127.0.0.1:9/closed")
    api.create()
    assert sandbox.webhooks.wait_idle()
    assert [s.status for s in sandbox.webhooks.sent] == [None] * 6


def test_a_webhook_made_through_the_api_has_a_secret_of_its_own(
    sandbox: ZendeskSandbox, api: Api, receiver: Receiver
) -> None:
    made = api.post("/webhooks", webhook(receiver, "zen:event-type:ticket.priority_changed"))["webhook"]
    secret = api.get(f"/webhooks/{made['id']}/signing_secret")["signing_secret"]["secret"]
    ticket = api.create()["id"]
    api.update(ticket, priority="low", subject="other")
    assert names(sandbox, receiver) == ["priority_changed"]
    assert receiver.received[0][0]["X-Zendesk-Webhook-Signature"] == signature(secret, *receiver.received[0])
    new = api.post(f"/webhooks/{made['id']}/signing_secret", {})["signing_secret"]["secret"]
    api.update(ticket, priority="high")
    assert sandbox.webhooks.wait_idle()
    assert new != secret
    assert receiver.received[1][0]["X-Zendesk-Webhook-Signature"] == signature(new, *receiver.received[1])


def test_a_webhook_is_listed_changed_and_deleted(sandbox: ZendeskSandbox, api: Api, receiver: Receiver) -> None:
    made = api.post("/webhooks", webhook(receiver))["webhook"]
    path = f"/webhooks/{made['id']}"
    assert api.get("/webhooks")["webhooks"] == [made]
    api.call("PUT", path, 204, json={"webhook": {"status": "inactive"}})
    assert api.get(path)["webhook"]["status"] == "inactive"
    api.create()
    api.call("DELETE", path, 204)
    api.get(path, 404)
    assert names(sandbox, receiver) == []


def test_the_two_modes_exclude_each_other(api: Api, receiver: Receiver) -> None:
    api.post("/webhooks", webhook(receiver, TRIGGERED, "zen:event-type:ticket.created"), 400)
    made = api.post("/webhooks", webhook(receiver, TRIGGERED))["webhook"]
    change = {"webhook": {"subscriptions": ["zen:event-type:ticket.created"]}}
    api.call("PUT", f"/webhooks/{made['id']}", 400, json=change)
    api.post("/webhooks", {"webhook": {"name": "incomplete"}}, 400)


def test_a_test_request_is_signed_with_the_well_known_secret(api: Api, receiver: Receiver) -> None:
    asked = {"request": {"endpoint": receiver.url, "http_method": "POST", "payload": '{"a":1}'}}
    assert api.post("/webhooks/test", asked, 200)["response"]["status"] == 200
    headers, body = receiver.received[0]
    secret = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
    assert headers["X-Zendesk-Webhook-Signature"] == signature(secret, headers, body)


def test_invocations_tell_what_became_of_a_delivery(sandbox: ZendeskSandbox, api: Api, receiver: Receiver) -> None:
    made = api.post("/webhooks", webhook(receiver))["webhook"]
    receiver.answers = [(403, {})]
    api.create()
    assert sandbox.webhooks.wait_idle()
    (row,) = api.get(f"/webhooks/{made['id']}/invocations")["invocations"]
    assert (row["status"], row["status_code"]) == ("terminated", 403)
    (attempt,) = api.get(f"/webhooks/{made['id']}/invocations/{row['id']}/attempts")["attempts"]
    assert json.loads(attempt["request"]["payload"])["type"] == "zen:event-type:ticket.created"


def test_a_trigger_sends_the_admins_body(
    sandbox: ZendeskSandbox, api: Api, receiver: Receiver, sample: Callable[[str], Any]
) -> None:
    template = json.dumps(sample("webhooks/jsm-trigger-template-create.json"))
    made = api.post("/webhooks", webhook(receiver, TRIGGERED))["webhook"]
    trigger = {
        "title": "Tell the hub",
        "conditions": {"all": [{"field": "update_type", "operator": "is", "value": "Create"}]},
        "actions": [{"field": "notification_webhook", "value": [made["id"], template]}],
    }
    api.post("/triggers", {"trigger": trigger})
    ticket = api.create('say "hi"\nnow', priority="normal", type="incident", tags=["b", "a"])
    api.update(ticket["id"], priority="low")
    assert sandbox.webhooks.wait_idle()
    (told,) = receiver.events()
    assert told["ticketId"] == str(ticket["id"])
    assert (told["status"], told["priority"], told["ticket_type"]) == ("New", "Normal", "Incident")
    assert (told["description"], told["tags"], told["group_name"]) == ('say "hi"\nnow', "a b", "Support")


def test_a_trigger_may_leave_out_the_hubs_own_changes(
    sandbox: ZendeskSandbox, api: Api, login: Callable[[str], Api], receiver: Receiver
) -> None:
    me = str(sandbox.logins["hub"].id)
    made = api.post("/webhooks", webhook(receiver, TRIGGERED))["webhook"]
    condition = {"field": "current_user_id", "operator": "is_not", "value": me}
    step = {"field": "notification_webhook", "value": [made["id"], '{"by": "{{current_user.email}}"}']}
    trigger = api.post("/triggers", {"trigger": {"title": "t", "conditions": {"all": [condition]}, "actions": [step]}})
    ticket = api.create()["id"]
    login("agent1").update(ticket, priority="low")
    assert sandbox.webhooks.wait_idle()
    assert receiver.events() == [{"by": "agent1@support.example"}]
    api.call("DELETE", f"/triggers/{trigger['trigger']['id']}", 204)
    assert api.get("/triggers")["count"] == 0


def test_a_target_with_a_template_is_in_trigger_mode(
    sandbox: ZendeskSandbox, api: Api, login: Callable[[str], Api], receiver: Receiver
) -> None:
    template = '{"id": "{{ticket.id}}", "public": "{{ticket.latest_comment.is_public}}", "none": "{{ticket.nothing}}"}'
    sandbox.add_webhook_target(receiver.url, template=template, not_user_id=sandbox.logins["hub"].id)
    ticket = api.create()["id"]
    login("agent1").update(ticket, comment={"body": "n", "public": False}, priority="low")
    assert sandbox.webhooks.wait_idle()
    assert receiver.events() == [{"id": str(ticket), "public": "false", "none": ""}]


def test_another_process_registers_both_modes(sandbox: ZendeskSandbox, api: Api, receiver: Receiver) -> None:
    control = f"{sandbox.url}/_sandbox/webhooks"
    event = {"target": receiver.url, "mode": "event", "subscriptions": ["zen:event-type:ticket.created"]}
    trigger = {"target": receiver.url, "mode": "trigger", "template": '{"type": "{{ticket.id}}"}', "secret": "s"}
    assert api.post(control, event)["secret"] == sandbox.webhook_secret
    assert api.post(control, trigger)["secret"] == "s"
    api.create()
    api.update(1, priority="low")
    assert sandbox.webhooks.wait_idle()
    assert [e["type"] for e in receiver.events()] == ["zen:event-type:ticket.created", "1", "1"]


@pytest.mark.parametrize("wrong", [{"mode": "pigeon"}, {"mode": "trigger"}, {"mode": "event", "template": "x"}])
def test_a_wrong_mode_is_refused(sandbox: ZendeskSandbox, receiver: Receiver, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="mode"):
        sandbox.add_webhook_target(receiver.url, **wrong)
