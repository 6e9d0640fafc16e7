"""The instance's API under /api/v4, for one project's issues and what a client needs around them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, g, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.routing import BaseConverter

from plugins.gitlab.sandbox.changes import Changes, Site
from plugins.gitlab.sandbox.shapes import Json, Shapes
from plugins.gitlab.sandbox.state import (
    MAINTAINER,
    Issue,
    Note,
    Project,
    Upload,
    User,
    bad,
    forbidden,
    not_found,
)

PROJECT = "/projects/<project:project>"
HOOK_EVENTS = ("issues_events", "confidential_issues_events", "note_events", "confidential_note_events")


class ProjectConverter(BaseConverter):
    """A project in an address: its number, or its path, whose slash arrives decoded."""

    regex = r"\d+|(?!\d+/)[\w.\-]+/[\w.\-]+"
    part_isolating = False


class ApiSite(Site, Protocol):
    """What the routes need of the sandbox."""

    changes: Changes
    shapes: Shapes
    leaked_authorizations: list[str]

    def token_ends(self) -> str: ...
    def add_hook(self, project: Project, body: Json) -> Json: ...
    def hooks_of(self, project: Project) -> list[Json]: ...
    def check_limit(self, name: str) -> None: ...


def me() -> User:
    """Who makes the present request."""
    user: User = g.user
    return user


def api_routes(site: ApiSite) -> Blueprint:
    """Everything under /api/v4."""
    routes = Blueprint("api", __name__, url_prefix="/api/v4")
    store, shapes, changes = site.store, site.shapes, site.changes

    def project_of(text: str) -> Project:
        found = store.project(text)
        if found is None or not (found.level(me()) or found.visibility == "public"):
            # A private project does not exist for who is no member.
            raise not_found("Project Not Found")
        return found

    def issue_of(text: str, iid: str) -> Issue:
        project = project_of(text)
        found = project.issues.get(int(iid)) if iid.isdigit() else None
        if found is None or not project.may_see(me(), found):
            raise not_found()
        return found

    def note_of(issue: Issue, note_id: int) -> Note:
        found = next((n for n in issue.notes if n.id == note_id), None)
        if found is None or not _may_read(issue, found):
            raise not_found("Note Not Found")
        return found

    @routes.get("/version")
    def version() -> ResponseReturnValue:
        return jsonify(version="18.2.1", revision="sandbox")

    @routes.get("/user")
    def user() -> ResponseReturnValue:
        return jsonify(shapes.me(me()))

    @routes.get("/users")
    def users() -> ResponseReturnValue:
        """Search finds names, user names and public mail addresses; the private ones are for administrators."""
        wanted = request.args.get("search", "").casefold()
        name = request.args.get("username", "").casefold()
        found = [
            u
            for u in store.users.values()
            if (wanted in u.name.casefold() or wanted in u.username.casefold() or wanted == u.public_email.casefold())
            and name in ("", u.username.casefold())
        ]
        return _page([shapes.user(u) for u in found])

    @routes.get("/users/<int:user_id>")
    def one_user(user_id: int) -> ResponseReturnValue:
        found = next((u for u in store.users.values() if u.id == user_id), None)
        if found is None:
            raise not_found("User Not Found")
        return jsonify(shapes.user(found))

    @routes.get("/personal_access_tokens/self")
    def own_token() -> ResponseReturnValue:
        user = me()
        return jsonify(
            id=user.id, name="sandbox", revoked=False, created_at="2026-01-05T08:00:00.000Z", scopes=user.scopes,
            user_id=user.id, active=True, expires_at=site.token_ends(),
        )  # fmt: skip

    @routes.get("/projects")
    def projects() -> ResponseReturnValue:
        return _page([shapes.project(p, p.level(me())) for p in store.projects.values() if p.level(me())])

    @routes.get(PROJECT)
    def one_project(project: str) -> ResponseReturnValue:
        found = project_of(project)
        return jsonify(shapes.project(found, found.level(me())))

    @routes.route(f"{PROJECT}/labels", methods=["GET", "POST"])
    def labels(project: str) -> ResponseReturnValue:
        found = project_of(project)
        if request.method == "GET":
            return _page([shapes.label(name, id_) for name, id_ in sorted(found.labels.items())])
        body = _body()
        for needed in ("name", "color"):
            if needed not in body:
                raise bad(f"{needed} is missing")
        found.labels.setdefault(str(body["name"]), store.new_id())
        return jsonify(shapes.label(str(body["name"]), found.labels[str(body["name"])])), 201

    @routes.get(f"{PROJECT}/issues")
    def issues(project: str) -> ResponseReturnValue:
        found = project_of(project)
        visible = [i for i in found.issues.values() if found.may_see(me(), i)]
        return _page([shapes.issue(i) for i in _filtered(visible)])

    @routes.post(f"{PROJECT}/issues")
    def new_issue(project: str) -> ResponseReturnValue:
        found = project_of(project)
        site.check_limit("issues_create")
        return jsonify(shapes.issue(changes.create(me(), found, _body()))), 201

    @routes.route(f"{PROJECT}/issues/<iid>", methods=["GET", "PUT", "DELETE"])
    def issue(project: str, iid: str) -> ResponseReturnValue:
        found = issue_of(project, iid)
        if request.method == "PUT":
            changes.update(me(), found, _body())
        elif request.method == "DELETE":
            if found.project.level(me()) < MAINTAINER:
                raise forbidden()
            changes.delete(found)
            return "", 204
        return jsonify(shapes.issue(found))

    @routes.post(f"{PROJECT}/issues/<iid>/move")
    def move(project: str, iid: str) -> ResponseReturnValue:
        found = issue_of(project, iid)
        to = project_of(str(_body().get("to_project_id", "")))
        return jsonify(shapes.issue(changes.move(me(), found, to))), 201

    @routes.route(f"{PROJECT}/issues/<iid>/notes", methods=["GET", "POST"])
    def notes(project: str, iid: str) -> ResponseReturnValue:
        found = issue_of(project, iid)
        if request.method == "GET":
            by, newest = request.args.get("order_by", "created_at"), request.args.get("sort", "desc") == "desc"
            shown = [n for n in found.notes if _may_read(found, n)]
            shown.sort(key=lambda n: (n.updated if by == "updated_at" else n.created, n.id), reverse=newest)
            return _page([shapes.note(found, n) for n in shown])
        site.check_limit("notes_create")
        made = changes.add_note(me(), found, _body())
        return (jsonify(shapes.note(found, made)), 201) if isinstance(made, Note) else (jsonify(made), 202)

    @routes.route(f"{PROJECT}/issues/<iid>/notes/<int:note_id>", methods=["GET", "PUT", "DELETE"])
    def one_note(project: str, iid: str, note_id: int) -> ResponseReturnValue:
        found = issue_of(project, iid)
        note = note_of(found, note_id)
        if request.method == "DELETE":
            changes.delete_note(me(), found, note)
            return "", 204
        if request.method == "PUT":
            changes.edit_note(me(), found, note, _body())
        return jsonify(shapes.note(found, note))

    @routes.post(f"{PROJECT}/uploads")
    def upload(project: str) -> ResponseReturnValue:
        found = project_of(project)
        file = request.files.get("file")
        if file is None:
            raise bad("file is missing")
        name = re.sub(r"[^\w.\-+]", "_", file.filename or "file")
        made = Upload(secrets.token_hex(16), name, file.read(), file.mimetype)
        changes.upload(found, made)
        address = f"/uploads/{made.secret}/{quote(name)}"
        is_image = made.content_type.startswith("image/")
        alt = name.rpartition(".")[0] if is_image else name
        return jsonify(
            id=store.new_id(), alt=alt, url=address, full_path=f"/-/project/{found.id}{address}",
            markdown=f"{'!' if is_image else ''}[{alt}]({address})",
        ), 201  # fmt: skip

    @routes.get(f"{PROJECT}/uploads/<secret>/<name>")
    def download(project: str, secret: str, name: str) -> ResponseReturnValue:
        file = project_of(project).uploads.get((secret, name))
        if file is None:
            raise not_found()
        if site.settings["direct_download"]:
            # Object storage: another host, which must not see the token.
            port = request.host.rpartition(":")[2]
            return redirect(f"http://localhost:{port}/_storage/{project_of(project).id}/{secret}/{quote(name)}")
        return _content(file)

    @routes.route(f"{PROJECT}/hooks", methods=["GET", "POST"])
    def hooks(project: str) -> ResponseReturnValue:
        found = project_of(project)
        if found.level(me()) < MAINTAINER:
            raise forbidden()
        if request.method == "GET":
            return _page(site.hooks_of(found))
        return jsonify(site.add_hook(found, _body())), 201

    return routes


def storage_routes(site: ApiSite) -> Blueprint:
    """The object storage, which is no part of the API and asks for no credentials."""
    routes = Blueprint("storage", __name__)

    @routes.get("/_storage/<int:project>/<secret>/<name>")
    def stored(project: int, secret: str, name: str) -> ResponseReturnValue:
        for header in ("Authorization", "Private-Token"):
            if header in request.headers:
                site.leaked_authorizations.append(header)
        return _content(site.store.projects[project].uploads[secret, name])

    return routes


def _content(file: Upload) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}"}
    return Response(file.content, headers=headers, mimetype="application/octet-stream")


def _may_read(issue: Issue, note: Note) -> bool:
    return not note.is_internal or issue.project.level(me()) >= 20 or me() is note.author


def _filtered(issues: Sequence[Issue]) -> list[Issue]:
    args = request.args
    found = list(issues)
    if args.get("state", "all") not in ("all", ""):
        found = [i for i in found if i.state == args["state"]]
    if "author_id" in args:
        found = [i for i in found if str(i.author.id) == args["author_id"]]
    if "labels" in args:
        wanted = {label.strip() for label in args["labels"].split(",")}
        found = [i for i in found if wanted <= set(i.labels)]
    if "iids[]" in args:
        found = [i for i in found if str(i.iid) in args.getlist("iids[]")]
    if "search" in args:
        # PostgreSQL's text search takes what looks like a tag, a comment of HTML too, for no word.
        text = args["search"].casefold()
        found = [i for i in found if text in re.sub(r"<[^>]*>", "", f"{i.title} {i.description}").casefold()]
    for name, key in (("updated", "updated"), ("created", "created")):
        if f"{name}_after" in args:
            found = [i for i in found if getattr(i, key) >= _time(args[f"{name}_after"], f"{name}_after")]
        if f"{name}_before" in args:
            found = [i for i in found if getattr(i, key) <= _time(args[f"{name}_before"], f"{name}_before")]
    by_update = args.get("order_by", "created_at") == "updated_at"
    newest = args.get("sort", "desc") == "desc"
    return sorted(found, key=lambda i: (i.updated if by_update else i.created, i.id), reverse=newest)


def _time(text: str, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad(f"{name} is invalid") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _page(rows: Sequence[Any]) -> Response:
    """A page with GitLab's headers: 20 rows unless asked, 100 at most."""
    number = max(1, request.args.get("page", 1, int))
    size = min(100, max(1, request.args.get("per_page", 20, int)))
    last = max(1, -(-len(rows) // size))
    answer = jsonify(list(rows[(number - 1) * size : number * size]))
    following = str(number + 1) if number < last else ""
    answer.headers |= {
        "X-Page": str(number), "X-Per-Page": str(size), "X-Total": str(len(rows)), "X-Total-Pages": str(last),
        "X-Next-Page": following, "X-Prev-Page": str(number - 1) if number > 1 else "",
    }  # fmt: skip
    links = {"first": 1, "last": last} | ({"next": number + 1} if following else {})
    pairs = [(k, v) for k, v in request.args.items(multi=True) if k != "page"]
    answer.headers["Link"] = ", ".join(
        f'<{request.base_url}?{urlencode([*pairs, ("page", page)])}>; rel="{rel}"' for rel, page in links.items()
    )
    return answer


def _body() -> Json:
    if request.is_json:
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            raise bad("body is invalid")
        return body
    return {**request.args.to_dict(), **request.form.to_dict()}
