"""A local server that behaves as the Generic Interface of OTRS, Znuny and OTOBO; see `server.OtrsSandbox`."""

from plugins.otrs.sandbox.cast import actor, hub_settings
from plugins.otrs.sandbox.server import OtrsSandbox

SANDBOX = OtrsSandbox

__all__ = ["SANDBOX", "OtrsSandbox", "actor", "hub_settings"]
