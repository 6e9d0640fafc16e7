"""Files of issues: the API's own routes, and the addresses that their contents stand at."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from plugins.jira.sandbox.calls import Site, issue_of, me, versioned
from plugins.jira.sandbox.errors import JiraError
from plugins.jira.sandbox.state import Store


def file_routes(site: Site) -> Blueprint:
    """Routes under /issue/{key}/attachments and /attachment."""
    routes, store, shapes, changes = versioned("files"), site.store, site.shapes, site.changes

    @routes.post("/issue/<text>/attachments")
    def attach(text: str) -> ResponseReturnValue:
        if request.headers.get("X-Atlassian-Token") != "no-check":
            raise JiraError(403, "XSRF check failed")
        issue, files = issue_of(store, text), request.files.getlist("file")
        if not files:
            raise JiraError(400, "No file was sent.")
        made = [changes.attach(me(), issue, f.filename or "file", f.read(), f.mimetype) for f in files]
        return jsonify([shapes.attachment(a) for a in made])

    @routes.get("/attachment/<attachment_id>")
    def attachment(attachment_id: str) -> ResponseReturnValue:
        return jsonify(shapes.attachment(_attachment(store, attachment_id)))

    @routes.get("/attachment/content/<attachment_id>")
    def content(attachment_id: str) -> ResponseReturnValue:
        _attachment(store, attachment_id)
        # Cloud sends clients to its media host; another name of this machine plays that host.
        other = site.url.replace("127.0.0.1", "localhost")
        return redirect(f"{other}/media/{attachment_id}", 303)

    return routes


def host_routes(site: Site) -> Blueprint:
    """The media host of Cloud, and the addresses of Data Center."""
    routes = Blueprint("host", __name__)

    @routes.get("/media/<attachment_id>")
    def media(attachment_id: str) -> ResponseReturnValue:
        if request.headers.get("Authorization"):
            site.leaked_authorizations.append(request.path)
        found = _attachment(site.store, attachment_id)
        return Response(found.content, content_type=found.mime)

    @routes.get("/secure/attachment/<attachment_id>/<path:name>")
    def download(attachment_id: str, **_: str) -> ResponseReturnValue:
        found = _attachment(site.store, attachment_id)
        return Response(found.content, content_type=found.mime)

    return routes


def _attachment(store: Store, attachment_id: str) -> Any:
    for issue in store.issues.values():
        for attachment in issue.attachments:
            if attachment.id == attachment_id:
                return attachment
    raise JiraError(404, f"The attachment with id '{attachment_id}' does not exist")
