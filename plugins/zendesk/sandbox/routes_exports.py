"""Search, and the incremental exports by which one polls."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.zendesk.sandbox import shapes
from plugins.zendesk.sandbox.calls import includes, side_loads
from plugins.zendesk.sandbox.errors import ApiError, bad_request
from plugins.zendesk.sandbox.paging import decode, encode, number, page, with_query
from plugins.zendesk.sandbox.query import matches, parse
from plugins.zendesk.sandbox.state import Audit, Ticket, User, iso

if TYPE_CHECKING:
    from plugins.zendesk.sandbox.server import ZendeskSandbox

MAX_RESULTS = 1000


def export_routes(sandbox: ZendeskSandbox) -> Blueprint:
    """Routes under /search and /incremental."""
    routes, store = Blueprint("exports", __name__), sandbox.store

    def results(query: str, kind: str) -> list[dict[str, Any]]:
        terms = parse(query)
        kind = next((t.value for t in terms if t.key == "type"), kind)
        until = sandbox.clock() - timedelta(seconds=sandbox.settings["search_lag"])
        rows: list[dict[str, Any]] = []
        if kind in ("", "ticket"):
            seen = [_as_indexed(t, until) for t in store.tickets.values()]
            rows += [{**row, "result_type": "ticket"} for row in seen if row and matches(store, row, terms)]
        if kind in ("", "user"):
            people = [_searchable(shapes.user(store, u), u) for u in store.users.values()]
            rows += [{**row, "result_type": "user"} for row in people if matches(store, row, terms)]
        return rows

    @routes.get("/search")
    def search() -> ResponseReturnValue:
        rows = results(request.args.get("query", ""), "")
        current, size = number("page", 1, 10**9), number("per_page", 100, 100)
        if current * size > MAX_RESULTS and current > math.ceil(MAX_RESULTS / size):
            text = "Invalid search: Requested response size was greater than Search Response Limits"
            raise ApiError(422, {"error": "invalid", "description": text})
        key = request.args.get("sort_by", "created_at")
        rows.sort(key=lambda row: (str(row.get(key) or ""), row["id"]), reverse=request.args.get("sort_order") != "asc")
        start = (current - 1) * size
        path = f"{sandbox.url}/api/v2/search.json"
        more = start + size < min(len(rows), MAX_RESULTS)
        return jsonify(
            results=[_shown(row) for row in rows[start : start + size]],
            facets=None,
            next_page=with_query(path, page=current + 1) if more else None,
            previous_page=with_query(path, page=current - 1) if current > 1 else None,
            count=len(rows),
        )

    @routes.get("/search/count")
    def count() -> ResponseReturnValue:
        return jsonify(count=len(results(request.args.get("query", ""), "")))

    @routes.get("/search/export")
    def export() -> ResponseReturnValue:
        kind, query = request.args.get("filter[type]", ""), request.args.get("query", "")
        if not kind or any(term.key == "type" for term in parse(query)):
            raise bad_request("invalid", "filter[type] is required, and type: may not stand in the query")
        rows = results(query, kind)
        request.args = request.args.copy()
        request.args.setdefault("page[size]", "100")
        answer = page("results", rows, key=lambda r: (r["created_at"], r["id"]), show=_shown, base_url=sandbox.url)
        return jsonify({**answer, "facets": None})

    @routes.get("/incremental/tickets/cursor")
    def tickets_cursor() -> ResponseReturnValue:
        cursor = request.args.get("cursor")
        after = tuple(decode(cursor)) if cursor else (_start_time(sandbox) - 1e-6, 0)
        rows = sorted(
            (t.generated_at.timestamp(), t.id) for t in store.tickets.values() if _is_due(sandbox, t.generated_at)
        )
        if request.args.get("exclude_deleted") == "true":
            rows = [row for row in rows if not store.tickets[row[1]].deleted]
        rest = [row for row in rows if row > after]
        size = number("per_page", 1000, 1000)
        shown = [shapes.ticket(store, store.tickets[id]) for _, id in rest[:size]]
        here = encode(rest[:size][-1] if rest else after)
        loaded = side_loads(store, shown, includes())
        path = f"{sandbox.url}/api/v2/incremental/tickets/cursor.json"
        return jsonify(
            tickets=shown,
            after_url=f"{path}?{urlencode({'cursor': here})}",
            before_url=None,
            after_cursor=here,
            before_cursor=None,
            end_of_stream=len(rest) <= size,
            **loaded,
        )

    @routes.get("/incremental/ticket_events")
    def ticket_events() -> ResponseReturnValue:
        start = _start_time(sandbox)
        audits = [(a, t) for t in store.tickets.values() for a in t.audits if _is_due(sandbox, a.created_at)]
        rows = sorted((int(a.created_at.timestamp()), a.id, a, t) for a, t in audits)
        rest = [row for row in rows if row[0] >= start]
        size = number("per_page", 1000, 1000)
        # A page never ends inside a second: the next one starts with a whole second again.
        shown = [row for i, row in enumerate(rest) if i < size or row[0] == rest[size - 1][0]]
        ends = len(shown) == len(rest)
        end_time = shown[-1][0] + (0 if ends else 1) if shown else int(start)
        with_comments = "comment_events" in includes()
        path = f"{sandbox.url}/api/v2/incremental/ticket_events.json"
        return jsonify(
            ticket_events=[_event(sandbox, ticket, audit, with_comments) for _, _, audit, ticket in shown],
            next_page=with_query(path, start_time=end_time),
            count=len(shown),
            end_of_stream=ends,
            end_time=end_time,
        )

    return routes


def _start_time(sandbox: ZendeskSandbox) -> float:
    text, now = request.args.get("start_time", ""), sandbox.clock().timestamp()
    try:
        start = float(text)
    except ValueError as error:
        raise bad_request("InvalidValue", "start_time must be in seconds since 1970") from error
    withheld = sandbox.settings["withhold_seconds"]
    if start > now - withheld:
        text = f"Too recent start_time. Use a start_time older than {withheld:g} seconds"
        raise bad_request("InvalidValue", text)
    return start


def _is_due(sandbox: ZendeskSandbox, moment: datetime) -> bool:
    return moment <= sandbox.clock() - timedelta(seconds=sandbox.settings["withhold_seconds"])


def _as_indexed(ticket: Ticket, until: datetime) -> dict[str, Any] | None:
    known = [row for moment, row in ticket.indexed if moment <= until]
    return known[-1] if known and known[-1]["status"] != "deleted" else None


def _searchable(row: dict[str, Any], user: User) -> dict[str, Any]:
    return {**row, "words": f"{user.name} {user.email}".lower()}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "words"}


def _event(sandbox: ZendeskSandbox, ticket: Ticket, audit: Audit, with_comments: bool) -> dict[str, Any]:
    return {
        "id": audit.id,
        "ticket_id": ticket.id,
        "timestamp": int(audit.created_at.timestamp()),
        "created_at": iso(audit.created_at),
        "updater_id": audit.author_id,
        "via": "Web service",
        "system": audit.metadata["system"],
        "metadata": {"custom": audit.metadata["custom"]},
        "event_type": "Audit",
        "child_events": list(_child_events(sandbox, ticket, audit, with_comments)),
    }


def _child_events(
    sandbox: ZendeskSandbox, ticket: Ticket, audit: Audit, with_comments: bool
) -> Iterator[dict[str, Any]]:
    comments = {c.id: c for c in ticket.comments}
    for event in audit.events:
        base = {"id": event["id"], "via": "Web service", "via_reference_id": None, "event_type": event["type"]}
        if event["type"] == "Comment" and with_comments:
            comment = comments[event["id"]]
            shown = shapes.comment(sandbox.store, comment)
            yield {**shown, "via_reference_id": None, "event_type": "Comment"}
        elif event["type"] == "Comment":
            yield {**base, "comment_present": True, "comment_public": comments[event["id"]].public}
        elif "field_name" in event:
            changed = {event["field_name"]: event["value"]}
            yield {**base, **changed, "previous_value": event.get("previous_value")}
        else:
            yield {**base, **{k: v for k, v in event.items() if k not in ("id", "type")}}
