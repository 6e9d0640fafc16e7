"""The Help Center under /api/v2/help_center, as far as it is searched. Source: Help Center API, "Search"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.zendesk.sandbox.errors import bad_request
from plugins.zendesk.sandbox.paging import page

if TYPE_CHECKING:
    from plugins.zendesk.sandbox.server import ZendeskSandbox

_WORD = re.compile(r"\w{3,}")


def guide_routes(sandbox: ZendeskSandbox) -> Blueprint:
    """Routes under /help_center. An agent finds drafts and restricted articles too."""
    routes, store = Blueprint("guide", __name__), sandbox.store

    def shown(article: dict[str, Any]) -> dict[str, Any]:
        slug = "-".join(re.findall(r"\w+", article["title"]))
        address = f"{sandbox.url}/hc/en-us/articles/{article['id']}-{slug}"
        snippet = re.sub(r"<[^>]+>", "", article["body"])
        about = {"html_url": address, "snippet": snippet, "result_type": "article"}
        return {**article, "url": sandbox.url + article["url"], **about}

    @routes.get("/help_center/articles/search")
    def search() -> ResponseReturnValue:
        query = request.args.get("query", "")
        if not query:
            raise bad_request("MissingParameter", "query, category, section or label_names is required")
        wanted = set(_WORD.findall(query.lower()))

        def hits(article: dict[str, Any]) -> int:
            return len(wanted & set(_WORD.findall(f"{article['title']} {article['body']}".lower())))

        is_customer = not g.person.is_staff
        found = [a for a in store.articles.values() if hits(a) and not (is_customer and _is_hidden(a))]
        answer = page("results", found, key=lambda a: (-hits(a), a["id"]), show=shown, base_url=sandbox.url, size=25)
        return jsonify(answer)

    return routes


def _is_hidden(article: dict[str, Any]) -> bool:
    return bool(article["draft"] or article["user_segment_id"])
