"""The people of a sandbox: what the demo and end-to-end tests have them do, through the tracker's own API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class File:
    """A file that somebody adds."""

    name: str
    content: bytes
    content_type: str = "application/octet-stream"


Role = Literal["customer", "agent", "expert", "engineer"]
"""`customer` and the support agents of lines 1 and 2 live in helpdesks, `engineer` in bug trackers."""


class Actor(Protocol):
    """One person with an account of their own. Ids are the tracker's; texts are plain. Raises RuntimeError when
    the tracker refuses."""

    name: str

    def open_ticket(self, title: str, text: str) -> str: ...
    def say(self, ticket_id: str, text: str, *, public: bool, files: Sequence[File] = ()) -> None: ...
    def escalate(self, ticket_id: str) -> None:
        """Adds the label `escalate`."""

    def rename(self, ticket_id: str, title: str) -> None: ...
    def prioritise(self, ticket_id: str, priority: str) -> None:
        """Sets the neutral priority (`low`, `normal`, `high`, `urgent`) in the tracker's own word."""

    def start(self, ticket_id: str) -> None:
        """Begins to work on it."""

    def resolve(self, ticket_id: str) -> None: ...
    def reopen(self, ticket_id: str) -> None: ...
    def close(self) -> None: ...


class Customer:
    """A customer who can open tickets and write to them, and nothing else. Subclasses say how."""

    name: str

    def say(self, ticket_id: str, text: str, *, public: bool, files: Sequence[File] = ()) -> None:
        raise NotImplementedError

    def escalate(self, ticket_id: str) -> None:
        raise self._cannot("tag a ticket")

    def rename(self, ticket_id: str, title: str) -> None:
        raise self._cannot("rename a ticket")

    def prioritise(self, ticket_id: str, priority: str) -> None:
        raise self._cannot("set a priority")

    def start(self, ticket_id: str) -> None:
        raise self._cannot("work on a ticket")

    def resolve(self, ticket_id: str) -> None:
        raise self._cannot("resolve a ticket")

    def reopen(self, ticket_id: str) -> None:
        self.say(ticket_id, "It is there again.", public=True)

    def _cannot(self, what: str) -> RuntimeError:
        return RuntimeError(f"{self.name}: customers cannot {what}")


@runtime_checkable
class Rater(Protocol):
    """A customer of a tracker that asks them how satisfied they are."""

    def rate(self, ticket_id: str, *, good: bool) -> None:
        """Answers for a ticket of their own that was solved."""


# A plugin's `sandbox` package exports, beside SANDBOX:
#   actor(sandbox, role) -> Actor             the person who plays a role
#   hub_settings(sandbox) -> dict             the entry under `trackers:` for it, `credentials` in clear
