"""A Zendesk sandbox, and what drives it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hub.connector import Draft
from hub.testing.site import ShiftedClock
from hub.text import canonical
from plugins.zendesk.connector import ZendeskConnector
from plugins.zendesk.sandbox import ZendeskSandbox, hub_settings
from plugins.zendesk.settings import ZendeskSettings


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
def account(clock: ShiftedClock) -> Iterator[ZendeskSandbox]:
    """A running sandbox; each test has one of its own."""
    sandbox = ZendeskSandbox(clock=clock)
    with sandbox:
        yield sandbox


@pytest.fixture
def connector(account: ZendeskSandbox) -> Iterator[ZendeskConnector]:
    """The connector as the demo's settings make it."""
    made = connect(account)
    yield made
    made.close()


def connect(account: ZendeskSandbox, **more: Any) -> ZendeskConnector:
    """A connector for a sandbox, with more settings if need be."""
    return ZendeskConnector("support", ZendeskSettings.model_validate({**hub_settings(account), **more}))


def created(connector: ZendeskConnector, **more: Any) -> str:
    """The id of a new ticket of the hub's."""
    wanted = {"marker": "dev-7-mark-1", "title": "A ticket", "description": canonical("It is broken."), **more}
    return connector.create(Draft(**wanted)).id
