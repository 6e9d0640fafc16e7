"""Freshservice's modules: incidents and service requests are tickets, changes stand beside them. Pure.

Tickets are numbered in one series, changes in another, so that a change's id keeps its prefix: `7` is a ticket,
`CHN-7` a change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CHANGE = "Change"
"""The type of changes, beside those of tickets, which Freshservice names itself."""
PREFIXES = {"Incident": "INC-", "Service Request": "SR-", "Request": "SR-", CHANGE: "CHN-"}


@dataclass(frozen=True, slots=True)
class Module:
    """`name` is the key of its answers, `comments` that of its comments, `agent` the field of who works on it.

    `include` is what a read or a list has to ask for.
    """

    name: str
    path: str
    comments: str
    agent: str
    include: str | None = None

    def path_of(self, number: str) -> str:
        return f"{self.path}/{number}"


TICKETS = Module("ticket", "/tickets", "conversations", "responder_id", "tags")
CHANGES = Module("change", "/changes", "notes", "agent_id")


def located(ticket_id: str) -> tuple[Module, str]:
    """The module and the number of an id or of a key (`7`, `#7`, `INC-7`, `CHN-7`)."""
    prefix, dash, number = ticket_id.strip().lstrip("#").upper().rpartition("-")
    return (CHANGES if f"{prefix}{dash}" == PREFIXES[CHANGE] else TICKETS), number


def type_of(module: Module, raw: Mapping[str, Any]) -> str:
    """What a ticket is, in Freshservice's words."""
    return CHANGE if module is CHANGES else str(raw.get("type") or "")


def id_of(module: Module, number: object) -> str:
    return f"{PREFIXES[CHANGE]}{number}" if module is CHANGES else str(number)


def key_of(kind: str, number: object) -> str:
    """What people call it."""
    return f"{PREFIXES.get(kind, '#')}{number}"
