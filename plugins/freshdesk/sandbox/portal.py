"""The customers' portal, as far as people in a sandbox need it, and the host that serves files.

Customers have no key for the API: they write by mail or with the portal's forms. Signing in is shortened to Basic
authentication. Files lie on another host, under addresses that are signed and end.
"""

from __future__ import annotations

import hashlib
import hmac
import html
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, g, jsonify, request
from flask.typing import ResponseReturnValue

from hub.sandbox import acting_as
from plugins.freshdesk.sandbox.state import DONE, File, User

if TYPE_CHECKING:
    from plugins.freshdesk.sandbox.server import FreshdeskSandbox

FILE_KEY = b"sandbox-file-signatures"
TICKET = "helpdesk_ticket"
NOTE = "helpdesk_note"


def portal_routes(sandbox: FreshdeskSandbox) -> Blueprint:
    """The blueprint, to be mounted at the root."""
    routes = Blueprint("portal", __name__)
    store = sandbox.store

    def files(form: str) -> list[File]:
        uploads = request.files.getlist(f"{form}[attachments][][resource]")
        return [store.add_file(u.filename or "file", u.read(), u.mimetype) for u in uploads]

    @routes.post("/support/tickets")
    def open_ticket() -> ResponseReturnValue:
        user = _customer(sandbox)
        body = {
            "subject": request.form[f"{TICKET}[subject]"],
            "description": _paragraphs(request.form[f"{TICKET}[ticket_body_attributes][description_html]"]),
            "requester_id": user.id,
            "source": 2,
        }
        ticket = sandbox.changes.create(user, body, files(TICKET))
        return jsonify(id=ticket.id), 201

    @routes.post("/support/tickets/<int:number>/notes")
    def write(number: int) -> ResponseReturnValue:
        user = _customer(sandbox)
        ticket = store.tickets.get(number)
        if ticket is None or ticket.requester is not user or ticket.deleted or ticket.spam:
            abort(403)
        body = _paragraphs(request.form[f"{NOTE}[note_body_attributes][body_html]"])
        one = sandbox.changes.converse(user, ticket, body, files(NOTE), private=False, is_reply=False)
        return jsonify(id=one.id), 201

    @routes.post("/support/tickets/<int:number>/survey")
    def rate(number: int) -> ResponseReturnValue:
        user = _customer(sandbox)
        ticket = store.tickets.get(number)
        if ticket is None or ticket.requester is not user or ticket.status not in DONE:
            # The survey goes out with the mail that says that it is solved.
            abort(403)
        rating = sandbox.changes.rate(user, ticket, int(request.form["rating"]), request.form.get("feedback", ""))
        return jsonify(id=rating.id), 201

    @routes.get("/data/helpdesk/attachments/<int:number>/original/<path:name>")
    def download(number: int, name: str) -> ResponseReturnValue:
        if "Authorization" in request.headers:
            sandbox.leaked_authorizations.append(request.path)
        expires = request.args.get("expires", "0")
        is_good = hmac.compare_digest(signature(number, expires), request.args.get("signature", ""))
        if not is_good or int(expires) < sandbox.clock().timestamp():
            return Response("<Error><Code>AccessDenied</Code></Error>", 403, mimetype="application/xml")
        file = store.files.get(number)
        if file is None or file.name != name:
            abort(404)
        return Response(file.content, mimetype=file.content_type)

    return routes


def signature(number: int, expires: str) -> str:
    return hmac.new(FILE_KEY, f"{number}:{expires}".encode(), hashlib.sha256).hexdigest()


def _paragraphs(text: str) -> str:
    # The portal's editor sends HTML; people of a sandbox type plain text.
    return "".join(f"<p>{html.escape(p).replace(chr(10), '<br>')}</p>" for p in text.split("\n\n"))


def _customer(sandbox: FreshdeskSandbox) -> User:
    given = request.authorization
    user = sandbox.store.by_email(given.username or "") if given and given.type == "basic" else None
    if user is None or given is None or user.is_agent or not user.secret or given.password != user.secret:
        abort(401)
    g.user = user
    acting_as(user.login)
    return user
