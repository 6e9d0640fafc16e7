"""What changes an issue, and what the site tells of it. Every rule of Jira's that refuses something is here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from plugins.jira.sandbox.errors import JiraError, no_permission
from plugins.jira.sandbox.state import (
    CUSTOM_FIELDS,
    ISSUE_TYPES,
    PRIORITIES,
    RESOLUTIONS,
    Attachment,
    Comment,
    Issue,
    Move,
    Store,
    User,
)

Json = dict[str, Any]
Tell = Callable[..., None]
"""tell(event, issue, user, items=…, comment=…, kind=…)"""

_NOT_ON_SCREEN = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."


class Changes:
    """Does changes for a user and tells of them."""

    def __init__(self, store: Store, tell: Tell) -> None:
        self._store, self._tell = store, tell

    def create(self, user: User, body: Json) -> Issue:
        _must_write(user, "create issues")
        fields = body.get("fields") or {}
        project = self._project(fields)
        errors: dict[str, str] = {}
        if project is None:
            errors["project"] = "valid project is required"
        kind = (fields.get("issuetype") or {}).get("name")
        if kind not in ISSUE_TYPES:
            errors["issuetype"] = "The issue type selected is invalid."
        if not str(fields.get("summary") or "").strip():
            errors["summary"] = "You must specify a summary of the issue."
        errors |= {n: f"{CUSTOM_FIELDS[n][0]} is required." for n in self._store.required if not fields.get(n)}
        values = self._checked({k: v for k, v in fields.items() if k not in ("project", "issuetype")}, errors)
        if errors or project is None:
            raise JiraError(400, fields=errors)
        now = self._store.clock()
        issue = Issue(
            id=self._store.new_id(),
            key=f"{project.key}-{next(project.numbers)}",
            project=project,
            fields={
                "summary": "", "description": None, "priority": "Medium", "labels": set(), "assignee": None,
                "resolution": None, "issuetype": kind, "status": project.initial, **values,
            },
            reporter=user,
            created=now,
            updated=now,
            properties={p["key"]: p["value"] for p in body.get("properties") or ()},
        )  # fmt: skip
        self._store.issues[issue.id] = issue
        items = [_item("summary", None, issue.fields["summary"]), _item("Status", None, project.initial)]
        self._tell("jira:issue_created", issue, user, items=items, kind="issue_created")
        return issue

    def edit(self, user: User, issue: Issue, body: Json) -> None:
        _must_write(user, "edit issues")
        errors: dict[str, str] = {}
        values = self._checked(body.get("fields") or {}, errors)
        for name, verbs in (body.get("update") or {}).items():
            if name != "labels":
                errors[name] = _NOT_ON_SCREEN.format(name)
                continue
            values["labels"] = _labels(set(values.get("labels", issue.fields["labels"])), verbs, errors)
        if errors:
            raise JiraError(400, fields=errors)
        items = [
            _item(name, issue.fields.get(name), value)
            for name, value in values.items()
            if issue.fields.get(name) != value
        ]
        if items:
            issue.fields.update(values)
            self._touch(issue, user, items)
            kind = "issue_assigned" if [i["field"] for i in items] == ["assignee"] else "issue_updated"
            self._tell("jira:issue_updated", issue, user, items=items, kind=kind)

    def available(self, user: User, issue: Issue) -> list[Move]:
        """The transitions that lead away from where the issue stands, for this user."""
        if not user.may_write:
            return []
        here = issue.fields["status"]
        return [m for m in issue.project.moves if m.sources is None or here in m.sources]

    def transition(self, user: User, issue: Issue, body: Json) -> None:
        wanted = str((body.get("transition") or {}).get("id", ""))
        move = next((m for m in self.available(user, issue) if m.id == wanted), None)
        if move is None:
            raise JiraError(
                400,
                f"It seems that you have tried to perform a workflow operation (transition {wanted}) that is not valid "
                "for the current state of this issue.",
            )
        given = body.get("fields") or {}
        resolution = (given.get("resolution") or {}).get("name")
        if (given.get("resolution") or {}).get("id"):
            resolution = RESOLUTIONS[int(given["resolution"]["id"]) - 1]
        if move.asks_resolution and resolution not in RESOLUTIONS:
            raise JiraError(400, fields={"resolution": "Resolution is required."})
        if not move.asks_resolution and given:
            raise JiraError(400, fields={name: _NOT_ON_SCREEN.format(name) for name in given})
        items = [_item("status", issue.fields["status"], move.to)]
        after = resolution if move.asks_resolution else None
        if issue.fields["resolution"] != after:
            items.insert(0, _item("resolution", issue.fields["resolution"], after))
        kinds = {
            "In Progress": "issue_work_started",
            "Done": "issue_resolved",
            "Won't Do": "issue_closed",
            "Reopened": "issue_reopened",
        }
        issue.fields.update(status=move.to, resolution=after)
        self._touch(issue, user, items)
        self._tell("jira:issue_updated", issue, user, items=items, kind=kinds.get(move.to, "issue_generic"))

    def add_comment(self, user: User, issue: Issue, body: Json, text: str) -> Comment:
        _must_write(user, "comment")
        if not text.strip():
            raise JiraError(400, fields={"comment": "Comment body can not be empty!"})
        now = self._store.clock()
        comment = Comment(
            self._store.new_id(), user, text, now, now, user, _visibility(body),
            {p["key"]: p["value"] for p in body.get("properties") or ()},
        )  # fmt: skip
        issue.comments.append(comment)
        issue.updated = now
        self._tell("comment_created", issue, user, comment=comment, kind="issue_commented")
        return comment

    def edit_comment(self, user: User, issue: Issue, comment: Comment, body: Json, text: str) -> None:
        _must_write(user, "edit comments")
        if not text.strip():
            raise JiraError(400, fields={"comment": "Comment body can not be empty!"})
        # An edit without a visibility takes the restriction off: that is how the real one behaves.
        comment.body, comment.visibility, comment.update_author = text, _visibility(body), user
        comment.updated = issue.updated = self._store.clock()
        comment.properties.update({p["key"]: p["value"] for p in body.get("properties") or ()})
        self._tell("comment_updated", issue, user, comment=comment, kind="issue_comment_edited")

    def delete_comment(self, user: User, issue: Issue, comment: Comment) -> None:
        _must_write(user, "delete comments")
        issue.comments.remove(comment)
        issue.updated = self._store.clock()
        self._tell("comment_deleted", issue, user, comment=comment, kind="issue_comment_deleted")

    def attach(self, user: User, issue: Issue, name: str, content: bytes, mime: str) -> Attachment:
        _must_write(user, "attach files")
        now = self._store.clock()
        attachment = Attachment(self._store.new_id(), name, content, mime, user, now)
        issue.attachments.append(attachment)
        items = [_item("Attachment", None, name)]
        self._touch(issue, user, items)
        self._tell("jira:issue_updated", issue, user, items=items, kind="issue_updated")
        return attachment

    def delete(self, user: User, issue: Issue) -> None:
        _must_write(user, "delete issues")
        del self._store.issues[issue.id]
        self._tell("jira:issue_deleted", issue, user, kind="")

    def move(self, user: User, issue: Issue, project_key: str) -> None:
        """To another project: the key changes, the id stays."""
        project = self._store.projects[project_key]
        items = [_item("project", issue.project.key, project.key)]
        issue.old_keys.append(issue.key)
        issue.project, issue.key = project, f"{project.key}-{next(project.numbers)}"
        self._touch(issue, user, items)
        self._tell("jira:issue_updated", issue, user, items=items, kind="issue_moved")

    def _touch(self, issue: Issue, user: User, items: list[Json]) -> None:
        issue.updated = self._store.clock()
        issue.changelog.append({"id": self._store.new_id(), "author": user, "created": issue.updated, "items": items})

    def _project(self, fields: Mapping[str, Any]) -> Any:
        given = fields.get("project") or {}
        by_id = next((p for p in self._store.projects.values() if p.id == given.get("id")), None)
        return self._store.projects.get(str(given.get("key"))) or by_id

    def _checked(self, fields: Mapping[str, Any], errors: dict[str, str]) -> Json:
        values: Json = {}
        for name, value in fields.items():
            match name:
                case "summary":
                    if len(str(value)) > 255:
                        errors[name] = "Summary must be less than 255 characters."
                    elif "\n" in str(value):
                        errors[name] = "The summary is invalid because it contains newline characters."
                    values[name] = value
                case "description":
                    values[name] = value or None
                    if value is not None and not isinstance(value, str):
                        errors[name] = "Operation value must be a string"
                case "priority":
                    values[name] = (value or {}).get("name")
                    if values[name] not in PRIORITIES:
                        errors[name] = "The priority selected is invalid."
                case "labels":
                    values[name] = _labels(set(), [{"add": label} for label in value or ()], errors)
                case "assignee":
                    account = (value or {}).get("accountId") or (value or {}).get("name")
                    values[name] = self._store.find_user(account) if account else None
                    if account and values[name] is None:
                        errors[name] = f"User '{account}' does not exist."
                case "issuetype":
                    values[name] = (value or {}).get("name")
                    if values[name] not in ISSUE_TYPES:
                        errors[name] = "The issue type selected is invalid."
                case _ if name in CUSTOM_FIELDS:
                    values[name] = _custom(name, value, errors)
                case _:
                    errors[name] = _NOT_ON_SCREEN.format(name)
        return values


def _custom(name: str, value: Any, errors: dict[str, str]) -> Any:
    _, kind, allowed = CUSTOM_FIELDS[name]
    given = value if isinstance(value, list) else [value]
    if value is None:
        return None
    if kind in ("option", "array"):
        for one in given:
            if not isinstance(one, dict) or one.get("value") not in allowed:
                errors[name] = f"Option value '{one.get('value') if isinstance(one, dict) else one}' is not valid"
        shaped = [{"value": one.get("value"), "id": "1"} for one in given if isinstance(one, dict)]
        return shaped if kind == "array" else next(iter(shaped), None)
    if kind == "number" and not isinstance(value, int | float):
        errors[name] = "Operation value must be a number"
    if kind == "string" and not isinstance(value, str):
        errors[name] = "Operation value must be a string"
    return value


def _labels(labels: set[str], verbs: Iterable[Json], errors: dict[str, str]) -> set[str]:
    for verb in verbs:
        for action, label in verb.items():
            if action == "set":
                labels = set(label)
            elif " " in str(label):
                errors["labels"] = f"The label '{label}' contains spaces which is invalid."
            elif action == "add":
                labels.add(label)
            elif action == "remove":
                labels.discard(label)
    return labels


def _visibility(body: Json) -> dict[str, str] | None:
    given = body.get("visibility")
    if not given:
        return None
    if given.get("type") not in ("role", "group") or not (given.get("value") or given.get("identifier")):
        raise JiraError(400, fields={"commentLevel": "Role or group of the visibility does not exist."})
    return {"type": given["type"], "value": given.get("value") or given["identifier"]}


def _must_write(user: User, what: str) -> None:
    if not user.may_write:
        raise no_permission(what)


def _item(name: str, before: Any, after: Any) -> Json:
    return {
        "field": name,
        "fieldtype": "custom" if name.startswith("customfield_") else "jira",
        "fieldId": name.lower() if name == "Status" else name,
        "from": None,
        "fromString": _text(before),
        "to": None,
        "toString": _text(after),
    }


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, User):
        return value.name
    if isinstance(value, set):
        return " ".join(sorted(value))
    return str(value)
