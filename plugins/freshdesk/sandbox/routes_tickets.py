"""Tickets and their conversations under /api/v2. Source: developers.freshdesk.com, "Tickets", "Conversations"."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.freshdesk.sandbox import fields
from plugins.freshdesk.sandbox.bodies import body_and_files
from plugins.freshdesk.sandbox.errors import FreshdeskError, denied, invalid, missing, problem
from plugins.freshdesk.sandbox.paging import listed, page_of
from plugins.freshdesk.sandbox.search import matching
from plugins.freshdesk.sandbox.state import Ticket

if TYPE_CHECKING:
    from plugins.freshdesk.sandbox.server import FreshdeskSandbox

DEFAULT_AGE = timedelta(days=30)
"""Without `updated_since` a list holds what was created since then."""
FILTERS = {"", "deleted", "spam", "new_and_my_open", "watching"}
INCLUDES = {"requester", "company", "stats", "conversations", "description"}
SEARCH_PAGE, SEARCH_LAST = 30, 10
NOTE_FIELDS = {"body", "private", "incoming", "notify_emails", "user_id", "attachments"}
REPLY_FIELDS = {"body", "from_email", "user_id", "cc_emails", "bcc_emails", "attachments"}


def ticket_routes(sandbox: FreshdeskSandbox) -> Blueprint:
    """The blueprint, to be mounted under /api/v2."""
    routes = Blueprint("tickets", __name__)
    store, shapes, changes = sandbox.store, sandbox.shapes, sandbox.changes

    def visible(number: int) -> Ticket:
        ticket = store.tickets.get(number)
        if ticket is None:
            raise missing()
        if g.user.ticket_scope != 1 and ticket.responder_id != g.user.id:
            raise denied()
        return ticket

    def writable(number: int) -> Ticket:
        ticket = visible(number)
        if ticket.deleted or ticket.spam:
            # An address of a ticket that is put away takes nothing but `restore`.
            raise FreshdeskError(405, headers={"Allow": "GET"})
        return ticket

    def check(body: dict[str, Any], ticket: Ticket | None) -> None:
        needs = bool(sandbox.settings["closure_needs_resolution"])
        fields.check(store, body, ticket, closure_needs_resolution=needs)

    @routes.get("/tickets")
    def list_tickets() -> ResponseReturnValue:
        rows, headers = page_of(_listed_tickets(sandbox, [t for t in store.tickets.values() if _sees(t)]))
        include = _includes()
        return listed([shapes.ticket(t, include, in_list=True) for t in rows], headers)

    @routes.post("/tickets")
    def create_ticket() -> ResponseReturnValue:
        body, files = body_and_files(store)
        check(body, None)
        return jsonify(shapes.ticket(changes.create(g.user, body, files))), 201

    @routes.get("/tickets/<int:number>")
    def show_ticket(number: int) -> ResponseReturnValue:
        return jsonify(shapes.ticket(visible(number), _includes()))

    @routes.get("/tickets/<int:number>/satisfaction_ratings")
    def ratings(number: int) -> ResponseReturnValue:
        ticket = visible(number)
        return jsonify([shapes.rating(ticket, one) for one in ticket.ratings])

    @routes.put("/tickets/<int:number>")
    def update_ticket(number: int) -> ResponseReturnValue:
        ticket = writable(number)
        body, files = body_and_files(store)
        if not body and not files:
            raise FreshdeskError(400, {"code": "missing_field", "message": "At least one field should be present"})
        check(body, ticket)
        changes.update(g.user, ticket, body, files)
        return jsonify(shapes.ticket(ticket))

    @routes.delete("/tickets/<int:number>")
    def delete_ticket(number: int) -> ResponseReturnValue:
        changes.put_away(writable(number), deleted=True)
        return "", 204

    @routes.put("/tickets/<int:number>/restore")
    def restore_ticket(number: int) -> ResponseReturnValue:
        changes.put_away(visible(number), deleted=False)
        return "", 204

    @routes.get("/tickets/<int:number>/conversations")
    def conversations(number: int) -> ResponseReturnValue:
        ticket = writable(number)
        rows, headers = page_of(ticket.conversations)
        return listed([shapes.conversation(ticket, one) for one in rows], headers)

    @routes.post("/tickets/<int:number>/notes")
    def add_note(number: int) -> ResponseReturnValue:
        ticket = writable(number)
        body, files = _conversation_body(sandbox, NOTE_FIELDS)
        # A note that does not say so is private.
        private = bool(body.get("private", True))
        one = changes.converse(_speaker(sandbox, body), ticket, body["body"], files, private=private, is_reply=False)
        return jsonify(shapes.conversation(ticket, one)), 201

    @routes.post("/tickets/<int:number>/reply")
    def add_reply(number: int) -> ResponseReturnValue:
        ticket = writable(number)
        body, files = _conversation_body(sandbox, REPLY_FIELDS)
        one = changes.converse(_speaker(sandbox, body), ticket, body["body"], files, private=False, is_reply=True)
        shown = shapes.conversation(ticket, one)
        # The answer to a reply does not say who may read it.
        return jsonify({k: v for k, v in shown.items() if k not in ("private", "incoming")}), 201

    @routes.put("/conversations/<int:number>")
    def edit_conversation(number: int) -> ResponseReturnValue:
        found = store.conversation(number)
        if found is None:
            raise missing()
        ticket, one = found
        if one.source != 2:
            raise FreshdeskError(405, headers={"Allow": "DELETE"})
        body, _ = _conversation_body(sandbox, {"body", "attachments"})
        changes.edit(g.user, ticket, one, body["body"])
        return jsonify(shapes.conversation(ticket, one))

    @routes.delete("/conversations/<int:number>")
    def delete_conversation(number: int) -> ResponseReturnValue:
        found = store.conversation(number)
        if found is None:
            raise missing()
        changes.drop(*found)
        return "", 204

    @routes.get("/search/tickets")
    def search_tickets() -> ResponseReturnValue:
        page = request.args.get("page", "1")
        if not page.isdigit() or not 1 <= int(page) <= SEARCH_LAST:
            raise invalid(problem("page", f"It should be a Positive Integer less than or equal to {SEARCH_LAST}"))
        now = store.now()
        indexed = [
            t
            for t in store.tickets.values()
            if _sees(t) and not t.deleted and not t.spam and t.searchable_from and t.searchable_from <= now
        ]
        found = matching(indexed, request.args.get("query", ""))
        rows = found[(int(page) - 1) * SEARCH_PAGE : int(page) * SEARCH_PAGE]
        return jsonify(total=len(found), results=[shapes.ticket(t, ("description",), in_list=True) for t in rows])

    return routes


def _sees(ticket: Ticket) -> bool:
    return bool(g.user.ticket_scope == 1 or ticket.responder_id == g.user.id)


def _includes() -> list[str]:
    names = [n for n in request.args.get("include", "").split(",") if n]
    if set(names) - INCLUDES:
        raise invalid(problem("include", f"It should be one of these values: '{','.join(sorted(INCLUDES))}'"))
    return names


def _listed_tickets(sandbox: FreshdeskSandbox, tickets: list[Ticket]) -> list[Ticket]:
    chosen = request.args.get("filter", "")
    if chosen not in FILTERS:
        raise invalid(problem("filter", "It should be one of these values: 'new_and_my_open,watching,spam,deleted'"))
    rows = [t for t in tickets if t.deleted == (chosen == "deleted") and (t.deleted or t.spam == (chosen == "spam"))]
    since = request.args.get("updated_since")
    if since:
        try:
            moment = datetime.fromisoformat(since).astimezone(UTC)
        except ValueError as error:
            raise invalid(problem("updated_since", "It should be in the combined date time ISO8601 format")) from error
        rows = [t for t in rows if t.updated >= moment]
    else:
        rows = [t for t in rows if t.created >= sandbox.store.now() - DEFAULT_AGE]
    order = request.args.get("order_by", "created_at")
    if order not in ("created_at", "updated_at", "due_by", "status"):
        raise invalid(problem("order_by", "It should be one of these values: 'created_at,due_by,updated_at,status'"))
    keys = {"created_at": lambda t: t.created, "due_by": lambda t: t.created, "updated_at": lambda t: t.updated}
    rows.sort(key=keys.get(order, lambda t: t.status), reverse=request.args.get("order_type", "desc") == "desc")
    return rows


def _conversation_body(sandbox: FreshdeskSandbox, allowed: set[str]) -> tuple[dict[str, Any], list[Any]]:
    body, files = body_and_files(sandbox.store)
    wrong = [problem(n, "Unexpected/invalid field in request", "invalid_field") for n in sorted(set(body) - allowed)]
    if not body.get("body"):
        wrong.append(problem("body", "It should be a/an String", "missing_field"))
    if wrong:
        raise invalid(*wrong)
    return body, files


def _speaker(sandbox: FreshdeskSandbox, body: dict[str, Any]) -> Any:
    user_id = body.get("user_id")
    if user_id is None:
        return g.user
    if user_id not in sandbox.store.users:
        raise invalid(problem("user_id", "There is no contact matching the given user_id"))
    return sandbox.store.users[user_id]
