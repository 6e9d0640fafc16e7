"""An incident's life in every helpdesk there is: opened, updated, solved and opened again, out of alerts alone."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from hub.connector import Connector, Known, Role
from hub.engine.inbox import JournalInbox
from hub.journal import Journal, deliveries, failures
from hub.registry import Registry
from hub.settings.model import Settings
from hub.sync.context import Context
from hub.sync.keys import lock_key
from hub.sync.outlets import Outlets
from hub.sync.run import run_key
from hub.testing.site import Site, sandbox_site
from hub.ticket import Snapshot, Status, TicketRef
from tests.monitoring import a_notification, an_alert
from webhooks.alert_payloads import signals_of

CLASSES = {kind: cls for kind, cls in Registry.discover().connector_classes().items() if cls.role is Role.HELPDESK}
MAX_RUNS = 40


@pytest.fixture(params=list(CLASSES))
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    package = importlib.import_module(f"plugins.{request.param.replace('-', '_')}.sandbox")
    with sandbox_site(CLASSES[request.param], package) as made:
        yield made


class Hub:
    """A hub with one helpdesk and one monitoring."""

    def __init__(self, site: Site) -> None:
        assert site.clock is not None
        self.clock, self.connector = site.clock, site.connector
        source = {"kind": "alertmanager", "secret": "x", "tracker": "tracker", "assignee": "oncall"}
        people = {"oncall": {"tracker": site.connector.identify().account_id}}
        self.settings = Settings.model_validate({"alerts": {"prom": source}, "people": people})
        self.journal = Journal.open("sqlite://")
        connectors: dict[str, Connector] = {"tracker": self.connector}
        self.context = Context(
            journal=self.journal, settings=self.settings, connectors=connectors, now=self.clock,
            outlets=Outlets(connectors, {}),
        )  # fmt: skip

    def hear(self, *alerts: dict[str, object]) -> None:
        """Monitoring sends its alerts, and everything that follows is done, however late."""
        body = json.dumps(a_notification(*alerts)).encode()
        JournalInbox(self.journal, lambda: None).store_signals(
            source="prom", delivery_key=f"id:{self.clock()}", received=self.clock(), headers={}, body=body,
            signals=signals_of(self.settings.alerts["prom"], body),
        )  # fmt: skip
        for _ in range(MAX_RUNS):
            with self.journal.read() as connection:
                waiting = deliveries.next_wakes(connection, 1)
            if not waiting:
                break
            self.clock.pass_by(max(0.0, (waiting[0][1] - self.clock()) / timedelta(seconds=1)) + 1)
            run_key(self.context, lock_key(self.context, waiting[0][0]))
        self.clock.pass_by(600)

    def ticket(self) -> Snapshot:
        with self.journal.read() as connection:
            (ticket_id,) = connection.exec_driver_sql("SELECT ticket_id FROM incidents").scalars()
        return self.connector.read(TicketRef("tracker", ticket_id).id, Known())


def test_an_incident_is_opened_updated_solved_and_opened_again(site: Site) -> None:
    hub = Hub(site)
    one, other = an_alert(instance="a", summary="a is *down*"), an_alert(instance="b", summary="b is down")
    hub.hear(one)
    opened = hub.ticket()
    assert opened.ticket.title == "HostDown: a is *down*"
    assert not opened.ticket.status.is_done
    hub.hear(one, other)
    hub.hear({**one, "status": "resolved"}, {**other, "status": "resolved"})
    solved = hub.ticket()
    assert solved.ticket.status is Status.SOLVED
    hub.hear(one)
    again = hub.ticket()
    assert again.ticket.status.is_active
    said = [comment for comment in again.comments or () if "alert" in comment.text or "New:" in comment.text]
    assert all(not comment.visibility.is_public for comment in said)
    assert sum("All alerts have ended" in comment.text for comment in said) == 1
    with hub.journal.read() as connection:
        assert failures.unresolved_failures(connection) == []
    hub.journal.close()
