"""The account's objects as the API shows them, with the account's own offset in every time.

Sources: unit tests and live probes of the project MCP-SWSD.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from plugins.solarwinds.sandbox.state import CUSTOM, GROUPS, Audit, File, Incident, Note, Store, User

Json = dict[str, Any]
OFFSET = timezone(timedelta(hours=-4))
_DROPPED = re.compile(
    r"<(script|style)\b.*?</\1\s*>|<(script|style)\b[^>]*>|\son\w+\s*=\s*(\"[^\"]*\"|'[^']*'|\S+)", re.S | re.I
)


def stamp(at: datetime) -> str:
    return at.astimezone(OFFSET).isoformat(timespec="seconds")


def stored_html(text: str) -> str:
    """HTML as it is kept: without what runs."""
    return _DROPPED.sub("", text)


def plain(text: str) -> str:
    """The words of HTML."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def person(user: User | None) -> Json | None:
    return None if user is None else {"id": user.id, "name": user.name, "email": user.email, "is_user": True}


class Shapes:
    """`file_url` gives the signed address of a file, which ends."""

    def __init__(
        self,
        store: Store,
        settings: Callable[[], Mapping[str, float]],
        url: Callable[[], str],
        file_url: Callable[[File], str],
    ) -> None:
        self._store, self._settings, self._url, self._file_url = store, settings, url, file_url

    def incident(self, incident: Incident, *, is_long: bool = False) -> Json:
        """The short layout; the long one has comments, files, tags and audits as well."""
        url, slug = self._url(), re.sub(r"[^a-z0-9]+", "-", incident.name.casefold())
        group = {"id": incident.group_id, "name": GROUPS[incident.group_id]} if incident.group_id else None
        shown: Json = {
            "id": incident.id, "number": incident.number, "name": incident.name,
            "description": incident.description, "description_no_html": plain(incident.description),
            "state": incident.state, "priority": incident.priority,
            "category": {"name": incident.category} if incident.category else None, "subcategory": None,
            "assignee": self._assignee(incident), "requester": person(incident.requester), "cc": [],
            "group_assignee": group,
            "site": {"name": incident.site} if incident.site else None,
            "department": {"name": incident.department} if incident.department else None,
            "created_at": stamp(incident.created), "updated_at": stamp(incident.updated), "due_at": None,
            "is_service_request": incident.is_service_request, "origin": incident.origin,
            "resolution_code": incident.resolution_code, "sla_violations": [],
            "href": f"{url}/incidents/{incident.id}.json",
            "href_account_domain": f"{url}/incidents/{incident.id}-{slug}",
            "custom_fields_values": self._custom(incident),
            "incidents": [], "problem": None, "releases": [], "solutions": [], "assets": [], "tasks": [],
            "changes": [{"id": c, "href": f"{url}/changes/{c}.json"} for c in incident.changes],
        }  # fmt: skip
        if is_long:
            audits = [a for a in self._store.audits if a.incident_id == incident.id]
            shown |= {
                "comments": [self.comment(c) for c in incident.comments],
                "attachments": [self.file(f, "Incident", incident.id) for f in incident.files],
                "tags": list(incident.tags), "audits": [self.audit(a) for a in reversed(audits)], "statistics": [],
                "associated_sla_names": [], "is_customer_satisfied": incident.is_satisfied,
                "customer_satisfaction_response": None,
                "request_variables": [], "resolution": None, "resolution_type": None, "total_time_spent": 0,
            }  # fmt: skip
        return self._with_files_above(incident, shown) if is_long and self._settings()["files_above"] else shown

    def comment(self, note: Note) -> Json:
        return {
            "id": note.id, "body": note.body, "is_private": note.is_private, "user": person(note.user),
            "created_at": stamp(note.created), "updated_at": stamp(note.updated),
            "attachments": [self.file(f, "Comment", note.id) for f in note.files],
        }  # fmt: skip

    def file(self, file: File, owner: str, owner_id: int) -> Json:
        return {
            "id": file.id, "filename": file.name, "content_type": file.content_type, "size": len(file.content),
            "url": self._file_url(file), "attachable_type": owner, "attachable_id": owner_id,
            "uploader": person(file.uploader), "created_at": stamp(file.created),
        }  # fmt: skip

    def audit(self, audit: Audit) -> Json:
        """What the API wrote has no user and the action `external`."""
        user = audit.user
        return {
            "uuid": audit.uuid, "message": audit.message, "action": audit.action, "created_at": stamp(audit.created),
            "user": user.name if user else None, "user_id": user.id if user else None, "note": None,
            "source_type": "Incident", "source_id": audit.incident_id, "hardware_href": "", "site": None,
            "department": None,
        }  # fmt: skip

    def user(self, user: User) -> Json:
        return {
            "id": user.id, "name": user.name, "email": user.email, "disabled": user.disabled, "title": None,
            "role": {"id": 1, "name": user.role}, "group_ids": [], "site": None, "department": None,
            "available_for_assignment": user.is_agent,
        }  # fmt: skip

    def custom_fields(self) -> list[Json]:
        return [
            {
                "id": 12_000 + number, "name": name, "field_type_name": kind, "module": kind, "scope_string": scope,
                "required": False, "active": True, "searchable_state": True, "values_array": choices, "help_text": "",
            }
            for number, (name, (kind, choices, scope)) in enumerate(CUSTOM.items(), 1)
        ]  # fmt: skip

    def _with_files_above(self, incident: Incident, shown: Json) -> Json:
        """The files of comments listed with the incident's own, and not at the comments."""
        files = [self.file(f, "Comment", c.id) for c in incident.comments for f in c.files]
        bare = [{**comment, "attachments": []} for comment in shown["comments"]]
        return {**shown, "attachments": [*shown["attachments"], *files], "comments": bare}

    def _assignee(self, incident: Incident) -> Json | None:
        return person(self._store.users.get(incident.assignee_id)) if incident.assignee_id else None

    def _custom(self, incident: Incident) -> list[Json]:
        """A day comes back in words."""
        rows = []
        for name, (kind, _, scope) in CUSTOM.items():
            value = incident.custom.get(name, "")
            if kind == "Date" and value:
                value = datetime.strptime(value, "%Y-%m-%d").strftime("%b %d, %Y")  # noqa: DTZ007 - a day has no zone
            if scope == "Incident":
                rows.append({"name": name, "value": value or None})
        return rows
