"""What a captured webhook says of a change: what the field was, and what it became."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.connector import Ignored, WebhookRequest
from hub.ticket import Priority, Status, Value
from plugins.jira.connector import JiraConnector
from plugins.jira.settings import JiraSettings
from tests.shared import payload


@pytest.mark.parametrize(
    ("captured", "changed"),
    [
        ("webhook-issue-updated-lowered-priority", {"priority": (Priority.HIGH, Priority.LOW)}),
        ("webhook-issue-updated-started-working", {"status": (Status.OPEN, Status.IN_PROGRESS)}),
        ("webhook-issue-updated-reopened", {"status": (Status.SOLVED, Status.OPEN)}),
        ("webhook-server-issue-updated-closed", {"status": (Status.SOLVED, Status.CLOSED)}),
        ("webhook-issue-updated-labels", {}),
        ("webhook-issue-updated-edited", {}),
        ("webhook-cloud-issue-created-many-fields", {}),
    ],
)
def test_a_captured_webhook_tells_what_a_field_was_and_became(
    captured: str, changed: dict[str, tuple[Value, Value]]
) -> None:
    assert _changed(payload(f"jira/webhooks/{captured}.json")) == changed


def test_a_word_without_a_meaning_is_told_as_unknown() -> None:
    body = payload("jira/webhooks/webhook-issue-updated-lowered-priority.json")
    body["changelog"]["items"][0]["fromString"] = "Rather high"
    assert _changed(body) == {"priority": (Priority.UNKNOWN, Priority.LOW)}


def _changed(body: Any) -> Any:
    settings = JiraSettings.model_validate(
        {
            "kind": "jira", "flavour": "cloud", "url": "https://jira.example", "project": "OPS",
            "credentials": {"email": "hub@example.com", "api_token": "t"}, "plain_comments": "public",
        }
    )  # fmt: skip
    connector = JiraConnector("dev", settings)
    found = connector.parse_webhook(WebhookRequest({}, json.dumps(body).encode()))
    connector.close()
    assert not isinstance(found, Ignored)
    (hint,) = found
    return hint.changed
