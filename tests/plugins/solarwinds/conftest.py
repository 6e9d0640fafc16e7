"""A Service Desk sandbox, and what drives it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugins.solarwinds.connector import SolarwindsConnector
from plugins.solarwinds.sandbox import SolarwindsSandbox, hub_settings
from plugins.solarwinds.settings import SolarwindsSettings
from tests.plugins.clock import Clock

FIELDS = {
    "severity": {"id": "Severity", "type": "select", "values": {"high": "Major", "low": "Minor"}},
    "environment": {"id": "Environment"},
    "affected": {"id": "Customers affected", "type": "number"},
    "regression": {"id": "Is a regression", "type": "checkbox"},
    "found": {"id": "Found on", "type": "date"},
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(clock: Clock) -> Iterator[SolarwindsSandbox]:
    """A running sandbox; each test has one of its own."""
    with SolarwindsSandbox(clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def connector(site: SolarwindsSandbox) -> Iterator[SolarwindsConnector]:
    """The connector as the demo's settings make it, with custom fields."""
    made = connect(site)
    yield made
    made.close()


def connect(site: SolarwindsSandbox, **more: Any) -> SolarwindsConnector:
    """A connector for a sandbox, with more settings if need be."""
    entry = {**hub_settings(site), "fields": FIELDS, **more}
    return SolarwindsConnector("support", SolarwindsSettings.model_validate(entry))
