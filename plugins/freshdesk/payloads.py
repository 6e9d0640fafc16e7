"""Bodies of Freshdesk's automation webhooks -> hints. Pure.

Sources: support article 132589; payloads in Zulip's test data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hub.connector import Hint, Ignored, WebhookRequest
from hub.parts.templates import body_of, number_in

ROOT = "freshdesk_webhook"
TICKET_KEYS = ("ticket_id", "ticketId", "id", "ticket_url", "url")
_NUMBER = re.compile(r"(?:^|[#/])(\d+)\]?$")
_EVENT_LENGTH = 100


def parse(request: WebhookRequest) -> Sequence[Hint] | Ignored:
    """Which ticket a body speaks of. Raises ValueError for what no rule with a fitting template sends."""
    body = body_of(request, TICKET_KEYS[:1], ROOT)
    found = number_in(body, TICKET_KEYS, _NUMBER)
    if isinstance(found, Ignored):
        return found
    event = str(body.get("triggered_event") or "")
    name = re.sub(r"^\{|\}$", "", event)[:_EVENT_LENGTH] or "webhook"
    return [Hint(ticket_id=found.group(1), event=name, is_deleted="ticket_action:delete" in event)]
