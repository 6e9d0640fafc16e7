"""Names behind Freshservice's numbers: agents, requesters, groups and departments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.connector import AuthError
from hub.parts.directory import PAGE, Directory
from hub.ticket import Person
from plugins.freshservice.client import FreshserviceClient

GROUPS, DEPARTMENTS = "/groups", "/departments"


class FreshserviceDirectory(Directory):
    """Look-ups by id and by address."""

    def __init__(self, client: FreshserviceClient) -> None:
        super().__init__()
        self._client = client

    def by_address(self, email: str) -> Person | None:
        """The agent, else the requester, with exactly this address."""
        try:
            agents = [self.agent(raw) for raw in self._client.get("/agents", email=email)["agents"]]
        except AuthError:
            agents = []
        for person in agents:
            if (person.email or "").casefold() == email.casefold():
                return person
        for raw in self._client.get("/requesters", email=email)["requesters"]:
            if (raw.get("primary_email") or "").casefold() == email.casefold():
                return requester(raw)
        return None

    def page(self, path: str, number: int) -> Sequence[Mapping[str, Any]]:
        rows: Sequence[Mapping[str, Any]] = self._client.get(path, per_page=PAGE, page=number)[path.lstrip("/")]
        return rows

    def agent(self, raw: Mapping[str, Any]) -> Person:
        return Person(str(raw["id"]), full_name(raw), raw.get("email"), True, language_of(raw))

    def customer(self, key: str) -> Person:
        return requester(self._client.get(f"/requesters/{key}")["requester"])


def requester(raw: Mapping[str, Any]) -> Person:
    """Whoever asks; agents can as well."""
    is_agent = bool(raw.get("is_agent"))
    return Person(str(raw["id"]), full_name(raw), raw.get("primary_email"), is_agent, language_of(raw))


def language_of(raw: Mapping[str, Any]) -> str | None:
    """The language that somebody is written to in; an account may leave it to its default."""
    return str(raw.get("language") or "").lower() or None


def full_name(raw: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (raw.get("first_name"), raw.get("last_name"))))
