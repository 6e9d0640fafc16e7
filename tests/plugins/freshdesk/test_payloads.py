"""Freshdesk's webhooks: whatever an admin's template made of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from hub.connector import Hint, Ignored, SecretHeader, WebhookRequest
from plugins.freshdesk import payloads
from plugins.freshdesk.connector import FreshdeskConnector
from plugins.freshdesk.sandbox import FreshdeskSandbox, rules
from tests.plugins.freshdesk.builders import created
from tests.shared import SHARED, payload

FOLDER = Path(payloads.__file__).parent
TEMPLATE = (FOLDER / "webhook.json").read_text()


def parse(body: object) -> Sequence[Hint] | Ignored:
    return payloads.parse(WebhookRequest({}, body if isinstance(body, bytes) else json.dumps(body).encode()))


def hint_of(body: object) -> Hint:
    parsed = parse(body)
    assert not isinstance(parsed, Ignored)
    (hint,) = parsed
    return hint


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("ticket_created", "ticket_action:created"),
        ("status_changed", "status:{from:4,to:6}"),
        ("priority_changed", "priority:{from:3,to:1}"),
    ],
)
def test_a_payload_that_others_captured_names_its_ticket_and_no_values(name: str, event: str) -> None:
    hint = hint_of(payload(f"freshdesk/webhooks/zulip-{name}.json"))
    assert (hint.ticket_id, hint.event, hint.values, hint.touches_comments) == ("11", event, {}, True)


def test_a_test_of_the_webhook_with_unfilled_placeholders_is_ignored() -> None:
    assert isinstance(parse(TEMPLATE.encode()), Ignored)
    if SHARED.is_dir():
        assert isinstance(parse(payload("freshdesk/webhooks/zulip-template.json")), Ignored)


@pytest.mark.parametrize(
    "body",
    [
        {"ticket_id": 11},
        {"id": "[#11]"},
        {"ticket_url": "https://acme.freshdesk.com/helpdesk/tickets/11"},
        b'{"freshdesk_webhook": {"ticket_id": "11", "subject": "he said "no""}}',
    ],
)
def test_other_templates_will_do_where_the_number_can_be_found(body: object) -> None:
    hint = hint_of(body)
    assert hint.ticket_id == "11"


@pytest.mark.parametrize("body", [b"", b"ticket=11", [], {}, {"ticket_id": "x"}, {"ticket_id": None}, "11"])
def test_what_names_no_ticket_is_refused_with_words_for_an_admin(body: object) -> None:
    with pytest.raises(ValueError, match="template"):
        parse(body)


def test_the_readme_shows_the_very_template_that_is_shipped() -> None:
    shown = (FOLDER / "README.md").read_text()
    assert json.loads(shown.split("```json", 1)[1].split("```", 1)[0]) == json.loads(TEMPLATE)


def test_the_shipped_template_stays_json_whatever_the_ticket_holds(
    connector: FreshdeskConnector, site: FreshdeskSandbox
) -> None:
    ticket = site.store.tickets[int(created(connector, title='a "quoted" \\ title'))]
    body = rules.render(TEMPLATE, ticket, "{status:{from:2,to:4}}", site.url)
    hint = hint_of(body.encode())
    assert (hint.ticket_id, hint.event) == (str(ticket.id), "status:{from:2,to:4}")


def test_webhooks_carry_the_secret_in_the_header_that_the_connector_checks(
    connector: FreshdeskConnector, site: FreshdeskSandbox
) -> None:
    scheme = FreshdeskConnector.webhook_scheme
    assert isinstance(scheme, SecretHeader)
    target = site.add_webhook_target("http://127.0.0.1:9/", template=TEMPLATE)
    ticket_id = created(connector)
    assert site.webhooks.wait_idle()
    sent = site.webhooks.sent
    assert len(sent) == 4
    assert dict(site.sign(sent[0].delivery, 1)) == {scheme.header: target.secret}
    hint = hint_of(sent[0].delivery.body)
    assert hint.ticket_id == ticket_id


def test_a_rule_that_leaves_the_hubs_agent_out_is_silent_about_the_hub(
    connector: FreshdeskConnector, site: FreshdeskSandbox
) -> None:
    site.add_webhook_target("http://127.0.0.1:9/", left_out=["hub"])
    created(connector)
    assert site.webhooks.wait_idle()
    assert site.webhooks.sent == ()
