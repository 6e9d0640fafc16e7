"""HTTP to the TeamViewer Web API: signs in with a script token, keeps a pace, translates errors, turns pages.

Sources: TeamViewer Web API documentation v1; the official TeamViewerPS module (errors, paging of reports); the public
Deskpro app (400 for a token that has ended, a redirect that answers a create).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from hub.connector import AuthError, Connector, ConnectorError, RateLimitedError, TemporaryError
from hub.rest import Reason, RestClient, json_of
from plugins.teamviewer.pace import Pace
from plugins.teamviewer.settings import TeamviewerSettings

TOKEN_WORDS = ("invalid_token", "token_expired", "expired_token", "invalid_grant", "unauthorized")
"""Words under `error` that mean the token, whatever the status says."""
MOST_PAGES = 1000
_CODE = re.compile(r"s(\d{2})-?(\d{3})-?(\d{3})")


class TeamviewerClient(RestClient):
    """A script token as the bearer. Redirects are answers, never followed."""

    api = "/api/v1"
    permission_remedy = (
        "Give the script token the permission: session management (create, view, edit), connection reporting (view), "
        "groups and users (view)."
    )

    def __init__(self, connector: Connector, settings: TeamviewerSettings) -> None:
        super().__init__(connector)
        self._headers = {"Authorization": f"Bearer {settings.credentials.token.get_secret_value()}"}
        self._pace, self._per_minute = Pace(settings.calls_per_minute), settings.calls_per_minute

    def credentials(self) -> Mapping[str, str]:
        return self._headers

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A POST whose answer is the new object, or a redirect to it or to a link that holds its code."""
        doing = f"POST {path}"
        response = self._answer("POST", path, doing, {"json": body})
        if response.is_error:
            raise self.error(response, doing)
        made = json_of(response)
        if made.get("code"):
            return made
        found = _CODE.search(response.headers.get("location", ""))
        if found is None:
            why = f"{response.status_code} without the code of what was made"
            # What was made is found by its mark on the next try.
            raise TemporaryError(self.name, doing, why, "It is tried again.")
        return {"code": "s" + "-".join(found.groups())}

    def sessions(self, **params: Any) -> Iterator[dict[str, Any]]:
        """All sessions that fit, in their full form; pages go by the code of the last one."""
        yield from self._pages("/sessions", "sessions", "code", "offset", full_list="true", **params)

    def reports(self, **params: Any) -> Iterator[dict[str, Any]]:
        """All connection reports that fit, some maybe twice; pages go by the id of the next one."""
        yield from self._pages("/reports/connections", "records", "id", "offset_id", **params)

    def _pages(self, path: str, rows: str, key: str, offset: str, **params: Any) -> Iterator[dict[str, Any]]:
        """The rows of all pages. Where a page does not name the next one, the last row's own key stands for it."""
        seen: set[str] = set()
        following = ""
        for _ in range(MOST_PAGES):
            page = self.get(path, **params, **({offset: following} if following else {}))
            found = page.get(rows) or []
            yield from found
            left = page.get(f"{rows}_remaining", page.get("reports_remaining"))
            following = str(page.get("next_offset") or (found[-1].get(key) if found and left else ""))
            if not found or not following or following in seen or left == 0:
                return
            seen.add(following)

    def reason(self, response: httpx.Response) -> Reason:
        body = json_of(response)
        said, code = body.get("error_description"), body.get("error")
        return Reason(f"{code}: {said}" if code and said else str(said or code or response.reason_phrase))

    def error(self, response: httpx.Response, doing: str) -> ConnectorError:
        """A token that has ended is answered with 401 or with 400."""
        why = self.scrub(f"{response.status_code} {self.reason(response).text}")
        if response.status_code == 400 and str(json_of(response).get("error")).casefold() in TOKEN_WORDS:
            return self.auth_error(doing, why)
        error = super().error(response, doing)
        if isinstance(error, RateLimitedError):
            remedy = (
                f"If it comes often, lower trackers.{self.name}.calls_per_minute; the licence limits open sessions too."
            )
            return RateLimitedError(self.name, doing, why, error.retry_after, remedy)
        return error

    def auth_error(self, doing: str, why: str) -> AuthError:
        remedy = (
            f"Check trackers.{self.name}.credentials.token: make a script token under Edit profile > Apps, or "
            "Company administration > Apps, and give it the permissions that the README names."
        )
        return AuthError(self.name, doing, why, remedy)

    def _answer(self, method: str, path: str, doing: str, more: Mapping[str, Any]) -> httpx.Response:
        wait = self._pace.take()
        if wait:
            why = f"the hub's own limit of {self._per_minute} calls a minute is reached"
            remedy = f"Raise trackers.{self.name}.calls_per_minute if TeamViewer allows more."
            raise RateLimitedError(self.name, doing, why, wait, remedy)
        return super()._answer(method, path, doing, more)
