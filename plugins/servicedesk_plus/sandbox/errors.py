"""ServiceDesk Plus's refusals. Source: error handler of the vendor's Ansible collection, and its test."""

from __future__ import annotations

from typing import Any

FAILED = 4000
WRONG_VALUE, FORBIDDEN, NO_SUCH, NOT_SIGNED_IN, MANDATORY = 4001, 4002, 4007, 4009, 4012


class ServiceDeskPlusError(Exception):
    """A failure; `status` is that of HTTP where the edition tells failures by it."""

    def __init__(self, status: int, *messages: dict[str, Any]) -> None:
        self.status, self.messages = status, messages
        super().__init__(str(messages))

    @property
    def body(self) -> dict[str, Any]:
        return {"response_status": {"status_code": FAILED, "messages": list(self.messages), "status": "failed"}}


def problem(code: int, message: str, field: str = "") -> dict[str, Any]:
    """One message."""
    return {"status_code": code, "type": "failed", **({"field": field} if field else {}), "message": message}


def wrong(*problems: dict[str, Any]) -> ServiceDeskPlusError:
    return ServiceDeskPlusError(400, *problems)


def missing() -> ServiceDeskPlusError:
    return ServiceDeskPlusError(404, problem(NO_SUCH, "Invalid URL or the resource does not exist."))


def forbidden() -> ServiceDeskPlusError:
    return ServiceDeskPlusError(403, problem(FORBIDDEN, "You are not authorized to perform this operation."))


def not_signed_in() -> ServiceDeskPlusError:
    return ServiceDeskPlusError(401, problem(NOT_SIGNED_IN, "UNAUTHENTICATED: the key or token is invalid."))
