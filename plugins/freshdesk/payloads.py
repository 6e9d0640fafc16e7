"""Bodies of Freshdesk's automation webhooks -> hints. Pure.

An admin writes the body, so that only the ticket's number can be relied on; values in it are localised labels and
may be an hour old. Sources: support article 132589; payloads in Zulip's test data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hub.connector import Hint, Ignored, WebhookRequest

ROOT = "freshdesk_webhook"
TICKET_KEYS = ("ticket_id", "ticketId", "id", "ticket_url", "url")
_IN_BROKEN_JSON = re.compile(rb'"ticket_id"\s*:\s*"?(\d+)')
_EVENT_LENGTH = 100


def parse(request: WebhookRequest) -> Sequence[Hint] | Ignored:
    """Which ticket a body speaks of. Raises ValueError for what no rule with a fitting template sends."""
    try:
        body = request.json()
    except ValueError as error:
        # Freshdesk puts texts into the template as they are: a quote in a subject breaks the JSON, not the number.
        found = _IN_BROKEN_JSON.search(request.body)
        if found is None:
            raise ValueError("the body is no JSON: choose the encoding JSON and paste the README's template") from error
        return [Hint(ticket_id=found.group(1).decode(), event="webhook")]
    if not isinstance(body, dict):
        raise ValueError("the body is no JSON object: paste the README's template into the webhook")
    inner = body.get(ROOT)
    return _hint(inner if isinstance(inner, dict) else body)


def _hint(body: dict[str, Any]) -> Sequence[Hint] | Ignored:
    for key in TICKET_KEYS:
        given = str(body.get(key) or "")
        if "{{" in given:
            return Ignored("the placeholders were not filled in: this is a test of the webhook, not of the rule")
        number = re.search(r"(?:^|[#/])(\d+)\]?$", given.strip())
        if number:
            event = str(body.get("triggered_event") or "")
            name = re.sub(r"^\{|\}$", "", event)[:_EVENT_LENGTH] or "webhook"
            return [Hint(ticket_id=number.group(1), event=name, is_deleted="ticket_action:delete" in event)]
    raise ValueError(f"no ticket id under any of {', '.join(TICKET_KEYS)}: paste the README's template")
