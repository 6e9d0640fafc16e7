"""A MantisBT sandbox, and what drives it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugins.mantis.connector import MantisConnector
from plugins.mantis.sandbox import MantisSandbox, hub_settings
from plugins.mantis.settings import MantisSettings


@pytest.fixture
def site() -> Iterator[MantisSandbox]:
    """A running sandbox; each test has one of its own."""
    with MantisSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def connector(site: MantisSandbox) -> Iterator[MantisConnector]:
    """The connector as the demo's settings make it."""
    made = connect(site)
    yield made
    made.close()


def connect(site: MantisSandbox, **more: Any) -> MantisConnector:
    """A connector for a sandbox, with more settings if need be."""
    return MantisConnector("dev", MantisSettings.model_validate({**hub_settings(site), **more}))
