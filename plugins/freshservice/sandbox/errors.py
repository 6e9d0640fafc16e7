"""Freshservice's refusals. Source: api.freshservice.com, "Errors"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class FreshserviceError(Exception):
    """An answer of 400 or more; `body` None is an empty one."""

    def __init__(self, status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.body, self.headers = status, body, dict(headers or {})
        super().__init__(str(body))


def problem(field: str, message: str, code: str = "invalid_value") -> dict[str, str]:
    """One entry of a list of validation errors."""
    return {"field": field, "message": message, "code": code}


def unknown_fields(given: Mapping[str, Any], known: set[str]) -> list[dict[str, str]]:
    """Freshservice ignores no field: it refuses those that it does not know."""
    text = "Unexpected/invalid field in request"
    return [problem(name, text, "invalid_field") for name in sorted(set(given) - known)]


def invalid(*problems: dict[str, str], status: int = 400) -> FreshserviceError:
    return FreshserviceError(status, {"description": "Validation failed", "errors": list(problems)})


def denied(
    code: str = "access_denied", message: str = "You are not authorized to perform this action."
) -> FreshserviceError:
    return FreshserviceError(403, {"code": code, "message": message})


def missing() -> FreshserviceError:
    """404, without a body."""
    return FreshserviceError(404)
