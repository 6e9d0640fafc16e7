"""A Freshdesk sandbox, and what drives it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugins.freshdesk.connector import FreshdeskConnector
from plugins.freshdesk.sandbox import FreshdeskSandbox, hub_settings
from plugins.freshdesk.settings import FreshdeskSettings

FIELDS = {
    "severity": {"id": "cf_severity", "type": "select", "values": {"high": "Major", "low": "Minor"}},
    "environment": {"id": "cf_environment"},
    "affected": {"id": "cf_customers_affected", "type": "number"},
    "regression": {"id": "cf_is_regression", "type": "checkbox"},
    "found": {"id": "cf_found_on", "type": "date"},
}


class Clock:
    """The sandbox's time, which a test moves."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(clock: Clock) -> Iterator[FreshdeskSandbox]:
    """A running sandbox; each test has one of its own."""
    sandbox = FreshdeskSandbox(clock=clock)
    sandbox.start()
    yield sandbox
    sandbox.stop()


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
