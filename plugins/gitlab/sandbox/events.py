"""The bodies of webhooks. Source: docs.gitlab.com, "Webhook events"; public captures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from plugins.gitlab.sandbox.shapes import Json
from plugins.gitlab.sandbox.state import Issue, Note, Project, User

STATE_IDS = {"opened": 1, "closed": 2}


def stamp(at: datetime | None) -> str | None:
    """`2023-05-25 17:12:06 UTC`: webhooks tell whole seconds, in another form than the API."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def issue_body(url: str, issue: Issue, user: User, action: str, changes: Json) -> Json:
    """What happened to an issue: `action` is open, close, reopen or update."""
    return {
        "object_kind": "issue",
        "event_type": "confidential_issue" if issue.is_confidential else "issue",
        "user": _user(user),
        "project": _project(url, issue.project),
        "object_attributes": {**_issue(url, issue), "action": action},
        "labels": _labels(issue),
        "changes": changes,
        "repository": _repository(url, issue.project),
        **({"assignees": [_user(one) for one in issue.assignees]} if issue.assignees else {}),
    }


def note_body(url: str, issue: Issue, note: Note, user: User, action: str) -> Json:
    """A note that was written or edited."""
    return {
        "object_kind": "note",
        "event_type": "confidential_note" if note.is_internal or issue.is_confidential else "note",
        "user": _user(user),
        "project_id": issue.project.id,
        "project": _project(url, issue.project),
        "object_attributes": {
            "attachment": None, "author_id": note.author.id, "change_position": None, "commit_id": None,
            "created_at": stamp(note.created), "discussion_id": f"{note.id:040x}", "id": note.id,
            "internal": note.is_internal, "line_code": None, "note": note.body, "noteable_id": issue.id,
            "noteable_type": "Issue", "original_position": None, "position": None, "project_id": issue.project.id,
            "resolved_at": None, "resolved_by_id": None, "resolved_by_push": None, "st_diff": None,
            "system": note.is_system, "type": None, "updated_at": stamp(note.updated), "updated_by_id": None,
            "description": note.body, "url": f"{url}/{issue.project.path}/-/issues/{issue.iid}#note_{note.id}",
            "action": action,
        },
        "repository": _repository(url, issue.project),
        "issue": _issue(url, issue),
    }  # fmt: skip


def label_objects(project: Project, names: list[str]) -> list[Json]:
    """Labels as webhooks show them."""
    return [
        {
            "id": project.labels[name], "title": name, "color": "#6699cc", "project_id": project.id,
            "created_at": "2026-01-05 08:00:00 UTC", "updated_at": "2026-01-05 08:00:00 UTC", "template": False,
            "description": None, "type": "ProjectLabel", "group_id": None,
        }
        for name in sorted(names)
    ]  # fmt: skip


def _labels(issue: Issue) -> list[Json]:
    return label_objects(issue.project, issue.labels)


def _issue(url: str, issue: Issue) -> Json:
    ids = [user.id for user in issue.assignees]
    return {
        "author_id": issue.author.id, "closed_at": stamp(issue.closed), "confidential": issue.is_confidential,
        "created_at": stamp(issue.created), "description": issue.description, "discussion_locked": None,
        "due_date": None, "id": issue.id, "iid": issue.iid, "last_edited_at": None, "last_edited_by_id": None,
        "milestone_id": None, "moved_to_id": issue.moved_to, "duplicated_to_id": None,
        "project_id": issue.project.id, "relative_position": 513, "state_id": STATE_IDS[issue.state],
        "time_estimate": 0, "title": issue.title, "updated_at": stamp(issue.updated),
        "updated_by_id": issue.updated_by.id if issue.updated_by else None, "weight": None, "health_status": None,
        "type": issue.type.capitalize(), "url": f"{url}/{issue.project.path}/-/issues/{issue.iid}",
        "total_time_spent": 0, "time_change": 0, "human_total_time_spent": None, "human_time_change": None,
        "human_time_estimate": None, "assignee_ids": ids, "assignee_id": next(iter(ids), None),
        "labels": _labels(issue), "state": issue.state, "severity": "unknown",
    }  # fmt: skip


def _user(user: User) -> Json:
    return {"id": user.id, "name": user.name, "username": user.username, "avatar_url": None, "email": "[REDACTED]"}


def _project(url: str, project: Project) -> Json:
    home: Any = f"{url}/{project.path}"
    return {
        "id": project.id, "name": project.name, "description": None, "web_url": home, "avatar_url": None,
        "git_ssh_url": f"git@gitlab.example:{project.path}.git", "git_http_url": f"{home}.git",
        "namespace": project.path.partition("/")[0], "visibility_level": 0, "path_with_namespace": project.path,
        "default_branch": "main", "ci_config_path": "", "homepage": home,
        "url": f"git@gitlab.example:{project.path}.git", "ssh_url": f"git@gitlab.example:{project.path}.git",
        "http_url": f"{home}.git",
    }  # fmt: skip


def _repository(url: str, project: Project) -> Json:
    home = f"{url}/{project.path}"
    return {
        "name": project.name,
        "url": f"git@gitlab.example:{project.path}.git",
        "description": None,
        "homepage": home,
    }
