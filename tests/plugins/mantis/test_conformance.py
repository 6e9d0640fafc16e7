"""The conformance kit on the sites that differ from the usual one: the next version, Markdown, and a far-away zone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from hub.testing.conformance import ConformanceTests
from hub.testing.site import Site, sandbox_site
from plugins.mantis import sandbox
from plugins.mantis.connector import MantisConnector
from plugins.mantis.sandbox import MantisSandbox


@contextmanager
def changed(zone: str, sandbox_settings: dict[str, float], **settings: Any) -> Iterator[Site]:
    with sandbox_site(MantisConnector, sandbox, **settings) as site:
        assert isinstance(site.sandbox, MantisSandbox)
        site.sandbox.change_settings(**sandbox_settings)
        site.sandbox.store.user("hub").time_zone = zone
        yield site


class TestNextVersionOnUtf8(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return changed("Pacific/Auckland", {"is_new": 1, "keeps_emoji": 1}, keeps_emoji=True, markdown=True)


class TestMarkerInACustomField(ConformanceTests):
    def open_site(self) -> AbstractContextManager[Site]:
        return changed("America/Los_Angeles", {}, marker_field="External ID", view_state="private")
