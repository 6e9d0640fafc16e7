"""Webhooks and triggers as an admin sets them up, and what became of each delivery."""

from __future__ import annotations

import base64
import secrets
import uuid
from typing import TYPE_CHECKING, Any

import httpx
from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from hub.sandbox import Delivery, Sent, Target
from plugins.zendesk.sandbox.calls import actor, found, json_body, wrapped
from plugins.zendesk.sandbox.errors import bad_request, not_found
from plugins.zendesk.sandbox.state import iso

if TYPE_CHECKING:
    from plugins.zendesk.sandbox.server import ZendeskSandbox

TEST_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
"""Signs test requests for a webhook that does not exist yet; the same for every account."""
TRIGGERED = "conditional_ticket_events"


def webhook_routes(sandbox: ZendeskSandbox) -> Blueprint:
    """Routes under /webhooks and /triggers, for admins."""
    routes, hooks = Blueprint("webhooks", __name__), sandbox.hooks

    def hook(webhook_id: str) -> dict[str, Any]:
        if webhook_id not in hooks:
            raise not_found()
        return hooks[webhook_id]

    def register(record: dict[str, Any]) -> None:
        id = record["id"]
        sandbox.webhooks.remove_target(id)
        if record["status"] == "active":
            options = {"subscriptions": record["subscriptions"]}
            sandbox.webhooks.target(record["endpoint"], sandbox.secrets[id], id=id, **options)

    @routes.get("/webhooks")
    def webhooks() -> ResponseReturnValue:
        meta = {"has_more": False, "after_cursor": None, "before_cursor": None}
        return jsonify(webhooks=list(hooks.values()), meta=meta, links={"prev": None, "next": None})

    @routes.post("/webhooks")
    def create() -> ResponseReturnValue:
        given = wrapped("webhook")
        for key in ("name", "endpoint", "http_method", "request_format", "status"):
            if not given.get(key):
                raise bad_request("InvalidWebhook", f"{key} is required")
        subscriptions = given.get("subscriptions") or []
        if TRIGGERED in subscriptions and len(subscriptions) > 1:
            raise bad_request("InvalidWebhook", f"{TRIGGERED} excludes other subscriptions")
        id, now, me = new_webhook_id(), iso(sandbox.clock()), str(actor().id)
        hooks[id] = {
            "id": id,
            "name": given["name"],
            "status": given["status"],
            "subscriptions": subscriptions,
            "created_at": now,
            "created_by": me,
            "updated_at": now,
            "updated_by": me,
            "endpoint": given["endpoint"],
            "http_method": given["http_method"],
            "request_format": given["request_format"],
            "authentication": given.get("authentication"),
            "custom_headers": given.get("custom_headers"),
        }
        sandbox.secrets[id] = new_secret()
        register(hooks[id])
        return jsonify(webhook=hooks[id]), 201

    @routes.get("/webhooks/<webhook_id>")
    def show(webhook_id: str) -> ResponseReturnValue:
        return jsonify(webhook=hook(webhook_id))

    @routes.route("/webhooks/<webhook_id>", methods=["PUT", "PATCH"])
    def update(webhook_id: str) -> ResponseReturnValue:
        record, given = hook(webhook_id), wrapped("webhook")
        if "subscriptions" in given and given["subscriptions"] != record["subscriptions"]:
            was, wanted = TRIGGERED in record["subscriptions"], TRIGGERED in given["subscriptions"]
            if was or wanted:
                raise bad_request("InvalidWebhook", "the mode of a webhook cannot be changed")
        record.update({key: value for key, value in given.items() if key in record and key != "id"})
        register(record)
        return Response(status=204)

    @routes.delete("/webhooks/<webhook_id>")
    def delete(webhook_id: str) -> ResponseReturnValue:
        hook(webhook_id)
        del hooks[webhook_id]
        sandbox.webhooks.remove_target(webhook_id)
        return Response(status=204)

    @routes.get("/webhooks/<webhook_id>/signing_secret")
    def secret(webhook_id: str) -> ResponseReturnValue:
        hook(webhook_id)
        return jsonify(signing_secret={"algorithm": "SHA256", "secret": sandbox.secrets[webhook_id]})

    @routes.post("/webhooks/<webhook_id>/signing_secret")
    def reset_secret(webhook_id: str) -> ResponseReturnValue:
        record = hook(webhook_id)
        sandbox.secrets[webhook_id] = new_secret()
        register(record)
        return jsonify(signing_secret={"algorithm": "SHA256", "secret": sandbox.secrets[webhook_id]}), 201

    @routes.post("/webhooks/test")
    def test() -> ResponseReturnValue:
        id, asked = request.args.get("webhook_id"), json_body().get("request") or {}
        record = hook(id) if id else {}
        url = asked.get("endpoint") or record.get("endpoint") or ""
        body = str(asked.get("payload") or "").encode()
        target = Target(id or "", url, sandbox.secrets[id] if id else TEST_SECRET)
        delivery = Delivery(uuid.uuid4().hex, target, body, headers={"Content-Type": "application/json; charset=utf-8"})
        return jsonify(response=_sent_now(sandbox, delivery, asked.get("http_method") or "POST"))

    @routes.get("/webhooks/<webhook_id>/invocations")
    def invocations(webhook_id: str) -> ResponseReturnValue:
        hook(webhook_id)
        last = {s.delivery.id: s for s in sandbox.webhooks.sent if s.delivery.target.id == webhook_id}
        rows = [_invocation(s) for s in last.values()]
        meta = {"has_more": False, "after_cursor": None, "before_cursor": None}
        return jsonify(invocations=rows, meta=meta, links={"prev": None, "next": None})

    @routes.get("/webhooks/<webhook_id>/invocations/<invocation_id>/attempts")
    def attempts(webhook_id: str, invocation_id: str) -> ResponseReturnValue:
        hook(webhook_id)
        rows = [_attempt(s) for s in sandbox.webhooks.sent if s.delivery.id == invocation_id]
        return jsonify(attempts=rows)

    @routes.get("/triggers")
    def triggers() -> ResponseReturnValue:
        rows = list(sandbox.store.triggers.values())
        return jsonify(triggers=rows, next_page=None, previous_page=None, count=len(rows))

    @routes.post("/triggers")
    def create_trigger() -> ResponseReturnValue:
        id, now = sandbox.store.new_id(), iso(sandbox.clock())
        url = f"{sandbox.url}/api/v2/triggers/{id}.json"
        record = {"active": True, **wrapped("trigger"), "id": id, "url": url, "created_at": now, "updated_at": now}
        sandbox.store.triggers[id] = record
        return jsonify(trigger=record), 201

    @routes.get("/triggers/<int:trigger_id>")
    def show_trigger(trigger_id: int) -> ResponseReturnValue:
        return jsonify(trigger=found(sandbox.store.triggers, trigger_id))

    @routes.delete("/triggers/<int:trigger_id>")
    def delete_trigger(trigger_id: int) -> ResponseReturnValue:
        found(sandbox.store.triggers, trigger_id)
        del sandbox.store.triggers[trigger_id]
        return Response(status=204)

    return routes


def new_webhook_id() -> str:
    """An id of 26 characters, like the real ones."""
    return base64.b32encode(secrets.token_bytes(17)).decode()[:26]


def new_secret() -> str:
    """A signing secret."""
    return secrets.token_urlsafe(32)


def _sent_now(sandbox: ZendeskSandbox, delivery: Delivery, method: str) -> dict[str, Any]:
    headers = {**delivery.headers, **sandbox.sign(delivery, 1)}
    try:
        answer = httpx.request(
            method, delivery.target.url, content=delivery.body, headers=headers, timeout=10, trust_env=False
        )
    except httpx.HTTPError:
        return {"status": 0, "headers": [], "payload": ""}
    shown = [{"key": key, "value": value} for key, value in answer.headers.items()]
    return {"status": answer.status_code, "headers": shown, "payload": answer.text}


def _invocation(sent: Sent) -> dict[str, Any]:
    done = sent.status is not None and sent.status < 300
    return {
        "id": sent.delivery.id,
        "webhook_id": sent.delivery.target.id,
        "status": "success" if done else "terminated",
        "status_code": sent.status,
        "event_type": sent.delivery.topic,
        "latest_completed_at": iso(sent.at),
    }


def _attempt(sent: Sent) -> dict[str, Any]:
    return {
        "id": f"{sent.delivery.id}-{sent.attempt}",
        "invocation_id": sent.delivery.id,
        "status": "success" if sent.status is not None and sent.status < 300 else "failed",
        "completed_at": iso(sent.at),
        "request": {"endpoint": sent.delivery.target.url, "payload": sent.delivery.body.decode()},
        "response": {"status": sent.status},
    }
