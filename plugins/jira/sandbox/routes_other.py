"""What stands beside the API: webhook administration, Service Management, application links."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from plugins.jira.sandbox.calls import Site, json_body, me, must_be_admin
from plugins.jira.sandbox.errors import JiraError


def other_routes(site: Site) -> Blueprint:
    """Routes under /rest, each with its whole path."""
    routes = Blueprint("other", __name__)

    @routes.get("/rest/webhooks/1.0/webhook")
    def list_hooks() -> ResponseReturnValue:
        must_be_admin()
        return jsonify(list(site.store.hooks.values()))

    @routes.post("/rest/webhooks/1.0/webhook")
    def add_hook() -> ResponseReturnValue:
        must_be_admin()
        return jsonify(site.add_hook(json_body())), 201

    @routes.post("/rest/servicedeskapi/request/<text>/comment")
    def request_comment(text: str) -> ResponseReturnValue:
        issue, body = site.store.find_issue(text), json_body()
        if issue is None or issue.project.type != "service_desk":
            raise JiraError(404, "The request does not exist.")
        internal = not body.get("public", True)
        stamped = {"properties": [{"key": "sd.public.comment", "value": {"internal": internal}}]}
        comment = site.changes.add_comment(me(), issue, stamped, str(body.get("body") or ""))
        return jsonify(id=comment.id, body=comment.body, public=not internal, author=site.shapes.user(me())), 201

    @routes.get("/rest/applinks/latest/listApplicationlinks")
    def applinks() -> ResponseReturnValue:
        must_be_admin()
        return jsonify(list=[])

    return routes
