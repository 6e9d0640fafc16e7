"""A ServiceDesk Plus sandbox of each edition, and what drives it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugins.servicedesk_plus.connector import ServiceDeskPlusConnector
from plugins.servicedesk_plus.sandbox import ServiceDeskPlusSandbox, hub_settings
from plugins.servicedesk_plus.settings import ServiceDeskPlusSettings
from tests.plugins.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["on_premises", "cloud"])
def site(clock: Clock, request: pytest.FixtureRequest) -> Iterator[ServiceDeskPlusSandbox]:
    """A running sandbox, of both editions; each test has one of its own."""
    yield from running(clock, request.param)


@pytest.fixture
def cloud(clock: Clock) -> Iterator[ServiceDeskPlusSandbox]:
    yield from running(clock, "cloud")


@pytest.fixture
def on_premises(clock: Clock) -> Iterator[ServiceDeskPlusSandbox]:
    yield from running(clock, "on_premises")


def running(clock: Clock, flavour: Any) -> Iterator[ServiceDeskPlusSandbox]:
    with ServiceDeskPlusSandbox(flavour=flavour, clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def connector(site: ServiceDeskPlusSandbox) -> Iterator[ServiceDeskPlusConnector]:
    """The connector as the demo's settings make it, with custom fields."""
    made = connect(site)
    yield made
    made.close()


def fields_of(site: ServiceDeskPlusSandbox) -> dict[str, Any]:
    """The custom fields of the sandbox, as settings."""
    udf = site.store.udf
    return {
        "severity": {"id": udf["severity"], "type": "select", "values": {"high": "Major", "low": "Minor"}},
        "environment": {"id": udf["environment"]},
        "affected": {"id": udf["affected"], "type": "number"},
        "regression": {"id": udf["regression"], "type": "checkbox"},
        "found": {"id": udf["found"], "type": "date"},
        "areas": {"id": udf["areas"], "type": "multiselect", "values": {"money": "Billing"}},
        "answer": {"id": "resolution"},
    }


def connect(site: ServiceDeskPlusSandbox, **more: Any) -> ServiceDeskPlusConnector:
    """A connector for a sandbox, with more settings if need be."""
    entry = {**hub_settings(site), "fields": fields_of(site), **more}
    return ServiceDeskPlusConnector("support", ServiceDeskPlusSettings.model_validate(entry))
