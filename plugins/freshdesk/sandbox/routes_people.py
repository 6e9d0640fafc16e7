"""Agents, contacts, companies, groups and fields under /api/v2. Source: developers.freshdesk.com."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.freshdesk.sandbox.bodies import body_and_files
from plugins.freshdesk.sandbox.errors import denied, invalid, missing, problem
from plugins.freshdesk.sandbox.paging import listed, page_of
from plugins.freshdesk.sandbox.state import User

if TYPE_CHECKING:
    from plugins.freshdesk.sandbox.server import FreshdeskSandbox


def people_routes(sandbox: FreshdeskSandbox) -> Blueprint:
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
        return jsonify(shapes.agent(g.user))

    @routes.get("/agents")
    def agents() -> ResponseReturnValue:
        _administers()
        rows, headers = page_of(among(True))
        return listed([shapes.agent(u) for u in rows], headers)

    @routes.get("/agents/<int:number>")
    def agent(number: int) -> ResponseReturnValue:
        _administers()
        return jsonify(shapes.agent(one(number, True)))

    @routes.get("/contacts")
    def contacts() -> ResponseReturnValue:
        rows, headers = page_of(among(False))
        return listed([shapes.contact(u) for u in rows], headers)

    @routes.post("/contacts")
    def create_contact() -> ResponseReturnValue:
        body, _ = body_and_files(store)
        email = str(body.get("email") or "")
        if not body.get("name") or not email:
            raise invalid(problem("email", "Please fill at least 1 of email, mobile, phone fields", "missing_field"))
        taken = store.by_email(email)
        if taken is not None:
            text = "It should be a unique value"
            wrong = {**problem("email", text, "duplicate_value"), "additional_info": {"user_id": taken.id}}
            raise invalid(wrong, status=409)  # type: ignore[arg-type]  # the one problem that says more
        return jsonify(shapes.contact(store.add_contact(str(body["name"]), email))), 201

    @routes.get("/contacts/<int:number>")
    def contact(number: int) -> ResponseReturnValue:
        return jsonify(shapes.contact(one(number, False)))

    @routes.get("/companies/<int:number>")
    def company(number: int) -> ResponseReturnValue:
        if number not in store.companies:
            raise missing()
        return jsonify(id=number, name=store.companies[number], domains=[], custom_fields={})

    @routes.get("/groups")
    def groups() -> ResponseReturnValue:
        rows, headers = page_of(list(store.groups.items()))
        return listed([shapes.group(*row) for row in rows], headers)

    @routes.get("/groups/<int:number>")
    def group(number: int) -> ResponseReturnValue:
        if number not in store.groups:
            raise missing()
        return jsonify(shapes.group(number, store.groups[number]))

    @routes.get("/ticket_fields")
    def ticket_fields() -> ResponseReturnValue:
        kind = request.args.get("type")
        return jsonify([f for f in shapes.ticket_fields() if kind in (None, f["type"])])

    return routes


def _administers() -> None:
    if not g.user.may_administer:
        raise denied()
