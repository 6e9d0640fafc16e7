"""Names behind Freshdesk's numbers: agents, contacts and groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.connector import AuthError
from hub.parts.directory import PAGE, Directory
from hub.ticket import Person
from plugins.freshdesk.client import FreshdeskClient

GROUPS = "/groups"


class FreshdeskDirectory(Directory):
    """Look-ups by id and by address."""

    def __init__(self, client: FreshdeskClient) -> None:
        super().__init__()
        self._client = client

    def by_address(self, email: str) -> Person | None:
        """The agent, else the contact, with exactly this address."""
        try:
            agents = self._client.get("/agents", email=email)
        except AuthError:
            agents = []
        for raw in agents:
            if (raw["contact"].get("email") or "").casefold() == email.casefold():
                return self.agent(raw)
        for raw in self._client.get("/contacts", email=email):
            if (raw.get("email") or "").casefold() == email.casefold():
                return Person(str(raw["id"]), raw.get("name") or "", raw["email"], False)
        return None

    def page(self, path: str, number: int) -> Sequence[Mapping[str, Any]]:
        rows: Sequence[Mapping[str, Any]] = self._client.get(path, per_page=PAGE, page=number)
        return rows

    def agent(self, raw: Mapping[str, Any]) -> Person:
        contact = raw["contact"]
        return Person(str(raw["id"]), contact.get("name") or "", contact.get("email"), True, _language(contact))

    def customer(self, key: str) -> Person:
        raw = self._client.get(f"/contacts/{key}")
        return Person(key, raw.get("name") or "", raw.get("email"), False, _language(raw))


def _language(raw: Mapping[str, Any]) -> str | None:
    return str(raw.get("language") or "").lower() or None
