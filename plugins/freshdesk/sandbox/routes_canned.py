"""Canned responses under /api/v2. Source: developers.freshdesk.com, "Canned Response Folders"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from plugins.freshdesk.sandbox.errors import missing
from plugins.freshdesk.sandbox.paging import listed, page_of
from plugins.freshdesk.sandbox.shapes import Json, plain, stamp
from plugins.freshdesk.sandbox.state import CANNED

if TYPE_CHECKING:
    from plugins.freshdesk.sandbox.server import FreshdeskSandbox


def canned_routes(sandbox: FreshdeskSandbox) -> Blueprint:
    """The blueprint, to be mounted under /api/v2."""
    routes = Blueprint("canned", __name__)
    store = sandbox.store
    folders = dict(enumerate(CANNED, 1))

    def shown(number: int, folder: int, title: str, content: str) -> Json:
        at = stamp(store.now())
        return {
            "id": folder * 100 + number, "title": title, "folder_id": folder, "content": plain(content),
            "content_html": content, "attachments": [], "created_at": at, "updated_at": at,
        }  # fmt: skip

    @routes.get("/canned_response_folders")
    def list_folders() -> ResponseReturnValue:
        return jsonify(
            [
                {"id": number, "name": name, "personal": False, "responses_count": len(CANNED[name])}
                for number, name in folders.items()
            ]
        )

    @routes.get("/canned_response_folders/<int:folder>/responses")
    def list_responses(folder: int) -> ResponseReturnValue:
        if folder not in folders:
            raise missing()
        rows, headers = page_of(list(enumerate(CANNED[folders[folder]], 1)))
        return listed([shown(number, folder, *row) for number, row in rows], headers)

    return routes
