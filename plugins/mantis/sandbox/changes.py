"""What happens to issues, and who is told of it. Knows nothing of HTTP.

Sources: recorded exchanges create.*, patch.*, note.*, file.*, tag.*, get.history.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from plugins.mantis.sandbox import checks
from plugins.mantis.sandbox.edits import VERSION_LABELS, Edits, time_of
from plugins.mantis.sandbox.errors import CrashError, MantisError, denied, empty
from plugins.mantis.sandbox.shapes import enum
from plugins.mantis.sandbox.state import (
    ASSIGNED,
    DEVELOPER,
    NEW,
    PUBLIC,
    REPORTER,
    RESOLVED,
    Issue,
    Note,
    Project,
    Store,
    User,
)

Tell = Callable[[str, Issue, User, Note | None], None]
"""Told of each event: its name, the issue, who did it, and the note where it is about one."""
USUAL = {"status": NEW, "resolution": 10, "view_state": PUBLIC, "priority": 30, "severity": 50, "reproducibility": 70}
TEXTS = ("summary", "description", "steps_to_reproduce", "additional_information", "platform", "os", "os_build")


class Changes:
    """Changes to one site. `keep` is what the database makes of a text."""

    def __init__(self, store: Store, keep: Callable[[str], str], tell: Tell, is_new: Callable[[], bool]) -> None:
        self._store, self._keep, self._tell, self._is_new = store, keep, tell, is_new
        self._edits = Edits(store, keep)

    # issues

    def create(self, user: User, body: Mapping[str, Any]) -> Issue:
        """A new issue. Files come after it is there, so that a bad one leaves it behind without."""
        project = self._new_issue_allowed(user, body)
        if "view_state" in body and checks.number_of("view_state", body["view_state"]) not in (PUBLIC, 50):
            raise CrashError
        reporter = checks.find_user(self._store, body.get("reporter")) or user
        handler = checks.handler_of(self._store, project, body.get("handler"))
        if handler is not None and self._store.level(user, project) < DEVELOPER:
            raise denied("User not allowed to assign issues")
        category = checks.category_of(self._store, project, body.get("category"))
        custom = checks.custom_values(self._store, project, user, body.get("custom_fields"))
        self._look_at_file_names(body.get("files"))
        self._summary_fits(str(body["summary"]))
        tags = checks.tag_numbers(self._store, body.get("tags"))
        now = self._store.now()
        issue = Issue(
            id=self._store.new_id("issue"),
            project=project,
            category=category,
            reporter=reporter,
            created=now,
            updated=now,
            texts={name: self._keep(str(body[name])) for name in TEXTS if body.get(name)},
            numbers={k: checks.number_of(k, body[k]) if k in body else v for k, v in USUAL.items()},
            custom=custom,
        )
        for name in VERSION_LABELS:
            if version := checks.version_of(project, body.get(name)):
                issue.versions[name] = version
        if body.get("due_date"):
            issue.due = time_of(body["due_date"])
        self._store.issues[issue.id] = issue
        self._edits.log(issue, user, type={"id": 1, "name": "issue-new"}, message="New Issue")
        self._first_handler(issue, user, handler)
        for number in tags:
            self._edits.tag(issue, user, number)
        for file in body.get("files") or ():
            self._edits.file(issue, user, file, issue.files)
        self._edits.notify(*issue.texts.values())
        self._tell("EVENT_REPORT_BUG", issue, user, None)
        return issue

    def _new_issue_allowed(self, user: User, body: Mapping[str, Any]) -> Project:
        for name in ("summary", "description"):
            if not str(body.get(name) or "").strip():
                raise empty(f"{name.capitalize()} not specified", name)
        named = body.get("project") or {}
        project = next(
            (
                p
                for p in self._store.projects.values()
                if str(p.id) == str(named.get("id")) or p.name == named.get("name")
            ),
            None,
        )
        if project is None:
            raise empty("Project not specified", "project")
        if self._store.level(user, project) < REPORTER:
            raise denied("User does not have access right to report issues")
        checks.long_enough(str(body["description"]), "description")
        if self._is_new() and "\n" in str(body["summary"]):
            message = 'Field "summary" cannot contain line breaks.'
            raise MantisError(400, message, 29, 'Invalid value for "Summary"')
        return project

    def _first_handler(self, issue: Issue, user: User, handler: User | None) -> None:
        if handler is None and issue.numbers["status"] >= RESOLVED:
            handler = user
        if handler is None:
            return
        if issue.numbers["status"] == NEW:
            self._edits.number(issue, user, "status", ASSIGNED)
        self._edits.handler(issue, user, handler)

    def patch(self, user: User, issue: Issue, body: Mapping[str, Any]) -> None:
        """Whatever keys it knows, whole; the workflow is not looked at. Nothing is written when one is bad."""
        written = self._texts_of_patch(body)
        project = issue.project
        category = checks.category_of(self._store, project, body["category"]) if "category" in body else issue.category
        custom = checks.custom_values(self._store, project, user, body.get("custom_fields"))
        handler = checks.handler_of(self._store, project, body.get("handler")) if "handler" in body else issue.handler
        tags = checks.tag_numbers(self._store, body["tags"]) if "tags" in body else sorted(issue.tags)
        for name, text in written.items():
            self._edits.text(issue, user, name, text)
        for kind in USUAL:
            if kind in body:
                self._edits.number(issue, user, kind, checks.number_of(kind, body[kind]))
        if handler is not issue.handler:
            self._edits.handler(issue, user, handler)
        if category is not issue.category:
            self._edits.field(issue, user, "category", "Category", issue.category.name, category.name)
            issue.category = category
        self._edits.versions(issue, user, body)
        self._edits.tags(issue, user, set(tags))
        self._edits.custom(issue, user, custom)
        if "due_date" in body:
            self._edits.due(issue, user, body["due_date"])
        for note in body.get("notes") or ():
            self._note_of_patch(issue, user, note)
        issue.updated = self._store.now()
        self._tell("EVENT_UPDATE_BUG", issue, user, None)

    def _texts_of_patch(self, body: Mapping[str, Any]) -> dict[str, str]:
        for name in ("summary", "description"):
            if name in body and not str(body[name] or "").strip():
                raise MantisError(400, f"Mandatory field '{name}' is missing.")
        if "summary" in body:
            self._summary_fits(str(body["summary"]))
        if "description" in body:
            checks.long_enough(str(body["description"]), "description")
        return {name: self._keep(str(body[name] or "")) for name in TEXTS if name in body}

    def delete(self, user: User, issue: Issue) -> None:
        del self._store.issues[issue.id]
        self._tell("EVENT_BUG_DELETED", issue, user, None)

    # notes

    def add_note(self, user: User, issue: Issue, body: Mapping[str, Any]) -> Note:
        text = self._keep(str(body.get("text") or "")).rstrip()
        if not text.strip() and not body.get("files"):
            raise MantisError(
                400, "Issue note not specified.", 11,
                'A necessary field "Note" was empty. Please recheck your inputs.',
            )  # fmt: skip
        checks.long_enough(text, "note")
        view_state = PUBLIC
        if "view_state" in body:
            view_state = checks.number_of("view_state", body["view_state"])
            if view_state not in (PUBLIC, 50):
                # The message names the default instead of what was sent.
                raise MantisError(400, "Invalid view state id '10'.", 29, 'Invalid value for "Note View State"')
        author = checks.find_user(self._store, body.get("reporter")) or user
        contents = [(f, checks.file_content(str(f.get("name")), f.get("content"))) for f in body.get("files") or ()]
        note = self._new_note(issue, user, author, text, view_state)
        self._edits.notify(text)
        note.duration = str((body.get("time_tracking") or {}).get("duration") or "")
        for file, _ in contents:
            self._edits.file(issue, user, file, note.files)
        self._tell("EVENT_BUGNOTE_ADD", issue, user, note)
        return note

    def _new_note(self, issue: Issue, user: User, author: User, text: str, view_state: int) -> Note:
        now = self._store.now()
        note = Note(self._store.new_id("note"), author, text, view_state, now, now)
        issue.notes.append(note)
        self._edits.log(
            issue, user, type={"id": 2, "name": "note-added"}, note=note, message=f"Note Added: {note.id:07d}"
        )
        return note

    def _note_of_patch(self, issue: Issue, user: User, body: Mapping[str, Any]) -> None:
        """An edit, or a new note. Left out, the view state is public, also for a note that was private."""
        view_state = checks.number_of("view_state", body["view_state"]) if "view_state" in body else PUBLIC
        text = self._keep(str(body.get("text") or "")).rstrip()
        self._edits.notify(text)
        note = next((n for n in issue.notes if str(n.id) == str(body.get("id"))), None)
        if note is None:
            self._new_note(issue, user, user, text, view_state)
            return
        if text != note.text:
            self._edits.log(
                issue, user, type={"id": 3, "name": "note-updated"}, note=note, message=f"Note Edited: {note.id:07d}"
            )
        if view_state != note.view_state:
            shown = enum("view_state", view_state)
            message = f"Note View State: {note.id:07d}: {shown['name']}"
            kind = {"id": 11, "name": "note-view-state-updated"}
            self._edits.log(issue, user, type=kind, view_state=shown, note=note, message=message)
        note.text, note.view_state, note.updated = text, view_state, self._store.now()

    def delete_note(self, user: User, issue: Issue, note: Note) -> None:
        issue.notes.remove(note)
        self._edits.log(
            issue, user, type={"id": 4, "name": "note-deleted"}, note=note, message=f"Note Deleted: {note.id:07d}"
        )
        self._tell("EVENT_BUGNOTE_DELETED", issue, user, note)

    # files and tags

    def add_files(self, user: User, issue: Issue, files: list[Mapping[str, Any]]) -> None:
        """Nobody is told of a file without a note: MantisBT has no event for it."""
        for file in files:
            checks.file_content(str(file.get("name")), file.get("content"))
        for file in files:
            self._edits.file(issue, user, file, issue.files)

    def add_tags(self, user: User, issue: Issue, given: Any) -> None:
        for number in checks.tag_numbers(self._store, given):
            if number not in issue.tags:
                self._edits.tag(issue, user, number)
        self._tell("EVENT_TAG_ATTACHED", issue, user, None)

    def remove_tag(self, user: User, issue: Issue, number: int) -> None:
        self._edits.tags(issue, user, issue.tags - {number})
        self._tell("EVENT_TAG_DETACHED", issue, user, None)

    def _summary_fits(self, summary: str) -> None:
        if len(summary) <= checks.SUMMARY_LIMIT:
            return
        if not self._is_new():
            raise CrashError
        message = f'Field "summary" exceeds maximum length {checks.SUMMARY_LIMIT}.'
        localized = f'Maximum length for Field "Summary" is {checks.SUMMARY_LIMIT} characters.'
        raise MantisError(400, message, 28, localized)

    def _look_at_file_names(self, files: Any) -> None:
        for file in files or ():
            if file.get("name"):
                continue
            if self._is_new():
                raise MantisError(400, "File name is empty", 504, checks.NO_FILE)
            message = (
                "Unhandled deprecation warning in core/commands/IssueAddCommand.php line 350: 'strlen(): Passing null "
                "to parameter #1 ($string) of type string is deprecated'"
            )
            advice = "An error occurred during this action. You may wish to report it to your local administrator."
            raise MantisError(500, message, 0, advice)
