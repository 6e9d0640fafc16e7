"""How a bug begins, and what is said and attached afterwards. Knows nothing of HTTP.

Sources: recorded exchanges create_*, alias_*, comment_*, att_*.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any

from plugins.bugzilla.sandbox import checks
from plugins.bugzilla.sandbox.errors import NOT_INSIDER, BugzillaError, missing, no_keyword, no_such
from plugins.bugzilla.sandbox.state import Bug, Change, Comment, Component, File, Product, Store, User

Tell = Callable[[str, Bug, User, "Comment | File | None", list[Change]], None]
"""Told of what happened: the routing key's first words, the bug, who did it, what was added, and what changed."""
KNOWN = {
    "alias", "assigned_to", "blocks", "cc", "comment_is_private", "comment_tags", "component", "deadline", "depends_on",
    "description", "estimated_time", "groups", "is_markdown", "keywords", "op_sys", "platform", "priority", "product",
    "qa_contact", "see_also", "severity", "status", "summary", "target_milestone", "type", "url", "version",
    "whiteboard",
}  # fmt: skip


class Creation:
    """New things on one installation. `base` is its address, for links to its own bugs."""

    def __init__(self, store: Store, tell: Tell, base: Callable[[], str]) -> None:
        self._store, self._tell, self._base = store, tell, base

    def bug(self, user: User, body: Mapping[str, Any]) -> Bug:
        """A new bug, or the first thing that is wrong with it: only one is told at a time."""
        store, words = self._store, self._store.words
        op_sys = self._from_param(body, "op_sys", "defaultopsys", "OS")
        platform = self._from_param(body, "platform", "defaultplatform", "Hardware")
        product, component = self._place(user, body)
        values = {
            "version": self._version(product, body),
            "summary": checks.summary(body.get("summary")),
            "op_sys": checks.word(words.systems, "OS", op_sys),
            "platform": checks.word(words.platforms, "Platform", platform),
            "severity": checks.word(words.severities, "Severity", body.get("severity") or words.usual_severity),
            "priority": checks.word(words.priorities, "Priority", self._priority(body)),
            "target_milestone": milestone(product, body.get("target_milestone") or "---"),
            "resolution": "",
            "whiteboard": str(body.get("whiteboard") or ""),
            "url": str(body.get("url") or ""),
            "deadline": str(body.get("deadline") or ""),
            "status": self._status(user, product, body),
        }
        if words.types:
            values["type"] = checks.word(words.types, "Type", body.get("type") or words.types[0])
        keywords = {self._keyword(name) for name in listed(body.get("keywords"))}
        fields = store.fields
        if unknown := [n for n in body if n not in KNOWN and not (n in fields and fields[n].is_custom)]:
            name = sorted(unknown)[0]
            raise BugzillaError(53, f"{name} is not a valid parameter for the Bugzilla::Bug::create function.")
        custom = {n: checks.custom(f, body.get(n)) for n, f in fields.items() if f.is_custom}
        text = checks.comment_text(body.get("description"))
        is_private = bool(body.get("comment_is_private"))
        if is_private and not store.is_insider(user):
            raise BugzillaError(113, NOT_INSIDER)
        assignee = checks.person(store, body["assigned_to"]) if body.get("assigned_to") else None
        if assignee is None or "editbugs" not in user.groups:
            assignee = store.users[component.owner]
        cc = {self._copy_to(login) for login in listed(body.get("cc"))}
        links = [checks.see_also(store, self._base(), str(url)) for url in listed(body.get("see_also"))]
        alias = checks.aliases(store, body.get("alias"))
        others = {name: self._bugs(body.get(name)) for name in ("depends_on", "blocks")}
        groups = {str(g) for g in listed(body.get("groups"))} | ({product.group} if product.group else set())
        now = store.now()
        bug = Bug(
            store.new_id("bug"), product, component, user, assignee, now, now, values, custom,
            is_confirmed=values["status"] != words.unconfirmed,
            qa_contact=checks.person(store, body["qa_contact"]) if body.get("qa_contact") else None,
            alias=alias, keywords=keywords, see_also=links, groups=groups, cc=cc,
            depends_on={b.id for b in others["depends_on"]}, blocks={b.id for b in others["blocks"]},
        )  # fmt: skip
        store.bugs[bug.id] = bug
        for name, opposite in (("depends_on", "blocks"), ("blocks", "depends_on")):
            for other in others[name]:
                getattr(other, opposite).add(bug.id)
                other.changed = now
                other.history.append(Change(now, user, opposite, "", str(bug.id)))
        bug.comments.append(Comment(store.new_id("comment"), bug.id, user, text, is_private, now, 0))
        self._tell("bug.create", bug, user, None, [])
        return bug

    def _from_param(self, body: Mapping[str, Any], name: str, param: str, label: str) -> str:
        value = body.get(name) or self._store.params[param]
        if not value:
            raise BugzillaError(50, f"You must select/enter a {label}.")
        return str(value)

    def _place(self, user: User, body: Mapping[str, Any]) -> tuple[Product, Component]:
        name = body.get("product")
        if not name:
            raise BugzillaError(50, "You must select/enter a product.")
        product = product_for(self._store, user, name)
        if not body.get("component"):
            raise BugzillaError(105, "To file this bug, you must first choose a component. If necessary, just guess.")
        return product, component_of(product, body["component"])

    def _version(self, product: Product, body: Mapping[str, Any]) -> str:
        if not body.get("version"):
            raise BugzillaError(50, "You must select/enter a version.")
        return version(product, body["version"])

    def _priority(self, body: Mapping[str, Any]) -> str:
        may_choose = self._store.params["letsubmitterchoosepriority"] == "1"
        return str((may_choose and body.get("priority")) or self._store.words.no_priority)

    def _status(self, user: User, product: Product, body: Mapping[str, Any]) -> str:
        """Who may not confirm begins unconfirmed without a word, where the product knows that."""
        words = self._store.words
        wanted = body.get("status")
        if wanted and wanted not in words.workflow:
            raise no_such("status", wanted)
        may_confirm = bool({"canconfirm", "editbugs"} & user.groups)
        begin = words.workflow[None]
        if wanted and (wanted not in begin or (wanted == words.unconfirmed and not product.has_unconfirmed)):
            raise BugzillaError(123, f"You are not allowed to file new bugs with the {wanted} status.")
        if not may_confirm and product.has_unconfirmed:
            return words.unconfirmed
        return str(wanted or words.new)

    def _keyword(self, name: object) -> str:
        keyword = self._store.keyword(name)
        if keyword is None:
            raise no_keyword(name)
        return keyword

    def _copy_to(self, login: object) -> str:
        user = self._store.user(login)
        if user is None:
            raise BugzillaError(504, f"There is no user named '{login}'.")
        return user.login

    def _bugs(self, given: Any) -> list[Bug]:
        return [existing(self._store, number) for number in listed(given)]

    # comments and files

    def comment(self, user: User, bug: Bug, body: Mapping[str, Any]) -> Comment:
        text = checks.comment_text(body.get("comment"))
        if not text.strip():
            raise missing("", "comment")
        said = self.say(user, bug, text, is_private=bool(body.get("is_private", body.get("private"))))
        said.is_markdown = bool(body.get("is_markdown", self._store.flavour == "bmo"))
        return said

    def say(
        self, user: User, bug: Bug, text: str, *, is_private: bool = False, file: File | None = None, kind: str = ""
    ) -> Comment:
        """Adds a comment; a private one only by who may read such."""
        if is_private and not self._store.is_insider(user):
            raise BugzillaError(113, NOT_INSIDER)
        now = self._store.now()
        number = self._store.new_id("comment")
        comment = Comment(number, bug.id, user, text, is_private, now, len(bug.comments), file, kind)
        bug.comments.append(comment)
        bug.changed = now
        if text:
            self._tell("comment.create", bug, user, comment, [])
        return comment

    def file(self, user: User, bug: Bug, body: Mapping[str, Any]) -> File:
        """A file and the comment that comes with it. Base64 that is none is taken as far as it goes."""
        if "data" not in body:
            raise missing("", "data")
        name = re.split(r"[/\\]", str(body.get("file_name") or ""))[-1][-255:]
        if not name:
            raise BugzillaError(603, "You did not specify a file to attach.")
        if not body.get("summary"):
            raise BugzillaError(604, "You must enter a description for the attachment.")
        is_patch = bool(body.get("is_patch"))
        kind = "text/plain" if is_patch else checks.content_type(body.get("content_type"))
        content = _decoded(str(body["data"]))
        if not content:
            raise BugzillaError(
                606,
                "The file you are trying to attach is empty, does not exist, or you don't have permission to read it.",
            )
        limit = int(self._store.params["maxattachmentsize"])
        if len(content) > limit * 1024:
            raise BugzillaError(600, f"The file you are trying to attach is {len(content) // 1024} kilobytes (KB) in "
                                f"size. Attachments cannot be more than {limit} KB. {_ELSEWHERE}")  # fmt: skip
        is_private = bool(body.get("is_private"))
        if is_private and not self._store.is_insider(user):
            raise BugzillaError(113, NOT_INSIDER)
        now = self._store.now()
        file = File(
            self._store.new_id("file"), bug.id, user, name, str(body["summary"]), kind, content, is_private, is_patch,
            now, now,
        )  # fmt: skip
        bug.files.append(file)
        text = checks.comment_text(body.get("comment"))
        self.say(user, bug, text, is_private=is_private, file=file, kind="created")
        self._tell("attachment.create", bug, user, file, [])
        return file


_ELSEWHERE = (
    "We recommend that you store your attachment elsewhere and then paste the URL to this file on the attachment "
    'creation page in the appropriate text field, which you can access by clicking the "paste text as attachment" '
    "link. Alternately, if your attachment is an image, you could convert it to a compressible format like JPG or PNG "
    "and try again."
)


def _decoded(data: str) -> bytes:
    usable = re.sub(r"[^A-Za-z0-9+/]", "", data)
    try:
        return base64.b64decode(usable + "=" * (-len(usable) % 4))
    except binascii.Error:
        return base64.b64decode(usable[: len(usable) // 4 * 4])


def listed(value: Any) -> list[Any]:
    """A value that may be one or several."""
    return list(value) if isinstance(value, list | tuple) else [value] if value not in (None, "") else []


def product_for(store: Store, user: User, name: object) -> Product:
    """A product that new bugs can go to; unknown and forbidden ones are not told apart."""
    product = store.products.get(str(name))
    if product is None or not store.may_see_product(user, product):
        why = f"Sorry, either the product {name} does not exist or you aren't authorized to enter a bug into it."
        raise BugzillaError(106, why)
    if not product.is_open:
        raise BugzillaError(106, f"Sorry, entering a bug into the product {name} has been disabled.")
    return product


def component_of(product: Product, name: object) -> Component:
    component = product.component(name)
    if component is None:
        raise no_such("component", name, f" in the '{product.name}' product")
    if not component.is_active:
        raise BugzillaError(32000, f"The component value '{name}' is not active.")
    return component


def version(product: Product, name: object) -> str:
    if name not in product.versions.values():
        raise no_such("version", name, f" in the '{product.name}' product")
    return str(name)


def milestone(product: Product, name: object) -> str:
    if name not in [n for n, _ in product.milestones.values()]:
        raise no_such("milestone", name, f" in the '{product.name}' product")
    return str(name)


def existing(store: Store, number: object) -> Bug:
    """A bug by number, as links to others name it."""
    bug = store.bugs.get(int(str(number))) if str(number).isdigit() else checks.bug_by_alias(store, str(number))
    if bug is None:
        raise BugzillaError(101, f"Bug #{number} does not exist.")
    return bug
