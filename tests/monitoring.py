"""Bodies as monitoring sends them, and what became of them in a world of model trackers.

The form of Alertmanager's bodies: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from hub.engine.inbox import JournalInbox, Stored
from hub.testing.model import ModelTicket
from hub.testing.world import World
from hub.ticket import TicketRef, Visibility
from webhooks.alert_payloads import signals_of
from webhooks.keeping import delivery_key

NEVER = "0001-01-01T00:00:00Z"
"""Alertmanager's end of an alert that goes on."""


def an_alert(
    name: str = "HostDown", *, status: str = "firing", severity: str = "critical", summary: str = "", **labels: str
) -> dict[str, Any]:
    labels = {"alertname": name, "severity": severity, **labels}
    return {
        "status": status,
        "labels": labels,
        "annotations": {"summary": summary} if summary else {},
        "startsAt": "2026-01-01T00:00:00.000Z",
        "endsAt": NEVER if status == "firing" else "2026-01-01T00:10:00.000Z",
        "generatorURL": "http://prometheus.example/graph?g0.expr=up+%3D%3D+0",
        "fingerprint": hashlib.sha256(repr(sorted(labels.items())).encode()).hexdigest()[:16],
    }


def a_notification(
    *alerts: dict[str, Any], group: Mapping[str, str] | None = None, key: str = "", truncated: int = 0
) -> dict[str, Any]:
    """One body of Alertmanager; by default the alerts are grouped by their name."""
    listed = list(alerts) or [an_alert()]
    group = {"alertname": listed[0]["labels"]["alertname"]} if group is None else group
    shared = [set(one["labels"].items()) for one in listed]
    return {
        "version": "4",
        "groupKey": key or "{}:{" + ", ".join(f'{name}="{value}"' for name, value in sorted(group.items())) + "}",
        "truncatedAlerts": truncated,
        "status": "firing" if any(one["status"] == "firing" for one in listed) else "resolved",
        "receiver": "hub",
        "groupLabels": dict(group),
        "commonLabels": dict(set.intersection(*shared)),
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": listed,
    }


class Monitored:
    """A world whose helpdesk `support` gets the incidents of the source `prom`."""

    def __init__(
        self, source: Mapping[str, Any] | None = None, *, rules: Mapping[str, Any] | None = None, journal: str = ""
    ) -> None:
        settings = {"kind": "alertmanager", "secret": "a-token", "tracker": "support", **(source or {})}
        self.world = World(rules={"alerts": {"prom": settings}, **(rules or {})}, journal_url=journal or "sqlite://")

    def send(self, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Stored:
        source = self.world.settings.alerts["prom"]
        raw = json.dumps(body).encode()
        return JournalInbox(self.world.journal, lambda: None).store_signals(
            source="prom",
            delivery_key=delivery_key(None, source.id_header or None, headers or {}, raw),
            received=self.world.clock(),
            headers={},
            body=raw,
            signals=signals_of(source, raw),
        )

    def run(self, minutes: float = 0) -> None:
        """What is due is done, then time passes; what becomes due on the way is done at its time."""
        self.world.deliver_all()
        self.world.run_due()
        if minutes:
            self.world.pass_until(self.world.clock.time + timedelta(minutes=minutes))

    @property
    def tickets(self) -> Sequence[ModelTicket]:
        return list(self.world.support.tickets.values())

    @property
    def ticket(self) -> ModelTicket:
        (ticket,) = self.world.support.tickets.values()
        return ticket

    @property
    def ref(self) -> TicketRef:
        return TicketRef("support", self.ticket.id)

    def notes(self) -> list[str]:
        return [c.text for c in self.ticket.comments]

    def public(self) -> list[str]:
        return [c.text for t in self.tickets for c in t.comments if c.visibility is not Visibility.PRIVATE]
