"""SolarWinds Service Desk (the former Samanage) as a helpdesk."""

from __future__ import annotations

from hub.connector import Connector
from hub.hookspecs import hookimpl
from plugins.solarwinds.connector import SolarwindsConnector


@hookimpl
def hub_connectors() -> list[type[Connector]]:
    """The connector of kind `solarwinds`."""
    return [SolarwindsConnector]
