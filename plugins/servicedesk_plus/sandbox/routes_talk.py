"""Notes and mails of requests under /api/v3. Sources: sdpop-v3-api and sdpod-v3-api, "Request Note"; ZohoSDPlusAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue

from plugins.servicedesk_plus.sandbox.calls import claimed_files, inner, input_data, sent_file
from plugins.servicedesk_plus.sandbox.errors import MANDATORY, WRONG_VALUE, missing, problem, wrong
from plugins.servicedesk_plus.sandbox.listing import page_of
from plugins.servicedesk_plus.sandbox.routes_requests import content_of, done, found, listed, told, writable
from plugins.servicedesk_plus.sandbox.state import Mail, Note, Request

if TYPE_CHECKING:
    from plugins.servicedesk_plus.sandbox.server import ServiceDeskPlusSandbox

NOTE_FIELDS = {
    "description", "show_to_requester", "notify_technician", "mark_first_response", "add_to_linked_requests",
    "attachments",
}  # fmt: skip
KINDS = {"reply": "REPLY", "forward": "FORWARD"}


def talk_routes(sandbox: ServiceDeskPlusSandbox) -> Blueprint:
    """The blueprint, to be mounted under /api/v3."""
    routes = Blueprint("talk", __name__)
    store, shapes, changes = sandbox.store, sandbox.shapes, sandbox.changes
    note_key = "request_note" if sandbox.is_cloud else "note"

    @routes.get("/requests/<number>/notes")
    def notes(number: str) -> ResponseReturnValue:
        request = found(sandbox, number)
        rows = [shapes.note(request, n) for n in request.notes]
        if sandbox.settings["notes_list_is_partial"]:
            rows = [{k: v for k, v in row.items() if k not in ("show_to_requester", "attachments")} for row in rows]
        return listed("notes", *page_of(rows, input_data().get("list_info") or {}))

    @routes.post("/requests/<number>/notes")
    def add_note(number: str) -> ResponseReturnValue:
        request, body = writable(sandbox, number), _note_body(note_key)
        if not body.get("description"):
            raise wrong(problem(MANDATORY, "Mandatory field is missing", "description"))
        files = claimed_files(store, body.get("attachments"))
        shown = bool(body.get("show_to_requester", False))
        note = changes.add_note(g.user, request, str(body["description"]), files, shown=shown)
        return told(note_key, shapes.note(request, note), 201)

    @routes.get("/requests/<number>/notes/<note>")
    def show_note(number: str, note: str) -> ResponseReturnValue:
        request, one = _note(sandbox, number, note)
        return told(note_key, shapes.note(request, one))

    @routes.put("/requests/<number>/notes/<note>")
    def edit_note(number: str, note: str) -> ResponseReturnValue:
        request, one = _note(sandbox, number, note)
        body = _note_body(note_key)
        shown = body.get("show_to_requester")
        changes.edit_note(g.user, request, one, body.get("description"), shown=None if shown is None else bool(shown))
        return told(note_key, shapes.note(request, one))

    @routes.delete("/requests/<number>/notes/<note>")
    def delete_note(number: str, note: str) -> ResponseReturnValue:
        changes.drop_note(g.user, *_note(sandbox, number, note))
        return done("Note deleted")

    @routes.get("/requests/<number>/notes/<note>/attachments/<file>/download")
    def note_file(number: str, note: str, file: str) -> ResponseReturnValue:
        return content_of(_note(sandbox, number, note)[1].files, file)

    @routes.post("/requests/<number>/notes/upload")
    @routes.post("/requests/<number>/notifications/upload")
    def send_file(number: str) -> ResponseReturnValue:
        request = writable(sandbox, number)
        file = sent_file(store)
        store.loose[file.id] = file
        return told("attachment", shapes.file(file, f"/requests/{request.id}"))

    @routes.get("/requests/<number>/conversations")
    def conversations(number: str) -> ResponseReturnValue:
        request = found(sandbox, number)
        rows = [shapes.conversation(request, mail) for mail in request.mails]
        return listed("conversations", *page_of(rows, input_data().get("list_info") or {}))

    @routes.get("/requests/<number>/notifications/<mail>")
    def show_mail(number: str, mail: str) -> ResponseReturnValue:
        request, one = _mail(sandbox, number, mail)
        return told("notification", shapes.mail(request, one))

    @routes.post("/requests/<number>/notifications")
    def send_mail(number: str) -> ResponseReturnValue:
        request, body = writable(sandbox, number), inner("notification")
        kind = KINDS.get(str(body.get("type") or "").casefold())
        to = [str(one.get("email_id") or "") for one in body.get("to") or ()]
        problems = [
            problem(MANDATORY, "Mandatory field is missing", n) for n in ("subject", "description") if not body.get(n)
        ]
        if kind is None:
            problems.append(problem(WRONG_VALUE, "Value given for type does not exist", "type"))
        if not to or not all("@" in address for address in to):
            problems.append(problem(WRONG_VALUE, "An address is needed", "to"))
        if problems or kind is None:
            raise wrong(*problems)
        files = claimed_files(store, body.get("attachments"))
        mail = changes.mail(
            g.user, request, str(body["description"]), files, kind=kind, to=to, subject=str(body["subject"])
        )
        return told("notification", shapes.mail(request, mail), 201)

    @routes.get("/requests/<number>/notifications/<mail>/attachments/<file>/download")
    def mail_file(number: str, mail: str, file: str) -> ResponseReturnValue:
        return content_of(_mail(sandbox, number, mail)[1].files, file)

    return routes


def _note_body(key: str) -> dict[str, Any]:
    body = inner(key)
    extra = sorted(set(body) - NOTE_FIELDS)
    if extra:
        raise wrong(*(problem(WRONG_VALUE, "EXTRA_KEY_FOUND_IN_JSON", name) for name in extra))
    return body


def _note(sandbox: ServiceDeskPlusSandbox, number: str, note: str) -> tuple[Request, Note]:
    request = found(sandbox, number)
    for one in request.notes:
        if str(one.id) == note:
            return request, one
    raise missing()


def _mail(sandbox: ServiceDeskPlusSandbox, number: str, mail: str) -> tuple[Request, Mail]:
    request = found(sandbox, number)
    for one in request.mails:
        if str(one.id) == mail:
            return request, one
    raise missing()
