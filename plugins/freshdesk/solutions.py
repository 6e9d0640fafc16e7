"""Freshdesk's knowledge base, called Solutions: articles that customers may read.

Source: developers.freshdesk.com, "Search Solution Articles": `status` 2 is published; `folder_visibility` 1 is
everybody, 2 whoever signed in, the others are agents, some companies or bots.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hub.connector import Article
from plugins.freshdesk.client import FreshdeskClient

PUBLISHED = 2
FOR_CUSTOMERS = (1, 2)
_WORD = re.compile(r"\w+")


def articles(client: FreshdeskClient, portal: str, words: str, limit: int) -> Sequence[Article]:
    """The best articles first, at most `limit`. One call; none where there is nothing to look for.

    What an answer does not tell of is not public.
    """
    term = " ".join(_WORD.findall(words))
    if not term:
        return ()
    found = client.get("/search/solutions", term=term)
    readable = [
        raw for raw in found if raw.get("status") == PUBLISHED and raw.get("folder_visibility") in FOR_CUSTOMERS
    ]
    return [Article(str(raw["title"]), f"{portal}/support/solutions/articles/{raw['id']}") for raw in readable[:limit]]
