"""A Jira sandbox of each flavour, and what drives it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugins.jira.connector import JiraConnector
from plugins.jira.sandbox import JiraSandbox, hub_settings
from plugins.jira.settings import JiraSettings


@pytest.fixture(params=["cloud", "datacenter"])
def site(request: pytest.FixtureRequest) -> Iterator[JiraSandbox]:
    """A running sandbox; each test has one of its own, in both flavours."""
    with JiraSandbox(flavour=request.param) as sandbox:
        yield sandbox


@pytest.fixture
def connector(site: JiraSandbox) -> Iterator[JiraConnector]:
    """The connector as the demo's settings make it."""
    made = connect(site)
    yield made
    made.close()


def connect(site: JiraSandbox, **more: Any) -> JiraConnector:
    """A connector for a sandbox, with more settings if need be."""
    return JiraConnector("dev", JiraSettings.model_validate({**hub_settings(site), **more}))
