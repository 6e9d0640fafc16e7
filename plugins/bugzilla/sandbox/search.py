"""`GET /rest/bug`: which bugs a query finds, in which order, and how many. Sources: recorded exchanges search_*,
order_*, limit_*, maxresults_*, nocriteria_*.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from plugins.bugzilla.sandbox import checks
from plugins.bugzilla.sandbox.creation import listed
from plugins.bugzilla.sandbox.errors import BugzillaError, missing
from plugins.bugzilla.sandbox.state import Bug, Store, User

NO_CRITERIA = "You may not search, or create saved searches, without any search terms."
NOT_CRITERIA = {"include_fields", "exclude_fields", "limit", "offset", "order", "count_only"}
SORTS: dict[str, Callable[[Bug], Any]] = {"changeddate": lambda b: b.changed, "bug_id": lambda b: b.id}
"""The names that the order knows; all others it passes over."""
EQUAL = (
    "product", "component", "version", "status", "priority", "severity", "op_sys", "platform", "target_milestone",
    "type",
)  # fmt: skip
Test = Callable[[Bug], bool]


def found(store: Store, viewer: User | None, params: Mapping[str, Any]) -> list[Bug]:
    """Bugs that the viewer may see; unknown and hidden numbers are left out without a word."""
    if store.params["search_allow_no_criteria"] == "0" and not set(params) - NOT_CRITERIA:
        raise BugzillaError(1000, NO_CRITERIA)
    tests = [*_tests(store, params), *_charts(store, params)]
    hits = [b for b in store.bugs.values() if store.may_see(viewer, b) and all(t(b) for t in tests)]
    return _page(store, _sorted(hits, params), params)


def _tests(store: Store, params: Mapping[str, Any]) -> list[Test]:
    tests: list[Test] = []
    for name in EQUAL:
        if name in params:
            wanted = {str(v) for v in listed(params[name])}
            tests.append(lambda b, n=name, w=wanted: _plain(b, n) in w)  # type: ignore[misc]
    if "id" in params:
        numbers = {n for part in listed(params["id"]) for n in str(part).split(",")}
        tests.append(lambda b: str(b.id) in numbers)
    if "alias" in params:
        names = {n.casefold() for part in listed(params["alias"]) for n in str(part).split(",")}
        tests.append(lambda b: any(a.casefold() in names for a in b.alias))
    if "bug_status" in params:
        wanted_status = {str(v) for v in listed(params["bug_status"])}
        tests.append(
            lambda b: (
                b.values["status"] in wanted_status
                or ("__open__" in wanted_status and store.is_open(b.values["status"]))
            )
        )
    if "resolution" in params:
        endings = {str(v) for v in listed(params["resolution"])}
        tests.append(lambda b: (b.values["resolution"] or "---") in endings)
    if "last_change_time" in params:
        since = checks.date_of(listed(params["last_change_time"])[0], store.zone)
        tests.append(lambda b: b.changed >= since.replace(microsecond=0))
    if "chfieldfrom" in params:
        # A time of ISO's form is taken for its day; under SQLite it is a text that nothing comes after.
        text = str(listed(params["chfieldfrom"])[0])
        begin = _relative(store, text) or checks.date_of(text[:10] if "T" in text else text, store.zone)
        if "T" in text and store.flavour == "5.3":
            return [lambda _: False]
        tests.append(lambda b: (b.created if params.get("chfield") else b.changed) >= begin)
    for name, key in (("whiteboard", "whiteboard"), ("status_whiteboard", "whiteboard"), ("summary", "summary")):
        if name in params:
            parts = [str(v).casefold() for v in listed(params[name])]
            tests.append(lambda b, k=key, p=parts: all(one in b.values[k].casefold() for one in p))  # type: ignore[misc]
    if "keywords" in params:
        keywords = {str(v) for v in listed(params["keywords"])}
        tests.append(lambda b: keywords <= b.keywords)
    if "assigned_to" in params:
        logins = {str(v) for v in listed(params["assigned_to"])}
        tests.append(lambda b: b.assigned_to.login in logins)
    if "see_also" in params:
        urls = {str(v) for v in listed(params["see_also"])}
        tests.append(lambda b: bool(urls & set(b.see_also)))
    for name, field in store.fields.items():
        if field.is_custom and name in params:
            wanted = {_folded(store, v) for v in listed(params[name])}
            tests.append(lambda b, n=name, w=wanted: _folded(store, b.custom.get(n)) in w)  # type: ignore[misc]
    return tests


def _plain(bug: Bug, name: str) -> str:
    return {"product": bug.product.name, "component": bug.component.name}.get(name) or bug.values.get(name, "")


def _folded(store: Store, value: object) -> str:
    """MariaDB takes no regard to case, SQLite under the 5.3 that was recorded does."""
    return str(value or "") if store.flavour == "5.3" else str(value or "").casefold()


def _relative(store: Store, text: str) -> datetime | None:
    days = re.fullmatch(r"-(\d+)d", text)
    return store.now() - timedelta(days=int(days.group(1))) if days else None


def _charts(store: Store, params: Mapping[str, Any]) -> list[Test]:
    """The boolean charts, as far as anybody here needs them: `f1`, `o1`, `v1`."""
    if "f1" not in params:
        return []
    field, operator, value = (str(params.get(k) or "") for k in ("f1", "o1", "v1"))
    if field == "comment_tag":
        return [lambda b: any(value in c.tags for c in b.comments)]
    if field == "delta_ts":
        # Local time, whatever stands behind it.
        begin = checks.date_of(value.rstrip("Z"), store.zone)
        return [lambda b: b.changed >= begin and not ("T" in value and store.flavour == "5.3")]
    if field not in store.fields or not store.fields[field].is_custom:
        raise BugzillaError(108, f'Can\'t use "{field}" as a field name.')
    if operator == "isnotempty":
        return [lambda b: bool(b.custom.get(field))]
    if operator == "notequals":
        # The row of a bug without a value passes too: it holds an empty text.
        return [lambda b: b.custom.get(field) != value or value == ""]
    return [lambda b: str(b.custom.get(field) or "") == value]


def _sorted(bugs: list[Bug], params: Mapping[str, Any]) -> list[Bug]:
    ordered = sorted(bugs, key=lambda b: b.id)
    for part in reversed(str(listed(params.get("order") or "bug_id")[0]).split(",")):
        name, _, direction = part.strip().partition(" ")
        if name in SORTS:
            ordered.sort(key=SORTS[name], reverse=direction.upper() == "DESC")
    return ordered


def _page(store: Store, bugs: list[Bug], params: Mapping[str, Any]) -> list[Bug]:
    """The server's own maximum cuts without a word."""
    most = int(store.params["max_search_results"])
    limit = str(params["limit"]) if "limit" in params else ""
    offset = str(params["offset"]) if "offset" in params else ""
    if offset and not limit:
        raise missing("Bug.search()", "limit")
    for name, given in (("limit", limit), ("offset", offset)):
        if given.startswith("-"):
            why = f"Invalid parameter {name} passed to Bugzilla::Search::new: It must be numeric."
            raise BugzillaError(52, why)
    size = int(limit) if limit.isdigit() and int(limit) else most
    begin = int(offset) if offset.isdigit() else 0
    return bugs[begin : begin + min(size, most)]
