"""Uploads, attachments and downloads. A download leads to another host, where credentials have no business."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from plugins.zendesk.sandbox import shapes
from plugins.zendesk.sandbox.errors import bad_request, forbidden, not_found
from plugins.zendesk.sandbox.state import Attachment, Upload

if TYPE_CHECKING:
    from plugins.zendesk.sandbox.server import ZendeskSandbox

FILE_HOST = "localhost"
"""Another host name of the same machine: for a client, another origin than 127.0.0.1."""


def file_routes(sandbox: ZendeskSandbox) -> Blueprint:
    """Routes under /api/v2/uploads and /api/v2/attachments."""
    routes, store = Blueprint("files", __name__), sandbox.store

    @routes.post("/uploads")
    def upload() -> ResponseReturnValue:
        name, content = request.args.get("filename"), request.get_data()
        if not name:
            raise bad_request("AttachmentUnprocessable", "filename is required")
        if len(content) > sandbox.settings["max_upload_bytes"]:
            raise bad_request("AttachmentTooLarge", "The attachment exceeds the limit of this account")
        content_type = request.headers.get("Content-Type", "application/octet-stream")
        file = Attachment(store.new_id(), secrets.token_urlsafe(18), name, content_type, content)
        store.attachments[file.id] = store.files[file.token] = file
        token = request.args.get("token")
        if token is not None and token not in store.uploads:
            raise not_found()
        if token is None:
            token = secrets.token_urlsafe(18)
            until = sandbox.clock() + timedelta(seconds=sandbox.settings["upload_seconds"])
            store.uploads[token] = Upload(token, until)
        store.uploads[token].attachments.append(file)
        return jsonify(upload=shapes.upload(store, store.uploads[token])), 201

    @routes.delete("/uploads/<token>")
    def delete_upload(token: str) -> ResponseReturnValue:
        if store.uploads.pop(token, None) is None:
            raise not_found()
        return Response(status=204)

    @routes.get("/attachments/<int:attachment_id>")
    def show(attachment_id: int) -> ResponseReturnValue:
        if attachment_id not in store.attachments:
            raise not_found()
        return jsonify(attachment=shapes.attachment(store, store.attachments[attachment_id]))

    return routes


def download_routes(sandbox: ZendeskSandbox) -> Blueprint:
    """The addresses in `content_url`, and the other host's, where the bytes are.

    With the setting `private_attachments` the first needs credentials; the second never does, and whoever sends it
    an Authorization header is noted in `sandbox.leaked_authorizations`.
    """
    routes, store = Blueprint("downloads", __name__), sandbox.store

    @routes.get("/attachments/token/<token>/")
    def content_url(token: str) -> ResponseReturnValue:
        if token not in store.files:
            raise not_found()
        if sandbox.settings["private_attachments"] and sandbox.tokens.person(request.authorization) is None:
            raise forbidden()
        return redirect(f"http://{FILE_HOST}:{urlsplit(sandbox.url).port}/files/{token}")

    @routes.get("/files/<token>")
    def content(token: str) -> ResponseReturnValue:
        if "Authorization" in request.headers:
            sandbox.leaked_authorizations.append(request.path)
        if token not in store.files:
            raise not_found()
        file = store.files[token]
        return Response(file.content, mimetype=file.content_type)

    return routes
