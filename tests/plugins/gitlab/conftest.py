"""A GitLab sandbox, and what drives it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugins.gitlab.connector import GitlabConnector
from plugins.gitlab.sandbox import GitlabSandbox, hub_settings
from plugins.gitlab.sandbox.cast import GitlabActor, actor
from plugins.gitlab.settings import GitlabSettings


@pytest.fixture
def site() -> Iterator[GitlabSandbox]:
    """A running sandbox; each test has one of its own."""
    with GitlabSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def connector(site: GitlabSandbox) -> Iterator[GitlabConnector]:
    """The connector as the demo's settings make it."""
    made = connect(site)
    yield made
    made.close()


@pytest.fixture
def engineer(site: GitlabSandbox) -> Iterator[GitlabActor]:
    """A person with an account of their own."""
    made = actor(site, "engineer")
    yield made
    made.close()


def connect(site: GitlabSandbox, **more: Any) -> GitlabConnector:
    """A connector for a sandbox, with more settings if need be."""
    return GitlabConnector("dev", GitlabSettings.model_validate({**hub_settings(site), **more}))
