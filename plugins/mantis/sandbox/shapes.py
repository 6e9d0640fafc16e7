"""How MantisBT shows what it holds. What is empty is left out; who looks decides what is shown.

Sources: recorded exchanges get.*, note.*, files.*, project.one, me.*.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from plugins.mantis.sandbox.state import (
    ADMINISTRATOR,
    COLORS,
    DEVELOPER,
    ENUMS,
    LABELS,
    PRIVATE,
    Category,
    CustomField,
    File,
    Issue,
    Note,
    Project,
    Store,
    User,
)

Json = dict[str, Any]
LONG_TEXTS = ("steps_to_reproduce", "additional_information")
VERSIONS = ("version", "fixed_in_version", "target_version")
ENUMERATED = ("status", "resolution", "view_state", "priority", "severity", "reproducibility")
PROFILE = ("platform", "os", "os_build")


class Shapes:
    """The JSON of one site, as `viewer` sees it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def time(self, at: datetime, viewer: User) -> str:
        """In the viewer's own zone, with its offset and whole seconds."""
        return at.astimezone(ZoneInfo(viewer.time_zone)).isoformat(timespec="seconds")

    def me(self, user: User) -> Json:
        return {
            "id": user.id, "name": user.login, "real_name": user.real_name, "email": user.email,
            "language": "english", "timezone": user.time_zone, "access_level": enum("access_levels", user.level),
            "created_at": self.time(user.created, user),
            "projects": [{"id": p.id, "name": p.name} for p in self._store.visible_projects(user)],
        }  # fmt: skip

    def person(self, user: User, viewer: User) -> Json:
        """Real names and addresses only to oneself and to administrators."""
        shown: Json = {"id": user.id, "name": user.login}
        if user is viewer or viewer.level >= ADMINISTRATOR:
            shown |= {"real_name": user.real_name} if user.real_name else {}
            shown["email"] = user.email
        return shown

    def project(self, project: Project, viewer: User) -> Json:
        level = self._store.level(viewer, project)
        return {
            "id": project.id, "name": project.name, "status": {"id": 50, "name": "stable", "label": "stable"},
            "description": project.description, "enabled": True, "view_state": enum("view_state", project.view_state),
            "inherit_global": True, "access_level": enum("access_levels", level),
            "custom_fields": [_field(f) for f in project.fields if level >= f.read_level],
            "versions": [
                {"id": v.id, "name": v.name, "description": "", "released": v.released, "obsolete": v.obsolete,
                 "timestamp": self.time(viewer.created, viewer)}
                for v in project.versions
            ],
            "categories": [self._category(c) for c in self._store.categories if c.project_id in (0, project.id)],
        }  # fmt: skip

    def issue(self, issue: Issue, viewer: User) -> Json:
        texts = issue.texts
        shown: Json = {"id": issue.id, "summary": texts["summary"], "description": texts["description"]}
        shown |= {name: texts[name] for name in LONG_TEXTS if texts.get(name)}
        shown |= {
            "project": {"id": issue.project.id, "name": issue.project.name},
            "category": {"id": issue.category.id, "name": issue.category.name},
        }
        shown |= {
            name: {"id": issue.versions[name].id, "name": issue.versions[name].name}
            for name in VERSIONS
            if name in issue.versions
        }
        shown["reporter"] = self.person(issue.reporter, viewer)
        if issue.handler:
            shown["handler"] = self.person(issue.handler, viewer)
        shown |= {name: enum(name, issue.numbers[name]) for name in ENUMERATED}
        shown |= {name: texts[name] for name in PROFILE if texts.get(name)}
        if issue.due:
            shown["due_date"] = self.time(issue.due, viewer)
        shown |= {
            "sticky": issue.is_sticky,
            "created_at": self.time(issue.created, viewer),
            "updated_at": self.time(issue.updated, viewer),
        }
        if issue.files:
            shown["attachments"] = [self.file(f, viewer) for f in issue.files]
        if notes := [self.note(n, issue, viewer) for n in issue.notes if self.may_read(n, issue, viewer)]:
            shown["notes"] = notes
        level = self._store.level(viewer, issue.project)
        if fields := [f for f in issue.project.fields if level >= f.read_level]:
            shown["custom_fields"] = [
                {"field": {"id": f.id, "name": f.name}, "value": issue.custom.get(f.id, "")} for f in fields
            ]
        if issue.tags:
            tags = sorted(issue.tags, key=lambda number: self._store.tags[number].casefold())
            shown["tags"] = [{"id": number, "name": self._store.tags[number]} for number in tags]
        return shown | {"history": self._history(issue, viewer)}

    def note(self, note: Note, issue: Issue, viewer: User) -> Json:
        shown: Json = {
            "id": note.id,
            "reporter": self.person(note.author, viewer),
            "text": note.text,
            "view_state": enum("view_state", note.view_state),
        }
        shows_time = bool(note.duration) and self._store.level(viewer, issue.project) >= DEVELOPER
        if shows_time:
            shown["time_tracking"] = {"duration": note.duration}
        return shown | {
            "attachments": [self.file(f, viewer) for f in note.files],
            "type": "timelog" if shows_time else "note",
            "created_at": self.time(note.created, viewer),
            "updated_at": self.time(note.updated, viewer),
        }

    def file(self, file: File, viewer: User, *, with_content: bool = False) -> Json:
        shown: Json = {
            "id": file.id, "reporter": self.person(file.author, viewer),
            "created_at": self.time(file.created, viewer), "filename": file.name, "size": len(file.content),
            "content_type": file.content_type,
        }  # fmt: skip
        return shown | ({"content": base64.b64encode(file.content).decode()} if with_content else {})

    def may_read(self, note: Note, issue: Issue, viewer: User) -> bool:
        """A private note is for developers and for who wrote it."""
        is_staff = self._store.level(viewer, issue.project) >= DEVELOPER
        return note.view_state != PRIVATE or is_staff or note.author is viewer

    def _category(self, category: Category) -> Json:
        project = self._store.projects.get(category.project_id)
        where = {"id": category.project_id, "name": project.name if project else None}
        return {"id": category.id, "name": category.name, "project": where, "status": "1"}

    def _history(self, issue: Issue, viewer: User) -> list[Json]:
        shown = []
        for entry in issue.history:
            note = entry.get("note")
            if note is not None and not self.may_read(note, issue, viewer):
                continue
            line: Json = {k: v for k, v in entry.items() if k not in ("at", "user", "note", "message", "change")}
            for side in ("old_value", "new_value"):
                if isinstance(entry.get(side), User):
                    line[side] = self.person(entry[side], viewer)
            head: Json = {"created_at": self.time(entry["at"], viewer), "user": self.person(entry["user"], viewer)}
            about: Json = {"note": {"id": note.id}} if note is not None else {}
            tail: Json = {k: entry[k] for k in ("message", "change") if k in entry}
            shown.append({**head, **line, **about, **tail})
        return shown


def enum(kind: str, number: int) -> Json:
    """A value of an enumeration; an unknown number shows as `@99@`."""
    name = ENUMS[kind].get(number, f"@{number}@")
    shown: Json = {"id": number, "name": name, "label": LABELS.get((kind, number), name)}
    return shown | ({"color": COLORS.get(number, "currentcolor")} if kind == "status" else {})


def _field(field: CustomField) -> Json:
    flags = {f"require_{when}": False for when in ("report", "update", "resolved", "closed")}
    return {
        "id": field.id, "name": field.name, "type": field.type, "default_value": "",
        "possible_values": "|".join(field.possible), "valid_regexp": "", "length_min": 0, "length_max": 0,
        "access_level_r": enum("access_levels", field.read_level),
        "access_level_rw": enum("access_levels", field.write_level),
        "display_report": True, "display_update": True, "display_resolved": False, "display_closed": False, **flags,
    }  # fmt: skip
