"""What all tests share.

Hypothesis looks at the same examples each time, so that a change is judged by itself and not by luck.
`--hypothesis-profile explore` looks at other ones each time; see CONTRIBUTING.
"""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("steady", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile("steady")


@pytest.fixture
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names no proxies but those that the test names."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
