"""Zendesk's webhook bodies -> hints: event subscriptions (fixed JSON) and triggers (whatever an admin wrote).

Source: developer.zendesk.com, "Ticket events"; ids are strings there, enums upper case. In triggers statuses are
localised labels, so only the ticket's number counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hub.connector import Hint, Ignored, WebhookRequest
from hub.parts.templates import number_in
from hub.ticket import Value

EVENT = "zen:event-type:"
SHOWN = {"ticket.status_changed", "ticket.priority_changed", "ticket.subject_changed", "ticket.tags_changed"}
"""Events whose whole change stands in `detail`."""
WITHOUT_COMMENTS = SHOWN | {
    "ticket.custom_field_changed",
    "ticket.agent_assignment_changed",
    "ticket.group_assignment_changed",
    "ticket.type_changed",
    "ticket.external_id_changed",
    "ticket.organization_changed",
    "ticket.requester_changed",
    "ticket.due_date_changed",
}
DELETIONS = {"ticket.soft_deleted", "ticket.permanently_deleted"}
TICKET_KEYS = ("ticket_id", "ticketId", "ticketid", "id")
_NUMBER = re.compile(r"^#*(\d+)$")


def parse(request: WebhookRequest, maps: Any) -> Sequence[Hint] | Ignored:
    """Which ticket a body speaks of. Raises ValueError for what is none of Zendesk's."""
    body = request.json()
    if not isinstance(body, dict):
        raise ValueError("the body is not a JSON object; a trigger's body must hold the ticket's id, see the README")
    if str(body.get("type", "")).startswith(EVENT):
        return _event(body, maps)
    return _trigger(body)


def _event(body: Mapping[str, Any], maps: Any) -> Sequence[Hint] | Ignored:
    name = str(body["type"]).removeprefix(EVENT)
    if not name.startswith("ticket."):
        return Ignored(f"{name} is about no ticket")
    detail, event = body.get("detail") or {}, body.get("event") or {}
    ticket_id = str(detail.get("id") or str(body.get("subject", "")).rpartition(":")[2])
    if not ticket_id.isdigit():
        raise ValueError("the event does not say which ticket it is about")
    comment = event.get("comment") or {}
    is_comment = name == "ticket.comment_added" and "id" in comment
    return [
        Hint(
            ticket_id=ticket_id,
            event=name,
            at=_time(body.get("time")),
            actor_id=str(detail["actor_id"]) if detail.get("actor_id") else None,
            values=_values(detail, maps),
            comment_id=str(comment["id"]) if is_comment else None,
            is_partial=not (is_comment or name in SHOWN),
            touches_comments=name not in WITHOUT_COMMENTS | DELETIONS,
            is_deleted=name in DELETIONS,
            merged_into=str(event.get("target_ticket_id") or "") if name == "ticket.merged" else "",
        )
    ]


def _values(detail: Mapping[str, Any], maps: Any) -> dict[str, Value | frozenset[str]]:
    values: dict[str, Value | frozenset[str]] = {}
    for key, name, table in (
        ("status", "status", maps.statuses),
        ("priority", "priority", maps.priorities),
        ("type", "category", maps.categories),
    ):
        if detail.get(key):
            neutral = table.to_neutral(str(detail[key]))
            if neutral != "unknown":
                values[name] = neutral
    if isinstance(detail.get("subject"), str):
        values["title"] = " ".join(detail["subject"].split())
    if isinstance(detail.get("tags"), list) and not maps.has_tag_fields:
        values["labels"] = frozenset(detail["tags"])
    return values


def _trigger(body: Mapping[str, Any]) -> Sequence[Hint] | Ignored:
    found = number_in(body, TICKET_KEYS, _NUMBER)
    return found if isinstance(found, Ignored) else [Hint(ticket_id=found.group(1), event="trigger")]


def _time(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text)[:26].rstrip("Z") + "+00:00")
    except ValueError:
        return None
    return at.astimezone(UTC)
