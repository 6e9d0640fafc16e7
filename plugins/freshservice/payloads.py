"""Bodies of Freshservice's workflow webhooks -> hints. Pure.

Tickets name themselves with a prefix (`INC-297`, `SR-12`) unless a template asks for the number alone. Sources: support
article 50000003816; templates of public integrations.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hub.connector import Hint, Ignored, WebhookRequest
from hub.parts.templates import body_of, number_in
from plugins.freshservice.modules import CHANGES, TICKETS, id_of

ROOT = "freshdesk_webhook"
"""Freshservice's own name for it, from its sibling."""
TICKET_KEYS = ("ticket_id", "ticketId", "id", "ticket_url", "url")
CHANGE_KEYS = ("change_id", "changeId", "change_url")
_NUMBER = re.compile(r"(?:^|[#/])(INC-|SR-|CHN-|REQ-)?(\d+)\]?$", re.IGNORECASE)
_EVENT_LENGTH = 100


def parse(request: WebhookRequest, *, with_changes: bool) -> Sequence[Hint] | Ignored:
    """Which ticket or change a body speaks of. Raises ValueError for what no workflow with a fitting template sends."""
    body = body_of(request, (CHANGE_KEYS[0], TICKET_KEYS[0]), ROOT)
    is_change = any(body.get(key) for key in CHANGE_KEYS)
    found = number_in(body, CHANGE_KEYS if is_change else TICKET_KEYS, _NUMBER)
    if isinstance(found, Ignored):
        return found
    is_change = is_change or (found.group(1) or "").upper() == "CHN-"
    if is_change and not with_changes:
        return Ignored("changes are not kept in step: the setting changes is false")
    event = re.sub(r"^\{|\}$", "", str(body.get("triggered_event") or ""))[:_EVENT_LENGTH] or "webhook"
    return [Hint(ticket_id=id_of(CHANGES if is_change else TICKETS, found.group(2)), event=event)]
