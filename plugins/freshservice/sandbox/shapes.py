"""The account's objects as the API shows them.

Source: answers of real accounts in the test data of Cortex XSOAR's integration. Tags, and who requested, stand in lists
and views only where `include` asks for them; what is empty is null.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from plugins.freshservice.sandbox import seed
from plugins.freshservice.sandbox.state import Change, Conversation, File, Group, Item, Store, Ticket, User

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
            **self._item(ticket), "responder_id": ticket.responder_id, "requested_for_id": ticket.requester.id,
            "due_by": stamp(ticket.created), "fr_due_by": stamp(ticket.created), "fr_escalated": False,
            "is_escalated": False, "deleted": ticket.deleted, "spam": ticket.spam, "email_config_id": None,
            "fwd_emails": [], "reply_cc_emails": [], "cc_emails": [], "to_emails": None, "source": ticket.source,
            "type": ticket.type,
        }  # fmt: skip
        if not in_list:
            files = [self.file(file) for file in ticket.files]
            shown |= {"urgency": ticket.urgency, "impact": ticket.impact, "attachments": files}
        if "tags" in include:
            shown["tags"] = list(ticket.tags)
        who = ticket.requester
        for name in ("requester", "requested_for"):
            if name in include:
                shown[name] = {"id": who.id, "name": who.name, "email": who.email, "mobile": None, "phone": None}
        if "department" in include and ticket.department_id:
            name = self._store.departments[ticket.department_id]
            shown["department"] = {"id": ticket.department_id, "name": name}
        if "stats" in include:
            shown["stats"] = {"resolved_at": None, "closed_at": None, "status_updated_at": stamp(ticket.updated)}
        if "conversations" in include:
            shown["conversations"] = [self.conversation(ticket, c) for c in ticket.conversations[:10]]
        return shown

    def written_ticket(self, ticket: Ticket) -> Json:
        """The answer to a write: with tags and attachments, asked for or not."""
        return self.ticket(ticket, ("tags",))

    def change(self, change: Change) -> Json:
        return {
            **self._item(change), "agent_id": change.agent_id, "impact": change.impact, "risk": change.risk,
            "change_type": change.change_type, "planned_start_date": change.planned_start,
            "planned_end_date": change.planned_end, "approval_status": 4, "change_window_id": None,
            "maintenance_window": {}, "blackout_window": {}, "assets": [], "impacted_services": [],
            "attachments": [self.file(file) for file in change.files],
        }  # fmt: skip

    def _item(self, item: Item) -> Json:
        return {
            "id": item.id, "subject": item.subject, "description": item.description,
            "description_text": plain(item.description), "requester_id": item.requester.id, "status": item.status,
            "priority": item.priority, "group_id": item.group_id, "department_id": item.department_id,
            "category": item.category, "sub_category": None, "item_category": None,
            "custom_fields": {name: item.custom_fields.get(name) for name in seed.CUSTOM},
            "workspace_id": item.workspace_id, "created_at": stamp(item.created), "updated_at": stamp(item.updated),
        }  # fmt: skip

    def conversation(self, ticket: Ticket, one: Conversation) -> Json:
        return {
            "id": one.id, "user_id": one.user.id, "to_emails": [ticket.requester.email] if one.source == 0 else [],
            "body": one.body, "body_text": plain(one.body), "ticket_id": ticket.id, "created_at": stamp(one.created),
            "updated_at": stamp(one.updated), "incoming": one.incoming, "private": one.private,
            "support_email": None, "source": one.source, "from_email": None, "cc_emails": [], "bcc_emails": [],
            "attachments": [self.file(file) for file in one.files],
        }  # fmt: skip

    def note(self, one: Conversation) -> Json:
        """A note of a change: it does not say who may read it."""
        return {
            "id": one.id, "user_id": one.user.id, "body": one.body, "body_text": plain(one.body),
            "notify_emails": [], "created_at": stamp(one.created), "updated_at": stamp(one.updated),
            "attachments": [self.file(file) for file in one.files],
        }  # fmt: skip

    def file(self, file: File) -> Json:
        return {
            "id": file.id, "name": file.name, "content_type": file.content_type, "size": len(file.content),
            "created_at": stamp(file.created), "updated_at": stamp(file.created),
            "attachment_url": self._file_url(file),
        }  # fmt: skip

    def agent(self, user: User) -> Json:
        at = stamp(self._store.now())
        roles = [
            {"role_id": 21000388918, "assignment_scope": "entire_helpdesk", "groups": [], "workspace_id": workspace}
            for workspace in user.workspaces
        ]
        return {
            **self._person(user), "email": user.email, "occasional": False, "scopes": {}, "signature": None,
            "role_ids": [21000388918], "roles": roles, "workspace_ids": list(user.workspaces), "group_ids": [],
            "member_of": [], "observer_of": [], "auto_assign_tickets": True, "auto_assign_status_changed_at": None,
            "last_active_at": at, "last_login_at": at,
        }  # fmt: skip

    def requester(self, user: User) -> Json:
        return {
            **self._person(user), "primary_email": user.email, "secondary_emails": [], "is_agent": user.is_agent,
            "can_see_all_changes_from_associated_departments": False,
        }  # fmt: skip

    def _person(self, user: User) -> Json:
        at = stamp(self._store.now())
        return {
            "id": user.id, "first_name": user.first_name, "last_name": user.last_name or None, "active": True,
            "address": None, "background_information": None, "can_see_all_tickets_from_associated_departments": False,
            "custom_fields": {}, "department_ids": [user.department_id] if user.department_id else [],
            "department_names": None, "external_id": None, "has_logged_in": True, "job_title": None,
            "language": "en", "location_id": None, "location_name": None, "mobile_phone_number": None,
            "reporting_manager_id": None, "time_format": "12h", "time_zone": "UTC", "vip_user": False,
            "work_phone_number": None, "created_at": at, "updated_at": at,
        }  # fmt: skip

    def group(self, group: Group) -> Json:
        at = stamp(self._store.now())
        return {
            "id": group.id, "name": group.name, "description": None, "escalate_to": None, "unassigned_for": None,
            "business_hours_id": None, "created_at": at, "updated_at": at, "auto_ticket_assign": False,
            "ocs_schedule_id": None, "workspace_id": group.workspace_id, "agent_ids": [], "members": [],
            "observers": [],
        }  # fmt: skip

    def ticket_fields(self, workspace_id: int) -> list[Json]:
        at = stamp(self._store.now())
        made: list[tuple[str, str, str, list[Json]]] = [
            ("subject", "Subject", "default_subject", []),
            ("status", "Status", "default_status", _choices(seed.STATUSES)),
            ("priority", "Priority", "default_priority", _choices(seed.PRIORITIES)),
            *(
                (name, label, kind, _choices(dict(enumerate(choices, 21000100001))))
                for name, (label, kind, choices) in seed.CUSTOM.items()
            ),
        ]
        return [
            {
                "id": number, "workspace_id": workspace_id, "name": name, "label": label, "description": None,
                "field_type": kind, "required": False, "required_for_closure": False, "choices": choices,
                "default_field": not kind.startswith("custom_"), "nested_fields": [], "created_at": at,
                "updated_at": at,
            }
            for number, (name, label, kind, choices) in enumerate(made, 1)
        ]  # fmt: skip


def _choices(values: dict[int, str]) -> list[Json]:
    return [{"id": code, "value": label} for code, label in values.items()]
