"""TeamViewer's refusals. Source: the official TeamViewerPS module, errors of the Web API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class TeamviewerError(Exception):
    """An answer of 400 or more."""

    def __init__(
        self, status: int, error: str, description: str, code: int = 0, headers: Mapping[str, str] | None = None
    ) -> None:
        self.status, self.headers = status, dict(headers or {})
        self.body: dict[str, Any] = {
            "error": error, "error_description": description, "error_code": code, "error_signature": "0000",
        }  # fmt: skip
        super().__init__(description)


def bad_request(description: str) -> TeamviewerError:
    return TeamviewerError(400, "invalid_request", description, 2)


def forbidden() -> TeamviewerError:
    return TeamviewerError(403, "access_denied", "The token does not have the permission for this.", 7)
