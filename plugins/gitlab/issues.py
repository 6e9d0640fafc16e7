"""Which issue of the project is meant, by the names that people and the hub have for it. Pure."""

from __future__ import annotations

import re

from hub.connector import NotFoundError

_KEY = re.compile(r"(?:(?P<project>[^#\s]*)#)?(?P<iid>\d+)")


class Issues:
    """The addresses of one project's issues."""

    def __init__(self, tracker: str, project: str) -> None:
        self._tracker, self._project = tracker, project

    def path(self, ticket_id: str) -> str:
        """Where the API has the issue `12`, `#12` or `acme/website#12`. Raises NotFoundError for another project's."""
        found = _KEY.fullmatch(ticket_id.strip())
        project = found["project"] if found else None
        if found is None or (project and project.casefold() != self._project.casefold() and "/" in project):
            why = f"{ticket_id!r} is no issue of {self._project}"
            raise NotFoundError(self._tracker, "read an issue", why, "Write its number, e.g. 12 or #12.")
        return f"~/issues/{int(found['iid'])}"
