"""Bodies of Service Desk's process integrations -> hints. Pure.

An admin builds the call on a screen, and with it the body: only the incident's id can be relied on. There is no
signature, no delivery id, and no documented list of variables, so that several forms are taken: the README's template,
an incident or an audit as the API shows them, an address. Source: notes of public clients on "Process Integration".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hub.connector import Hint, Ignored, WebhookRequest
from hub.parts.templates import NOT_FILLED

KEYS = ("ticket_id", "incident_id", "href", "href_account_domain", "url")
_UNFILLED = re.compile(r"\{\{|\$\{|<%|\[\[|^<")
_ADDRESS = re.compile(r"/incidents/(\d+)(?:[-./?#]|$)")
_EVENT_LENGTH = 100
TEMPLATE = "paste the README's template and put the variable for the incident's ID into it"


def parse(request: WebhookRequest) -> Sequence[Hint] | Ignored:
    """Which ticket a body speaks of. Raises ValueError for what no rule with a fitting template sends."""
    try:
        body = request.json()
    except ValueError as error:
        raise ValueError(f"the body is no JSON: {TEMPLATE}") from error
    if not isinstance(body, dict):
        raise ValueError(f"the body is no JSON object: {TEMPLATE}")
    inner = body.get("incident")
    return _hint(inner if isinstance(inner, dict) else body, str(body.get("event") or ""))


def _hint(body: Mapping[str, Any], event: str) -> Sequence[Hint] | Ignored:
    if "source_type" in body and body["source_type"] != "Incident":
        return Ignored(f"it is about a {body['source_type']}, not about an incident")
    given = [str(body[key]).strip() for key in KEYS if body.get(key)]
    if body.get("source_type") == "Incident":
        given.append(str(body.get("source_id") or ""))
    if "number" in body and "state" in body:
        given.insert(0, str(body.get("id") or ""))
    for value in given:
        found = re.fullmatch(r"\d+", value) or _ADDRESS.search(value)
        if found:
            ticket_id = found.group(found.lastindex or 0)
            return [Hint(ticket_id=ticket_id, event=event[:_EVENT_LENGTH] or "webhook")]
    if any(_UNFILLED.search(value) for value in given):
        return Ignored(NOT_FILLED)
    raise ValueError(f"no incident's id under any of {', '.join(KEYS)}: {TEMPLATE}")
