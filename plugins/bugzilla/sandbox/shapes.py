"""How Bugzilla shows what it holds, to whom, and how much of it.

Sources: recorded exchanges get_*, comments_*, att_*, history_*, user_*, product_*, field_bug_*; Mozilla's
`Bugzilla/WebService/Bug.pm`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from plugins.bugzilla.sandbox.state import (
    GROUPS,
    WHINES_SINCE_5_3,
    Bug,
    Change,
    Comment,
    Field,
    File,
    Product,
    Store,
    User,
)

Json = dict[str, Any]
PLAIN = (
    "summary", "version", "status", "resolution", "priority", "severity", "op_sys", "platform", "target_milestone",
    "whiteboard", "url",
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """What `include_fields` and `exclude_fields` ask for; empty `include` is everything usual."""

    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Wanted:
        return cls(_names(params.get("include_fields")), _names(params.get("exclude_fields")))

    def __call__(self, name: str, kind: str = "_default") -> bool:
        """Whether a field is wanted; `_extra` only comes when it is named."""
        if name in self.exclude:
            return False
        if name in self.include or "_all" in self.include:
            return True
        usual = not self.include or "_default" in self.include
        return (usual and kind != "_extra") or (kind == "_custom" and "_custom" in self.include)

    def filter(self, shown: Json) -> Json:
        """For everything but bugs: the keys that are wanted, and `a.b` for a part of `a`."""
        kept = {}
        for key, value in shown.items():
            parts = frozenset(n.partition(".")[2] for n in self.include if n.startswith(f"{key}."))
            if parts and isinstance(value, list):
                kept[key] = [Wanted(parts).filter(item) for item in value]
            elif self(key):
                kept[key] = value
        return kept


def _names(value: Any) -> frozenset[str]:
    given = value if isinstance(value, list) else [value] if value else []
    return frozenset(name.strip() for part in given for name in str(part).split(",") if name.strip())


class Shapes:
    """The JSON of one installation."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def login(self, user: User, viewer: User | None) -> str:
        """Strangers see only what stands before the @, where the administrator wants it so."""
        hides = viewer is None and self._store.params["webservice_email_filter"] == "1"
        return user.login.partition("@")[0] if hides else user.login

    def detail(self, user: User, viewer: User | None) -> Json:
        login = self.login(user, viewer)
        shown: Json = {"id": user.id, "name": login, "real_name": user.real_name}
        if self._store.flavour != "5.3":
            shown["email"] = login
        if self._store.flavour == "bmo":
            shown["nick"] = login.partition("@")[0]
        return shown

    def user(self, user: User, viewer: User | None, *, with_disabled: bool = False) -> Json:
        if viewer is None:
            return {"id": user.id, "name": user.login, "real_name": user.real_name}
        shown = {**self.detail(user, viewer), "can_login": not user.disabled, "groups": []}
        if with_disabled and "admin" in viewer.login:
            shown |= {"email": user.login, "email_enabled": True, "login_denied_text": user.disabled}
        if user is viewer:
            groups = [self._group(g) for g in sorted(user.groups)]
            shown |= {"groups": groups, "saved_searches": [], "saved_reports": []}
        return shown

    def _group(self, name: str) -> Json:
        number, description = GROUPS[name]
        if name == "bz_canusewhines" and self._store.flavour == "5.3":
            description = WHINES_SINCE_5_3
        return {"id": number, "name": name, "description": description}

    def product(self, product: Product) -> Json:
        components = sorted(product.components, key=lambda c: c.name)
        return {
            "id": product.id, "name": product.name, "description": f"{product.name} product",
            "classification": "Unclassified", "is_active": product.is_open, "default_milestone": "---",
            "has_unconfirmed": product.has_unconfirmed,
            "components": [
                {"id": c.id, "name": c.name, "description": c.description, "default_assigned_to": c.owner,
                 "default_qa_contact": "", "sort_key": 0, "is_active": c.is_active,
                 "flag_types": {"bug": [], "attachment": []}}
                for c in components
            ],
            "versions": [
                {"id": n, "name": name, "sort_key": 0, "is_active": True} for n, name in product.versions.items()
            ],
            "milestones": [
                {"id": n, "name": name, "sort_key": key, "is_active": True}
                for n, (name, key) in product.milestones.items()
            ],
        }  # fmt: skip

    def field(self, field: Field) -> Json:
        shown: Json = {
            "id": field.id, "name": field.name, "display_name": field.label, "type": field.type,
            "is_custom": field.is_custom, "is_mandatory": False, "is_on_bug_entry": field.is_custom,
            "visibility_field": None, "visibility_values": [],
        }  # fmt: skip
        if field.values is not None:
            shown |= {"value_field": None, "values": self._values(field)}
        return shown

    def _values(self, field: Field) -> list[Json]:
        if field.name == "keywords":
            return [{"name": n, "description": d} for n, d in sorted(self._store.words.keywords.items())]
        if field.name == "bug_status":
            return [self._status(status, at * 100) for at, status in enumerate(self._store.words.workflow)]
        first = 0 if field.is_custom else 100
        keys = [first, *range(20, 1000, 10)] if "---" in (field.values or ())[:1] else []
        if field.is_custom and not keys:
            keys = list(range(20, 1000, 10))
        return [
            {"name": name, "sort_key": key, "sortkey": key, "visibility_values": []}
            for name, key in zip(field.values or (), keys or range(100, 10_000, 100), strict=False)
        ]

    def _status(self, status: str | None, key: int) -> Json:
        following = self._store.words.workflow[status]
        needed = self._store.comment_needed
        return {
            "name": status, "sort_key": key, "sortkey": key, "visibility_values": [],
            "is_open": status is None or self._store.is_open(status),
            "can_change_to": [{"name": s, "comment_required": s in needed} for s in following],
        }  # fmt: skip

    # bugs

    def bug(self, bug: Bug, viewer: User | None, wanted: Wanted) -> Json:
        words: dict[str, Callable[[], Any]] = {
            "id": lambda: bug.id,
            "alias": lambda: self.alias(bug),
            "product": lambda: bug.product.name,
            "component": lambda: bug.component.name,
            "classification": lambda: "Unclassified",
            **{name: lambda name=name: bug.values.get(name, "") for name in PLAIN},  # type: ignore[misc]
            "is_open": lambda: self._store.is_open(bug.values["status"]),
            "is_confirmed": lambda: bug.is_confirmed,
            "dupe_of": lambda: bug.dupe_of,
            "keywords": lambda: sorted(bug.keywords, key=str.casefold),
            "see_also": lambda: list(bug.see_also),
            "groups": lambda: sorted(bug.groups),
            "flags": list,
            "depends_on": lambda: sorted(bug.depends_on),
            "blocks": lambda: sorted(bug.blocks),
            "cc": lambda: [self.login(u, viewer) for u in self._cc(bug)],
            "creation_time": lambda: zulu(bug.created),
            "last_change_time": lambda: zulu(bug.changed),
            "is_creator_accessible": lambda: True,
            "is_cc_accessible": lambda: True,
        }
        if viewer is not None:
            words["update_token"] = lambda: f"{int(bug.changed.timestamp())}-sandbox"
        if viewer is not None and "editbugs" in viewer.groups:
            words |= dict.fromkeys(("estimated_time", "remaining_time", "actual_time"), lambda: 0)
            words["deadline"] = lambda: bug.values.get("deadline") or None
        if self._store.words.types:
            words |= {"type": lambda: bug.values["type"], "comment_count": lambda: len(bug.comments)}
        shown = {name: show() for name, show in words.items() if wanted(name)}
        for name, user in (("creator", bug.creator), ("assigned_to", bug.assigned_to), ("qa_contact", bug.qa_contact)):
            if wanted(name):
                shown[name] = self.login(user, viewer) if user else ""
                shown |= {f"{name}_detail": self.detail(user, viewer)} if user else {}
        if wanted("cc"):
            shown["cc_detail"] = [self.detail(u, viewer) for u in self._cc(bug)]
        for name, field in self._store.fields.items():
            if field.is_custom and wanted(name, "_custom"):
                shown[name] = self.custom(field, bug.custom.get(name))
        if wanted("tags", "_extra") and viewer is not None:
            shown["tags"] = []
        if self._store.flavour == "5.3" and wanted("duplicates", "_extra"):
            shown["duplicates"] = [b.id for b in self._store.bugs.values() if b.dupe_of == bug.id]
        if self._store.flavour == "bmo" and wanted("description", "_extra"):
            shown["description"] = bug.comments[0].text
        return shown

    def alias(self, bug: Bug) -> Any:
        """A list; Mozilla knows only one, or none."""
        if self._store.flavour == "bmo":
            return bug.alias[0] if bug.alias else None
        return list(bug.alias)

    def _cc(self, bug: Bug) -> list[User]:
        return [self._store.users[login] for login in sorted(bug.cc)]

    def custom(self, field: Field, value: Any) -> Any:
        """Dates were written in the server's zone and are shown in UTC."""
        match field.type:
            case 5 | 9:
                return zulu(datetime.fromisoformat(value).replace(tzinfo=self._store.zone)) if value else None
            case 3:
                return list(value or ())
            case 2:
                return value or "---"
            case 6:
                return value
            case 10:
                return value or "0"
            case _:
                return value or ""

    # comments, files, history

    def readable(self, bug: Bug, viewer: User | None) -> Iterable[Comment]:
        """Private comments are left out for those who may not read them; the numbers then have gaps."""
        is_insider = self._store.is_insider(viewer)
        return [c for c in bug.comments if is_insider or not c.is_private]

    def comment(self, comment: Comment, viewer: User | None) -> Json:
        at = zulu(comment.created)
        shown: Json = {
            "id": comment.id, "bug_id": comment.bug_id, "count": comment.number, "attachment_id": None,
            "creator": self.login(comment.author, viewer), "creation_time": at, "time": at,
            "is_private": comment.is_private, "tags": sorted(comment.tags), "text": self.text(comment),
        }  # fmt: skip
        if comment.file is not None:
            shown["attachment_id"] = comment.file.id
        if self._store.flavour == "bmo":
            shown |= {"author": shown["creator"], "raw_text": comment.text}
        elif self._store.is_new:
            shown["is_markdown"] = comment.is_markdown
        return shown

    def text(self, comment: Comment) -> str:
        """With what Bugzilla says of a file before it, in the file's present name."""
        if comment.file is None:
            return comment.text
        verb = "Created attachment" if comment.kind == "created" else "Comment on attachment"
        head = f"{verb} {comment.file.id}\n{comment.file.summary}"
        return f"{head}\n\n{comment.text}" if comment.text else head

    def file(self, file: File, *, with_data: bool = True) -> Json:
        flag: Callable[[bool], Any] = bool if self._store.flavour == "5.3" else int
        shown: Json = {
            "id": file.id, "bug_id": file.bug_id, "file_name": file.name, "summary": file.summary,
            "content_type": file.content_type, "size": len(file.content), "creator": file.author.login,
            "creation_time": zulu(file.created), "last_change_time": zulu(file.changed), "flags": [],
            "is_private": flag(file.is_private), "is_obsolete": flag(file.is_obsolete),
            "is_patch": flag(file.is_patch),
        }  # fmt: skip
        return shown | ({"data": base64.b64encode(file.content).decode()} if with_data else {})

    def history(self, bug: Bug, viewer: User | None, since: datetime | None) -> list[Json]:
        """What one person changed within one second is one entry."""
        is_insider = self._store.is_insider(viewer)
        seen = [
            c
            for c in bug.history
            if (since is None or c.at > since) and (is_insider or c.comment is None) and self._may_know(c, is_insider)
        ]
        return [
            {"when": zulu(at), "who": who, "changes": [self._change(c) for c in changes]}
            for (at, who), changes in groupby(seen, key=lambda c: (c.at, c.who.login))
        ]

    def _may_know(self, change: Change, is_insider: bool) -> bool:
        found = self._store.file(change.file_id) if change.file_id else None
        return is_insider or found is None or not found[1].is_private

    def _change(self, change: Change) -> Json:
        shown: Json = {"field_name": change.field, "removed": change.removed, "added": change.added}
        if change.file_id:
            shown["attachment_id"] = change.file_id
        if change.comment is not None:
            comment, is_new = change.comment, self._store.is_new
            shown["comment"] = {
                "comment_id": comment.id, "bug_id": comment.bug_id, "who": comment.author.id, "type": 0,
                "bug_when": comment.created.strftime("%Y-%m-%d %H:%M:%S"), "thetext": comment.text,
                "isprivate": int(comment.is_private), "extra_data": None, "already_wrapped": 0,
                "work_time": 0 if is_new else "0.00", **({"is_markdown": 0} if is_new else {}),
            }  # fmt: skip
        return shown


def zulu(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
