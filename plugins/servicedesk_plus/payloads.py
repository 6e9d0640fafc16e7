"""Bodies of ServiceDesk Plus's webhooks and trigger actions -> hints. Pure.

An admin writes the body with `$` variables, so that only the request's id can be relied on. Sources: the MSP help,
"Webhooks", "Custom triggers"; the variables of Atlassian's bridge; trackers' notes, section 6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hub.connector import Hint, Ignored, WebhookRequest

KEYS = ("request_id", "id", "workorderid", "WORKORDERID")
"""Where the id may stand. `display_id` is another number in the cloud."""
NOT_FILLED = "the variables were not filled in: this is a test of the webhook, not of the trigger"
_IN_BROKEN_JSON = re.compile(rb'"(?:request_id|id)"\s*:\s*"?(\d+)')
_EVENT_LENGTH = 100


def parse(request: WebhookRequest) -> Sequence[Hint] | Ignored:
    """Which request a body speaks of. Raises ValueError for what no trigger with a fitting body sends."""
    try:
        body = request.json()
    except ValueError as error:
        # Variables are put in as they are: a quote in a subject breaks the JSON, not the number.
        found = _IN_BROKEN_JSON.search(request.body)
        if found is None:
            raise ValueError("the body is no JSON: paste the README's body into the webhook") from error
        return [Hint(ticket_id=found.group(1).decode(), event="webhook")]
    if not isinstance(body, dict):
        raise ValueError("the body is no JSON object: paste the README's body into the webhook")
    # The whole request, as the variable $COMPLETE_V3_JSON gives it.
    whole = body.get("request")
    return _hint(whole if isinstance(whole, dict) else body)


def _hint(body: Mapping[str, Any]) -> Sequence[Hint] | Ignored:
    for key in KEYS:
        given = str(body.get(key) or "").strip()
        if "$" in given:
            return Ignored(NOT_FILLED)
        if given.isdigit():
            event = str(body.get("event") or "")
            return [Hint(ticket_id=given, event=event[:_EVENT_LENGTH] or "webhook")]
    raise ValueError(f"no request id under any of {', '.join(KEYS)}: paste the README's body into the webhook")
