"""The routes under `/bug`.

Sources: recorded exchanges; Mozilla's `Bugzilla/WebService/Server/REST/Resources/Bug.pm`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g

from plugins.bugzilla.sandbox import checks, search
from plugins.bugzilla.sandbox.creation import listed
from plugins.bugzilla.sandbox.errors import LOGIN_NEEDED, BugzillaError, missing, no_bug
from plugins.bugzilla.sandbox.shapes import Wanted, zulu
from plugins.bugzilla.sandbox.state import Bug, Comment, File, User

if TYPE_CHECKING:
    from plugins.bugzilla.sandbox.server import BugzillaSandbox

View = Callable[..., Response]


def bug_routes(sandbox: BugzillaSandbox) -> Blueprint:
    """The blueprint of one installation. `g.user` is who asks (None for nobody), `g.params` what they sent."""
    routes = Blueprint("bugzilla_bugs", __name__)
    store, shapes = sandbox.store, sandbox.shapes
    creation, changes, answer = sandbox.creation, sandbox.changes, sandbox.answer

    def signed_in() -> User:
        if g.user is None:
            raise BugzillaError(410, LOGIN_NEEDED)
        return g.user  # type: ignore[no-any-return]  # Flask's g is untyped

    def visible(given: object) -> Bug:
        """A bug by number or alias that the caller may see."""
        text = str(given)
        if text.isdigit():
            bug = store.bugs.get(int(text))
            if bug is None:
                raise no_bug(text)
        else:
            by_alias = checks.bug_by_alias(store, text)
            if by_alias is None:
                raise BugzillaError(100, f"'{text}' is not a valid bug number nor an alias to a bug.")
            bug = by_alias
        if not store.may_see(g.user, bug):
            raise BugzillaError(102, f"You are not authorized to access bug #{bug.id}.")
        return bug

    def since() -> Any:
        return checks.date_of(listed(g.params["new_since"])[0]) if g.params.get("new_since") else None

    @routes.get("/bug")
    def find() -> Response:
        wanted = Wanted.of(g.params)
        shown = [shapes.bug(b, g.user, wanted) for b in search.found(store, g.user, g.params)]
        # Only a bug that is asked for by itself comes with the token for changing it.
        return answer({"bugs": [{k: v for k, v in one.items() if k != "update_token"} for one in shown]})

    @routes.post("/bug")
    def create() -> Response:
        return answer({"id": creation.bug(signed_in(), g.params).id})

    @routes.get("/bug/<given>")
    def read(given: str) -> Response:
        bug = visible(given)
        return answer({"bugs": [shapes.bug(bug, g.user, Wanted.of(g.params))], "faults": []})

    @routes.put("/bug/<given>")
    def update(given: str) -> Response:
        """`ids` in the body stand instead of the address's."""
        user = signed_in()
        bugs = [visible(one) for one in listed(g.params.get("ids")) or [given]]
        done = [
            {
                "id": bug.id,
                "alias": shapes.alias(bug) or ([] if store.flavour != "bmo" else ""),
                "last_change_time": zulu(bug.changed),
                "changes": {name: {"removed": a, "added": b} for name, (a, b) in changed.items()},
            }
            for bug, changed in changes.update(user, bugs, g.params)
        ]
        return answer({"bugs": done})

    @routes.get("/bug/<given>/history")
    def history(given: str) -> Response:
        begin = since()
        bugs = [visible(one) for one in [given, *listed(g.params.get("ids"))]]
        return answer(
            {
                "bugs": [
                    {"id": b.id, "alias": shapes.alias(b), "history": shapes.history(b, g.user, begin)} for b in bugs
                ]
            }
        )

    # comments

    @routes.get("/bug/<given>/comment")
    def comments(given: str) -> Response:
        begin, wanted = since(), Wanted.of(g.params)
        shown: dict[str, Any] = {}
        for one in [given, *listed(g.params.get("ids"))]:
            bug = visible(one)
            readable = [c for c in shapes.readable(bug, g.user) if begin is None or c.created > begin]
            shown[str(bug.id)] = {"comments": [wanted.filter(shapes.comment(c, g.user)) for c in readable]}
        return answer({"bugs": shown, "comments": {}})

    @routes.post("/bug/<given>/comment")
    def say(given: str) -> Response:
        user = signed_in()
        return answer({"id": creation.comment(user, visible(given), g.params).id}, 201)

    @routes.get("/bug/comment/<int:number>")
    def comment(number: int) -> Response:
        return answer({"bugs": {}, "comments": {str(number): shapes.comment(readable_comment(number), g.user)}})

    @routes.put("/bug/comment/<int:number>/tags")
    def tags(number: int) -> Response:
        """Moves no `last_change_time`."""
        user, group = signed_in(), store.params["comment_taggers_group"]
        found = readable_comment(number)
        if group not in user.groups:
            why = f"Sorry, you aren't a member of the '{group}' group, and so you are not authorized to comment tags."
            raise BugzillaError(304, why)
        added = [checks.comment_tag(str(tag)) for tag in listed(g.params.get("add"))]
        removed = [str(tag) for tag in listed(g.params.get("remove"))]
        found.tags[:] = sorted({*found.tags, *added} - set(removed))
        return answer(found.tags)

    def readable_comment(number: int) -> Comment:
        found = store.comment(number)
        if found is None:
            raise BugzillaError(111, f"{number} is not a valid comment id.")
        bug, one = found
        visible(bug.id)
        if one.is_private and not store.is_insider(g.user):
            raise BugzillaError(110, f"Comment id {number} is private.")
        return one

    # files

    @routes.get("/bug/<given>/attachment")
    def files(given: str) -> Response:
        bug, wanted = visible(given), Wanted.of(g.params)
        readable = [f for f in bug.files if store.is_insider(g.user) or not f.is_private]
        shown = [wanted.filter(shapes.file(f, with_data=wanted("data"))) for f in readable]
        return answer({"bugs": {str(bug.id): shown}, "attachments": {}})

    @routes.post("/bug/<given>/attachment")
    def attach(given: str) -> Response:
        user, bug = signed_in(), visible(given)
        file = creation.file(user, bug, g.params)
        if store.flavour == "bmo":
            return answer({"attachments": {str(file.id): shapes.file(file)}}, 201)
        return answer({"ids": [file.id]}, 201)

    @routes.get("/bug/attachment/<int:number>")
    def file(number: int) -> Response:
        """An unknown number is no error: nothing is found."""
        found = store.file(number)
        shown = {}
        if found is not None:
            readable(*found)
            shown = {str(number): Wanted.of(g.params).filter(shapes.file(found[1]))}
        return answer({"bugs": {}, "attachments": shown})

    @routes.put("/bug/attachment/<int:number>")
    def change_file(number: int) -> Response:
        user, found = signed_in(), store.file(number)
        if found is None:
            raise missing("", "ids")
        bug, one = readable(*found)
        changed = changes.update_file(user, bug, one, g.params)
        told = {name: {"removed": a, "added": b} for name, (a, b) in changed.items()}
        return answer({"attachments": [{"id": one.id, "last_change_time": zulu(one.changed), "changes": told}]})

    def readable(bug: Bug, one: File) -> tuple[Bug, File]:
        visible(bug.id)
        if one.is_private and not store.is_insider(g.user):
            raise BugzillaError(304, f"Sorry, you are not authorized to access attachment #{one.id}.")
        return bug, one

    return routes
