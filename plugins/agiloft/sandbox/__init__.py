"""A local server that behaves as an Agiloft knowledge base does; see `server.AgiloftSandbox`."""

from plugins.agiloft.sandbox.cast import actor, hub_settings
from plugins.agiloft.sandbox.server import AgiloftSandbox

SANDBOX = AgiloftSandbox

__all__ = ["SANDBOX", "AgiloftSandbox", "actor", "hub_settings"]
