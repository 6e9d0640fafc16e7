"""GitLab issues as a bug tracker."""

from __future__ import annotations

from hub.connector import Connector
from hub.hookspecs import hookimpl
from plugins.gitlab.connector import GitlabConnector


@hookimpl
def hub_connectors() -> list[type[Connector]]:
    """The connector of kind `gitlab`."""
    return [GitlabConnector]
