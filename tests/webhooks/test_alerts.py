"""POST /alerts/<source> on a real socket: what is believed, what is refused, and what becomes of it."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hub.engine import EmbeddedEngine
from hub.engine.inbox import JournalInbox
from hub.journal import deliveries, events
from hub.metrics import Metrics
from hub.settings.alerts import AlertSource
from tests.monitoring import Monitored, a_notification, an_alert
from tests.webhooks.stage import LIMIT, UNAVAILABLE, Shelf, Stage, connectors, start
from webhooks.alert_payloads import signals_of
from webhooks.app import Server, create_app
from webhooks.keeping import kept_headers

TOKEN = "token-for-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def a_source(**given: Any) -> AlertSource:
    return AlertSource.model_validate({"kind": "alertmanager", "secret": TOKEN, "tracker": "support", **given})


@pytest.fixture
def stage() -> Iterator[Stage]:
    running = start(alerts={"prom": a_source(), "plain": a_source(kind="json")})
    yield running
    running.client.close()
    running.server.stop()


def post(stage: Stage, body: bytes | dict[str, Any], headers: dict[str, str], source: str = "prom") -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return stage.client.post(f"/alerts/{source}", content=content, headers=headers)


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize("headers", [BEARER, basic("alertmanager", TOKEN), {"X-Hub-Token": TOKEN}])
def test_a_sender_shows_the_secret_as_it_can(stage: Stage, headers: dict[str, str]) -> None:
    answer = post(stage, a_notification(), headers)
    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
    assert stage.count("alert:prom", "accepted") == 1


@pytest.mark.parametrize(
    ("headers", "fault"),
    [
        ({}, "unsigned"),
        ({"Authorization": "Bearer something-else"}, "forged"),
        ({"Authorization": "Bearer"}, "forged"),
        (basic("alertmanager", "something-else"), "forged"),
        ({"Authorization": "Basic ???"}, "malformed"),
        ({"Authorization": TOKEN}, "malformed"),
        ({"X-Hub-Token": TOKEN + "x"}, "forged"),
        ({"X-Hub-Token": "wrong", **BEARER}, "forged"),
    ],
)
def test_a_sender_that_does_not_is_refused_counted_and_told_no_secret(
    stage: Stage, headers: dict[str, str], fault: str
) -> None:
    answer = post(stage, a_notification(), headers)
    assert (answer.status_code, answer.json()["error"]) == (401, fault)
    assert TOKEN not in answer.text
    assert stage.shelf.kept == []
    assert stage.shelf.refusals == [("alert:prom", fault, 401)]
    assert stage.count("alert:prom", fault) == 1


def test_a_body_that_is_too_large_is_refused_and_a_packed_one_as_well(stage: Stage) -> None:
    large = a_notification(*(an_alert(instance=str(n)) for n in range(200)))
    assert len(json.dumps(large)) > LIMIT
    assert post(stage, large, BEARER).status_code == 413
    packed = gzip.compress(json.dumps(a_notification()).encode())
    assert post(stage, packed, {**BEARER, "Content-Encoding": "gzip"}).status_code == 415
    assert stage.shelf.kept == []


@pytest.mark.parametrize(
    ("source", "body", "why"),
    [
        ("prom", b"no json", "cannot read"),
        ("prom", b"[]", "no JSON object"),
        ("prom", {"alerts": []}, "groupKey"),
        ("prom", {"groupKey": "x"}, "no list of alerts"),
        ("prom", {"groupKey": "x", "alerts": [1]}, "no list of alerts"),
        ("prom", a_notification({**an_alert(), "status": "maybe"}), "firing and resolved"),
        ("prom", b"[" * 15_000, "cannot read"),
        ("plain", {"status": "down"}, "fields.id"),
        ("plain", {"id": "x"}, "fields.status"),
        ("plain", {"alerts": ["x"]}, "no JSON object"),
    ],
)
def test_a_body_of_another_form_is_told_what_is_wrong_with_it(
    stage: Stage, source: str, body: bytes | dict[str, Any], why: str
) -> None:
    answer = post(stage, body, BEARER, source)
    assert (answer.status_code, answer.json()["error"]) == (400, "unparsable")
    assert why in answer.json()["description"]


def test_an_unknown_source_is_answered_404_whatever_it_is_called(stage: Stage) -> None:
    assert post(stage, a_notification(), BEARER, "nobody").status_code == 404
    assert stage.shelf.refusals == [("unknown", "unknown_tracker", 404)]


@pytest.mark.parametrize("trouble", [UNAVAILABLE, RuntimeError("whatever")])
def test_what_cannot_be_stored_is_asked_for_again(trouble: Exception) -> None:
    stage = start(shelf=Shelf(trouble=trouble), alerts={"prom": a_source()})
    answer = post(stage, a_notification(), BEARER)
    stage.client.close()
    stage.server.stop()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


def test_neither_the_secret_nor_its_header_is_kept() -> None:
    headers = {"x-event-key": TOKEN, "authorization": f"Bearer {TOKEN}", "user-agent": "Alertmanager/0.27.0"}
    assert kept_headers(None, None, headers, never="X-Event-Key") == {"user-agent": "Alertmanager/0.27.0"}


def test_alertmanager_on_a_socket_opens_updates_and_ends_an_incident(tmp_path: Any) -> None:
    hub = Monitored({"secret": TOKEN, "update_every": "0m"}, journal=f"sqlite:///{tmp_path / 'hub.sqlite3'}")
    engine = EmbeddedEngine(hub.world.context)
    app = create_app(
        connectors=connectors(),
        inbox=JournalInbox(hub.world.journal, engine.notify),
        metrics=Metrics(),
        ready=dict,
        max_body_bytes=100_000,
        now=hub.world.clock,
        alerts=hub.world.settings.alerts,
    )
    server = Server(app, "127.0.0.1", 0, 2)
    server.start()
    engine.start()
    host, other = an_alert(instance="a"), an_alert(instance="b", summary="b is down")
    told = []
    try:
        with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
            for body in (
                a_notification(host),
                a_notification(host),
                a_notification(host, other),
                a_notification(*({**one, "status": "resolved"} for one in (host, other))),
            ):
                told.append(client.post("/alerts/prom", json=body, headers=BEARER).json()["status"])
                assert engine.wait_idle(30)
            client.post("/alerts/prom", json=a_notification(host))
    finally:
        server.stop()
        engine.stop(10)
    assert told == ["accepted", "duplicate", "accepted", "accepted"]
    assert hub.ticket.status == "solved"
    assert [note.partition(":")[0] for note in hub.notes()] == ["New", "All alerts have ended."]
    with hub.world.journal.read() as connection:
        refused = connection.exec_driver_sql("SELECT data FROM events WHERE kind = 'refused'").all()
        kept = connection.exec_driver_sql("SELECT status, repeats FROM deliveries").all()
        assert deliveries.count_waiting(connection, hub.world.clock()) == 0
        assert events.links_on_record(connection, hub.ref) == []
    assert "unsigned" in str(refused)
    assert [tuple(row) for row in kept] == [("done", 1), ("done", 0), ("done", 0)]
    hub.world.journal.close()


# -- what bodies mean ---------------------------------------------------------------------------------------------


def test_alertmanagers_own_groups_are_kept_and_named_after_their_labels() -> None:
    body = a_notification(an_alert(cluster="a"), group={"alertname": "HostDown", "cluster": "a"})
    (signal,) = signals_of(a_source(), json.dumps(body).encode())
    assert signal.name == "alertname=HostDown, cluster=a"
    assert signal.is_whole
    assert len(signal.group) == 32


def test_labels_of_the_settings_split_what_alertmanager_put_together() -> None:
    body = a_notification(an_alert(site="a"), an_alert(site="b"), an_alert("Other", site="b"))
    signals = signals_of(a_source(group_by=["site"]), json.dumps(body).encode())
    assert [(s.name, len(s.alerts), s.is_whole) for s in signals] == [("site=a", 1, False), ("site=b", 2, False)]


def test_json_of_any_form_is_read_by_the_paths_of_the_settings() -> None:
    source = a_source(
        kind="json",
        resolved_words=["RECOVERY"],
        fields={"alerts": "data.events", "id": "trigger.id", "status": "state", "title": "trigger.name"},
    )
    events = [
        {"trigger": {"id": 17, "name": "Disk full"}, "state": "PROBLEM", "severity": "error"},
        {"trigger": {"id": 18, "name": "Disk full"}, "state": "Recovery"},
        {"trigger": {"id": 19, "name": "No power"}, "state": "PROBLEM", "group": "power"},
    ]
    disks, power = signals_of(source, json.dumps({"data": {"events": events}}).encode())
    assert [(a.id, a.is_firing, a.severity) for a in disks.alerts] == [("17", True, "error"), ("18", False, "")]
    assert (disks.name, power.name) == ("Disk full", "power")
    assert not disks.is_whole


def test_texts_of_a_sender_are_cut_to_what_a_ticket_needs() -> None:
    body = a_notification(an_alert("x" * 5000, summary="y" * 5000, **{f"label{n}": "z" for n in range(100)}))
    (signal,) = signals_of(a_source(), json.dumps(body).encode())
    (alert,) = signal.alerts
    assert max(map(len, (signal.name, alert.name, alert.summary))) == 300
    assert len(alert.labels) == 40
