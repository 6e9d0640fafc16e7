"""How the account's objects look as JSON.

Sources: the vendor's OpenAPI document "Support API" 2.0.0, and recorded answers in public test suites.
"""

from __future__ import annotations

from typing import Any

from plugins.zendesk.sandbox.state import Attachment, Audit, Comment, Store, Ticket, Upload, User, iso


def plain(store: Store, record: dict[str, Any]) -> dict[str, Any]:
    """A group, organization, field, status, form or macro, with its full address."""
    return {**record, "url": store.base_url() + record["url"]}


def user(store: Store, person: User) -> dict[str, Any]:
    """A user as agents see it."""
    agent = person.is_staff
    return {
        "id": person.id,
        "url": f"{store.base_url()}/api/v2/users/{person.id}.json",
        "name": person.name,
        "email": person.email,
        "created_at": iso(person.created_at),
        "updated_at": iso(person.updated_at),
        "time_zone": "UTC",
        "iana_time_zone": "Etc/UTC",
        "phone": person.phone,
        "shared_phone_number": None,
        "photo": None,
        "locale_id": 1,
        "locale": person.locale,
        "organization_id": person.organization_id,
        "role": person.role,
        "verified": True,
        "external_id": person.external_id,
        "tags": person.tags,
        "alias": None,
        "active": True,
        "shared": False,
        "shared_agent": False,
        "last_login_at": None,
        "two_factor_auth_enabled": False,
        "signature": None,
        "details": person.details,
        "notes": person.notes,
        "role_type": None,
        "custom_role_id": None,
        "moderator": agent,
        "ticket_restriction": None if agent else "requested",
        "only_private_comments": False,
        "restricted_agent": not agent,
        "suspended": False,
        "chat_only": False,
        "default_group_id": person.default_group_id,
        "report_csv": person.role == "admin",
        "user_fields": {},
    }


def ticket(store: Store, t: Ticket) -> dict[str, Any]:
    """A ticket as agents see it."""
    custom = [{"id": id, "value": value} for id, value in t.custom.items()]
    v = t.values
    return {
        "url": f"{store.base_url()}/api/v2/tickets/{t.id}.json",
        "id": t.id,
        "external_id": v["external_id"],
        "via": t.via,
        "created_at": iso(t.created_at),
        "updated_at": iso(t.updated_at),
        "generated_timestamp": int(t.generated_at.timestamp()),
        "type": v["type"],
        "subject": v["subject"],
        "raw_subject": v["subject"],
        "description": t.comments[0].body if t.comments else "",
        "priority": v["priority"],
        "status": "deleted" if t.deleted else v["status"],
        "recipient": v["recipient"],
        "requester_id": v["requester_id"],
        "submitter_id": v["submitter_id"],
        "assignee_id": v["assignee_id"],
        "organization_id": v["organization_id"],
        "group_id": v["group_id"],
        "collaborator_ids": v["collaborator_ids"],
        "follower_ids": v["follower_ids"],
        "email_cc_ids": v["email_cc_ids"],
        "forum_topic_id": None,
        "problem_id": v["problem_id"],
        "has_incidents": any(o.values["problem_id"] == t.id and not o.deleted for o in store.tickets.values())
        if v["type"] == "problem"
        else False,
        "is_public": t.is_public,
        "due_at": v["due_at"],
        "tags": list(t.tags),
        "custom_fields": custom,
        "satisfaction_rating": t.rating or {"score": "unoffered"},
        "sharing_agreement_ids": [],
        "custom_status_id": v["custom_status_id"],
        "fields": custom,
        "followup_ids": t.followup_ids,
        "ticket_form_id": v["ticket_form_id"],
        "brand_id": v["brand_id"],
        "satisfaction_probability": None,
        "allow_channelback": False,
        "allow_attachments": True,
        "from_messaging_channel": False,
    }


def attachment(store: Store, a: Attachment) -> dict[str, Any]:
    """An attachment; its `content_url` leads to another host."""
    content_url = f"{store.base_url()}/attachments/token/{a.token}/?name={a.file_name}"
    return {
        "url": f"{store.base_url()}/api/v2/attachments/{a.id}.json",
        "id": a.id,
        "file_name": a.file_name,
        "content_url": content_url,
        "mapped_content_url": content_url,
        "content_type": a.content_type,
        "size": len(a.content),
        "width": None,
        "height": None,
        "inline": a.inline,
        "deleted": a.deleted,
        "malware_access_override": False,
        "malware_scan_result": "malware_not_found",
        "thumbnails": [],
    }


def upload(store: Store, u: Upload) -> dict[str, Any]:
    """An upload; `attachment` is the file that came last."""
    files = [attachment(store, a) for a in u.attachments]
    return {"token": u.token, "expires_at": iso(u.expires_at), "attachments": files, "attachment": files[-1]}


def comment_event(store: Store, c: Comment) -> dict[str, Any]:
    """A comment as it stands in an audit."""
    return {
        "id": c.id,
        "type": "Comment",
        "author_id": c.author_id,
        "body": c.body,
        "html_body": c.html_body,
        "plain_body": c.body,
        "public": c.public,
        "attachments": [attachment(store, a) for a in c.attachments],
        "audit_id": c.audit_id,
    }


def comment(store: Store, c: Comment) -> dict[str, Any]:
    """A comment as it stands in the list of a ticket's comments."""
    return {
        **comment_event(store, c),
        "via": c.via,
        "created_at": iso(c.created_at),
        "metadata": c.metadata,
    }


def audit(store: Store, t: Ticket, a: Audit) -> dict[str, Any]:
    """An audit; its comment shows the comment's present visibility and text."""
    comments = {c.id: c for c in t.comments}
    return {
        "id": a.id,
        "ticket_id": a.ticket_id,
        "created_at": iso(a.created_at),
        "author_id": a.author_id,
        "metadata": a.metadata,
        "events": [comment_event(store, comments[e["id"]]) if e["type"] == "Comment" else e for e in a.events],
        "via": a.via,
    }


def request(store: Store, t: Ticket) -> dict[str, Any]:
    """A ticket as its requester sees it."""
    shown = ticket(store, t)
    keys = (
        "id",
        "status",
        "custom_status_id",
        "priority",
        "type",
        "subject",
        "description",
        "organization_id",
        "via",
        "custom_fields",
        "requester_id",
        "collaborator_ids",
        "email_cc_ids",
        "is_public",
        "due_at",
        "created_at",
        "updated_at",
        "recipient",
        "assignee_id",
        "group_id",
        "ticket_form_id",
        "fields",
    )
    return {
        "url": f"{store.base_url()}/api/v2/requests/{t.id}.json",
        **{key: shown[key] for key in keys},
        "followup_source_id": None,
        "can_be_solved_by_me": t.values["assignee_id"] is not None and t.values["status"] not in ("solved", "closed"),
        "solved": t.values["status"] in ("solved", "closed"),
    }
