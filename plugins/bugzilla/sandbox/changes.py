"""Changes to bugs, the history of them, and the workflow. Knows nothing of HTTP.

Every value is looked at before anything is written, so that a refused call leaves nothing behind, whichever of several
bugs it was for. Sources: recorded exchanges upd_*, wf_*, see_also_*, move_*, open_blockers, workflow_comment_required.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from plugins.bugzilla.sandbox import checks
from plugins.bugzilla.sandbox.creation import (
    Creation,
    Tell,
    component_of,
    existing,
    milestone,
    product_for,
    version,
)
from plugins.bugzilla.sandbox.errors import NOT_INSIDER, BugzillaError, CrashError, no_keyword, no_such
from plugins.bugzilla.sandbox.state import Bug, Change, File, Store, User

Step = Callable[[], None]
Changed = dict[str, tuple[str, str]]
"""By REST's name: what was removed and what was added."""
LABELS = {
    "priority": "Priority", "severity": "Severity", "summary": "Summary", "whiteboard": "Whiteboard", "url": "URL",
    "status": "Status", "resolution": "Resolution", "assigned_to": "Assignee", "keywords": "Keywords",
    "component": "Component", "version": "Version", "product": "Product", "target_milestone": "Target Milestone",
}  # fmt: skip
DUPLICATE = "DUPLICATE"
RESOLVED = "RESOLVED"


class Update:
    """One call's changes to one bug: looked at first, then done."""

    def __init__(self, store: Store, creation: Creation, base: str, user: User, bug: Bug) -> None:
        self._store, self._creation, self._base, self.user, self.bug = store, creation, base, user, bug
        self.changed: Changed = {}
        self._steps: list[Step] = []

    def look(self, body: Mapping[str, Any]) -> None:
        """Raises for the first thing that is wrong. What it does not know it passes over, as Bugzilla does."""
        bug, words = self.bug, self._store.words
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
                self._value(name, checks.word(allowed, label, body[name]))
        if "summary" in body:
            self._value("summary", checks.summary(body["summary"]))
        for name in ("whiteboard", "url", "deadline"):
            if name in body:
                self._value(name, str(body[name] or ""))
        for name, field in self._store.fields.items():
            if field.is_custom and name in body:
                self._custom(name, checks.custom(field, body[name]))
        self._people(body)
        self._lists(body)
        self._status(body)
        self._privacy(body)
        self._comment(body)
        self._may_change(bug)

    def apply(self) -> list[Change]:
        """Does it; returns what the history keeps of it."""
        now = self._store.now()
        for step in self._steps:
            step()
        if self._steps:
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
            field = self._store.fields.get(name)
            label = field.label if field else LABELS.get(name, name)
            raise BugzillaError(
                115,
                f"You tried to change the {label} field from {before} to {after}, but only the assignee or reporter of "
                "the bug, or a user with the required permissions may change that field.",
            )

    def _note(self, name: str, before: object, after: object, step: Step) -> None:
        self.changed[name] = (str(before or ""), str(after or ""))
        self._steps.append(step)

    def _value(self, name: str, value: str) -> None:
        before = self.bug.values.get(name, "")
        if value != before:
            self._note(name, before, value, lambda: self.bug.values.update({name: value}))

    def _custom(self, name: str, value: Any) -> None:
        before = self.bug.custom.get(name)
        shown = [", ".join(v) if isinstance(v, list) else v for v in (before, value)]
        if value != before:
            self._note(name, shown[0], shown[1], lambda: self.bug.custom.update({name: value}))

    def _move(self, body: Mapping[str, Any]) -> None:
        """Component, version and milestone are looked for in the product that the bug has afterwards."""
        bug, product = self.bug, self.bug.product
        if "product" in body and body["product"] != product.name:
            product = product_for(self._store, self.user, body["product"])
        if product is not bug.product or "component" in body:
            component = component_of(product, body.get("component", bug.component.name))
            if component is not bug.component:
                before = bug.component.name
                self._note("component", before, component.name, lambda: setattr(bug, "component", component))
        if product is not bug.product or "version" in body:
            self._value("version", version(product, body.get("version", bug.values["version"])))
        if product is not bug.product or "target_milestone" in body:
            wanted = body.get("target_milestone", bug.values["target_milestone"])
            self._value("target_milestone", milestone(product, wanted))
        if product is not bug.product:
            self._note("product", bug.product.name, product.name, lambda: setattr(bug, "product", product))
            if product.group and product.group not in bug.groups:
                self._note("groups", "", product.group, lambda: bug.groups.add(product.group))

    def _people(self, body: Mapping[str, Any]) -> None:
        bug = self.bug
        wanted: User | None = None
        if "assigned_to" in body:
            if not body["assigned_to"]:
                raise BugzillaError(50, "To reassign a bug, you must provide an address for the new assignee.")
            wanted = checks.person(self._store, body["assigned_to"])
        elif body.get("reset_assigned_to"):
            wanted = self._store.users[bug.component.owner]
        if wanted is not None and wanted is not bug.assigned_to:
            assignee = wanted
            self._note(
                "assigned_to", bug.assigned_to.login, assignee.login, lambda: setattr(bug, "assigned_to", assignee)
            )

    def _lists(self, body: Mapping[str, Any]) -> None:
        bug, store = self.bug, self._store
        if "keywords" in body:
            removed, added = checks.list_change(body["keywords"], sorted(bug.keywords), 2492)
            for name in added:
                if store.keyword(name) is None:
                    raise no_keyword(name)
            self._set("keywords", bug.keywords, removed, added)
        if "cc" in body:
            removed, added = checks.list_change(body["cc"], sorted(bug.cc), 2556)
            for login in added:
                checks.person(store, login)
            self._set("cc", bug.cc, removed, added)
        if "alias" in body:
            given = body["alias"] if isinstance(body["alias"], Mapping) else {"set": body["alias"]}
            removed, added = checks.list_change(given, list(bug.alias), 2600)
            for alias in added:
                checks.aliases(store, alias, bug)
            after = [a for a in bug.alias if a not in removed] + added
            if removed or added:
                self._note("alias", ", ".join(removed), ", ".join(added), lambda: setattr(bug, "alias", after))
        if "groups" in body:
            removed, added = checks.list_change(body["groups"], sorted(bug.groups), 2640)
            for group in added:
                raise BugzillaError(
                    120,
                    f"You tried to restrict bug {bug.id} to the '{group}' group, but either this group does not exist, "
                    f"or you are not allowed to restrict bugs to this group in the '{bug.product.name}' product.",
                )
            self._set("groups", bug.groups, removed, added)
        self._see_also(body)
        for name, opposite in (("depends_on", "blocks"), ("blocks", "depends_on")):
            if name in body:
                self._dependencies(name, opposite, body[name])

    def _set(self, name: str, held: set[str], removed: list[str], added: list[str]) -> None:
        if removed or added:

            def step() -> None:
                held.difference_update(removed)
                held.update(added)

            self._note(name, ", ".join(sorted(removed)), ", ".join(sorted(added)), step)

    def _see_also(self, body: Mapping[str, Any]) -> None:
        """Only `add` and `remove` mean anything; a link to a bug here is written there too."""
        given, bug = body.get("see_also"), self.bug
        if not isinstance(given, Mapping):
            return
        urls = [checks.see_also(self._store, self._base, str(url)) for url in given.get("add") or ()]
        added = [url for url in dict.fromkeys(urls) if url not in bug.see_also]
        removed = [str(url) for url in given.get("remove") or () if url in bug.see_also]
        if not added and not removed:
            return

        def step() -> None:
            bug.see_also[:] = [u for u in bug.see_also if u not in removed] + added
            own, now = f"{self._base}/show_bug.cgi?id=", self._store.now()
            for other in (existing(self._store, url.removeprefix(own)) for url in added if url.startswith(own)):
                if f"{own}{bug.id}" not in other.see_also:
                    other.see_also.append(f"{own}{bug.id}")
                    other.changed = now
                    other.history.append(Change(now, self.user, "see_also", "", f"{own}{bug.id}"))

        self._note("see_also", ", ".join(removed), ", ".join(added), step)

    def _dependencies(self, name: str, opposite: str, given: Any) -> None:
        bug, store = self.bug, self._store
        held: set[int] = getattr(bug, name)
        removed, added = checks.list_change(given, [str(n) for n in sorted(held)], 2700)
        others = [existing(store, number) for number in added]
        if loop := [str(o.id) for o in others if o.id in getattr(bug, opposite)]:
            raise BugzillaError(
                116,
                'The following bug(s) would appear on both the "depends on" and "blocks" parts of the dependency tree '
                f"if these changes are committed: {', '.join(loop)}. This would create a circular dependency, which is "
                "not allowed.",
            )
        if not removed and not added:
            return

        def step() -> None:
            now = store.now()
            held.difference_update(map(int, removed))
            held.update(o.id for o in others)
            for other in others:
                getattr(other, opposite).add(bug.id)
                other.changed = now
                other.history.append(Change(now, self.user, opposite, "", str(bug.id)))

        self._note(name, ", ".join(removed), ", ".join(added), step)

    # the workflow

    def _status(self, body: Mapping[str, Any]) -> None:
        bug, words = self.bug, self._store.words
        before, resolution = bug.values["status"], bug.values["resolution"]
        if body.get("dupe_of"):
            self._duplicate(int(body["dupe_of"]))
            return
        wanted = str(body.get("status") or before)
        if wanted not in words.workflow:
            raise no_such("status", wanted)
        if wanted != before and wanted not in words.workflow[before]:
            raise BugzillaError(123, f"You are not allowed to change the bug status from {before} to {wanted}.")
        if self._store.is_open(wanted):
            if wanted == before and body.get("resolution"):
                raise BugzillaError(122, "You cannot set a resolution for open bugs.")
            ending = ""
        else:
            ending = str(body.get("resolution", resolution) or "")
            if not ending:
                raise BugzillaError(121, f"A valid resolution is required to mark bugs as {wanted}.")
            if ending not in words.resolutions:
                raise no_such("Resolution", ending)
            if ending == DUPLICATE and bug.dupe_of is None:
                raise BugzillaError(119, "You must specify a bug id to mark this bug as a duplicate of.")
        self._comment_is_there(body, "Status", before, wanted, wanted in self._store.comment_needed)
        is_demanded = self._store.params["commentonchange_resolution"] == "1"
        self._comment_is_there(body, "Resolution", resolution or "---", ending, is_demanded and bool(ending))
        self._has_no_blockers(ending)
        self._end_at(wanted, ending)
        if bug.dupe_of is not None and ending != DUPLICATE:
            self._note("dupe_of", bug.dupe_of, "", lambda: setattr(bug, "dupe_of", None))

    def _end_at(self, status: str, resolution: str) -> None:
        bug = self.bug
        self._value("status", status)
        self._value("resolution", resolution)
        is_confirmed = status != self._store.words.unconfirmed and (bug.is_confirmed or self._store.is_open(status))
        if is_confirmed != bug.is_confirmed:
            self._note("is_confirmed", int(bug.is_confirmed), int(is_confirmed), lambda: None)
            self.changed["is_confirmed"] = (str(int(bug.is_confirmed)), str(int(is_confirmed)))
            self._steps.append(lambda: setattr(bug, "is_confirmed", is_confirmed))

    def _comment_is_there(
        self, body: Mapping[str, Any], label: str, before: str, after: str, is_demanded: bool
    ) -> None:
        comment = body.get("comment")
        if before != after and is_demanded and not (isinstance(comment, Mapping) and comment.get("body")):
            change = f"changing the {label} of a bug from {before} to {after}"
            raise BugzillaError(32000, f"You have to specify a comment when {change}.")

    def _has_no_blockers(self, ending: str) -> None:
        waiting = [n for n in self.bug.depends_on if self._store.is_open(self._store.bugs[n].values["status"])]
        if ending == "FIXED" and waiting and self._store.params["noresolveonopenblockers"] == "1":
            plural = "dependency" if len(waiting) == 1 else "dependencies"
            raise BugzillaError(
                32000,
                f"Bug {self.bug.id} has {len(waiting)} unresolved {plural}. They must either be resolved or removed "
                'from the "Depends on" field before you can resolve this bug as FIXED.',
            )

    def _duplicate(self, number: int) -> None:
        bug = self.bug
        if number == bug.id:
            raise BugzillaError(118, f"You cannot mark bug {bug.id} as a duplicate of itself.")
        other = existing(self._store, number)
        self._end_at(RESOLVED, DUPLICATE)
        self._note("dupe_of", bug.dupe_of, number, lambda: setattr(bug, "dupe_of", number))
        own = f"*** This bug has been marked as a duplicate of bug {number} ***"
        theirs = f"*** Bug {bug.id} has been marked as a duplicate of this bug. ***"

        def step() -> None:
            self._creation.say(self.user, bug, own)
            self._creation.say(self.user, other, theirs)

        self._steps.append(step)

    # comments

    def _comment(self, body: Mapping[str, Any]) -> None:
        given = body.get("comment")
        if not isinstance(given, Mapping) or not str(given.get("body") or "").strip():
            return
        text, is_private = checks.comment_text(given["body"]), bool(given.get("is_private"))
        if is_private and not self._store.is_insider(self.user):
            raise BugzillaError(113, NOT_INSIDER)

        def step() -> None:
            self._creation.say(self.user, self.bug, text, is_private=is_private)

        self._steps.append(step)

    def _privacy(self, body: Mapping[str, Any]) -> None:
        """Shows in the history, with the whole comment, but not in the answer."""
        given = body.get("comment_is_private")
        if not isinstance(given, Mapping):
            return
        if not self._store.is_insider(self.user):
            raise BugzillaError(113, NOT_INSIDER)
        for comment in self.bug.comments:
            wanted = given.get(str(comment.id))
            if wanted is not None and bool(wanted) != comment.is_private:
                self._steps.append(self._hiding(comment.id, is_private=bool(wanted)))

    def _hiding(self, number: int, *, is_private: bool) -> Step:
        def step() -> None:
            comment = next(c for c in self.bug.comments if c.id == number)
            comment.is_private = is_private
            before, after = str(int(not is_private)), str(int(is_private))
            self.bug.history.append(
                Change(self._store.now(), self.user, "longdescs.isprivate", before, after, comment=comment)
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
