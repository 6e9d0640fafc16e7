"""Agents, requesters, groups, departments, workspaces and fields under /api/v2. Source: api.freshservice.com."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.freshservice.sandbox import seed
from plugins.freshservice.sandbox.bodies import body_and_files
from plugins.freshservice.sandbox.errors import denied, invalid, missing, problem
from plugins.freshservice.sandbox.paging import listed
from plugins.freshservice.sandbox.shapes import stamp
from plugins.freshservice.sandbox.state import User

if TYPE_CHECKING:
    from plugins.freshservice.sandbox.server import FreshserviceSandbox


def people_routes(sandbox: FreshserviceSandbox) -> Blueprint:
    """The blueprint, to be mounted under /api/v2."""
    routes = Blueprint("people", __name__)
    store, shapes = sandbox.store, sandbox.shapes

    def among(is_agent: bool) -> list[User]:
        email = request.args.get("email")
        users = [u for u in store.users.values() if u.is_agent == is_agent]
        return users if email is None else [u for u in users if u.email.casefold() == email.casefold()]

    def one(number: int, is_agent: bool) -> User:
        user = store.users.get(number)
        if user is None or user.is_agent != is_agent:
            raise missing()
        return user

    @routes.get("/agents/me")
    def myself() -> ResponseReturnValue:
        return jsonify(agent=shapes.agent(g.user))

    @routes.get("/agents")
    def agents() -> ResponseReturnValue:
        _administers()
        return listed("agents", among(True), shapes.agent)

    @routes.get("/agents/<int:number>")
    def agent(number: int) -> ResponseReturnValue:
        _administers()
        return jsonify(agent=shapes.agent(one(number, True)))

    @routes.get("/requesters")
    def requesters() -> ResponseReturnValue:
        return listed("requesters", among(False), shapes.requester)

    @routes.post("/requesters")
    def create_requester() -> ResponseReturnValue:
        body, _ = body_and_files(store)
        email = str(body.get("primary_email") or "")
        if not body.get("first_name") or not email:
            raise invalid(problem("first_name", "It should be a/an String", "missing_field"))
        if store.by_email(email) is not None:
            raise invalid(problem("primary_email", "It should be a unique value", "duplicate_value"), status=409)
        made = store.add_requester(str(body["first_name"]), str(body.get("last_name") or ""), email)
        return jsonify(requester=shapes.requester(made)), 201

    @routes.get("/requesters/<int:number>")
    def requester(number: int) -> ResponseReturnValue:
        return jsonify(requester=shapes.requester(one(number, False)))

    @routes.get("/groups")
    def groups() -> ResponseReturnValue:
        visible = [group for group in store.groups.values() if group.workspace_id in g.user.workspaces]
        return listed("groups", visible, shapes.group)

    @routes.get("/departments")
    def departments() -> ResponseReturnValue:
        return listed("departments", list(store.departments.items()), lambda row: {"id": row[0], "name": row[1]})

    @routes.get("/workspaces")
    def workspaces() -> ResponseReturnValue:
        rows = [row for row in seed.WORKSPACES.items() if row[0] in g.user.workspaces]
        return listed("workspaces", rows, lambda row: _workspace(sandbox, *row))

    @routes.get("/ticket_form_fields")
    def ticket_fields() -> ResponseReturnValue:
        asked = request.args.get("workspace_id", str(seed.PRIMARY))
        if not asked.isdigit() or int(asked) not in g.user.workspaces:
            raise denied()
        return jsonify(ticket_fields=shapes.ticket_fields(int(asked)))

    return routes


def _workspace(sandbox: FreshserviceSandbox, number: int, name: str) -> dict[str, Any]:
    at = stamp(sandbox.store.now())
    return {
        "id": number, "name": name, "description": None, "primary": number == seed.PRIMARY, "restricted": False,
        "state": "active", "template_name": name.lower(), "created_at": at, "updated_at": at,
    }  # fmt: skip


def _administers() -> None:
    if not g.user.may_administer:
        raise denied()
