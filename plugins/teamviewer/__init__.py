"""TeamViewer: remote support for a ticket. It has no tickets of its own."""

from __future__ import annotations

from hub.connector import Connector
from hub.hookspecs import hookimpl
from plugins.teamviewer.connector import TeamviewerConnector


@hookimpl
def hub_connectors() -> list[type[Connector]]:
    """The connector of kind `teamviewer`."""
    return [TeamviewerConnector]
