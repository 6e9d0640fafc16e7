"""Every helpdesk with every bug tracker: a ticket's life from the escalation to the answer and back.

Real connectors and sandboxes over real sockets; the hub's straight line runs in this process, and both tickets are
looked at after each step as if a webhook had come. Webhooks and polling have tests of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.connector import Capability, Connector, Known, Role
from hub.demo.stage import Stage, make_sandbox, write_settings
from hub.deployment import open_deployment
from hub.journal import deliveries, links, schema
from hub.registry import Registry
from hub.sandbox.cast import File
from hub.sync.context import Context, utc_now
from hub.sync.keys import lock_key
from hub.sync.run import run_key
from hub.ticket import Comment, Snapshot, Status, TicketRef

CLASSES = Registry.discover().connector_classes()
HELPDESKS = [kind for kind, cls in CLASSES.items() if cls.role is Role.HELPDESK]
BUG_TRACKERS = [kind for kind, cls in CLASSES.items() if cls.role is Role.BUG_TRACKER]
PAIRS = [(a, b) for a in HELPDESKS for b in BUG_TRACKERS] + [(a, b) for a in BUG_TRACKERS for b in BUG_TRACKERS]
MAX_RUNS = 30
LOG = File("log ąę.txt", "błąd w linii 7\n".encode(), "text/plain")


@dataclass
class Pair:
    """Two sandboxes and the hub's line between them."""

    stage: Stage
    context: Context
    ticket_id: str = ""
    issue_id: str = ""

    def connector(self, tracker: str) -> Connector:
        return self.context.connectors[tracker]

    def see(self, tracker: str) -> Snapshot:
        return self.connector(tracker).read(self.ticket_id if tracker == "support" else self.issue_id, Known())

    def said(self, tracker: str, words: str) -> list[Comment]:
        return [c for c in self.see(tracker).comments or () if words in c.text]

    def writes(self) -> int:
        """How many writes the hub has begun."""
        with self.context.journal.read() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(schema.intents)).scalar_one()

    def carry(self) -> None:
        """Both tickets are looked at until nothing is left to do."""
        journal = self.context.journal
        with journal.write() as connection:
            for tracker, ticket_id in (("support", self.ticket_id), ("dev", self.issue_id)):
                if ticket_id:
                    deliveries.wake(connection, str(TicketRef(tracker, ticket_id)), utc_now(), "a person's change")
        for _ in range(MAX_RUNS):
            with journal.read() as connection:
                due = [key for key, at in deliveries.next_wakes(connection, 10) if at <= utc_now()]
            if not due:
                break
            result = run_key(self.context, lock_key(self.context, due[0]))
            assert result.outcome != "postponed", result.why
        else:
            raise AssertionError("the hub has work for ever")
        with journal.read() as connection:
            link_id = links.link_of(connection, TicketRef("support", self.ticket_id))
            found = links.load_link(connection, link_id) if link_id else None
        if found:
            self.issue_id = next((m.ref.id for m in found[1] if m.role == "issue"), "")


def file_names(snapshot: Snapshot) -> set[str]:
    return {a.name for a in [*snapshot.attachments, *(a for c in snapshot.comments or () for a in c.attachments)]}


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Pair]:
    tickets, issues = request.param
    stage = Stage(tmp_path, {}, {}, {})
    with ExitStack() as stack:
        stack.callback(stage.close)
        for name, kind in (("support", tickets), ("dev", issues)):
            stage.sandboxes[name] = make_sandbox(kind)
            stage.sandboxes[name].start()
        write_settings(stage, None, {})
        for name, value in stage.environment.items():
            monkeypatch.setenv(name, value)
        yield Pair(stage, stack.enter_context(open_deployment(tmp_path)).context)


@pytest.mark.parametrize("pair", PAIRS, ids=[f"{a}:{b}" for a, b in PAIRS], indirect=True)
def test_a_ticket_goes_there_and_back(pair: Pair) -> None:
    stage = pair.stage
    customer, agent, engineer = (
        stage.actor("support", "customer"), stage.actor("support", "agent"), stage.actor("dev", "engineer"),
    )  # fmt: skip
    pair.ticket_id = customer.open_ticket("The invoice is wrong", "Since the update the sum is wrong.")
    agent.start(pair.ticket_id)
    agent.say(pair.ticket_id, "We look at it.", public=True)
    stage.actor("support", "expert").escalate(pair.ticket_id)
    pair.carry()
    assert pair.issue_id, "no issue was made"
    assert pair.see("dev").ticket.title == pair.connector("dev").hold("title", "The invoice is wrong")
    assert "the sum is wrong" in (pair.see("dev").ticket.description or "")
    assert len(pair.said("dev", "We look at it")) == 1

    engineer.say(pair.issue_id, "Which sum is shown?", public=True)
    pair.carry()
    (question,) = pair.said("support", "Which sum is shown")
    customer.say(pair.ticket_id, "It shows 13.", public=True, files=[LOG])
    if Capability.PRIVATE_COMMENTS in pair.connector("support").capabilities:
        agent.say(pair.ticket_id, "Careful with this one.", public=False)
    agent.prioritise(pair.ticket_id, "high")
    pair.carry()
    assert question.visibility.is_public
    assert len(pair.said("dev", "It shows 13")) == 1
    assert not pair.said("dev", "Careful with this one")
    if Capability.ATTACHMENTS in pair.connector("dev").capabilities:
        # A tracker may have renamed it when the customer sent it.
        assert file_names(pair.see("support")) <= file_names(pair.see("dev"))
        assert file_names(pair.see("dev"))
    held = pair.connector("dev").hold("priority", pair.see("support").ticket.priority)
    assert pair.see("dev").ticket.priority == held

    engineer.start(pair.issue_id)
    engineer.resolve(pair.issue_id)
    pair.carry()
    assert pair.see("support").ticket.status.is_done
    agent.reopen(pair.ticket_id)
    pair.carry()
    assert not pair.see("dev").ticket.status.is_done
    assert pair.see("dev").ticket.status is not Status.UNKNOWN

    shown, writes = (pair.see("support").ticket, pair.see("dev").ticket), pair.writes()
    pair.carry()
    assert (pair.see("support").ticket, pair.see("dev").ticket) == shown
    assert pair.writes() == writes, "nobody changed anything, and the hub wrote"
