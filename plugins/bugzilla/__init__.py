"""Bugzilla as a bug tracker: the released 5.x, and Mozilla's own."""

from __future__ import annotations

from hub.connector import Connector
from hub.hookspecs import hookimpl
from plugins.bugzilla.connector import BugzillaConnector


@hookimpl
def hub_connectors() -> list[type[Connector]]:
    """The connector of kind `bugzilla`."""
    return [BugzillaConnector]
