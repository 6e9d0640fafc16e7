"""Changes and their notes under /api/v2. Source: api.freshservice.com, "Changes", "Notes"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, g, jsonify
from flask.typing import ResponseReturnValue

from plugins.freshservice.sandbox import fields
from plugins.freshservice.sandbox.bodies import body_and_files
from plugins.freshservice.sandbox.errors import denied, missing
from plugins.freshservice.sandbox.paging import listed, of_workspace
from plugins.freshservice.sandbox.routes_conversations import text_and_files
from plugins.freshservice.sandbox.routes_tickets import changed_since
from plugins.freshservice.sandbox.state import Change

if TYPE_CHECKING:
    from plugins.freshservice.sandbox.server import FreshserviceSandbox

NOTE_FIELDS = {"body", "notify_emails", "attachments"}


def change_routes(sandbox: FreshserviceSandbox) -> Blueprint:
    """The blueprint, to be mounted under /api/v2."""
    routes = Blueprint("changes", __name__)
    store, shapes, effects = sandbox.store, sandbox.shapes, sandbox.effects

    def visible(number: int) -> Change:
        change = store.changes.get(number)
        if change is None:
            raise missing()
        if change.workspace_id not in g.user.workspaces:
            raise denied()
        return change

    @routes.get("/changes")
    def list_changes() -> ResponseReturnValue:
        rows = changed_since(sandbox, of_workspace(store.changes.values(), g.user))
        return listed("changes", rows, shapes.change)

    @routes.post("/changes")
    def create_change() -> ResponseReturnValue:
        body, files = body_and_files(store)
        fields.check_change(store, body, is_new=True)
        return jsonify(change=shapes.change(effects.create_change(g.user, body, files))), 201

    @routes.get("/changes/<int:number>")
    def show_change(number: int) -> ResponseReturnValue:
        return jsonify(change=shapes.change(visible(number)))

    @routes.put("/changes/<int:number>")
    def update_change(number: int) -> ResponseReturnValue:
        change = visible(number)
        body, files = body_and_files(store, change.files)
        fields.check_change(store, body, is_new=False)
        effects.update(g.user, change, body, files)
        return jsonify(change=shapes.change(change))

    @routes.get("/changes/<int:number>/notes")
    def notes(number: int) -> ResponseReturnValue:
        return listed("notes", visible(number).conversations, shapes.note)

    @routes.post("/changes/<int:number>/notes")
    def add_note(number: int) -> ResponseReturnValue:
        change = visible(number)
        body, files = text_and_files(sandbox, NOTE_FIELDS, change)
        one = effects.converse(g.user, change, body["body"], files, private=True, is_reply=False)
        return jsonify(note=shapes.note(one)), 201

    @routes.delete("/changes/<int:number>/notes/<int:note>")
    def delete_note(number: int, note: int) -> ResponseReturnValue:
        change = visible(number)
        one = next((c for c in change.conversations if c.id == note), None)
        if one is None:
            raise missing()
        effects.drop(change, one)
        return "", 204

    return routes
