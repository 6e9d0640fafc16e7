"""Automation rules whose action is a webhook: a body that an admin wrote, with placeholders.

Values are put in as they are, labels and all, so that a quote in a subject breaks a JSON body. Sources: support article
132589; Zulip's payloads.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from plugins.freshdesk.sandbox.state import PRIORITIES, STATUSES, Ticket, User

TEMPLATE = '{"freshdesk_webhook":{"ticket_id":"{{ticket.id}}","triggered_event":"{{triggered_event}}"}}'


def fires(performer: User, left_out: Sequence[str]) -> bool:
    """Whether a rule hears of what somebody did; `left_out` are the logins that its performer condition leaves out."""
    return performer.login not in left_out


def render(template: str, ticket: Ticket, event: str, url: str) -> str:
    """The template with its placeholders filled in; unknown ones become empty."""
    values = {
        "ticket.id": str(ticket.id),
        "ticket.url": f"{url}/helpdesk/tickets/{ticket.id}",
        "ticket.subject": ticket.subject,
        "ticket.description": ticket.description,
        "ticket.status": STATUSES[ticket.status][0],
        "ticket.priority": PRIORITIES[ticket.priority],
        "ticket.ticket_type": ticket.type or "",
        "ticket.tags": ", ".join(ticket.tags),
        "ticket.requester.name": ticket.requester.name,
        "ticket.requester.email": ticket.requester.email,
        "triggered_event": event,
    }
    return re.sub(r"\{\{\s*([\w.]+)\s*\}\}", lambda m: values.get(m.group(1), ""), template)
