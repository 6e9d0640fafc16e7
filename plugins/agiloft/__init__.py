"""Agiloft as a helpdesk, whatever its tables and columns are called."""

from __future__ import annotations

from hub.connector import Connector
from hub.hookspecs import hookimpl
from plugins.agiloft.connector import AgiloftConnector


@hookimpl
def hub_connectors() -> list[type[Connector]]:
    """The connector of kind `agiloft`."""
    return [AgiloftConnector]
