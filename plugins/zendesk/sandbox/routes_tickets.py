"""Tickets: list, show, create, update, delete, tags, merge, bulk jobs."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.zendesk.sandbox import shapes, values
from plugins.zendesk.sandbox.calls import context, ids_of, includes, json_body, side_loads, warn_of, wrapped
from plugins.zendesk.sandbox.errors import ApiError, bad_request, not_found, too_many
from plugins.zendesk.sandbox.keys import unknown_keys
from plugins.zendesk.sandbox.paging import page
from plugins.zendesk.sandbox.state import Ticket

if TYPE_CHECKING:
    from plugins.zendesk.sandbox.server import ZendeskSandbox

IDEMPOTENCY_HOURS = 2


def ticket_routes(sandbox: ZendeskSandbox) -> Blueprint:
    """Routes under /api/v2/tickets, /deleted_tickets and /job_statuses."""
    routes, store, changes = Blueprint("tickets", __name__), sandbox.store, sandbox.changes

    def shown(ticket: Ticket) -> dict[str, Any]:
        return shapes.ticket(store, ticket)

    def listed(tickets: list[Ticket]) -> dict[str, Any]:
        by_update = request.args.get("sort", request.args.get("sort_by", "")).lstrip("-") == "updated_at"
        descending = request.args.get("sort", "").startswith("-") or request.args.get("sort_order") == "desc"
        answer = page(
            "tickets",
            tickets,
            key=lambda t: (t.updated_at.timestamp() if by_update else t.id, t.id),
            show=shown,
            base_url=sandbox.url,
            descending=descending,
        )
        return {**answer, **side_loads(store, answer["tickets"], includes())}

    @routes.get("/tickets")
    def list_tickets() -> ResponseReturnValue:
        external_id = request.args.get("external_id")
        tickets = [t for t in store.tickets.values() if not t.deleted]
        if external_id is not None:
            tickets = [t for t in tickets if t.values["external_id"] == external_id]
        return jsonify(listed(tickets))

    @routes.get("/tickets/show_many")
    def show_many() -> ResponseReturnValue:
        wanted = ids_of(request.args.get("ids"))
        return jsonify(listed([t for id in wanted if (t := store.tickets.get(id)) and not t.deleted]))

    @routes.post("/tickets")
    def create() -> ResponseReturnValue:
        given, key = wrapped("ticket"), request.headers.get("Idempotency-Key")
        digest = hashlib.sha256(request.get_data()).hexdigest()
        if key and (kept := _remembered(sandbox, key, digest)):
            return jsonify(kept), 201, {"x-idempotency-lookup": "hit"}
        warn_of("ticket", unknown_keys(given, creating=True))
        ticket, audit = changes.create(given, context())
        answer = {"ticket": shown(ticket), "audit": shapes.audit(store, ticket, audit)}
        headers = {"Location": answer["ticket"]["url"]}
        if key:
            sandbox.idempotency[key] = (digest, sandbox.clock(), answer)
            headers["x-idempotency-lookup"] = "miss"
        return jsonify(answer), 201, headers

    @routes.get("/tickets/<int:ticket_id>")
    def show(ticket_id: int) -> ResponseReturnValue:
        one = shown(store.ticket(ticket_id))
        return jsonify(ticket=one, **side_loads(store, [one], includes()))

    @routes.put("/tickets/<int:ticket_id>")
    def update(ticket_id: int) -> ResponseReturnValue:
        given, ticket = wrapped("ticket"), store.ticket(ticket_id)
        sandbox.count_update(ticket_id)
        warn_of("ticket", unknown_keys(given, creating=False))
        audit = changes.update(ticket, given, context())
        return jsonify(ticket=shown(ticket), audit=shapes.audit(store, ticket, audit))

    @routes.delete("/tickets/<int:ticket_id>")
    def delete(ticket_id: int) -> ResponseReturnValue:
        changes.delete(store.ticket(ticket_id), context())
        return Response(status=204)

    @routes.get("/deleted_tickets")
    def deleted_tickets() -> ResponseReturnValue:
        def gone(t: Ticket) -> dict[str, Any]:
            return {"id": t.id, "subject": t.values["subject"], "previous_state": t.values["status"]}

        tickets = [t for t in store.tickets.values() if t.deleted]
        return jsonify(page("deleted_tickets", tickets, key=lambda t: t.id, show=gone, base_url=sandbox.url))

    @routes.put("/deleted_tickets/<int:ticket_id>/restore")
    def restore(ticket_id: int) -> ResponseReturnValue:
        ticket = store.tickets.get(ticket_id)
        if ticket is None or not ticket.deleted:
            raise not_found()
        changes.delete(ticket, context(), restore=True)
        return Response(status=200)

    @routes.get("/tickets/<int:ticket_id>/tags")
    def tags(ticket_id: int) -> ResponseReturnValue:
        return jsonify(tags=store.ticket(ticket_id).tags)

    @routes.route("/tickets/<int:ticket_id>/tags", methods=["POST", "PUT", "DELETE"])
    def change_tags(ticket_id: int) -> ResponseReturnValue:
        ticket, given = store.ticket(ticket_id), set(values.tag_list(json_body().get("tags")))
        now = set(ticket.tags)
        wanted = {"POST": given, "PUT": now | given, "DELETE": now - given}[request.method]
        sandbox.count_update(ticket_id)
        changes.update(ticket, {"tags": sorted(wanted)}, context())
        return jsonify(tags=ticket.tags), 201 if request.method == "POST" else 200

    @routes.post("/tickets/<int:ticket_id>/satisfaction_rating")
    def rate(ticket_id: int) -> ResponseReturnValue:
        ticket = store.ticket(ticket_id)
        return jsonify(satisfaction_rating=changes.rate(ticket, wrapped("satisfaction_rating"), context()))

    @routes.post("/tickets/<int:ticket_id>/merge")
    def merge(ticket_id: int) -> ResponseReturnValue:
        given, target = json_body(), store.ticket(ticket_id)
        sources = [store.ticket(int(id)) for id in given.get("ids") or []]
        changes.merge(target, sources, given, context())
        results = [{"id": s.id, "action": "merge", "status": "Updated", "success": True} for s in sources]
        return jsonify(_job(sandbox, "Ticket Merge", results))

    @routes.put("/tickets/update_many")
    def update_many() -> ResponseReturnValue:
        body = json_body()
        pairs = [(int(one["id"]), one) for one in body.get("tickets") or []]
        if "ids" in request.args:
            pairs = [(id, wrapped("ticket")) for id in ids_of(request.args["ids"])]
        if len(pairs) > 100:
            raise too_many(100)

        def update_one(id: int, given: dict[str, Any]) -> int:
            warn_of("ticket", unknown_keys(given, creating=False, bulk=True))
            changes.update(store.ticket(id), given, context(), bulk=True)
            return id

        results = [_tried(i, "update", partial(update_one, id, given)) for i, (id, given) in enumerate(pairs)]
        return jsonify(_job(sandbox, "Bulk Update Ticket", results))

    @routes.post("/tickets/create_many")
    def create_many() -> ResponseReturnValue:
        tickets = json_body().get("tickets") or []
        if len(tickets) > 100:
            raise too_many(100)

        def create_one(given: dict[str, Any]) -> int:
            return changes.create(given, context())[0].id

        results = [_tried(i, "create", partial(create_one, given)) for i, given in enumerate(tickets)]
        return jsonify(_job(sandbox, "Bulk Create Ticket", results))

    @routes.get("/job_statuses/<job_id>")
    def job_status(job_id: str) -> ResponseReturnValue:
        if job_id not in store.jobs:
            raise not_found()
        job = store.jobs[job_id]
        if sandbox.clock() < job["ready_at"]:
            return jsonify(job_status={**job["shown"], "status": "working", "progress": 0})
        return jsonify(job_status={**job["shown"], **job["end"]})

    return routes


def _remembered(sandbox: ZendeskSandbox, key: str, digest: str) -> dict[str, Any] | None:
    if len(key) > 255:
        raise bad_request("IdempotentRequestError", "Idempotency-Key must have at most 255 characters")
    kept = sandbox.idempotency.get(key)
    if kept is None or kept[1] + timedelta(hours=IDEMPOTENCY_HOURS) <= sandbox.clock():
        return None
    if kept[0] != digest:
        text = "The Idempotency-Key was used before with other parameters"
        raise bad_request("IdempotentRequestError", text)
    return kept[2]


def _tried(index: int, action: str, step: Callable[[], int]) -> dict[str, Any]:
    try:
        return {"index": index, "id": step(), "action": action, "status": "Updated", "success": True}
    except ApiError as error:
        return {
            "index": index,
            "action": action,
            "success": False,
            "error": error.body.get("error"),
            "errors": str(error),
        }


def _job(sandbox: ZendeskSandbox, job_type: str, results: list[dict[str, Any]]) -> dict[str, Any]:
    """Note a finished job; the answer to its request still calls it queued, as the real service's does."""
    id = uuid.uuid4().hex
    now = sandbox.clock()
    shown = {
        "id": id,
        "job_type": job_type,
        "url": f"{sandbox.url}/api/v2/job_statuses/{id}.json",
        "total": len(results),
        "progress": None,
        "status": "queued",
        "message": None,
        "results": None,
    }
    end = {"status": "completed", "progress": len(results), "message": f"Completed at {now:%c}", "results": results}
    ready_at = now + timedelta(seconds=sandbox.settings["job_seconds"])
    sandbox.store.jobs[id] = {"shown": shown, "end": end, "ready_at": ready_at}
    return {"job_status": shown}
