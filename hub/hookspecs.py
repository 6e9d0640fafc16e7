"""Every hook that a plugin may implement, with its contract.

A plugin is a module (or an object) with functions marked `@hub.hookspecs.hookimpl`:

    from hub.hookspecs import hookimpl
    from .connector import AcmeConnector

    @hookimpl
    def hub_connectors() -> list[type[Connector]]:
        return [AcmeConnector]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from hub.connector import Connector
    from hub.extensions import Act, Connect, Test

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


@hookspec
def hub_conditions() -> Mapping[str, Test]:  # type: ignore[empty-body]
    """Conditions by name, for `plugin: {<name>: <argument>}` in any condition of the settings.

    Called once when the settings are loaded; the functions are called whenever a rule is looked at. One gets the facts
    that are known of the ticket (read-only; the names stand beside `hub.rules.conditions.Facts`) and the argument as it
    stands in the settings, and returns an `hub.extensions.Answer`: `holds` is None where a fact is missing, which never
    makes a rule fire, and `because` is what people read. It must be pure: the same answer for the same facts, nothing
    called, nothing kept, no clock. One that raises counts as not known, and is told by the plugin's name.
    """


@hookspec
def hub_actions() -> Mapping[str, Act]:  # type: ignore[empty-body]
    """Actions by name; rules write `<plugin>.<name>` under `run`.

    Called once when the settings are loaded; the functions are called by worker threads. One gets an
    `hub.connector.ActionRequest` and returns an `ActionResult`: texts for the ticket, each with its visibility, and a
    receipt for the record, without secrets. The same `request.mark` again must not have the effect twice. Raises
    `TemporaryError` to be asked again later, `PermanentError` with a remedy else; the tracker they name is the plugin.
    """


@hookspec
def hub_macros() -> Mapping[str, Mapping[str, Any]]:  # type: ignore[empty-body]
    """Macros by name, each in the form that it has under `macros` in the settings.

    Called once when the settings are loaded. A macro of the settings with the same name counts instead. One with a
    mistake makes the plugin count as broken, and is left out.
    """


@hookspec
def hub_calendars() -> Mapping[str, Mapping[str, Any]]:  # type: ignore[empty-body]
    """Calendars by name, each in the form that it has under `calendars` in the settings: zone, hours, holidays, days.

    Called once when the settings are loaded; a calendar of the settings with the same name counts instead.
    """


@hookspec
def hub_notifiers() -> Mapping[str, Connect]:  # type: ignore[empty-body]
    """Notifiers by the scheme of their addresses: `acme` is for `url: acme://…` under `notifiers`.

    Called once when the settings are loaded. The function gets the whole address and returns what sends there:
    `send(title, text)`, both plain text. It is made before the first message and then used by worker threads.
    Sending raises `TemporaryError` when the message may be tried again, `PermanentError` when it never can be sent;
    neither may show the address, which holds secrets. Schemes that no plugin brings are apprise's.
    """
