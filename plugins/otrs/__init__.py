"""OTRS, Znuny and OTOBO as a helpdesk, over their Generic Interface."""

from __future__ import annotations

from hub.connector import Connector
from hub.hookspecs import hookimpl
from plugins.otrs.connector import OtrsConnector


@hookimpl
def hub_connectors() -> list[type[Connector]]:
    """The connector of kind `otrs`."""
    return [OtrsConnector]
