"""The API under /api/v1, as far as the hub's actions need it. Source: TeamViewer Web API documentation v1."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.teamviewer.sandbox.errors import TeamviewerError, bad_request, forbidden
from plugins.teamviewer.sandbox.state import HOST, Connection, Json, Meeting, record, short, shown

if TYPE_CHECKING:
    from plugins.teamviewer.sandbox.server import TeamviewerSandbox

WRITABLE = ("description", "waiting_message", "custom_api", "support_session_type")
LIMITS = {"name": 100, "email": 254}
MOST_CUSTOM_API = 4000
ANSWERED = (
    "code", "state", "groupid", "end_customer_link", "supporter_link", "webclient_supporter_link", "valid_until",
)  # fmt: skip
"""What the answer to a create shows of the session."""


def api_routes(sandbox: TeamviewerSandbox) -> Blueprint:
    """The blueprint, to be mounted under /api/v1."""
    routes = Blueprint("api", __name__)
    store = sandbox.store

    @routes.get("/ping")
    def ping() -> ResponseReturnValue:
        """Answers a bad token as well."""
        return jsonify(token_valid=g.token is not None and not g.token.is_expired)

    @routes.get("/account")
    def account() -> ResponseReturnValue:
        _needs("account")
        name, email = store.users[g.token.userid]
        return jsonify(userid=g.token.userid, name=name, email=email)

    @routes.get("/groups")
    def groups() -> ResponseReturnValue:
        _needs("groups")
        name = request.args.get("name", "").casefold()
        rows = [{"id": i, "name": n} for i, n in store.groups.items() if name in n.casefold()]
        return jsonify(groups=rows)

    @routes.get("/users")
    def users() -> ResponseReturnValue:
        _needs("users")
        email = request.args.get("email")
        rows = [{"id": i, "name": n, "email": e} for i, (n, e) in store.users.items() if email in (None, e)]
        return jsonify(users=rows)

    @routes.get("/sessions")
    def list_sessions() -> ResponseReturnValue:
        _needs("sessions")
        args = request.args
        states = args.get("state", "open").casefold().split(",")
        rows = sorted(
            (m for m in store.meetings.values() if args.get("groupid") in (None, m.groupid)), key=lambda m: m.code
        )
        rows = [m for m in rows if m.state.casefold() in states]
        if args.get("offset"):
            rows = [m for m in rows if m.code > args["offset"]]
        size = int(sandbox.settings["sessions_page"])
        page, left = rows[:size], max(0, len(rows) - size)
        form = shown if args.get("full_list") == "true" else short
        following = {"next_offset": page[-1].code} if left and sandbox.settings["tells_next_offset"] else {}
        return jsonify(sessions=[form(m) for m in page], sessions_remaining=left, **following)

    @routes.post("/sessions")
    def create_session() -> ResponseReturnValue:
        _needs("sessions")
        body = _body()
        values = _values(body)
        if body.get("groupid"):
            if body["groupid"] not in store.groups:
                raise bad_request("Parameter 'groupid' is invalid.")
            values["groupid"] = body["groupid"]
        elif body.get("groupname"):
            values["groupid"] = _group_named(sandbox, str(body["groupname"]))
        else:
            raise bad_request("Parameter 'groupid' or 'groupname' is missing.")
        made = store.open_meeting(values)
        status = int(sandbox.settings["create_answer"])
        if status == 302:
            return "", 302, {"Location": f"{HOST}/{made.digits}"}
        whole = shown(made)
        return jsonify({key: whole[key] for key in ANSWERED}), status

    @routes.get("/sessions/<code>")
    def show_session(code: str) -> ResponseReturnValue:
        _needs("sessions")
        return jsonify(shown(_known(sandbox, code)))

    @routes.put("/sessions/<code>")
    def change_session(code: str) -> ResponseReturnValue:
        _needs("sessions")
        meeting, body = _known(sandbox, code), _body()
        state = str(body.get("state") or "").casefold()
        if state == "closed" and meeting.state == "Closed" and sandbox.settings["refuses_second_close"]:
            raise bad_request("The session is already closed.")
        for name, value in _values(body).items():
            setattr(meeting, name, value)
        if state in ("open", "closed"):
            meeting.state = state.capitalize()
            meeting.closed = store.now() if state == "closed" else None
        return "", 204

    @routes.get("/reports/connections")
    def reports() -> ResponseReturnValue:
        _needs("reports")
        args, rows = request.args, list(store.connections)
        begin, end = _moment(args.get("from_date")), _moment(args.get("to_date"))
        # Both compare when a connection began: the first is inclusive, the second is not.
        rows = [c for c in rows if (begin is None or c.started >= begin) and (end is None or c.started < end)]
        rows = [c for c in rows if args.get("groupid") in (None, c.groupid)]
        rows = [c for c in rows if args.get("session_code") in (None, c.session_code)]
        rows.sort(key=lambda c: (c.started, c.id))
        if args.get("offset_id"):
            ids = [c.id for c in rows]
            if args["offset_id"] not in ids:
                raise bad_request("Parameter 'offset_id' is invalid.")
            rows = rows[ids.index(args["offset_id"]) :]
        size = int(sandbox.settings["reports_page"])
        page, rest = rows[:size], rows[size:]
        left: Json = {"records_remaining": len(rest), "next_offset": rest[0].id if rest else None}
        if not sandbox.settings["tells_next_offset"]:
            left = {"reports_remaining": len(rest)}
        return jsonify(records=[record(c, store.groups[c.groupid]) for c in page], **left)

    @routes.put("/reports/connections/<report_id>")
    def change_report(report_id: str) -> ResponseReturnValue:
        _needs("reports")
        found: Connection | None = next((c for c in store.connections if c.id == report_id), None)
        if found is None:
            raise TeamviewerError(404, "not_found", "The connection report does not exist.")
        found.notes = str(_body().get("notes", found.notes))
        return "", 204

    return routes


def _needs(permission: str) -> None:
    if permission not in g.token.permissions:
        raise forbidden()


def _body() -> Json:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise bad_request("The request body is no valid JSON.")
    return body


def _known(sandbox: TeamviewerSandbox, code: str) -> Meeting:
    meeting = sandbox.store.meetings.get(code)
    if meeting is None:
        raise TeamviewerError(404, "not_found", "The session does not exist.")
    return meeting


def _values(body: Json) -> dict[str, Any]:
    values: dict[str, Any] = {name: str(body[name] or "") for name in WRITABLE if name in body}
    if len(values.get("custom_api", "")) > MOST_CUSTOM_API:
        raise bad_request("Parameter 'custom_api' is too long.")
    if "end_customer" in body:
        customer = body["end_customer"] or {}
        for name, most in LIMITS.items():
            if len(str(customer.get(name) or "")) > most:
                raise bad_request(f"Parameter 'end_customer.{name}' is too long.")
        values["end_customer"] = customer
    if body.get("assigned_userid"):
        values["assigned_userid"] = body["assigned_userid"]
    if body.get("valid_until"):
        values["valid_until"] = _moment(str(body["valid_until"]))
    return values


def _group_named(sandbox: TeamviewerSandbox, name: str) -> str:
    """The group of this name; it is made where there is none."""
    for group_id, known in sandbox.store.groups.items():
        if known == name:
            return group_id
    group_id = f"g{len(sandbox.store.groups) + 1:07}"
    sandbox.store.groups[group_id] = name
    return group_id


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise bad_request("A date is no valid ISO 8601 date.") from error
