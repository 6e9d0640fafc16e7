"""The portal for requesters, as far as people in a sandbox need it, and the host that serves files.

Requesters have no token: they write by mail or with the portal's forms. Signing in is shortened to Basic
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
from plugins.solarwinds.sandbox.state import Incident, User

if TYPE_CHECKING:
    from plugins.solarwinds.sandbox.server import SolarwindsSandbox

FILE_KEY = b"sandbox-file-signatures"


def portal_routes(sandbox: SolarwindsSandbox) -> Blueprint:
    """The blueprint, to be mounted at the root. What people do there runs automations, as on any screen."""
    routes = Blueprint("portal", __name__)
    store = sandbox.store

    @routes.post("/portal/incidents")
    def open_incident() -> ResponseReturnValue:
        user = _customer(sandbox)
        values = {
            "name": request.form["name"],
            "description": _paragraphs(request.form["description"]),
            "requester": user,
        }
        incident = sandbox.changes.create(user, values, origin="web", is_loud=True)
        return jsonify(id=incident.id), 201

    @routes.post("/portal/incidents/<int:number>/comments")
    def write(number: int) -> ResponseReturnValue:
        user = _customer(sandbox)
        incident = _own(sandbox, number, user)
        body = _paragraphs(request.form["body"])
        note = sandbox.changes.comment(user, incident, body, is_private=False, is_loud=True)
        for upload in request.files.getlist("attachments"):
            file = store.add_file(upload.filename or "file", upload.read(), upload.mimetype, user)
            sandbox.changes.attach(user, incident, note, file)
        return jsonify(id=note.id), 201

    @routes.post("/portal/incidents/<int:number>/survey")
    def rate(number: int) -> ResponseReturnValue:
        user = _customer(sandbox)
        incident = _own(sandbox, number, user)
        if incident.state not in ("Resolved", "Closed"):
            # The survey goes out with the mail that says that it is resolved.
            abort(403)
        sandbox.changes.rate(user, incident, is_satisfied=request.form["satisfied"] == "true")
        return jsonify(id=incident.id), 201

    @routes.get("/portal/incidents/<int:number>")
    def show(number: int) -> ResponseReturnValue:
        """What the requester can read."""
        incident = _own(sandbox, number, _customer(sandbox))
        bodies = [c.body for c in incident.comments if not c.is_private]
        return jsonify(name=incident.name, description=incident.description, comments=bodies)

    @routes.get("/files/<int:number>/<path:name>")
    def download(number: int, name: str) -> ResponseReturnValue:
        if "X-Samanage-Authorization" in request.headers:
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


def _customer(sandbox: SolarwindsSandbox) -> User:
    given = request.authorization
    user = sandbox.store.by_email(given.username or "") if given and given.type == "basic" else None
    if user is None or given is None or not user.password or given.password != user.password:
        abort(401)
    g.user = user
    acting_as(user.login)
    return user


def _own(sandbox: SolarwindsSandbox, number: int, user: User) -> Incident:
    incident = sandbox.store.incidents.get(number)
    if incident is None or incident.requester is not user:
        abort(403)
    return incident
