"""The older operations that have no form in the JSON interface. Source: help.agiloft.com, page by page as named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.agiloft.sandbox.errors import AgiloftError, PlainError, no_column
from plugins.agiloft.sandbox.state import Column, Record, Table, User

if TYPE_CHECKING:
    from plugins.agiloft.sandbox.server import AgiloftSandbox

TYPES = {
    "id": ("BIGINT", "swautoincrementfield"), "choice": ("VARCHAR", "swchoicefield"),
    "multi": ("VARCHAR", "swmultichoicefield"), "append": ("CLOB", "swlongtextfield"), "file": ("BLOB", "swfilefield"),
    "time": ("TIMESTAMP", "swdatetimefield"), "number": ("INTEGER", "swintegerfield"),
}  # fmt: skip


def classic_routes(sandbox: AgiloftSandbox) -> Blueprint:
    """Sessions, schema, choices, locks and the content of files."""
    routes = Blueprint("classic", __name__)
    kb, records = sandbox.kb, sandbox.records

    @routes.route("/EWLogin", methods=["GET", "POST"])
    def login() -> ResponseReturnValue:
        """ "REST - Login": the token bare, without an envelope."""
        values = request.values
        if "$login" in values:
            return jsonify(sandbox.tokens.sign_in(values.get("$KB"), values["$login"], values.get("$password")))
        access = request.headers.get("Authorization", "").partition(" ")[2]
        return jsonify(sandbox.tokens.renew(access, values.get("refresh_token")))

    @routes.route("/EWLogout", methods=["GET", "POST"])
    def logout() -> ResponseReturnValue:
        sandbox.tokens.sign_out(request.headers.get("Authorization", "").partition(" ")[2])
        return "", 200

    @routes.route("/EWTable/.json", methods=["GET", "POST"])
    def tables() -> ResponseReturnValue:
        """ "REST - Table"; the parameter is called `table`, without a sign."""
        sandbox.signed_in(request.values.get("$KB"))
        name = request.values.get("table")
        shown = [records.table(name)] if name else list(kb.tables.values())
        return _good({"tables": [_table(table) for table in shown]})

    @routes.get("/EWGetChoiceLineId/.json")
    def choice() -> ResponseReturnValue:
        sandbox.signed_in(request.args.get("$KB"))
        table, name = records.table(request.args.get("$table", "")), request.args.get("field", "")
        column = table.columns.get(name)
        if column is None:
            raise no_column(name, table.name)
        value = request.args.get("value", "")
        if value not in column.choices:
            raise AgiloftError(400, f"No choice line found for value {name}")
        return _good(str(column.choices.index(value) + 1))

    @routes.route("/EWLock", methods=["GET", "PUT", "DELETE"])
    def lock() -> ResponseReturnValue:
        """ "REST - Lock"."""
        user, table, record = at_record()
        present = kb.lock_of(table, record)
        if request.method == "PUT":
            if present is not None and present.login != user.login:
                raise PlainError(409, "CONFLICT", f"The record is locked by {present.login}")
            present = kb.lock(table, record, user.login)
        elif request.method == "DELETE":
            if present is not None and present.login != user.login and not request.values.get("force"):
                raise PlainError(409, "CONFLICT", f"The record is locked by {present.login}")
            kb.unlock(table, record)
            present = None
        shown: dict[str, Any] = {"id": record.id, "table_id": table.id, "lock_status": "NO_LOCK"}
        if present is not None:
            left = round((present.ends - kb.now()).total_seconds() / 60)
            shown |= {"lock_status": "LOCKED", "locked_by": present.login, "lock_expires_in_minutes": left}
        return jsonify(shown)

    @routes.route("/EWRetrieve", methods=["GET", "POST"])
    def retrieve() -> ResponseReturnValue:
        _, table, record = at_record()
        column = records.file_column(table, request.values.get("field", ""))
        files, position = record.files.get(column.name, []), int(request.values.get("filePosition", "0"))
        if position >= len(files):
            raise AgiloftError(400, "Wrong value for 'filePosition' parameter")
        return Response(files[position].content, 200, content_type=files[position].content_type)

    def at_record() -> tuple[User, Table, Record]:
        user = sandbox.signed_in(request.values.get("$KB"))
        table = records.table(request.values.get("$table", ""))
        if not request.values.get("id"):
            raise AgiloftError(400, "One has to specify id value.")
        return user, table, records.find(table, request.values["id"], user)

    return routes


def _good(result: Any) -> ResponseReturnValue:
    return jsonify(success=True, message="", result=result)


def _table(table: Table) -> dict[str, Any]:
    return {
        "label": table.label,
        "logicalName": table.name,
        "fields": [_column(column) for column in table.columns.values()],
    }


def _column(column: Column) -> dict[str, Any]:
    kind, domain = TYPES.get(column.kind, ("VARCHAR", "swshorttextfield"))
    shown: dict[str, Any] = {
        "columnLabel": column.label,
        "columnName": column.name,
        "columnType": kind,
        "columnTypeDomain": domain,
        "required": column.is_required,
    }
    if column.kind == "link":
        shown |= {"isLinked": True, "linkedInfo": [{"linkedTable": column.to, "linkedColumn": column.shows}]}
    if domain == "swshorttextfield":
        shown["textFieldType"] = "text/plain"
    return shown
