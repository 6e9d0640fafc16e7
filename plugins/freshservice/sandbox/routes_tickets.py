"""Tickets under /api/v2: incidents and service requests. Source: api.freshservice.com, "Tickets", "Service Request"."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.freshservice.sandbox import fields, seed
from plugins.freshservice.sandbox.bodies import body_and_files
from plugins.freshservice.sandbox.errors import FreshserviceError, denied, invalid, missing, problem
from plugins.freshservice.sandbox.finding import matching
from plugins.freshservice.sandbox.paging import listed, of_workspace, shows_all_workspaces
from plugins.freshservice.sandbox.state import Item, Ticket

if TYPE_CHECKING:
    from plugins.freshservice.sandbox.server import FreshserviceSandbox

DEFAULT_AGE = timedelta(days=30)
"""Without `updated_since` a list holds what was created since then."""
FILTERS = ("", "deleted", "spam", "new_and_my_open", "watching", "all_tickets")
IN_LISTS = {"requester", "stats", "tags", "requested_for", "department"}
IN_VIEWS = IN_LISTS | {"conversations", "problem", "assets", "change", "related_tickets", "feedback"}
REQUEST_FIELDS = {"quantity", "requested_for", "email", "custom_fields"}


def visible(sandbox: FreshserviceSandbox, number: int) -> Ticket:
    """A ticket of one of the agent's workspaces. Raises 404, 403."""
    ticket = sandbox.store.tickets.get(number)
    if ticket is None:
        raise missing()
    if ticket.workspace_id not in g.user.workspaces:
        raise denied()
    return ticket


def writable(sandbox: FreshserviceSandbox, number: int) -> Ticket:
    """A ticket that is not put away: those take nothing but `restore`. Raises 405."""
    ticket = visible(sandbox, number)
    if ticket.deleted or ticket.spam:
        raise FreshserviceError(405, headers={"Allow": "GET"})
    return ticket


def changed_since(sandbox: FreshserviceSandbox, items: list[Any]) -> list[Any]:
    """What a list holds: changed since a time, else created lately; in the order of creation, newest first unless
    `order_type=asc` asks otherwise."""
    since = request.args.get("updated_since")
    if since:
        try:
            moment = datetime.fromisoformat(since)
        except ValueError as error:
            raise invalid(problem("updated_since", "It should be in the combined date time ISO8601 format")) from error
        moment = moment.replace(tzinfo=moment.tzinfo or UTC)
        rows = [item for item in items if item.updated >= moment]
    else:
        rows = [item for item in items if item.created >= sandbox.store.now() - DEFAULT_AGE]
    order = request.args.get("order_type", "desc")
    if order not in ("asc", "desc"):
        raise invalid(problem("order_type", "It should be one of these values: 'asc,desc'"))
    return sorted(rows, key=_age, reverse=order == "desc")


def ticket_routes(sandbox: FreshserviceSandbox) -> Blueprint:
    """The blueprint, to be mounted under /api/v2."""
    routes = Blueprint("tickets", __name__)
    store, shapes, effects = sandbox.store, sandbox.shapes, sandbox.effects

    def check(body: dict[str, Any], ticket: Ticket | None) -> None:
        needs_code = bool(sandbox.settings["closure_needs_code"])
        fields.check_ticket(store, body, ticket, closure_needs_code=needs_code)

    @routes.get("/tickets")
    def list_tickets() -> ResponseReturnValue:
        include = _includes(IN_LISTS)
        rows = changed_since(sandbox, _filtered(of_workspace(store.tickets.values(), g.user)))
        show_all = shows_all_workspaces()

        def show(ticket: Ticket) -> dict[str, Any]:
            shown = shapes.ticket(ticket, include, in_list=True)
            return {**shown, "custom_fields": {}} if show_all else shown

        return listed("tickets", rows, show)

    @routes.post("/tickets")
    def create_ticket() -> ResponseReturnValue:
        body, files = body_and_files(store)
        check(body, None)
        if body.get("workspace_id", seed.PRIMARY) not in g.user.workspaces:
            raise denied()
        ticket = effects.create_ticket(g.user, body, files, "Incident")
        return jsonify(ticket=shapes.written_ticket(ticket)), 201, {"Location": f"{request.base_url}/{ticket.id}"}

    @routes.get("/tickets/filter")
    def filter_tickets() -> ResponseReturnValue:
        now = store.now()
        indexed = [
            t
            for t in of_workspace(store.tickets.values(), g.user)
            if not t.deleted and not t.spam and t.searchable_from and t.searchable_from <= now
        ]
        found = sorted(matching(indexed, request.args.get("query", "")), key=_age, reverse=True)
        return listed("tickets", found, lambda t: shapes.ticket(t, in_list=True), total=len(found))

    @routes.get("/tickets/<int:number>")
    def show_ticket(number: int) -> ResponseReturnValue:
        return jsonify(ticket=shapes.ticket(visible(sandbox, number), _includes(IN_VIEWS)))

    @routes.put("/tickets/<int:number>")
    def update_ticket(number: int) -> ResponseReturnValue:
        ticket = writable(sandbox, number)
        body, files = body_and_files(store, ticket.files)
        if not body and not files:
            raise FreshserviceError(400, {"code": "missing_field", "message": "At least one field should be present"})
        check(body, ticket)
        effects.update(g.user, ticket, body, files)
        return jsonify(ticket=shapes.written_ticket(ticket))

    @routes.put("/tickets/<int:number>/move_workspace")
    def move_ticket(number: int) -> ResponseReturnValue:
        ticket = writable(sandbox, number)
        body, _ = body_and_files(store)
        if body.get("workspace_id") not in g.user.workspaces:
            raise denied()
        effects.move(ticket, body["workspace_id"])
        return jsonify(ticket=shapes.written_ticket(ticket))

    @routes.delete("/tickets/<int:number>")
    def delete_ticket(number: int) -> ResponseReturnValue:
        effects.put_away(writable(sandbox, number), deleted=True)
        return "", 204

    @routes.put("/tickets/<int:number>/restore")
    def restore_ticket(number: int) -> ResponseReturnValue:
        effects.put_away(visible(sandbox, number), deleted=False)
        return "", 204

    @routes.post("/service_catalog/items/<int:number>/place_request")
    def place_request(number: int) -> ResponseReturnValue:
        if number not in seed.CATALOG:
            raise missing()
        body, _ = body_and_files(store)
        wrong = [problem(n, "Unexpected/invalid field in request", "invalid_field") for n in set(body) - REQUEST_FIELDS]
        if wrong:
            raise invalid(*wrong)
        who = store.by_email(str(body.get("requested_for") or body.get("email") or "")) or g.user
        made = {
            "subject": f"Request for {who.name} : {seed.CATALOG[number]}",
            "description": "",
            "requester_id": who.id,
        }
        ticket = effects.create_ticket(g.user, made, (), "Service Request")
        return jsonify(service_request=shapes.written_ticket(ticket)), 201

    return routes


def _age(item: Item) -> tuple[datetime, int]:
    return item.created, item.id


def _includes(known: set[str]) -> list[str]:
    names = [n for n in request.args.get("include", "").split(",") if n]
    if set(names) - known:
        raise invalid(problem("include", f"It should be one of these values: '{','.join(sorted(known))}'"))
    return names


def _filtered(tickets: list[Ticket]) -> list[Ticket]:
    chosen, kind = request.args.get("filter", ""), request.args.get("type")
    if chosen not in FILTERS:
        raise invalid(problem("filter", f"It should be one of these values: '{','.join(FILTERS[1:])}'"))
    email = request.args.get("email")
    return [
        t
        for t in tickets
        if t.deleted == (chosen == "deleted")
        and (t.deleted or t.spam == (chosen == "spam"))
        and kind in (None, t.type)
        and email in (None, t.requester.email)
    ]
