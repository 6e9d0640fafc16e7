"""How the site's objects look as JSON, in both flavours. Source: see `state`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from plugins.jira.sandbox.state import CUSTOM_FIELDS, Attachment, Comment, Issue, Move, Project, Store, User

Json = dict[str, Any]


def stamp(at: datetime, zone: str = "Etc/UTC") -> str:
    """`2026-03-01T10:05:12.345+0000`."""
    local = at.astimezone(ZoneInfo(zone))
    return local.strftime("%Y-%m-%dT%H:%M:%S.") + f"{local.microsecond // 1000:03d}" + local.strftime("%z")


class Shapes:
    """Knows the site's address and flavour."""

    def __init__(self, store: Store, url: Any, is_cloud: bool) -> None:
        self._store, self._url, self._is_cloud = store, url, is_cloud

    def address(self, path: str) -> str:
        return f"{self._url()}/rest/api/2/{path}"

    def user(self, user: User | None) -> Json | None:
        if user is None:
            return None
        common: Json = {"displayName": user.name, "active": True, "timeZone": user.time_zone, "avatarUrls": {}}
        if self._is_cloud:
            # Mail addresses are hidden on Cloud unless a person shows theirs.
            return {
                "self": self.address(f"user?accountId={user.account_id}"),
                "accountId": user.account_id,
                "accountType": "atlassian",
                **common,
            }
        return {
            "self": self.address(f"user?username={user.login}"),
            "name": user.login,
            "key": user.login,
            "emailAddress": user.email,
            **common,
        }

    def named(self, kind: str, name: str, number: int = 1) -> Json:
        return {"self": self.address(f"{kind}/{number}"), "id": str(number), "name": name, "description": ""}

    def status(self, name: str) -> Json:
        status = self._store.status(name)
        number = {"new": 2, "indeterminate": 4, "done": 3}[status.category]
        title = {"new": "To Do", "indeterminate": "In Progress", "done": "Done"}[status.category]
        return {
            "self": self.address(f"status/{status.id}"),
            "description": "",
            "iconUrl": f"{self._url()}/",
            "name": name,
            "id": status.id,
            "statusCategory": {
                "self": self.address(f"statuscategory/{number}"),
                "id": number,
                "key": status.category,
                "colorName": {"new": "blue-gray", "indeterminate": "yellow", "done": "green"}[status.category],
                "name": title,
            },
        }

    def project(self, project: Project) -> Json:
        return {
            "self": self.address(f"project/{project.id}"),
            "id": project.id,
            "key": project.key,
            "name": project.name,
            "projectTypeKey": project.type,
            "simplified": False,
            "avatarUrls": {},
        }

    def issue(self, issue: Issue, wanted: list[str] | None = None) -> Json:
        fields = self.fields(issue)
        if wanted is not None and "*all" not in wanted:
            fields = {name: value for name, value in fields.items() if name in wanted}
        return {
            "expand": "renderedFields,names,schema,operations,editmeta,changelog",
            "id": issue.id,
            "self": self.address(f"issue/{issue.id}"),
            "key": issue.key,
            "fields": fields,
        }

    def fields(self, issue: Issue) -> Json:
        f = issue.fields
        shown = [self.comment(issue, c) for c in issue.comments]
        return {
            "summary": f["summary"],
            "description": f["description"],
            "status": self.status(f["status"]),
            "priority": self.named("priority", f["priority"]) if f["priority"] else None,
            "issuetype": {**self.named("issuetype", f["issuetype"]), "subtask": False, "iconUrl": f"{self._url()}/"},
            "resolution": self.named("resolution", f["resolution"]) if f["resolution"] else None,
            "labels": sorted(f["labels"]),
            "assignee": self.user(f["assignee"]),
            "reporter": self.user(issue.reporter),
            "creator": self.user(issue.reporter),
            "project": self.project(issue.project),
            "created": stamp(issue.created),
            "updated": stamp(issue.updated),
            "components": [],
            "fixVersions": [],
            "versions": [],
            "issuelinks": [],
            "duedate": None,
            "comment": {"comments": shown, "maxResults": len(shown), "total": len(shown), "startAt": 0},
            "attachment": [self.attachment(a) for a in issue.attachments],
            **{name: f.get(name) for name in CUSTOM_FIELDS},
        }

    def comment(self, issue: Issue, comment: Comment, properties: bool = False) -> Json:
        shape: Json = {
            "self": self.address(f"issue/{issue.id}/comment/{comment.id}"),
            "id": comment.id,
            "author": self.user(comment.author),
            "body": comment.body,
            "updateAuthor": self.user(comment.update_author),
            "created": stamp(comment.created),
            "updated": stamp(comment.updated),
        }
        if comment.visibility:
            shape["visibility"] = comment.visibility
        if self._is_cloud:
            shape["jsdPublic"] = is_public(comment)
        if properties:
            shape["properties"] = [{"key": k, "value": v} for k, v in comment.properties.items()]
        return shape

    def attachment(self, attachment: Attachment) -> Json:
        where = f"attachment/content/{attachment.id}" if self._is_cloud else ""
        content = self.address(where) if where else f"{self._url()}/secure/attachment/{attachment.id}/{attachment.name}"
        return {
            "self": self.address(f"attachment/{attachment.id}"),
            "id": attachment.id,
            "filename": attachment.name,
            "author": self.user(attachment.author),
            "created": stamp(attachment.created),
            "size": len(attachment.content),
            "mimeType": attachment.mime,
            "content": content,
        }

    def transition(self, move: Move, with_fields: bool, resolutions: tuple[str, ...]) -> Json:
        shape: Json = {
            "id": move.id,
            "name": move.name,
            "to": self.status(move.to),
            "hasScreen": move.asks_resolution,
            "isGlobal": move.sources is None,
            "isInitial": False,
            "isConditional": False,
            "isAvailable": True,
        }
        if with_fields:
            allowed = [self.named("resolution", name, n) for n, name in enumerate(resolutions, 1)]
            shape["fields"] = (
                {
                    "resolution": {
                        "required": True,
                        "schema": {"type": "resolution", "system": "resolution"},
                        "name": "Resolution",
                        "key": "resolution",
                        "hasDefaultValue": False,
                        "operations": ["set"],
                        "allowedValues": allowed,
                    }
                }
                if move.asks_resolution
                else {}
            )
        return shape


def is_public(comment: Comment) -> bool:
    """What `jsdPublic` says: true unless the property of service desks says internal."""
    said = comment.properties.get("sd.public.comment")
    return not (isinstance(said, Mapping) and said.get("internal") in (True, "true"))
