"""HTTP to Freshdesk.

Sources: developers.freshdesk.com, "Authentication", "Errors", "Rate Limit"; support article 225439 (limits by plan).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from hub.parts.keyed_client import KeyedClient


class FreshdeskClient(KeyedClient):
    """Knows Freshdesk's words for errors, nothing of tickets."""

    api = "/api/v2"
    permission_remedy = "Give the hub's agent a role and a ticket scope that allow this."
    names: ClassVar[Mapping[str, str]] = {
        "subject": "title",
        "type": "category",
        "responder_id": "assignee",
        "group_id": "line",
        "tags": "labels",
    }
    remedies: ClassVar[Mapping[str, str]] = {
        "require_feature": "The plan of this Freshdesk account does not include it: change the plan or do without.",
        "account_suspended": "The Freshdesk account is suspended: its owner must settle that with Freshdesk.",
    }
