"""The bodies of webhooks, per flavour. Source: public captures of both (mattermost-plugin-jira's test data)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from plugins.jira.sandbox.shapes import Json, Shapes
from plugins.jira.sandbox.state import Comment, Issue, User


def bodies(
    shapes: Shapes,
    *,
    is_cloud: bool,
    event: str,
    kind: str,
    issue: Issue,
    user: User,
    items: list[Json],
    comment: Comment | None,
    change_id: str,
    at: datetime,
) -> list[Json]:
    """What one change makes the site send."""
    timestamp = int(at.timestamp() * 1000)
    if comment is not None:
        return _comment_bodies(shapes, is_cloud, event, kind, issue, user, comment, timestamp)
    body: Json = {"timestamp": timestamp, "webhookEvent": event}
    if kind:
        # Cloud calls every status change generic.
        is_move = is_cloud and kind.startswith("issue_") and any(i["field"] == "status" for i in items)
        body["issue_event_type_name"] = "issue_generic" if is_move else kind
    body |= {"user": _user(shapes, user), "issue": shapes.issue(issue)}
    if not is_cloud or event == "jira:issue_deleted":
        body["issue"] = shapes.issue(issue)
    if is_cloud:
        # Cloud's issue payloads carry no comments.
        body["issue"]["fields"].pop("comment", None)
    if items:
        body["changelog"] = {"id": change_id, "items": items}
    return [body]


def _comment_bodies(
    shapes: Shapes, is_cloud: bool, event: str, kind: str, issue: Issue, user: User, comment: Comment, timestamp: int
) -> list[Json]:
    shown = shapes.comment(issue, comment)
    if is_cloud:
        stub = shapes.issue(issue, ["summary", "issuetype", "project", "assignee", "priority", "status"])
        return [{"timestamp": timestamp, "webhookEvent": event, "comment": shown, "issue": stub}]
    short: Json = {"timestamp": timestamp, "webhookEvent": event, "comment": shown}
    if event != "comment_created":
        short["user"] = _user(shapes, user)
    full: Json = {
        "timestamp": timestamp,
        "webhookEvent": "jira:issue_updated",
        "issue_event_type_name": kind,
        "user": _user(shapes, user),
        "issue": shapes.issue(issue),
    }
    if event != "comment_deleted":
        full["comment"] = shown
    return [short, full]


def _user(shapes: Shapes, user: User) -> Any:
    return shapes.user(user)
