"""Remote links and properties of issues."""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.jira.sandbox.calls import Site, issue_of, json_body, me, versioned
from plugins.jira.sandbox.errors import JiraError


def link_routes(site: Site) -> Blueprint:
    """Routes under /issue/{key}/remotelink and /issue/{key}/properties."""
    routes, store, shapes = versioned("links"), site.store, site.shapes

    @routes.get("/issue/<text>/remotelink")
    def remote_links(text: str) -> ResponseReturnValue:
        issue = issue_of(store, text)
        wanted = request.args.get("globalId")
        if wanted is not None:
            if wanted not in issue.links:
                raise JiraError(404, f"The remote link with globalId '{wanted}' does not exist.")
            return jsonify(issue.links[wanted])
        return jsonify(list(issue.links.values()))

    @routes.post("/issue/<text>/remotelink")
    def add_remote_link(text: str) -> ResponseReturnValue:
        issue, body = issue_of(store, text), json_body()
        shown = body.get("object") or {}
        if not me().may_write:
            raise JiraError(403, "No Link Issue Permission for issue.")
        if not shown.get("url") or not shown.get("title"):
            missing = {n: f"'{n}' is required." for n in ("url", "title") if not shown.get(n)}
            raise JiraError(400, fields=missing)
        if len(str(body.get("globalId") or "")) > 255:
            raise JiraError(400, fields={"globalId": "globalId is too long."})
        key = str(body.get("globalId") or store.new_id())
        known = issue.links.get(key)
        number = known["id"] if known else int(store.new_id())
        # What an update leaves out becomes null.
        issue.links[key] = {
            "id": number, "self": shapes.address(f"issue/{issue.id}/remotelink/{number}"),
            "globalId": body.get("globalId"),
            "application": body.get("application") or {}, "relationship": body.get("relationship"),
            "object": {"url": shown["url"], "title": shown["title"], "summary": shown.get("summary"),
                       "icon": shown.get("icon") or {}, "status": shown.get("status") or {}},
        }  # fmt: skip
        return jsonify({"id": number, "self": issue.links[key]["self"]}), 200 if known else 201

    @routes.delete("/issue/<text>/remotelink")
    def delete_remote_link(text: str) -> ResponseReturnValue:
        issue = issue_of(store, text)
        if issue.links.pop(request.args.get("globalId", ""), None) is None:
            raise JiraError(404, "The remote link does not exist.")
        return "", 204

    @routes.route("/issue/<text>/properties/<key>", methods=["GET", "PUT", "DELETE"])
    def issue_property(text: str, key: str) -> ResponseReturnValue:
        issue = issue_of(store, text)
        if request.method == "PUT":
            was_there = key in issue.properties
            issue.properties[key] = request.get_json()
            return "", 200 if was_there else 201
        if key not in issue.properties:
            raise JiraError(404, f"The property '{key}' does not exist.")
        if request.method == "DELETE":
            del issue.properties[key]
            return "", 204
        return jsonify(key=key, value=issue.properties[key])

    return routes
