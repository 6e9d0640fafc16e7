"""A local server that behaves as MantisBT's REST API does, 2.28 or 2.29; see `server.MantisSandbox`."""

from plugins.mantis.sandbox.cast import actor, hub_settings
from plugins.mantis.sandbox.server import MantisSandbox

SANDBOX = MantisSandbox

__all__ = ["SANDBOX", "MantisSandbox", "actor", "hub_settings"]
