"""The JSON interface under /ewws/alrest/<KB>. Source: a public client's calls; help.agiloft.com, "REST - Search"."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.agiloft.sandbox.errors import AgiloftError
from plugins.agiloft.sandbox.search import condition
from plugins.agiloft.sandbox.state import File

if TYPE_CHECKING:
    from plugins.agiloft.sandbox.server import AgiloftSandbox

MOST_BYTES = 50 * 1024 * 1024


def alrest_routes(sandbox: AgiloftSandbox) -> Blueprint:
    """Everything that is done with records."""
    routes = Blueprint("alrest", __name__)
    records = sandbox.records

    @routes.post("/login")
    def login(kb: str) -> ResponseReturnValue:
        body = _body()
        if body.get("KB") != kb:
            raise AgiloftError(400, f"Unable to identify KB with name {body.get('KB')}")
        return _good(sandbox.tokens.sign_in(kb, body.get("login"), body.get("password")))

    @routes.post("/<table>")
    def create(kb: str, table: str) -> ResponseReturnValue:
        user = sandbox.signed_in(kb)
        return _good({"id": records.create(records.table(table), _body(), user).id})

    @routes.get("/<table>/<record_id>")
    def read(kb: str, table: str, record_id: str) -> ResponseReturnValue:
        user, found = sandbox.signed_in(kb), records.table(table)
        wanted = [name for name in request.args.get("fields", "").split(",") if name]
        return _good(records.show(found, records.find(found, record_id, user), wanted))

    @routes.put("/<table>/<record_id>")
    def update(kb: str, table: str, record_id: str) -> ResponseReturnValue:
        user, found = sandbox.signed_in(kb), records.table(table)
        record = records.find(found, record_id, user)
        records.update(found, record, _body(), user)
        return _good(records.show(found, record))

    @routes.delete("/<table>/<record_id>")
    def delete(kb: str, table: str, record_id: str) -> ResponseReturnValue:
        user, found = sandbox.signed_in(kb), records.table(table)
        if not request.args.get("deleteRule"):
            raise AgiloftError(400, "One has to specify deleteRule, id and substitute values.")
        records.delete(found, records.find(found, record_id, user), user)
        return _good(None)

    @routes.post("/<table>/search")
    def search(kb: str, table: str) -> ResponseReturnValue:
        user, found, body = sandbox.signed_in(kb), records.table(table), _body()
        fits, named = condition(str(body.get("query") or ""))
        wanted = list(body.get("field") or ["id"])
        rows = [
            records.show(found, record, wanted)
            for record in found.records.values()
            if records.may_see(found, record, user) and fits(records.show(found, record, named))
        ]
        # The order is nobody's promise, and another one each time that a record was written.
        rows.sort(key=lambda row: (zlib.crc32(str(row).encode()), row["id"]))
        limit, page = int(body.get("limit") or 0), int(body.get("page") or 0)
        if limit == 0:
            return _good(rows if page == 0 else [])
        return _good(rows[page * limit : (page + 1) * limit])

    @routes.post("/<table>/attach/<record_id>")
    def attach(kb: str, table: str, record_id: str) -> ResponseReturnValue:
        user, found = sandbox.signed_in(kb), records.table(table)
        record = records.find(found, record_id, user)
        column = records.file_column(found, request.args.get("field", ""))
        name, upload = request.args.get("fileName"), request.files.get("uploadFile")
        if not name:
            raise AgiloftError(400, "No value for 'fileName' parameter specified.")
        if upload is None:
            raise AgiloftError(400, "No file in the request")
        content = upload.read()
        if len(content) > MOST_BYTES:
            raise AgiloftError(400, f"The file {name} is too large")
        file = File(name, content, upload.mimetype or "application/octet-stream")
        return _good(records.attach(found, record, column, file, user))

    @routes.post("/<table>/attachInfo/<record_id>")
    def attach_info(kb: str, table: str, record_id: str) -> ResponseReturnValue:
        user, found = sandbox.signed_in(kb), records.table(table)
        record = records.find(found, record_id, user)
        column = records.file_column(found, request.args.get("field", ""))
        return _good(
            [
                {"fileName": file.name, "size": len(file.content), "filePosition": position}
                for position, file in enumerate(record.files.get(column.name, []))
            ]
        )

    @routes.post("/<table>/removeAttach/<record_id>")
    def remove_attach(kb: str, table: str, record_id: str) -> ResponseReturnValue:
        user, found = sandbox.signed_in(kb), records.table(table)
        record = records.find(found, record_id, user)
        column = records.file_column(found, request.args.get("field", ""))
        position = int(request.args.get("filePosition", "0"))
        if position >= len(record.files.get(column.name, [])):
            raise AgiloftError(400, "Wrong value for 'filePosition' parameter")
        return _good(records.remove_file(found, record, column, position, user))

    return routes


def _good(result: Any) -> ResponseReturnValue:
    return jsonify(success=True, message="", result=result)


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise AgiloftError(400, "The body is no JSON object")
    return body
