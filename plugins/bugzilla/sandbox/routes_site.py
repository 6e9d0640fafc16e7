"""The routes for who one is, and for what an installation has. Sources: recorded exchanges version, time, parameters_*,
whoami, valid_login_*, user_*, product_*, field_bug_*; Mozilla's `extensions/Webhooks/lib/API/V1/Webhooks.pm`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g

from plugins.bugzilla.sandbox.creation import listed
from plugins.bugzilla.sandbox.errors import LOGIN_NEEDED, BugzillaError, missing, no_route, no_such, no_user
from plugins.bugzilla.sandbox.shapes import Wanted, zulu
from plugins.bugzilla.sandbox.state import Product

if TYPE_CHECKING:
    from plugins.bugzilla.sandbox.server import BugzillaSandbox

VERSIONS = {"5.2": "5.2+", "5.3": "5.3.3+", "bmo": "20260820.1"}
TO_EVERYBODY = ("maintainer", "requirelogin")
TO_USERS = (
    *TO_EVERYBODY, "commentonchange_resolution", "defaultopsys", "defaultplatform", "letsubmitterchoosepriority",
    "maxattachmentsize", "noresolveonopenblockers", "search_allow_no_criteria",
)  # fmt: skip
PER_PRODUCT = ("component", "version", "target_milestone")


def site_routes(sandbox: BugzillaSandbox) -> Blueprint:
    """The blueprint of one installation. `g.user` is who asks (None for nobody), `g.params` what they sent."""
    routes = Blueprint("bugzilla_site", __name__)
    store, shapes, answer = sandbox.store, sandbox.shapes, sandbox.answer

    @routes.get("/version")
    def version() -> Response:
        return answer({"version": VERSIONS[store.flavour]})

    @routes.get("/extensions")
    def extensions() -> Response:
        return answer({"extensions": {}})

    @routes.get("/time")
    def time() -> Response:
        now = zulu(store.now())
        shown = {"web_time": now, "db_time": now}
        if not store.is_new:
            shown |= {"web_time_utc": now, "tz_name": "UTC", "tz_offset": "+0000", "tz_short_name": "UTC"}
        return answer(shown)

    @routes.get("/parameters")
    def parameters() -> Response:
        names = TO_EVERYBODY if g.user is None else TO_USERS
        return answer({"parameters": {name: store.params[name] for name in names}})

    # who

    @routes.get("/whoami")
    def whoami() -> Response:
        if not store.is_new:
            raise no_route("GET", "/whoami")
        if g.user is None:
            raise BugzillaError(410, LOGIN_NEEDED)
        return answer({"id": g.user.id, "name": g.user.login, "real_name": g.user.real_name})

    @routes.get("/valid_login")
    def valid_login() -> Response:
        given = listed(g.params.get("login"))
        if not given:
            raise missing("User.valid_login", "login")
        return answer({"result": g.user is not None and g.user.login == given[0]})

    @routes.get("/user")
    def users() -> Response:
        names, numbers = listed(g.params.get("names")), listed(g.params.get("ids"))
        if numbers and g.user is None:
            why = 'Logged-out users cannot use the "ids" argument to this function to access any user information.'
            raise BugzillaError(505, why)
        found = [store.user(name) or _nobody(name) for name in names]
        found += [one for one in map(store.user_by_id, numbers) if one is not None]
        for text in listed(g.params.get("match")) if g.user is not None else []:
            known = sorted(store.users.values(), key=lambda u: u.login)
            found += [
                u for u in known if not u.disabled and str(text).casefold() in f"{u.login} {u.real_name}".casefold()
            ]
        wanted, disabled = Wanted.of(g.params), bool(g.params.get("include_disabled"))
        return answer({"users": [wanted.filter(shapes.user(u, g.user, with_disabled=disabled)) for u in found]})

    @routes.get("/user/<given>")
    def user(given: str) -> Response:
        found = store.user_by_id(given) if given.isdigit() else store.user(given)
        return answer({"users": [shapes.user(found or _nobody(given), g.user)]})

    def _nobody(name: object) -> Any:
        raise no_user(name)

    # products and fields

    def products() -> list[Product]:
        return [p for p in store.products.values() if store.may_see_product(g.user, p)]

    @routes.get("/<any(product_accessible,product_selectable,product_enterable):kind>")
    def product_ids(kind: str) -> Response:
        open_only = kind == "product_enterable"
        return answer({"ids": [p.id for p in products() if p.is_open or not open_only]})

    @routes.get("/product")
    @routes.get("/product/<given>")
    def product(given: str = "") -> Response:
        """Unknown ones are left out without a word. What the query names stands above the address's."""
        asked = {"ids" if given.isdigit() else "names": given, **g.params} if given else g.params
        wanted, names = Wanted.of(asked), listed(asked.get("names"))
        numbers = [str(n) for n in listed(asked.get("ids"))]
        every = bool(g.params.get("type"))
        chosen = [p for p in products() if every or p.name in names or str(p.id) in numbers]
        return answer({"products": [wanted.filter(shapes.product(p)) for p in chosen]})

    @routes.get("/field/bug")
    def fields() -> Response:
        return answer({"fields": [shapes.field(f) for f in store.fields.values()]})

    @routes.get("/field/bug/<name>")
    def field(name: str) -> Response:
        return answer({"fields": [shapes.field(_field(name))]})

    @routes.get("/field/bug/<name>/values")
    def values(name: str) -> Response:
        if name in PER_PRODUCT:
            raise missing("Bug.legal_values", "product_id")
        return answer({"values": list(_field(name).values or ())})

    @routes.get("/field/bug/<name>/<int:number>/values")
    def values_of_product(name: str, number: int) -> Response:
        found = next((p for p in products() if p.id == number), None)
        if found is None:
            raise no_such("product", number)
        by_name = {
            "component": [c.name for c in sorted(found.components, key=lambda c: c.name)],
            "version": list(found.versions.values()),
            "target_milestone": [n for n, _ in found.milestones.values()],
        }
        return answer({"values": by_name[name] if name in by_name else list(_field(name).values or ())})

    def _field(name: str) -> Any:
        if name not in store.fields:
            raise no_such("field", name)
        return store.fields[name]

    @routes.get("/webhooks/list")
    def webhooks() -> Response:
        if store.flavour != "bmo":
            raise no_route("GET", "/webhooks/list")
        if g.user is None:
            raise BugzillaError(410, LOGIN_NEEDED)
        return answer({"webhooks": sandbox.hooks()})

    return routes
