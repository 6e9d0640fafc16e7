"""The self-service portal, as far as people in a sandbox need it: requesters open requests and reply to them.

Requesters have no key for the API: they write by mail or in the portal. Signing in is shortened to Basic.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue

from hub.sandbox import acting_as
from plugins.servicedesk_plus.sandbox.state import File, User

if TYPE_CHECKING:
    from plugins.servicedesk_plus.sandbox.server import ServiceDeskPlusSandbox


def portal_routes(sandbox: ServiceDeskPlusSandbox) -> Blueprint:
    """The blueprint, to be mounted at the root."""
    routes = Blueprint("portal", __name__, url_prefix="/portal")
    store, changes = sandbox.store, sandbox.changes

    def requester() -> User:
        given = request.authorization
        user = store.by_email(given.username or "") if given and given.type == "basic" else None
        if user is None or given is None or user.is_technician or not user.secret or given.password != user.secret:
            abort(401)
        acting_as(user.login)
        return user

    def files(user: User) -> list[File]:
        uploads = request.files.getlist("attachments")
        return [store.add_file(u.filename or "file", u.read(), u.mimetype, user) for u in uploads]

    @routes.post("/requests")
    def open_request() -> ResponseReturnValue:
        user = requester()
        body = {
            "subject": request.form["subject"],
            "description": _paragraphs(request.form["description"]),
            "requester": {"id": user.id},
        }
        made = changes.create(user, body, files(user))
        return jsonify(id=str(made.id)), 201

    @routes.post("/requests/<int:number>/replies")
    def reply(number: int) -> ResponseReturnValue:
        user = requester()
        one = store.requests.get(number)
        if one is None or one.requester is not user or one.is_trashed:
            abort(403)
        text = _paragraphs(request.form["text"])
        mail = changes.mail(user, one, text, files(user), kind="REQREPLY", to=["helpdesk@helpdesk.example"])
        return jsonify(id=str(mail.id)), 201

    return routes


def _paragraphs(text: str) -> str:
    # The portal's editor sends HTML; people of a sandbox type plain text.
    return "".join(f"<p>{html.escape(p).replace(chr(10), '<br>')}</p>" for p in text.split("\n\n"))
