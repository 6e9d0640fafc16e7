"""What process integrations send: whatever an admin built. And the published shapes of Service Desk's objects."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from hub.connector import Hint, Ignored, SecretHeader, WebhookRequest
from hub.engine.inbox import JournalInbox
from hub.journal import Journal
from hub.journal.schema import deliveries
from hub.metrics import Metrics
from hub.ticket import Priority, Visibility
from plugins.solarwinds import mapping, payloads
from plugins.solarwinds.client import user_of
from plugins.solarwinds.connector import SolarwindsConnector
from plugins.solarwinds.sandbox import SolarwindsSandbox
from plugins.solarwinds.sandbox.state import token_for
from plugins.solarwinds.settings import SolarwindsSettings
from tests.plugins.solarwinds.builders import agent_says, created, open_tickets
from tests.plugins.solarwinds.conftest import connect
from tests.shared import SHARED, payload
from webhooks.app import create_app
from webhooks.server import Server

FOLDER = Path(payloads.__file__).parent
TEMPLATE = (FOLDER / "webhook.json").read_text()
KEPT = SHARED / "payloads" / "solarwinds-service-desk"
FILES = sorted(KEPT.rglob("*.json")) if KEPT.is_dir() else []
OUTCOMES: dict[str, tuple[int, str | None]] = {
    "audit_external_live_probe.json": (202, "180823669"),
    "audit_user.json": (202, "12345"),
    "incident.json": (202, "12345"),
    "incident-detail.json": (202, "181400000"),
    "comment-thread.json": (202, "60451"),
}
"""Of the files, those that name an incident. None is a webhook's body; a comment or a list names no ticket."""


def parse(body: object) -> Sequence[Hint] | Ignored:
    return payloads.parse(WebhookRequest({}, body if isinstance(body, bytes) else json.dumps(body).encode()))


def hint_of(body: object) -> Hint:
    parsed = parse(body)
    assert not isinstance(parsed, Ignored)
    (hint,) = parsed
    return hint


@pytest.mark.parametrize(
    "body",
    [
        {"ticket_id": "181400000", "event": "Assigned"},
        {"ticket_id": 181400000},
        {"incident_id": 181400000, "number": 60451},
        {"href": "https://api.samanage.com/incidents/181400000.json"},
        {"url": "https://acme.samanage.com/incidents/181400000-printer-offline"},
        {"incident": {"id": 181400000, "number": 60451, "state": "New"}},
        {"source_type": "Incident", "source_id": 181400000},
    ],
)
def test_a_body_that_names_an_incident_in_some_way_will_do(body: dict[str, Any]) -> None:
    assert hint_of(body).ticket_id == "181400000"


@pytest.mark.parametrize(
    "body", [b"", b"id=1", [], {}, {"id": 11}, {"ticket_id": "x"}, {"number": 60451}, {"id": 5001, "body": "hello"}]
)
def test_what_names_no_incident_is_refused_with_words_for_an_admin(body: object) -> None:
    with pytest.raises(ValueError, match="template"):
        parse(body)


def test_what_is_about_something_else_is_ignored_with_the_reason() -> None:
    parsed = parse({"source_type": "Problem", "source_id": 7})
    assert isinstance(parsed, Ignored)
    assert "a Problem" in parsed.reason


def test_a_test_of_the_call_with_unfilled_variables_is_ignored() -> None:
    assert isinstance(parse(TEMPLATE.encode()), Ignored)


def test_the_readme_shows_the_very_template_that_is_shipped() -> None:
    shown = (FOLDER / "README.md").read_text()
    assert json.loads(shown.split("```json", 1)[1].split("```", 1)[0]) == json.loads(TEMPLATE)


def test_calls_carry_the_secret_in_the_header_that_the_connector_checks(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    scheme = SolarwindsConnector.webhook_scheme
    assert isinstance(scheme, SecretHeader)
    target = site.add_webhook_target("http://127.0.0.1:9/")
    (ticket_id,) = open_tickets(site, 1)
    agent_says(site, ticket_id, "<p>hello</p>")
    assert site.webhooks.wait_idle()
    first, second = site.webhooks.sent
    assert dict(site.sign(first.delivery, 1)) == {scheme.header: target.secret}
    assert [hint_of(s.delivery.body).ticket_id for s in (first, second)] == [ticket_id] * 2


@pytest.mark.skipif(not FILES, reason="the public payloads are not beside the repository")
def test_every_published_shape_wakes_its_incident_or_is_turned_away_with_words(site: SolarwindsSandbox) -> None:
    connector = connect(site)
    journal = Journal.open("sqlite://")
    app = create_app(
        connectors={"support": connector},
        inbox=JournalInbox(journal, lambda: None),
        metrics=Metrics(),
        ready=dict,
        max_body_bytes=5 * 1024 * 1024,
        now=lambda: datetime.now(UTC),
    )
    server = Server(app, "127.0.0.1", 0, 2)
    server.start()
    headers = {"X-Hub-Secret": site.webhook_secret}
    seen: dict[str, tuple[int, str | None]] = {}
    for file in FILES:
        answer = httpx.post(f"{server.url}/webhooks/support", content=file.read_bytes(), headers=headers)
        with journal.read() as connection:
            number = answer.json().get("delivery")
            row = connection.execute(select(deliveries).where(deliveries.c.id == number)).one_or_none()
        seen[file.name] = (answer.status_code, row.ticket_id if row else None)
        assert row is not None or "template" in answer.json()["description"]
    server.stop()
    journal.close()
    connector.close()
    assert seen == {file.name: OUTCOMES.get(file.name, (400, None)) for file in FILES}


def test_a_published_incident_is_read_as_it_is(site: SolarwindsSandbox) -> None:
    connector = connect(site, fields={"cost": {"id": "Cost Center"}}, url="https://api.samanage.com")
    settings = connector.base_settings
    assert isinstance(settings, SolarwindsSettings)
    raw = payload("solarwinds-service-desk/mcp-swsd-raw-shapes/incident.json")
    ticket = mapping.ticket(settings, connector, raw)
    assert (ticket.id, ticket.key, ticket.title) == ("12345", "#12345", "Printer offline")
    assert (ticket.priority, ticket.custom, ticket.native["type"]) == (Priority.HIGH, {"cost": "CC-42"}, "Hardware")
    assert ticket.updated == datetime(2026, 5, 1, 12, tzinfo=UTC)
    comment = mapping.comment(payload("solarwinds-service-desk/mcp-swsd-raw-shapes/comment.json"), "9", None)
    assert (comment.author.email, comment.visibility) == ("agent@example.com", Visibility.PUBLIC)
    thread = payload("solarwinds-service-desk/mcp-swsd-projected/comment-thread.json")["comments"]
    assert [mapping.comment(c, "9", None).visibility.is_public for c in thread] == [True, True, False, True]
    connector.close()


def test_the_sandbox_shows_every_field_of_the_published_samples(
    connector: SolarwindsConnector, site: SolarwindsSandbox
) -> None:
    ticket_id = created(connector)
    agent_says(site, ticket_id, "x")
    incident = site.store.incidents[int(ticket_id)]
    folder = "solarwinds-service-desk/mcp-swsd-raw-shapes"
    assert set(payload(f"{folder}/incident.json")) <= set(site.shapes.incident(incident))
    detail = payload("solarwinds-service-desk/mcp-swsd-projected/incident-detail.json")["incident"]
    assert set(detail) <= set(site.shapes.incident(incident, is_long=True))
    assert set(payload(f"{folder}/comment.json")) <= set(site.shapes.comment(incident.comments[0]))
    audit = site.shapes.audit(site.store.audits[0])
    live = payload(f"{folder}/audit_external_live_probe.json")
    assert set(live) == set(audit)
    assert (live["action"], live["user_id"]) == (audit["action"], audit["user_id"]) == ("external", None)


def test_the_published_claims_of_a_token_tell_whose_it_is() -> None:
    claims = payload("solarwinds-service-desk/jwt_claims.json")
    assert user_of(token_for(claims["user_ic"], 1, "user_ic")) == "11643235"


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "a.bm90IGpzb24.c", "a.W10.c", "a.e30.c", "plain-secret"])
def test_what_is_no_such_token_tells_nothing(token: str) -> None:
    assert user_of(token) == ""
