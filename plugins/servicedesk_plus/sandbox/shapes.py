"""The installation's objects as API v3 shows them. Source: answers in Cortex XSOAR's test data (cloud, 2020)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from plugins.servicedesk_plus.sandbox.state import (
    DONE,
    STATUSES,
    UDF_KINDS,
    File,
    Mail,
    Note,
    Request,
    Store,
    User,
)

Json = dict[str, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LIST_FIELDS = (
    "requester", "template", "created_time", "has_draft", "cancel_flag_comments", "display_id", "subject", "technician",
    "due_by_time", "is_service_request", "cancellation_requested", "has_notes", "id", "status", "group",
)  # fmt: skip
"""What a row of a list shows where nothing else is asked for."""
ALWAYS_NULL = (
    "linked_to_request", "lifecycle", "assigned_time", "item", "cancel_flag_comments", "level", "approval_status",
    "impact", "sla", "first_response_due_by_time", "impact_details", "subcategory", "deleted_time", "onhold_scheduler",
    "notification_status", "responded_time", "urgency", "department", "due_by_time", "site", "category",
)  # fmt: skip
ALWAYS_FALSE = (
    "is_read", "cancellation_requested", "is_escalated", "is_service_request", "has_request_initiated_change",
    "is_reopened", "has_draft", "has_linked_requests", "is_overdue", "has_problem", "is_fcr", "has_project",
    "is_first_response_overdue",
)  # fmt: skip
ALWAYS_EMPTY = ("email_to", "email_cc", "email_bcc", "email_ids_to_notify")


def milliseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)


def stamp(at: datetime | None) -> Json | None:
    return {"display_value": at.strftime("%b %d, %Y %I:%M %p"), "value": str(milliseconds(at))} if at else None


class Shapes:
    """`root` is the path of the API on this server."""

    def __init__(self, store: Store, root: str) -> None:
        self._store, self._root = store, root

    def request(self, one: Request) -> Json:
        """A whole request."""
        shown: Json = {
            **dict.fromkeys(ALWAYS_NULL),
            **dict.fromkeys(ALWAYS_FALSE, False),
            **{name: [] for name in ALWAYS_EMPTY},
            "subject": one.subject, "description": one.description, "id": str(one.id),
            "display_id": str(one.display_id), "status": self.status(one.status),
            "priority": self.value("priorities", one.priority, color="#ff0000"),
            "request_type": self.value("request_types", one.request_type), "mode": self.value("modes", one.mode),
            "group": self.value("support_groups", one.group, deleted=False, site=None),
            "template": {"name": "Default Request", "id": "1"}, "requester": self.user(one.requester),
            "created_by": self.user(one.created_by), "technician": self.technician(one.technician),
            "created_time": stamp(one.created), "last_updated_time": stamp(one.updated),
            "resolved_time": stamp(one.resolved_at) if one.status in DONE else None,
            "completed_time": stamp(one.updated) if one.status in DONE[1:] else None,
            "has_notes": bool(one.notes), "is_trashed": one.is_trashed, "time_elapsed": "0",
            "unreplied_count": self.unreplied(one), "udf_fields": self.udf(one),
            "resolution": self.resolution(one) if one.resolution else None, "has_attachments": bool(one.files),
            "attachments": [self.file(f, f"/requests/{one.id}") for f in one.files],
            "closure_info": one.closure or None,
        }  # fmt: skip
        if self._store.is_cloud:
            shown["tags"] = [{"name": tag, "id": str(n)} for n, tag in enumerate(one.tags, 1)]
        return shown

    def request_row(self, one: Request, wanted: list[str]) -> Json:
        """A request in a list: what is asked for, else the usual few fields."""
        whole = {**self.request(one), "summary": self.summary(one)}
        return {name: whole[name] for name in dict.fromkeys(["id", *(wanted or LIST_FIELDS)])}

    def summary(self, one: Request) -> Json:
        replies = [m for m in one.mails if m.kind == "REQREPLY"]
        return {
            "note_count": str(len(one.notes)), "conversation_count": str(len(one.mails)),
            "requester_reply_count": str(len(replies)),
            "technician_reply_count": str(sum(m.kind == "REPLY" for m in one.mails)),
            "attachment_count": str(len(one.files)), "unreplied_count": self.unreplied(one),
        }  # fmt: skip

    def unreplied(self, one: Request) -> int:
        count = 0
        for mail in one.mails:
            count = count + 1 if mail.kind == "REQREPLY" else 0 if mail.kind == "REPLY" else count
        return count

    def udf(self, one: Request) -> Json:
        """Numbers are shown as texts, dates with their words."""
        shown: Json = {}
        for purpose, name in self._store.udf.items():
            value = one.udf.get(name)
            if value is not None and UDF_KINDS[purpose] == "date":
                value = stamp(EPOCH + timedelta(milliseconds=int(value)))
            elif value is not None and UDF_KINDS[purpose] == "long":
                value = str(value)
            shown[name] = value
        return shown

    def resolution(self, one: Request) -> Json:
        return {
            "content": one.resolution, "submitted_on": stamp(one.resolved_at), "resolution_attachments": [],
            "submitted_by": self.user(one.resolved_by) if one.resolved_by else None,
        }  # fmt: skip

    def note(self, request: Request, one: Note) -> Json:
        """The editions name the times and people of a note differently."""
        at, by = ("created_time", "created_by") if self._store.is_cloud else ("added_time", "added_by")
        return {
            "id": str(one.id), "description": one.description, "show_to_requester": one.shown,
            at: stamp(one.created), by: self.user(one.by), "last_updated_time": stamp(one.updated),
            "last_updated_by": self.user(one.updated_by), "mark_first_response": False, "notify_technician": False,
            "request": {"id": str(request.id)},
            "attachments": [self.file(f, f"/requests/{request.id}/notes/{one.id}") for f in one.files],
        }  # fmt: skip

    def mail(self, request: Request, one: Mail) -> Json:
        """The content of a mail."""
        return {
            "id": str(one.id), "type": one.kind, "subject": one.subject, "description": one.description,
            "to": [{"email_id": address} for address in one.to], "cc": [], "bcc": [], "mode": "E-Mail",
            "created_by": self._writer(one), "created_time": stamp(one.created),
            "attachments": [self.file(f, f"/requests/{request.id}/notifications/{one.id}") for f in one.files],
        }  # fmt: skip

    def conversation(self, request: Request, one: Mail) -> Json:
        """A mail's row in the list: without its text; only the cloud says who may read it."""
        row = {
            "id": str(one.id), "type": one.kind, "subject": one.subject,
            "created_by": self._writer(one), "created_time": stamp(one.created),
            "content_url": f"{self._root}/requests/{request.id}/notifications/{one.id}",
            "has_attachments": bool(one.files),
        }  # fmt: skip
        return {**row, "show_to_requester": one.shown} if self._store.is_cloud else row

    def _writer(self, one: Mail) -> Json | None:
        """Who wrote a mail; one that nobody wrote is shown as written by the system, or by nobody."""
        if one.by is not None:
            return self.user(one.by)
        return {"id": "1", "name": "System", "is_technician": False} if self._store.is_cloud else None

    def file(self, file: File, owner: str) -> Json:
        size = len(file.content)
        return {
            "id": str(file.id), "name": file.name, "content_type": file.content_type,
            "size": {"value": str(size), "display_value": f"{size} B"} if self._store.is_cloud else size,
            "content_url": f"{self._root}{owner}/attachments/{file.id}/download",
            "attached_by": self.user(file.by), "attached_on": stamp(file.at),
        }  # fmt: skip

    def user(self, user: User) -> Json:
        return {
            "email_id": user.email, "is_technician": user.is_technician, "sms_mail": None, "phone": None,
            "name": user.name, "mobile": None, "id": str(user.id), "photo_url": "", "is_vip_user": False,
            "department": None,
        }  # fmt: skip

    def technician(self, user: User | None) -> Json | None:
        """A technician in a request: without saying that it is one."""
        if user is None:
            return None
        return {
            "email_id": user.email, "cost_per_hour": "0", "phone": None, "name": user.name, "mobile": None,
            "id": str(user.id), "photo_url": "", "sms_mail_id": None,
        }  # fmt: skip

    def status(self, name: str) -> Json:
        internal, in_progress, stops = STATUSES[name]
        number = self._store.ids["statuses"][name]
        return {
            "in_progress": in_progress, "internal_name": internal, "stop_timer": stops, "color": "#0066ff",
            "name": name, "id": str(number),
        }  # fmt: skip

    def value(self, kind: str, name: str | None, **more: Any) -> Json | None:
        """A reference to a value of a list."""
        return None if name is None else {"name": name, "id": str(self._store.ids[kind][name]), **more}
