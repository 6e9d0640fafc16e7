"""Webhooks of triggers: whatever an admin's body made of them, over the hub's own server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from hub.connector import Hint, Ignored, SecretHeader, WebhookRequest
from hub.engine.inbox import JournalInbox
from hub.journal import Journal
from hub.journal.schema import deliveries
from hub.metrics import Metrics
from hub.parts.templates import NOT_FILLED
from plugins.servicedesk_plus import payloads
from plugins.servicedesk_plus.connector import ServiceDeskPlusConnector
from plugins.servicedesk_plus.sandbox import ServiceDeskPlusSandbox
from plugins.servicedesk_plus.sandbox.server import render
from plugins.servicedesk_plus.settings import ServiceDeskPlusSettings
from tests.plugins.servicedesk_plus.builders import created, kept
from tests.shared import payload_files
from webhooks.app import create_app
from webhooks.server import Server

FOLDER = Path(payloads.__file__).parent
TEMPLATE = (FOLDER / "webhook.json").read_text()
SECRET = "webhook-secret-of-the-tests"
FILES = [*payload_files("servicedesk-plus"), *payload_files("servicedesk-plus/demisto-cloud")]
REFUSED = "no ticket id"
OUTCOMES = {
    "jsm-manage-engine-trigger-payload.json": ("ignored", NOT_FILLED),
    "request_create.json": ("waiting", "123456789"),
    "request_update.json": ("waiting", "123456789"),
    "error_validation_shape.json": ("refused", REFUSED),
    "swagger-sdp-cloud-powerplatform.json": ("refused", REFUSED),
    "link_request_success.json": ("refused", REFUSED),
    "link_requests_list.json": ("refused", REFUSED),
    "list_info_search_criteria_echo.json": ("refused", REFUSED),
    "oauth_token.json": ("refused", REFUSED),
    "request_list.json": ("refused", REFUSED),
    "resolution_get.json": ("refused", REFUSED),
}
"""What becomes of each public payload: only three of them are what a trigger may send."""


def parse(body: object) -> Sequence[Hint] | Ignored:
    return payloads.parse(WebhookRequest({}, body if isinstance(body, bytes) else json.dumps(body).encode()))


def hint_of(body: object) -> Hint:
    parsed = parse(body)
    assert not isinstance(parsed, Ignored)
    (hint,) = parsed
    return hint


@pytest.fixture(scope="module")
def hub() -> Iterator[tuple[str, Journal]]:
    """The hub's web server with this tracker."""
    settings = ServiceDeskPlusSettings.model_validate(
        {
            "kind": "servicedesk-plus", "url": "http://127.0.0.1:9", "flavour": "on_premises",
            "account": "hub@example.com", "credentials": {"technician_key": "none"}, "webhook": {"secret": SECRET},
        }
    )  # fmt: skip
    connector = ServiceDeskPlusConnector("support", settings)
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
    yield server.url, journal
    server.stop()
    journal.close()
    connector.close()


@pytest.mark.skipif(not FILES, reason="the public payloads are not beside the repository")
@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_a_public_payload_is_understood_or_turned_away_for_a_reason(hub: tuple[str, Journal], file: Path) -> None:
    url, journal = hub
    answer = httpx.post(f"{url}/webhooks/support", content=file.read_bytes(), headers={"X-Hub-Secret": SECRET})
    outcome, detail = OUTCOMES[file.name]
    if outcome == "refused":
        assert answer.status_code == 400
        assert detail in answer.json()["description"]
        return
    assert answer.status_code == 202, answer.text
    with journal.read() as connection:
        stored = connection.execute(select(deliveries).where(deliveries.c.id == answer.json()["delivery"])).one()
    assert stored.status == outcome
    assert detail == (stored.note if outcome == "ignored" else stored.ticket_id)


@pytest.mark.skipif(not FILES, reason="the public payloads are not beside the repository")
def test_the_table_of_outcomes_names_every_public_payload() -> None:
    assert {f.name for f in FILES} == set(OUTCOMES)


def test_a_webhook_without_the_secret_is_refused(hub: tuple[str, Journal]) -> None:
    for headers in ({}, {"X-Hub-Secret": "wrong"}):
        answer = httpx.post(f"{hub[0]}/webhooks/support", json={"request_id": "7"}, headers=headers)
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "event"),
    [
        ({"request_id": "11", "event": "note added"}, "note added"),
        ({"id": 11}, "webhook"),
        ({"request": {"id": "11", "display_id": "4"}}, "webhook"),
        ({"display_id": "4", "id": "11"}, "webhook"),
        (b'{"request_id": "11", "subject": "he said "no""}', "webhook"),
    ],
)
def test_other_bodies_will_do_where_the_id_can_be_found(body: object, event: str) -> None:
    hint = hint_of(body)
    assert (hint.ticket_id, hint.event, hint.touches_comments, hint.is_partial) == ("11", event, True, True)


@pytest.mark.parametrize(
    "body", [b"", b"request=11", [], {}, {"id": "x"}, {"id": None}, "11", {"display_id": "4"}, {"requests": []}]
)
def test_what_names_no_request_is_refused_with_words_for_an_admin(body: object) -> None:
    with pytest.raises(ValueError, match="README"):
        parse(body)


def test_a_test_of_the_webhook_with_unfilled_variables_is_ignored() -> None:
    assert parse(TEMPLATE.encode()) == Ignored(NOT_FILLED)


def test_the_readme_shows_the_very_body_that_is_shipped() -> None:
    shown = (FOLDER / "README.md").read_text()
    assert json.loads(shown.split("```json", 1)[1].split("```", 1)[0]) == json.loads(TEMPLATE)


def test_the_shipped_body_stays_json_whatever_the_request_holds(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    ticket_id = created(connector, title='a "quoted" \\ title')
    assert hint_of(render(TEMPLATE, kept(site, ticket_id)).encode()).ticket_id == ticket_id


def test_webhooks_carry_the_secret_in_the_header_that_the_connector_checks(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    scheme = ServiceDeskPlusConnector.webhook_scheme
    assert isinstance(scheme, SecretHeader)
    target = site.add_webhook_target("http://127.0.0.1:9/", template=TEMPLATE)
    ticket_id = created(connector)
    assert site.webhooks.wait_idle()
    (sent,) = site.webhooks.sent
    assert dict(site.sign(sent.delivery, 1)) == {scheme.header: target.secret}
    assert hint_of(sent.delivery.body).ticket_id == ticket_id


def test_a_trigger_that_leaves_the_hub_out_is_silent_about_it(
    connector: ServiceDeskPlusConnector, site: ServiceDeskPlusSandbox
) -> None:
    site.add_webhook_target("http://127.0.0.1:9/", left_out=["hub"])
    created(connector)
    assert site.webhooks.wait_idle()
    assert site.webhooks.sent == ()
