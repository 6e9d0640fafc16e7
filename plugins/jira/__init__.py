"""Jira (Cloud, Data Center, Service Management) as a bug tracker."""

from __future__ import annotations

from hub.connector import Connector
from hub.hookspecs import hookimpl
from plugins.jira.connector import JiraConnector


@hookimpl
def hub_connectors() -> list[type[Connector]]:
    """The connector of kind `jira`."""
    return [JiraConnector]
