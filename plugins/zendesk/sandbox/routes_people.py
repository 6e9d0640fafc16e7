"""People and the account's set-up: users, organizations, groups, fields, statuses, forms, macros, links to issues."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.zendesk.sandbox import shapes
from plugins.zendesk.sandbox.calls import found, ids_of, json_body, wrapped
from plugins.zendesk.sandbox.errors import invalid, not_found
from plugins.zendesk.sandbox.paging import page
from plugins.zendesk.sandbox.state import User, iso

if TYPE_CHECKING:
    from plugins.zendesk.sandbox.server import ZendeskSandbox

ANONYMOUS: dict[str, Any] = {
    "id": None,
    "url": None,
    "name": "Anonymous user",
    "email": "invalid@example.com",
    "role": "end-user",
    "verified": False,
    "active": True,
}
MACRO_ACTIONS = (
    "subject", "status", "priority", "type", "group_id", "assignee_id", "set_tags", "current_tags", "remove_tags",
    "comment_value", "comment_value_html", "comment_mode_is_public", "custom_status_id", "brand_id", "ticket_form_id",
)  # fmt: skip
REFUSED_ACTIONS = (("status", "new"), ("status", "closed"))
WRITABLE = ("name", "email", "role", "external_id", "organization_id", "phone", "notes", "details", "tags")


def people_routes(sandbox: ZendeskSandbox) -> Blueprint:
    """Routes under /users, /organizations, /groups, /ticket_fields, /custom_statuses, /ticket_forms, /macros."""
    routes, store = Blueprint("people", __name__), sandbox.store
    shown = partial(shapes.user, store)

    def listed(people: list[User]) -> ResponseReturnValue:
        return jsonify(page("users", people, key=lambda u: u.id, show=shown, base_url=sandbox.url))

    def person(user_id: int) -> User:
        if user_id not in store.users:
            raise not_found()
        return store.users[user_id]

    def write(user: User, given: dict[str, Any]) -> User:
        for key in WRITABLE:
            if key in given:
                setattr(user, key, given[key])
        user.updated_at = sandbox.clock()
        return user

    def known(given: dict[str, Any]) -> User | None:
        if given.get("external_id"):
            same = [u for u in store.users.values() if u.external_id == given["external_id"]]
            if same:
                return same[0]
        return store.user_by_email(str(given.get("email") or ""))

    def create(given: dict[str, Any]) -> User:
        if not given.get("name"):
            raise invalid("name", "Name: is too short (minimum one character)", "BlankValue")
        return write(store.add_user(given["name"], given.get("email") or ""), given)

    @routes.get("/users/me")
    def me() -> ResponseReturnValue:
        return jsonify(user=shown(g.person) if g.person else ANONYMOUS)

    @routes.get("/users")
    def users() -> ResponseReturnValue:
        roles = request.args.getlist("role") + request.args.getlist("role[]")
        return listed([u for u in store.users.values() if not roles or u.role in roles])

    @routes.get("/users/<int:user_id>")
    def show(user_id: int) -> ResponseReturnValue:
        return jsonify(user=shown(person(user_id)))

    @routes.get("/users/show_many")
    def show_many() -> ResponseReturnValue:
        return listed([store.users[id] for id in ids_of(request.args.get("ids")) if id in store.users])

    @routes.get("/users/search")
    def search() -> ResponseReturnValue:
        external_id = request.args.get("external_id")
        if external_id is not None:
            return listed([u for u in store.users.values() if u.external_id == external_id])
        query = request.args.get("query", "").removeprefix("email:").strip('"').lower()
        return listed([u for u in store.users.values() if query in f"{u.name} {u.email}".lower()])

    @routes.post("/users")
    def create_user() -> ResponseReturnValue:
        given = wrapped("user")
        if store.user_by_email(str(given.get("email") or "")):
            raise invalid("email", f"Email: {given['email']} is already being used by another user", "DuplicateValue")
        return jsonify(user=shown(create(given))), 201

    @routes.post("/users/create_or_update")
    def create_or_update() -> ResponseReturnValue:
        given = wrapped("user")
        if user := known(given):
            return jsonify(user=shown(write(user, given))), 200
        return jsonify(user=shown(create(given))), 201

    @routes.put("/users/<int:user_id>")
    def update(user_id: int) -> ResponseReturnValue:
        return jsonify(user=shown(write(person(user_id), wrapped("user"))))

    tables = (
        ("organizations", "organization", store.organizations),
        ("groups", "group", store.groups),
        ("ticket_fields", "ticket_field", store.fields),
        ("custom_statuses", "custom_status", store.statuses),
        ("ticket_forms", "ticket_form", store.forms),
        ("macros", "macro", store.macros),
    )
    for plural, singular, table in tables:
        _add_table(routes, sandbox, plural, singular, table)

    @routes.post("/macros")
    def create_macro() -> ResponseReturnValue:
        id, now = store.new_id(), iso(sandbox.clock())
        store.macros[id] = {
            "url": f"/api/v2/macros/{id}.json", "id": id, "active": True, "position": 1, "description": None,
            "restriction": None, **_checked_macro(wrapped("macro"), {}), "created_at": now, "updated_at": now,
        }  # fmt: skip
        return jsonify(macro=shapes.plain(store, store.macros[id]))

    @routes.put("/macros/<int:macro_id>")
    def update_macro(macro_id: int) -> ResponseReturnValue:
        macro = found(store.macros, macro_id)
        macro |= {**_checked_macro(wrapped("macro"), macro), "updated_at": iso(sandbox.clock())}
        return jsonify(macro=shapes.plain(store, macro))

    @routes.get("/macros/active")
    def active_macros() -> ResponseReturnValue:
        active = [m for m in store.macros.values() if m["active"]]
        show = partial(shapes.plain, store)
        return jsonify(page("macros", active, key=lambda m: m["id"], show=show, base_url=sandbox.url))

    return routes


def jira_link_routes(sandbox: ZendeskSandbox) -> Blueprint:
    """Routes under /api/services/jira/links: which ticket belongs to which issue."""
    routes, store = Blueprint("jira_links", __name__), sandbox.store

    @routes.get("/links")
    def links() -> ResponseReturnValue:
        wanted = {key: request.args.get(f"filter[{key}]") for key in ("ticket_id", "issue_id")}
        rows = [row for row in store.links.values() if all(v in (None, row[key]) for key, v in wanted.items())]
        return jsonify(links=rows, total=len(rows))

    @routes.get("/links/<int:link_id>")
    def show(link_id: int) -> ResponseReturnValue:
        return jsonify(link=found(store.links, link_id))

    @routes.post("/links")
    def create() -> ResponseReturnValue:
        body = json_body()
        given = body.get("link", body)
        pair = {"ticket_id": str(given.get("ticket_id")), "issue_id": str(given.get("issue_id"))}
        store.ticket(int(pair["ticket_id"]))
        if any(
            row["ticket_id"] == pair["ticket_id"] and row["issue_id"] == pair["issue_id"]
            for row in store.links.values()
        ):
            raise invalid("base", "This ticket is linked to this issue already", "DuplicateValue")
        id, now = store.new_id(), iso(sandbox.clock())
        url = f"{sandbox.url}/api/services/jira/links/{id}"
        row = {
            "id": id,
            **pair,
            "issue_key": given.get("issue_key"),
            "created_at": now,
            "updated_at": now,
            "url": url,
        }
        store.links[id] = row
        return jsonify(link=row)

    @routes.delete("/links/<int:link_id>")
    def delete(link_id: int) -> ResponseReturnValue:
        found(store.links, link_id)
        del store.links[link_id]
        return Response(status=204)

    return routes


def _add_table(
    routes: Blueprint, sandbox: ZendeskSandbox, plural: str, singular: str, table: dict[int, dict[str, Any]]
) -> None:
    show = partial(shapes.plain, sandbox.store)

    def listed() -> ResponseReturnValue:
        rows = [row for row in table.values() if not row.get("deleted")]
        answer = page(plural, rows, key=lambda row: row["id"], show=show, base_url=sandbox.url)
        return jsonify({plural: answer[plural]} if plural == "custom_statuses" else answer)

    def one(id: int) -> ResponseReturnValue:
        return jsonify({singular: show(found(table, id))})

    routes.add_url_rule(f"/{plural}", f"list_{plural}", listed)
    routes.add_url_rule(f"/{plural}/<int:id>", f"show_{singular}", one)


def _checked_macro(given: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """What is given of a macro; 422 without title or actions, and for an action that macros do not have."""
    wanted = {**before, **given}
    if not wanted.get("title") or not wanted.get("actions"):
        raise invalid("title" if not wanted.get("title") else "actions", "cannot be blank", "BlankValue")
    for action in wanted["actions"]:
        field, value = str(action.get("field")), action.get("value")
        is_custom = field.startswith("custom_fields_") and field.removeprefix("custom_fields_").isdigit()
        if (field not in MACRO_ACTIONS and not is_custom) or (field, value) in REFUSED_ACTIONS:
            raise invalid("actions", f"Action {field}: {value} is invalid")
    return {key: given[key] for key in ("title", "active", "description", "actions", "restriction") if key in given}
