"""Issues: made, shown, edited, deleted, and moved through their workflow."""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.jira.sandbox.calls import (
    SYSTEM_FIELDS,
    Site,
    field_meta,
    issue_of,
    json_body,
    may_read,
    me,
    paging,
    versioned,
)
from plugins.jira.sandbox.errors import JiraError
from plugins.jira.sandbox.shapes import Json, Shapes, stamp
from plugins.jira.sandbox.state import RESOLUTIONS
from plugins.jira.sandbox.texts import text_in, texts_out


def issue_routes(site: Site) -> Blueprint:
    """Routes under /issue, without what hangs on an issue."""
    routes, store, shapes, changes = versioned("issues"), site.store, site.shapes, site.changes

    @routes.post("/issue")
    def create() -> ResponseReturnValue:
        body = json_body()
        if "fields" in body and "description" in body["fields"]:
            body["fields"]["description"] = text_in(body["fields"]["description"], "description")
        issue = changes.create(me(), body)
        return jsonify({"id": issue.id, "key": issue.key, "self": shapes.address(f"issue/{issue.id}")}), 201

    @routes.get("/issue/<text>")
    def show(text: str) -> ResponseReturnValue:
        issue = issue_of(store, text)
        wanted = [f for f in request.args.get("fields", "").split(",") if f] or None
        shape = shapes.issue(issue, wanted)
        if "comment" in shape["fields"]:
            kept = [shapes.comment(issue, c) for c in issue.comments if may_read(c)]
            most = int(site.settings["inline_comments"])
            shape["fields"]["comment"] = {"comments": kept[:most], "maxResults": most, "total": len(kept), "startAt": 0}
        expand = request.args.get("expand", "")
        if "changelog" in expand:
            entries = [_entry(shapes, e) for e in issue.changelog]
            shape["changelog"] = {"startAt": 0, "maxResults": len(entries), "total": len(entries), "histories": entries}
        if "transitions" in expand:
            shape["transitions"] = [shapes.transition(m, False, RESOLUTIONS) for m in changes.available(me(), issue)]
        if request.args.get("properties"):
            shape["properties"] = {
                k: v for k, v in issue.properties.items() if k in request.args["properties"].split(",")
            }
        return jsonify(texts_out(shape))

    @routes.put("/issue/<text>")
    def edit(text: str) -> ResponseReturnValue:
        body = json_body()
        if "description" in (body.get("fields") or {}):
            body["fields"]["description"] = text_in(body["fields"]["description"], "description")
        if request.args.get("notifyUsers") == "false" and not me().is_admin:
            raise JiraError(
                403, "To discard the user notification either admin or project admin permissions are required."
            )
        changes.edit(me(), issue_of(store, text), body)
        return "", 204

    @routes.delete("/issue/<text>")
    def delete(text: str) -> ResponseReturnValue:
        changes.delete(me(), issue_of(store, text))
        return "", 204

    @routes.get("/issue/<text>/editmeta")
    def editmeta(text: str) -> ResponseReturnValue:
        issue_of(store, text)
        return jsonify(
            fields={
                n: field_meta(n, k, False)
                for n, k in SYSTEM_FIELDS.items()
                if n in ("summary", "description", "labels")
            }
        )

    @routes.get("/issue/<text>/transitions")
    def transitions(text: str) -> ResponseReturnValue:
        with_fields = "transitions.fields" in request.args.get("expand", "")
        moves = changes.available(me(), issue_of(store, text))
        return jsonify(
            expand="transitions", transitions=[shapes.transition(m, with_fields, RESOLUTIONS) for m in moves]
        )

    @routes.post("/issue/<text>/transitions")
    def do_transition(text: str) -> ResponseReturnValue:
        changes.transition(me(), issue_of(store, text), json_body())
        return "", 204

    @routes.get("/issue/<text>/changelog")
    def changelog(text: str) -> ResponseReturnValue:
        entries = [_entry(shapes, e) for e in issue_of(store, text).changelog]
        start, most = paging(100)
        page = entries[start : start + most]
        return jsonify(
            startAt=start, maxResults=most, total=len(entries), isLast=start + most >= len(entries), values=page
        )

    return routes


def _entry(shapes: Shapes, entry: Json) -> Json:
    return {
        "id": entry["id"],
        "author": shapes.user(entry["author"]),
        "created": stamp(entry["created"]),
        "items": entry["items"],
    }
