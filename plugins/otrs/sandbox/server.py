"""`OtrsSandbox`: one server of the family, its Generic Interface, and the posts of its invokers.

Shares no code with the connector, so that a mistake in one shows against the other; both meet in `webservice.yml`, as
they do at an admin's.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote_plus

from flask import Response, request
from flask.typing import ResponseReturnValue
from werkzeug.http import parse_options_header

from hub.sandbox import Delivery, Sandbox, acting_as
from plugins.otrs.sandbox import services
from plugins.otrs.sandbox.errors import BareError, Fault, GiError
from plugins.otrs.sandbox.operations import Operations
from plugins.otrs.sandbox.people import People
from plugins.otrs.sandbox.services import Service
from plugins.otrs.sandbox.state import Agent, Store, Ticket
from plugins.otrs.sandbox.writing import Writer

WEBSERVICE = Path(__file__).resolve().parents[1] / "webservice.yml"
METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"]
PREFIXES = ("otrs", "znuny", "otobo")
UNDECODABLE = "Error while decoding request content."


class OtrsSandbox(Sandbox):
    """A local OTRS, Znuny or OTOBO.

    Settings: `session_idle` and `session_age` (seconds until a session ends), `tells_all` (1: the invoker's conditions
    are not looked at, so that the hub hears of its own changes). It knows no rate limits, as the real ones.
    """

    kind = "otrs"
    webhook_secret = "otrs-sandbox-webhook-secret"
    default_settings: ClassVar[Mapping[str, float]] = {"session_idle": 7200, "session_age": 57600, "tells_all": 0}

    def __init__(self, *, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(clock=clock)
        self.store = Store(self.clock)
        self.sessions = People(self.store, lambda: (self.settings["session_idle"], self.settings["session_age"]))
        self.writer = Writer(self.store, self._tell)
        self.operations = Operations(self.store, self.sessions, self.writer, acting_as)
        self.services: dict[str, Service] = {}
        self._add(services.stock(2))
        self.import_service("TicketHub", WEBSERVICE)
        self._settle()
        for prefix in PREFIXES:
            base = f"/{prefix}/nph-genericinterface.pl/<any(Webservice,WebserviceID):how>/<service>"
            for rule in (base, f"{base}/<path:route>"):
                self.app.add_url_rule(rule, f"gi_{prefix}_{len(rule)}", self._serve, methods=METHODS)
        self.app.url_map.strict_slashes = True
        self.app.register_error_handler(GiError, lambda error: _json(error.body, 200))
        self.app.register_error_handler(Fault, lambda error: _json(error.body, 500))
        self.app.register_error_handler(BareError, _bare)

    def credentials(self) -> dict[str, str]:
        """Of the hub's own agent."""
        hub = self.store.agents["hub"]
        return {"user": hub.login, "password": hub.password}

    def people(self) -> dict[str, dict[str, str]]:
        """Two agents, one who may only read, and two customers."""
        agents = {
            a.login: {"user": a.login, "password": a.password, "id": str(a.id), "name": a.name, "role": "agent"}
            for a in self.store.agents.values()
            if a.password and a.login != "hub"
        }
        customers = {
            c.login: {"user": c.login, "password": c.password, "id": c.login, "name": c.name, "role": "customer"}
            for c in self.store.customers.values()
        }
        return agents | customers

    def counts(self) -> dict[str, int]:
        return {
            "tickets": len(self.store.tickets),
            "articles": sum(len(t.articles) for t in self.store.tickets.values()),
            "sessions": len(self.sessions.sessions),
        }

    def import_service(self, name: str, file: Path) -> Service:
        """A web service from its YAML, as in the admin's screen. Targets of webhooks are its invoker's."""
        return self._add(services.imported(len(self.services) + 2, name, file))

    def merge(self, ticket: Ticket, main: Ticket, by: str) -> None:
        """Merges a ticket into another; agents do it on a screen."""
        with self.lock:
            self.writer.merge(ticket, main, self.store.agents[by])

    def delete(self, ticket: Ticket, by: str) -> None:
        """Deletes a ticket for good; admins do it on a screen or on the command line."""
        with self.lock:
            self.writer.delete(ticket, self.store.agents[by].id)

    def sign(self, delivery: Delivery, attempt: int) -> Mapping[str, str]:
        """HTTP Basic. The real header ends in a blank, which no HTTP client of Python's sends."""
        user = self._service(delivery.target).user
        login = base64.b64encode(f"{user}:{delivery.target.secret}".encode()).decode()
        return {"Authorization": f"Basic {login}"}

    def retry(self, delivery: Delivery, attempt: int, status: int | None, headers: Mapping[str, str]) -> float | None:
        """As the web service's error handling says: each time twice as long, up to a limit."""
        retries = self._service(delivery.target).retries
        if (status is not None and status < 400) or attempt > retries.count:
            return None
        return min(retries.first * retries.factor ** (attempt - 1), retries.most)

    def _service(self, target: Any) -> Service:
        return self.services[str(target.options.get("service", "TicketHub"))]

    def _add(self, service: Service) -> Service:
        self.services[service.name] = service
        return service

    def _settle(self) -> None:
        """The people and dynamic fields of a server that an admin has made ready for the hub."""
        store = self.store
        store.add_agent(4, "hub", "Hub Service", "hub@helpdesk.example", "sandbox-password-of-hub")
        store.add_agent(5, "agent1", "Agent One", "agent1@helpdesk.example", "sandbox-password-of-agent1")
        store.add_agent(6, "agent2", "Agent Two", "agent2@helpdesk.example", "sandbox-password-of-agent2")
        reader = store.add_agent(7, "reader", "Reader One", "reader@helpdesk.example", "sandbox-password-of-reader")
        reader.rights = {"": frozenset({"ro"})}
        store.agents["hub"].rights["Restricted"] = frozenset()
        for login, name in (("customer1", "Customer One"), ("customer2", "Customer Two")):
            store.add_customer(login, name, f"{login}@customer.example", f"sandbox-password-of-{login}")
        for field in ("HubMarker", "HubLabels", "HubLink"):
            store.add_field(field)
        store.add_field("HubCommentMarker", of="article")

    def _serve(self, how: str, service: str, route: str = "") -> ResponseReturnValue:
        found = next(
            (s for s in self.services.values() if (s.name if how == "Webservice" else str(s.id)) == service), None
        )
        if found is None or request.method == "HEAD":
            raise BareError("", "")
        at = found.find(request.method, f"/{route}") if route else None
        if at is None:
            where = f"/{route}" if route else request.path
            raise BareError(f"HTTP::REST Error while determine Operation for request URI '{where}'.")
        operation, in_path = at
        has_body = request.method != "GET"
        body = _body() if has_body else {}
        data = {**_query(request.query_string.decode()), **body, **in_path}
        return _json(self.operations.by_type[operation](data, has_body), 200)

    def _tell(self, event: str, data: Mapping[str, Any]) -> None:
        for target in self.webhooks.targets:
            service = self._service(target)
            if event not in service.events or not (self.settings["tells_all"] or service.tells(event, data)):
                continue
            body = {"Event": event, **{k: v for k, v in data.items() if k != "UserID"}}
            headers = {"Content-Type": "application/json", "User-Agent": "REST::Client/273"}
            content = json.dumps(body).encode()
            self.webhooks.send(Delivery(str(uuid.uuid4()), target, content, event, headers=headers))

    def agent(self, login: str) -> Agent:
        """An agent by login, for tests that take rights away."""
        return self.store.agents[login]


def _body() -> dict[str, Any]:
    """The request's JSON object. What type it says it is does not matter, but its charset does."""
    raw = request.get_data()
    if not raw:
        return {}
    charset = parse_options_header(request.headers.get("Content-Type"))[1].get("charset", "utf-8")
    try:
        body = json.loads(raw.decode(charset))
    except (ValueError, LookupError) as error:
        raise BareError(UNDECODABLE) from error
    if isinstance(body, list):
        raise BareError("Internal Server Error", "text/plain")
    if not isinstance(body, dict):
        raise BareError("Unsupported request content structure.")
    return body


def _query(text: str) -> dict[str, Any]:
    """The parameters of a query, between `&` or `;`; one that comes twice is a list."""
    data: dict[str, Any] = {}
    for pair in text.replace(";", "&").split("&"):
        name, _, value = (unquote_plus(part) for part in pair.partition("="))
        if name in data:
            data[name] = [*(data[name] if isinstance(data[name], list) else [data[name]]), value]
        elif name:
            data[name] = value
    return data


def _json(body: Mapping[str, Any], status: int) -> Response:
    return Response(json.dumps(body), status, content_type="application/json; charset=UTF-8")


def _bare(error: BareError) -> Response:
    response = Response(error.text, 500, content_type=error.content_type or None)
    if not error.content_type:
        del response.headers["Content-Type"]
    return response
