"""Every effect on issues and notes, with what GitLab does by itself: system notes, references, mentions, webhooks.

Sources: docs.gitlab.com, "Issues API", "Notes API", "Labels"; what is said there about permissions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from plugins.gitlab.sandbox import commands
from plugins.gitlab.sandbox.events import issue_body, label_objects, note_body, stamp
from plugins.gitlab.sandbox.shapes import Json
from plugins.gitlab.sandbox.state import (
    REPORTER,
    GitlabError,
    Issue,
    Note,
    Project,
    Store,
    Upload,
    User,
    bad,
    forbidden,
)

TITLE_LIMIT, NOTE_LIMIT, DESCRIPTION_LIMIT = 255, 1_000_000, 1_048_576
TYPES = ("issue", "incident", "test_case", "task")


class Site(Protocol):
    """What effects need of the sandbox."""

    store: Store
    settings: dict[str, float]

    @property
    def url(self) -> str: ...
    def tell(self, project: Project, hook: str, body: Json) -> None:
        """Sends a body to every webhook that wants events of this hook."""


class Changes:
    """Changes what the store holds, as one user at a time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._store = site.store

    def create(self, user: User, project: Project, body: Mapping[str, Any]) -> Issue:
        """A new issue. Labels, assignees and confidentiality are kept from who is no Reporter, silently."""
        if "title" not in body:
            raise bad("title is missing")
        now = self._store.now()
        issue = Issue(
            self._store.new_id(), 0, project, user, _title(body["title"]), "", now, now, _type(body),
            is_confidential=_flag(body.get("confidential")),
        )  # fmt: skip
        description, found = commands.extract(_description(body))
        issue.description = description
        if project.level(user) >= REPORTER:
            issue.labels = self._labels(project, _listed(body.get("labels")))
            issue.assignees = self._members(project, body.get("assignee_ids"))
        issue.iid = next(project.iids)
        project.issues[issue.iid] = issue
        self._run(user, issue, found)
        self._read_text(user, issue, f"{issue.title}\n\n{description}")
        self._tell_issue(issue, user, "open", {})
        return issue

    def update(self, user: User, issue: Issue, body: Mapping[str, Any]) -> Issue:
        """Changes of single fields. Nothing at all to change is an error of its own."""
        if user is not issue.author and issue.project.level(user) < REPORTER:
            raise forbidden()
        known = {
            "title", "description", "labels", "add_labels", "remove_labels", "state_event", "assignee_ids",
            "confidential", "issue_type", "due_date", "discussion_locked", "milestone_id", "weight",
        }  # fmt: skip
        if not known & set(body):
            raise bad(f"{', '.join(sorted(known))} are missing, at least one parameter must be provided")
        if body.get("state_event", "close") not in ("close", "reopen"):
            raise bad("state_event does not have a valid value")
        before = self._facts(issue)
        found: list[tuple[str, str]] = []
        if "title" in body:
            issue.title = _title(body["title"])
        if "description" in body:
            issue.description, found = commands.extract(_description(body))
        if "issue_type" in body:
            issue.type = _type(body)
        if "confidential" in body:
            issue.is_confidential = _flag(body["confidential"])
        if "assignee_ids" in body:
            issue.assignees = self._members(issue.project, body["assignee_ids"])
        if "labels" in body:
            issue.labels = self._labels(issue.project, _listed(body["labels"]))
        self._change_labels(issue, _listed(body.get("add_labels")), _listed(body.get("remove_labels")))
        self._change_state(user, issue, str(body.get("state_event") or ""))
        self._run(user, issue, found)
        if "title" in body or "description" in body:
            self._read_text(user, issue, f"{body.get('title', '')}\n\n{body.get('description', '')}")
        self._finish(user, issue, before)
        return issue

    def delete(self, issue: Issue) -> None:
        """No webhook tells of it."""
        del issue.project.issues[issue.iid]
        self._store.deleted.append(issue.id)

    def move(self, user: User, issue: Issue, to: Project) -> Issue:
        """A copy in the other project; the old issue is closed and says where it went."""
        now = self._store.now()
        new = Issue(self._store.new_id(), next(to.iids), to, issue.author, issue.title, issue.description, now, now)
        to.issues[new.iid] = new
        before = self._facts(issue)
        issue.moved_to = new.id
        self._change_state(user, issue, "close")
        self._finish(user, issue, before)
        return new

    def add_note(self, user: User, issue: Issue, body: Mapping[str, Any]) -> Note | Json:
        """A note; or, when its text held nothing but commands, what they did."""
        if "body" not in body:
            raise bad("body is missing")
        text = str(body["body"])
        if len(text) > NOTE_LIMIT:
            raise GitlabError(400, {"message": {"note": [f"is too long (maximum is {NOTE_LIMIT} characters)"]}})
        internal = _flag(body.get("internal", body.get("confidential")))
        if internal and issue.project.level(user) < REPORTER:
            raise forbidden()
        kept, found = commands.extract(text)
        if found:
            before = self._facts(issue)
            self._run(user, issue, found)
            self._finish(user, issue, before)
            if not kept:
                return {"commands_changes": dict(found), "summary": ["Done."]}
        if not kept.strip():
            raise GitlabError(400, {"message": '400 Bad request - Note {:note=>["can\'t be blank"]}'})
        now = self._store.now()
        note = Note(self._store.new_id(), user, kept, now, now, is_internal=internal and not self._lacks_internal)
        issue.notes.append(note)
        issue.updated = now
        self._read_text(user, issue, kept)
        self._tell_note(issue, note, user, "create")
        return note

    def edit_note(self, user: User, issue: Issue, note: Note, body: Mapping[str, Any]) -> Note:
        """Only the text can change; commands in it do not run again."""
        if user is not note.author or note.is_system:
            raise forbidden()
        if "body" not in body:
            raise bad("body is missing")
        note.body, note.updated = str(body["body"]), self._store.now()
        issue.updated = note.updated
        self._tell_note(issue, note, user, "update")
        return note

    def delete_note(self, user: User, issue: Issue, note: Note) -> None:
        """No webhook tells of it, and the issue's time of change stays."""
        if user is not note.author:
            raise forbidden()
        issue.notes.remove(note)

    def upload(self, project: Project, upload: Upload) -> None:
        project.uploads[upload.secret, upload.name] = upload

    def system_note(self, user: User, issue: Issue, text: str) -> None:
        """What GitLab notes by itself; webhooks tell of it too."""
        now = self._store.now()
        note = Note(self._store.new_id(), user, text, now, now, is_system=True)
        issue.notes.append(note)
        self._tell_note(issue, note, user, "create")

    @property
    def _lacks_internal(self) -> bool:
        return not self._site.settings["internal_notes"]

    def _labels(self, project: Project, names: Iterable[str]) -> list[str]:
        """Labels that do not exist are made without asking. Of one scope the paid tiers keep only the last."""
        kept: list[str] = []
        for name in names:
            project.labels.setdefault(name, self._store.new_id())
            scope = name.rpartition("::")[0]
            if scope and self._site.settings["scoped_labels"]:
                kept = [other for other in kept if other.rpartition("::")[0] != scope]
            if name not in kept:
                kept.append(name)
        return kept

    def _change_labels(self, issue: Issue, add: list[str], remove: list[str]) -> None:
        kept = [name for name in issue.labels if name not in remove]
        issue.labels = self._labels(issue.project, [*kept, *(name for name in add if name not in kept)])

    def _members(self, project: Project, ids: Any) -> list[User]:
        """Of several assignees the free tier keeps one; who is no member is left out silently."""
        wanted = [int(one) for one in ids or () if one]
        return [u for u in self._store.users.values() if u.id in wanted and u.id in project.members][:1]

    def _change_state(self, user: User, issue: Issue, event: str) -> None:
        if event == "close" and issue.state == "opened":
            issue.state, issue.closed, issue.closed_by = "closed", self._store.now(), user
            self.system_note(user, issue, "closed")
        elif event == "reopen" and issue.state == "closed":
            issue.state, issue.closed, issue.closed_by = "opened", None, None
            self.system_note(user, issue, "reopened")

    def _run(self, user: User, issue: Issue, found: Iterable[tuple[str, str]]) -> None:
        for name, argument in found:
            match name:
                case "close" | "reopen":
                    self._change_state(user, issue, name)
                case "label":
                    self._change_labels(issue, commands.labels_in(argument), [])
                case "unlabel":
                    self._change_labels(issue, [], commands.labels_in(argument) or list(issue.labels))
                case "confidential":
                    issue.is_confidential = True
                case "title":
                    issue.title = argument
                case "assign":
                    issue.assignees = [u for u in self._store.users.values() if f"@{u.username}" in argument]

    def _read_text(self, user: User, issue: Issue, text: str) -> None:
        self._store.notified += commands.mentions(text)
        for number in commands.references(text):
            other = issue.project.issues.get(number)
            if other is not None and other is not issue:
                self.system_note(user, other, f"mentioned in issue #{issue.iid}")

    def _facts(self, issue: Issue) -> Json:
        return {
            "title": issue.title,
            "description": issue.description,
            "labels": label_objects(issue.project, issue.labels),
            "confidential": issue.is_confidential,
            "assignees": [{"id": u.id, "username": u.username} for u in issue.assignees],
            "state_id": {"opened": 1, "closed": 2}[issue.state],
            "type": issue.type,
        }

    def _finish(self, user: User, issue: Issue, before: Json) -> None:
        after = self._facts(issue)
        changes: Json = {k: {"previous": before[k], "current": after[k]} for k in before if before[k] != after[k]}
        old: datetime = issue.updated
        if not changes:
            return
        issue.updated, issue.updated_by = self._store.now(), user
        changes["updated_at"] = {"previous": stamp(old), "current": stamp(issue.updated)}
        action = "update"
        if "state_id" in changes:
            action = "close" if issue.state == "closed" else "reopen"
        self._tell_issue(issue, user, action, changes)

    def _tell_issue(self, issue: Issue, user: User, action: str, changes: Json) -> None:
        hook = "Confidential Issue Hook" if issue.is_confidential else "Issue Hook"
        self._site.tell(issue.project, hook, issue_body(self._site.url, issue, user, action, changes))

    def _tell_note(self, issue: Issue, note: Note, user: User, action: str) -> None:
        body = note_body(self._site.url, issue, note, user, action)
        hook = "Confidential Note Hook" if body["event_type"] == "confidential_note" else "Note Hook"
        self._site.tell(issue.project, hook, body)


def _title(value: Any) -> str:
    title = str(value or "").strip()
    if not title:
        raise GitlabError(400, {"message": {"title": ["can't be blank"]}})
    if len(title) > TITLE_LIMIT:
        raise GitlabError(400, {"message": {"title": [f"is too long (maximum is {TITLE_LIMIT} characters)"]}})
    return title


def _description(body: Mapping[str, Any]) -> str:
    text = str(body.get("description") or "")
    if len(text) > DESCRIPTION_LIMIT:
        why = f"is too long (maximum is {DESCRIPTION_LIMIT} characters)"
        raise GitlabError(400, {"message": {"description": [why]}})
    return text


def _type(body: Mapping[str, Any]) -> str:
    type_ = str(body.get("issue_type", "issue"))
    if type_ not in TYPES:
        raise bad("issue_type does not have a valid value")
    return type_


def _listed(value: Any) -> list[str]:
    """Labels as a list or with commas between them; a comma divides in both."""
    texts = value.split(",") if isinstance(value, str) else [p for one in value or () for p in str(one).split(",")]
    return [text.strip() for text in texts if text.strip()]


def _flag(value: Any) -> bool:
    return value if isinstance(value, bool) else str(value).lower() in ("true", "1")
