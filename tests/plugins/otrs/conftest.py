"""An OTRS sandbox, and what drives it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugins.otrs.connector import OtrsConnector
from plugins.otrs.sandbox import OtrsSandbox, hub_settings
from plugins.otrs.settings import OtrsSettings


@pytest.fixture
def helpdesk() -> Iterator[OtrsSandbox]:
    """A running sandbox; each test has one of its own."""
    with OtrsSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def connector(helpdesk: OtrsSandbox) -> Iterator[OtrsConnector]:
    """The connector as the demo's settings make it."""
    made = connect(helpdesk)
    yield made
    made.close()


def connect(helpdesk: OtrsSandbox, **more: Any) -> OtrsConnector:
    """A connector for a sandbox, with more settings if need be."""
    return OtrsConnector("support", OtrsSettings.model_validate({**hub_settings(helpdesk), **more}))
