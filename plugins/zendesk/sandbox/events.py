"""Webhooks in event mode: which events an action causes, and their fixed JSON.

Ids are texts and enumerations are upper case, unlike in the REST answers. Source: Zendesk's ticket events reference
and public samples of deliveries.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from plugins.zendesk.sandbox.state import ACCOUNT_ID, Audit, Store, Ticket, iso

PREFIX = "zen:event-type:ticket."
CHANNELS = {"api": "web_service", "email": "mail", "web": "web_form"}
NAMES = {
    "status": "status_changed",
    "custom_status_id": "custom_status_changed",
    "priority": "priority_changed",
    "type": "type_changed",
    "subject": "subject_changed",
    "assignee_id": "agent_assignment_changed",
    "group_id": "group_assignment_changed",
    "organization_id": "organization_changed",
    "requester_id": "requester_changed",
    "external_id": "external_id_changed",
    "ticket_form_id": "form_changed",
    "brand_id": "brand_changed",
    "problem_id": "problem_link_changed",
    "due_at": "task_due_at_changed",
}
UPPER = {"status", "priority", "type"}


def bodies_of(store: Store, ticket: Ticket, audit: Audit, action: str) -> list[dict[str, Any]]:
    """The events of one action in the order in which they happened, each a whole webhook body."""
    found = list(_events(store, ticket, audit, action))
    sequence = uuid.uuid4().hex
    bodies = []
    for position, (name, content) in enumerate(found, start=1):
        if len(found) > 1:
            content = {**content, "meta": {"sequence": {"id": sequence, "position": position}}}
        bodies.append(
            {
                "account_id": ACCOUNT_ID,
                "detail": _detail(ticket, audit),
                "event": content,
                "id": str(uuid.uuid4()),
                "subject": f"zen:ticket:{ticket.id}",
                "time": _precise(audit.created_at),
                "type": PREFIX + name,
                "zendesk_event_version": "2022-11-06",
            }
        )
    return bodies


def _events(store: Store, ticket: Ticket, audit: Audit, action: str) -> list[tuple[str, dict[str, Any]]]:
    if action in ("soft_deleted", "restored"):
        return [("soft_deleted" if action == "soft_deleted" else "undeleted", {})]
    found: list[tuple[str, dict[str, Any]]] = [("created", {})] if action == "created" else []
    for event in audit.events:
        if event["type"] == "Comment":
            found += _comment_events(store, ticket, event["id"], announce=action != "created")
        elif event["type"] == "Change":
            found += _change_event(store, event)
        elif event["type"] == "CommentPrivacyChange":
            found.append(("comment_made_private", {"comment": {"id": str(event["comment_id"])}}))
        elif event["type"] == "CommentRedactionEvent":
            found.append(("comment_redacted", {"comment": {"id": str(event["comment_id"])}}))
    if action == "merged":
        found.append(("merged", {"target_ticket_id": str(audit.metadata["merged_into"])}))
    return found


def _comment_events(
    store: Store, ticket: Ticket, comment_id: int, *, announce: bool
) -> list[tuple[str, dict[str, Any]]]:
    comment = next(c for c in ticket.comments if c.id == comment_id)
    author = store.users[comment.author_id]
    told = {
        "id": str(comment.id),
        "body": comment.body,
        "is_public": comment.public,
        "author": {"id": str(author.id), "is_staff": author.is_staff, "name": author.name},
    }
    found: list[tuple[str, dict[str, Any]]] = [("comment_added", {"comment": told})] if announce else []
    for a in comment.attachments:
        file = {
            "id": str(a.id),
            "filename": a.file_name,
            "content_type": a.content_type,
            "content_url": f"{store.base_url()}/attachments/token/{a.token}/?name={a.file_name}",
            "is_public": comment.public,
        }
        content = {"attachment": file, "comment": {"id": str(comment.id)}}
        found.append(("attachment_linked_to_comment", content))
    return found


def _change_event(store: Store, event: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    key, new, old = event["field_name"], event["value"], event["previous_value"]
    if key == "tags":
        content = {"tags_added": sorted(set(new) - set(old)), "tags_removed": sorted(set(old) - set(new))}
        return [("tags_changed", content)]
    if key.isdigit():
        field = store.fields[int(key)]
        about = {"id": key, "title": field["title"], "type": field["type"].upper()}
        return [("custom_field_changed", {"current": new, "previous": old, "field": about})]
    if key not in NAMES:
        return []
    if key in UPPER:
        new, old = _upper(new), _upper(old)
    return [(NAMES[key], {"current": new, "previous": old})]


def _detail(ticket: Ticket, audit: Audit) -> dict[str, Any]:
    v = ticket.values
    return {
        "actor_id": str(audit.author_id),
        "assignee_id": _text(v["assignee_id"]),
        "brand_id": _text(v["brand_id"]),
        "created_at": iso(ticket.created_at),
        "custom_status": _text(v["custom_status_id"]),
        "description": ticket.comments[0].body if ticket.comments else "",
        "external_id": v["external_id"],
        "form_id": _text(v["ticket_form_id"]),
        "group_id": _text(v["group_id"]),
        "id": str(ticket.id),
        "is_public": ticket.is_public,
        "organization_id": _text(v["organization_id"]),
        "priority": _upper(v["priority"]),
        "requester_id": _text(v["requester_id"]),
        "status": _upper(v["status"]),
        "subject": v["subject"],
        "submitter_id": _text(v["submitter_id"]),
        "tags": list(ticket.tags),
        "type": _upper(v["type"]),
        "updated_at": iso(ticket.updated_at),
        "via": {"channel": CHANNELS.get(audit.via["channel"], audit.via["channel"])},
    }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _upper(value: Any) -> str | None:
    return None if value is None else str(value).upper()


def _precise(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
