"""Issues as MantisBT's API gives and takes them, with the tag of its optimistic lock.

Source: recorded exchanges get.*, patch.if_match_stale, grain.*, list.*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.connector import NotFoundError, RefusedError
from plugins.mantis import polling
from plugins.mantis.client import MantisClient, ReadOnlyError

LOOK_BACK = timedelta(days=30)
"""How far back a half-made issue is looked for: the API cannot search, so every issue changed since is listed."""


class Issues:
    """The issues of one site. Every method calls it and raises only ConnectorErrors."""

    def __init__(self, client: MantisClient) -> None:
        self._client = client

    def get(self, ticket_id: str, **select: str) -> tuple[dict[str, Any], str]:
        """An issue by number or by what people call it, and its tag. The tag is of all of it: with `select` it is
        that of a part, and no lock takes it."""
        number = ticket_id.lstrip("#")
        if not (number.isascii() and number.isdigit()):
            raise NotFoundError(self._client.name, f"GET /issues/{number}", "MantisBT's issues have numbers")
        body, headers = self._client.exchange("GET", f"/issues/{number}", params=select)
        return dict(body["issues"][0]), str(headers.get("etag", ""))

    def patch(self, ticket_id: str, body: Mapping[str, Any], version: str, names: Sequence[str] = ()) -> str:
        """Writes to an issue as it stood at `version`, any where that is empty; returns its version after that.

        `names` are the neutral fields that are refused when the issue is read-only; without any it is an AuthError.
        """
        headers = {"If-Match": version} if version else {}
        try:
            _, told = self._client.exchange("PATCH", f"/issues/{ticket_id}", json=dict(body), headers=headers)
        except ReadOnlyError as error:
            if not names:
                raise
            raise RefusedError(self._client.name, error.doing, dict.fromkeys(names, error.why), error.remedy) from error
        return str(told.get("etag", ""))

    def marked(self, marker: str, settings_field: str, project_id: int) -> int | None:
        """The number of the project's issue that carries a mark, among those that changed within `LOOK_BACK`."""
        select = "id,updated_at,sticky,additional_information,custom_fields"
        start = self.server_time(datetime.now(UTC)) - LOOK_BACK
        for page in polling.pages(start, self.lister(select, project_id)):
            for raw in page:
                if marker in _words(raw, settings_field):
                    return int(raw["id"])
        return None

    def lister(self, select: str, project_id: int | None = None) -> polling.Listing:
        """The list of a project's issues, of all where none is named, for `polling`."""

        def listing(size: int) -> Sequence[Mapping[str, Any]]:
            answer = self._client.get("/issues", page=1, page_size=size, select=select, project_id=project_id)
            return list(answer["issues"])

        return listing

    def server_time(self, now: datetime) -> datetime:
        """`now` by the site's clock, as far as that is known."""
        return now + timedelta(seconds=self._client.clock_skew or 0.0)


def _words(raw: Mapping[str, Any], marker_field: str) -> list[str]:
    """The words where a new issue's mark stands: a custom field by name or number, else the additional information."""
    if not marker_field:
        return str(raw.get("additional_information") or "").split()
    for one in raw.get("custom_fields") or ():
        if marker_field in (one["field"]["name"], str(one["field"]["id"])):
            return str(one.get("value") or "").split()
    return []
