"""Alerts over the real core, with model trackers: one incident, one ticket, few words, whatever is lost or killed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hub.connector import Capability, PermanentError, RefusedError, TemporaryError
from hub.journal import deliveries, events, failures, incidents
from hub.rules.alerts import STORM
from hub.sync.run import run_broke_off, run_key
from hub.testing.model import Killed
from hub.ticket import TicketRef, Visibility
from tests.monitoring import Monitored, a_notification, an_alert

UP = a_notification(an_alert(status="resolved", instance="a"))
DOWN = a_notification(an_alert(instance="a", summary="a does not answer"))


def test_an_alert_opens_an_incident_with_its_title_priority_and_labels() -> None:
    hub = Monitored()
    hub.send(DOWN)
    hub.run()
    ticket = hub.ticket
    assert ticket.title == "HostDown: a does not answer"
    assert ticket.priority == "urgent"
    assert "alert" in ticket.labels
    assert "HostDown: a does not answer (since 2026-01-01T00:00:00.000Z)" in ticket.description
    assert "http://alertmanager.example" in ticket.description


def test_the_end_of_all_alerts_solves_the_ticket_with_a_private_word() -> None:
    hub = Monitored()
    hub.send(DOWN)
    hub.run(10)
    hub.send(UP)
    hub.run(10)
    assert hub.ticket.status == "solved"
    assert hub.notes() == ["All alerts have ended."]
    assert hub.public() == []


def test_an_end_is_only_noted_where_the_settings_say_so() -> None:
    hub = Monitored({"resolve": "note"})
    hub.send(DOWN)
    hub.run(10)
    hub.send(UP)
    hub.run(10)
    assert hub.ticket.status == "open"
    assert hub.notes() == ["All alerts have ended."]


def test_customers_see_updates_only_when_the_settings_say_public() -> None:
    hub = Monitored({"visibility": "public"})
    hub.send(DOWN)
    hub.run(10)
    hub.send(UP)
    hub.run(10)
    assert [c.visibility for c in hub.ticket.comments] == [Visibility.PUBLIC]


def test_further_alerts_of_the_group_are_told_in_one_update_and_repetitions_in_none() -> None:
    hub = Monitored()
    alerts = [an_alert(instance="a")]
    hub.send(a_notification(*alerts))
    hub.run(10)
    for instance in "bcd":
        alerts.append(an_alert(instance=instance, summary=f"{instance} is down"))
        hub.send(a_notification(*alerts))
        hub.run()
    hub.run(10)
    for _ in range(5):  # Alertmanager's repeat_interval
        hub.send(a_notification(*alerts))
        hub.run(300)
    assert len(hub.notes()) == 2
    assert "New: HostDown (b is down)" in hub.notes()[0]
    assert "HostDown (c is down), HostDown (d is down)" in hub.notes()[1]
    assert "4 alert(s) go on" in hub.notes()[1]


def test_a_part_that_ends_is_told_and_leaves_the_ticket_open() -> None:
    hub = Monitored()
    hub.send(a_notification(an_alert(instance="a"), an_alert(instance="b", summary="b is down")))
    hub.run(10)
    hub.send(a_notification(an_alert(instance="a"), an_alert(instance="b", status="resolved")))
    hub.run(10)
    assert hub.ticket.status == "open"
    assert hub.notes() == ["Ended: HostDown (b is down).\\\n1 alert(s) go on.\\\nhttp://alertmanager.example"]


def test_a_worse_alert_raises_the_priority_and_a_milder_one_leaves_it() -> None:
    hub = Monitored()
    mild, bad = an_alert(instance="a", severity="warning"), an_alert(instance="b", severity="critical")
    hub.send(a_notification(mild))
    hub.run(10)
    assert hub.ticket.priority == "normal"
    hub.send(a_notification(mild, bad))
    hub.run(10)
    assert hub.ticket.priority == "urgent"
    hub.send(a_notification(mild, {**bad, "status": "resolved"}))
    hub.run(10)
    assert hub.ticket.priority == "urgent"


def test_flapping_opens_the_same_ticket_again() -> None:
    hub = Monitored({"quiet_for": "1h"})
    for _ in range(3):
        hub.send(DOWN)
        hub.run(20)
        assert hub.ticket.status == "open"
        hub.send(UP)
        hub.run(20)
        assert hub.ticket.status == "solved"
    assert len(hub.tickets) == 1


def test_after_the_quiet_time_there_is_another_incident() -> None:
    hub = Monitored({"quiet_for": "1h"})
    hub.send(DOWN)
    hub.run(10)
    hub.send(UP)
    hub.run(75)
    hub.send(DOWN)
    hub.run(10)
    assert [t.status for t in hub.tickets] == ["solved", "open"]


def test_flapping_faster_than_updates_costs_no_update_at_all() -> None:
    hub = Monitored({"update_every": "30m"})
    hub.send(DOWN)
    hub.run()
    before = hub.world.writes()
    for _ in range(10):
        hub.send(UP)
        hub.run()
        hub.send(DOWN)
        hub.run()
    hub.run(60)
    assert hub.notes() == []
    assert hub.world.writes() == before


def test_what_flaps_for_days_writes_no_more_than_the_agreed_number_of_updates() -> None:
    hub = Monitored({"max_updates": 4})
    for _ in range(20):
        hub.send(DOWN)
        hub.run(10)
        hub.send(UP)
        hub.run(10)
    assert len(hub.notes()) == 4
    assert "This is the last update here" in hub.notes()[-1]
    assert hub.ticket.status == "solved"


def test_ten_thousand_alerts_of_a_group_are_one_ticket_and_few_notes() -> None:
    hub = Monitored()
    alerts = [an_alert(instance=f"host-{n}") for n in range(10_000)]
    for end in range(500, 10_001, 500):
        hub.send(a_notification(*alerts[:end]))
        hub.run(3 / 60)
    hub.run(30)
    assert hub.ticket.priority == "urgent"
    assert len(hub.notes()) <= 2
    assert "10000 alert(s) go on" in hub.notes()[-1]
    hub.send(a_notification(*({**one, "status": "resolved"} for one in alerts)))
    hub.run(30)
    assert hub.ticket.status == "solved"


def test_alerts_that_come_one_by_one_as_json_are_one_ticket_as_well() -> None:
    hub = Monitored({"kind": "json", "group_by": [], "update_every": "1h"})
    for number in range(1000):
        hub.send({"id": f"disk-{number}", "status": "problem", "title": f"Disk {number} is full", "severity": "error"})
        if number % 100 == 0:
            hub.run()
    hub.run(90)
    assert hub.ticket.priority == "high"
    assert len(hub.notes()) <= 2
    for number in range(1000):
        hub.send({"id": f"disk-{number}", "status": "OK", "title": f"Disk {number} is full"})
    hub.run(90)
    assert hub.ticket.status == "solved"


def test_too_many_groups_at_once_become_one_common_incident() -> None:
    hub = Monitored({"storm_after": 5})
    for number in range(100):
        hub.send(a_notification(an_alert(f"Alert{number}", instance=str(number))))
    hub.run(30)
    assert len(hub.tickets) == 6
    (storm,) = [t for t in hub.tickets if "Many alerts at once" in t.title]
    for number in range(100):
        hub.send(a_notification(an_alert(f"Alert{number}", instance=str(number), status="resolved")))
    hub.run(30)
    assert {t.status for t in hub.tickets} == {"solved"}
    assert len(storm.comments) <= 2


def test_an_end_that_comes_before_the_common_incident_was_opened_is_not_lost() -> None:
    hub = Monitored({"storm_after": 1})
    hub.send(a_notification(an_alert("First")))
    hub.run()
    hub.send(a_notification(an_alert("Second")))
    with hub.world.journal.read() as connection:
        ((key, _),) = deliveries.next_wakes(connection, 1)
    run_key(hub.world.context, key)  # it joined, and the common incident was not looked at yet
    hub.send(a_notification(an_alert("Second", status="resolved")))
    run_key(hub.world.context, key)
    hub.run(30)
    with hub.world.journal.read() as connection:
        assert not incidents.has_waiting_signals(connection, "prom", STORM)
    assert [t.title for t in hub.tickets] == ["First"]


def test_an_incident_that_was_over_before_its_ticket_could_be_opened_gets_none() -> None:
    hub = Monitored()
    hub.send(DOWN)
    hub.send(UP)
    hub.run(30)
    assert hub.tickets == []
    with hub.world.journal.read() as connection:
        kept = connection.exec_driver_sql("SELECT data FROM events WHERE kind = 'incident'").all()
    assert "had ended before" in str(kept)


def test_new_alerts_open_a_ticket_again_that_a_person_solved_too_early() -> None:
    hub = Monitored()
    hub.send(a_notification(an_alert(instance="a")))
    hub.run(10)
    hub.world.support.edit(hub.ticket.id, status="solved")
    hub.send(a_notification(an_alert(instance="a"), an_alert(instance="b")))
    hub.run(10)
    assert hub.ticket.status == "open"


@pytest.mark.parametrize("how", ["deleted", "closed"])
def test_a_ticket_that_is_gone_or_closed_for_good_gets_a_successor(how: str) -> None:
    hub = Monitored()
    hub.send(a_notification(an_alert(instance="a")))
    hub.run(10)
    changes: dict[str, Any] = {"is_deleted": True} if how == "deleted" else {"status": "closed"}
    hub.world.support.edit(hub.ticket.id, **changes)
    hub.send(a_notification(an_alert(instance="a"), an_alert(instance="b")))
    hub.run(10)
    assert len(hub.tickets) == 2
    assert hub.tickets[1].status == "open"


def test_an_escalated_incident_is_solved_in_both_trackers() -> None:
    hub = Monitored({"labels": ["alert", "escalate"]})
    hub.send(DOWN)
    hub.run(10)
    (issue,) = hub.world.dev.tickets.values()
    hub.send(UP)
    hub.run(20)
    assert (hub.ticket.status, issue.status) == ("solved", "solved")


def test_rules_hold_for_incidents_as_for_every_ticket() -> None:
    rule = {
        "name": "page",
        "when": {"label": "alert"},
        "then": {"notify": [{"to": "oncall", "text": "{{ ticket.title }}"}]},
    }
    hub = Monitored(rules={"rules": [rule], "notifiers": {"oncall": {"url": "json://nowhere"}}})
    hub.send(DOWN)
    hub.run(10)
    hub.send(UP)
    hub.run(10)
    assert hub.world.sent == [("oncall", "HostDown: a does not answer")]
    assert hub.ticket.status == "solved"


def test_a_delivery_that_comes_again_is_a_duplicate_and_the_same_words_later_are_news() -> None:
    hub = Monitored({"kind": "json"})
    down, up = {"id": "x", "title": "X", "status": "down"}, {"id": "x", "title": "X", "status": "up"}
    assert [hub.send(down).is_duplicate for _ in range(2)] == [False, True]
    hub.run(10)
    assert not hub.send(up).is_duplicate
    hub.run(10)
    assert hub.ticket.status == "solved"
    assert not hub.send(down).is_duplicate
    hub.run(10)
    assert hub.ticket.status == "open"


def test_a_delivery_with_an_id_of_its_own_is_a_duplicate_whenever_it_comes() -> None:
    hub = Monitored({"kind": "json", "id_header": "X-Id"})
    down, up = {"id": "x", "title": "X", "status": "down"}, {"id": "x", "title": "X", "status": "up"}
    hub.send(down, {"x-id": "1"})
    hub.send(up, {"x-id": "2"})
    assert hub.send(down, {"x-id": "1"}).is_duplicate


def test_a_body_that_was_cut_short_ends_nothing_by_silence() -> None:
    hub = Monitored()
    hub.send(a_notification(an_alert(instance="a"), an_alert(instance="b")))
    hub.run(10)
    hub.send(a_notification(an_alert(instance="a", status="resolved"), truncated=1))
    hub.run(10)
    assert hub.ticket.status == "open"
    hub.send(a_notification(an_alert(instance="c", status="resolved")))
    hub.run(10)
    assert hub.ticket.status == "solved"


def test_a_tracker_that_is_down_gets_the_ticket_later_and_stands_in_the_failures_until_then() -> None:
    hub = Monitored()
    support = hub.world.connectors["support"]

    def refuse(call: str) -> None:
        raise TemporaryError("support", call, "it is down")

    support.before_call = refuse
    hub.send(DOWN)
    hub.run(10)
    with hub.world.journal.read() as connection:
        (failure,) = failures.unresolved_failures(connection)
    assert "it is down" in failure.why
    support.before_call = lambda call: None
    hub.run(20)
    assert hub.ticket.status == "open"
    with hub.world.journal.read() as connection:
        assert failures.unresolved_failures(connection) == []


def test_a_field_that_the_tracker_refuses_is_left_out() -> None:
    hub = Monitored()
    hub.world.support.refuses["priority"] = "agents may not"
    hub.send(DOWN)
    hub.run()
    assert hub.ticket.priority == "normal"


def test_a_tracker_that_refuses_the_ticket_is_told_in_the_failures_and_asked_again() -> None:
    hub = Monitored()
    support, create = hub.world.connectors["support"], hub.world.connectors["support"].create

    def refuse(draft: Any) -> Any:
        raise RefusedError("support", "create", {"title": "too short"})

    support.create = refuse  # type: ignore[method-assign]  # this tracker takes no tickets for a while
    hub.send(DOWN)
    hub.run(1)
    with hub.world.journal.read() as connection:
        (failure,) = failures.unresolved_failures(connection)
    assert failure.key.startswith("alert:prom:")
    support.create = create  # type: ignore[method-assign]
    hub.run(10)
    assert hub.ticket.title == "HostDown: a does not answer"


def test_alerts_of_a_source_that_is_not_in_the_settings_any_more_are_laid_aside() -> None:
    hub = Monitored()
    hub.send(DOWN)
    hub.world.settings = hub.world.settings.model_copy(update={"alerts": {}})
    hub.world.restart()
    hub.run(10)
    assert hub.tickets == []
    with hub.world.journal.read() as connection:
        assert deliveries.count_waiting(connection, hub.world.clock()) == 0


def a_whole_life(hub: Monitored, run: Callable[[float], None]) -> None:
    hub.send(DOWN)
    run(10)
    hub.send(a_notification(an_alert(instance="a"), an_alert(instance="b", summary="b is down")))
    run(10)
    hub.send(a_notification(an_alert(instance="a", status="resolved"), an_alert(instance="b", status="resolved")))
    run(10)
    hub.send(DOWN)
    run(10)


def killed_at(when: str, call: int) -> tuple[Monitored, bool]:
    """A whole life in which the hub dies at one call, and whether there was such a call."""
    hub = Monitored()
    support = hub.world.connectors["support"]
    made: list[str] = []

    def maybe_kill(name: str) -> None:
        made.append(name)
        if len(made) == call:
            raise Killed

    setattr(support, f"{when}_call", maybe_kill)

    def run(minutes: float) -> None:
        try:
            hub.run(minutes)
        except Killed:
            hub.world.restart()
            hub.run(minutes)
        hub.run(10)

    a_whole_life(hub, run)
    return hub, len(made) >= call


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_hub_that_is_killed_at_any_call_opens_one_ticket_and_tells_everything_once(when: str) -> None:
    for call in itertools.count(1):
        hub, was_killed = killed_at(when, call)
        if not was_killed:
            break
        assert hub.ticket.status == "open", f"killed {when} call {call}"
        told = [re.split(r"[.:]", note)[0] for note in hub.notes()]
        assert told == ["New", "All alerts have ended", "The alerts are back"], f"killed {when} call {call}"
    assert call > 10


def test_what_was_said_between_a_crash_and_the_find_is_told() -> None:
    hub = Monitored()
    support = hub.world.connectors["support"]

    def die(call: str) -> None:
        if call == "create":
            support.after_call = lambda call: None
            raise Killed

    support.after_call = die
    hub.send(a_notification(an_alert(instance="a")))
    with pytest.raises(Killed):
        hub.run()
    hub.send(a_notification(an_alert(instance="a"), an_alert(instance="b", summary="b is down")))
    hub.world.restart()
    hub.run(10)
    assert "New: HostDown (b is down)" in hub.notes()[0]


def test_a_lookup_is_believed_only_after_the_trackers_search_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Monitored()
    support = hub.world.connectors["support"]
    monkeypatch.setattr(type(support), "search_lag", timedelta(minutes=2))
    find = support.find_ticket
    created: list[Any] = []

    def die(call: str) -> None:
        if call == "create":
            support.after_call = lambda call: None
            created.append(hub.world.clock.time)
            raise Killed

    def find_late(marker: str) -> Any:
        found = find(marker)
        return found if hub.world.clock.time > created[0] + timedelta(minutes=1) else None

    support.after_call = die
    support.find_ticket = find_late  # type: ignore[method-assign]  # a search index that lags
    hub.send(DOWN)
    with pytest.raises(Killed):
        hub.run()
    hub.world.restart()
    hub.run(10)
    assert len(hub.tickets) == 1


def test_a_tracker_that_cannot_create_is_told_so() -> None:
    hub = Monitored()
    support = hub.world.connectors["support"]
    support._capabilities -= {Capability.CREATE}
    hub.send(DOWN)
    hub.run(1)
    with hub.world.journal.read() as connection:
        (failure,) = failures.unresolved_failures(connection)
    assert "does not offer it" in failure.why


def test_the_record_of_the_ticket_says_which_alerts_opened_it_and_why_it_was_written_to() -> None:
    hub = Monitored()
    hub.send(DOWN)
    hub.run(10)
    hub.send(UP)
    hub.run(10)
    with hub.world.journal.read() as connection:
        told = [
            e.data for e in events.timeline(connection, TicketRef("support", hub.ticket.id), []) if e.what == "incident"
        ]
        row = incidents.incident_of(connection, TicketRef("support", hub.ticket.id))
    assert [one.get("opened") or one.get("why") for one in told] == ["#1", "all alerts have ended"]
    assert row is not None
    assert row.source == "prom"


def test_a_mistake_of_the_hub_puts_a_group_off_and_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Monitored()
    hub.send(DOWN)
    with hub.world.journal.read() as connection:
        ((key, _),) = deliveries.next_wakes(connection, 1)
    run_broke_off(hub.world.context, key)
    with hub.world.journal.read() as connection:
        (failure,) = failures.unresolved_failures(connection)
    assert failure.key == key
    hub.run(10)
    assert len(hub.tickets) == 1


def test_a_permanent_error_is_no_end_of_the_incident() -> None:
    hub = Monitored()
    support = hub.world.connectors["support"]

    def refuse(call: str) -> None:
        if call == "create":
            raise PermanentError("support", call, "the account may not", "Give it the permission.")

    support.before_call = refuse
    hub.send(DOWN)
    hub.run(1)
    support.before_call = lambda call: None
    hub.send(a_notification(an_alert(instance="a"), an_alert(instance="b")))
    hub.run(10)
    assert "2 alert" in hub.ticket.description
