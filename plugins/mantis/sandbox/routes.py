"""The routes of MantisBT's API that the hub and its people use. One function a route; what happens is in `changes`.

Sources: recorded exchanges, named after the routes. Relationships, monitors, saved filters, the pages for people and
all administration are not here: nobody uses them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, Response, g, request

from plugins.mantis.sandbox.answers import answer, body_of_request, positive, selected, tag_of, without_color
from plugins.mantis.sandbox.errors import MantisError, NotAllowedError, PhraseError, denied, no_issue
from plugins.mantis.sandbox.shapes import Json, enum
from plugins.mantis.sandbox.state import (
    CLOSED,
    DEVELOPER,
    ENUMS,
    MANAGER,
    PRIVATE,
    REPORTER,
    RESOLVED,
    UPDATER,
    File,
    Issue,
    Note,
    Project,
    User,
)

if TYPE_CHECKING:
    from plugins.mantis.sandbox.server import MantisSandbox

USUAL_PAGE = 50
SPAM_HOUR = timedelta(seconds=3600)
UNSTABLE = 101
"""A prime: the order of issues with equal times changes with the page's size, as it does with a real database."""


def api_routes(sandbox: MantisSandbox) -> Blueprint:
    """Everything under /api/rest."""
    routes = Blueprint("api", __name__)
    store, shapes, changes = sandbox.store, sandbox.shapes, sandbox.changes

    def route(rule: str, *methods: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        return routes.route(rule, methods=methods or ["GET"], strict_slashes=False)

    # people, projects, options

    @route("/users/me")
    def me() -> Response:
        return answer(selected(shapes.me(g.user)))

    @route("/users/<int:number>")
    def user_by_id(number: int) -> Response:
        return other_user(store.user_by_id(number), 811, f'User with id "{number}" not found.')

    @route("/users/username/<name>")
    def user_by_name(name: str) -> Response:
        return other_user(store.users.get(name), 810, f'User with name "{name}" not found.')

    def other_user(user: User | None, code: int, localized: str) -> Response:
        if user is None:
            raise MantisError(404, "User not found", code, localized)
        if user is not g.user and g.user.level <= MANAGER:
            raise denied("Access denied to get other users")
        return answer({"users": [shapes.me(user)]})

    @route("/projects")
    def projects() -> Response:
        return answer({"projects": [shapes.project(p, g.user) for p in store.visible_projects(g.user)]})

    @route("/projects/<int:number>")
    def project(number: int) -> Response:
        return answer({"projects": [shapes.project(visible_project(number), g.user)]})

    def visible_project(number: object) -> Project:
        found = store.projects.get(int(str(number)))
        if found is None or not store.level(g.user, found):
            raise PhraseError(404, f"Project '{number}' doesn't exist")
        return found

    @route("/config")
    def config() -> Response:
        wanted = request.args.getlist("option[]") or request.args.getlist("option")
        number = request.args.get("project_id", "0")
        project = store.projects.get(int(number)) if number.isdigit() else None
        told = {f"{kind}_enum_string": [without_color(enum(kind, n)) for n in ENUMS[kind]] for kind in ENUMS}
        options: Json = {
            **told,
            # An empty array of PHP is a list in JSON, one with keys an object.
            "status_enum_workflow": (project.workflow if project else {}) or [],
            "max_file_size": 5 * 1024 * 1024,
            "bug_resolved_status_threshold": RESOLVED,
        }
        return answer({"configs": [{"option": o, "value": options[o]} for o in wanted if o in options]})

    # issues

    @route("/issues")
    def list_issues() -> Response:
        chosen = request.args.get("filter_id", "any")
        if chosen.isdigit():
            raise MantisError(404, f"Filter id '{chosen}' not found", 2000, f"Filter {chosen} not found.")
        if chosen not in ("any", "reported", "assigned"):
            return answer({"issues": {"status_code": 404, "fault_string": f"Unknown filter '{chosen}'"}}, etag=True)
        found = [i for i in store.issues.values() if may_see(i)]
        if request.args.get("project_id"):
            wanted = visible_project(request.args["project_id"])
            found = [i for i in found if i.project is wanted]
        if chosen == "reported":
            found = [i for i in found if i.reporter is g.user]
        elif chosen == "assigned":
            found = [i for i in found if i.handler is g.user and i.numbers["status"] < RESOLVED]
        size = positive(request.args.get("page_size"), USUAL_PAGE)
        found.sort(key=lambda i: (-i.is_sticky, -i.updated.timestamp(), i.id * 37 % UNSTABLE * size % UNSTABLE))
        page = request.args.get("page", "1")
        start = (positive(page, 1) - 1) * size if page.lstrip("-").isdigit() else len(found)
        shown = [selected(shapes.issue(i, g.user)) for i in found[start : start + size]]
        return answer({"issues": shown}, etag=True)

    @route("/issues", "POST")
    def create() -> Response:
        body = body_of_request()
        body = body if isinstance(body, dict) else {}
        may_do_more()
        issue = changes.create(g.user, body)
        return answer({"issue": shapes.issue(issue, g.user)}, 201, f"Issue Created with id {issue.id}")

    @route("/issues/<int:number>")
    def get(number: int) -> Response:
        body = {"issues": [selected(shapes.issue(visible(number), g.user))]}
        if request.headers.get("If-None-Match") == tag_of(body):
            response = Response(status=304)
            response.headers["ETag"] = tag_of(body)
            return response
        return answer(body, etag=True)

    @route("/issues/<int:number>", "PATCH")
    def patch(number: int) -> Response:
        issue = visible(number)
        body = body_of_request()
        tag = whole_tag(issue)
        if request.headers.get("If-Match", tag) != tag:
            raise PhraseError(412, "Precondition Failed", tag)
        may_change(issue)
        changes.patch(g.user, issue, body)
        return answer(whole(issue), 200, f"Issue with id {number} Updated", etag=True)

    @route("/issues/<int:number>", "DELETE")
    def delete(number: int) -> Response:
        issue = visible(number)
        if store.level(g.user, issue.project) < DEVELOPER:
            raise denied("Access denied to delete issue")
        tag = whole_tag(issue)
        changes.delete(g.user, issue)
        response = Response(status=204)
        response.headers["ETag"] = tag
        return response

    # notes

    @route("/issues/<int:number>/notes", "POST")
    def add_note(number: int) -> Response:
        issue = visible(number)
        if store.level(g.user, issue.project) < REPORTER:
            raise denied("Reporter can't add notes")
        may_do_more()
        note = changes.add_note(g.user, issue, body_of_request(may_be_empty=True))
        body = {"note": shapes.note(note, issue, g.user), "issue": shapes.issue(issue, g.user)}
        return answer(body, 201, f"Issue Note Created with id {number}")

    @route("/issues/<int:number>/notes/<int:note_id>", "DELETE")
    def delete_note(number: int, note_id: int) -> Response:
        issue = visible(number)
        note = note_of(issue, note_id)
        if note.author is not g.user and store.level(g.user, issue.project) < DEVELOPER:
            raise denied("Access denied to delete note")
        changes.delete_note(g.user, issue, note)
        return answer({"issue": shapes.issue(issue, g.user)}, 200, "Issue Note Deleted")

    @route("/issues/<int:number>/notes/<int:note_id>", "GET", "PUT", "PATCH")
    def no_such_method_of_a_note(**_: int) -> Response:
        raise NotAllowedError("DELETE")

    def note_of(issue: Issue, note_id: int) -> Note:
        for note in issue.notes:
            if note.id == note_id and shapes.may_read(note, issue, g.user):
                return note
        raise MantisError(404, f"Issue note #{note_id} not found", 600, "Note not found.")

    # files

    @route("/issues/<int:number>/files")
    def files(number: int) -> Response:
        return answer({"files": [shapes.file(f, g.user, with_content=True) for f in files_of(visible(number))]})

    @route("/issues/<int:number>/files/<int:file_id>")
    def one_file(number: int, file_id: int) -> Response:
        found = [f for f in files_of(visible(number)) if f.id == file_id]
        return answer({"files": [shapes.file(f, g.user, with_content=True) for f in found]})

    @route("/issues/<int:number>/files/<int:file_id>", "DELETE")
    def delete_file(number: int, file_id: int) -> Response:
        if not sandbox.is_new:
            raise NotAllowedError("GET")
        issue = visible(number)
        for held in (issue.files, *(note.files for note in issue.notes)):
            held[:] = [f for f in held if f.id != file_id]
        return answer({"issue": shapes.issue(issue, g.user)})

    @route("/issues/<int:number>/files", "POST")
    def add_files(number: int) -> Response:
        issue = visible(number)
        given = body_of_request(may_be_empty=True).get("files")
        if not given:
            raise MantisError(400, "Files not provided", 29, 'Invalid value for "files"')
        changes.add_files(g.user, issue, given)
        return Response(status=f"201 {'Issue File(s) Attached'}", content_type="text/html; charset=UTF-8")

    def files_of(issue: Issue) -> list[File]:
        readable = [n for n in issue.notes if shapes.may_read(n, issue, g.user)]
        return sorted([*issue.files, *(f for note in readable for f in note.files)], key=lambda f: f.id)

    # tags

    @route("/issues/<int:number>/tags", "POST")
    def add_tags(number: int) -> Response:
        issue = visible(number)
        changes.add_tags(g.user, issue, body_of_request(may_be_empty=True).get("tags"))
        return answer(whole(issue), 201, f"Tag attached to issue {number}")

    @route("/issues/<int:number>/tags/<int:tag_id>", "DELETE")
    def remove_tag(number: int, tag_id: int) -> Response:
        issue = visible(number)
        changes.remove_tag(g.user, issue, tag_id)
        return answer(whole(issue), 200, f"Tag detached from issue {number}")

    # who may do what

    def whole(issue: Issue) -> Json:
        return {"issues": [shapes.issue(issue, g.user)]}

    def whole_tag(issue: Issue) -> str:
        return tag_of(whole(issue))

    def may_see(issue: Issue) -> bool:
        level = store.level(g.user, issue.project)
        is_private = issue.numbers["view_state"] == PRIVATE
        return bool(level) and (not is_private or level >= DEVELOPER or issue.reporter is g.user)

    def visible(number: int) -> Issue:
        issue = store.issues.get(number)
        if issue is None:
            raise no_issue(number)
        if not may_see(issue):
            raise MantisError(403, f"Access denied for user {g.user.login}.")
        return issue

    def may_change(issue: Issue) -> None:
        level = store.level(g.user, issue.project)
        if RESOLVED <= issue.numbers["status"] <= CLOSED and level < MANAGER:
            raise MantisError(403, f"Issue '{issue.id}' is readonly")
        if level < UPDATER:
            raise MantisError(403, f"Access denied for user {g.user.login}.")

    def may_do_more() -> None:
        """The limit against spam: so many events an hour for reporters and below."""
        limit = int(sandbox.settings["antispam"])
        recent = [at for at in store.activity.get(g.user.login, ()) if at > store.now() - SPAM_HOUR]
        if limit and g.user.level <= REPORTER and len(recent) >= limit:
            localized = (
                f"You have reached the allowed activity limit of {limit} events within the last 3600 seconds; your "
                "action has been blocked to avoid spam, please try again later."
            )
            raise MantisError(429, "Hit rate limit threshold", 27, localized)

    return routes
