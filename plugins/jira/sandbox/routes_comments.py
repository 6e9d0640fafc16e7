"""Comments of issues."""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.jira.sandbox.calls import Site, issue_of, json_body, may_read, me, paging, versioned
from plugins.jira.sandbox.errors import JiraError
from plugins.jira.sandbox.state import Comment, Issue
from plugins.jira.sandbox.texts import text_in, texts_out


def comment_routes(site: Site) -> Blueprint:
    """Routes under /issue/{key}/comment."""
    routes, store, shapes, changes = versioned("comments"), site.store, site.shapes, site.changes

    def comment_of(issue: Issue, comment_id: str) -> Comment:
        for comment in issue.comments:
            if comment.id == comment_id and may_read(comment):
                return comment
        raise JiraError(404, f"Can not find a comment for the id: {comment_id}.")

    @routes.get("/issue/<text>/comment")
    def comments(text: str) -> ResponseReturnValue:
        issue = issue_of(store, text)
        start, most = paging(5000 if site.is_cloud else 1048576)
        kept = [c for c in issue.comments if may_read(c)]
        if request.args.get("orderBy", "").startswith("-"):
            kept = kept[::-1]
        with_properties = "properties" in request.args.get("expand", "")
        shown = [shapes.comment(issue, c, with_properties) for c in kept[start : start + most]]
        return jsonify(texts_out({"startAt": start, "maxResults": most, "total": len(kept), "comments": shown}))

    @routes.post("/issue/<text>/comment")
    def add_comment(text: str) -> ResponseReturnValue:
        issue, body = issue_of(store, text), json_body()
        comment = changes.add_comment(me(), issue, body, text_in(body.get("body"), "comment") or "")
        return jsonify(texts_out(shapes.comment(issue, comment))), 201

    @routes.get("/issue/<text>/comment/<comment_id>")
    def show_comment(text: str, comment_id: str) -> ResponseReturnValue:
        issue = issue_of(store, text)
        with_properties = "properties" in request.args.get("expand", "")
        return jsonify(texts_out(shapes.comment(issue, comment_of(issue, comment_id), with_properties)))

    @routes.put("/issue/<text>/comment/<comment_id>")
    def edit_comment(text: str, comment_id: str) -> ResponseReturnValue:
        issue, body = issue_of(store, text), json_body()
        comment = comment_of(issue, comment_id)
        changes.edit_comment(me(), issue, comment, body, text_in(body.get("body"), "comment") or "")
        return jsonify(texts_out(shapes.comment(issue, comment)))

    @routes.delete("/issue/<text>/comment/<comment_id>")
    def delete_comment(text: str, comment_id: str) -> ResponseReturnValue:
        issue = issue_of(store, text)
        changes.delete_comment(me(), issue, comment_of(issue, comment_id))
        return "", 204

    return routes
