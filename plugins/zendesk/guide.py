"""Zendesk's knowledge base, Guide: articles that customers may read.

Source: developer.zendesk.com, Help Center API, "Search" and "Articles": `draft` articles are not published, and
`user_segment_id` is null where everybody may read them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hub.connector import Article
from plugins.zendesk.client import ZendeskClient

LOOKED_AT = 25
"""Articles that are asked for: the hub's agent finds more than customers may read, and those are left out."""
_WORD = re.compile(r"\w+")


def articles(client: ZendeskClient, words: str, limit: int) -> Sequence[Article]:
    """The best articles first, at most `limit`. One call; none where there is nothing to look for."""
    query = " ".join(_WORD.findall(words))
    if not query:
        return ()
    found = client.get("/help_center/articles/search", query=query, per_page=LOOKED_AT)["results"]
    readable = [raw for raw in found if _may_be_read_by_customers(raw)]
    return [Article(str(raw["title"]), str(raw["html_url"])) for raw in readable[:limit]]


def _may_be_read_by_customers(raw: Mapping[str, Any]) -> bool:
    """Only where the answer says so: what it does not tell is not public."""
    is_for_all = "user_segment_id" in raw and raw["user_segment_id"] is None and not raw.get("user_segment_ids")
    return raw.get("draft") is False and is_for_all
