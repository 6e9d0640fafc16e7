"""What the routes have in common: who calls, what was sent, and what it speaks of."""

from __future__ import annotations

from typing import Any, Protocol

from flask import Blueprint, g, request

from plugins.jira.sandbox.changes import Changes
from plugins.jira.sandbox.errors import JiraError, no_issue
from plugins.jira.sandbox.shapes import Json, Shapes
from plugins.jira.sandbox.state import Comment, Issue, Project, Store, User

SYSTEM_FIELDS = {
    "summary": "string", "description": "string", "status": "status", "priority": "priority",
    "issuetype": "issuetype", "resolution": "resolution", "labels": "array", "assignee": "user", "reporter": "user",
    "project": "project", "created": "datetime", "updated": "datetime", "comment": "comments-page",
    "attachment": "array",
}  # fmt: skip


class Site(Protocol):
    """What the routes need of the sandbox."""

    store: Store
    changes: Changes
    shapes: Shapes
    is_cloud: bool
    settings: dict[str, float]
    leaked_authorizations: list[str]

    @property
    def url(self) -> str: ...
    def add_hook(self, body: Json) -> Json: ...


def me() -> User:
    """Who makes the present request."""
    user: User = g.user
    return user


def versioned(name: str) -> Blueprint:
    """A part of what stands under /rest/api/<version>; texts are in the form of the version."""
    routes = Blueprint(name, __name__)

    @routes.url_value_preprocessor
    def note_version(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        g.version = (values or {}).pop("version", "2")

    return routes


def issue_of(store: Store, text: str) -> Issue:
    """An issue by key or id."""
    issue = store.find_issue(text)
    if issue is None:
        raise no_issue()
    return issue


def project_of(store: Store, key: str) -> Project:
    """A project by key or id."""
    for project in store.projects.values():
        if key in (project.key, project.id):
            return project
    raise JiraError(404, f"No project could be found with key '{key}'.")


def must_be_admin() -> None:
    if not me().is_admin:
        raise JiraError(403, "You are not authorized to perform this operation. Administrator privileges are required.")


def may_read(comment: Comment) -> bool:
    """Restricted comments are for staff; the account that may only browse is none."""
    return comment.visibility is None or me().may_write


def json_body() -> Json:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise JiraError(400, "Unexpected character: the body is not JSON.")
    return body


def parameters() -> Json:
    """What was asked for, in the body of a POST, in the address else."""
    return json_body() if request.method == "POST" else dict(request.args)


def paging(most: int) -> tuple[int, int]:
    return int(request.args.get("startAt") or 0), min(int(request.args.get("maxResults") or most), most)


def field_meta(name: str, kind: str, required: bool, title: str = "") -> Json:
    """A field as /createmeta and /editmeta describe it."""
    return {
        "required": required, "schema": {"type": kind, "system": name}, "name": title or name.capitalize(),
        "key": name, "fieldId": name, "hasDefaultValue": False, "operations": ["set"],
    }  # fmt: skip
