"""Workflows whose action is a webhook: a body that an admin wrote, with placeholders.

Values are put in as they are, labels and all. Tickets show themselves with the prefix of their kind (`INC-7`, `SR-7`);
`id_numeric` is the number alone. Sources: support articles on the Workflow Automator; public templates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from plugins.freshservice.sandbox import seed
from plugins.freshservice.sandbox.state import Change, Item, Ticket, User

TEMPLATE_OF_TICKETS = '{"ticket_id":"{{ticket.id_numeric}}"}'
TEMPLATE_OF_CHANGES = '{"change_id":"{{change.id}}"}'
PREFIXES = {"Incident": "INC", "Service Request": "SR"}


def fires(performer: User, left_out: Sequence[str]) -> bool:
    """Whether a workflow hears of what somebody did; `left_out` are logins that its performer condition leaves out."""
    return performer.login not in left_out


def render(template: str, item: Item, url: str) -> str:
    """The template with its placeholders filled in; unknown ones become empty."""
    values = _of_ticket(item, url) if isinstance(item, Ticket) else {}
    if isinstance(item, Change):
        values = {"change.id": f"CHN-{item.id}", "change.id_numeric": str(item.id), "change.subject": item.subject}
    return re.sub(r"\{\{\s*([\w.]+)\s*\}\}", lambda m: values.get(m.group(1), ""), template)


def _of_ticket(ticket: Ticket, url: str) -> dict[str, str]:
    public = [c.body for c in ticket.conversations if not c.private]
    return {
        "ticket.id": f"{PREFIXES[ticket.type]}-{ticket.id}",
        "ticket.id_numeric": str(ticket.id),
        "ticket.url": f"{url}/helpdesk/tickets/{ticket.id}",
        "ticket.subject": ticket.subject,
        "ticket.description": ticket.description,
        "ticket.status": seed.STATUSES[ticket.status],
        "ticket.priority": seed.PRIORITIES[ticket.priority],
        "ticket.ticket_type": ticket.type,
        "ticket.tags": ", ".join(ticket.tags),
        "ticket.requester.name": ticket.requester.name,
        "ticket.requester.email": ticket.requester.email,
        "ticket.latest_public_comment": public[-1] if public else "",
    }
