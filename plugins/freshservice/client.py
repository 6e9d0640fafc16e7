"""HTTP to Freshservice. Sources: api.freshservice.com, "Authentication", "Errors", "Rate limit"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from hub.parts.keyed_client import KeyedClient


class FreshserviceClient(KeyedClient):
    """Knows Freshservice's words for errors, nothing of tickets."""

    api = "/api/v2"
    permission_remedy = "Give the hub's agent a role that allows this, in this ticket's workspace as well."
    names: ClassVar[Mapping[str, str]] = {
        "subject": "title", "type": "category", "responder_id": "assignee",
        "group_id": "line", "agent_id": "assignee", "tags": "labels",
        "urgency": "priority", "impact": "priority",
    }  # fmt: skip
    remedies: ClassVar[Mapping[str, str]] = {
        "require_feature": "The plan of this Freshservice account does not include it: change the plan or do without.",
        "account_suspended": "The Freshservice account is suspended: its owner must settle that with Freshservice.",
    }
