"""Web services as an admin imports them: routes to operations, and the invoker's events with their conditions.

It reads the same YAML that a real server imports, so that the hub's `webservice.yml` is put to the test.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

STOCK = {
    "SessionCreate": ("POST", "/Session", "Session::SessionCreate"),
    "SessionGet": ("GET", "/Session/:SessionID", "Session::SessionGet"),
    "TicketCreate": ("POST", "/Ticket", "Ticket::TicketCreate"),
    "TicketUpdate": ("PATCH", "/Ticket/:TicketID", "Ticket::TicketUpdate"),
    "TicketGet": ("GET", "/Ticket/:TicketID", "Ticket::TicketGet"),
    "TicketSearch": ("GET", "/Ticket", "Ticket::TicketSearch"),
    "TicketGetList": ("GET", "/TicketList", "Ticket::TicketGet"),
    "TicketHistoryGet": ("GET", "/TicketHistory/:TicketID", "Ticket::TicketHistoryGet"),
}
"""The example service that comes with the product, GenericTicketConnectorREST."""


@dataclass(frozen=True)
class Route:
    """`pattern` fits a path; its groups are parameters of the operation."""

    method: str
    pattern: re.Pattern[str]
    operation: str


@dataclass(frozen=True)
class Retries:
    """Seconds between attempts, and how many there are after the first."""

    first: float = 0
    factor: float = 1
    most: float = 0
    count: int = 0


@dataclass(frozen=True)
class Service:
    """`events` maps an event's name to the patterns that its data must fit, by the name of the datum."""

    id: int
    name: str
    routes: tuple[Route, ...]
    events: Mapping[str, Mapping[str, str]]
    retries: Retries = Retries()
    user: str = ""

    def find(self, method: str, path: str) -> tuple[str, dict[str, str]] | None:
        """The operation for a request and the parameters in its path."""
        for route in self.routes:
            if route.method == method and (fit := route.pattern.fullmatch(path)):
                return route.operation, fit.groupdict()
        return None

    def tells(self, event: str, data: Mapping[str, Any]) -> bool:
        """Whether the invoker sends this event. `ChangeBy` and `CreateBy` are who did it."""
        conditions = self.events.get(event)
        if conditions is None:
            return False
        return all(re.search(match, str(data.get("UserID", ""))) for match in conditions.values())


def stock(service_id: int, name: str = "GenericTicketConnectorREST") -> Service:
    """The product's own service; it tells nobody anything."""
    routes = tuple(Route(method, _pattern(path), operation) for method, path, operation in STOCK.values())
    return Service(service_id, name, routes, {})


def imported(service_id: int, name: str, file: Path) -> Service:
    """A service from its YAML."""
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    operations = config["Provider"]["Operation"]
    routes = tuple(
        Route(method, _pattern(mapping["Route"]), operations[operation]["Type"])
        for operation, mapping in config["Provider"]["Transport"]["Config"]["RouteOperationMapping"].items()
        for method in mapping["RequestMethod"]
    )
    requester = config["Requester"]
    events = {
        event["Event"]: _conditions(event) for invoker in requester["Invoker"].values() for event in invoker["Events"]
    }
    login = requester["Transport"]["Config"]["Authentication"]
    return Service(service_id, name, routes, events, _retries(requester), str(login["BasicAuthUser"]))


def _conditions(event: Mapping[str, Any]) -> dict[str, str]:
    parts = event.get("Condition", {}).get("Condition", {}).values()
    return {name: field["Match"] for part in parts for name, field in part["Fields"].items()}


def _retries(requester: Mapping[str, Any]) -> Retries:
    for handler in requester.get("ErrorHandling", {}).values():
        if handler["Type"] == "RequestRetry" and handler["ScheduleRetry"] == "1":
            return Retries(
                float(handler["RetryIntervalStart"]),
                float(handler["RetryIntervalFactor"]),
                float(handler["RetryIntervalMax"]),
                int(handler["RetryCountMax"]),
            )
    return Retries()


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r":(\w+)", r"(?P<\1>[^/]+)", path))
