"""GitLab's webhook bodies -> hints.

What is confidential comes as an event of its own (`confidential_issue`, `confidential_note`) with the same body. Old
servers tell neither the user's number nor an action. Source: docs.gitlab.com, "Webhook events"; public captures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hub.connector import Hint, Ignored, WebhookRequest
from hub.ticket import Value
from plugins.gitlab.labels import CLOSED, OPENED
from plugins.gitlab.mapping import Maps, label_names, utc

SHOWN = {
    "title", "labels", "state_id", "state", "closed_at", "updated_at", "updated_by_id", "last_edited_at",
    "last_edited_by_id", "relative_position",
}  # fmt: skip
"""Changes that are nothing, or whose new value stands in the payload in a form that the hub knows."""
WITH_FILES = {"description"}
STATE_IDS = {1: OPENED, 2: CLOSED}
ISSUES = {"issue", "work_item"}
ISSUE_TYPES = {"Issue", "Incident", "Task", "Ticket", "Test Case"}


class Project(Maps, Protocol):
    """What parsing needs of the connector."""

    def is_own_project(self, number: object, path: str) -> bool:
        """Whether a project in a payload is the configured one."""


def parse(request: WebhookRequest, project: Project) -> Sequence[Hint] | Ignored:
    """Which issue a body speaks of. Raises ValueError for what is none of GitLab's."""
    body = request.json()
    if not isinstance(body, dict) or not isinstance(body.get("object_kind") or body.get("event_name"), str):
        raise ValueError("the body has no object_kind; only GitLab's own webhooks are understood")
    kind = str(body.get("object_kind") or body["event_name"])
    named = request.headers.get("x-gitlab-event", kind)
    if kind not in ISSUES | {"note"}:
        return Ignored(f"{named} is about no issue")
    about = body.get("project") or {}
    number, path = about.get("id", body.get("project_id")), str(about.get("path_with_namespace") or "")
    if not project.is_own_project(number, path):
        return Ignored(f"{named} is about the project {path or number}, which is not this tracker's")
    attributes = body.get("object_attributes")
    if not isinstance(attributes, dict):
        raise ValueError(f"{named} holds no object_attributes")
    if kind == "note":
        return _note(body, attributes, named)
    if attributes.get("type") not in ISSUE_TYPES | {None}:
        return Ignored(f"{named} is about a {attributes['type']}, which is no issue")
    return [_issue(body, attributes, project)]


def _note(body: Mapping[str, Any], note: Mapping[str, Any], named: str) -> Sequence[Hint] | Ignored:
    if note.get("system"):
        return Ignored("a system note says what an event of the issue says too")
    issue = body.get("issue")
    if note.get("noteable_type") not in ("Issue", "WorkItem") or not isinstance(issue, dict):
        return Ignored(f"{named} is about a {note.get('noteable_type')}, which is no issue")
    is_new = note["action"] == "create" if note.get("action") else note.get("created_at") == note.get("updated_at")
    return [
        Hint(
            ticket_id=_number(issue, named),
            event=str(body.get("event_type") or "note"),
            at=utc(note.get("updated_at")),
            actor_id=_actor(body, note.get("author_id") if is_new else note.get("updated_by_id")),
            comment_id=str(note["id"]) if note.get("id") is not None else None,
            # An edit shows the same number as the creation, so only the creation shows everything.
            is_partial=not is_new,
        )
    ]


def _issue(body: Mapping[str, Any], issue: Mapping[str, Any], project: Project) -> Hint:
    changed = set(body.get("changes") or ())
    action = str(issue.get("action") or "")
    is_new = action == "open"
    return Hint(
        ticket_id=_number(issue, "the event"),
        event=f"{body.get('event_type') or 'issue'}:{action or 'told'}",
        at=utc(issue.get("updated_at")),
        actor_id=_actor(body, issue.get("author_id") if is_new else issue.get("updated_by_id")),
        values=_values(body, issue, project),
        changed={} if is_new else _changed(body, issue, project),
        is_partial=not (is_new or (changed and changed <= SHOWN - _unshown(project))),
        touches_comments=is_new or not changed or bool(changed & WITH_FILES),
    )


def _values(body: Mapping[str, Any], issue: Mapping[str, Any], maps: Maps) -> dict[str, Value | frozenset[str]]:
    values: dict[str, Value | frozenset[str]] = {}
    if isinstance(issue.get("title"), str):
        values["title"] = " ".join(issue["title"].split())
    shown = body if isinstance(body.get("labels"), list) else issue
    if not isinstance(shown.get("labels"), list):
        return values
    labels = label_names(shown)
    values |= _meanings(_state(issue), labels, is_moved=bool(issue.get("moved_to_id")), maps=maps)
    values["labels"] = frozenset(label for label in labels if not maps.families.are_special(label))
    return values


def _meanings(state: str | None, labels: Sequence[str], *, is_moved: bool, maps: Maps) -> dict[str, Value]:
    """Status and priority as far as they have a meaning."""
    families = maps.families
    found: dict[str, Value] = {"priority": maps.priorities.to_neutral(families.priority_word(labels))}
    if state is not None:
        found["status"] = maps.statuses.to_neutral(families.status_word(state, labels, is_moved=is_moved))
    return {name: value for name, value in found.items() if value != "unknown"}


def _changed(body: Mapping[str, Any], issue: Mapping[str, Any], maps: Maps) -> dict[str, tuple[Value, Value]]:
    """What title, status and priority were and became; the latter two also stand in labels."""
    changes = body.get("changes") or {}
    found: dict[str, tuple[Value, Value]] = {}
    title = changes.get("title") or {}
    if isinstance(title.get("previous"), str) and isinstance(title.get("current"), str):
        found["title"] = (" ".join(title["previous"].split()), " ".join(title["current"].split()))
    shown = body if isinstance(body.get("labels"), list) else issue
    if not isinstance(shown.get("labels"), list) or not changes.keys() & {"labels", "state", "state_id"}:
        return found
    before, after = (
        _meanings(
            _state_then(changes, side, issue),
            label_names({"labels": changes["labels"].get(side) or () if "labels" in changes else shown["labels"]}),
            is_moved=bool(issue.get("moved_to_id")),
            maps=maps,
        )
        for side in ("previous", "current")
    )
    differing = [name for name in before.keys() & after.keys() if before[name] != after[name]]
    return found | {name: (before[name], after[name]) for name in differing}


def _state(issue: Mapping[str, Any]) -> str | None:
    return issue.get("state") or STATE_IDS.get(issue.get("state_id") or 0)


def _state_then(changes: Mapping[str, Any], side: str, issue: Mapping[str, Any]) -> str | None:
    if "state" in changes:
        found: str | None = changes["state"].get(side)
        return found
    if "state_id" in changes:
        return STATE_IDS.get(changes["state_id"].get(side) or 0)
    return _state(issue)


def _unshown(maps: Maps) -> set[str]:
    """Changes whose values are not among those that `_values` gives: labels also hold the configured fields."""
    return {"labels"} if maps.families.fields else set()


def _number(issue: Mapping[str, Any], named: str) -> str:
    if issue.get("iid") is None:
        raise ValueError(f"{named} does not say which issue it is about")
    return str(issue["iid"])


def _actor(body: Mapping[str, Any], otherwise: object) -> str | None:
    found = (body.get("user") or {}).get("id", otherwise)
    return None if found is None else str(found)
