"""The site's API under /rest. Versions 2 and 3 differ in how they write texts: wiki markup, or ADF in version 3."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol

from flask import Blueprint, Response, g, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from plugins.jira.sandbox import jql
from plugins.jira.sandbox.changes import Changes
from plugins.jira.sandbox.errors import JiraError, no_issue
from plugins.jira.sandbox.shapes import Json, Shapes, stamp
from plugins.jira.sandbox.state import (
    CUSTOM_FIELDS,
    ISSUE_TYPES,
    PRIORITIES,
    RESOLUTIONS,
    STATUSES,
    Comment,
    Issue,
    Project,
    Store,
    User,
)

SYSTEM_FIELDS = {
    "summary": "string", "description": "string", "status": "status", "priority": "priority",
    "issuetype": "issuetype", "resolution": "resolution", "labels": "array", "assignee": "user", "reporter": "user",
    "project": "project", "created": "datetime", "updated": "datetime", "comment": "comments-page",
    "attachment": "array",
}  # fmt: skip
GONE = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration guideline "
    "is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
CUSTOM_TYPES = "com.atlassian.jira.plugin.system.customfieldtypes"
PERMISSIONS = (
    "BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "ADD_COMMENTS", "TRANSITION_ISSUES", "CREATE_ATTACHMENTS",
    "LINK_ISSUES", "DELETE_ISSUES", "ADMINISTER", "WORK_ON_ISSUES", "ASSIGN_ISSUES",
)  # fmt: skip


class Site(Protocol):
    """What the routes need of the sandbox."""

    store: Store
    changes: Changes
    shapes: Shapes
    is_cloud: bool
    settings: dict[str, float]
    leaked_authorizations: list[str]

    @property
    def url(self) -> str: ...
    def add_hook(self, body: Json) -> Json: ...


def me() -> User:
    """Who makes the present request."""
    user: User = g.user
    return user


def api_routes(site: Site) -> Blueprint:
    """Everything under /rest/api/<version>."""
    routes = Blueprint("api", __name__)
    store, shapes, changes = site.store, site.shapes, site.changes

    @routes.url_value_preprocessor
    def note_version(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        g.version = (values or {}).pop("version", "2")

    def rule(path: str, *methods: str) -> Callable[[Any], Any]:
        return routes.route(path, methods=list(methods) or ["GET"])

    def issue_of(text: str) -> Issue:
        issue = store.find_issue(text)
        if issue is None:
            raise no_issue()
        return issue

    def comment_of(issue: Issue, comment_id: str) -> Comment:
        for comment in issue.comments:
            if comment.id == comment_id and _may_read(comment):
                return comment
        raise JiraError(404, f"Can not find a comment for the id: {comment_id}.")

    def project_of(key: str) -> Project:
        for project in store.projects.values():
            if key in (project.key, project.id):
                return project
        raise JiraError(404, f"No project could be found with key '{key}'.")

    @rule("/serverInfo")
    def server_info() -> ResponseReturnValue:
        info: Json = {
            "baseUrl": site.url, "version": "1001.0.0-SNAPSHOT" if site.is_cloud else "10.3.0",
            "versionNumbers": [1001, 0, 0] if site.is_cloud else [10, 3, 0],
            "deploymentType": "Cloud" if site.is_cloud else "Server", "buildNumber": 100274,
            "serverTime": stamp(store.clock()), "serverTitle": "Jira",
        }  # fmt: skip
        return jsonify(info)

    @rule("/myself")
    def myself() -> ResponseReturnValue:
        return jsonify({**(shapes.user(me()) or {}), "emailAddress": me().email, "locale": "en_US"})

    @rule("/mypermissions")
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

    @rule("/user/search")
    @rule("/user/assignable/search")
    def find_users() -> ResponseReturnValue:
        query = (request.args.get("query") or request.args.get("username") or "").casefold()
        found = [
            u for u in store.users.values() if query and (query in u.email.casefold() or query in u.name.casefold())
        ]
        return jsonify(
            [{**(shapes.user(u) or {}), **({"emailAddress": u.email} if me().is_admin else {})} for u in found]
        )

    @rule("/user")
    def show_user() -> ResponseReturnValue:
        found = store.find_user(request.args.get("accountId") or request.args.get("username") or "")
        if found is None:
            raise JiraError(404, "The user does not exist.")
        return jsonify(shapes.user(found))

    @rule("/field")
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

    @rule("/priority")
    def priorities() -> ResponseReturnValue:
        return jsonify([shapes.named("priority", name, n) for n, name in enumerate(PRIORITIES, 1)])

    @rule("/status")
    def statuses() -> ResponseReturnValue:
        return jsonify([shapes.status(s.name) for s in STATUSES])

    @rule("/resolution")
    def resolutions() -> ResponseReturnValue:
        return jsonify([shapes.named("resolution", name, n) for n, name in enumerate(RESOLUTIONS, 1)])

    @rule("/issuetype")
    def issue_types() -> ResponseReturnValue:
        return jsonify(_types(shapes))

    @rule("/project")
    def projects() -> ResponseReturnValue:
        return jsonify([shapes.project(p) for p in store.projects.values()])

    @rule("/project/<key>")
    def show_project(key: str) -> ResponseReturnValue:
        return jsonify(
            {
                **shapes.project(project_of(key)),
                "issueTypes": _types(shapes),
                "description": "",
                "components": [],
                "versions": [],
            }
        )

    @rule("/project/<key>/statuses")
    def project_statuses(key: str) -> ResponseReturnValue:
        project = project_of(key)
        names = dict.fromkeys([project.initial, *(m.to for m in project.moves)])
        shown = [shapes.status(name) for name in names]
        kept = ("self", "id", "name", "subtask")
        return jsonify([{**{k: t[k] for k in kept}, "statuses": shown} for t in _types(shapes)])

    @rule("/issue/createmeta")
    def old_createmeta() -> ResponseReturnValue:
        raise JiraError(404, "Issue Does Not Exist")

    @rule("/issue/createmeta/<key>/issuetypes")
    def createmeta_types(key: str) -> ResponseReturnValue:
        project_of(key)
        return jsonify(_page("issueTypes" if site.is_cloud else "values", _types(shapes)))

    @rule("/issue/createmeta/<key>/issuetypes/<type_id>")
    def createmeta_fields(key: str, **_: str) -> ResponseReturnValue:
        project_of(key)
        fields = [
            _meta(name, kind, name == "summary")
            for name, kind in SYSTEM_FIELDS.items()
            if name in ("summary", "description", "priority", "labels", "assignee")
        ]
        fields += [_meta(n, kind, n in store.required, title) for n, (title, kind, _) in CUSTOM_FIELDS.items()]
        return jsonify(_page("fields" if site.is_cloud else "values", fields))

    @rule("/issue", "POST")
    def create() -> ResponseReturnValue:
        body = _body()
        if "fields" in body and "description" in body["fields"]:
            body["fields"]["description"] = _text_in(body["fields"]["description"], "description")
        issue = changes.create(me(), body)
        return jsonify({"id": issue.id, "key": issue.key, "self": shapes.address(f"issue/{issue.id}")}), 201

    @rule("/issue/<text>")
    def show(text: str) -> ResponseReturnValue:
        issue = issue_of(text)
        wanted = [f for f in request.args.get("fields", "").split(",") if f] or None
        shape = shapes.issue(issue, wanted)
        if "comment" in shape["fields"]:
            kept = [shapes.comment(issue, c) for c in issue.comments if _may_read(c)]
            most = int(site.settings["inline_comments"])
            shape["fields"]["comment"] = {"comments": kept[:most], "maxResults": most, "total": len(kept), "startAt": 0}
        expand = request.args.get("expand", "")
        if "changelog" in expand:
            entries = [_changelog(shapes, e) for e in issue.changelog]
            shape["changelog"] = {"startAt": 0, "maxResults": len(entries), "total": len(entries), "histories": entries}
        if "transitions" in expand:
            shape["transitions"] = [shapes.transition(m, False, RESOLUTIONS) for m in changes.available(me(), issue)]
        if request.args.get("properties"):
            shape["properties"] = {
                k: v for k, v in issue.properties.items() if k in request.args["properties"].split(",")
            }
        return jsonify(_texts_out(shape))

    @rule("/issue/<text>", "PUT")
    def edit(text: str) -> ResponseReturnValue:
        body = _body()
        if "description" in (body.get("fields") or {}):
            body["fields"]["description"] = _text_in(body["fields"]["description"], "description")
        if request.args.get("notifyUsers") == "false" and not me().is_admin:
            raise JiraError(
                403, "To discard the user notification either admin or project admin permissions are required."
            )
        changes.edit(me(), issue_of(text), body)
        return "", 204

    @rule("/issue/<text>", "DELETE")
    def delete(text: str) -> ResponseReturnValue:
        changes.delete(me(), issue_of(text))
        return "", 204

    @rule("/issue/<text>/editmeta")
    def editmeta(text: str) -> ResponseReturnValue:
        issue_of(text)
        return jsonify(
            fields={
                n: _meta(n, k, False) for n, k in SYSTEM_FIELDS.items() if n in ("summary", "description", "labels")
            }
        )

    @rule("/issue/<text>/transitions")
    def transitions(text: str) -> ResponseReturnValue:
        with_fields = "transitions.fields" in request.args.get("expand", "")
        moves = changes.available(me(), issue_of(text))
        return jsonify(
            expand="transitions", transitions=[shapes.transition(m, with_fields, RESOLUTIONS) for m in moves]
        )

    @rule("/issue/<text>/transitions", "POST")
    def do_transition(text: str) -> ResponseReturnValue:
        changes.transition(me(), issue_of(text), _body())
        return "", 204

    @rule("/issue/<text>/comment")
    def comments(text: str) -> ResponseReturnValue:
        issue = issue_of(text)
        start, most = _paging(5000 if site.is_cloud else 1048576)
        kept = [c for c in issue.comments if _may_read(c)]
        if request.args.get("orderBy", "").startswith("-"):
            kept = kept[::-1]
        with_properties = "properties" in request.args.get("expand", "")
        shown = [shapes.comment(issue, c, with_properties) for c in kept[start : start + most]]
        return jsonify(_texts_out({"startAt": start, "maxResults": most, "total": len(kept), "comments": shown}))

    @rule("/issue/<text>/comment", "POST")
    def add_comment(text: str) -> ResponseReturnValue:
        issue, body = issue_of(text), _body()
        comment = changes.add_comment(me(), issue, body, _text_in(body.get("body"), "comment") or "")
        return jsonify(_texts_out(shapes.comment(issue, comment))), 201

    @rule("/issue/<text>/comment/<comment_id>")
    def show_comment(text: str, comment_id: str) -> ResponseReturnValue:
        issue = issue_of(text)
        with_properties = "properties" in request.args.get("expand", "")
        return jsonify(_texts_out(shapes.comment(issue, comment_of(issue, comment_id), with_properties)))

    @rule("/issue/<text>/comment/<comment_id>", "PUT")
    def edit_comment(text: str, comment_id: str) -> ResponseReturnValue:
        issue, body = issue_of(text), _body()
        comment = comment_of(issue, comment_id)
        changes.edit_comment(me(), issue, comment, body, _text_in(body.get("body"), "comment") or "")
        return jsonify(_texts_out(shapes.comment(issue, comment)))

    @rule("/issue/<text>/comment/<comment_id>", "DELETE")
    def delete_comment(text: str, comment_id: str) -> ResponseReturnValue:
        issue = issue_of(text)
        changes.delete_comment(me(), issue, comment_of(issue, comment_id))
        return "", 204

    @rule("/issue/<text>/attachments", "POST")
    def attach(text: str) -> ResponseReturnValue:
        if request.headers.get("X-Atlassian-Token") != "no-check":
            raise JiraError(403, "XSRF check failed")
        issue, files = issue_of(text), request.files.getlist("file")
        if not files:
            raise JiraError(400, "No file was sent.")
        made = [changes.attach(me(), issue, f.filename or "file", f.read(), f.mimetype) for f in files]
        return jsonify([shapes.attachment(a) for a in made])

    @rule("/attachment/<attachment_id>")
    def attachment(attachment_id: str) -> ResponseReturnValue:
        return jsonify(shapes.attachment(_attachment(store, attachment_id)))

    @rule("/attachment/content/<attachment_id>")
    def content(attachment_id: str) -> ResponseReturnValue:
        _attachment(store, attachment_id)
        # Cloud sends clients to its media host; another name of this machine plays that host.
        other = site.url.replace("127.0.0.1", "localhost")
        return redirect(f"{other}/media/{attachment_id}", 303)

    @rule("/issue/<text>/remotelink")
    def remote_links(text: str) -> ResponseReturnValue:
        issue = issue_of(text)
        wanted = request.args.get("globalId")
        if wanted is not None:
            if wanted not in issue.links:
                raise JiraError(404, f"The remote link with globalId '{wanted}' does not exist.")
            return jsonify(issue.links[wanted])
        return jsonify(list(issue.links.values()))

    @rule("/issue/<text>/remotelink", "POST")
    def add_remote_link(text: str) -> ResponseReturnValue:
        issue, body = issue_of(text), _body()
        shown = body.get("object") or {}
        if not me().may_write:
            raise JiraError(403, "No Link Issue Permission for issue.")
        if not shown.get("url") or not shown.get("title"):
            missing = {n: f"'{n}' is required." for n in ("url", "title") if not shown.get(n)}
            raise JiraError(400, fields=missing)
        if len(str(body.get("globalId") or "")) > 255:
            raise JiraError(400, fields={"globalId": "globalId is too long."})
        key = str(body.get("globalId") or store.new_id())
        known = issue.links.get(key)
        number = known["id"] if known else int(store.new_id())
        # What an update leaves out becomes null.
        issue.links[key] = {
            "id": number, "self": shapes.address(f"issue/{issue.id}/remotelink/{number}"),
            "globalId": body.get("globalId"),
            "application": body.get("application") or {}, "relationship": body.get("relationship"),
            "object": {"url": shown["url"], "title": shown["title"], "summary": shown.get("summary"),
                       "icon": shown.get("icon") or {}, "status": shown.get("status") or {}},
        }  # fmt: skip
        return jsonify({"id": number, "self": issue.links[key]["self"]}), 200 if known else 201

    @rule("/issue/<text>/remotelink", "DELETE")
    def delete_remote_link(text: str) -> ResponseReturnValue:
        issue = issue_of(text)
        if issue.links.pop(request.args.get("globalId", ""), None) is None:
            raise JiraError(404, "The remote link does not exist.")
        return "", 204

    @rule("/issue/<text>/properties/<key>", "GET", "PUT", "DELETE")
    def issue_property(text: str, key: str) -> ResponseReturnValue:
        issue = issue_of(text)
        if request.method == "PUT":
            was_there = key in issue.properties
            issue.properties[key] = request.get_json()
            return "", 200 if was_there else 201
        if key not in issue.properties:
            raise JiraError(404, f"The property '{key}' does not exist.")
        if request.method == "DELETE":
            del issue.properties[key]
            return "", 204
        return jsonify(key=key, value=issue.properties[key])

    @rule("/issue/<text>/changelog")
    def changelog(text: str) -> ResponseReturnValue:
        entries = [_changelog(shapes, e) for e in issue_of(text).changelog]
        start, most = _paging(100)
        page = entries[start : start + most]
        return jsonify(
            startAt=start, maxResults=most, total=len(entries), isLast=start + most >= len(entries), values=page
        )

    @rule("/search", "GET", "POST")
    def old_search() -> ResponseReturnValue:
        if site.is_cloud:
            raise JiraError(410, GONE)
        given = _given()
        found = _found(site, str(given.get("jql") or ""), must_be_bounded=False)
        start, most = int(given.get("startAt") or 0), min(int(given.get("maxResults") or 50), 1000)
        wanted = _listed(given.get("fields")) or ["*all"]
        page = [shapes.issue(i, wanted) for i in found[start : start + most]]
        return jsonify(
            _texts_out(
                {"expand": "schema,names", "startAt": start, "maxResults": most, "total": len(found), "issues": page},
            )
        )

    @rule("/search/jql", "GET", "POST")
    def search() -> ResponseReturnValue:
        if not site.is_cloud:
            raise JiraError(404, "null for uri")
        given = _given()
        found = _found(site, str(given.get("jql") or ""), must_be_bounded=True)
        for text in given.get("reconcileIssues") or ():
            issue = store.find_issue(str(text))
            if issue is not None and issue not in found:
                found.append(issue)
        start = int(re.sub(r"\D", "", str(given.get("nextPageToken") or "0")) or 0)
        most = min(int(given.get("maxResults") or 50), 5000)
        wanted = _listed(given.get("fields")) or ["id"]
        page = [shapes.issue(i, wanted) for i in found[start : start + most]]
        is_last = start + most >= len(found)
        answer: Json = {"issues": page, "isLast": is_last}
        if not is_last:
            answer["nextPageToken"] = f"page-{start + most}"
        return jsonify(_texts_out(answer))

    return routes


def other_routes(site: Site) -> Blueprint:
    """Webhook administration, Service Management, application links, files on their own host."""
    routes = Blueprint("other", __name__)

    @routes.get("/rest/webhooks/1.0/webhook")
    def list_hooks() -> ResponseReturnValue:
        _must_be_admin()
        return jsonify(list(site.store.hooks.values()))

    @routes.post("/rest/webhooks/1.0/webhook")
    def add_hook() -> ResponseReturnValue:
        _must_be_admin()
        return jsonify(site.add_hook(_body())), 201

    @routes.post("/rest/servicedeskapi/request/<text>/comment")
    def request_comment(text: str) -> ResponseReturnValue:
        issue, body = site.store.find_issue(text), _body()
        if issue is None or issue.project.type != "service_desk":
            raise JiraError(404, "The request does not exist.")
        internal = not body.get("public", True)
        stamped = {"properties": [{"key": "sd.public.comment", "value": {"internal": internal}}]}
        comment = site.changes.add_comment(me(), issue, stamped, str(body.get("body") or ""))
        return jsonify(id=comment.id, body=comment.body, public=not internal, author=site.shapes.user(me())), 201

    @routes.get("/rest/applinks/latest/listApplicationlinks")
    def applinks() -> ResponseReturnValue:
        _must_be_admin()
        return jsonify(list=[])

    @routes.get("/media/<attachment_id>")
    def media(attachment_id: str) -> ResponseReturnValue:
        if request.headers.get("Authorization"):
            site.leaked_authorizations.append(request.path)
        found = _attachment(site.store, attachment_id)
        return Response(found.content, content_type=found.mime)

    @routes.get("/secure/attachment/<attachment_id>/<path:name>")
    def download(attachment_id: str, **_: str) -> ResponseReturnValue:
        found = _attachment(site.store, attachment_id)
        return Response(found.content, content_type=found.mime)

    return routes


def _must_be_admin() -> None:
    if not me().is_admin:
        raise JiraError(403, "You are not authorized to perform this operation. Administrator privileges are required.")


def _may_read(comment: Comment) -> bool:
    """Restricted comments are for staff; the account that may only browse is none."""
    return comment.visibility is None or me().may_write


def _body() -> Json:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise JiraError(400, "Unexpected character: the body is not JSON.")
    return body


def _given() -> Json:
    return _body() if request.method == "POST" else dict(request.args)


def _listed(value: Any) -> list[str]:
    return [f for f in value.split(",") if f] if isinstance(value, str) else list(value or ())


def _found(site: Site, text: str, *, must_be_bounded: bool) -> list[Issue]:
    lag = site.settings["search_lag"]
    now = site.store.clock()
    known = [i for i in site.store.issues.values() if (now - i.updated).total_seconds() >= lag]
    return jql.search(known, text, me().time_zone, must_be_bounded=must_be_bounded)


def _paging(most: int) -> tuple[int, int]:
    return int(request.args.get("startAt") or 0), min(int(request.args.get("maxResults") or most), most)


def _page(name: str, values: list[Json]) -> Json:
    return {"startAt": 0, "maxResults": 50, "total": len(values), "isLast": True, name: values}


def _types(shapes: Shapes) -> list[Json]:
    return [
        {**shapes.named("issuetype", name, n), "subtask": False, "iconUrl": ""} for n, name in enumerate(ISSUE_TYPES, 1)
    ]


def _meta(name: str, kind: str, required: bool, title: str = "") -> Json:
    return {
        "required": required, "schema": {"type": kind, "system": name}, "name": title or name.capitalize(),
        "key": name, "fieldId": name, "hasDefaultValue": False, "operations": ["set"],
    }  # fmt: skip


def _changelog(shapes: Shapes, entry: Json) -> Json:
    return {
        "id": entry["id"],
        "author": shapes.user(entry["author"]),
        "created": stamp(entry["created"]),
        "items": entry["items"],
    }


def _attachment(store: Store, attachment_id: str) -> Any:
    for issue in store.issues.values():
        for attachment in issue.attachments:
            if attachment.id == attachment_id:
                return attachment
    raise JiraError(404, f"The attachment with id '{attachment_id}' does not exist")


def _text_in(given: Any, name: str) -> str | None:
    """Wiki markup in version 2, ADF in version 3; the other one is refused, as by the real one."""
    if given is None:
        return None
    if g.version == "3":
        if not isinstance(given, dict) or given.get("type") != "doc":
            word = (
                "Comment body is not valid!"
                if name == "comment"
                else "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
            )
            raise JiraError(400, fields={name: word})
        return _adf_text(given).strip("\n")
    if not isinstance(given, str):
        raise JiraError(400, fields={name: "Operation value must be a string"})
    return given


def _adf_text(node: Json) -> str:
    if node.get("type") == "text":
        return str(node.get("text", ""))
    inner = "".join(_adf_text(child) for child in node.get("content", ()))
    return inner + ("\n" if node.get("type") in ("paragraph", "heading") else "")


def _texts_out(shape: Any) -> Any:
    """In version 3 descriptions and comment bodies are documents."""
    if g.version != "3":
        return shape
    if isinstance(shape, list):
        return [_texts_out(one) for one in shape]
    if isinstance(shape, dict):
        return {
            name: _adf(value)
            if name in ("description", "body") and isinstance(value, str) and value
            else _texts_out(value)
            for name, value in shape.items()
        }
    return shape


def _adf(text: str) -> Json:
    paragraphs = [
        {"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in text.split("\n") if line
    ]
    return {"type": "doc", "version": 1, "content": paragraphs}
