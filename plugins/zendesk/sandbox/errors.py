"""Zendesk's error answers, as an exception that any rule may raise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """An answer other than 2xx: HTTP `status`, JSON `body` and extra `headers`."""

    def __init__(self, status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status, self.body, self.headers = status, body, dict(headers or {})


def not_found() -> ApiError:
    """404 as recorded from the real service."""
    return ApiError(404, {"error": "RecordNotFound", "description": "Not found"})


def forbidden() -> ApiError:
    """403: known who you are, but this is not for you."""
    message = (
        "You do not have access to this page. Please contact the account owner of this help desk for further help."
    )
    return ApiError(403, {"error": {"title": "Forbidden", "message": message}})


def unauthenticated() -> ApiError:
    """401 for wrong or missing Basic credentials."""
    headers = {"WWW-Authenticate": 'Basic realm="Web Password"'}
    return ApiError(401, {"error": "Couldn't authenticate you"}, headers)


def invalid_token() -> ApiError:
    """401 for an OAuth token that is unknown, expired or was rotated away."""
    text = "The access token provided is expired, revoked, malformed or invalid for other reasons."
    headers = {"WWW-Authenticate": 'Bearer realm="Zendesk", error="invalid_token"'}
    return ApiError(401, {"error": "invalid_token", "error_description": text}, headers)


def bad_request(error: str, description: str, **more: Any) -> ApiError:
    """400 with Zendesk's name for the error."""
    return ApiError(400, {"error": error, "description": description, **more})


def invalid(key: str, description: str, error: str = "InvalidValue") -> ApiError:
    """422 RecordInvalid about one attribute, or "base" for the record as a whole."""
    details = {key: [{"description": description, "error": error}]}
    body = {"error": "RecordInvalid", "description": "Record validation errors", "details": details}
    return ApiError(422, body)


def too_many(max_count: int) -> ApiError:
    """400 for a bulk request with too many objects."""
    return bad_request("TooManyValues", f"Limit of {max_count} values exceeded", max_count=max_count)


def rate_limited(seconds: int, description: str) -> ApiError:
    """429 with Retry-After in whole seconds."""
    return ApiError(
        429, {"error": "APIRateLimitExceeded", "description": description}, {"Retry-After": str(max(1, seconds))}
    )
