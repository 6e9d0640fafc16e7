"""The knowledge base under /api/v2, as far as it is searched. Source: developers.freshdesk.com, "Solution Article"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.freshdesk.sandbox.errors import invalid, problem
from plugins.freshdesk.sandbox.shapes import Json, stamp
from plugins.freshdesk.sandbox.state import Article

if TYPE_CHECKING:
    from plugins.freshdesk.sandbox.server import FreshdeskSandbox

_WORD = re.compile(r"\w{3,}")


def solution_routes(sandbox: FreshdeskSandbox) -> Blueprint:
    """The blueprint, to be mounted under /api/v2."""
    routes = Blueprint("solutions", __name__)
    store = sandbox.store

    def shown(article: Article) -> Json:
        at = stamp(store.now())
        slug = re.sub(r"\W+", "-", article.title.lower())
        return {
            "id": article.id, "type": 1, "category_id": 3, "folder_id": article.visibility, "hierarchy": [],
            "folder_visibility": article.visibility, "agent_id": store.by_login("agent1").id,
            "path": f"{article.id}-{slug}", "modified_at": at, "language_id": 6, "title": article.title,
            "status": article.status, "created_at": at, "updated_at": at,
            "description": f"<p>{article.text}</p>", "description_text": article.text,
            "category_name": "General", "folder_name": f"Folder {article.visibility}",
        }  # fmt: skip

    @routes.get("/search/solutions")
    def search() -> ResponseReturnValue:
        """An agent's search: drafts and articles for agents are found too."""
        wanted = set(_WORD.findall(request.args.get("term", "").lower()))
        if not wanted:
            raise invalid(problem("term", "Mandatory attribute missing", "missing_field"))

        def hits(article: Article) -> int:
            return len(wanted & set(_WORD.findall(f"{article.title} {article.text}".lower())))

        found = [article for article in store.articles.values() if hits(article)]
        return jsonify([shown(article) for article in sorted(found, key=hits, reverse=True)])

    return routes
