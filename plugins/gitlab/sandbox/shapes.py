"""Issues, notes and the rest in the JSON of GitLab's REST API v4. Times have milliseconds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from plugins.gitlab.sandbox.state import Issue, Note, Project, User

Json = dict[str, Any]


def stamp(at: datetime | None) -> str | None:
    """`2026-03-01T10:05:12.345Z`."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Shapes:
    """Shows what the store holds. `url` gives the instance's address."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url

    def user(self, user: User | None) -> Json | None:
        """As in lists and inside of issues: no mail address but the public one."""
        if user is None:
            return None
        return {
            "id": user.id, "username": user.username, "public_email": user.public_email, "name": user.name,
            "state": "active", "locked": False, "avatar_url": None, "web_url": f"{self._url()}/{user.username}",
        }  # fmt: skip

    def me(self, user: User) -> Json:
        """As of `GET /user`."""
        return {
            **(self.user(user) or {}),
            "email": user.email,
            "bot": user.is_bot,
            "created_at": "2026-01-05T08:00:00.000Z",
        }

    def project(self, project: Project, level: int) -> Json:
        access = {"access_level": level, "notification_level": 3} if level else None
        return {
            "id": project.id, "name": project.name, "path_with_namespace": project.path, "description": None,
            "web_url": f"{self._url()}/{project.path}", "default_branch": "main", "visibility": project.visibility,
            "archived": False, "issues_enabled": True, "issues_access_level": "enabled",
            "permissions": {"project_access": access, "group_access": None},
        }  # fmt: skip

    def label(self, name: str, id_: int) -> Json:
        return {
            "id": id_, "name": name, "description": None, "description_html": "", "text_color": "#FFFFFF",
            "color": "#6699cc", "archived": False, "subscribed": False, "priority": None, "is_project_label": True,
        }  # fmt: skip

    def issue(self, issue: Issue) -> Json:
        api = f"{self._url()}/api/v4/projects/{issue.project.id}"
        assignees = [self.user(user) for user in issue.assignees]
        short = f"#{issue.iid}"
        return {
            "id": issue.id, "iid": issue.iid, "project_id": issue.project.id, "title": issue.title,
            "description": issue.description, "state": issue.state, "created_at": stamp(issue.created),
            "updated_at": stamp(issue.updated), "closed_at": stamp(issue.closed),
            "closed_by": self.user(issue.closed_by), "labels": sorted(issue.labels), "milestone": None,
            "assignees": assignees, "author": self.user(issue.author), "type": issue.type.upper(),
            "assignee": next(iter(assignees), None), "user_notes_count": len(issue.people_notes),
            "merge_requests_count": 0, "upvotes": 0, "downvotes": 0, "due_date": None,
            "confidential": issue.is_confidential, "discussion_locked": None, "issue_type": issue.type,
            "web_url": f"{self._url()}/{issue.project.path}/-/issues/{issue.iid}",
            "time_stats": {
                "time_estimate": 0, "total_time_spent": 0, "human_time_estimate": None, "human_total_time_spent": None,
            },
            "task_completion_status": {"count": 0, "completed_count": 0}, "blocking_issues_count": 0,
            "has_tasks": True, "task_status": "0 of 0 checklist items completed",
            "_links": {
                "self": f"{api}/issues/{issue.iid}", "notes": f"{api}/issues/{issue.iid}/notes",
                "award_emoji": f"{api}/issues/{issue.iid}/award_emoji", "project": api, "closed_as_duplicate_of": None,
            },
            "references": {"short": short, "relative": short, "full": f"{issue.project.path}{short}"},
            "severity": "UNKNOWN", "subscribed": False, "moved_to_id": issue.moved_to, "imported": False,
            "service_desk_reply_to": None,
        }  # fmt: skip

    def note(self, issue: Issue, note: Note) -> Json:
        return {
            "id": note.id, "type": None, "body": note.body, "author": self.user(note.author),
            "created_at": stamp(note.created), "updated_at": stamp(note.updated), "system": note.is_system,
            "noteable_id": issue.id, "noteable_type": "Issue", "project_id": issue.project.id,
            "resolvable": False, "confidential": note.is_internal, "internal": note.is_internal, "imported": False,
            "noteable_iid": issue.iid, "commands_changes": {},
        }  # fmt: skip
