"""Real processes over real sockets: sandboxes in the test's process, the hub in one of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import pytest

from hub.demo.stage import Stage, open_stage
from plugins.jira.sandbox.cast import JiraActor

PATIENCE = 15.0
"""Seconds within which something must be seen; nothing waits this long when all is well."""


T = TypeVar("T")


def eventually(look: Callable[[], T], what: str = "") -> T:
    """Looks until there is something to see, and returns it."""
    deadline = time.monotonic() + PATIENCE
    pause = threading.Event()
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not seen within {PATIENCE:g} s: {what or look}")
        pause.wait(0.02)


class Play:
    """A stage with the pair of the demo, and the few things that every test does on it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.support, self.dev = stage.sandboxes["support"], stage.sandboxes["dev"]
        self.customer = stage.actor("support", "customer")
        self.agent = stage.actor("support", "agent")
        self.engineer = cast(JiraActor, stage.actor("dev", "engineer"))

    def issues(self) -> list[Any]:
        """All issues of the bug tracker, as the sandbox keeps them."""
        with self.dev.lock:
            return list(self.dev.store.issues.values())  # type: ignore[attr-defined]  # the sandbox's own state

    def issue_of(self, ticket_id: str) -> Any:
        """The issue that carries the ticket's mark, None while there is none."""
        for issue in self.issues():
            if any(label.startswith(f"support-{ticket_id}-") for label in issue.fields["labels"]):
                return issue
        return None

    def escalated(self, title: str = "It is broken", text: str = "Nothing works.") -> tuple[str, Any]:
        """A ticket with its issue, linked both ways."""
        ticket_id = self.customer.open_ticket(title, text)
        self.agent.start(ticket_id)
        self.agent.escalate(ticket_id)
        issue = eventually(lambda: self.issue_of(ticket_id), "an issue")
        eventually(lambda: self.notes(ticket_id), "the note that names the issue")
        return ticket_id, issue

    def notes(self, ticket_id: str) -> list[str]:
        """The private notes of a ticket."""
        comments = self.stage.snapshot("support", ticket_id).comments or ()
        return [c.text for c in comments if not c.visibility.is_public]

    def replies(self, ticket_id: str) -> list[str]:
        """The public comments of a ticket, its description apart."""
        comments = self.stage.snapshot("support", ticket_id).comments or ()
        return [c.text for c in comments if c.visibility.is_public]

    def bodies(self, issue: Any) -> list[str]:
        """The comments of an issue, in Jira's own markup."""
        with self.dev.lock:
            return [c.body for c in issue.comments]

    def quiet(self) -> None:
        """Until every webhook is delivered and the hub has stopped calling."""
        pause = threading.Event()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for sandbox in self.stage.sandboxes.values():
                assert sandbox.webhooks.wait_idle(PATIENCE)
            before = [len(s.requests) for s in self.stage.sandboxes.values()]
            pause.wait(0.4)
            if before == [len(s.requests) for s in self.stage.sandboxes.values()]:
                return
        raise AssertionError("the hub does not come to rest")


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    """Zendesk and Jira Cloud with a hub between them, for all tests of a module; each uses tickets of its own."""
    with open_stage({"support": "zendesk", "dev": "jira"}) as stage:
        yield Play(stage)
