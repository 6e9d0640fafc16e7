"""Service Desk's refusals. Source: published live findings (MCP-SWSD) and unit tests of public clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ServiceDeskError(Exception):
    """An answer of 400 or more; `body` is JSON, a text or nothing."""

    def __init__(self, status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.body, self.headers = status, body, dict(headers or {})
        super().__init__(str(body))


def invalid(**problems: str) -> ServiceDeskError:
    """The list of problems by field, as most objects answer."""
    return ServiceDeskError(422, {field: [why] for field, why in problems.items()})


def not_allowed(**problems: str) -> ServiceDeskError:
    """The list of problems under `errors`, as rules of an account answer."""
    return ServiceDeskError(422, {"errors": {field: [why] for field, why in problems.items()}})


def missing() -> ServiceDeskError:
    """404 with a JSON text."""
    return ServiceDeskError(404, "Not Found")
