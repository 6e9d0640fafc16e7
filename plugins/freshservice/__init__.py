"""Freshservice as a helpdesk."""

from __future__ import annotations

from hub.connector import Connector
from hub.hookspecs import hookimpl
from plugins.freshservice.connector import FreshserviceConnector


@hookimpl
def hub_connectors() -> list[type[Connector]]:
    """The connector of kind `freshservice`."""
    return [FreshserviceConnector]
