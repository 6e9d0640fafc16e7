"""Refusals in Jira's form."""

from __future__ import annotations

from typing import Any


class JiraError(Exception):
    """Becomes an answer with `status` and Jira's error body."""

    def __init__(
        self,
        status: int,
        message: str = "",
        fields: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers or {}
        self.body: dict[str, Any] = {"errorMessages": [message] if message else [], "errors": fields or {}}


def no_issue() -> JiraError:
    return JiraError(404, "Issue does not exist or you do not have permission to see it.")


def no_permission(what: str) -> JiraError:
    return JiraError(403, f"You do not have the permission to {what}.")
