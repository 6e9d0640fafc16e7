"""What a site tells of itself: its version, accounts, permissions, fields, projects and what new issues need."""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from plugins.jira.sandbox.calls import SYSTEM_FIELDS, Site, field_meta, me, project_of, versioned
from plugins.jira.sandbox.errors import JiraError
from plugins.jira.sandbox.shapes import Json, Shapes, stamp
from plugins.jira.sandbox.state import CUSTOM_FIELDS, ISSUE_TYPES, PRIORITIES, RESOLUTIONS, STATUSES

CUSTOM_TYPES = "com.atlassian.jira.plugin.system.customfieldtypes"
PERMISSIONS = (
    "BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "ADD_COMMENTS", "TRANSITION_ISSUES", "CREATE_ATTACHMENTS",
    "LINK_ISSUES", "DELETE_ISSUES", "ADMINISTER", "WORK_ON_ISSUES", "ASSIGN_ISSUES",
)  # fmt: skip


def site_routes(site: Site) -> Blueprint:
    """Routes under /serverInfo, /myself, /user, /field, /project and the lists of words."""
    routes, store, shapes = versioned("site"), site.store, site.shapes

    @routes.get("/serverInfo")
    def server_info() -> ResponseReturnValue:
        info: Json = {
            "baseUrl": site.url, "version": "1001.0.0-SNAPSHOT" if site.is_cloud else "10.3.0",
            "versionNumbers": [1001, 0, 0] if site.is_cloud else [10, 3, 0],
            "deploymentType": "Cloud" if site.is_cloud else "Server", "buildNumber": 100274,
            "serverTime": stamp(store.clock()), "serverTitle": "Jira",
        }  # fmt: skip
        return jsonify(info)

    @routes.get("/myself")
    def myself() -> ResponseReturnValue:
        return jsonify({**(shapes.user(me()) or {}), "emailAddress": me().email, "locale": "en_US"})

    @routes.get("/mypermissions")
    def permissions() -> ResponseReturnValue:
        wanted = [p for p in request.args.get("permissions", "").split(",") if p] or list(PERMISSIONS)
        if site.is_cloud and not request.args.get("permissions"):
            raise JiraError(400, "The 'permissions' query parameter is required.")
        held = {p: p == "BROWSE_PROJECTS" or (me().may_write and (p != "ADMINISTER" or me().is_admin)) for p in wanted}
        return jsonify(
            permissions={
                p: {
                    "id": "1",
                    "key": p,
                    "name": p.replace("_", " ").capitalize(),
                    "type": "PROJECT",
                    "description": "",
                    "havePermission": have,
                }
                for p, have in held.items()
            }
        )

    @routes.get("/user/search", endpoint="search_users")
    @routes.get("/user/assignable/search", endpoint="search_assignable_users")
    def find_users() -> ResponseReturnValue:
        query = (request.args.get("query") or request.args.get("username") or "").casefold()
        found = [
            u for u in store.users.values() if query and (query in u.email.casefold() or query in u.name.casefold())
        ]
        return jsonify(
            [{**(shapes.user(u) or {}), **({"emailAddress": u.email} if me().is_admin else {})} for u in found]
        )

    @routes.get("/user")
    def show_user() -> ResponseReturnValue:
        found = store.find_user(request.args.get("accountId") or request.args.get("username") or "")
        if found is None:
            raise JiraError(404, "The user does not exist.")
        return jsonify(shapes.user(found))

    @routes.get("/field")
    def list_fields() -> ResponseReturnValue:
        system = [
            {"id": name, "key": name, "name": name.capitalize(), "custom": False, "orderable": True, "navigable": True,
             "searchable": True, "clauseNames": [name], "schema": {"type": kind, "system": name}}
            for name, kind in SYSTEM_FIELDS.items()
        ]  # fmt: skip
        custom = [
            {"id": name, "key": name, "name": title, "custom": True, "orderable": True, "navigable": True,
             "searchable": True, "clauseNames": [f"cf[{name[-5:]}]", title],
             "schema": {"type": kind, "custom": f"{CUSTOM_TYPES}:x", "customId": int(name[-5:])}}
            for name, (title, kind, _) in CUSTOM_FIELDS.items()
        ]  # fmt: skip
        return jsonify(system + custom)

    @routes.get("/priority")
    def priorities() -> ResponseReturnValue:
        return jsonify([shapes.named("priority", name, n) for n, name in enumerate(PRIORITIES, 1)])

    @routes.get("/status")
    def statuses() -> ResponseReturnValue:
        return jsonify([shapes.status(s.name) for s in STATUSES])

    @routes.get("/resolution")
    def resolutions() -> ResponseReturnValue:
        return jsonify([shapes.named("resolution", name, n) for n, name in enumerate(RESOLUTIONS, 1)])

    @routes.get("/issuetype")
    def issue_types() -> ResponseReturnValue:
        return jsonify(_types(shapes))

    @routes.get("/project")
    def projects() -> ResponseReturnValue:
        return jsonify([shapes.project(p) for p in store.projects.values()])

    @routes.get("/project/<key>")
    def show_project(key: str) -> ResponseReturnValue:
        return jsonify(
            {
                **shapes.project(project_of(store, key)),
                "issueTypes": _types(shapes),
                "description": "",
                "components": [],
                "versions": [],
            }
        )

    @routes.get("/project/<key>/statuses")
    def project_statuses(key: str) -> ResponseReturnValue:
        project = project_of(store, key)
        names = dict.fromkeys([project.initial, *(m.to for m in project.moves)])
        shown = [shapes.status(name) for name in names]
        kept = ("self", "id", "name", "subtask")
        return jsonify([{**{k: t[k] for k in kept}, "statuses": shown} for t in _types(shapes)])

    @routes.get("/issue/createmeta")
    def old_createmeta() -> ResponseReturnValue:
        raise JiraError(404, "Issue Does Not Exist")

    @routes.get("/issue/createmeta/<key>/issuetypes")
    def createmeta_types(key: str) -> ResponseReturnValue:
        project_of(store, key)
        return jsonify(_page("issueTypes" if site.is_cloud else "values", _types(shapes)))

    @routes.get("/issue/createmeta/<key>/issuetypes/<type_id>")
    def createmeta_fields(key: str, **_: str) -> ResponseReturnValue:
        project_of(store, key)
        fields = [
            field_meta(name, kind, name == "summary")
            for name, kind in SYSTEM_FIELDS.items()
            if name in ("summary", "description", "priority", "labels", "assignee")
        ]
        fields += [field_meta(n, kind, n in store.required, title) for n, (title, kind, _) in CUSTOM_FIELDS.items()]
        return jsonify(_page("fields" if site.is_cloud else "values", fields))

    return routes


def _page(name: str, values: list[Json]) -> Json:
    return {"startAt": 0, "maxResults": 50, "total": len(values), "isLast": True, name: values}


def _types(shapes: Shapes) -> list[Json]:
    return [
        {**shapes.named("issuetype", name, n), "subtask": False, "iconUrl": ""} for n, name in enumerate(ISSUE_TYPES, 1)
    ]
