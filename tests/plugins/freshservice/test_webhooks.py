"""Freshservice's webhooks: whatever an admin's template made of them, over a real socket and through the journal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from hub.connector import Hint, Ignored, SecretHeader, WebhookRequest
from hub.engine.inbox import JournalInbox
from hub.journal import Journal
from hub.journal.schema import deliveries
from hub.metrics import Metrics
from plugins.freshservice import payloads
from plugins.freshservice.connector import FreshserviceConnector
from plugins.freshservice.sandbox import FreshserviceSandbox, automator
from plugins.freshservice.settings import FreshserviceSettings
from tests.plugins.freshservice.builders import a_change, agent_says, created
from tests.plugins.freshservice.conftest import connect
from tests.shared import SHARED, payload, payload_files
from webhooks.app import create_app
from webhooks.server import Server

FOLDER = Path(payloads.__file__).parent
TEMPLATE, CHANGE_TEMPLATE = (FOLDER / name for name in ("webhook.json", "webhook-change.json"))
SECRET = "webhook-secret-of-the-tests"
UNFILLED = "the placeholders were not filled in: this is a test of the webhook"
OUTCOMES = {
    "jsm-addPrivateNote.json": ("ignored", UNFILLED, None),
    "jsm-addPublicNote.json": ("ignored", UNFILLED, None),
    "template-minimal-id_numeric.json": ("ignored", UNFILLED, None),
}
"""What becomes of each public template as it stands: status, note, ticket."""
FILLED = {
    "jsm-addPrivateNote.json": ("297", "note_type:private"),
    "jsm-addPublicNote.json": ("297", "ticket_action:note_type"),
    "template-minimal-id_numeric.json": ("297", "webhook"),
}
"""What becomes of it once Freshservice has filled it in: ticket, event."""
PUBLIC = [*payload_files("freshservice"), *payload_files("freshservice/webhooks")]


def parse(body: object) -> Sequence[Hint] | Ignored:
    request = WebhookRequest({}, body if isinstance(body, bytes) else json.dumps(body).encode())
    return payloads.parse(request, with_changes=True)


def hint_of(body: object) -> Hint:
    parsed = parse(body)
    assert not isinstance(parsed, Ignored), parsed.reason
    (hint,) = parsed
    return hint


@pytest.fixture(scope="module")
def hub() -> Iterator[tuple[str, Journal]]:
    """A web server with the connector; what it stores can be read in the journal."""
    settings = FreshserviceSettings.model_validate(
        {
            "kind": "freshservice",
            "url": "http://127.0.0.1:9",
            "credentials": {"api_key": "none"},
            "webhook": {"secret": SECRET},
        }
    )
    connector, journal = FreshserviceConnector("support", settings), Journal.open("sqlite://")
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


def delivered(hub: tuple[str, Journal], body: bytes) -> tuple[str, str, str | None]:
    """Status, note and ticket of a delivery, as the journal keeps it."""
    url, journal = hub
    answer = httpx.post(f"{url}/webhooks/support", content=body, headers={"X-Hub-Secret": SECRET})
    assert answer.status_code == 202, answer.text
    with journal.read() as connection:
        row = connection.execute(sa.select(deliveries).where(deliveries.c.id == answer.json()["delivery"])).one()
    return row.status, row.note, row.ticket_id


@pytest.mark.skipif(not PUBLIC, reason="the public payloads are not beside the repository")
def test_every_public_template_has_an_expectation() -> None:
    assert {file.name for file in PUBLIC} == set(OUTCOMES) == set(FILLED)


@pytest.mark.skipif(not PUBLIC, reason="the public payloads are not beside the repository")
@pytest.mark.parametrize("file", PUBLIC, ids=lambda f: f.name)
def test_a_public_template_that_was_not_filled_in_is_ignored_with_the_reason(
    hub: tuple[str, Journal], file: Path
) -> None:
    assert delivered(hub, file.read_bytes()) == OUTCOMES[file.name]


@pytest.mark.skipif(not PUBLIC, reason="the public payloads are not beside the repository")
@pytest.mark.parametrize("file", PUBLIC, ids=lambda f: f.name)
def test_a_public_template_as_freshservice_fills_it_in_wakes_its_ticket(
    connector: FreshserviceConnector, site: FreshserviceSandbox, hub: tuple[str, Journal], file: Path
) -> None:
    ticket = site.store.tickets[int(created(connector))]
    ticket.id = 297
    agent_says_by(site, ticket)
    body = automator.render(file.read_text(), ticket, site.url).encode()
    assert delivered(hub, body) == ("waiting", "", FILLED[file.name][0])
    hint = hint_of(body)
    assert (hint.ticket_id, hint.event) == FILLED[file.name]


def agent_says_by(site: FreshserviceSandbox, ticket: object) -> None:
    """A reply, which some templates show."""
    with site.lock:
        site.effects.converse(site.store.by_login("agent1"), ticket, "we know", (), private=False, is_reply=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "ticket"),
    [
        ({"ticket_id": 11}, "11"),
        ({"ticket_id": "INC-11"}, "11"),
        ({"id": "#SR-11"}, "11"),
        ({"ticket_id": "CHN-11"}, "CHN-11"),
        ({"change_id": "CHN-11"}, "CHN-11"),
        ({"change_id": 11}, "CHN-11"),
        ({"ticket_url": "https://acme.freshservice.com/helpdesk/tickets/11"}, "11"),
        ({"freshdesk_webhook": {"ticket_id": "INC-11"}}, "11"),
        (b'{"freshdesk_webhook": {"ticket_id": "INC-11", "subject": "he said "no""}}', "11"),
        (b'{"ticket_id": "11", "subject": "the "change_id" is missing"}', "11"),
        ({"ticket_id": "11", "change_id": ""}, "11"),
        (b'{"change_id": "CHN-11", "subject": "he said "no""}', "CHN-11"),
    ],
)
def test_other_templates_will_do_where_the_number_can_be_found(body: object, ticket: str) -> None:
    assert hint_of(body).ticket_id == ticket


def test_a_change_is_ignored_with_the_reason_where_changes_are_not_kept_in_step(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    elsewhere = connect(site, changes=False)
    request = WebhookRequest({}, b'{"change_id": "CHN-11"}')
    ignored = elsewhere.parse_webhook(request)
    assert isinstance(ignored, Ignored)
    assert "the setting changes is false" in ignored.reason
    (hint,) = connector.parse_webhook(request)  # type: ignore[misc]  # the settings want changes here
    assert hint.ticket_id == "CHN-11"
    elsewhere.close()


@pytest.mark.parametrize(
    "body", [b"", b"ticket=11", [], {}, {"ticket_id": "x"}, {"ticket_id": None}, {"change_id": "x"}, "11"]
)
def test_what_names_no_ticket_is_refused_with_words_for_an_admin(body: object) -> None:
    with pytest.raises(ValueError, match="template"):
        parse(body)


@pytest.mark.parametrize("file", [TEMPLATE, CHANGE_TEMPLATE], ids=lambda f: f.name)
def test_the_readme_shows_the_very_templates_that_are_shipped(file: Path) -> None:
    shown = [block.split("```", 1)[0] for block in (FOLDER / "README.md").read_text().split("```json")[1:]]
    assert json.loads(file.read_text()) in [json.loads(block) for block in shown]


def test_the_shipped_templates_stay_json_whatever_the_ticket_holds(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    ticket = site.store.tickets[int(created(connector, title='a "quoted" \\ title'))]
    change = site.store.changes[int(a_change(site, 'a "quoted" \\ title').removeprefix("CHN-"))]
    assert hint_of(automator.render(TEMPLATE.read_text(), ticket, site.url).encode()).ticket_id == str(ticket.id)
    assert hint_of(automator.render(CHANGE_TEMPLATE.read_text(), change, site.url).encode()).ticket_id == "CHN-1"


def test_webhooks_carry_the_secret_in_the_header_that_the_connector_checks(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    scheme = FreshserviceConnector.webhook_scheme
    assert isinstance(scheme, SecretHeader)
    target = site.add_webhook_target("http://127.0.0.1:9/")
    ticket_id = created(connector)
    assert site.webhooks.wait_idle()
    sent = site.webhooks.sent
    assert len(sent) == 4, "three more attempts, each as good as the first"
    assert dict(site.sign(sent[0].delivery, 1)) == {scheme.header: target.secret}
    assert {hint_of(one.delivery.body).ticket_id for one in sent} == {ticket_id}


def test_without_the_secret_nothing_is_taken(hub: tuple[str, Journal]) -> None:
    url, _ = hub
    for headers in ({}, {"X-Hub-Secret": "wrong"}):
        answer = httpx.post(f"{url}/webhooks/support", json={"ticket_id": "1"}, headers=headers)
        assert answer.status_code in (401, 403)


def test_a_workflow_that_leaves_the_hubs_agent_out_is_silent_about_the_hub(
    connector: FreshserviceConnector, site: FreshserviceSandbox
) -> None:
    site.add_webhook_target("http://127.0.0.1:9/", left_out=["hub"])
    ticket_id = created(connector)
    assert site.webhooks.wait_idle()
    assert site.webhooks.sent == ()
    agent_says(site, ticket_id, "<p>but not about others</p>")
    assert site.webhooks.wait_idle()
    assert site.webhooks.sent


def test_answers_of_a_real_account_are_no_webhooks() -> None:
    if not SHARED.is_dir():
        pytest.skip("the public payloads are not beside the repository")
    with pytest.raises(ValueError, match="template"):
        parse(payload("freshservice/demisto/ticket_get.json"))
