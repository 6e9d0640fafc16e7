"""HTTP to SolarWinds Service Desk: signs in with a token, turns pages, translates errors. Knows nothing of tickets.

Sources: documentation.solarwinds.com, "API documentation: General Concepts" and "Token authentication"; answers of
live accounts as published by the project MCP-SWSD (error shapes, page headers, `Retry-After`).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from hub.connector import AuthError, Connector, ConnectorError, PermanentError, TemporaryError
from hub.rest import Reason, RestClient
from plugins.solarwinds.settings import SITES, SolarwindsSettings

ACCEPT = "application/vnd.samanage.v2.1+json"
"""Without the version some filters are ignored and old shapes are served."""
FIELDS = {
    "name": "title",
    "state": "status",
    "assignee_id": "assignee",
    "tag_list": "labels",
    "tags": "labels",
    "group_assignee": "line",
}
"""Service Desk's names in refusals -> neutral field names, where they differ."""
SILENT, LOUD = "", "?add_callbacks=true"
"""What stands after a path: API writes run automations and mails only where they say so."""
MOST_REMEMBERED = 1000
PAGE = 100
"""Rows of one page; the account may serve fewer."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `total` counts the rows of all pages, None where that is not told."""

    rows: list[dict[str, Any]]
    has_more: bool
    total: int | None


class SolarwindsClient(RestClient):
    """A token in a header of its own. 1000 to 1500 calls a minute by plan, told by 429 and Retry-After alone."""

    permission_remedy = "Give the hub's user a role that may do this (Setup > Roles & Permissions)."

    def __init__(self, connector: Connector, settings: SolarwindsSettings) -> None:
        super().__init__(connector)
        self.headers["Accept"] = ACCEPT
        token = settings.credentials.token.get_secret_value()
        self._headers = {"X-Samanage-Authorization": f"Bearer {token}"}
        self.own_id = user_of(token)
        """The account that the token is of, empty where the token does not tell."""
        self._names = {field.id: f"custom:{name}" for name, field in settings.fields.items()}
        self._failed: set[str] = set()

    def credentials(self) -> Mapping[str, str]:
        return self._headers

    def page(self, path: str, number: int = 1, size: int = PAGE, **params: Any) -> Page:
        """A page of a list, counted from 1. Whether there is more stands in headers; a short page says nothing.

        Rows may stand each under the name of what it is (`{"incident": {...}}`), as the documentation's samples do.
        """
        body, headers = self.exchange("GET", path, params={"page": number, "per_page": size, **params})
        if not isinstance(body, list):
            raise TemporaryError(self.name, f"GET {path}", "the answer is no list; is a proxy in between?")
        rows = [_unwrapped(row) for row in body]
        pages, total = headers.get("x-total-pages", ""), headers.get("x-total-count", "")
        if pages.isdigit():
            has_more = number < int(pages)
        elif "link" in headers:
            has_more = 'rel="next"' in headers["link"] or "rel=next" in headers["link"]
        else:
            has_more = len(rows) >= size
        return Page(rows, has_more and bool(rows), int(total) if total.isdigit() else None)

    def incident(self, ticket_id: str) -> dict[str, Any]:
        """An incident in the long layout: with comments, tags and files, each file where it belongs."""
        return with_files_in_place(self.get(f"/incidents/{quote(ticket_id, safe='')}.json", layout="long"))

    def reason(self, response: httpx.Response) -> Reason:
        try:
            body = response.json()
        except ValueError:
            return Reason(response.reason_phrase)
        if isinstance(body, str):
            return Reason(body.strip() or response.reason_phrase)
        if not isinstance(body, dict):
            return Reason(response.reason_phrase)
        problems = body.get("errors", body)
        fields = {
            self._neutral(name): "; ".join(map(str, said)) if isinstance(said, list) else str(said)
            for name, said in (problems.items() if isinstance(problems, dict) else ())
            if name not in ("error", "message") and isinstance(said, list | str)
        }
        said = body.get("error") or body.get("message") or (problems if isinstance(problems, str | list) else "")
        text = "; ".join(map(str, said)) if isinstance(said, list) else str(said)
        told = "; ".join(f"{name} {why}" for name, why in fields.items())
        return Reason(text or told or response.reason_phrase, fields if response.status_code == 422 else {})

    def error(self, response: httpx.Response, doing: str) -> ConnectorError:
        """A 500 on a write may mean a value of a wrong shape, which never passes: the second one of the same is final.

        Source: live findings, custom fields given as a plain list.
        """
        status = response.status_code
        if status == 406:
            remedy = f"Is trackers.{self.name}.url the API's address, with nothing after the host?"
            return PermanentError(self.name, doing, self.scrub(f"406 {self.reason(response).text}"), remedy)
        if status == 500 and response.request.method != "GET" and self._failed_before(response.request):
            remedy = "Service Desk answers so to values that it cannot take: look at the ticket's fields, then retry."
            return PermanentError(self.name, doing, self.scrub(f"500 {self.reason(response).text}, twice"), remedy)
        return super().error(response, doing)

    def auth_error(self, doing: str, why: str) -> AuthError:
        site = SITES.get(self.url, "this")
        remedy = (
            f"Check trackers.{self.name}.credentials.token: it ends when a newer one is made for the same user, when "
            f"the user is disabled, and is good at one site only; {self.url} is the {site} site."
        )
        return AuthError(self.name, doing, why, remedy)

    def _failed_before(self, request: httpx.Request) -> bool:
        try:
            content = request.content
        except httpx.RequestNotRead:  # a file is sent from a stream
            content = b""
        key = hashlib.sha256(f"{request.method} {request.url}\n".encode() + content).hexdigest()
        if key in self._failed:
            self._failed.discard(key)
            return True
        if len(self._failed) >= MOST_REMEMBERED:
            self._failed.clear()
        self._failed.add(key)
        return False

    def _neutral(self, name: str) -> str:
        return self._names.get(name) or FIELDS.get(name, name)


def user_of(token: str) -> str:
    """The id of the account that a token is of, empty where it is no JSON web token with one.

    `user_id` in tokens of today, `user_ic` in older ones and in the documentation. The signature is the API's affair.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return ""
    found = (claims.get("user_id") or claims.get("user_ic")) if isinstance(claims, dict) else None
    return str(found) if isinstance(found, int | str) and str(found).isdigit() else ""


def with_files_in_place(raw: dict[str, Any]) -> dict[str, Any]:
    """The incident with the files of comments at their comments, should they be listed with its own.

    Each file tells what it is attached to; that comments list theirs too was seen, but is documented nowhere.
    """
    own: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for file in raw.get("attachments") or ():
        (others if file.get("attachable_type") == "Comment" else own).append(file)
    if not others:
        return raw
    comments = []
    for comment in raw.get("comments") or ():
        listed = list(comment.get("attachments") or ())
        known = {file["id"] for file in listed}
        more = [f for f in others if f.get("attachable_id") == comment["id"] and f["id"] not in known]
        comments.append({**comment, "attachments": [*listed, *more]})
    return {**raw, "attachments": own, "comments": comments}


def _unwrapped(row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        return {}
    inner = next(iter(row.values())) if len(row) == 1 else None
    return inner if isinstance(inner, dict) else row
