"""A TeamViewer sandbox, and what drives it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hub.ticket import TicketRef
from plugins.teamviewer.connector import TeamviewerConnector
from plugins.teamviewer.sandbox import TeamviewerSandbox, hub_settings
from plugins.teamviewer.settings import TeamviewerSettings
from plugins.teamviewer.support import RemoteSupport
from tests.plugins.clock import Clock

REF = TicketRef("support", "35436")
SUPPORTER = "agent1@helpdesk.example"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(clock: Clock) -> Iterator[TeamviewerSandbox]:
    """A running sandbox; each test has one of its own."""
    with TeamviewerSandbox(clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def connector(site: TeamviewerSandbox) -> Iterator[TeamviewerConnector]:
    made = connect(site)
    yield made
    made.close()


@pytest.fixture
def support(connector: TeamviewerConnector) -> RemoteSupport:
    return connector.support


def connect(site: TeamviewerSandbox, **more: Any) -> TeamviewerConnector:
    """A connector for a sandbox, with more settings if need be."""
    return TeamviewerConnector("remote", TeamviewerSettings.model_validate({**hub_settings(site), **more}))
