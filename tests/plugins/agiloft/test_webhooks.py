"""Webhooks: the proof of the address, whatever bodies come, and what is told to whom."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from hub.connector import Hint, Ignored, SecretHeader, WebhookRequest
from hub.engine.inbox import JournalInbox
from hub.journal import Journal
from hub.journal.schema import deliveries
from hub.metrics import Metrics
from hub.sandbox import Delivery, Target
from plugins.agiloft import payloads
from plugins.agiloft.connector import AgiloftConnector
from plugins.agiloft.sandbox import AgiloftSandbox
from plugins.agiloft.sandbox.cast import AgiloftActor
from plugins.agiloft.sandbox.webhooks import CODE
from tests.plugins.agiloft.builders import created
from tests.plugins.agiloft.conftest import settings_of
from tests.shared import payload_files
from webhooks.app import create_app
from webhooks.server import Server

README = Path(payloads.__file__).parent / "README.md"
FILES = payload_files("agiloft/constructed")
OUTCOMES = {
    "attach_info.json": "400 no id under case_id or id",
    "error_json_envelope.json": "400 no id under case_id or id",
    "ewtable.json": "400 no id under case_id or id",
    "lock_conflict_status.json": "woken 18",
    "login_alrest.json": "400 no id under case_id or id",
    "read_alrest.json": "woken 353",
    "search_alrest.json": "woken 353",
    "webhook_registration_request.json": "400 no id under case_id or id",
}
"""No delivery was ever published: these are other answers of Agiloft's, which any body might look like."""


@pytest.fixture
def hub(connector: AgiloftConnector) -> Iterator[tuple[str, Journal]]:
    """The hub's own web server with the connector behind it."""
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


@pytest.mark.skipif(not FILES, reason="the public payloads are not beside the repository")
@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_each_shape_that_was_ever_described_is_understood_or_refused_with_words(
    hub: tuple[str, Journal], site: AgiloftSandbox, file: Any
) -> None:
    url, journal = hub
    headers = {"X-Hub-Secret": site.webhook_secret}
    answer = httpx.post(f"{url}/webhooks/support", content=file.read_bytes(), headers=headers)
    wanted, _, about = OUTCOMES[file.name].partition(" ")
    if wanted == "400":
        assert answer.status_code == 400
        assert about in answer.json()["description"]
        assert "entry_fields" in answer.json()["description"]
        return
    assert answer.status_code == 202, answer.text
    with journal.read() as connection:
        stored = connection.execute(sa.select(deliveries)).one()
    assert (stored.status, stored.ticket_id) == ("waiting", about)


# -- bodies -------------------------------------------------------------------------------------------------------


def parse(site: AgiloftSandbox, body: object, **more: Any) -> Sequence[Hint] | Ignored:
    return payloads.parse(settings_of(site, **more), WebhookRequest({}, json.dumps(body).encode()))


@pytest.mark.parametrize(
    "body",
    [
        {"id": 7},
        {"id": "7", "summary": "x"},
        [{"id": 7}, {"id": "7"}],
        {"event_type": "Update", "record": {"id": 7, "contact": {"id": 12}}},
        {"data": {"rows": [{"id": {"value": "7"}}]}},
        {"table_name": "case", "id": 7},
    ],
)
def test_a_ticket_is_found_under_the_configured_name_wherever_it_stands(site: AgiloftSandbox, body: object) -> None:
    parsed = parse(site, body)
    assert not isinstance(parsed, Ignored)
    assert [hint.ticket_id for hint in parsed] == ["7"]
    assert parsed[0].touches_comments


def test_a_comment_wakes_its_ticket_and_never_the_ticket_of_its_own_number(site: AgiloftSandbox) -> None:
    body = {"table_name": "case_comment", "event_type": "Delete", "record": {"id": 99, "case_id": "7"}}
    parsed = parse(site, body)
    assert not isinstance(parsed, Ignored)
    ((ticket_id, is_deleted),) = [(hint.ticket_id, hint.is_deleted) for hint in parsed]
    assert (ticket_id, is_deleted) == ("7", False)


def test_a_deleted_ticket_is_told_as_such(site: AgiloftSandbox) -> None:
    parsed = parse(site, {"event_type": "Delete", "table_name": "case", "id": 7})
    assert not isinstance(parsed, Ignored)
    assert parsed[0].is_deleted


def test_another_table_is_ignored_with_its_name(site: AgiloftSandbox) -> None:
    parsed = parse(site, {"table_name": "contract", "id": 7})
    assert isinstance(parsed, Ignored)
    assert "contract" in parsed.reason


@pytest.mark.parametrize(
    "body", [{}, [], {"id": None}, {"id": True}, {"id": "x7"}, {"ID": 7}, {"a": [[[[[[[{"id": 7}]]]]]]]}]
)
def test_a_body_without_an_id_is_refused_with_what_to_do(site: AgiloftSandbox, body: object) -> None:
    with pytest.raises(ValueError, match="entry_fields"):
        parse(site, body)


def test_an_endless_list_is_believed_only_so_far(site: AgiloftSandbox) -> None:
    parsed = parse(site, [{"id": n} for n in range(5000)])
    assert not isinstance(parsed, Ignored)
    assert len(parsed) == payloads.MOST


# -- registration and delivery ------------------------------------------------------------------------------------


def register(site: AgiloftSandbox, url: str, **more: str) -> httpx.Response:
    """As an admin does it, with the hub's own values."""
    login = {"login": "agent1", "password": site.kb.users["agent1"].password, "KB": "Demo", "lang": "en"}
    with httpx.Client(base_url=f"{site.url}/ewws") as http:
        token = http.post("/alrest/Demo/login", json=login).json()["result"]["access_token"]
        body = {
            "title": "hub", "description": "hub", "webhook_url": url, "table_name": "case", "event_type": "Update",
            "webhook_status": "Active", "user_permissions": "hub_service", "entry_fields": "id,date_updated",
            "webhook_http_headers": f"X-Hub-Secret: {site.webhook_secret}", "webhook_confirmation": "Yes", **more,
        }  # fmt: skip
        return http.post("/webhooks", json=body, headers={"Authorization": f"Bearer {token}"})


def test_the_hub_proves_its_address_and_takes_each_delivery_at_the_first_attempt(
    hub: tuple[str, Journal], site: AgiloftSandbox, agent: AgiloftActor
) -> None:
    url, journal = hub
    ticket_id = agent.open_ticket("x", "y")
    answer = register(site, f"{url}/webhooks/support")
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"].endswith(answer.json()["id"])
    agent.rename(ticket_id, "Renamed")
    assert site.webhooks.wait_idle()
    assert [(s.attempt, s.status) for s in site.webhooks.sent] == [(1, 202)]
    with journal.read() as connection:
        assert connection.execute(sa.select(deliveries.c.ticket_id)).scalars().all() == [ticket_id]


def test_the_readmes_webhook_is_taken_as_it_stands(hub: tuple[str, Journal], site: AgiloftSandbox) -> None:
    url, _ = hub
    shown = json.loads(README.read_text().split("```json", 1)[1].split("```", 1)[0])
    shown["webhook_http_headers"] = shown["webhook_http_headers"].replace(
        "<the value of webhook.secret>", site.webhook_secret
    )
    del shown["webhook_url"]
    answer = register(site, f"{url}/webhooks/support", **shown)
    assert answer.status_code == 201, answer.text
    (target,) = site.webhooks.targets
    assert target.secret == site.webhook_secret


def test_an_address_that_does_not_repeat_the_code_is_not_taken(hub: tuple[str, Journal], site: AgiloftSandbox) -> None:
    url, _ = hub
    assert register(site, f"{url}/healthz").status_code == 400
    assert register(site, "http://127.0.0.1:9/").status_code == 400
    assert site.webhooks.targets == ()


def test_a_delivery_without_its_code_in_the_answer_is_sent_again_five_times(
    site: AgiloftSandbox, connector: AgiloftConnector, hub: tuple[str, Journal]
) -> None:
    url, _ = hub
    site.webhooks.pace = 0.0
    site.add_webhook_target(f"{url}/healthz")
    created(connector)
    assert site.webhooks.wait_idle()
    assert [s.attempt for s in site.webhooks.sent] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("options", [{"filter": "updated_by!='hub_service'"}, {"by": "Web"}])
def test_a_filter_keeps_the_hubs_own_changes_away(
    site: AgiloftSandbox, connector: AgiloftConnector, options: dict[str, Any]
) -> None:
    site.add_webhook_target("http://127.0.0.1:9/", **options)
    created(connector)
    assert site.webhooks.wait_idle()
    assert site.webhooks.sent == ()


def test_the_secret_travels_in_the_header_that_the_connector_checks(site: AgiloftSandbox) -> None:
    scheme = AgiloftConnector.webhook_scheme
    assert isinstance(scheme, SecretHeader)
    target = site.add_webhook_target("http://127.0.0.1:9/")
    assert isinstance(target, Target)
    delivery = Delivery("1", target, b"{}", headers={CODE: "x"})
    assert dict(site.sign(delivery, 1)) == {scheme.header: target.secret}
    assert AgiloftConnector.webhook_echo_header == CODE
