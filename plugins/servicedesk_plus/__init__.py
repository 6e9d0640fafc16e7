"""ManageEngine ServiceDesk Plus as a helpdesk, on-premises and in the cloud."""

from __future__ import annotations

from hub.connector import Connector
from hub.hookspecs import hookimpl
from plugins.servicedesk_plus.connector import ServiceDeskPlusConnector


@hookimpl
def hub_connectors() -> list[type[Connector]]:
    """The connector of kind `servicedesk-plus`."""
    return [ServiceDeskPlusConnector]
