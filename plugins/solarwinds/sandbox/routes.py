"""The API: incidents with their comments and files, people, lists, the audit log.

Sources: the vendor's API documentation; public clients (MCP-SWSD, samanage-ruby) for paths, filters and answers.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.solarwinds.sandbox.errors import ServiceDeskError, invalid, missing
from plugins.solarwinds.sandbox.paging import listed, page_of
from plugins.solarwinds.sandbox.reading import incident_values, wrapped
from plugins.solarwinds.sandbox.shapes import plain
from plugins.solarwinds.sandbox.state import CATEGORIES, GROUPS, Incident, Note

if TYPE_CHECKING:
    from plugins.solarwinds.sandbox.server import SolarwindsSandbox

MOST_BYTES = 25 * 1024 * 1024
SORTS = {"created_at": lambda i: i.created, "updated_at": lambda i: i.updated, "name": lambda i: i.name}


def api_routes(sandbox: SolarwindsSandbox) -> Blueprint:
    """The blueprint, to be mounted at the root."""
    routes = Blueprint("api", __name__)
    store, shapes, changes = sandbox.store, sandbox.shapes, sandbox.changes

    def known(number: int) -> Incident:
        incident = store.incidents.get(number)
        if incident is None or not (g.user.is_agent or incident.requester is g.user):
            raise missing()
        return incident

    def known_comment(number: int, comment_id: int) -> tuple[Incident, Note]:
        incident = known(number)
        note = next((c for c in incident.comments if c.id == comment_id), None)
        if note is None:
            raise missing()
        return incident, note

    @routes.get("/incidents.json")
    def list_incidents() -> ResponseReturnValue:
        rows, headers = page_of(_listed_incidents(sandbox))
        is_long = request.args.get("layout") == "long"
        return listed([shapes.incident(i, is_long=is_long) for i in rows], headers)

    @routes.post("/incidents.json")
    def create_incident() -> ResponseReturnValue:
        values = incident_values(store, wrapped("incident"), None, sandbox.settings, g.user)
        incident = changes.create(g.user, values, origin="api", is_loud=_is_loud())
        return jsonify(shapes.incident(incident)), 201

    @routes.get("/incidents/<int:number>.json")
    def show_incident(number: int) -> ResponseReturnValue:
        return jsonify(shapes.incident(known(number), is_long=request.args.get("layout") == "long"))

    @routes.put("/incidents/<int:number>.json")
    def update_incident(number: int) -> ResponseReturnValue:
        incident = known(number)
        values = incident_values(store, wrapped("incident"), incident, sandbox.settings, g.user)
        changes.update(g.user, incident, values, is_loud=_is_loud())
        return jsonify(shapes.incident(incident))

    @routes.delete("/incidents/<int:number>.json")
    def delete_incident(number: int) -> ResponseReturnValue:
        incident = known(number)
        changes.delete(g.user, incident)
        return jsonify(shapes.incident(incident))

    @routes.get("/incidents/<int:number>/comments.json")
    def list_comments(number: int) -> ResponseReturnValue:
        rows, headers = page_of(known(number).comments)
        return listed([shapes.comment(c) for c in rows], headers)

    @routes.post("/incidents/<int:number>/comments")
    @routes.post("/incidents/<int:number>/comments.json")
    def add_comment(number: int) -> ResponseReturnValue:
        incident, body = known(number), wrapped("comment")
        if not body.get("body"):
            raise invalid(body="can't be blank")
        author = g.user
        if isinstance(body.get("user"), dict):
            author = store.by_email(str(body["user"].get("email") or "")) or author
        # A comment that does not say so is public.
        is_private = bool(body.get("is_private", False))
        note = changes.comment(author, incident, body["body"], is_private=is_private, is_loud=_is_loud())
        if not request.path.endswith(".json"):
            # Some installations answer so, and have stored the comment.
            raise ServiceDeskError(406)
        return jsonify(shapes.comment(note)), 201

    @routes.put("/incidents/<int:number>/comments/<int:comment_id>.json")
    def edit_comment(number: int, comment_id: int) -> ResponseReturnValue:
        incident, note = known_comment(number, comment_id)
        body = wrapped("comment")
        if not body.get("body"):
            raise invalid(body="can't be blank")
        changes.edit(g.user, incident, note, body["body"])
        return jsonify(shapes.comment(note))

    @routes.delete("/incidents/<int:number>/comments/<int:comment_id>.json")
    def delete_comment(number: int, comment_id: int) -> ResponseReturnValue:
        incident, note = known_comment(number, comment_id)
        changes.drop(g.user, incident, note)
        return jsonify(shapes.comment(note))

    @routes.post("/attachments.json")
    def attach() -> ResponseReturnValue:
        kind, owner_id = request.form.get("file[attachable_type]", ""), request.form.get("file[attachable_id]", "")
        upload = request.files.get("file[attachment]")
        if upload is None or not owner_id.isdigit():
            raise invalid(attachment="can't be blank")
        note: Note | None = None
        if kind == "Comment":
            found = store.comment_of(int(owner_id))
            if found is None:
                raise missing()
            incident, note = found
        elif kind == "Incident":
            incident = known(int(owner_id))
        else:
            raise invalid(attachable_type="is not included in the list")
        content = upload.read()
        if len(content) > MOST_BYTES:
            raise invalid(attachment="is too large")
        mimetype = upload.mimetype or "application/octet-stream"
        file = store.add_file(upload.filename or "file", content, mimetype, g.user)
        changes.attach(g.user, incident, note, file)
        return jsonify(shapes.file(file, kind, int(owner_id))), 201

    @routes.get("/users.json")
    def list_users() -> ResponseReturnValue:
        email = request.args.get("email")
        users = [u for u in store.users.values() if email is None or u.email.casefold() == email.casefold()]
        rows, headers = page_of(users)
        return listed([shapes.user(u) for u in rows], headers)

    @routes.get("/users/<int:number>.json")
    def show_user(number: int) -> ResponseReturnValue:
        if number not in store.users:
            raise missing()
        return jsonify(shapes.user(store.users[number]))

    @routes.get("/profile.json")
    def profile() -> ResponseReturnValue:
        return jsonify({**shapes.user(g.user), "last_login": None})

    @routes.get("/api.json")
    def api() -> ResponseReturnValue:
        return jsonify(user=shapes.user(g.user))

    @routes.get("/groups.json")
    def groups() -> ResponseReturnValue:
        rows, headers = page_of(list(GROUPS.items()))
        return listed([{"id": number, "name": name, "is_user": False} for number, name in rows], headers)

    @routes.get("/categories.json")
    def categories() -> ResponseReturnValue:
        rows, headers = page_of(CATEGORIES)
        # The documentation's samples show rows under the name of what they are.
        return listed([{"category": {"id": 5, "name": name, "children": []}} for name in rows], headers)

    @routes.get("/custom_fields.json")
    def custom_fields() -> ResponseReturnValue:
        return listed(*page_of(shapes.custom_fields()))

    @routes.get("/audits.json")
    def audits() -> ResponseReturnValue:
        if not sandbox.settings["may_read_audits"]:
            raise ServiceDeskError(403, {"error": "Forbidden"})
        rows, headers = page_of(list(reversed(store.audits)))
        return listed([shapes.audit(a) for a in rows], headers)

    @routes.get("/incidents/<int:number>/audits.json")
    def audits_of(number: int) -> ResponseReturnValue:
        incident = known(number)
        rows, headers = page_of([a for a in reversed(store.audits) if a.incident_id == incident.id])
        return listed([shapes.audit(a) for a in rows], headers)

    return routes


def _is_loud() -> bool:
    return request.args.get("add_callbacks", "").casefold() in ("true", "1")


def _listed_incidents(sandbox: SolarwindsSandbox) -> list[Incident]:
    """The filters that are known; others are ignored without a word."""
    store, settings, args = sandbox.store, sandbox.settings, request.args
    rows = [i for i in store.incidents.values() if g.user.is_agent or i.requester is g.user]
    since = _moment(args.get("updated_from"))
    if since is not None and not settings["ignores_filters"]:
        rows = [i for i in rows if i.updated >= since]
    for key, name in (("state[]", "state"), ("priority[]", "priority")):
        if wanted := args.getlist(key):
            rows = [i for i in rows if getattr(i, name) in wanted]
    query = args.get("query")
    if query:
        words, now = query.strip('"').casefold(), store.now()
        rows = [i for i in rows if i.searchable_from and i.searchable_from <= now and words in _searched(i)]
    sort = args.get("sort_by", "updated_at")
    if settings["ignores_sort"] or sort not in SORTS:
        return sorted(rows, key=lambda i: i.number % 7)
    return sorted(rows, key=SORTS[sort], reverse=args.get("sort_order", "DESC").upper() == "DESC")


def _searched(incident: Incident) -> str:
    return f"{incident.number} {incident.name} {plain(incident.description)}".casefold()


def _moment(text: str | None) -> datetime | None:
    """To the minute, in UTC where no offset is given; anything else is no filter."""
    try:
        given = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return given if given.tzinfo else given.replace(tzinfo=UTC)
