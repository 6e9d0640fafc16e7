"""The account's objects as the API shows them. Source: samples of python-freshdesk's tests."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from plugins.freshdesk.sandbox.state import CUSTOM, STATUSES, TYPES, Conversation, File, Rating, Store, Ticket, User

Json = dict[str, Any]
_DROPPED = re.compile(
    r"<(script|style)\b.*?</\1\s*>|<(script|style)\b[^>]*>|\son\w+\s*=\s*(\"[^\"]*\"|'[^']*'|\S+)", re.S | re.I
)


def stamp(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def stored_html(text: str) -> str:
    """HTML as it is kept: without what runs, and in a `div`."""
    return f"<div>{_DROPPED.sub('', text)}</div>"


def plain(text: str) -> str:
    """The words of HTML."""
    return html.unescape(re.sub(r"<[^>]+>", " ", text)).strip()


class Shapes:
    """`file_url` gives the signed address of a file, which ends."""

    def __init__(self, store: Store, file_url: Callable[[File], str]) -> None:
        self._store, self._file_url = store, file_url

    def ticket(self, ticket: Ticket, include: Iterable[str] = (), *, in_list: bool = False) -> Json:
        shown: Json = {
            "cc_emails": [], "fwd_emails": [], "reply_cc_emails": [], "email_config_id": None, "to_emails": None,
            "fr_escalated": False, "is_escalated": False, "spam": ticket.spam, "group_id": ticket.group_id,
            "priority": ticket.priority, "requester_id": ticket.requester.id, "responder_id": ticket.responder_id,
            "source": ticket.source, "company_id": ticket.requester.company_id, "status": ticket.status,
            "subject": ticket.subject, "association_type": None, "product_id": None, "id": ticket.id,
            "type": ticket.type, "due_by": stamp(ticket.created), "fr_due_by": stamp(ticket.created),
            "custom_fields": {name: ticket.custom_fields.get(name) for name in CUSTOM},
            "created_at": stamp(ticket.created), "updated_at": stamp(ticket.updated), "tags": list(ticket.tags),
        }  # fmt: skip
        if ticket.deleted:
            shown["deleted"] = True
        if not in_list or "description" in include:
            shown |= {"description": ticket.description, "description_text": plain(ticket.description)}
        if not in_list:
            shown["attachments"] = [self.file(file) for file in ticket.files]
        if "requester" in include:
            who = ticket.requester
            shown["requester"] = {"id": who.id, "name": who.name, "email": who.email, "mobile": None, "phone": None}
        if "company" in include:
            company = ticket.requester.company_id
            shown["company"] = {"id": company, "name": self._store.companies[company]} if company else {}
        if "stats" in include:
            shown["stats"] = {"resolved_at": None, "closed_at": None, "status_updated_at": stamp(ticket.updated)}
        if "conversations" in include:
            shown["conversations"] = [self.conversation(ticket, c) for c in ticket.conversations[:10]]
        return shown

    def conversation(self, ticket: Ticket, one: Conversation) -> Json:
        return {
            "body": one.body, "body_text": plain(one.body), "id": one.id, "incoming": one.incoming,
            "private": one.private, "user_id": one.user.id, "support_email": None, "source": one.source,
            "category": 1, "to_emails": [ticket.requester.email] if one.source == 0 else [], "from_email": None,
            "cc_emails": [], "bcc_emails": None, "email_failure_count": None, "ticket_id": ticket.id,
            "created_at": stamp(one.created), "updated_at": stamp(one.updated),
            "last_edited_at": stamp(one.edited), "last_edited_user_id": one.edited_by.id if one.edited_by else None,
            "attachments": [self.file(file) for file in one.files],
        }  # fmt: skip

    def rating(self, ticket: Ticket, one: Rating) -> Json:
        return {
            "id": one.id, "survey_id": 1, "user_id": one.user.id, "agent_id": ticket.responder_id,
            "group_id": ticket.group_id, "ticket_id": ticket.id, "feedback": one.feedback,
            "ratings": {"default_question": one.answer}, "created_at": stamp(one.created),
            "updated_at": stamp(one.created),
        }  # fmt: skip

    def file(self, file: File) -> Json:
        return {
            "id": file.id, "name": file.name, "content_type": file.content_type, "size": len(file.content),
            "created_at": stamp(file.created), "updated_at": stamp(file.created),
            "attachment_url": self._file_url(file),
        }  # fmt: skip

    def agent(self, user: User) -> Json:
        at = stamp(self._store.now())
        return {
            "available": True, "occasional": False, "id": user.id, "ticket_scope": user.ticket_scope,
            "signature": None, "group_ids": [], "role_ids": [], "created_at": at, "updated_at": at,
            "available_since": None, "type": "support_agent",
            "contact": {
                "active": True, "email": user.email, "job_title": None, "language": user.language, "mobile": None,
                "name": user.name, "phone": None, "time_zone": "UTC", "created_at": at, "updated_at": at,
            },
        }  # fmt: skip

    def contact(self, user: User) -> Json:
        at = stamp(self._store.now())
        return {
            "active": True, "address": None, "company_id": user.company_id, "description": None,
            "email": user.email, "id": user.id, "job_title": None, "language": user.language, "mobile": None,
            "name": user.name, "phone": None, "time_zone": "UTC", "twitter_id": None, "custom_fields": {},
            "tags": [], "other_emails": [], "unique_external_id": None, "created_at": at, "updated_at": at,
        }  # fmt: skip

    def group(self, group_id: int, name: str) -> Json:
        at = stamp(self._store.now())
        return {
            "id": group_id, "name": name, "description": None, "escalate_to": None, "unassigned_for": None,
            "business_hour_id": None, "group_type": "support_agent_group", "auto_ticket_assign": 0,
            "created_at": at, "updated_at": at,
        }  # fmt: skip

    def ticket_fields(self) -> list[Json]:
        at = stamp(self._store.now())
        made: list[tuple[str, str, str, Any]] = [
            ("subject", "Subject", "default_subject", None),
            ("status", "Status", "default_status", {str(k): list(v) for k, v in STATUSES.items()}),
            ("priority", "Priority", "default_priority", {"Low": 1, "Medium": 2, "High": 3, "Urgent": 4}),
            ("ticket_type", "Type", "default_ticket_type", TYPES),
            *((name, label, kind, choices) for name, (label, kind, choices) in CUSTOM.items()),
        ]
        return [
            {
                "id": number, "name": name, "label": label, "description": "", "position": number, "type": kind,
                "default": not name.startswith("cf_"), "required_for_closure": False, "required_for_agents": False,
                "customers_can_edit": False, "displayed_to_customers": False, "created_at": at, "updated_at": at,
                **({"choices": choices} if choices else {}),
            }
            for number, (name, label, kind, choices) in enumerate(made, 1)
        ]  # fmt: skip
