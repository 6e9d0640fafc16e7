"""Search by JQL: by pages on Data Center, by tokens on Cloud, where the old address is gone."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from plugins.jira.sandbox import jql
from plugins.jira.sandbox.calls import Site, me, parameters, versioned
from plugins.jira.sandbox.errors import JiraError
from plugins.jira.sandbox.shapes import Json
from plugins.jira.sandbox.state import Issue
from plugins.jira.sandbox.texts import texts_out

GONE = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration guideline "
    "is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)


def search_routes(site: Site) -> Blueprint:
    """Routes under /search."""
    routes, store, shapes = versioned("search"), site.store, site.shapes

    @routes.route("/search", methods=["GET", "POST"])
    def old_search() -> ResponseReturnValue:
        if site.is_cloud:
            raise JiraError(410, GONE)
        given = parameters()
        found = _found(site, str(given.get("jql") or ""), must_be_bounded=False)
        start, most = int(given.get("startAt") or 0), min(int(given.get("maxResults") or 50), 1000)
        wanted = _listed(given.get("fields")) or ["*all"]
        page = [shapes.issue(i, wanted) for i in found[start : start + most]]
        return jsonify(
            texts_out(
                {"expand": "schema,names", "startAt": start, "maxResults": most, "total": len(found), "issues": page},
            )
        )

    @routes.route("/search/jql", methods=["GET", "POST"])
    def search() -> ResponseReturnValue:
        if not site.is_cloud:
            raise JiraError(404, "null for uri")
        given = parameters()
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
        return jsonify(texts_out(answer))

    return routes


def _listed(value: Any) -> list[str]:
    return [f for f in value.split(",") if f] if isinstance(value, str) else list(value or ())


def _found(site: Site, text: str, *, must_be_bounded: bool) -> list[Issue]:
    lag = site.settings["search_lag"]
    now = site.store.clock()
    known = [i for i in site.store.issues.values() if (now - i.updated).total_seconds() >= lag]
    return jql.search(known, text, me().time_zone, must_be_bounded=must_be_bounded)
