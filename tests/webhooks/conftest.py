from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.webhooks.stage import Stage, start


@pytest.fixture
def stage() -> Iterator[Stage]:
    running = start()
    yield running
    running.client.close()
    running.server.stop()
