"""A Freshservice sandbox, and what drives it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugins.freshservice.connector import FreshserviceConnector
from plugins.freshservice.sandbox import FreshserviceSandbox, hub_settings
from plugins.freshservice.settings import FreshserviceSettings
from tests.plugins.clock import Clock

FIELDS = {
    "severity": {"id": "severity", "type": "select", "values": {"high": "Major", "low": "Minor"}},
    "environment": {"id": "environment"},
    "affected": {"id": "customers_affected", "type": "number"},
    "regression": {"id": "is_regression", "type": "checkbox"},
    "found": {"id": "found_on", "type": "date"},
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(clock: Clock) -> Iterator[FreshserviceSandbox]:
    """A running sandbox; each test has one of its own."""
    with FreshserviceSandbox(clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def connector(site: FreshserviceSandbox) -> Iterator[FreshserviceConnector]:
    """The connector as the demo's settings make it, with custom fields and changes."""
    made = connect(site, changes=True)
    yield made
    made.close()


def connect(site: FreshserviceSandbox, **more: Any) -> FreshserviceConnector:
    """A connector for a sandbox, with more settings if need be."""
    entry = {**hub_settings(site), "fields": FIELDS, **more}
    return FreshserviceConnector("support", FreshserviceSettings.model_validate(entry))
