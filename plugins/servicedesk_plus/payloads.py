"""Bodies of ServiceDesk Plus's webhooks and trigger actions -> hints. Pure.

An admin writes the body with `$` variables, so that only the request's id can be relied on. Sources: the MSP help,
"Webhooks", "Custom triggers"; the variables of Atlassian's bridge; trackers' notes, section 6.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hub.connector import Hint, Ignored, WebhookRequest
from hub.parts.templates import body_of, number_in

KEYS = ("request_id", "id", "workorderid", "WORKORDERID")
"""Where the id may stand. `display_id` is another number in the cloud."""
WHOLE = "request"
"""The whole request, as the variable $COMPLETE_V3_JSON gives it."""
_NUMBER = re.compile(r"^\d+$")
_EVENT_LENGTH = 100


def parse(request: WebhookRequest) -> Sequence[Hint] | Ignored:
    """Which request a body speaks of. Raises ValueError for what no trigger with a fitting body sends."""
    body = body_of(request, KEYS[:2], WHOLE)
    found = number_in(body, KEYS, _NUMBER, unfilled="$")
    if isinstance(found, Ignored):
        return found
    return [Hint(ticket_id=found.group(), event=str(body.get("event") or "")[:_EVENT_LENGTH] or "webhook")]
