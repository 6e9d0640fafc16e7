"""Freshdesk as a helpdesk."""

from __future__ import annotations

from hub.connector import Connector
from hub.hookspecs import hookimpl
from plugins.freshdesk.connector import FreshdeskConnector


@hookimpl
def hub_connectors() -> list[type[Connector]]:
    """The connector of kind `freshdesk`."""
    return [FreshdeskConnector]
