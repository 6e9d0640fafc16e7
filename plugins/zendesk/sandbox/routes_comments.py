"""Comments and audits of a ticket, and the requester's own view of it: `/requests`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.zendesk.sandbox import bodies, shapes
from plugins.zendesk.sandbox.calls import actor, context, includes, json_body, wrapped
from plugins.zendesk.sandbox.errors import invalid, not_found
from plugins.zendesk.sandbox.paging import page
from plugins.zendesk.sandbox.state import Comment, Ticket

if TYPE_CHECKING:
    from plugins.zendesk.sandbox.server import ZendeskSandbox

REDACTED = "▇"


def comment_routes(sandbox: ZendeskSandbox) -> Blueprint:
    """Routes under /tickets/{id}/comments, /tickets/{id}/audits and /requests."""
    routes, store, changes = Blueprint("comments", __name__), sandbox.store, sandbox.changes

    def listed(comments: list[Comment], *, inline: bool) -> dict[str, Any]:
        def shown(c: Comment) -> dict[str, Any]:
            one = shapes.comment(store, c)
            one["attachments"] = [a for a in one["attachments"] if inline or not a["inline"]]
            return one

        sort, order = request.args.get("sort", "created_at"), request.args.get("sort_order", "asc")
        return page(
            "comments",
            comments,
            key=lambda c: c.id,
            show=shown,
            base_url=sandbox.url,
            descending=sort == "-created_at" or order == "desc",
        )

    def authors(comments: list[Comment]) -> list[dict[str, Any]]:
        return [shapes.user(store, store.users[id]) for id in sorted({c.author_id for c in comments})]

    def own(ticket_id: int) -> Ticket:
        ticket, me = store.ticket(ticket_id), actor().id
        if me != ticket.values["requester_id"] and me not in ticket.values["email_cc_ids"]:
            raise not_found()
        return ticket

    def one_comment(ticket: Ticket, comment_id: int) -> Comment:
        if comment := next((c for c in ticket.comments if c.id == comment_id), None):
            return comment
        raise not_found()

    @routes.get("/tickets/<int:ticket_id>/comments")
    def comments(ticket_id: int) -> ResponseReturnValue:
        ticket = store.ticket(ticket_id)
        answer = listed(ticket.comments, inline=request.args.get("include_inline_images") == "true")
        if "users" in includes():
            answer["users"] = authors(ticket.comments)
        return jsonify(answer)

    @routes.put("/tickets/<int:ticket_id>/comments/<int:comment_id>/make_private")
    def make_private(ticket_id: int, comment_id: int) -> ResponseReturnValue:
        ticket = store.ticket(ticket_id)
        comment = one_comment(ticket, comment_id)
        if comment.public:
            comment.public = False
            event = {"type": "CommentPrivacyChange", "comment_id": comment_id, "public": False}
            changes.comment_changed(ticket, context(), event)
        return jsonify({})

    @routes.put("/tickets/<int:ticket_id>/comments/<int:comment_id>/redact")
    def redact(ticket_id: int, comment_id: int) -> ResponseReturnValue:
        ticket = store.ticket(ticket_id)
        if ticket.values["status"] == "closed":
            raise invalid("status", "Status: closed prevents ticket update")
        comment, text = one_comment(ticket, comment_id), str(json_body().get("text") or "")
        if not text or text not in comment.body:
            raise invalid("text", "Text: was not found in the comment")
        comment.body = comment.body.replace(text, REDACTED * len(text))
        comment.html_body = bodies.html_of(comment.body)
        event = {"type": "CommentRedactionEvent", "comment_id": comment_id}
        changes.comment_changed(ticket, context(), event)
        return jsonify(comment=shapes.comment(store, comment))

    @routes.get("/tickets/<int:ticket_id>/audits")
    def audits(ticket_id: int) -> ResponseReturnValue:
        ticket = store.ticket(ticket_id)
        descending = request.args.get("sort") == "-created_at" or request.args.get("sort_order") == "desc"
        return jsonify(
            page(
                "audits",
                ticket.audits,
                key=lambda a: a.id,
                show=lambda a: shapes.audit(store, ticket, a),
                base_url=sandbox.url,
                descending=descending,
            )
        )

    @routes.get("/tickets/<int:ticket_id>/audits/<int:audit_id>")
    def audit(ticket_id: int, audit_id: int) -> ResponseReturnValue:
        ticket = store.ticket(ticket_id)
        for one in ticket.audits:
            if one.id == audit_id:
                return jsonify(audit=shapes.audit(store, ticket, one))
        raise not_found()

    @routes.get("/requests")
    def requests() -> ResponseReturnValue:
        mine = [t for t in store.tickets.values() if not t.deleted and t.values["requester_id"] == actor().id]
        shown = partial(shapes.request, store)
        return jsonify(page("requests", mine, key=lambda t: t.id, show=shown, base_url=sandbox.url))

    @routes.post("/requests")
    def create_request() -> ResponseReturnValue:
        given = wrapped("request")
        keys = ("subject", "comment", "priority", "type", "custom_fields", "ticket_form_id", "via_followup_source_id")
        wanted = {key: given[key] for key in keys if key in given}
        ticket, _ = changes.create({**wanted, "requester_id": actor().id}, context())
        return jsonify(request=shapes.request(store, ticket)), 201

    @routes.get("/requests/<int:ticket_id>")
    def show_request(ticket_id: int) -> ResponseReturnValue:
        return jsonify(request=shapes.request(store, own(ticket_id)))

    @routes.put("/requests/<int:ticket_id>")
    def update_request(ticket_id: int) -> ResponseReturnValue:
        given, ticket = wrapped("request"), own(ticket_id)
        wanted: dict[str, Any] = {}
        if given.get("comment"):
            comment = given["comment"]
            comment = {"body": comment} if isinstance(comment, str) else dict(comment)
            wanted["comment"] = {**comment, "public": True, "author_id": actor().id}
        if given.get("solved") in (True, "true") and ticket.values["assignee_id"]:
            wanted["status"] = "solved"
        changes.update(ticket, wanted, context())
        return jsonify(request=shapes.request(store, ticket))

    @routes.get("/requests/<int:ticket_id>/comments")
    def request_comments(ticket_id: int) -> ResponseReturnValue:
        public = [c for c in own(ticket_id).comments if c.public]
        return jsonify({**listed(public, inline=True), "users": authors(public), "organizations": []})

    return routes
