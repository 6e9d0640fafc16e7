"""Every hook that a plugin may implement, with its contract.

A plugin is a module (or an object) with functions marked `@hub.hookspecs.hookimpl`:

    from hub.hookspecs import hookimpl
    from .connector import AcmeConnector

    @hookimpl
    def hub_connectors() -> list[type[Connector]]:
        return [AcmeConnector]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from hub.connector import Connector

PROJECT = "ticket_hub"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def hub_connectors() -> list[type[Connector]]:  # type: ignore[empty-body]  # a specification has no body
    """Connector classes that this plugin brings.

    Called once when the hub starts, before the settings are validated, because each class brings the settings
    model of its kind. It must not call anything outside. Two plugins that bring the same kind are an error that
    names both.
    """
