"""Zendesk Support as a helpdesk."""

from __future__ import annotations

from hub.connector import Connector
from hub.hookspecs import hookimpl
from plugins.zendesk.connector import ZendeskConnector


@hookimpl
def hub_connectors() -> list[type[Connector]]:
    """The connector of kind `zendesk`."""
    return [ZendeskConnector]
