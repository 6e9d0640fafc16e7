"""Requests under /api/v3: lists, changes, files, trash. Sources: sdpop-v3-api and sdpod-v3-api, "Request"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, jsonify
from flask.typing import ResponseReturnValue

from plugins.servicedesk_plus.sandbox import checking
from plugins.servicedesk_plus.sandbox.calls import inner, input_data, sent_file
from plugins.servicedesk_plus.sandbox.errors import FAILED, WRONG_VALUE, missing, problem, wrong
from plugins.servicedesk_plus.sandbox.listing import page_of
from plugins.servicedesk_plus.sandbox.state import DONE, Request

if TYPE_CHECKING:
    from plugins.servicedesk_plus.sandbox.server import ServiceDeskPlusSandbox

SUCCESS = {"status_code": 2000, "status": "success"}
OPEN_FILTERS = ("Open_Requests", "open")
ALL_FILTERS = ("All_Requests", "all")


def found(sandbox: ServiceDeskPlusSandbox, number: str) -> Request:
    """A request by its id. Raises 404."""
    request = sandbox.store.requests.get(int(number)) if number.isdigit() else None
    if request is None:
        raise missing()
    return request


def writable(sandbox: ServiceDeskPlusSandbox, number: str) -> Request:
    """A request that is not in the trash."""
    request = found(sandbox, number)
    if request.is_trashed:
        raise wrong(problem(FAILED, "The request is in the trash"))
    return request


def told(key: str, shown: Any, status: int = 200) -> ResponseReturnValue:
    """One object, with how it went."""
    return jsonify({key: shown, "response_status": SUCCESS}), status


def done(text: str) -> ResponseReturnValue:
    """Nothing to show but how it went."""
    message = {"status_code": 2000, "type": "success", "message": text}
    return jsonify(response_status={**SUCCESS, "messages": [message]})


def listed(key: str, rows: list[Any], info: dict[str, Any]) -> Response:
    """A list: here `response_status` is a list as well."""
    return jsonify({"response_status": [SUCCESS], "list_info": info, key: rows})


def request_routes(sandbox: ServiceDeskPlusSandbox) -> Blueprint:
    """The blueprint, to be mounted under /api/v3."""
    routes = Blueprint("requests", __name__)
    store, shapes, changes = sandbox.store, sandbox.shapes, sandbox.changes

    @routes.get("/requests")
    def list_requests() -> ResponseReturnValue:
        info = input_data().get("list_info") or {}
        wanted = _fields_required(sandbox, info)
        rows = [r for r in store.requests.values() if not r.is_trashed and _passes(r, info.get("filter_by"))]
        # What is searched and sorted by need not be shown.
        whole = [{**shapes.request(r), "summary": shapes.summary(r)} for r in rows]
        page, shown_info = page_of(whole, info)
        shown = [shapes.request_row(store.requests[int(row["id"])], wanted) for row in page]
        return listed("requests", shown, shown_info)

    @routes.post("/requests")
    def create() -> ResponseReturnValue:
        body = inner("request")
        checking.check(store, body, None, sandbox.settings)
        return told("request", shapes.request(changes.create(g.user, body)), 201)

    @routes.get("/requests/<number>")
    def show(number: str) -> ResponseReturnValue:
        if number in ("_metainfo", "metainfo"):
            return _metainfo(sandbox, number)
        return told("request", shapes.request(found(sandbox, number)))

    @routes.put("/requests/<number>")
    def update(number: str) -> ResponseReturnValue:
        request = writable(sandbox, number)
        body = inner("request")
        checking.check(store, body, request, sandbox.settings)
        changes.update(g.user, request, body)
        return told("request", shapes.request(request))

    @routes.put("/requests/<number>/close")
    def close(number: str) -> ResponseReturnValue:
        request = writable(sandbox, number)
        body = {**inner("request"), "status": {"id": store.ids["statuses"]["Closed"]}}
        checking.check(store, body, request, sandbox.settings)
        changes.update(g.user, request, body)
        return done("Request closed")

    @routes.delete("/requests/<number>/move_to_trash")
    def trash(number: str) -> ResponseReturnValue:
        changes.trash(g.user, writable(sandbox, number), is_trashed=True)
        return done("Request moved to trash")

    @routes.put("/requests/<number>/restore_from_trash")
    def restore(number: str) -> ResponseReturnValue:
        changes.trash(g.user, found(sandbox, number), is_trashed=False)
        return done("Request restored")

    @routes.delete("/requests/<number>")
    def delete(number: str) -> ResponseReturnValue:
        request = found(sandbox, number)
        if not request.is_trashed:
            raise wrong(problem(FAILED, "Only requests in the trash can be deleted"))
        del store.requests[request.id]
        return done("Request deleted")

    @routes.put("/requests/<number>/merge_requests")
    def merge(number: str) -> ResponseReturnValue:
        given = input_data().get("merge_requests") or []
        others = [writable(sandbox, str(one.get("id"))) for one in given]
        changes.merge(g.user, writable(sandbox, number), others)
        return done("Requests merged")

    @routes.get("/requests/<number>/resolutions")
    def resolution(number: str) -> ResponseReturnValue:
        return told("resolution", shapes.resolution(found(sandbox, number)))

    @routes.post("/requests/<number>/resolutions")
    def resolve(number: str) -> ResponseReturnValue:
        request = writable(sandbox, number)
        changes.resolve(g.user, request, str(inner("resolution").get("content") or ""))
        return told("resolution", shapes.resolution(request))

    @routes.get("/requests/<number>/summary")
    def summary(number: str) -> ResponseReturnValue:
        return told("request_summary", shapes.summary(found(sandbox, number)))

    @routes.put("/requests/<number>/upload")
    def upload(number: str) -> ResponseReturnValue:
        request = writable(sandbox, number)
        file = sent_file(store)
        changes.attach(g.user, request, file)
        return told("attachment", shapes.file(file, f"/requests/{request.id}"))

    @routes.get("/requests/<number>/attachments")
    def attachments(number: str) -> ResponseReturnValue:
        request = found(sandbox, number)
        rows = [shapes.file(f, f"/requests/{request.id}") for f in request.files]
        return listed("attachments", *page_of(rows, input_data().get("list_info") or {"row_count": 100}))

    @routes.get("/requests/<number>/attachments/<file>/download")
    def download(number: str, file: str) -> ResponseReturnValue:
        return content_of(found(sandbox, number).files, file)

    return routes


def content_of(files: list[Any], number: str) -> Response:
    """The bytes of one of these files. Raises 404."""
    for file in files:
        if str(file.id) == number:
            return Response(file.content, mimetype=file.content_type)
    raise missing()


def _passes(request: Request, chosen: Any) -> bool:
    name = (chosen or {}).get("name") or (chosen or {}).get("id") or ALL_FILTERS[0]
    if name in OPEN_FILTERS:
        return request.status not in DONE
    if name in ALL_FILTERS:
        return True
    raise wrong(problem(WRONG_VALUE, f"There is no filter {name!r}", "filter_by"))


def _fields_required(sandbox: ServiceDeskPlusSandbox, info: dict[str, Any]) -> list[str]:
    wanted = [str(name) for name in info.get("fields_required") or ()]
    known = set(sandbox.known_fields())
    for name in wanted:
        if name not in known:
            raise wrong(problem(WRONG_VALUE, f"There is no field {name!r}", "fields_required"))
    return wanted


def _metainfo(sandbox: ServiceDeskPlusSandbox, path: str) -> ResponseReturnValue:
    """The fields of requests; the editions name its address differently."""
    if sandbox.is_cloud != path.startswith("_"):
        raise missing()
    inner_fields = {name: {"display_name": purpose.title()} for purpose, name in sandbox.store.udf.items()}
    fields: dict[str, Any] = {name: {"display_name": name} for name in sandbox.known_fields()}
    return told("metainfo", {"entity": "request", "fields": {**fields, "udf_fields": {"fields": inner_fields}}})
