"""An Agiloft sandbox, and what drives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from plugins.agiloft.connector import AgiloftConnector
from plugins.agiloft.sandbox import AgiloftSandbox, appending, hub_settings
from plugins.agiloft.sandbox.cast import AgiloftActor, actor
from plugins.agiloft.settings import AgiloftSettings
from tests.plugins.clock import Clock

FIELDS = {
    "severity": {"id": "severity", "type": "select", "values": {"high": "Major", "low": "Minor"}},
    "found_in": {"id": "found_in"},
    "affected": {"id": "users_affected", "type": "number"},
    "products": {"id": "products", "type": "multiselect", "values": {"mail": "Mail"}},
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(clock: Clock) -> Iterator[AgiloftSandbox]:
    """A running sandbox; each test has one of its own."""
    with AgiloftSandbox(clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def connector(site: AgiloftSandbox) -> Iterator[AgiloftConnector]:
    """The connector as the demo's settings make it, with custom fields."""
    made = connect(site)
    yield made
    made.close()


@pytest.fixture
def agent(site: AgiloftSandbox) -> Iterator[AgiloftActor]:
    made = actor(site, "agent")
    yield made
    made.close()


@pytest.fixture
def customer(site: AgiloftSandbox) -> Iterator[AgiloftActor]:
    made = actor(site, "customer")
    yield made
    made.close()


@pytest.fixture
def appended(clock: Clock) -> Iterator[AgiloftSandbox]:
    """The knowledge base whose notes stand in append-only columns."""
    with appending.SANDBOX(clock=clock) as sandbox:
        yield sandbox


def settings_of(site: AgiloftSandbox, **more: Any) -> AgiloftSettings:
    """The demo's settings with some changed; `columns` and `comments` are changed column by column."""
    entry: dict[str, Any] = {**hub_settings(site), "fields": FIELDS}
    for name, value in more.items():
        entry[name] = {**entry[name], **value} if name in ("columns", "comments") and value else value
    return AgiloftSettings.model_validate(entry)


def connect(site: AgiloftSandbox, **more: Any) -> AgiloftConnector:
    """A connector for a sandbox, with more settings if need be."""
    return AgiloftConnector("support", settings_of(site, **more))


def values_of(site: AgiloftSandbox, ticket_id: str, table: str = "case") -> Mapping[str, Any]:
    """What the knowledge base holds of a record."""
    with site.lock:
        return dict(site.kb.tables[table].records[int(ticket_id)].values)


def writes(site: AgiloftSandbox) -> list[str]:
    """Method and path of all writes of the hub's so far, less sign-ins and searches."""
    return [
        f"{r.method} {r.path.removeprefix('/ewws/alrest/Demo')}"
        for r in site.requests
        if r.login == "hub_service"
        and r.method != "GET"
        and not r.path.endswith("/search")
        and "attachInfo" not in r.path
    ]
