"""Replies and notes of tickets under /api/v2. Source: api.freshservice.com, "Conversations"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, g, jsonify
from flask.typing import ResponseReturnValue

from plugins.freshservice.sandbox.bodies import body_and_files
from plugins.freshservice.sandbox.errors import FreshserviceError, invalid, missing, problem, unknown_fields
from plugins.freshservice.sandbox.paging import listed
from plugins.freshservice.sandbox.routes_tickets import visible, writable
from plugins.freshservice.sandbox.state import Conversation, File, Item, Ticket

if TYPE_CHECKING:
    from plugins.freshservice.sandbox.server import FreshserviceSandbox

NOTE_FIELDS = {"body", "private", "incoming", "notify_emails", "user_id", "attachments"}
REPLY_FIELDS = {"body", "from_email", "user_id", "cc_emails", "bcc_emails", "attachments"}
NOTE = 2


def conversation_routes(sandbox: FreshserviceSandbox) -> Blueprint:
    """The blueprint, to be mounted under /api/v2."""
    routes = Blueprint("conversations", __name__)
    store, shapes, effects = sandbox.store, sandbox.shapes, sandbox.effects

    def found(number: int) -> tuple[Ticket, Conversation]:
        pair = store.conversation(number)
        if pair is None:
            raise missing()
        visible(sandbox, pair[0].id)
        return pair

    @routes.get("/tickets/<int:number>/conversations")
    def conversations(number: int) -> ResponseReturnValue:
        ticket = writable(sandbox, number)
        rows = ticket.conversations
        return listed("conversations", rows, lambda c: shapes.conversation(ticket, c), meta={"count": len(rows)})

    @routes.post("/tickets/<int:number>/notes")
    def add_note(number: int) -> ResponseReturnValue:
        ticket = writable(sandbox, number)
        body, files = text_and_files(sandbox, NOTE_FIELDS, ticket)
        # A note that does not say so is private.
        private = bool(body.get("private", True))
        one = effects.converse(_speaker(sandbox, body), ticket, body["body"], files, private=private, is_reply=False)
        shown = shapes.conversation(ticket, one)
        hidden = ("source", "from_email", "cc_emails", "bcc_emails")
        return jsonify(conversation={k: v for k, v in shown.items() if k not in hidden}), 201

    @routes.post("/tickets/<int:number>/reply")
    def add_reply(number: int) -> ResponseReturnValue:
        ticket = writable(sandbox, number)
        body, files = text_and_files(sandbox, REPLY_FIELDS, ticket)
        one = effects.converse(_speaker(sandbox, body), ticket, body["body"], files, private=False, is_reply=True)
        shown = shapes.conversation(ticket, one)
        # The answer to a reply does not say who may read it.
        hidden = ("private", "incoming", "source", "support_email")
        return jsonify(conversation={k: v for k, v in shown.items() if k not in hidden}), 201

    @routes.put("/conversations/<int:number>")
    def edit_conversation(number: int) -> ResponseReturnValue:
        ticket, one = found(number)
        if one.source != NOTE:
            raise FreshserviceError(405, headers={"Allow": "DELETE"})
        body, _ = text_and_files(sandbox, {"body", "attachments"}, ticket)
        effects.edit(ticket, one, body["body"])
        return jsonify(conversation=shapes.conversation(ticket, one))

    @routes.delete("/conversations/<int:number>")
    def delete_conversation(number: int) -> ResponseReturnValue:
        effects.drop(*found(number))
        return "", 204

    return routes


def text_and_files(sandbox: FreshserviceSandbox, allowed: set[str], item: Item) -> tuple[dict[str, Any], list[File]]:
    """The fields and files of a new comment. Raises 400."""
    present = [*item.files, *(file for one in item.conversations for file in one.files)]
    body, files = body_and_files(sandbox.store, present)
    wrong = unknown_fields(body, allowed)
    if not body.get("body"):
        wrong.append(problem("body", "It should be a/an String", "missing_field"))
    if wrong:
        raise invalid(*wrong)
    return body, files


def _speaker(sandbox: FreshserviceSandbox, body: dict[str, Any]) -> Any:
    user_id = body.get("user_id")
    if user_id is None:
        return g.user
    if user_id not in sandbox.store.users:
        raise invalid(problem("user_id", "There is no contact matching the given user_id"))
    return sandbox.store.users[user_id]
