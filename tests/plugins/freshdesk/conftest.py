"""A Freshdesk sandbox, and what drives it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugins.freshdesk.connector import FreshdeskConnector
from plugins.freshdesk.sandbox import FreshdeskSandbox, hub_settings
from plugins.freshdesk.settings import FreshdeskSettings
from tests.plugins.clock import Clock

FIELDS = {
    "severity": {"id": "cf_severity", "type": "select", "values": {"high": "Major", "low": "Minor"}},
    "environment": {"id": "cf_environment"},
    "affected": {"id": "cf_customers_affected", "type": "number"},
    "regression": {"id": "cf_is_regression", "type": "checkbox"},
    "found": {"id": "cf_found_on", "type": "date"},
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(clock: Clock) -> Iterator[FreshdeskSandbox]:
    """A running sandbox; each test has one of its own."""
    with FreshdeskSandbox(clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def connector(site: FreshdeskSandbox) -> Iterator[FreshdeskConnector]:
    """The connector as the demo's settings make it, with custom fields."""
    made = connect(site)
    yield made
    made.close()


def connect(site: FreshdeskSandbox, **more: Any) -> FreshdeskConnector:
    """A connector for a sandbox, with more settings if need be."""
    entry = {**hub_settings(site), "fields": FIELDS, **more}
    return FreshdeskConnector("support", FreshdeskSettings.model_validate(entry))
