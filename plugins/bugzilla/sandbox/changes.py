"""Changes to bugs and files, and the history of them. Knows nothing of HTTP.

Every value is looked at before anything is written, so that a refused call leaves nothing behind, whichever of several
bugs it was for. Sources: recorded exchanges upd_*, move_*, comment_make_private, att_update*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from plugins.bugzilla.sandbox import checks
from plugins.bugzilla.sandbox.creation import Creation, Tell, component_of, milestone, product_for, version
from plugins.bugzilla.sandbox.errors import NOT_INSIDER, BugzillaError, CrashError
from plugins.bugzilla.sandbox.lists import look_at_lists
from plugins.bugzilla.sandbox.pending import Changed, Pending, Step
from plugins.bugzilla.sandbox.state import Bug, Change, File, Store, User
from plugins.bugzilla.sandbox.workflow import look_at_status

LABELS = {
    "priority": "Priority", "severity": "Severity", "summary": "Summary", "whiteboard": "Whiteboard", "url": "URL",
    "status": "Status", "resolution": "Resolution", "assigned_to": "Assignee", "keywords": "Keywords",
    "component": "Component", "version": "Version", "product": "Product", "target_milestone": "Target Milestone",
}  # fmt: skip


class Update(Pending):
    """One call's changes to one bug: looked at first, then done."""

    def look(self, body: Mapping[str, Any]) -> None:
        """Raises for the first thing that is wrong. What it does not know it passes over, as Bugzilla does."""
        bug, words = self.bug, self.store.words
        if "description" in body or isinstance(body.get("comment"), str):
            said = body.get("description") or body.get("comment")
            raise CrashError(
                f'Can\'t use string ("{said}") as a HASH ref while "strict refs" in use at '
                "/srv/bugzilla/Bugzilla/WebService/Bug.pm line 649.\n"
            )
        self._move(body)
        for name, allowed, label in (
            ("priority", words.priorities, "Priority"), ("severity", words.severities, "Severity"),
            ("op_sys", words.systems, "OS"), ("platform", words.platforms, "Platform"), ("type", words.types, "Type"),
        ):  # fmt: skip
            if name in body and (words.types or name != "type"):
                self.value(name, checks.word(allowed, label, body[name]))
        if "summary" in body:
            self.value("summary", checks.summary(body["summary"]))
        for name in ("whiteboard", "url", "deadline"):
            if name in body:
                self.value(name, str(body[name] or ""))
        for name, field in self.store.fields.items():
            if field.is_custom and name in body:
                self._custom(name, checks.custom(field, body[name]))
        self._people(body)
        look_at_lists(self, body)
        look_at_status(self, body)
        self._privacy(body)
        self._comment(body)
        self._may_change(bug)

    def apply(self) -> list[Change]:
        """Does it; returns what the history keeps of it."""
        now = self.store.now()
        for step in self.steps:
            step()
        if self.steps:
            self.bug.changed = now
        kept = [Change(now, self.user, name, before, after) for name, (before, after) in self.changed.items()]
        self.bug.history += kept
        return kept

    def _may_change(self, bug: Bug) -> None:
        """Without editbugs only the reporter and the assignee change fields; everybody may put themselves on cc."""
        if "editbugs" in self.user.groups or self.user in (bug.creator, bug.assigned_to):
            return
        for name, (before, after) in self.changed.items():
            if name == "cc" and (after or before) == self.user.login:
                continue
            field = self.store.fields.get(name)
            label = field.label if field else LABELS.get(name, name)
            raise BugzillaError(
                115,
                f"You tried to change the {label} field from {before} to {after}, but only the assignee or reporter of "
                "the bug, or a user with the required permissions may change that field.",
            )

    def _custom(self, name: str, value: Any) -> None:
        before = self.bug.custom.get(name)
        shown = [", ".join(v) if isinstance(v, list) else v for v in (before, value)]
        if value != before:
            self.note(name, shown[0], shown[1], lambda: self.bug.custom.update({name: value}))

    def _move(self, body: Mapping[str, Any]) -> None:
        """Component, version and milestone are looked for in the product that the bug has afterwards."""
        bug, product = self.bug, self.bug.product
        if "product" in body and body["product"] != product.name:
            product = product_for(self.store, self.user, body["product"])
        if product is not bug.product or "component" in body:
            component = component_of(product, body.get("component", bug.component.name))
            if component is not bug.component:
                before = bug.component.name
                self.note("component", before, component.name, lambda: setattr(bug, "component", component))
        if product is not bug.product or "version" in body:
            self.value("version", version(product, body.get("version", bug.values["version"])))
        if product is not bug.product or "target_milestone" in body:
            wanted = body.get("target_milestone", bug.values["target_milestone"])
            self.value("target_milestone", milestone(product, wanted))
        if product is not bug.product:
            self.note("product", bug.product.name, product.name, lambda: setattr(bug, "product", product))
            if product.group and product.group not in bug.groups:
                self.note("groups", "", product.group, lambda: bug.groups.add(product.group))

    def _people(self, body: Mapping[str, Any]) -> None:
        bug = self.bug
        wanted: User | None = None
        if "assigned_to" in body:
            if not body["assigned_to"]:
                raise BugzillaError(50, "To reassign a bug, you must provide an address for the new assignee.")
            wanted = checks.person(self.store, body["assigned_to"])
        elif body.get("reset_assigned_to"):
            wanted = self.store.users[bug.component.owner]
        if wanted is not None and wanted is not bug.assigned_to:
            assignee = wanted
            self.note(
                "assigned_to", bug.assigned_to.login, assignee.login, lambda: setattr(bug, "assigned_to", assignee)
            )

    # comments

    def _comment(self, body: Mapping[str, Any]) -> None:
        given = body.get("comment")
        if not isinstance(given, Mapping):
            return
        said = given.get("body", given.get("comment"))
        if not str(said or "").strip():
            return
        text, is_private = checks.comment_text(said), bool(given.get("is_private"))
        if is_private and not self.store.is_insider(self.user):
            raise BugzillaError(113, NOT_INSIDER)

        def step() -> None:
            self.creation.say(self.user, self.bug, text, is_private=is_private)

        self.steps.append(step)

    def _privacy(self, body: Mapping[str, Any]) -> None:
        """Shows in the history, with the whole comment, but not in the answer."""
        given = body.get("comment_is_private")
        if not isinstance(given, Mapping):
            return
        if not self.store.is_insider(self.user):
            raise BugzillaError(113, NOT_INSIDER)
        for comment in self.bug.comments:
            wanted = given.get(str(comment.id))
            if wanted is not None and bool(wanted) != comment.is_private:
                self.steps.append(self._hiding(comment.id, is_private=bool(wanted)))

    def _hiding(self, number: int, *, is_private: bool) -> Step:
        def step() -> None:
            comment = next(c for c in self.bug.comments if c.id == number)
            comment.is_private = is_private
            before, after = str(int(not is_private)), str(int(is_private))
            self.bug.history.append(
                Change(self.store.now(), self.user, "longdescs.isprivate", before, after, comment=comment)
            )

        return step


class Changes:
    """Changes to bugs and files of one installation."""

    def __init__(self, store: Store, creation: Creation, tell: Tell, base: Callable[[], str]) -> None:
        self._store, self._creation, self._tell, self._base = store, creation, tell, base

    def update(self, user: User, bugs: list[Bug], body: Mapping[str, Any]) -> Iterator[tuple[Bug, Changed]]:
        """All of them or none."""
        updates = [Update(self._store, self._creation, self._base(), user, bug) for bug in bugs]
        for update in updates:
            update.look(body)
        for update in updates:
            kept = update.apply()
            if kept:
                self._tell("bug.modify", update.bug, user, None, kept)
            yield update.bug, update.changed

    def update_file(self, user: User, bug: Bug, file: File, body: Mapping[str, Any]) -> Changed:
        """What may be changed of a file; its content is not among it."""
        changed: Changed = {}
        internal = {"is_obsolete": "isobsolete", "is_private": "isprivate", "is_patch": "ispatch",
                    "summary": "description", "file_name": "filename", "content_type": "mimetype"}  # fmt: skip
        now, number = self._store.now(), file.id
        names = {"summary": "summary", "file_name": "name", "content_type": "content_type"}
        for key, stored in {**names, **{k: k for k in ("is_obsolete", "is_private", "is_patch")}}.items():
            if key not in body:
                continue
            before, after = getattr(file, stored), body[key]
            if isinstance(before, bool):
                after = bool(after)
            if before != after:
                setattr(file, stored, after)
                told = [str(int(v)) if isinstance(v, bool) else str(v) for v in (before, after)]
                changed[key] = (told[0], told[1])
                bug.history.append(Change(now, user, f"attachments.{internal[key]}", told[0], told[1], number))
        if changed or body.get("comment"):
            file.changed = bug.changed = now
        if body.get("comment"):
            text = checks.comment_text(body["comment"])
            self._creation.say(user, bug, text, is_private=file.is_private, file=file, kind="about")
        return changed
