"""One change of one issue at a time, with the line that it makes in the issue's history.

Sources: recorded exchanges patch.*, file.*, tag.*, get.history.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from plugins.mantis.sandbox import checks, mentions
from plugins.mantis.sandbox.shapes import enum
from plugins.mantis.sandbox.state import File, Issue, Store, User

VERSION_LABELS = {
    "version": "Product Version", "target_version": "Target Version", "fixed_in_version": "Fixed in Version",
}  # fmt: skip
LABELS = {
    "summary": "Summary", "platform": "Platform", "os": "OS", "os_build": "OS Version", "status": "Status",
    "resolution": "Resolution", "view_state": "View Status", "priority": "Priority", "severity": "Severity",
    "reproducibility": "Reproducibility", **VERSION_LABELS,
}  # fmt: skip
LONG_TEXTS = {
    "description": (6, "issue-description-updated", "Description Updated"),
    "additional_information": (7, "issue-additional-info-updated", "Additional Information Updated"),
    "steps_to_reproduce": (8, "issue-steps-to-reproduce-updated", "Steps to Reproduce Updated"),
}


class Edits:
    """Edits of one site's issues. `keep` is what the database makes of a text."""

    def __init__(self, store: Store, keep: Callable[[str], str]) -> None:
        self._store, self._keep = store, keep

    def notify(self, *texts: str) -> None:
        """Mails those whom the texts call."""
        self._store.notified += [name for text in texts for name in mentions.names(text) if name in self._store.users]

    def text(self, issue: Issue, user: User, name: str, text: str) -> None:
        before, issue.texts[name] = issue.texts.get(name, ""), text
        if before == text:
            return
        self.notify(text)
        if name in LONG_TEXTS:
            number, kind, message = LONG_TEXTS[name]
            self.log(issue, user, type={"id": number, "name": kind}, message=message)
        else:
            self.field(issue, user, name, LABELS[name], before, text)

    def number(self, issue: Issue, user: User, kind: str, number: int) -> None:
        before, issue.numbers[kind] = issue.numbers[kind], number
        if before != number:
            old, new = enum(kind, before), enum(kind, number)
            change = f"{old['label']} => {new['label']}"
            self.field(issue, user, kind, LABELS[kind], old, new, change)

    def handler(self, issue: Issue, user: User, handler: User | None) -> None:
        before, issue.handler = issue.handler, handler
        names = f"{before.login if before else ''} => {handler.login if handler else ''}"
        self.field(issue, user, "handler", "Assigned To", before or {"id": 0}, handler or {"id": 0}, names)

    def versions(self, issue: Issue, user: User, body: Mapping[str, Any]) -> None:
        for name, label in VERSION_LABELS.items():
            version = checks.version_of(issue.project, body.get(name))
            if version is not None and version != issue.versions.get(name):
                before = issue.versions[name].name if name in issue.versions else ""
                self.field(issue, user, name, label, before, version.name)
                issue.versions[name] = version

    def custom(self, issue: Issue, user: User, values: Mapping[int, str]) -> None:
        names = {f.id: f.name for f in issue.project.fields}
        for number, value in values.items():
            before = issue.custom.get(number, "")
            issue.custom[number] = self._keep(value)
            if before != value:
                self.field(issue, user, names[number], names[number], before, value)

    def due(self, issue: Issue, user: User, given: object) -> None:
        before = str(int(issue.due.timestamp())) if issue.due else ""
        issue.due = time_of(given) if given else None
        after = str(int(issue.due.timestamp())) if issue.due else ""
        shown = issue.due.strftime("%Y-%m-%d %H:%M") if issue.due else ""
        self.field(issue, user, "due_date", "Due Date", before, after, f" => {shown}")

    def tags(self, issue: Issue, user: User, wanted: set[int]) -> None:
        for number in sorted(issue.tags - wanted):
            issue.tags.discard(number)
            tag = {"id": number, "name": self._store.tags[number]}
            message = f"Tag Detached: {tag['name']}"
            self.log(issue, user, type={"id": 26, "name": "tag-deleted"}, tag=tag, message=message)
        for number in sorted(wanted - issue.tags):
            self.tag(issue, user, number)

    def tag(self, issue: Issue, user: User, number: int) -> None:
        issue.tags.add(number)
        tag = {"id": number, "name": self._store.tags[number]}
        self.log(issue, user, type={"id": 25, "name": "tag-added"}, tag=tag, message=f"Tag Attached: {tag['name']}")

    def file(self, issue: Issue, user: User, given: Mapping[str, Any], into: list[File]) -> None:
        """A file under a name of its own: one that is taken gets a number."""
        name = self._keep(str(given["name"]))
        content = checks.file_content(name, given.get("content"))
        taken = {f.name for f in issue.files} | {f.name for note in issue.notes for f in note.files}
        stem, dot, ending = name.rpartition(".") if "." in name.rpartition("/")[2] else (name, "", "")
        number = 2
        while name in taken:
            name = f"{stem}-{number}{dot}{ending}"
            number += 1
        kind = checks.content_type(content)
        file = File(self._store.new_id("file"), name, content, kind, user, self._store.now())
        into.append(file)
        about = {"id": file.id, "filename": name}
        self.log(issue, user, type={"id": 9, "name": "file-added"}, file=about, message=f"File Added: {name}")

    def field(
        self, issue: Issue, user: User, name: str, label: str, before: object, after: object, change: str = ""
    ) -> None:
        self.log(
            issue,
            user,
            field={"name": name, "label": label},
            type={"id": 0, "name": "field-updated"},
            old_value=before,
            new_value=after,
            message=label,
            change=change or f"{before} => {after}",
        )

    def log(self, issue: Issue, user: User, **entry: Any) -> None:
        now = self._store.now()
        issue.history.append({"at": now, "user": user, **entry})
        issue.updated = now
        self._store.activity.setdefault(user.login, []).append(now)


def time_of(text: object) -> datetime:
    """A time as people write it to MantisBT, in UTC."""
    return datetime.fromisoformat(str(text)).astimezone(UTC)
