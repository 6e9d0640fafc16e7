"""From the first line to the engineers and back, on sandboxes, with the clocks worked out by hand at every step.

Real connectors and sandboxes over real sockets. Hub and sandboxes share one clock that the test moves, so that days
pass in no time; what comes due on the way is done at its time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from hub.connector import Known
from hub.demo.stage import Stage, make_sandbox, write_settings
from hub.deployment import open_deployment
from hub.journal import cases, deliveries, links
from hub.registry import Registry
from hub.sync.context import Context
from hub.sync.keys import lock_key
from hub.sync.run import run_key
from hub.ticket import Comment, Status, TicketRef

PAIRS = [("zendesk", "jira"), ("freshdesk", "bugzilla"), ("otrs", "mantis")]
WARSAW = ZoneInfo("Europe/Warsaw")
MOST_RUNS = 60

LINK = {
    "name": "engineering",
    "tickets": "support",
    "issues": "dev",
    "fields": {"status": "none"},
    "labels": {"direction": "none"},
    "comments": {"public": "both", "private": "none"},
}
BOOK = """
calendars:
  office: {zone: Europe/Warsaw, hours: {mon-fri: "08:00-16:00"}, holidays: PL}
lines:
  1: {name: First line, label: line-1}
  2: {name: Experts, label: line-2}
  3: {name: Engineers, label: line-3, issues: engineering}
agreements:
  customer: {kind: SLA, calendar: office, targets: {first_response: 4h, resolution: 24h}}
  first: {kind: OLA, lines: 1, calendar: office, targets: {ownership: 2h}}
  experts: {kind: OLA, lines: 2, calendar: office, targets: {resolution: 8h}}
  engineers: {kind: OLA, lines: 3, calendar: office, targets: {resolution: 40h}}
rules:
  - name: hand on
    when: {label: escalate}
    then: {line: next, reason: an agent asked for it, remove_labels: escalate}
  - name: fixed
    when: {changed: {issue_status: {to: [solved, closed]}}, not: {label: verify}}
    then: {reply: "This is fixed in our system. Please try again.", set: {status: pending}, add_labels: verify}
  - name: nobody objected
    when: {label: verify, status: pending, idle: {over: 72h}}
    then: {set: {status: solved}, remove_labels: verify}
  - name: closed in the end
    when: {status: solved, idle: {over: 48h}}
    then: {set: {status: closed}}
    overrides: fixed
"""


def warsaw(day: int, hour: int, minute: int = 0) -> datetime:
    """A time in May 2026, where 4 May is a Monday after a holiday weekend."""
    return datetime(2026, 5, day, hour, minute, tzinfo=WARSAW).astimezone(UTC)


@dataclass
class Office:
    """Two sandboxes, the hub's line between them, and the time."""

    stage: Stage
    context: Context
    time: datetime
    ticket_id: str = ""
    issue_id: str = ""

    def now(self) -> datetime:
        # A little goes by with everything that happens, as in life.
        self.time += timedelta(milliseconds=1)
        return self.time

    @property
    def ref(self) -> TicketRef:
        return TicketRef("support", self.ticket_id)

    def go_to(self, at: datetime) -> None:
        """Time passes; what comes due on the way is done at its time."""
        for _ in range(MOST_RUNS):
            with self.context.journal.read() as connection:
                first = deliveries.next_wakes(connection, 1)
            if not first or first[0][1] > at:
                self.time = max(self.time, at)
                return
            self.time = max(self.time, first[0][1])
            result = run_key(self.context, lock_key(self.context, first[0][0]))
            assert result.outcome != "postponed", result.why
        raise AssertionError("the hub has work for ever")

    def somebody_acted(self) -> None:
        """Both tickets are looked at, as if webhooks had come."""
        with self.context.journal.write() as connection:
            for ref in (self.ref, TicketRef("dev", self.issue_id)):
                if ref.id:
                    deliveries.wake(connection, str(ref), self.now(), "a person's change")
        self.go_to(self.time + timedelta(seconds=30))
        with self.context.journal.read() as connection:
            link_id = links.link_of(connection, self.ref)
            loaded = links.load_link(connection, link_id) if link_id else None
        if loaded:
            self.issue_id = next((m.ref.id for m in loaded[1] if m.role == "issue"), "")

    def clock(self, name: str) -> tuple[str, datetime | None]:
        """The state of a clock and when it is due, to the minute, in Warsaw."""
        with self.context.journal.read() as connection:
            row = cases.case_of(connection, self.ref)
        assert row is not None
        shown = row.data["clocks"][name]
        due = datetime.fromisoformat(shown["due"]) if shown["due"] else None
        return shown["state"], due.replace(second=0, microsecond=0) if due else None

    def has_issue(self) -> bool:
        return bool(self.issue_id)

    def line(self) -> int:
        with self.context.journal.read() as connection:
            row = cases.case_of(connection, self.ref)
        assert row is not None
        return int(row.data["seen"]["line"])

    def comments(self) -> list[Comment]:
        return list(self.context.connectors["support"].read(self.ticket_id, Known()).comments or ())

    def status(self) -> Status:
        return self.context.connectors["support"].read(self.ticket_id, Known()).ticket.status


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Office]:
    tickets, issues = request.param
    missing = {tickets, issues} - set(Registry.discover().kinds())
    if missing:
        pytest.skip(f"there is no connector for {missing}")
    stage = Stage(tmp_path, {}, {}, {})
    holder: list[Office] = []
    start = warsaw(4, 8)

    def clock() -> datetime:
        return holder[0].now() if holder else start

    with ExitStack() as stack:
        stack.callback(stage.close)
        for name, kind in (("support", tickets), ("dev", issues)):
            stage.sandboxes[name] = make_sandbox(kind, clock=clock)
            stage.sandboxes[name].start()
        write_settings(stage, [LINK], {})
        (tmp_path / "rules.yaml").write_text(yaml.safe_dump(yaml.safe_load(BOOK)))
        for name, value in stage.environment.items():
            monkeypatch.setenv(name, value)
        context = stack.enter_context(open_deployment(tmp_path)).context
        context.now = clock
        holder.append(Office(stage, context, start))
        yield holder[0]


@pytest.mark.parametrize("office", PAIRS, ids=[f"{a}:{b}" for a, b in PAIRS], indirect=True)
def test_a_ticket_goes_through_all_lines_and_back(office: Office) -> None:
    people: Any = office.stage.actor
    customer, agent = people("support", "customer"), people("support", "agent")
    expert, engineer = people("support", "expert"), people("dev", "engineer")

    # Monday, 8:00: the first line has it. 24 working hours from now are three days.
    office.ticket_id = customer.open_ticket("The export crashes", "It ends with an error since the update.")
    office.somebody_acted()
    assert office.line() == 1
    assert office.clock("customer.resolution") == ("running", warsaw(6, 16))
    assert office.clock("customer.first_response") == ("running", warsaw(4, 12))
    assert office.clock("first.ownership") == ("running", warsaw(4, 10))

    # 9:00: an agent takes it and answers.
    office.go_to(warsaw(4, 9))
    agent.start(office.ticket_id)
    agent.say(office.ticket_id, "We look at it.", public=True)
    office.somebody_acted()
    assert office.clock("customer.first_response")[0] == "met"
    assert office.clock("first.ownership")[0] == "met"

    # 10:00: to the experts, whose own clock of 8 hours begins: 6 today, 2 tomorrow.
    office.go_to(warsaw(4, 10))
    agent.escalate(office.ticket_id)
    office.somebody_acted()
    assert office.line() == 2
    assert office.clock("experts.resolution") == ("running", warsaw(5, 10))
    assert office.clock("customer.resolution") == ("running", warsaw(6, 16))
    assert not office.has_issue()

    # Tuesday, 9:00: to the engineers. The experts kept their word; 40 hours from now are 5 working days.
    office.go_to(warsaw(5, 9))
    expert.escalate(office.ticket_id)
    office.somebody_acted()
    assert office.line() == 3
    assert office.has_issue(), "the engineers' line makes an issue"
    assert office.clock("engineers.resolution") == ("running", warsaw(12, 9))

    # Wednesday, 10:00: fixed. The customer is told and waited for; 18 of 24 hours are used up.
    office.go_to(warsaw(6, 10))
    engineer.start(office.issue_id)
    engineer.resolve(office.issue_id)
    office.somebody_acted()
    (told,) = [c for c in office.comments() if "This is fixed" in c.text]
    assert told.visibility.is_public
    assert office.status() is Status.PENDING
    assert office.clock("customer.resolution") == ("paused", None)

    # Saturday: three days without an objection; it is solved, in time, and closed after two more.
    office.go_to(warsaw(9, 11))
    assert office.status().is_done
    assert office.clock("customer.resolution")[0] == "met"
    office.go_to(warsaw(12, 12))
    assert office.status().is_done
    assert len([c for c in office.comments() if "This is fixed" in c.text]) == 1
    assert not [c for c in office.comments() if "Handed to line" in c.text and c.visibility.is_public]
