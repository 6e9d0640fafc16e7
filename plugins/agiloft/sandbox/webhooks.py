"""Outbound webhooks: registration with its proof of the address, filters, bodies, attempts.

Source: wiki.agiloft.com, "Webhooks". No page shows a body: this one holds what the page says that it holds.
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING

import httpx
from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from hub.sandbox import Delivery, Target
from plugins.agiloft.sandbox.errors import AgiloftError, PlainError
from plugins.agiloft.sandbox.search import condition
from plugins.agiloft.sandbox.state import Record, Table

if TYPE_CHECKING:
    from plugins.agiloft.sandbox.server import AgiloftSandbox

CODE = "Verification-Code"
SECRET_HEADER = "X-Hub-Secret"
WAITS = (10.0, 30.0, 300.0, 900.0, 2400.0)
"""Seconds before the second and each further attempt."""
EVENTS = ("Create", "Update", "Delete")
NEEDED = ("webhook_url", "table_name", "event_type", "user_permissions", "title", "description", "webhook_status")
FIELDS = {"case": ["id", "date_updated"], "case_comment": ["id", "case_id", "date_updated"]}
"""What an admin has chosen for the hub's webhooks, by table."""
PROOF_TIMEOUT = 10.0


def webhook_routes(sandbox: AgiloftSandbox) -> Blueprint:
    """Registration, which an admin may also do on a screen."""
    routes = Blueprint("webhooks", __name__)

    @routes.post("/webhooks")
    def register() -> ResponseReturnValue:
        sandbox.signed_in(sandbox.kb.name)
        body = request.get_json(silent=True)
        if not isinstance(body, dict) or (missing := [name for name in NEEDED if not body.get(name)]):
            raise PlainError(400, "BAD_REQUEST", f"Missing: {', '.join(missing) if isinstance(body, dict) else 'body'}")
        if body["event_type"] not in EVENTS or body["table_name"] not in sandbox.kb.tables:
            raise PlainError(400, "BAD_REQUEST", "Wrong event_type or table_name")
        extra = _headers(str(body.get("webhook_http_headers") or ""))
        if body["webhook_status"] == "Active":
            prove(body["webhook_url"])
        secret = extra.pop(SECRET_HEADER, "")
        options = {
            "tables": [body["table_name"]],
            "events": [body["event_type"]],
            "fields": [f for f in str(body.get("entry_fields") or "").split(",") if f],
            "filter": str(body.get("record_filter") or ""),
            "by": str(body.get("modification_type") or ""),
            "is_confirmed": body.get("webhook_confirmation") != "No",
            "state_key": str(body.get("state_key") or ""),
            "is_active": body["webhook_status"] == "Active",
        }
        target = sandbox.webhooks.target(body["webhook_url"], secret, **options)
        answer = jsonify(id=target.id, webhook_key=secrets.token_hex(8))
        return answer, 201, {"Location": f"{sandbox.url}/ewws/webhooks/{target.id}"}

    @routes.delete("/webhooks/<webhook_id>")
    def remove(webhook_id: str) -> ResponseReturnValue:
        sandbox.signed_in(sandbox.kb.name)
        sandbox.webhooks.remove_target(webhook_id)
        return "", 204

    return routes


def prove(url: str) -> None:
    """Asks the address for the code that it is given. Raises PlainError when that does not come back."""
    code = uuid.uuid4().hex
    try:
        answer = httpx.get(url, headers={CODE: code}, timeout=PROOF_TIMEOUT)
    except httpx.HTTPError as error:
        raise PlainError(400, "BAD_REQUEST", "The webhook URL does not answer") from error
    in_body = answer.json().get(CODE) if answer.headers.get("content-type", "").startswith("application/json") else None
    if not answer.is_success or code not in (answer.headers.get(CODE), in_body):
        raise PlainError(400, "BAD_REQUEST", "The webhook URL did not return the verification code")


def deliveries(sandbox: AgiloftSandbox, event: str, table: Table, record: Record) -> list[Delivery]:
    """What is sent for a change made over REST, to each target whose filters let it through."""
    made = []
    for target in sandbox.webhooks.targets:
        options = target.options
        if not options.get("is_active", True) or event not in options.get("events", EVENTS):
            continue
        if table.name not in options.get("tables", FIELDS) or options.get("by", "") not in ("", "API"):
            continue
        fits, columns = condition(str(options.get("filter", "")))
        if not fits(sandbox.records.show(table, record, columns)):
            continue
        made.append(_delivery(sandbox, target, event, table, record))
    return made


def _delivery(sandbox: AgiloftSandbox, target: Target, event: str, table: Table, record: Record) -> Delivery:
    fields = target.options.get("fields") or FIELDS[table.name]
    try:
        shown = sandbox.records.show(table, record, fields)
    except AgiloftError:
        shown = {"id": record.id}
    body = {"event_type": event, "table_name": table.name, "kb": sandbox.kb.name, "record": shown}
    headers = {"Content-Type": "application/json", "User-Agent": "Agiloft", CODE: uuid.uuid4().hex}
    if state := target.options.get("state_key"):
        headers["state_key"] = state
    return Delivery(uuid.uuid4().hex, target, json.dumps(body).encode(), event, headers=headers)


def is_taken(delivery: Delivery, status: int | None, headers: Mapping[str, str]) -> bool:
    """A delivery counts only with the code in its answer, unless the webhook was set up without."""
    if status is None or not 200 <= status < 300:
        return False
    if not delivery.target.options.get("is_confirmed", True):
        return True
    answered = {name.casefold(): value for name, value in headers.items()}
    return answered.get(CODE.casefold()) == delivery.headers[CODE]


def _headers(text: str) -> dict[str, str]:
    """`Name: value` lines; a name has no underscore."""
    made: dict[str, str] = {}
    for line in filter(None, (part.strip() for part in text.splitlines())):
        name, colon, value = line.partition(":")
        if not colon or "_" in name:
            raise PlainError(400, "BAD_REQUEST", f"Wrong header {name}")
        made[name.strip()] = value.strip()
    return made
