"""MantisBT as a bug tracker."""

from __future__ import annotations

from hub.connector import Connector
from hub.hookspecs import hookimpl
from plugins.mantis.connector import MantisConnector


@hookimpl
def hub_connectors() -> list[type[Connector]]:
    """The connector of kind `mantis`."""
    return [MantisConnector]
